// SPDX-License-Identifier: GPL-2.0-only
/* The SMMU's PRI queue (Arm IHI 0070, chapter 8): records of page requests, overflow, automatic
 * responses; CMD_PRI_RESP. */
#include <endian.h>

#include "devices/smmuv3/private.h"

#define ENTRY_SIZE 16

static bool has_substreams(const struct smmu *s)
{
	return smmu_idr(s, 1, IDR1_SSIDSIZE);
}

/* 3.9: of a PASID so many bits arrive as IDR1.SSIDSIZE says; with 0, none of it. */
static u32 substream_of(const struct smmu *s, u32 pasid)
{
	if (pasid == DMA_NO_PASID || !has_substreams(s))
		return DMA_NO_PASID;
	return pasid & (u32)(BIT(smmu_idr(s, 1, IDR1_SSIDSIZE)) - 1);
}

/* Chapter 8: of a PASID that nothing is asked for. It has no response. */
static bool is_stop_marker(const struct dma_page_request *rq)
{
	return rq->last && !rq->perm && rq->pasid != DMA_NO_PASID;
}

/* Chapter 8: without a PASID X is 0. What is executed is read. */
static void encode(u32 sid, const struct dma_page_request *rq, u64 *w)
{
	const bool ssv = rq->pasid != DMA_NO_PASID;

	w[0] = FIELD_PREP(PRI0_SID, (u64)sid) | (rq->last ? PRI0_LAST : 0) |
	       (rq->perm & (DMA_READ | DMA_EXEC) ? PRI0_R : 0) |
	       (rq->perm & DMA_WRITE ? PRI0_W : 0);
	w[1] = rq->iova | FIELD_PREP(PRI1_INDEX, (u64)rq->group);
	if (ssv)
		w[0] |= PRI0_SSV | FIELD_PREP(PRI0_SSID, (u64)rq->pasid) |
		        (rq->perm & DMA_EXEC ? PRI0_X : 0);
}

/* 8.2, 12.3. PRIQEN's effective value is SMMUEN's, too (6.3.9.5). */
static bool enabled(const struct smmu *s)
{
	const u32 both = CR0_SMMUEN | CR0_PRIQEN;

	return (s->cr0ack & both) == both && !smmu_error_active(s, GERROR_PRIQ_ABT) &&
	       !s->injected.failed;
}

static bool overflown(const struct smmu *s)
{
	return (s->priq_prod ^ s->priq_cons) & QUEUE_OVERFLOW;
}

static void interrupt(struct smmu *s)
{
	if (s->irq_ctrlack & IRQ_PRIQ)
		smmu_interrupt(s, &s->priq_msi, s->config.priq_spi, GERROR_MSI_PRIQ_ABT);
}

/* Where nobody can be asked: to a Stop Marker nothing is said. */
static void respond(struct smmu_endpoint *e, const struct dma_page_request *rq, u32 pasid,
                    enum dma_page_code code)
{
	const struct dma_page_response r = { pasid, rq->group, code };

	fault_refused(&e->port);
	if (is_stop_marker(rq))
		return;
	smmu_see_response(e->smmu, e->sid(e->ctx), &r);
	fault_answer_automatically(&e->port, &r);
}

/* 8.2: each request has this response, the last of its group or not, and none has a PASID. */
static void deny(struct smmu_endpoint *e, const struct dma_page_request *rq)
{
	respond(e, rq, DMA_NO_PASID, DMA_PAGE_FAILURE);
}

/* 8.1: STE.PPAR. False: there is no valid STE. Without IDR0.ATSRECERR that is no event. */
static bool find_ppar(struct smmu *s, u32 sid, bool *ppar)
{
	struct smmu_config_entry c = { .sid = sid, .passive = true };
	struct smmu_event e = { 0 };
	u64 ste[8];

	if (smmu_fetch_ste(s, sid, ste, &e) != FETCHED || !smmu_ste_decode(s, ste, &c))
		return false;
	*ppar = ste[1] & STE1_PPAR;
	return true;
}

/* 8.1: the end of a group that is discarded is answered as though it had been served: its endpoint
 * asks again, when there may be room. */
static void discard(struct smmu_endpoint *e, const struct dma_page_request *rq)
{
	struct smmu *s = e->smmu;
	bool ppar = true;

	if (!rq->last || is_stop_marker(rq))
		fault_refused(&e->port);
	else if (rq->pasid != DMA_NO_PASID && !smmu_idr(s, 3, IDR3_PPS) &&
	         !find_ppar(s, e->sid(e->ctx), &ppar))
		deny(e, rq);
	else
		respond(e, rq, ppar ? rq->pasid : DMA_NO_PASID, DMA_PAGE_SUCCESS);
}

/* An active overflow is told of once, and nothing is written until it is acknowledged (8.1). */
static void overflow(struct smmu_endpoint *e, const struct dma_page_request *rq)
{
	struct smmu *s = e->smmu;

	if (!overflown(s))
		s->priq_prod ^= QUEUE_OVERFLOW;
	if (rq->last && s->priq_msi.attr & PRIQ_CFG2_LO) /* 6.3.36 */
		interrupt(s);
	discard(e, rq);
}

/* False: it is aborted, and PROD stays (8.2, 7.2.2). */
static bool write_record(struct smmu *s, unsigned int log2size, const u64 *w)
{
	const u32 index = smmu_queue_index(s->priq_prod, log2size);
	const gpa_t at = smmu_queue_entry(s, s->priq_base, log2size, index, ENTRY_SIZE);
	const u64 le[2] = { htole64(w[0]), htole64(w[1]) };

	if (guest_write(&s->vm->mem, at, le, sizeof(le)))
		return false;
	s->priq_prod = (s->priq_prod & QUEUE_OVERFLOW) | smmu_queue_index(index + 1, log2size);
	return true;
}

static void record(struct smmu_endpoint *e, unsigned int log2size,
                   const struct dma_page_request *rq, const u64 *w)
{
	struct smmu *s = e->smmu;
	const bool was_empty = smmu_queue_empty(s->priq_prod, s->priq_cons, log2size);

	if (!write_record(s, log2size, w)) {
		smmu_error(s, GERROR_PRIQ_ABT);
		deny(e, rq);
		return;
	}
	if (!is_stop_marker(rq))
		fault_raised(&e->port, rq);
	if (s->priq_msi.attr & PRIQ_CFG2_LO ? rq->last : was_empty) /* 6.3.36 */
		interrupt(s);
}

/*
 * An endpoint's groups that wait are bounded. A Stop Marker is no request of any; a PASID that is
 * cut off (3.9) may have a request arrive as one of a group that waits: that has its answer coming.
 */
static bool has_place(struct smmu_endpoint *e, const struct dma_page_request *rq)
{
	return is_stop_marker(rq) || fault_waits(&e->port, rq) || fault_can_raise(&e->port, rq);
}

bool smmu_takes_pages(struct dma_space *space, u32 pasid)
{
	struct smmu_endpoint *e = container_of(space, struct smmu_endpoint, dma);

	(void)pasid;
	return smmu_idr(e->smmu, 0, IDR0_PRI) && e->sid;
}

bool smmu_page_request(struct dma_space *space, const struct dma_page_request *asked)
{
	struct smmu_endpoint *e = container_of(space, struct smmu_endpoint, dma);
	struct smmu *s = e->smmu;
	const unsigned int log2size = smmu_queue_log2size(s->priq_base, smmu_idr(s, 1, IDR1_PRIQS));
	struct dma_page_request rq = *asked;
	u64 w[2];

	if (!smmu_takes_pages(space, asked->pasid)) {
		fault_refused(&e->port);
		return false;
	}
	rq.pasid = substream_of(s, asked->pasid);
	encode(e->sid(e->ctx), &rq, w);
	smmu_see_page_request(s, w);
	if (!enabled(s))
		deny(e, &rq);
	else if (overflown(s) || smmu_queue_full(s->priq_prod, s->priq_cons, log2size))
		overflow(e, &rq);
	else if (!has_place(e, &rq)) /* as though there were no room */
		discard(e, &rq);
	else
		record(e, log2size, &rq, w);
	return true;
}

void smmu_forget_pages(struct dma_space *space)
{
	fault_forget(&container_of(space, struct smmu_endpoint, dma)->port);
}

/* 4.5.2. Without SubstreamIDs, SSV is ignored. What answers nothing that waits goes out all the
 * same: a Root Complex knows of no groups, and the endpoint notes it. */
enum smmu_command smmu_cmd_pri_resp(struct smmu *s, const u64 *cmd)
{
	static const enum dma_page_code codes[] = { DMA_PAGE_FAILURE, DMA_PAGE_INVALID,
		                                    DMA_PAGE_SUCCESS };
	const unsigned int resp = FIELD_GET(PRI_RESP1_RESP, cmd[1]);
	const bool ssv = cmd[0] & CMD0_SSV && has_substreams(s);
	struct smmu_endpoint *e = smmu_find_device(s, FIELD_GET(CMD0_SID, cmd[0]));
	struct dma_page_response r = {
		.pasid = ssv ? (u32)FIELD_GET(CMD0_SSID, cmd[0]) : DMA_NO_PASID,
		.group = FIELD_GET(PRI_RESP1_INDEX, cmd[1]),
	};

	if (resp >= ARRAY_SIZE(codes))
		return COMMAND_ILLEGAL;
	r.code = codes[resp];
	if (s->cr0ack & CR0_SMMUEN && e && fault_answer(&e->port, &r) != FAULT_WAITS)
		fault_deliver(&e->port, &r);
	return COMMAND_DONE;
}

/* 6.3.9.6: endpoints have to begin anew. What they asked for gets what they would get now (8.2). */
void smmu_pages_end(struct smmu *s)
{
	for (struct smmu_endpoint *e = s->endpoints; e; e = e->next)
		fault_end(&e->port, DMA_PAGE_FAILURE, false);
}

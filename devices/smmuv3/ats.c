// SPDX-License-Identifier: GPL-2.0-only
/* ATS (Arm IHI 0070, 3.9.1, 13.6, 13.7): what translation requests are answered, and transactions
 * with addresses that were translated before. */
#include "devices/smmuv3/transaction.h"

/* 3.9.1.2: whoever has no ATSCHK has no split stages. */
static unsigned int effective(const struct smmu *s, unsigned int eats)
{
	return eats == EATS_SPLIT && !(s->cr0ack & CR0_ATSCHK) ? EATS_NONE : eats;
}

static enum dma_status refuse(struct dma_access *a, enum dma_reason reason)
{
	a->reason = reason;
	return DMA_FAULT;
}

/* 7.3.6, before anything is overridden. */
static enum dma_status bad_request(struct smmu_transaction *t, struct dma_access *a)
{
	t->event.id = F_BAD_ATS_TREQ;
	t->event.addr = a->iova;
	t->event.ssid = a->pasid;
	t->event.asked = t->perm;
	smmu_record(t->smmu, &t->event);
	return refuse(a, DMA_UNSUPPORTED);
}

/* 3.9.1.2: these deny access, in a completion of success; what else goes wrong is CA. */
static bool only_denies(enum smmu_event_id id)
{
	return id >= F_TRANSLATION && id <= F_PERMISSION;
}

/* DMA_OK without a configuration: access is denied. 5.2, V, Config and EATS. */
static enum dma_status configure(struct smmu_transaction *t, struct dma_access *a)
{
	struct smmu *s = t->smmu;
	struct smmu_event *e = &t->event;
	const enum smmu_fetch got = smmu_config(s, t->endpoint, e->sid, e->ssid, &t->config, e);
	const bool has_ste = got == FETCHED || e->has_ste;

	if (got == FETCHED) {
		e->merges = t->config->merges;
		e->eats = t->config->eats;
	} else {
		t->config = NULL;
	}
	if (got == FETCHED && t->config->abort)
		return refuse(a, DMA_UNSUPPORTED);
	if (has_ste && !effective(s, e->eats))
		return bad_request(t, a);
	return got == FETCHED || only_denies(e->id) ? DMA_OK : refuse(a, DMA_ABORTED);
}

static enum dma_status begin(struct smmu_transaction *t, struct dma_access *a)
{
	struct smmu *s = t->smmu;
	struct smmu_endpoint *e = t->endpoint;

	s->counts.requests++;
	/* 13.7: a request reads, and executes with a PASID only. */
	t->perm = a->perm | DMA_READ;
	if (a->pasid == DMA_NO_PASID)
		t->perm &= ~(u32)DMA_EXEC;
	if (s->injected.failed)
		return refuse(a, DMA_ABORTED);
	if (!smmu_idr(s, 0, IDR0_ATS) || !e->sid)
		return refuse(a, DMA_UNSUPPORTED);
	t->event = (struct smmu_event){ .sid = e->sid(e->ctx), .ssid = a->pasid };
	if (!(s->cr0ack & CR0_SMMUEN))
		return bad_request(t, a);
	return configure(t, a);
}

/* 13.7.1: what tables have to allow for reads and for execution. */
static u32 for_reads(u8 instcfg)
{
	return instcfg == CFG_YES ? DMA_EXEC : DMA_READ;
}

static u32 for_execution(u8 instcfg)
{
	return instcfg < CFG_NO ? DMA_READ | DMA_EXEC : for_reads(instcfg);
}

static u32 needed(u32 granted, u8 instcfg)
{
	return (granted & DMA_WRITE) | (granted & DMA_READ ? for_reads(instcfg) : 0) |
	       (granted & DMA_EXEC ? for_execution(instcfg) : 0);
}

/* Of what is asked for, that which tables allow with so much. */
static u32 grantable(u32 asked, u32 allowed, u8 instcfg)
{
	u32 granted = 0;

	for (u32 perm = DMA_READ; perm <= DMA_EXEC; perm <<= 1)
		if (asked & perm && !(needed(perm, instcfg) & ~allowed))
			granted |= perm;
	return granted;
}

/*
 * 13.7, 3.13.7.1: all that is asked for, or as much of it as both stages allow: flags are updated
 * as by an access that needs that much. 0: nothing is, or it ends with t->event.
 */
static u32 walk(struct smmu_transaction *t, struct dma_access *a, struct smmu_translation *n)
{
	const u8 instcfg = t->config->instcfg;
	const u64 at = smmu_key(t->config, a->iova).input;
	u32 granted = t->perm;

	t->privileged = t->config->privcfg == CFG_YES;
	t->request = true;
	while (granted) {
		t->perm = needed(granted, instcfg);
		if (smmu_walk(t, a, at, n) == DMA_OK)
			return granted;
		granted = grantable(granted, t->allowed & t->perm, instcfg);
	}
	return 0;
}

/* 13.6.4: nothing translates without a PASID; what is no address is denied. */
static void identity(const struct smmu *s, const struct dma_access *a, struct dma_translation *to)
{
	if (!(a->iova >> s->oas))
		*to = (struct dma_translation){ .len = BIT(s->oas), .perm = DMA_READ | DMA_WRITE };
}

/* 13.6.3: of split stages, where stage 1 leads. What the TLB has is not looked at. */
static void translation(const struct smmu_transaction *t, const struct dma_access *a,
                        const struct smmu_translation *n, struct dma_translation *to)
{
	const u64 len = BIT(n->shift);

	to->iova = ALIGN_DOWN(a->iova, len);
	to->len = len;
	to->gpa = t->config->eats == EATS_SPLIT ? ALIGN_DOWN(t->ipa, len) : n->output;
}

static enum dma_status answer(struct smmu_endpoint *e, struct dma_access *a,
                              struct dma_translation *to)
{
	struct smmu_transaction t = { .smmu = e->smmu, .endpoint = e };
	enum dma_status status = begin(&t, a);
	struct smmu_translation n;

	*to = (struct dma_translation){ .iova = a->iova };
	if (status != DMA_OK || !t.config)
		return status;
	if (!t.config->s1 && !t.config->s2) {
		identity(e->smmu, a, to);
		return DMA_OK;
	}
	to->perm = walk(&t, a, &n);
	if (to->perm)
		translation(&t, a, &n, to);
	else if (!only_denies(t.event.id))
		return refuse(a, DMA_ABORTED);
	return DMA_OK;
}

/* --trace smmu */
static void see(const struct smmu *s, const struct dma_access *a, enum dma_status status,
                const struct dma_translation *to)
{
	const unsigned long long iova = a->iova;

	if (!smmu_seen(s))
		return;
	if (status != DMA_OK || !to->perm)
		smmu_say(s, "translation request for 0x%llx: %s", iova,
		         status != DMA_OK ? dma_reason_words(a->reason) : "no access");
	else
		smmu_say(s, "translation request for 0x%llx: 0x%llx, 0x%llx bytes, %c%c%c", iova,
		         (unsigned long long)(to->gpa + (a->iova - to->iova)),
		         (unsigned long long)to->len, to->perm & DMA_READ ? 'r' : '-',
		         to->perm & DMA_WRITE ? 'w' : '-', to->perm & DMA_EXEC ? 'x' : '-');
}

enum dma_status smmu_translate(struct dma_space *space, struct dma_access *a,
                               struct dma_translation *to)
{
	struct smmu_endpoint *e = container_of(space, struct smmu_endpoint, dma);
	const enum dma_status status = answer(e, a, to);

	see(e->smmu, a, status, to);
	return status;
}

/*
 * Stage 1 has been applied, and both have been with full ATS: then the address is physical. CDs are
 * not looked at, whatever S1DSS says of those without a SubstreamID: IDR3.PASIDTT is 0 (7.3.7).
 */
void smmu_translated_config(struct smmu_config_entry *c)
{
	c->s1 = false;
	c->s2 = c->s2 && c->eats == EATS_SPLIT;
}

static enum dma_status forbidden(struct smmu_transaction *t, struct dma_access *a)
{
	t->event.id = F_TRANSL_FORBIDDEN;
	return smmu_fails(t, a, true, 0);
}

/* 3.9.1.3. With a configuration or, while it is not checked, without. */
enum dma_status smmu_translated(struct smmu_transaction *t, struct dma_access *a)
{
	struct smmu *s = t->smmu;
	struct smmu_endpoint *e = t->endpoint;
	enum smmu_fetch got;

	s->counts.translated++;
	if (!smmu_idr(s, 0, IDR0_ATS) || !e->sid)
		return smmu_aborts(t, a);
	t->event = (struct smmu_event){ .sid = e->sid(e->ctx), .ssid = NO_SSID };
	t->perm &= ~(u32)DMA_EXEC; /* unprivileged data */
	if (!(s->cr0ack & CR0_SMMUEN))
		return forbidden(t, a);
	if (!(s->cr0ack & CR0_ATSCHK))
		return DMA_OK;
	got = smmu_config(s, e, t->event.sid, STE_ONLY, &t->config, &t->event);
	if (got != FETCHED || t->config->abort) {
		t->config = NULL;
		return smmu_aborts(t, a);
	}
	t->event.merges = t->config->merges;
	if (!t->config->eats)
		return forbidden(t, a);
	smmu_attributes(t, t->config->privcfg, t->config->instcfg);
	return DMA_OK;
}

// SPDX-License-Identifier: GPL-2.0-only
/* A function's page-request mailbox: requests go into its ring, responses come back
 * (docs/vpri.md). */
#include "fault/mailbox.h"

#include <endian.h>

#include "fault/mailbox_private.h"

static u32 name_of(u32 pasid, u16 index)
{
	return FIELD_PREP(MB_INDEX, (u32)index) |
	       (pasid == DMA_NO_PASID ? 0 : (u32)MB_HAS_PASID | FIELD_PREP(MB_PASID, pasid));
}

static struct mailbox_group *find(struct mailbox *m, u32 pasid, u16 index)
{
	for (unsigned int i = 0; i < MAILBOX_GROUPS; i++) {
		struct mailbox_group *g = &m->groups[i];

		if (g->used && g->pasid == pasid && g->index == index)
			return g;
	}
	return NULL;
}

bool mailbox_has(const struct mailbox *m, u32 pasid, u16 group)
{
	return find((struct mailbox *)m, pasid, group);
}

void mailbox_give_up(struct mailbox *m, u32 pasid, u16 group)
{
	struct mailbox_group *g = find(m, pasid, group);

	if (!g || !g->waits)
		return;
	g->waits = false;
	fault_give_up(&m->port, pasid, group);
}

static struct mailbox_group *find_free(struct mailbox *m)
{
	for (unsigned int i = 0; i < MAILBOX_GROUPS; i++)
		if (!m->groups[i].used)
			return &m->groups[i];
	return NULL;
}

/* What the guest may not have read is never overwritten, and a name is never there twice. */
static bool has_room(struct mailbox *m, const struct dma_page_request *rq)
{
	return m->written - m->read < m->entries && !find(m, rq->pasid, rq->group) &&
	       (!rq->last || find_free(m)) && fault_can_raise(&m->port, rq);
}

/* The phase is written last, so an entry whose phase is right is whole. */
static bool write_entry(struct mailbox *m, const struct dma_page_request *rq)
{
	const u64 at = m->ring + m->written % m->entries * MB_ENTRY_SIZE;
	const bool phase = !(m->written / m->entries % 2);
	const u64 words[2] = {
		htole64(rq->iova | FIELD_PREP(GENMASK(11, 3), (u64)rq->group) |
		        (rq->perm & DMA_READ ? MB_READ : 0) |
		        (rq->perm & DMA_WRITE ? MB_WRITE : 0) | (rq->last ? MB_LAST : 0)),
		htole64(name_of(rq->pasid, rq->group) | (rq->perm & DMA_EXEC ? MB_EXEC : 0)),
	};
	enum dma_status status =
		dma_write(m->f.dma, at, words, MB_ENTRY_SIZE - sizeof(u16), &m->token);

	if (status == DMA_OK)
		status = dma_store16(m->f.dma, at + MB_ENTRY_SIZE - sizeof(u16),
		                     phase ? MB_PHASE >> 48 : 0, &m->token);
	if (status == DMA_PENDING)
		dma_cancel(m->f.dma, &m->token);
	return status == DMA_OK;
}

static void trace_request(const struct mailbox *m, const struct dma_page_request *rq,
                          const char *what)
{
	trace(m->f.log, TRACE_FAULT, "%s: mailbox: page %#llx, %s%s%s%s: %s", m->f.name,
	      (unsigned long long)rq->iova, fault_name(rq->pasid, rq->group).text,
	      rq->perm & DMA_READ ? ", read" : "", rq->perm & DMA_WRITE ? ", write" : "",
	      rq->last ? ", last" : "", what);
}

/* Where the guest cannot be asked: the function's interface is over (docs/vpri.md, 4). */
static void deny(struct mailbox *m, const struct dma_page_request *rq, const char *why)
{
	const struct dma_page_response r = { rq->pasid, rq->group, DMA_PAGE_FAILURE };

	trace_request(m, rq, why);
	fault_refused(&m->port);
	fault_answer_automatically(&m->port, &r);
}

/* The function has its failure first; what it then forgets needs no answer. */
static void fail(struct mailbox *m, const struct dma_page_request *rq)
{
	m->counts.failed++;
	mailbox_set_status(m, MB_FAILED);
	deny(m, rq, "the ring cannot be written");
	mailbox_disable(m, DMA_PAGE_FAILURE);
}

static bool hold_back(struct mailbox *m, const struct dma_page_request *rq)
{
	trace_request(m, rq, "no room");
	m->counts.full++;
	mailbox_set_status(m, MB_FULL);
	fault_refused(&m->port);
	return false;
}

void mailbox_message(struct mailbox *m)
{
	const u64 addr = (u64)mailbox_get32(m, MB_ADDR_HIGH) << 32 | mailbox_get32(m, MB_ADDR);

	if (!(mailbox_control(m) & MB_MESSAGES))
		return;
	m->counts.messages++;
	m->f.send(m->f.ctx, addr, mailbox_get32(m, MB_DATA));
}

static void shown(struct mailbox *m, const struct dma_page_request *rq)
{
	const u64 at = m->written++, now = patience_now(&m->patience);

	trace_request(m, rq, "in the ring");
	mailbox_show_next(m);
	fault_raised(&m->port, rq);
	if (!rq->last)
		return;
	*find_free(m) = (struct mailbox_group){
		.pasid = rq->pasid,
		.index = rq->group,
		.waits = true,
		.used = true,
		.at = at,
		.since = now,
	};
	patience_watch(&m->patience, now);
	mailbox_message(m);
}

bool mailbox_request(struct mailbox *m, const struct dma_page_request *rq)
{
	if (!m->enabled) {
		deny(m, rq, "not enabled");
		return true;
	}
	if (!has_room(m, rq))
		return hold_back(m, rq);
	if (!write_entry(m, rq)) {
		fail(m, rq);
		return true;
	}
	shown(m, rq);
	return true;
}

/* Entries are read in order, so the guest has what is before the one that it answers. */
static void release(struct mailbox *m, struct mailbox_group *g)
{
	if (m->read <= g->at)
		m->read = g->at + 1;
	g->used = false;
}

/* PCIe's codes without their upper two bits; an unused one is a failure. */
static const enum dma_page_code codes[] = {
	DMA_PAGE_SUCCESS,
	DMA_PAGE_INVALID,
	DMA_PAGE_FAILURE,
	DMA_PAGE_FAILURE,
};

/* What answers nothing that waits goes to the function all the same, which notes it. */
void mailbox_respond(struct mailbox *m, u32 word)
{
	const struct dma_page_response r = {
		.pasid = word & MB_HAS_PASID ? FIELD_GET(MB_PASID, word) : DMA_NO_PASID,
		.group = FIELD_GET(MB_INDEX, word),
		.code = codes[FIELD_GET(MB_CODE, word)],
	};
	struct mailbox_group *g;

	if (!m->enabled)
		return;
	g = find(m, r.pasid, r.group);
	trace(m->f.log, TRACE_FAULT, "%s: mailbox: response %u to %s: %s", m->f.name, r.code,
	      fault_name(r.pasid, r.group).text,
	      !g         ? "nothing waits"
	      : g->waits ? "delivered"
	                 : "too late");
	if (g)
		release(m, g);
	if (fault_answer(&m->port, &r) != FAULT_WAITS)
		fault_deliver(&m->port, &r);
}

static void begin_anew(struct mailbox *m)
{
	for (unsigned int i = 0; i < MAILBOX_GROUPS; i++)
		m->groups[i].used = false;
	m->written = m->read = 0;
}

void mailbox_enable(struct mailbox *m, u64 ring, unsigned int log2)
{
	begin_anew(m);
	m->ring = ring;
	m->entries = BIT(log2);
	m->enabled = true;
	mailbox_show_next(m);
}

/* Whoever asks again while it has its answer is denied. */
void mailbox_disable(struct mailbox *m, enum dma_page_code code)
{
	m->enabled = false;
	begin_anew(m);
	mailbox_unlock(m);
	fault_end(&m->port, code, true);
}

/* The guest that has entries of before must not take them for what comes now. */
void mailbox_forget(struct mailbox *m)
{
	fault_forget(&m->port);
	if (m->enabled)
		mailbox_disable(m, DMA_PAGE_INVALID);
}

void mailbox_reset(struct mailbox *m)
{
	fault_forget(&m->port);
	mailbox_disable(m, DMA_PAGE_INVALID);
	m->control = 0;
	mailbox_show_next(m);
}

void mailbox_count(const struct mailbox *m, struct mailbox_counts *c)
{
	*c = m->counts;
	c->waiting = m->port.waiting;
	fault_count(&m->port, &c->pages);
}

// SPDX-License-Identifier: GPL-2.0-only
/* An endpoint behind a vIOMMU: its DMA space, and its cache of translations. */
#include "vmm/iommu.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/mem.h"

static struct iommu_endpoint *endpoint_of(struct dma_space *s)
{
	return container_of(s, struct iommu_endpoint, dma);
}

/* What an access with @pasid, or with none, is translated by; NULL: nothing. */
static struct iommu_attachment *attachment_of(const struct iommu_endpoint *e, u32 pasid)
{
	struct iommu_attachment *by = e->processes;

	if (pasid == DMA_NO_PASID)
		return e->attachment;
	while (by && by->pasid != pasid)
		by = by->next;
	if (!by && e->attachment && e->attachment->space->any_pasid)
		return e->attachment;
	return by;
}

/* What was cached in another generation may have been freed: it is not looked at. */
static struct iova_mapping *lookup(struct iommu_endpoint *e, struct iova_space *space, u64 iova)
{
	struct iommu_cached *line = &e->cache[(iova >> 12) % IOMMU_CACHE];
	struct iova_mapping *m = line->mapping;

	if (m && line->space == space && line->generation == space->generation && m->iova <= iova &&
	    iova <= m->last)
		return m;
	m = iova_find(space, iova);
	if (m)
		*line = (struct iommu_cached){ space, m, space->generation };
	return m;
}

static enum dma_status fail(struct iommu_endpoint *e, struct dma_access *a, enum dma_reason reason)
{
	a->reason = reason;
	if (a->silent)
		return DMA_FAULT;
	e->faults++;
	e->ops->fault(e, a);
	return DMA_FAULT;
}

/* The mapping that @a->iova + @a->done is in; NULL: the access ends there. */
static struct iova_mapping *find(struct iommu_endpoint *e, struct dma_access *a)
{
	const struct iommu_attachment *by = attachment_of(e, a->pasid);
	const u64 at = a->iova + a->done;
	const bool wraps = at < a->iova; /* what follows the last address is not the first */
	enum dma_reason reason;
	struct iova_mapping *m;

	if (!by) {
		fail(e, a, DMA_NOT_ATTACHED);
		return NULL;
	}
	m = wraps ? NULL : lookup(e, by->space, at);
	if (m && !(a->perm & ~m->perm))
		return m;
	reason = m ? DMA_NOT_PERMITTED : DMA_NOT_MAPPED;
	if (by->space->fetch && !wraps) {
		m = by->space->fetch(by->space, at, a->perm, &reason);
		if (m)
			return m;
	}
	fail(e, a, reason);
	return NULL;
}

/* How much of what begins at @gpa is RAM, up to @len bytes. */
static u64 ram_at(const struct guest_mem *mem, gpa_t gpa, u64 len)
{
	u64 offset = gpa - mem->base;

	if (offset >= mem->size)
		return 0;
	return len < mem->size - offset ? len : mem->size - offset;
}

static void append(struct dma_sg *sg, void *host, u64 len, struct iova_mapping *m)
{
	sg->iov[sg->nr] = (struct iovec){ .iov_base = host, .iov_len = len };
	if (sg->uses)
		sg->uses[sg->nr] = dma_use_get(&m->use);
	sg->nr++;
}

/* One piece of the access: as far as its mapping and RAM go. */
static enum dma_status map_piece(struct iommu_endpoint *e, struct dma_access *a, struct dma_sg *sg)
{
	struct iova_mapping *m = find(e, a);
	u64 iova = a->iova + a->done, left = a->len - a->done, n;

	if (!m)
		return DMA_FAULT;
	n = m->last - iova < left - 1 ? m->last - iova + 1 : left;
	n = ram_at(e->dma.mem, m->gpa + (iova - m->iova), n);
	if (!n)
		return fail(e, a, DMA_NO_MEMORY);
	append(sg, guest_ptr(e->dma.mem, m->gpa + (iova - m->iova), n), n, m);
	a->done += n;
	return DMA_OK;
}

static void undo(struct dma_sg *sg, unsigned int nr)
{
	while (sg->nr > nr)
		if (sg->nr-- && sg->uses)
			dma_use_put(sg->uses[sg->nr]);
}

static enum dma_status endpoint_map(struct dma_space *s, struct dma_access *a, struct dma_sg *sg,
                                    struct dma_token *token)
{
	struct iommu_endpoint *e = endpoint_of(s);
	struct iommu_attachment *by = attachment_of(e, a->pasid);
	const unsigned int before = sg->nr;
	enum dma_status status = DMA_OK;

	(void)token; /* nothing stalls */
	e->accesses++;
	a->reason = DMA_NO_REASON;
	for (a->done = 0; a->done < a->len && sg->nr < sg->max && status == DMA_OK;)
		status = map_piece(e, a, sg);
	if (status == DMA_OK && a->done < a->len && !a->partial) {
		a->reason = DMA_NO_ROOM;
		status = DMA_FAULT;
	}
	if (status != DMA_OK && !a->partial)
		undo(sg, before);
	if (sg->uses && sg->nr && !sg->attachment)
		sg->attachment = dma_use_get(&by->use);
	assert(!sg->attachment || sg->attachment == &by->use);
	return status;
}

#define DOORBELL_ROOM 0x10000

static enum dma_status endpoint_doorbell(struct dma_space *s, u64 iova, gpa_t *gpa, bool look)
{
	struct iommu_endpoint *e = endpoint_of(s);
	struct dma_access a = dma_access_to(iova, sizeof(u32), DMA_WRITE);
	struct iova_mapping *m;

	a.silent = look;
	*gpa = iova;
	if (e->msi_first <= iova && iova <= e->msi_last) {
		if (iova - e->msi_first < DOORBELL_ROOM)
			*gpa = iova + e->msi_move;
		return DMA_OK;
	}
	m = find(e, &a);
	if (!m)
		return DMA_FAULT;
	if (m->last - iova < a.len - 1) { /* a message is one write, to one place */
		a.done = m->last - iova + 1;
		return fail(e, &a, DMA_NOT_MAPPED);
	}
	m->doorbell = true;
	*gpa = m->gpa + (iova - m->iova);
	return DMA_OK;
}

static bool endpoint_page_request(struct dma_space *s, const struct dma_page_request *rq)
{
	struct iommu_endpoint *e = endpoint_of(s);

	return e->ops->page_request && e->ops->page_request(e, rq);
}

static bool endpoint_takes_pages(struct dma_space *s, u32 pasid)
{
	struct iommu_endpoint *e = endpoint_of(s);

	return e->ops->page_request && e->ops->takes_pages(e, pasid);
}

static void endpoint_forget_pages(struct dma_space *s)
{
	struct iommu_endpoint *e = endpoint_of(s);

	if (e->ops->forget_pages)
		e->ops->forget_pages(e);
}

static const struct dma_ops endpoint_ops = {
	.map = endpoint_map,
	.page_request = endpoint_page_request,
	.takes_pages = endpoint_takes_pages,
	.forget_pages = endpoint_forget_pages,
	.doorbell = endpoint_doorbell,
};

void iommu_endpoint_init(struct iommu_endpoint *e, const struct iommu_ops *ops,
                         const struct guest_mem *mem)
{
	*e = (struct iommu_endpoint){
		.dma = { .ops = &endpoint_ops, .mem = mem, .translated = true },
		.ops = ops,
		.msi_first = 1,
	};
}

void iommu_messages_changed(struct iommu_endpoint *e)
{
	if (e->dma.messages)
		e->dma.messages->changed(e->dma.messages);
}

/* *@at becomes an attachment to @space. */
static int replace(struct iommu_endpoint *e, struct iommu_attachment **at, u32 pasid,
                   struct iova_space *space, struct dma_wait *wait)
{
	struct iommu_attachment *new = NULL, *old = *at;

	if (space) {
		new = calloc(1, sizeof(*new));
		if (!new)
			return -ENOMEM;
		new->space = space;
		new->pasid = pasid;
		new->next = old ? old->next : NULL;
	}
	*at = new || !old ? new : old->next;
	if (old)
		dma_use_end(&old->use, wait);
	memset(e->cache, 0, sizeof(e->cache));
	return 0;
}

static struct iova_space *space_of(const struct iommu_endpoint *e)
{
	return e->attachment ? e->attachment->space : NULL;
}

int iommu_assign(struct dma_space *s, struct iommu_assigned *a)
{
	struct iommu_endpoint *e = endpoint_of(s);
	int err;

	assert(s->ops == &endpoint_ops);
	err = a ? a->attach(a, space_of(e)) : 0;
	if (!err)
		e->assigned = a;
	return err;
}

int iommu_attach(struct iommu_endpoint *e, struct iova_space *space, struct dma_wait *wait)
{
	struct iova_space *before = space_of(e);
	int err = e->assigned ? e->assigned->attach(e->assigned, space) : 0;

	if (err)
		return err;
	err = replace(e, &e->attachment, DMA_NO_PASID, space, wait);
	if (!err)
		iommu_messages_changed(e);
	else if (e->assigned)
		e->assigned->attach(e->assigned, before);
	return err;
}

int iommu_attach_process(struct iommu_endpoint *e, u32 pasid, struct iova_space *space,
                         struct dma_wait *wait)
{
	struct iommu_attachment **at = &e->processes;

	if (e->assigned && space)
		return -EOPNOTSUPP;
	while (*at && (*at)->pasid != pasid)
		at = &(*at)->next;
	return replace(e, at, pasid, space, wait);
}

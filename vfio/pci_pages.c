// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests of an assigned function, whose accesses stall at the host's SMMU: they are in a
 * mailbox of the function's own (docs/vpri.md). Its capabilities are where the function has none;
 * the host, and the function, know nothing of them.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "vfio/pci_private.h"

#define CREDITS FAULT_MAX_WAITING
#define SIZE    (PCI_EXT_CAP_PRI_SIZEOF + MAILBOX_SIZE)
#define LAST    (PCI_CONFIG_SIZE - PCI_EXT_CAP_PASID_SIZEOF - SIZE) /* PASIDs are behind it */

/* Where nothing is, as far as can be seen: as of PASIDs. 0: there is no such place. */
static unsigned int find_place(const struct vfio_pci *p, unsigned int last)
{
	if (!last)
		return PCI_CFG_SPACE_SIZE;
	if (last > LAST - 64)
		return 0;
	for (unsigned int at = LAST; at < LAST + SIZE; at += 4)
		if (pci_get32(&p->func, at))
			return 0;
	return LAST;
}

static struct vfio_pci *asker_of(const struct fault_asker *a)
{
	return container_of(a, struct vfio_pci, pages.asker);
}

/* There are as many as credits, or more, where those were reset and what had them is being
 * forgotten. */
static struct vfio_page_request *find_unused(struct vfio_pci *p)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(p->pages.sent); i++)
		if (!p->pages.sent[i].used)
			return &p->pages.sent[i];
	return NULL;
}

static bool any_is_sent(const struct vfio_pci *p)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(p->pages.sent); i++)
		if (p->pages.sent[i].used)
			return true;
	return false;
}

static struct vfio_page_request *find_last(struct vfio_pci *p, u32 pasid, u16 group)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(p->pages.sent); i++) {
		struct vfio_page_request *s = &p->pages.sent[i];

		if (s->used && s->last && s->pasid == pasid && s->group == group)
			return s;
	}
	return NULL;
}

/* How many the group has had: its answer is there, which but a failure has none before its last. */
static unsigned int forget_group(struct vfio_pci *p, u32 pasid, u16 group, bool failed)
{
	unsigned int nr = 0;

	if (!failed && !find_last(p, pasid, group))
		return 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(p->pages.sent); i++) {
		struct vfio_page_request *s = &p->pages.sent[i];

		if (!s->used || s->pasid != pasid || s->group != group)
			continue;
		s->used = false;
		nr++;
	}
	return nr;
}

static bool may_ask(const struct vfio_pci *p, const struct dma_page_request *rq)
{
	const struct pci_func *f = &p->func;

	return !p->lost && pci_pri_enabled(f) && p->pages.mailbox.enabled && pci_is_master(f) &&
	       (rq->pasid == DMA_NO_PASID || pci_pasid_allowed(f, rq->pasid, rq->perm & DMA_EXEC));
}

/* A request that has no room has no credit either. */
static enum fault_asked ask(struct fault_asker *a, const struct dma_page_request *rq)
{
	struct vfio_pci *p = asker_of(a);
	struct vfio_page_request *sent = find_unused(p);

	if (!may_ask(p, rq))
		return FAULT_TAKES_NONE;
	if (!sent || !pci_pri_begin(&p->func))
		return FAULT_NO_ROOM_NOW;
	/* it may be answered at once */
	*sent = (struct vfio_page_request){ true, rq->last, rq->pasid, rq->group };
	if (mailbox_request(&p->pages.mailbox, rq))
		return FAULT_ASKED;
	sent->used = false;
	pci_pri_end(&p->func, 1);
	return FAULT_NO_ROOM_NOW;
}

/* A group that has not had its last request yet has its name, too. */
static bool has(const struct fault_asker *a, u32 pasid, u16 group)
{
	const struct vfio_pci *p = asker_of(a);

	for (unsigned int i = 0; i < ARRAY_SIZE(p->pages.sent); i++) {
		const struct vfio_page_request *s = &p->pages.sent[i];

		if (s->used && s->pasid == pasid && s->group == group)
			return true;
	}
	return mailbox_has(&p->pages.mailbox, pasid, group);
}

static void give_up(struct fault_asker *a, u32 pasid, u16 group)
{
	mailbox_give_up(&asker_of(a)->pages.mailbox, pasid, group);
}

/* What was asked, if anything, is forgotten: so the mailbox is disabled. */
static void forget(struct vfio_pci *p)
{
	const bool any = any_is_sent(p);

	fault_asker_forget(&p->pages.asker);
	memset(p->pages.sent, 0, sizeof(p->pages.sent));
	if (any)
		mailbox_forget(&p->pages.mailbox);
}

/* After a failure none are outstanding (docs/vpri.md, 2). */
static void page_response(struct dma_device *d, const struct dma_page_response *r)
{
	struct vfio_pci *p = container_of(d, struct vfio_pci, pages.answers);
	struct pci_func *f = &p->func;
	unsigned int nr;

	if (!p->pages.bridge)
		return;
	nr = forget_group(p, r->pasid, r->group, r->code == DMA_PAGE_FAILURE);
	if (!nr)
		pci_pri_unexpected(f);
	else if (r->code == DMA_PAGE_FAILURE)
		pci_pri_failed(f);
	else if (f->ats.outstanding >= nr)
		pci_pri_end(f, nr);
	if (nr)
		fault_asker_answered(&p->pages.asker, r);
	if (nr && r->code == DMA_PAGE_FAILURE)
		forget(p);
	fault_asker_room(&p->pages.asker);
}

/* Credits that were reset were those of all requests (docs/vpri.md, 2). */
static void ats_changed(struct pci_func *f)
{
	struct vfio_pci *p = vfio_pci_of(f);

	if (!p->pages.bridge)
		return;
	if (!f->ats.outstanding && any_is_sent(p))
		forget(p);
	fault_asker_room(&p->pages.asker);
}

void vfio_pages_written(struct vfio_pci *p, unsigned int offset, unsigned int size)
{
	const unsigned int at = p->pages.at;

	if (!at || offset < at || offset >= at + MAILBOX_SIZE)
		return;
	mailbox_written(&p->pages.mailbox, offset - at, size);
	if (p->pages.bridge)
		fault_asker_room(&p->pages.asker);
}

void vfio_pages_reset(struct vfio_pci *p)
{
	fault_asker_forget(&p->pages.asker);
	memset(p->pages.sent, 0, sizeof(p->pages.sent));
	if (p->pages.at)
		mailbox_reset(&p->pages.mailbox);
}

static void send(void *ctx, u64 addr, u32 data)
{
	pci_message_write(ctx, addr, data);
}

static void show_requests(struct vfio_pci *p, unsigned int at, unsigned int next)
{
	struct pci_func *f = &p->func;

	vfio_config_keep(p, at, PCI_EXT_CAP_PRI_SIZEOF);
	pci_set32(f, at, PCI_EXT_CAP_ID_PRI | 1u << 16 | next << 20);
	pci_set32(f, at + PCI_PRI_CTRL, (u32)PCI_PRI_STATUS_STOPPED << 16);
	pci_set32(f, at + PCI_PRI_MAX_REQ, CREDITS);
	pci_set32(f, at + PCI_PRI_ALLOC_REQ, 0);
	pci_allow16(f, at + PCI_PRI_CTRL, PCI_PRI_CTRL_ENABLE | PCI_PRI_CTRL_RESET);
	pci_allow32(f, at + PCI_PRI_ALLOC_REQ, ~0u);
	f->clears[at + PCI_PRI_STATUS] = PCI_PRI_STATUS_RF | PCI_PRI_STATUS_UPRGI;
	f->ats.pri = at;
	f->ats_changed = ats_changed;
}

/* It has no time of its own: that is the bridge's, which knows how long a fault has waited. */
static void show_mailbox(struct vfio_pci *p, unsigned int at)
{
	struct pci_func *f = &p->func;

	vfio_config_keep(p, at, MAILBOX_SIZE);
	memset(&f->config[at], 0, MAILBOX_SIZE);
	pci_set32(f, at, PCI_EXT_CAP_ID_DVSEC | 1u << 16);
	pci_set32(f, at + PCI_DVSEC_HEADER1,
	          MAILBOX_VENDOR | MAILBOX_REVISION << 16 | (u32)MAILBOX_SIZE << 20);
	pci_set16(f, at + PCI_DVSEC_HEADER2, MAILBOX_ID);
	p->pages.at = at;
	mailbox_init(&p->pages.mailbox, &(struct mailbox_function){
						.name = f->name,
						.dma = f->dma,
						.device = &p->pages.answers,
						.send = send,
						.ctx = f,
						.config = &f->config[at],
						.writable = &f->writable[at],
						.clears = &f->clears[at],
						.loop = p->vm->loop,
						.log = p->vm->log,
						.vm = p->vm,
					});
}

int vfio_pages_init(struct vfio_pci *p, unsigned int *last)
{
	const unsigned int at = p->pages.bridge ? find_place(p, *last) : 0;

	if (!at)
		return p->pages.bridge ? -ENOSPC : 0;
	p->pages.answers.page_response = page_response;
	p->pages.asker = (struct fault_asker){ .ask = ask, .has = has, .give_up = give_up };
	fault_bridge_set_asker(p->pages.bridge, &p->pages.asker);
	p->func.ats.asker = &p->pages.asker;
	show_requests(p, at, at + PCI_EXT_CAP_PRI_SIZEOF);
	show_mailbox(p, at + PCI_EXT_CAP_PRI_SIZEOF);
	if (*last)
		pci_set32(&p->func, *last, (pci_get32(&p->func, *last) & 0xfffff) | at << 20);
	*last = p->pages.at;
	return 0;
}

bool vfio_pci_count_pages(const struct vfio_pci *p, struct mailbox_counts *c)
{
	if (p->pages.at)
		mailbox_count(&p->pages.mailbox, c);
	return p->pages.at;
}

void vfio_pci_each_waiting(const struct vfio_pci *p, fault_seen *seen, void *ctx)
{
	if (p->pages.at)
		fault_each(&p->pages.mailbox.port, 0, seen, ctx);
}

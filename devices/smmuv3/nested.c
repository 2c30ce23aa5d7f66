// SPDX-License-Identifier: GPL-2.0-only
/* Stage 2 of the SMMU (Arm IHI 0070, 3.4, 5.2): one address of it; and memory as stage 1's tables
 * and CDs see it, through stage 2. */
#include "devices/smmuv3/private.h"

/* 5.2, S2PTW: MemAttr of any Device type. With FWB bit 2 says that it is not. */
static bool is_device(const struct pgtable *t, u8 memattr)
{
	return t->fwb ? !(memattr & 4) : !(memattr & 0xc);
}

void smmu_stage2(struct smmu *s, const struct smmu_config_entry *c, const struct pgtable_access *a,
                 struct pgtable_walk *w)
{
	struct pgtable_access seen = *a;

	s->counts.walks++;
	seen.step = smmu_see_steps(s, 2);
	seen.ctx = s;
	pgtable_walk(&c->s2t, &seen, w);
	smmu_see_walk(s, 2, a->addr, w);
}

/* The part of @a that is in one page of stage 2. */
static enum dma_status map_page(struct smmu_ipa_space *i, struct dma_access *a, struct dma_sg *sg)
{
	const struct pgtable_access at = {
		.addr = a->iova + a->done,
		.perm = a->perm,
		.privileged = true,
	};
	struct pgtable_walk *w = &i->walk;
	struct dma_access part = *a;

	i->ipa = at.addr;
	i->wrote = a->perm & DMA_WRITE;
	smmu_stage2(i->smmu, i->config, &at, w);
	if (w->fault == PGTABLE_OK && i->config->s2ptw && is_device(&i->config->s2t, w->attr))
		w->fault = PGTABLE_PERMISSION;
	i->faulted = w->fault != PGTABLE_OK;
	if (i->faulted) {
		a->reason = DMA_NOT_MAPPED;
		return DMA_FAULT;
	}
	i->pa = w->output;
	part.iova = w->output;
	part.len = BIT(w->shift) - (at.addr & (BIT(w->shift) - 1));
	if (part.len > a->len - a->done)
		part.len = a->len - a->done;
	if (dma_map(i->smmu->physical, &part, sg, NULL) != DMA_OK) {
		a->reason = part.reason;
		return DMA_FAULT;
	}
	a->done += part.len;
	return DMA_OK;
}

static enum dma_status ipa_map(struct dma_space *space, struct dma_access *a, struct dma_sg *sg,
                               struct dma_token *token)
{
	struct smmu_ipa_space *i = container_of(space, struct smmu_ipa_space, dma);
	const unsigned int before = sg->nr;
	enum dma_status status = DMA_OK;

	(void)token;
	a->reason = DMA_NO_REASON;
	for (a->done = 0; a->done < a->len && status == DMA_OK;)
		status = map_page(i, a, sg);
	if (status != DMA_OK)
		sg->nr = before; /* physical memory counts no uses */
	return status;
}

static const struct dma_ops ipa_ops = { .map = ipa_map };

void smmu_ipa_space(struct smmu_ipa_space *i, struct smmu *s, const struct smmu_config_entry *c)
{
	*i = (struct smmu_ipa_space){
		.dma = { .ops = &ipa_ops, .mem = s->physical->mem, .translated = true },
		.smmu = s,
		.config = c,
	};
}

void smmu_stage2_event(const struct pgtable_walk *w, u64 ipa, u8 class, bool wrote,
                       struct smmu_event *e)
{
	smmu_fault_event(w, e);
	e->s2 = true;
	e->class = class;
	e->ttrnw = class == CLASS_TT && !wrote;
	if (e->id != F_WALK_EABT)
		e->ipa = ipa;
}

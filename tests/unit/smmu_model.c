// SPDX-License-Identifier: GPL-2.0-only
/* What an SMMU may have cached, in arrays that are searched from end to end. */
#include "tests/unit/smmu_model.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

u64 model_page_size(const struct smmu_model *m)
{
	return 1ULL << m->granule;
}

u64 model_out(const struct smmu_model *m, unsigned int i)
{
	return FAKE_SMMU_DATA + i * model_page_size(m);
}

u64 model_pa(const struct smmu_model *m, unsigned int i)
{
	return model_out(m, m->pages + i);
}

unsigned int model_contiguous_log2(const struct smmu_model *m)
{
	return m->granule == 12 ? 4 : m->granule == 14 ? 7 : 5;
}

static u64 contiguous_size(const struct smmu_model *m)
{
	return model_page_size(m) << model_contiguous_log2(m);
}

/* Behind the pages, in the same table. */
u64 model_contiguous(const struct smmu_model *m)
{
	return MODEL_VA + contiguous_size(m);
}

u64 model_contiguous_to(const struct smmu_model *m)
{
	return FAKE_SMMU_DATA & ~(contiguous_size(m) - 1);
}

u64 model_address(const struct smmu_model *m, unsigned int i)
{
	const u64 bases[MODEL_WAYS] = {
		MODEL_VA,
		MODEL_BLOCK + (FAKE_SMMU_DATA - FAKE_RAM_BASE),
		FAKE_SMMU_DATA,
		model_contiguous(m) + (FAKE_SMMU_DATA - model_contiguous_to(m)),
	};

	return bases[i / MODEL_PAGES] + i % MODEL_PAGES * model_page_size(m);
}

static u64 block_size(const struct smmu_model *m)
{
	return model_page_size(m) << (m->granule - 3);
}

static bool uses_cd(const struct model_ste *s)
{
	return s->config == 5 || s->config == 7;
}

/* Whether transactions get as far as to be translated, or to bypass. */
static bool is_good(const struct model_config *c, unsigned int cd)
{
	return c->ste.config >= 4 && (uses_cd(&c->ste) ? c->cd.valid : !cd);
}

static bool stage1(const struct smmu_model *m, const struct model_config *c, unsigned int addr,
                   struct model_entry *e)
{
	const unsigned int way = addr / MODEL_PAGES;
	const struct model_page *p;

	e->world = c->ste.config == 7 || !c->ste.strw ? MODEL_EL1
	           : m->e2h                           ? MODEL_EL2_E2H
	                                              : MODEL_EL2;
	e->vmid = e->world == MODEL_EL1 ? c->ste.vmid : 0;
	e->asid = e->world == MODEL_EL2 ? 0 : c->cd.asid;
	e->aset = e->world != MODEL_EL2 && c->cd.aset;
	e->in_block = way == MODEL_BY_BLOCK;
	if (way == MODEL_BY_IPA || addr % MODEL_PAGES >= m->pages ||
	    (!e->in_block && m->roots1[c->cd.root].table < 0))
		return false;
	p = e->in_block ? &m->roots1[c->cd.root].block
	    : way == MODEL_BY_PAGE
	            ? &m->tables[m->roots1[c->cd.root].table].pages[addr % MODEL_PAGES]
	            : &m->tables[m->roots1[c->cd.root].table].contiguous;
	e->out = model_out(m, way == MODEL_BY_PAGE ? p->to : addr % MODEL_PAGES);
	e->perm &= p->ro ? DMA_READ : ~0u;
	e->global = p->global && e->world != MODEL_EL2;
	return p->valid;
}

bool model_translate(const struct smmu_model *m, const struct model_config *c, unsigned int cd,
                     unsigned int addr, struct model_entry *e)
{
	const struct model_page *p;

	*e = (struct model_entry){
		.perm = DMA_READ | DMA_WRITE,
		.ipa = c->ste.config == 6,
		.vmid = c->ste.vmid,
		.out = model_address(m, addr),
	};
	if (!is_good(c, cd) || (uses_cd(&c->ste) && !stage1(m, c, addr, e)))
		return false;
	if (e->out < model_out(m, 0) || e->out >= model_out(m, m->pages)) /* nor RAM or mapped */
		return false;
	if (c->ste.config < 6)
		return true;
	p = &m->roots2[c->ste.vmid - 2].pages[(e->out - model_out(m, 0)) >> m->granule];
	e->out = model_pa(m, p->to);
	e->perm &= p->ro ? DMA_READ : ~0u;
	return p->valid;
}

static bool same(const struct model_entry *a, const struct model_entry *b)
{
	return a->world == b->world && a->vmid == b->vmid && a->asid == b->asid &&
	       a->ipa == b->ipa && a->aset == b->aset && a->global == b->global &&
	       a->perm == b->perm && a->out == b->out;
}

static void add_entry(struct smmu_model *m, unsigned int addr, const struct model_entry *e)
{
	for (unsigned int i = 0; i < m->entries[addr].nr; i++)
		if (same(&m->entries[addr].all[i], e))
			return;
	cr_assert(lt(u32, m->entries[addr].nr, MODEL_ENTRIES));
	m->entries[addr].all[m->entries[addr].nr++] = *e;
}

static void fill_config(struct smmu_model *m, const struct model_config *c, unsigned int cd)
{
	struct model_entry e;

	for (unsigned int a = 0; c->ste.config > 4 && a < MODEL_ADDRS; a++)
		if (model_translate(m, c, cd, a, &e))
			add_entry(m, a, &e);
}

void model_fill(struct smmu_model *m)
{
	for (unsigned int i = 0; i < MODEL_STREAMS; i++)
		for (unsigned int cd = 0; cd < MODEL_CDS; cd++)
			for (unsigned int n = 0; n < m->configs[i][cd].nr; n++)
				fill_config(m, &m->configs[i][cd].all[n], cd);
}

struct model_config model_current(const struct smmu_model *m, unsigned int stream, unsigned int cd)
{
	return (struct model_config){ m->stes[stream], m->cds[stream][cd] };
}

void model_forget(struct smmu_model *m)
{
	for (unsigned int i = 0; i < MODEL_STREAMS; i++)
		for (unsigned int cd = 0; cd < MODEL_CDS; cd++)
			model_cfgi(m, i, cd, true);
	for (unsigned int a = 0; a < MODEL_ADDRS; a++)
		m->entries[a].nr = 0;
	model_fill(m);
}

bool model_changed(struct smmu_model *m, unsigned int stream)
{
	for (unsigned int cd = 0; cd < MODEL_CDS; cd++) {
		if (m->configs[stream][cd].nr == MODEL_CONFIGS)
			return false;
		m->configs[stream][cd].all[m->configs[stream][cd].nr++] =
			model_current(m, stream, cd);
	}
	return true;
}

/* 4.4: what each takes, at least. */
static bool takes(const struct smmu_model *m, const struct model_tlbi *c,
                  const struct model_entry *e, u64 addr)
{
	const u64 first = e->in_block ? MODEL_BLOCK : addr;
	const u64 last = e->in_block ? MODEL_BLOCK + block_size(m) - 1
	                             : addr + model_page_size(m) - 1;
	const bool el1 = e->world == MODEL_EL1;
	const bool own = e->world == (m->e2h ? MODEL_EL2_E2H : MODEL_EL2);
	const bool vm = el1 && !((e->vmid ^ c->vmid) >> m->vmw);
	const bool asid = e->asid == c->asid;
	const bool at = first <= c->last && last >= c->first &&
	                (!c->ttl || c->ttl == (e->in_block ? 2 : 3));

	switch (c->op) {
	case TLBI_NH_ALL: return vm && !e->ipa;
	case TLBI_NH_ASID: return vm && !e->ipa && !e->global && asid;
	case TLBI_NH_VA: return vm && !e->ipa && (e->global || asid) && at;
	case TLBI_NH_VAA: return vm && !e->ipa && at;
	case TLBI_S12_VMALL: return vm;
	case TLBI_S2_IPA: return vm && e->ipa && at;
	case TLBI_NSNH_ALL: return el1;
	case TLBI_EL2_ALL: return !el1;
	case TLBI_EL2_ASID: return e->world == MODEL_EL2_E2H && !e->global && asid;
	case TLBI_EL2_VA: return own && (!m->e2h || e->global || asid) && at;
	default: return own && at;
	}
}

void model_tlbi(struct smmu_model *m, const struct model_tlbi *c)
{
	for (unsigned int a = 0; a < MODEL_ADDRS; a++) {
		unsigned int left = 0;

		for (unsigned int i = 0; i < m->entries[a].nr; i++)
			if (!takes(m, c, &m->entries[a].all[i], model_address(m, a)))
				m->entries[a].all[left++] = m->entries[a].all[i];
		m->entries[a].nr = left;
	}
	model_fill(m);
}

/* An STE that is kept may be kept without a CD, or with the one that is there now. */
void model_cfgi(struct smmu_model *m, unsigned int stream, unsigned int cd, bool ste)
{
	const struct model_config now = model_current(m, stream, cd);
	unsigned int left = 0;

	for (unsigned int i = 0; i < m->configs[stream][cd].nr; i++) {
		const struct model_config *old = &m->configs[stream][cd].all[i];

		if (!ste && old->ste.version != now.ste.version &&
		    (!uses_cd(&old->ste) || old->cd.version == now.cd.version))
			m->configs[stream][cd].all[left++] = *old;
	}
	m->configs[stream][cd].all[left++] = now;
	m->configs[stream][cd].nr = left;
}

/* 3.17: whether an entry may answer for what @tags, of its address, are. */
static bool hits(const struct model_entry *e, const struct model_entry *tags)
{
	if (e->ipa != tags->ipa || e->world != tags->world || e->vmid != tags->vmid)
		return false;
	return e->ipa || (e->global ? e->aset == tags->aset : e->asid == tags->asid);
}

/* A fault is as it is now: none is cached. */
static bool may_be(const struct smmu_model *m, const struct model_config *c, unsigned int cd,
                   unsigned int addr, u32 perm, const struct fake_smmu_reached *got)
{
	struct model_entry now;
	const bool there = model_translate(m, c, cd, addr, &now) && !(perm & ~now.perm);

	if (got->status != DMA_OK)
		return !there;
	if (there && now.out == got->gpa)
		return true;
	for (unsigned int i = 0; is_good(c, cd) && i < m->entries[addr].nr; i++) {
		const struct model_entry *e = &m->entries[addr].all[i];

		if (c->ste.config > 4 && hits(e, &now) && e->out == got->gpa && !(perm & ~e->perm))
			return true;
	}
	return false;
}

bool model_may_be(const struct smmu_model *m, unsigned int stream, unsigned int cd,
                  unsigned int addr, u32 perm, const struct fake_smmu_reached *got)
{
	for (unsigned int i = 0; i < m->configs[stream][cd].nr; i++)
		if (may_be(m, &m->configs[stream][cd].all[i], cd, addr, perm, got))
			return true;
	return false;
}

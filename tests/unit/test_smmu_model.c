// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SMMU beside a model that knows what may be cached: random edits of tables, CDs and STEs,
 * random invalidations, random accesses. What was never invalidated may be answered as it was or
 * as it is; what was has to be answered as it is. SMMU_CASES=N steps, SMMU_SEED=N to see a failure
 * again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/smmu_expect.h"
#include "tests/unit/smmu_model.h"

#define NR_STEPS 250000

static struct fake_smmu f;
static struct smmu_model m;
static u64 seed, step, state, versions;
static unsigned int recent; /* an address that was edited: that is where it is interesting */

static u64 next(void)
{
	u64 z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static u64 below(u64 n)
{
	return next() % n;
}

#define expect(cond, ...)                                                                        \
	do {                                                                                     \
		if (!(cond)) {                                                                   \
			fprintf(stderr, "SMMU_SEED=%llu, step %llu: ", (unsigned long long)seed, \
			        (unsigned long long)step);                                       \
			fprintf(stderr, __VA_ARGS__);                                            \
			fputc('\n', stderr);                                                     \
			cr_fatal("the SMMU is not as its model");                                \
		}                                                                                \
	} while (0)

static void forget(void)
{
	fake_smmu_forget(&f);
	model_forget(&m);
}

/* What there is now may be cached, too. */
static void changed(unsigned int stream)
{
	if (!model_changed(&m, stream))
		forget();
}

/* Tables of any granule: 39 bits, from level 1, of 64 KiB from 2. */
static gpa_t next_table, next_root;

/* Those roots are smaller, and have a place of their own: the rest is full. */
static gpa_t make_table(bool root)
{
	const bool small = root && m.granule == 16;
	const u64 size = small ? 0x2000 : model_page_size(&m);
	gpa_t *next = small ? &next_root : &next_table;
	const gpa_t table = *next;

	*next += size;
	cr_assert(le(u64, next_table, FAKE_SMMU_DATA), "no room for more tables");
	return table;
}

static u64 entry_at(gpa_t root, int level, u64 addr)
{
	const unsigned int bits = m.granule - 3;
	gpa_t table = root;

	for (int at = m.granule == 16 ? 2 : 1;; at++) {
		const u64 index = addr >> (m.granule + (3 - at) * bits);
		const gpa_t entry = table + (at == 1 ? index : index & (BIT(bits) - 1)) * 8;

		if (at == level)
			return entry;
		if (!fake_smmu_get(&f, entry))
			fake_smmu_put(&f, entry, make_table(false) | 3);
		table = ALIGN_DOWN(fake_smmu_get(&f, entry), BIT(m.granule));
	}
}

static u64 attributes(const struct model_page *p)
{
	return (p->ro ? FAKE_S1_RO : FAKE_S1_RW) & ~(p->global ? BIT(11) : 0);
}

/* Edits, in memory and in the model. */
/* TG0 and S2TG. */
static u64 granule_code(void)
{
	return m.granule == 12 ? 0 : m.granule == 14 ? 2 : 1;
}

static void put_ste(unsigned int e)
{
	const struct model_ste *s = &m.stes[e];
	u64 w[8];

	fake_smmu_ste_words(&f, w, s->config, e * MODEL_CDS, s->vmid,
	                    s->vmid >= 2 ? m.roots2[s->vmid - 2].root : 0);
	if (s->config == 5 || s->config == 7)
		w[0] |= FIELD_PREP(STE0_S1CDMAX, 1ULL);
	w[1] = S1DSS_SSID0 | FIELD_PREP(STE1_STRW, (u64)s->strw);
	if (s->config >= 6) {
		w[2] &= ~(STE2_S2SL0 | STE2_S2TG);
		w[2] |= FIELD_PREP(STE2_S2SL0, m.granule == 14 ? 2ULL : 1ULL) |
		        FIELD_PREP(STE2_S2TG, granule_code());
	}
	fake_smmu_ste(&f, 0x10 + e, w);
}

static void edit_ste(unsigned int e)
{
	static const u8 kinds[] = { 0, 4, 5, 5, 5, 6, 6, 7, 7, 7 };
	struct model_ste *s = &m.stes[e];

	s->config = kinds[below(ARRAY_SIZE(kinds))];
	s->vmid = s->config >= 6 ? 2 + below(MODEL_ROOTS2) : 1;
	s->strw = below(3) ? 0 : 2;
	s->version = ++versions;
	put_ste(e);
}

static void edit_cd(unsigned int e, unsigned int which)
{
	struct model_cd *c = &m.cds[e][which];
	u64 w[8];

	c->asid = 1 + below(3);
	c->root = below(6) ? c->asid - 1u : below(MODEL_ROOTS1);
	c->valid = below(12);
	c->aset = below(4);
	c->version = ++versions;
	fake_smmu_cd_words(&f, w, c->asid, m.roots1[c->root].root);
	w[0] |= FIELD_PREP(CD0_TG0, granule_code());
	w[0] &= c->valid ? ~0ULL : ~CD0_V;
	w[0] &= c->aset ? ~0ULL : ~CD0_ASET;
	fake_smmu_cd(&f, e * MODEL_CDS + which, w);
}

static void random_page(struct model_page *p, unsigned int i)
{
	const u8 to = below(4) ? i : below(m.pages);

	*p = (struct model_page){
		.valid = below(8), .ro = !below(3), .global = !below(4), .to = to
	};
}

static void edit_page1(unsigned int t, unsigned int i)
{
	struct model_page *p = &m.tables[t].pages[i];

	recent = i;
	random_page(p, i);
	fake_smmu_put(&f,
	              m.tables[t].at + ((MODEL_VA >> m.granule & (BIT(m.granule - 3) - 1)) + i) * 8,
	              p->valid ? model_out(&m, p->to) | attributes(p) : 0);
}

/* All of them at once; what was, was another or nothing. */
static void edit_contiguous(unsigned int t)
{
	struct model_page *p = &m.tables[t].contiguous;
	const u64 first = model_contiguous(&m) >> m.granule & (BIT(m.granule - 3) - 1);
	const u64 nr = BIT(model_contiguous_log2(&m));

	recent = MODEL_BY_CONTIGUOUS * MODEL_PAGES + below(m.pages);
	random_page(p, 0);
	for (u64 i = 0; i < nr; i++)
		fake_smmu_put(&f, m.tables[t].at + (first + i) * 8,
		              p->valid ? (model_contiguous_to(&m) + (i << m.granule)) |
		                                 attributes(p) | BIT(52)
		                       : 0);
}

static void edit_block(unsigned int r)
{
	struct model_page *p = &m.roots1[r].block;

	recent = MODEL_BY_BLOCK * MODEL_PAGES + below(m.pages);
	random_page(p, 0);
	fake_smmu_put(&f, entry_at(m.roots1[r].root, 2, MODEL_BLOCK),
	              p->valid ? FAKE_RAM_BASE | (attributes(p) & ~2ULL) : 0);
}

/* A root has another table for its pages, or none. */
static void edit_table(unsigned int r)
{
	const int t = below(6) ? (int)below(MODEL_TABLES) : -1;

	recent = (below(2) ? MODEL_BY_PAGE : MODEL_BY_CONTIGUOUS) * MODEL_PAGES + below(m.pages);
	m.roots1[r].table = t;
	fake_smmu_put(&f, entry_at(m.roots1[r].root, 2, MODEL_VA), t < 0 ? 0 : m.tables[t].at | 3);
}

static void edit_page2(unsigned int r, unsigned int i)
{
	struct model_page *p = &m.roots2[r].pages[i];

	recent = MODEL_BY_IPA * MODEL_PAGES + i;
	random_page(p, i);
	fake_smmu_put(&f, entry_at(m.roots2[r].root, 3, model_out(&m, i)),
	              !p->valid ? 0 : model_pa(&m, p->to) | (p->ro ? FAKE_S2_RO : FAKE_S2_RW));
}

static void edit(void)
{
	const unsigned int e = below(MODEL_STREAMS);

	switch (below(12)) {
	case 0:
		edit_ste(e);
		changed(e);
		break;
	case 1:
	case 2:
		edit_cd(e, below(MODEL_CDS));
		changed(e);
		break;
	case 3:
	case 4:
	case 5: edit_page1(below(MODEL_TABLES), below(m.pages)); break;
	case 6: edit_block(below(MODEL_ROOTS1)); break;
	case 7: edit_contiguous(below(MODEL_TABLES)); break;
	case 8: edit_table(below(MODEL_ROOTS1)); break;
	default: edit_page2(below(MODEL_ROOTS2), below(m.pages)); break;
	}
	model_fill(&m);
}

static unsigned int any_address(void)
{
	return below(MODEL_WAYS) * MODEL_PAGES + below(m.pages);
}

/* The same, or one that a range with it begins at. */
static unsigned int before(unsigned int addr)
{
	return below(2) ? addr : addr - below(addr % MODEL_PAGES + 1);
}

static void tlbi(void)
{
	static const u8 ops[] = { TLBI_NH_ALL,   TLBI_NH_ASID,   TLBI_NH_VA,    TLBI_NH_VA,
		                  TLBI_NH_VAA,   TLBI_S12_VMALL, TLBI_S2_IPA,   TLBI_S2_IPA,
		                  TLBI_NSNH_ALL, TLBI_EL2_ALL,   TLBI_EL2_ASID, TLBI_EL2_VA,
		                  TLBI_EL2_VAA };
	const u64 at = model_address(&m, below(4) ? before(recent) : any_address()),
		  num = below(2) ? 0 : below(9), scale = below(2);
	const u8 ttl = below(3) ? 0 : 2 + below(2);
	const bool range = below(2) && (num || scale || ttl);
	struct model_tlbi c = {
		ops[below(ARRAY_SIZE(ops))], 1 + below(3), 1 + below(3), 0, at, at
	};
	u64 w0 = c.op | (u64)c.vmid << 32 | (u64)c.asid << 48, w1 = at | below(2);

	if (range) {
		c.ttl = ttl;
		c.last = at + ((num + 1) << scale) * model_page_size(&m) - 1;
		w0 |= num << 12 | scale << 20;
		w1 |= (u64)ttl << 8 | (m.granule / 2 - 5ULL) << 10; /* TG */
	}
	expect(fake_smmu_command(&f, w0, w1), "%#x is not consumed", c.op);
	model_tlbi(&m, &c);
}

static void cfgi(void)
{
	const unsigned int e = below(MODEL_STREAMS), which = below(MODEL_CDS), op = below(5);
	const unsigned int range = below(4);
	const u64 words[5][2] = {
		{ CFGI_STE | SID(0x10 + e), below(2) },
		{ CFGI_STE_RANGE | SID(0x10 + e), range },
		{ CFGI_STE_RANGE | SID(next()), 31 },
		{ CFGI_CD | SID(0x10 + e) | which << 12, below(2) },
		{ CFGI_CD_ALL | SID(0x10 + e), 0 },
	};
	const unsigned int low = op == 0 || op > 2 ? 1 : op == 2 ? 32 : 2u << range;

	expect(fake_smmu_command(&f, words[op][0], words[op][1]), "it is not consumed");
	for (unsigned int i = 0; i < MODEL_STREAMS * MODEL_CDS; i++)
		if (i / MODEL_CDS / low == e / low && (op != 3 || i % MODEL_CDS == which))
			model_cfgi(&m, i / MODEL_CDS, i % MODEL_CDS, op < 3);
	model_fill(&m);
}

static u64 nr_reached, nr_faults, nr_stale;
static u64 reached[3][8][MODEL_WAYS]; /* by granule, STE.Config and the kind of address */

/* Mostly one that its stream has. */
static unsigned int some_address(unsigned int stream)
{
	const unsigned int config = m.stes[stream].config;

	if (!below(8))
		return any_address();
	if (below(2))
		return recent;
	if (config == 4 || config == 6)
		return MODEL_BY_IPA * MODEL_PAGES + below(m.pages);
	return (below(4) ? below(2) : (unsigned int)MODEL_BY_CONTIGUOUS) * MODEL_PAGES +
	       below(m.pages);
}

static void reach(void)
{
	const unsigned int e = below(MODEL_STREAMS), cd = below(MODEL_CDS), addr = some_address(e);
	const u32 perm = below(3) ? DMA_READ : DMA_WRITE;
	const struct model_config now = model_current(&m, e, cd);
	const struct fake_smmu_reached got =
		fake_smmu_reach(&f, e, model_address(&m, addr), perm, cd ? 1 : DMA_NO_PASID);
	struct model_entry entry;
	bool good;

	expect(model_may_be(&m, e, cd, addr, perm, &got), "endpoint %u, CD %u, %#llx, %s: %#llx", e,
	       cd, (unsigned long long)model_address(&m, addr), perm == DMA_READ ? "read" : "write",
	       (unsigned long long)got.gpa);
	good = model_translate(&m, &now, cd, addr, &entry) && !(perm & ~entry.perm);
	nr_reached += got.status == DMA_OK;
	reached[m.granule / 2 - 6][now.ste.config][addr / MODEL_PAGES] += got.status == DMA_OK;
	nr_faults += got.status != DMA_OK;
	nr_stale += got.gpa != (good ? entry.out : 0);
}

static u64 number(const char *name, u64 otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static void begin_stage1(void)
{
	for (unsigned int t = 0; t < MODEL_TABLES; t++) {
		m.tables[t].at = make_table(false);
		edit_contiguous(t);
		for (unsigned int i = 0; i < m.pages; i++)
			edit_page1(t, i);
	}
	for (unsigned int r = 0; r < MODEL_ROOTS1; r++) {
		m.roots1[r].root = make_table(true);
		edit_block(r);
		edit_table(r);
	}
}

/* What is read of memory is where it is. */
static void begin_stage2(void)
{
	for (unsigned int r = 0; r < MODEL_ROOTS2; r++) {
		m.roots2[r].root = make_table(true);
		for (gpa_t at = FAKE_RAM_BASE; at < FAKE_SMMU_DATA; at += model_page_size(&m))
			fake_smmu_put(&f, entry_at(m.roots2[r].root, 3, at), at | FAKE_S2_RW);
		for (unsigned int i = 0; i < m.pages; i++)
			edit_page2(r, i);
	}
}

/* Another SMMU, with everything in it. */
static void begin(void)
{
	make_afresh(&f, NULL);
	m.granule = 12 + 2 * below(3);
	m.pages = m.granule == 16 ? MODEL_PAGES / 2 : MODEL_PAGES;
	next_table = FAKE_SMMU_TABLES;
	next_root = FAKE_SMMU_PRIQ + 0x2000; /* there is no PRI queue */
	begin_stage1();
	begin_stage2();
	for (unsigned int e = 0; e < MODEL_STREAMS; e++) {
		edit_ste(e);
		for (unsigned int which = 0; which < MODEL_CDS; which++)
			edit_cd(e, which);
	}
	m.e2h = below(2);
	m.vmw = below(2);
	fake_smmu_write32(&f, CR2, m.e2h ? CR2_E2H : 0);
	fake_smmu_enable(&f);
	fake_smmu_write32(&f, CR0, CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN | m.vmw << 6);
	forget();
}

Test(smmu_model, what_was_invalidated_is_not_answered, .timeout = 600)
{
	const u64 nr = number("SMMU_CASES", NR_STEPS);

	seed = state = number("SMMU_SEED", (u64)time(NULL));
	for (step = 0; step < nr; step++) {
		const u64 what = below(100);

		if (step % 2000 == 0) {
			if (step)
				fake_smmu_unmake(&f);
			begin();
		}
		if (what < 12)
			edit();
		else if (what < 22)
			tlbi();
		else if (what < 28)
			cfgi();
		else if (what < 29)
			forget();
		else
			reach();
	}
	fake_smmu_unmake(&f);
	fprintf(stderr, "SMMU_SEED=%llu: %llu reached, %llu faults, %llu as it was\n",
	        (unsigned long long)seed, (unsigned long long)nr_reached,
	        (unsigned long long)nr_faults, (unsigned long long)nr_stale);
	for (unsigned int g = 0; g < 3; g++) {
		for (unsigned int w = 0; w < MODEL_WAYS; w++) {
			if (w == MODEL_BY_IPA)
				cr_assert(gt(u64, reached[g][6][w], 0), "%u", g);
			else
				cr_assert(all(gt(u64, reached[g][5][w], 0),
				              gt(u64, reached[g][7][w], 0)),
				          "%u %u", g, w);
		}
	}
}

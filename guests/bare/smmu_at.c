/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage 1 of an SMMUv3 against the CPU's: the same tables, made by chance, the same access, and
 * both have to say the same. "seed=N" repeats them, "count=N" of them. The DMA endpoint is behind
 * it. */
#include "lib/dmatest.h"
#include "lib/oracle.h"

static struct smmu s;
static struct dma_test d;
static struct cd cd;
static struct ste ste;
static struct regime r;
static u64 counts[NR_ANSWERS + 1]; /* the last: nobody knows */
static u64 clean;                  /* pages that an AT says are read-only, and become dirty */
static u64 fetches[2][2];          /* with privilege, with WXN */
static u64 accesses;               /* compared with AT */
static u64 nr;                     /* of the case */

static const char *const names[] = { "ok",         "translation", "address size", "access flag",
	                             "permission", "abort",       "not known" };

static bool in(u64 pa, u64 base, u64 size)
{
	return pa - base < size;
}

static _Noreturn void differs(struct access a, enum answer cpu, u64 pa, const char *what)
{
	regime_print(&r);
	fail("case %lu: %s by %s: the CPU says %s, %lx; %s", nr,
	     a.fetch   ? "fetch"
	     : a.write ? "write"
	               : "read",
	     a.privileged ? "privileged" : "nobody", names[cpu], pa, what);
}

static void invalidate(bool ste_too)
{
	if (ste_too)
		smmu_push(&s, CMD_CFGI_STE | CMD_SID(d.rid), CMD_LEAF);
	else
		smmu_push(&s, CMD_CFGI_CD | CMD_SID(d.rid), CMD_LEAF);
	smmu_push(&s, CMD_TLBI_NH_ALL, 0);
	smmu_sync(&s);
}

static void configure(struct access a, bool lower)
{
	const u64 attributes = (a.privileged ? STE1_PRIV : STE1_UNPRIV) | (a.fetch ? STE1_INST : 0);
	const bool other = ste.w[1] != attributes;

	cd = regime_cd(&r, lower);
	ste = smmu_s1(&cd);
	ste.w[1] = attributes;
	s.streams[d.rid] = ste;
	barrier();
	invalidate(other);
}

/* 7.3: a fault's event. */
static void expect_event(struct access a, enum answer cpu, u64 pa, u64 iova)
{
	static const u8 ids[] = {
		0, F_TRANSLATION, F_ADDR_SIZE, F_ACCESS, F_PERMISSION, F_WALK_EABT
	};
	const u64 flags = (a.write ? 0 : EVENT1_RNW) | (a.privileged ? EVENT1_PNU : 0) |
	                  (a.fetch ? EVENT1_IND : 0) | (cpu == A_ABORT ? EVENT1_TT : EVENT1_IN);
	struct smmu_event e;

	if (!smmu_event(&s, &e))
		differs(a, cpu, pa, "the SMMU has no event");
	if (e.w[0] != EVENT0(ids[cpu], d.rid) || e.w[1] != flags || e.w[2] != iova) {
		print("event %lx %lx %lx %lx\n", e.w[0], e.w[1], e.w[2], e.w[3]);
		differs(a, cpu, pa, "the SMMU has another event");
	}
}

static void expect_bytes(struct access a, u64 pa, u64 seed)
{
	volatile u64 *word = (u64 *)pa;

	if (a.write && *word != dma_pattern(seed))
		differs(a, A_OK, pa, "the SMMU's is elsewhere");
	if (!a.write && dma_result(&d, 0) != dma_checksum(*word))
		differs(a, A_OK, pa, "the SMMU reads elsewhere");
	*word = ORACLE_WORD(pa);
}

static void ask_smmu(struct access a, enum answer cpu, u64 pa, u64 iova)
{
	const struct dma_op op = {
		.op = a.write ? DMA_FILL : DMA_CHECK, .iova = iova, .length = 8, .arg0 = nr
	};
	const unsigned int outcome = dma_run(&d, 0, &op);
	struct smmu_event e;

	if (cpu != A_OK) {
		if (outcome != DMA_FAULT)
			differs(a, cpu, pa, "the SMMU lets it pass");
		expect_event(a, cpu, pa, iova);
		return;
	}
	if (smmu_event(&s, &e)) {
		print("event %lx %lx %lx %lx\n", e.w[0], e.w[1], e.w[2], e.w[3]);
		differs(a, cpu, pa, "the SMMU has an event");
	}
	if (in(pa, RAM_BASE, RAM_SIZE)) {
		if (outcome != DMA_DONE)
			differs(a, cpu, pa, "the SMMU lets it not pass");
		expect_bytes(a, pa, nr);
	} else if (outcome != DMA_FAULT || dma_reason(&d, 0) != DMA_NO_MEMORY) {
		differs(a, cpu, pa, "the SMMU finds memory");
	}
}

static void compare(struct access a, const struct oracle *o)
{
	if (path_is(&r, &o->after))
		return;
	for (int level = r.start; level <= r.leaf; level++)
		print("level %u: the CPU makes it %lx\n", level, o->after.entry[level]);
	differs(a, o->answer, o->pa, "the SMMU leaves other entries");
}

static void step(const struct regime_ability *can)
{
	struct access a = { .write = one_in(2), .privileged = one_in(2) };
	struct oracle o;
	bool lower;

	regime_make(&r, can);
	a.fetch = !a.write && one_in(3);
	o = oracle_ask(&r, a);
	if (o.contradicts) {
		print("the access itself: %s\n", names[o.access]);
		differs(a, o.answer, o.pa, "by AT, and the access says otherwise");
	}
	fetches[a.privileged][r.wxn] += a.fetch && o.answer != NR_ANSWERS;
	accesses += o.access != NR_ANSWERS;
	counts[o.answer]++;
	clean += o.cleaned;
	lower = r.in_reach && one_in(3);
	/* What would be written over is no one's to lose. */
	if (o.answer != NR_ANSWERS &&
	    (o.answer != A_OK || !a.write || o.updated || !in(o.pa, RAM_BASE, RAM_SIZE))) {
		configure(a, lower);
		ask_smmu(a, o.answer, o.pa, lower ? regime_lower(&r) : r.va);
		if (o.updated || !r.ha)
			compare(a, &o);
	}
	regime_forget(&r);
}

static void at(void)
{
	const u64 count = parameter_after("count=", 300), seed = parameter_after("seed=", 1);
	const struct regime_ability can = regime_ability();

	print("seed=%lu count=%lu\n", seed, count);
	print("granules %u%u%u, HA %u, HD %u, HPD %u, E0PD %u, PAN %u, small %u, large %u %u, "
	      "address size %u\n",
	      can.granules[0], can.granules[1], can.granules[2], can.ha, can.hd, can.hpd, can.e0pd,
	      can.pan, can.small, can.large_va, can.large_pa, can.address_size);
	random_seed(seed);
	dma_test_find(&d);
	smmu_start(&s);
	oracle_fill();
	for (nr = 1; nr <= count; nr++)
		step(&can);
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		print("%s: %lu\n", names[i], counts[i]);
	print("accesses as AT says: %lu; fetches by nobody %lu and %lu with WXN, privileged %lu and "
	      "%lu\n",
	      accesses, fetches[0][0], fetches[0][1], fetches[1][0], fetches[1][1]);
	print("made dirty, though AT says permission: %lu\n", clean);
}

static const struct test tests[] = { { "at", at } };

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

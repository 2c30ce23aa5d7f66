/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage 1 of an SMMUv3 against the CPU's: the same tables, made by chance, the same access, and
 * both have to say the same. "seed=N" repeats them, "count=N" of them. Four DMA endpoints are
 * behind it: accesses of each kind are those of one. */
#include "lib/dmatest.h"
#include "lib/oracle.h"

/* What is asked of one set of tables, which has an address for each; then all of it is forgotten.
 */
#define QUESTIONS 8
#define SEED      1
enum { SLOT_WRITE, SLOT_READ };

struct question {
	struct regime r;
	struct access a;
	struct oracle o;
	u64 nr; /* of the case */
	bool asked, lower;
};

static struct smmu s;
static struct dma_test endpoints[2][2]; /* privileged, fetches */
static struct cd cd;
static struct question questions[QUESTIONS];
static unsigned int nr_questions;
static u64 counts[NR_ANSWERS + 1]; /* the last: nobody knows */
static u64 clean;                  /* pages that an AT says are read-only, and become dirty */
static u64 fetches[2][2];          /* with privilege, with WXN */
static u64 accesses;               /* compared with AT */
static u64 nr_cases, nr_sets, nr_asked, nr_lower, nr_updates;

static const char *const names[] = { "ok",         "translation", "address size", "access flag",
	                             "permission", "abort",       "not known" };

static bool in(u64 pa, u64 base, u64 size)
{
	return pa - base < size;
}

static _Noreturn void differs(const struct question *q, const char *what)
{
	regime_print(&q->r);
	fail("case %lu: %s by %s: the CPU says %s, %lx; %s", q->nr,
	     q->a.fetch   ? "fetch"
	     : q->a.write ? "write"
	                  : "read",
	     q->a.privileged ? "privileged" : "nobody", names[q->o.answer], q->o.pa, what);
}

static const struct dma_test *endpoint_of(struct access a)
{
	return &endpoints[a.privileged][a.fetch];
}

static u64 iova_of(const struct question *q)
{
	return q->lower ? regime_lower(&q->r) : q->r.va;
}

static void forget_translations(void)
{
	static const u64 commands[][2] = { { CMD_TLBI_NH_ALL, 0 } };

	smmu_invalidate(&s, commands, ARRAY_SIZE(commands));
}

/* Of some tables both halves have an address each, of others the upper alone. */
static void configure(const struct regime *r, bool both)
{
	u64 commands[5][2] = { { CMD_TLBI_NH_ALL, 0 } };

	cd = regime_cd(r, false);
	if (both) {
		const struct cd lower = regime_cd(r, true);

		cd.w[0] = (cd.w[0] & ~CD0_EPD0) | (lower.w[0] & ~CD0_EPD1);
		cd.w[1] = lower.w[1];
	}
	barrier();
	for (unsigned int i = 0; i < 4; i++) {
		commands[1 + i][0] = CMD_CFGI_CD | CMD_SID(endpoints[i >> 1][i & 1].rid);
		commands[1 + i][1] = CMD_LEAF;
	}
	smmu_invalidate(&s, commands, ARRAY_SIZE(commands));
}

/* 7.3: a fault's event. */
static struct smmu_event event_of(const struct question *q)
{
	static const u8 ids[] = {
		0, F_TRANSLATION, F_ADDR_SIZE, F_ACCESS, F_PERMISSION, F_WALK_EABT
	};
	const enum answer cpu = q->o.answer;

	return (struct smmu_event){ {
		EVENT0(ids[cpu], endpoint_of(q->a)->rid),
		(q->a.write ? 0 : EVENT1_RNW) | (q->a.privileged ? EVENT1_PNU : 0) |
			(q->a.fetch ? EVENT1_IND : 0) | (cpu == A_ABORT ? EVENT1_TT : EVENT1_IN),
		iova_of(q),
	} };
}

static _Noreturn void unexpected(const struct smmu_event *e)
{
	for (const struct question *q = questions; q < questions + nr_questions; q++) {
		print("case %lu, %s asked at %lx: %s, %lx\n", q->nr, q->asked ? "" : "not",
		      iova_of(q), names[q->o.answer], q->o.pa);
		regime_print(&q->r);
	}
	fail("one of the last cases: event %lx %lx %lx %lx", e->w[0], e->w[1], e->w[2], e->w[3]);
}

/* Those of the set's faults, in their order, and no other; what is IMPLEMENTATION DEFINED is not
 * looked at. */
static void expect_events(void)
{
	struct smmu_event is[QUESTIONS + 1] = { 0 };
	const unsigned int nr = smmu_events(&s, is, ARRAY_SIZE(is));
	unsigned int n = 0;

	for (const struct question *q = questions; q < questions + nr_questions; q++) {
		const struct smmu_event e = event_of(q);

		if (!q->asked || q->o.answer == A_OK)
			continue;
		if (n == nr)
			differs(q, "the SMMU has no event");
		if (is[n].w[0] != e.w[0] || is[n].w[1] != e.w[1] || is[n].w[2] != e.w[2]) {
			print("event %lx %lx %lx %lx\n", is[n].w[0], is[n].w[1], is[n].w[2],
			      is[n].w[3]);
			differs(q, "the SMMU has another event");
		}
		n++;
	}
	if (n != nr)
		unexpected(&is[n]);
}

static void expect_bytes(const struct question *q)
{
	volatile u64 *word = (u64 *)q->o.pa;

	if (q->a.write && *word != dma_pattern(SEED))
		differs(q, "the SMMU's is elsewhere");
	if (!q->a.write && dma_result(endpoint_of(q->a), SLOT_READ) != dma_checksum(*word))
		differs(q, "the SMMU reads elsewhere");
	if (oracle_owns(q->o.pa))
		*word = ORACLE_WORD(q->o.pa);
}

static void ask_smmu(const struct question *q)
{
	const struct dma_test *d = endpoint_of(q->a);
	const unsigned int slot = q->a.write ? SLOT_WRITE : SLOT_READ;
	const unsigned int outcome = dma_run_at(d, slot, iova_of(q));

	if (q->o.answer != A_OK) {
		if (outcome != DMA_FAULT)
			differs(q, "the SMMU lets it pass");
	} else if (in(q->o.pa, RAM_BASE, RAM_SIZE)) {
		if (outcome != DMA_DONE)
			differs(q, "the SMMU lets it not pass");
		expect_bytes(q);
	} else if (outcome != DMA_FAULT || dma_reason(d, slot) != DMA_NO_MEMORY) {
		differs(q, "the SMMU finds memory");
	}
}

static void compare_entries(const struct question *q)
{
	if (path_is(&q->r, &q->o.after))
		return;
	for (int level = q->r.start; level <= q->r.leaf; level++)
		print("level %u: the CPU makes it %lx\n", level, q->o.after.entry[level]);
	differs(q, "the SMMU leaves other entries");
}

/* Afterwards the tables are as they were: so the CPU was asked of the same ones. */
static void compare(struct question *q)
{
	const struct path before = path_look(&q->r);

	nr_asked++;
	nr_lower += q->lower;
	ask_smmu(q);
	if (q->o.updated || !q->r.ha)
		compare_entries(q);
	if (path_is(&q->r, &before))
		return;
	nr_updates++;
	path_restore(&q->r, &before);
	forget_translations();
}

static void ask_cpu(struct question *q)
{
	struct oracle *o = &q->o;

	*o = oracle_ask(&q->r, q->a);
	if (o->contradicts) {
		print("the access itself: %s\n", names[o->access]);
		differs(q, "by AT, and the access says otherwise");
	}
	fetches[q->a.privileged][q->r.wxn] += q->a.fetch && o->answer != NR_ANSWERS;
	accesses += o->access != NR_ANSWERS;
	counts[o->answer]++;
	clean += o->cleaned;
	/* What would be written over is no one's to lose. */
	q->asked = o->answer != NR_ANSWERS && (o->answer != A_OK || !q->a.write || o->updated ||
	                                       !in(o->pa, RAM_BASE, RAM_SIZE));
}

/* Tables, and an address in them for each question; where they are small, for fewer. */
static void make(const struct regime_ability *can, bool both)
{
	nr_questions = 0;
	for (unsigned int i = 0; i < QUESTIONS; i++) {
		struct question *q = &questions[nr_questions];

		if (!i)
			regime_build(&q->r, can);
		else if (!regime_another(&q->r, &questions[0].r))
			continue;
		nr_questions++;
	}
	for (struct question *q = questions; q < questions + nr_questions; q++) {
		regime_spoil(&q->r);
		q->nr = ++nr_cases;
		q->a = (struct access){ .write = one_in(2), .privileged = one_in(2) };
		q->a.fetch = !q->a.write && one_in(3);
		q->lower = both && q->r.in_reach && one_in(2);
	}
}

static void step(const struct regime_ability *can)
{
	const bool both = one_in(2);

	make(can, both);
	nr_sets++;
	regime_enter(&questions[0].r);
	for (unsigned int i = 0; i < nr_questions; i++)
		ask_cpu(&questions[i]);
	regime_leave();
	configure(&questions[0].r, both);
	for (unsigned int i = 0; i < nr_questions; i++)
		if (questions[i].asked)
			compare(&questions[i]);
	expect_events();
	for (unsigned int i = 0; i < nr_questions; i++)
		regime_forget(&questions[i].r);
}

static void begin(void)
{
	const struct dma_op write = { .op = DMA_FILL, .length = 8, .arg0 = SEED };
	const struct dma_op read = { .op = DMA_CHECK, .length = 8 };
	u32 rid = 0;

	smmu_start(&s);
	for (unsigned int i = 0; i < 4; i++) {
		struct dma_test *d = &endpoints[i >> 1][i & 1];
		struct ste ste = smmu_s1(&cd);

		dma_test_find_from(d, rid);
		rid = d->rid + 1;
		dma_prepare(d, SLOT_WRITE, &write);
		dma_prepare(d, SLOT_READ, &read);
		ste.w[1] = (i >> 1 ? STE1_PRIV : STE1_UNPRIV) | (i & 1 ? STE1_INST : 0);
		smmu_set_ste(&s, d->rid, &ste);
	}
	oracle_fill();
}

static void print_counts(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		print("%s: %lu\n", names[i], counts[i]);
	print("cases %lu, of %lu sets of tables; asked of the SMMU %lu, %lu of them in the lower "
	      "half; entries changed by %lu\n",
	      nr_cases, nr_sets, nr_asked, nr_lower, nr_updates);
	print("accesses as AT says: %lu; fetches by nobody %lu and %lu with WXN, privileged %lu and "
	      "%lu\n",
	      accesses, fetches[0][0], fetches[0][1], fetches[1][0], fetches[1][1]);
	print("made dirty, though AT says permission: %lu\n", clean);
}

static void at(void)
{
	const u64 count = parameter_after("count=", 2000), seed = parameter_after("seed=", 1);
	const struct regime_ability can = regime_ability();

	print("seed=%lu count=%lu\n", seed, count);
	print("granules %u%u%u, HA %u, HD %u, HPD %u, E0PD %u, PAN %u, small %u, large %u %u, "
	      "address size %u\n",
	      can.granules[0], can.granules[1], can.granules[2], can.ha, can.hd, can.hpd, can.e0pd,
	      can.pan, can.small, can.large_va, can.large_pa, can.address_size);
	random_seed(seed);
	begin();
	while (nr_cases < count)
		step(&can);
	print_counts();
}

static const struct test tests[] = { { "at", at } };

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks of translation tables beside a model of Arm DDI 0487, D8 (vmsa_model.h): random tables,
 * mostly good ones, grown along the addresses that are then accessed; one stage, or stage 1 behind
 * stage 2. PGTABLE_CASES=N accesses, PGTABLE_SEED=N to see a failure again.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/vmsa_tables.h"
#include "vmm/mem.h"
#include "tests/unit/room.h"

#define NR_CASES 300000
#define NR_LIVES 200 /* cases of one configuration */

static u8 *ram, *model_ram;

static struct guest_mem mem = { .size = VMSA_TABLES_RAM };
static struct vmsa_tables tables;

__attribute__((constructor)) static void make_room(void)
{
	ram = room_of(VMSA_TABLES_RAM);
	model_ram = room_of(VMSA_TABLES_RAM);
	mem.host = tables.ram = ram;
	tables.model_ram = model_ram;
}
static struct vmsa *const v = &tables.v;
static u64 seed, step;

/* That the streams reach everything. */
static u64 nr_single[PGTABLE_PENDING], nr_tt[PGTABLE_PENDING], nr_in[PGTABLE_PENDING],
	nr_first[PGTABLE_PENDING], nr_accessed, nr_dirtied, nr_unwritten, nr_pending, nr_raced;

/* Physical memory behind a stage 2 of its own. */
static struct nested {
	struct dma_space dma;
	struct dma_space physical;
	const struct pgtable *t; /* NULL: none */
	bool speculative;
	struct pgtable_walk walk; /* the last one of stage 2 */
	u64 ipa;
	struct dma_token *token; /* of the walk */
	unsigned int calls, stalls_at;
} nested;

static void describe(const struct pgtable *t)
{
	fprintf(stderr,
	        "  stage %u: base %#llx granule %u input %u output %u start %d%s%s%s%s%s%s%s%s%s%s%s%s\n",
	        t->stage, (unsigned long long)t->base, t->granule, t->input, t->output, t->start,
	        t->ds ? " ds" : "", t->big_endian ? " big-endian" : "", t->ha ? " ha" : "",
	        t->hd ? " hd" : "", t->affd ? " affd" : "", t->upper ? " upper" : "",
	        t->tbi ? " tbi" : "", t->one_privilege ? " one-privilege" : "",
	        t->had ? " had" : "", t->wxn ? " wxn" : "", t->pan ? " pan" : "",
	        t->e0pd ? " e0pd" : "");
}

static void describe_case(const struct pgtable_access *a, const struct vmsa_result *r)
{
	fprintf(stderr, "  access %#llx perm %u%s%s; memory at %#llx\n",
	        (unsigned long long)a->addr, a->perm, a->privileged ? " privileged" : "",
	        a->speculative ? " speculative" : "", (unsigned long long)v->base);
	describe(v->t);
	if (v->under)
		describe(v->under);
	for (unsigned int i = 0; i < r->s1.nr; i++)
		fprintf(stderr, "  level %d: %#llx at %#llx\n", r->s1.steps[i].level,
		        (unsigned long long)r->s1.steps[i].entry,
		        (unsigned long long)r->s1.steps[i].addr);
	for (unsigned int i = 0; i < r->s2.nr; i++)
		fprintf(stderr, "  stage 2 of %#llx, level %d: %#llx at %#llx\n",
		        (unsigned long long)r->ipa, r->s2.steps[i].level,
		        (unsigned long long)r->s2.steps[i].entry,
		        (unsigned long long)r->s2.steps[i].addr);
}

static const struct pgtable_access *case_access;
static const struct vmsa_result *case_result;

static void expect(const char *what, u64 got, u64 want)
{
	if (got == want)
		return;
	fprintf(stderr, "PGTABLE_SEED=%llu, case %llu: %s is %#llx, not %#llx\n",
	        (unsigned long long)seed, (unsigned long long)step, what, (unsigned long long)got,
	        (unsigned long long)want);
	describe_case(case_access, case_result);
	cr_fatal("a walk is not as its model");
}

static enum dma_status nested_map(struct dma_space *dma, struct dma_access *a, struct dma_sg *sg,
                                  struct dma_token *token)
{
	struct nested *n = container_of(dma, struct nested, dma);
	struct pgtable_access second = {
		.addr = a->iova, .perm = a->perm, .privileged = true, .speculative = n->speculative
	};
	struct dma_access physical = *a;
	enum dma_status status;

	expect("whether an access may stall", token == n->token, true);
	if (token && ++n->calls == n->stalls_at)
		return DMA_PENDING;
	physical.iova = n->ipa = a->iova;
	if (n->t) {
		pgtable_walk(n->t, &second, &n->walk);
		physical.iova = n->walk.output;
	}
	a->done = 0;
	if (n->t && n->walk.fault)
		return DMA_FAULT;
	status = dma_map(&n->physical, &physical, sg, token);
	a->done = physical.done;
	a->reason = physical.reason;
	return status;
}

/* Tables of another kind, where walks find them. */
static void configure(void)
{
	static const struct dma_ops ops = { .map = nested_map };

	vmsa_tables_configure(&tables);
	mem.base = v->base;
	memset(&nested, 0, sizeof(nested));
	dma_identity(&nested.physical, &mem);
	nested.dma = (struct dma_space){ .ops = &ops, .mem = &mem };
	nested.t = v->under;
	tables.t1.space = &nested.dma;
	tables.t2.space = v->under ? &nested.physical : &nested.dma;
}

/* Each entry that was read, as it was. */
static void stepped(void *ctx, int level, u64 addr, u64 entry)
{
	unsigned int *nr = ctx;
	const struct vmsa_stage *want = &case_result->s1;

	if (*nr >= want->nr)
		expect("entries read", *nr + 1, want->nr);
	expect("a step's level", level, want->steps[*nr].level);
	expect("a step's address", addr, want->steps[*nr].addr);
	expect("a step's entry", entry, want->steps[*nr].entry);
	++*nr;
}

static void compare_ok(const struct pgtable *t, const struct pgtable_walk *w,
                       const struct vmsa_stage *want)
{
	expect("the output", w->output, want->output);
	expect("the size", w->shift, want->shift);
	expect("the contiguous size", w->contig, want->contig);
	expect("what is allowed without privilege", w->allowed[0], want->allowed[0]);
	expect("what is allowed with privilege", w->allowed[1], want->allowed[1]);
	expect("attr", w->attr, want->attr);
	expect("sh", w->sh, want->sh);
	if (t->stage == 1)
		expect("global", w->global, want->global);
}

static void compare(const struct pgtable *t, const struct pgtable_walk *w,
                    const struct vmsa_stage *want)
{
	expect("the fault", w->fault, want->fault);
	/* An SMMU does not report the level, that D8 gives as 0, of an address beyond the input. */
	if (want->nr || want->fault == PGTABLE_ABORT)
		expect("the level", w->level, want->level);
	if (want->nr && (want->fault != PGTABLE_ABORT || want->wrote)) {
		expect("the last entry", w->entry, want->entry);
		expect("the last entry's address", w->entry_addr, want->steps[want->nr - 1].addr);
	}
	if (want->fault == PGTABLE_ABORT)
		expect("whether it wrote", w->wrote, want->wrote);
	if (!want->fault)
		compare_ok(t, w, want);
}

static void count(const struct vmsa_result *r)
{
	nr_accessed += r->s1.accessed && !r->s1.fault;
	nr_dirtied += r->s1.dirtied && !r->s1.fault;
	nr_unwritten += r->s1.fault == PGTABLE_ABORT && r->s1.wrote;
	if (!v->under)
		nr_single[r->s1.fault]++;
	else if (r->table)
		nr_tt[r->s2.fault]++;
	else
		nr_first[r->s1.fault]++;
	if (v->under && !r->s1.fault)
		nr_in[r->s2.fault]++;
}

/* The entry that may have been written, and what it was reached by. */
static void compare_memory(const struct vmsa_stage *s, const char *what)
{
	for (unsigned int i = 0; i < s->nr; i++) {
		const u64 at = s->steps[i].addr - v->base;

		if (at < VMSA_TABLES_RAM)
			expect(what, vmsa_load(ram + at, false), vmsa_load(model_ram + at, false));
	}
}

/* The walk stalls somewhere, once; what it wrote until then is written again. */
static void walk(const struct pgtable_access *a, struct pgtable_walk *w)
{
	struct pgtable_access stalled = *a;
	const struct vmsa_stage *want = &case_result->s1;
	struct dma_token token = { 0 };

	nested.calls = 0;
	nested.stalls_at = 1 + below(&tables, 5);
	stalled.token = &token;
	stalled.step = NULL;
	if (one_in(&tables, 16)) {
		nested.token = &token;
		pgtable_walk(v->t, &stalled, w);
		nested.token = NULL;
		if (nested.calls < nested.stalls_at)
			return;
		expect("a stalled walk", w->fault, PGTABLE_PENDING);
		expect("whether it stalled at an update", w->wrote,
		       nested.calls > want->nr && (want->accessed || want->dirtied));
		nr_pending++;
	}
	pgtable_walk(v->t, a, w);
}

static void access_once(u64 addr)
{
	static const u32 perms[] = { 0,         DMA_READ,
		                     DMA_WRITE, DMA_READ | DMA_WRITE,
		                     DMA_EXEC,  DMA_READ | DMA_EXEC,
		                     DMA_READ,  DMA_WRITE };
	unsigned int nr = 0;
	struct pgtable_access a = { .addr = addr,
		                    .perm = perms[below(&tables, ARRAY_SIZE(perms))],
		                    .privileged = one_in(&tables, 2),
		                    .speculative = one_in(&tables, 8),
		                    .step = one_in(&tables, 4) ? stepped : NULL,
		                    .ctx = &nr };
	const struct vmsa_result r = vmsa_translate(v, &a);
	struct pgtable_walk w;

	case_access = &a;
	case_result = &r;
	nested.speculative = a.speculative;
	walk(&a, &w);
	if (v->raced) {
		nr_raced++;
		memcpy(model_ram, ram, VMSA_TABLES_RAM);
		return;
	}
	compare(v->t, &w, &r.s1);
	if (nr)
		expect("entries read", nr, r.s1.nr);
	if (v->under && !r.s1.fault) {
		a.addr = nested.ipa = w.output;
		a.step = NULL;
		pgtable_walk(v->under, &a, &nested.walk);
	}
	if (v->under && (r.stage == 2 || !r.stage)) {
		expect("the IPA", nested.ipa, r.ipa);
		compare(v->under, &nested.walk, &r.s2);
	}
	if (!v->under)
		compare_memory(&r.s1, "an entry");
	compare_memory(&r.s2, "an entry of stage 2");
	count(&r);
}

static u64 from_environment(const char *name, u64 otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static void report(const char *what, const u64 counts[PGTABLE_PENDING])
{
	printf("  %s: %llu OK, %llu translation, %llu address size, %llu access flag, "
	       "%llu permission, %llu abort\n",
	       what, (unsigned long long)counts[PGTABLE_OK],
	       (unsigned long long)counts[PGTABLE_TRANSLATION],
	       (unsigned long long)counts[PGTABLE_ADDRESS_SIZE],
	       (unsigned long long)counts[PGTABLE_ACCESS_FLAG],
	       (unsigned long long)counts[PGTABLE_PERMISSION],
	       (unsigned long long)counts[PGTABLE_ABORT]);
}

/* One configuration's. */
static void live(u64 cases)
{
	configure();
	for (u64 n = 0; n < cases; n++, step++) {
		const u64 addr = vmsa_tables_address(&tables);

		if (!one_in(&tables, 4))
			vmsa_tables_grow(&tables, addr);
		if (one_in(&tables, 4))
			vmsa_tables_spoil(&tables, addr);
		access_once(addr);
	}
	if (memcmp(ram, model_ram, VMSA_TABLES_RAM))
		cr_fatal("PGTABLE_SEED=%llu: memory before case %llu is not as the model's",
		         (unsigned long long)seed, (unsigned long long)step);
}

Test(pgtable_model, random_walks_are_as_the_architecture_has_them)
{
	const u64 total = from_environment("PGTABLE_CASES", NR_CASES);

	seed = tables.state = from_environment("PGTABLE_SEED", time(NULL));
	while (step < total)
		live(total - step < NR_LIVES ? total - step : NR_LIVES);
	printf("pgtable_model: seed %llu, %llu cases: %llu access flags and %llu dirty states "
	       "written, %llu stalled, %llu that raced\n",
	       (unsigned long long)seed, (unsigned long long)step, (unsigned long long)nr_accessed,
	       (unsigned long long)nr_dirtied, (unsigned long long)nr_pending,
	       (unsigned long long)nr_raced);
	report("one stage", nr_single);
	report("of two, the tables of the first", nr_tt);
	report("the input of the second", nr_in);
	report("the first itself", nr_first);
	printf("  updates that the second refused: %llu\n", (unsigned long long)nr_unwritten);
	if (total < NR_CASES)
		return;
	for (int f = PGTABLE_OK; f <= PGTABLE_ABORT; f++) {
		cr_assert(gt(u64, nr_single[f], 0), "fault %d of one stage", f);
		cr_assert(gt(u64, nr_in[f], 0), "fault %d of an input of stage 2", f);
		cr_assert(gt(u64, nr_first[f], 0), "fault %d of a stage 1 above another", f);
		cr_assert(f == PGTABLE_OK || nr_tt[f], "fault %d of a table's address", f);
	}
	cr_assert(nr_accessed && nr_dirtied && nr_pending && nr_unwritten);
}

Test(pgtable_model, walks_start_where_the_architecture_says)
{
	for (unsigned int granule = 12; granule <= 16; granule += 2)
		for (unsigned int input = granule == 16 ? 17 : 16; input <= 52; input++)
			cr_assert(eq(int, pgtable_start1(granule, input),
			             vmsa_start1(granule, input)),
			          "granule %u, input %u", granule, input);
}

Test(pgtable_model, second_stages_start_where_they_are_told_if_that_is_consistent)
{
	for (unsigned int n = 0; n < 3 * 37 * 16; n++) {
		const unsigned int granule = 12 + n / (37 * 16) * 2, input = 16 + n / 16 % 37;
		const unsigned int sl = n % 8;
		const bool ds = n / 8 % 2;
		int want = 0;
		s8 level = 0;
		const bool ok = vmsa_start2(granule, input, ds, sl, &want);

		if (input > 48 && !ds && granule != 16)
			continue;
		cr_assert(eq(int, pgtable_start2(granule, input, ds, sl, &level), ok),
		          "granule %u, input %u, ds %u, sl %u", granule, input, ds, sl);
		if (ok)
			cr_assert(eq(int, level, want), "granule %u, input %u, ds %u, sl %u",
			          granule, input, ds, sl);
	}
}

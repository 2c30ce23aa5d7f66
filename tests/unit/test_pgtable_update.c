// SPDX-License-Identifier: GPL-2.0-only
/* Access flags and dirty state that a walk writes (FEAT_HAFDBS), and who else writes meanwhile. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <endian.h>
#include <pthread.h>

#include "tests/unit/fake_tables.h"

#define R    DMA_READ
#define W    DMA_WRITE
#define X    DMA_EXEC
#define ADDR 0x123456789000ULL
#define PA   0x80001000ULL

static struct pgtable t;
static u64 at; /* the page's entry */

static void init(void)
{
	tables_init(TABLES_BASE);
	t = tables_stage1(12, 48);
	t.ha = t.hd = true;
	at = tables_map(&t, ADDR, 3, 0);
}

TestSuite(pgtable_update, .init = init);

static struct pgtable_walk walk(u32 perm)
{
	return tables_walk(&t, ADDR, perm);
}

static void put(u64 entry)
{
	tables_put(at, PAGE | PA | entry);
}

struct update_case {
	u8 stage, ha, hd, affd, speculative;
	u64 entry;
	u32 perm;
	enum pgtable_fault fault;
	u64 set, cleared; /* what is written */
	u32 allowed;      /* with privilege, after it */
};

#define RWX (R | W | X)
#define RX  (R | X)
ParameterizedTestParameters(pgtable_update, an_access_updates_the_entry_or_does_not)
{
	static struct update_case cases[] = {
		/* the access flag, by software */
		{ 1, 0, 0, 0, 0, 0, R, PGTABLE_ACCESS_FLAG, 0, 0, 0 },
		{ 1, 0, 1, 0, 0, 0, R, PGTABLE_ACCESS_FLAG, 0, 0, 0 },
		{ 2, 0, 0, 0, 0, S2R, R, PGTABLE_ACCESS_FLAG, 0, 0, 0 },
		{ 1, 0, 0, 1, 0, 0, R, PGTABLE_OK, 0, 0, RWX },
		{ 2, 0, 0, 1, 0, S2R, R, PGTABLE_OK, 0, 0, RX },
		/* by hardware */
		{ 1, 1, 0, 0, 0, 0, R, PGTABLE_OK, AF, 0, RWX },
		{ 1, 1, 0, 1, 0, 0, R, PGTABLE_OK, AF, 0, RWX },
		{ 2, 1, 0, 0, 0, S2R, R, PGTABLE_OK, AF, 0, RX },
		{ 1, 1, 0, 0, 0, 0, 0, PGTABLE_OK, AF, 0, RWX },
		{ 1, 1, 1, 0, 0, AF, W, PGTABLE_OK, 0, 0, RWX },
		/* not if there is another fault */
		{ 1, 1, 1, 0, 0, RO, W, PGTABLE_PERMISSION, 0, 0, 0 },
		{ 2, 1, 1, 0, 0, S2R, W, PGTABLE_PERMISSION, 0, 0, 0 },
		{ 1, 1, 1, 0, 0, DBM | RO | PXN, W | X, PGTABLE_PERMISSION, 0, 0, 0 },
		/* nor speculatively, where it does not matter either */
		{ 1, 1, 1, 0, 1, 0, R, PGTABLE_OK, 0, 0, RWX },
		{ 1, 0, 0, 0, 1, 0, R, PGTABLE_OK, 0, 0, RWX },
		{ 1, 1, 1, 0, 1, AF | DBM | RO, W, PGTABLE_PERMISSION, 0, 0, 0 },
		{ 1, 1, 1, 0, 1, DBM | RO, R, PGTABLE_OK, 0, 0, RX },
		/* dirty state of stage 1 */
		{ 1, 1, 1, 0, 0, AF | DBM | RO, W, PGTABLE_OK, 0, RO, RWX },
		{ 1, 1, 1, 0, 0, DBM | RO, R | W, PGTABLE_OK, AF, RO, RWX },
		{ 1, 1, 1, 0, 0, AF | DBM | RO, R, PGTABLE_OK, 0, 0, RX },
		{ 1, 1, 1, 0, 0, DBM | RO, X, PGTABLE_OK, AF, 0, RX },
		{ 1, 1, 0, 0, 0, AF | DBM | RO, W, PGTABLE_PERMISSION, 0, 0, 0 },
		{ 1, 0, 1, 0, 0, AF | DBM | RO, W, PGTABLE_PERMISSION, 0, 0, 0 },
		{ 1, 1, 1, 0, 0, AF | DBM, W, PGTABLE_OK, 0, 0, RWX },
		/* and of stage 2, where 0 is clean */
		{ 2, 1, 1, 0, 0, AF | DBM | S2R, W, PGTABLE_OK, S2W, 0, RWX },
		{ 2, 1, 1, 0, 0, DBM, W, PGTABLE_OK, AF | S2W, 0, W | X },
		{ 2, 1, 1, 0, 0, DBM, R | W, PGTABLE_PERMISSION, 0, 0, 0 },
		{ 2, 1, 1, 0, 0, AF | DBM | S2R, R, PGTABLE_OK, 0, 0, RX },
		{ 2, 1, 0, 0, 0, AF | DBM | S2R, W, PGTABLE_PERMISSION, 0, 0, 0 },
		{ 2, 1, 1, 0, 0, AF | DBM | S2R | S2W, W, PGTABLE_OK, 0, 0, RWX },
	};

	return cr_make_param_array(struct update_case, cases, ARRAY_SIZE(cases));
}

static void check(const struct update_case *c, bool big_endian)
{
	const u64 was = PAGE | PA | c->entry, want = (was | c->set) & ~c->cleared;
	const struct pgtable_access a = {
		.addr = ADDR, .perm = c->perm, .privileged = true, .speculative = c->speculative
	};
	struct pgtable_walk w;

	init();
	t = (struct pgtable){ .space = &tables.space,
		              .base = t.base,
		              .stage = c->stage,
		              .granule = 12,
		              .input = 48,
		              .output = 48,
		              .ha = c->ha,
		              .hd = c->hd,
		              .affd = c->affd,
		              .big_endian = big_endian };
	tables_init(TABLES_BASE);
	at = tables_map(&t, ADDR, 3, was);
	pgtable_walk(&t, &a, &w);
	cr_assert(eq(int, w.fault, c->fault));
	cr_assert(eq(u64, big_endian ? __builtin_bswap64(tables_get(at)) : tables_get(at), want));
	cr_assert(eq(u64, w.entry, want));
	cr_assert(eq(u64, w.entry_addr, at));
	cr_assert(eq(u32, tables.swaps, want != was));
	cr_assert(not(w.wrote));
	if (c->fault == PGTABLE_OK)
		cr_assert(eq(u32, w.allowed[1], c->allowed));
}

ParameterizedTest(struct update_case *c, pgtable_update, an_access_updates_the_entry_or_does_not)
{
	check(c, false);
	check(c, true);
}

Test(pgtable_update, a_page_that_its_tables_make_read_only_does_not_become_dirty)
{
	put(AF | DBM | RO);
	tables_limit(&t, ADDR, 1, ALL_RO);
	cr_assert(eq(int, walk(W).fault, PGTABLE_PERMISSION));
	cr_assert(zero(u32, tables.swaps));
	t.had = true;
	cr_assert(eq(int, walk(W).fault, PGTABLE_OK));
	cr_assert(eq(u64, tables_get(at), PAGE | PA | AF | DBM));
}

Test(pgtable_update, a_page_that_may_become_dirty_is_not_executed_where_a_writable_one_is_not)
{
	put(AF | DBM | RO | USER);
	cr_assert(eq(u32, walk(0).allowed[0], R | X));
	cr_assert(eq(u32, walk(0).allowed[1], R), "users may write it");
	t.wxn = true;
	cr_assert(eq(u32, walk(0).allowed[0], R));
	t.hd = false;
	cr_assert(eq(u32, walk(0).allowed[0], R | X));
	cr_assert(eq(u32, walk(0).allowed[1], R | X));
}

Test(pgtable_update, a_write_by_who_may_not_leaves_a_page_clean)
{
	const struct pgtable_access a = { .addr = ADDR, .perm = W };
	struct pgtable_walk w;

	put(AF | DBM | RO);
	pgtable_walk(&t, &a, &w);
	cr_assert(eq(int, w.fault, PGTABLE_PERMISSION));
	put(AF | DBM | RO | USER);
	t.pan = true;
	cr_assert(eq(int, walk(W).fault, PGTABLE_PERMISSION));
	cr_assert(zero(u32, tables.swaps));
	pgtable_walk(&t, &a, &w);
	cr_assert(eq(int, w.fault, PGTABLE_OK));
}

Test(pgtable_update, an_address_that_is_too_large_leaves_the_entry_alone)
{
	t.output = 40;
	put(BIT(40));
	cr_assert(eq(int, walk(R).fault, PGTABLE_ADDRESS_SIZE));
	cr_assert(zero(u32, tables.swaps));
}

Test(pgtable_update, a_block_is_updated_as_a_page_is)
{
	u64 block = tables_map(&t, ADDR + BIT(30), 1, BLOCK | DBM | RO);

	cr_assert(eq(int, tables_walk(&t, ADDR + BIT(30), W).fault, PGTABLE_OK));
	cr_assert(eq(u64, tables_get(block), BLOCK | DBM | AF));
}

static enum dma_status ends_in;

static enum dma_status at_swaps(u64 where, u32 perm)
{
	if (!(perm & W))
		return DMA_OK;
	cr_assert(eq(u64, where, at));
	cr_assert(eq(u32, perm, R | W));
	return ends_in;
}

Test(pgtable_update, an_entry_that_cannot_be_written_aborts)
{
	struct dma_token token;
	const struct pgtable_access a = {
		.addr = ADDR, .perm = R, .privileged = true, .token = &token
	};
	struct pgtable_walk w;

	tables.before = at_swaps;
	put(0);
	ends_in = DMA_FAULT;
	w = walk(R);
	cr_assert(eq(int, w.fault, PGTABLE_ABORT));
	cr_assert(w.wrote);
	cr_assert(eq(int, w.level, 3));
	cr_assert(eq(u64, w.entry, PAGE | PA));
	cr_assert(eq(u64, w.entry_addr, at));
	ends_in = DMA_PENDING;
	pgtable_walk(&t, &a, &w);
	cr_assert(eq(int, w.fault, PGTABLE_PENDING));
	cr_assert(w.wrote);
	cr_assert(eq(ptr, tables.token, &token));
	cr_assert(eq(u64, tables_get(at), PAGE | PA));
}

/* The entry is another one whenever it is about to be written, so many times. */
static u64 others[64];
static unsigned int nr_others, next_other;

static enum dma_status change(u64 where, u32 perm)
{
	if (perm & W && next_other < nr_others)
		tables_put(where, others[next_other++]);
	return DMA_OK;
}

static unsigned int nr_steps;
static u64 last_step;

static void step(void *ctx, int level, u64 addr, u64 entry)
{
	(void)ctx;
	(void)addr;
	nr_steps += level == 3;
	last_step = entry;
}

struct race_case {
	u64 other;
	u32 perm;
	enum pgtable_fault fault;
	u64 then;
};

/* From a page whose access flag is not set. */
ParameterizedTestParameters(pgtable_update, an_entry_that_changed_is_looked_at_anew)
{
	static struct race_case cases[] = {
		{ 0, R, PGTABLE_TRANSLATION, 0 },
		{ PAGE | PA | AF, R, PGTABLE_OK, PAGE | PA | AF },
		{ PAGE | 0x90000000, R, PGTABLE_OK, PAGE | 0x90000000 | AF },
		{ PAGE | RO, W, PGTABLE_PERMISSION, PAGE | RO },
		{ PAGE | RO | DBM, W, PGTABLE_OK, PAGE | AF | DBM },
		{ PAGE | BIT(45), R, PGTABLE_ADDRESS_SIZE, PAGE | BIT(45) },
		{ PAGE | UXN | PXN, X, PGTABLE_PERMISSION, PAGE | UXN | PXN },
	};

	return cr_make_param_array(struct race_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct race_case *c, pgtable_update, an_entry_that_changed_is_looked_at_anew)
{
	const struct pgtable_access a = {
		.addr = ADDR, .perm = c->perm, .privileged = true, .step = step
	};
	struct pgtable_walk w;

	t.output = 44;
	put(0);
	tables.before = change;
	others[0] = c->other;
	nr_others = 1;
	pgtable_walk(&t, &a, &w);
	cr_assert(eq(int, w.fault, c->fault));
	cr_assert(eq(u64, w.entry, c->then));
	cr_assert(eq(u64, tables_get(at), c->then));
	cr_assert(not(w.wrote));
	cr_assert(eq(u32, nr_steps, 2));
	cr_assert(eq(u64, last_step, c->other));
	if (c->fault == PGTABLE_OK)
		cr_assert(eq(u64, w.output, c->then & GENMASK(43, 12)));
}

Test(pgtable_update, a_block_that_became_a_table_is_gone_down_into)
{
	const u64 addr = ADDR + BIT(30);
	const u64 block = tables_map(&t, addr, 2, 0), page = tables_map(&t, addr, 3, PAGE | PA);
	struct pgtable_walk w;

	others[0] = tables_get(block) | ALL_RO;
	nr_others = 1;
	tables_put(block, BLOCK | 0x40000000);
	tables.before = change;
	w = tables_walk(&t, addr, R);
	cr_assert(eq(int, w.fault, PGTABLE_OK));
	cr_assert(eq(int, w.level, 3));
	cr_assert(eq(u64, w.output, PA));
	cr_assert(eq(u64, tables_get(page), PAGE | PA | AF));
	cr_assert(eq(u64, tables_get(block), others[0]));
	cr_assert(zero(u32, w.allowed[1] & W));
}

static void change_always(unsigned int times)
{
	put(0);
	for (unsigned int i = 0; i < times; i++)
		others[i] = PAGE | PA | (i % 2 ? 0 : NG);
	nr_others = times;
	tables.before = change;
}

Test(pgtable_update, who_loses_for_a_while_gets_there_in_the_end)
{
	for (unsigned int times = 1; times < 32; times++) {
		struct pgtable_walk w;

		init();
		next_other = 0;
		change_always(times);
		w = walk(R);
		cr_assert(eq(int, w.fault, PGTABLE_OK));
		cr_assert(eq(u64, w.entry, others[times - 1] | AF));
		cr_assert(eq(u64, tables_get(at), w.entry));
	}
}

Test(pgtable_update, who_always_loses_aborts)
{
	struct pgtable_walk w;

	change_always(64);
	w = walk(R);
	cr_assert(eq(int, w.fault, PGTABLE_ABORT));
	cr_assert(w.wrote);
	cr_assert(eq(int, w.level, 3));
	cr_assert(eq(u64, w.entry_addr, at));
	cr_assert(le(u32, tables.swaps, 32));
	cr_assert(le(u32, tables.reads, 16));
}

/* Two pages that have nothing in common, in either half of the entry. */
#define THIS  (PAGE | AF | 0x55500000ULL)
#define OTHER (PAGE | AF | NG | PXN | UXN | 0xaaaaaaaab000ULL)

struct other_cpu {
	u64 *entry;
	bool stop;
};

static void *rewrites(void *ctx)
{
	struct other_cpu *o = ctx;

	for (bool this = true; !__atomic_load_n(&o->stop, __ATOMIC_RELAXED); this = !this)
		__atomic_store_n(o->entry, htole64(this ? THIS : OTHER), __ATOMIC_RELAXED);
	return NULL;
}

/* Arm IHI 0070, 3.21.1: as a PE does it; never a half of one and a half of the other. */
Test(pgtable_update, an_entry_is_read_at_once, .timeout = 60)
{
	struct other_cpu o = { .entry = guest_ptr(&tables.mem, at, 8) };
	unsigned int changes = 0;
	pthread_t thread;
	u64 last = THIS;

	t.ha = t.hd = false;
	tables_put(at, THIS);
	cr_assert(zero(int, pthread_create(&thread, NULL, rewrites, &o)));
	for (unsigned int i = 0; i < 10000000 && changes < 2000; i++) {
		const struct pgtable_walk w = walk(R);

		if (w.entry != THIS && w.entry != OTHER)
			break;
		cr_assert(eq(int, w.fault, PGTABLE_OK));
		changes += w.entry != last;
		last = w.entry;
	}
	__atomic_store_n(&o.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	cr_assert(eq(uint, changes, 2000), "the last that was read: %#llx",
	          (unsigned long long)walk(0).entry);
}

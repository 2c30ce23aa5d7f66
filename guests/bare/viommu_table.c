/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtio-iommu whose endpoint has the CPU's own tables (docs/virtio-iommu-experimental.md): both
 * have to make the same of an address. "seed=N" repeats what is by chance, "count=N" of it. */
#include "lib/dmatest.h"
#include "lib/oracle.h"
#include "lib/viommu.h"

#define FEATURES (VIOMMU_FEATURES | F_ATTACH_TABLE)
#define DOMAIN   3
#define TCR_EPD0 (1UL << 7)
#define TCR_EPD1 (1UL << 23)

enum { R_UNKNOWN, R_DOMAIN, R_MAPPING };
enum { FLAG_READ = 1, FLAG_WRITE = 2, FLAG_ADDRESS = 0x100, FLAG_PASID = 0x20000 };

static struct viommu v;
static struct dma_test d;
static struct regime r;
static u64 counts[NR_ANSWERS + 1]; /* the last: nobody knows */
static u64 nr;                     /* of the case */
static u32 attached;               /* so often */

static const char *const names[] = { "ok",         "translation", "address size", "access flag",
	                             "permission", "abort",       "not known" };

static void find(void)
{
	viommu_find(&v);
	dma_test_find(&d);
	viommu_start(&v, FEATURES);
}

static _Noreturn void differs(struct access a, const struct oracle *o, const char *what)
{
	regime_print(&r);
	fail("case %lu: %s: the CPU says %s, %lx; %s", nr, a.write ? "write" : "read",
	     names[o->answer], o->pa, what);
}

/* What is the upper half's as the lower half's. */
static u64 tcr_lower(void)
{
	static const u8 tg0[] = { 0, 2, 1 };

	return TCR_EPD1 | 0x35UL << 8 | (64 - r.input) | (u64)tg0[(r.granule - 12) / 2] << 14 |
	       (u64)r.ips << 32 | (r.ha ? 1UL << 39 : 0) | (r.hd ? 1UL << 40 : 0) |
	       (r.hpd ? 1UL << 41 : 0);
}

/* A domain is what it was made as: another one each time. */
static void attach(struct access a, const struct oracle *o, bool lower)
{
	const u64 tcr = lower ? tcr_lower() : regime_tcr(&r) | TCR_EPD0;
	const u8 status = viommu_attach_table(&v, ++attached % 2, d.rid, tcr, r.root, r.root);

	if (status) {
		print("TCR %lx, TTBR %lx: status %u\n", tcr, r.root, status);
		differs(a, o, "it is not attached");
	}
}

static void expect_event(struct access a, const struct oracle *o, u64 iova)
{
	const bool nowhere = o->answer == A_OK || o->answer == A_ABORT;
	struct viommu_event e;

	if (!viommu_event(&v, &e))
		differs(a, o, "there is no event");
	if (e.reason == (nowhere ? R_UNKNOWN : R_MAPPING) && e.endpoint == d.rid &&
	    e.flags == (FLAG_ADDRESS | (a.write ? FLAG_WRITE : FLAG_READ)) && e.address == iova)
		return;
	print("event: reason %u, flags %x, endpoint %x, address %lx\n", e.reason, e.flags,
	      e.endpoint, e.address);
	differs(a, o, "there is another event");
}

static void expect_bytes(struct access a, const struct oracle *o)
{
	volatile u64 *word = (u64 *)o->pa;

	if (a.write && *word != dma_pattern(nr))
		differs(a, o, "the endpoint's is elsewhere");
	if (!a.write && dma_result(&d, 0) != dma_checksum(*word))
		differs(a, o, "the endpoint reads elsewhere");
	if (oracle_owns(o->pa))
		*word = ORACLE_WORD(o->pa);
}

static void ask_endpoint(struct access a, const struct oracle *o, u64 iova)
{
	const struct dma_op op = {
		.op = a.write ? DMA_FILL : DMA_CHECK, .iova = iova, .length = 8, .arg0 = nr
	};
	const bool done = dma_run(&d, 0, &op) == DMA_DONE;

	if (o->answer == A_OK && o->pa - RAM_BASE < RAM_SIZE) {
		if (!done || viommu_has_event(&v))
			differs(a, o, "the endpoint does not reach it");
		expect_bytes(a, o);
		return;
	}
	if (done)
		differs(a, o, "the endpoint reaches it");
	expect_event(a, o, iova);
}

/* Accesses have no privilege, and fetch nothing. */
static void step(const struct regime_ability *can)
{
	const struct access a = { .write = one_in(2) };
	struct oracle o;
	bool lower;

	regime_make(&r, can);
	regime_enter(&r);
	o = oracle_ask(&r, a);
	regime_leave();
	if (o.contradicts)
		differs(a, &o, "by AT, and the access says otherwise");
	counts[o.answer]++;
	lower = r.in_reach && one_in(3);
	/* What would be written over is no one's to lose. */
	if (o.answer != NR_ANSWERS &&
	    (o.answer != A_OK || !a.write || o.updated || o.pa - RAM_BASE >= RAM_SIZE)) {
		attach(a, &o, lower);
		ask_endpoint(a, &o, lower ? regime_lower(&r) : r.va);
		if ((o.updated || !r.ha) && !path_is(&r, &o.after))
			differs(a, &o, "the endpoint leaves other entries");
	}
	regime_forget(&r);
}

static void at(void)
{
	const u64 count = parameter_after("count=", 300), seed = parameter_after("seed=", 1);
	const struct regime_ability can = regime_ability_viommu();

	print("seed=%lu count=%lu\n", seed, count);
	random_seed(seed);
	find();
	oracle_fill();
	for (nr = 1; nr <= count; nr++)
		step(&can);
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		print("%s: %lu\n", names[i], counts[i]);
}

/* The CPU runs with this table as well, in the upper half. */
static struct tables shared;
static u8 memory[4 * PAGE] __attribute__((aligned(4096)));
#define VA         (~0UL << 39 | 0x40000000)
#define WORD(page) (*(volatile u64 *)(VA + (page)*PAGE))
#define S1_NORMAL  (S1_PAGE | ENTRY_NG | 1 << 2)

static void map(unsigned int page, const void *to, u64 attributes)
{
	tables_map(&shared, (VA + page * PAGE) & ~(~0UL << 39), (u64)to, 1, attributes);
}

/* TLBI, and what is the same for the endpoint. */
static void forget(unsigned int page)
{
	asm volatile("dsb ishst\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
	check(!viommu_invalidate(&v, DOMAIN, VA + page * PAGE, 1), "invalidate");
}

static void share(bool ha, bool hd)
{
	r = (struct regime){ .granule = 12,
		             .input = 39,
		             .ips = regime_ability_viommu().address_size,
		             .ha = ha,
		             .hd = hd,
		             .root = (u64)shared.table[0] };
	check(!viommu_attach_table(&v, DOMAIN, d.rid, regime_tcr(&r) | TCR_EPD0, 0, r.root),
	      "attach");
	regime_enter(&r);
}

static unsigned int copy(unsigned int from, unsigned int to)
{
	const struct dma_op op = {
		.op = DMA_COPY, .iova = VA + from * PAGE, .iova2 = VA + to * PAGE, .length = PAGE
	};

	return dma_run(&d, 0, &op);
}

/* Neither reaches the word, to write it. */
static void neither_writes(unsigned int page, const char *when)
{
	expect_aborts();
	WORD(page) = 1;
	check(expected_aborts().count == 1, "%s: the CPU writes", when);
	check(copy(0, page) == DMA_FAULT, "%s: the endpoint writes", when);
}

static void changes(void)
{
	u8 *other = memory + 3 * PAGE;

	map(1, other, 0); /* not valid */
	*tables_entry(&shared, (VA + PAGE) & ~(~0UL << 39), 3) = 0;
	forget(1);
	neither_writes(1, "unmapped");
	map(1, other, S1_NORMAL);
	*(volatile u64 *)other = 77;
	check(WORD(1) == 77 && copy(1, 0) == DMA_DONE && WORD(0) == 77, "mapped elsewhere");
	map(1, other, S1_NORMAL | ENTRY_RO);
	forget(1);
	neither_writes(1, "read-only");
	check(copy(1, 0) == DMA_DONE, "read-only: it can be read");
}

/* What the endpoint has written is there for the CPU, and the other way round, by one address. */
static void same_addresses(void)
{
	find();
	tables_clear(&shared);
	map(0, memory + 2 * PAGE, S1_NORMAL);
	map(1, memory, S1_NORMAL);
	map(2, memory + PAGE, S1_NORMAL);
	share(false, false);
	for (u64 i = 0; i < 3; i++)
		WORD(i) = dma_pattern(i);
	check(*(volatile u64 *)memory == dma_pattern(1), "the CPU's own");
	check(copy(0, 2) == DMA_DONE, "copy: reason %u", dma_reason(&d, 0));
	check(WORD(2) == dma_pattern(0) && *(volatile u64 *)(memory + PAGE) == dma_pattern(0),
	      "the endpoint's copy is elsewhere");
	changes();
	check(!viommu_detach(&v, DOMAIN, d.rid), "detach");
	regime_leave();
}

static bool has(unsigned int page, u64 bits, u64 want)
{
	return (*(volatile u64 *)tables_entry(&shared, (VA + page * PAGE) & ~(~0UL << 39), 3) &
	        bits) == want;
}

/* What the endpoint's accesses leave is what the CPU finds: accessed, and dirty. */
static void updates(void)
{
	find();
	tables_clear(&shared);
	for (unsigned int i = 0; i < 3; i++)
		map(i, memory + i * PAGE, (S1_NORMAL & ~ENTRY_AF) | ENTRY_RO | ENTRY_DBM);
	share(true, true);
	check(copy(0, 1) == DMA_DONE, "copy: reason %u", dma_reason(&d, 0));
	check(has(0, ENTRY_AF | ENTRY_RO, ENTRY_AF | ENTRY_RO), "read: not accessed, or dirty");
	check(has(1, ENTRY_AF | ENTRY_RO, ENTRY_AF), "written: not dirty");
	check(has(2, ENTRY_AF | ENTRY_RO, ENTRY_RO), "a page that nobody has accessed");
	WORD(1) = 5;
	check(copy(1, 0) == DMA_DONE && WORD(0) == 5, "a clean page that is cached is written");
	check(has(0, ENTRY_AF | ENTRY_RO, ENTRY_AF), "and is not dirty");
	regime_leave();
}

/* Two processes with the same addresses: the CPU runs one after the other, the endpoint both. */
static struct tables process[2];
#define PASID 0xabcd0U

static void run_process(unsigned int i)
{
	r.root = (u64)process[i].table[0];
	regime_enter(&r);
}

static unsigned int copy_of(u32 pasid)
{
	const struct dma_op op = { .op = DMA_COPY,
		                   .flags = DMA_F_PASID,
		                   .iova = VA,
		                   .iova2 = VA + PAGE,
		                   .length = PAGE,
		                   .pasid = pasid };

	return dma_run(&d, 0, &op);
}

static void start_processes(void)
{
	r = (struct regime){ .granule = 12, .input = 39 };
	r.ips = regime_ability_viommu().address_size;
	for (unsigned int i = 0; i < 2; i++) {
		tables_clear(&process[i]);
		tables_map(&process[i], VA & ~(~0UL << 39), (u64)memory + i * 2 * PAGE, 2,
		           S1_NORMAL);
		check(!viommu_attach_process(&v, DOMAIN + i, d.rid, PASID + i,
		                             regime_tcr(&r) | TCR_EPD0, 0,
		                             (u64)process[i].table[0]),
		      "attach %u", i);
		run_process(i);
		WORD(0) = dma_pattern(i);
	}
}

static void processes(void)
{
	struct viommu_event e;

	find();
	write8(v.dev.where.config + CONFIG_BYPASS, 0);
	dma_enable_pasids(&d);
	start_processes();
	for (unsigned int n = 0; n < 4; n++)
		check(copy_of(PASID + n % 2) == DMA_DONE, "copy: reason %u", dma_reason(&d, 0));
	for (unsigned int i = 0; i < 2; i++) {
		run_process(i);
		check(WORD(1) == dma_pattern(i), "process %u has another's", i);
	}
	check(!viommu_detach_process(&v, DOMAIN, d.rid, PASID), "detach");
	check(copy_of(PASID) == DMA_FAULT && viommu_event(&v, &e), "it is detached");
	check(e.reason == R_DOMAIN && e.flags == (FLAG_READ | FLAG_ADDRESS | FLAG_PASID) &&
	              e.reserved1 == PASID && e.address == VA,
	      "event: reason %u, flags %x, PASID %x", e.reason, e.flags, e.reserved1);
	check(copy_of(PASID + 1) == DMA_DONE, "the other one");
	regime_leave();
}

static const struct test tests[] = {
	{ "at", at },
	{ "shared", same_addresses },
	{ "updates", updates },
	{ "processes", processes },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

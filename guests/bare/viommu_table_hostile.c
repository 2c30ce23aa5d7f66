/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtio-iommu and a driver whose own tables are nonsense: loops, tables in registers and where
 * nothing is, entries that another CPU changes all the time; requests by chance, transfers under
 * them. "seed=N" repeats it, "count=N" requests. */
#include "lib/dmatest.h"
#include "lib/regime.h"
#include "lib/viommu.h"

#define FEATURES (VIOMMU_FEATURES | F_ATTACH_TABLE)
#define SLOTS    4 /* transfers at a time */
#define DOMAINS  2
#define PASIDS   3

/*
 * All that an entry leads to, that is memory: so what hardware updates is here, whatever tables
 * walks take it for. As aligned as the largest granule.
 */
#define POOL_SIZE (4UL << 16)
static u64 pool[POOL_SIZE / 8] __attribute__((aligned(POOL_SIZE)));

static struct viommu v;
static struct dma_test d;
static u64 seen[16]; /* of the statuses; the last: nothing was written */
static u64 outcomes[4];

/* Of a CPU's own. */
struct random {
	u64 state;
};

static u64 next(struct random *n)
{
	n->state ^= n->state << 13;
	n->state ^= n->state >> 7;
	n->state ^= n->state << 17;
	return n->state;
}

static u32 below(struct random *n, u32 limit)
{
	return (next(n) >> 20) % limit;
}

/* Registers of a UART, the PCI window, the top of what can be said, beyond RAM. */
static const u64 others[] = { UART_BASE, 0x60000000, 0xffffffff0000, 0, RAM_BASE + RAM_SIZE };

/* The pool; or one of those. */
static u64 some_place(struct random *n)
{
	if (below(n, 4))
		return (u64)pool + (next(n) & (POOL_SIZE - 1) & ~0xfffUL);
	return others[below(n, ARRAY_SIZE(others))];
}

/* A block is larger than the pool: what it is in would be this program, and RAM's end has RAM in
 * its block, too. */
static u64 some_entry(struct random *n)
{
	const u64 attributes = next(n) & (0xfffUL << 52 | 0xffc);
	const u64 type = below(n, 8) ? 3 : below(n, 4);
	const u64 place = type == 1 ? others[below(n, ARRAY_SIZE(others) - 1)] : some_place(n);

	return attributes | (below(n, 4) ? ENTRY_USER | ENTRY_AF : 0) | place | type;
}

static volatile bool over;

static void scribble(void)
{
	struct random n = { 88172645463325252UL };

	while (!over)
		((volatile u64 *)pool)[below(&n, POOL_SIZE / 8)] = some_entry(&n);
	psci_cpu_off();
}

/* Mostly few levels, and one half; now and then what is none. */
static u64 some_tcr(struct random *n)
{
	u64 tcr = next(n) & 0x7ffUL << 39; /* HA, HD, HPD, HWU */

	tcr |= below(n, 2) ? 34 + below(n, 6) : 16 + below(n, 25);
	tcr |= (u64)(16 + below(n, 24)) << 16;
	tcr |= (below(n, 16) ? below(n, 3) : 3) << 14;
	tcr |= (u64)(below(n, 16) ? 1 + below(n, 3) : 0) << 30;
	tcr |= (u64)(below(n, 8) ? 5 : below(n, 8)) << 32;
	tcr |= below(n, 4) ? 1UL << 23 : next(n) & (1UL << 7 | 1UL << 36);
	return below(n, 32) ? tcr : next(n);
}

static void attach_table(struct random *n)
{
	const u64 tcr = some_tcr(n);

	v.request.type = T_ATTACH_TABLE;
	v.request.table_domain = below(n, DOMAINS);
	v.request.table_endpoint = d.rid;
	v.request.format = below(n, 32) ? FORMAT_ARM64 : below(n, 256);
	v.request.tcr = tcr;
	if (below(n, 2)) {
		v.request.table_flags = below(n, 32) ? TABLE_PASID : below(n, 256);
		v.request.table_pasid = below(n, 32) ? below(n, PASIDS) : next(n);
	}
	v.request.ttbr[0] = below(n, 8) ? (u64)pool : some_place(n);
	v.request.ttbr[1] = some_place(n);
}

static void invalidate(struct random *n)
{
	v.request.type = T_INVALIDATE;
	v.request.scope = below(n, 4) + !below(n, 32);
	v.request.caches = below(n, 8) ? INVAL_TLB : below(n, 4);
	v.request.inval_flags = next(n) & (INVAL_LEAF | INVAL_BY_ID | INVAL_GLOBAL);
	v.request.inval_domain = below(n, DOMAINS);
	v.request.id = below(n, 2);
	v.request.address = next(n) >> below(n, 64);
	v.request.nr_pages = next(n) >> (below(n, 2) ? 60 : below(n, 64));
	v.request.page_size = below(n, 70);
}

static void other(struct random *n)
{
	static const u8 types[] = { T_ATTACH, T_DETACH, T_MAP, T_UNMAP };

	v.request.type = types[below(n, 4)];
	v.request.domain = below(n, DOMAINS);
	if (v.request.type <= T_DETACH) {
		v.request.endpoint = d.rid;
		v.request.flags = v.request.type == T_DETACH ? below(n, 2) * TABLE_PASID : 0;
		v.request.reserved2[0] = v.request.flags ? below(n, PASIDS) : 0;
		return;
	}
	v.request.virt_start = (u64)below(n, 16) << 12;
	v.request.virt_end = v.request.virt_start + 0xfff;
	if (v.request.type == T_MAP)
		v.request.phys_start = (u64)pool;
	v.request.map_flags = v.request.type == T_MAP ? MAP_READ : 0;
}

/* Small, mostly in a table's first entries; of either half. */
static u64 some_address(struct random *n)
{
	const u64 at = next(n) >> (below(n, 4) ? 64 - 21 - below(n, 8) : 16 + below(n, 44));

	return (below(n, 3) ? at : -at) & ~7UL;
}

/* They read, and copy entries: nothing is written that is not one. */
static void transfer(struct random *n)
{
	const unsigned int slot = below(n, SLOTS), state = dma_state(&d, slot);
	const struct dma_op op = {
		.op = below(n, 2) ? DMA_CHECK : DMA_COPY,
		.flags = (below(n, 4) ? 0 : DMA_F_HELD) | (below(n, 2) ? 0 : DMA_F_PASID),
		.pasid = below(n, PASIDS),
		.iova = some_address(n),
		.iova2 = some_address(n),
		.length = 8 + below(n, 64) * 8,
	};

	if (state == DMA_HOLDS) {
		dma_control(&d, slot, DMA_RELEASE);
	} else if (state == DMA_IDLE || state == DMA_ENDED) {
		outcomes[dma_outcome(&d, slot) % ARRAY_SIZE(outcomes)] += state == DMA_ENDED;
		dma_start(&d, slot, &op);
	}
}

static void release_all(void)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		if (dma_state(&d, i) == DMA_HOLDS)
			dma_control(&d, i, DMA_RELEASE);
}

static bool all_ended(void)
{
	release_all();
	for (unsigned int i = 0; i < SLOTS; i++)
		if (dma_state(&d, i) != DMA_ENDED && dma_state(&d, i) != DMA_IDLE)
			return false;
	return true;
}

/* One that waits for transfers comes back when they have ended. */
static void request(struct random *n, u64 nr)
{
	static const u8 sizes[] = { 0, 20, 20, 36, 28 };
	u32 size;
	u8 status;

	memset(&v.request, 0, sizeof(v.request));
	if (below(n, 3))
		invalidate(n);
	else if (below(n, 4))
		attach_table(n);
	else
		other(n);
	size = v.request.type == T_ATTACH_TABLE ? 124
	       : v.request.type == T_INVALIDATE ? 60
	                                        : sizes[v.request.type];
	viommu_offer(&v, size, 4);
	if (!wait_for(device_done(&v.dev, REQUESTQ), 1))
		check(wait_for((release_all(), device_done(&v.dev, REQUESTQ)), LONG),
		      "request %lu does not come back", nr);
	status = *(volatile u8 *)v.answer;
	check(status <= S_NOMEM, "request %lu, type %x: status %u", nr, v.request.type, status);
	check(!device_needs_reset(&v.dev), "request %lu: NEEDS_RESET", nr);
	seen[status]++;
}

/* After all that, a table that is as it should be. */
static void works(void)
{
	const struct dma_op look = { .op = DMA_CHECK, .iova = 0x1000, .length = 8 };
	u64 *root = pool + 8192;

	check(where_reset(&v.dev.where), "the reset does not end");
	viommu_start(&v, FEATURES);
	memset(pool, 0, POOL_SIZE);
	/* 25 bits, of 64 KiB: page 0 is the pool's first */
	root[0] = (u64)pool | ENTRY_NG | ENTRY_AF | ENTRY_USER | 3;
	pool[0x1000 / 8] = 4711;
	barrier();
	check(!viommu_attach_table(&v, 1, d.rid, 39 | 1 << 14 | 1 << 23 | 5UL << 32, (u64)root, 0),
	      "attach");
	check(dma_run(&d, 0, &look) == DMA_DONE && dma_result(&d, 0) == dma_checksum(4711),
	      "a good table: outcome %u, reason %u", dma_outcome(&d, 0), dma_reason(&d, 0));
}

static void fuzz(void)
{
	const u64 count = parameter_after("count=", 3000);
	struct random n = { parameter_after("seed=", 1) * 2654435769 + 1 };

	viommu_find(&v);
	dma_test_find(&d);
	dma_enable_pasids(&d);
	viommu_start(&v, FEATURES);
	check(psci_cpu_on(1, scribble) == PSCI_OK, "no second CPU");
	for (u64 i = 0; i < count; i++) {
		request(&n, i);
		for (unsigned int t = below(&n, 4); t; t--)
			transfer(&n);
	}
	check(wait_for(all_ended(), LONG), "a transfer does not end");
	over = true;
	check(wait_for(psci_affinity_info(1) == AFFINITY_OFF, LONG), "the second CPU goes on");
	for (unsigned int i = 0; i <= S_NOMEM; i++)
		print("status %u: %lu\n", i, seen[i]);
	print("done %lu, faults %lu\n", outcomes[DMA_DONE], outcomes[DMA_FAULT]);
	check(seen[S_OK] && seen[S_INVAL] && outcomes[DMA_DONE] && outcomes[DMA_FAULT],
	      "some of it did not happen");
	works();
}

/* Each level leads to the first table again: a walk ends all the same. */
static void loops(void)
{
	const struct dma_op look = { .op = DMA_CHECK, .iova = 0, .length = 8 };
	static const u64 granules[] = { 0, 2, 1 }; /* TG0 */

	viommu_find(&v);
	dma_test_find(&d);
	viommu_start(&v, FEATURES);
	for (unsigned int i = 0; i < 3; i++) {
		const u64 tcr = 16 | granules[i] << 14 | 1 << 23 | 5UL << 32 | 1UL << 39;

		pool[0] = (u64)pool | 3;
		barrier();
		check(!viommu_attach_table(&v, i, d.rid, tcr, (u64)pool, 0), "attach");
		check(dma_run(&d, 0, &look) == DMA_FAULT, "privileged: outcome %u",
		      dma_outcome(&d, 0));
		pool[0] = (u64)pool | ENTRY_USER | 3;
		barrier();
		check(dma_run(&d, 0, &look) == DMA_DONE, "reason %u", dma_reason(&d, 0));
		check(pool[0] == ((u64)pool | ENTRY_USER | ENTRY_AF | 3), "entry %lx", pool[0]);
	}
}

static const struct test tests[] = {
	{ "fuzz", fuzz },
	{ "loops", loops },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

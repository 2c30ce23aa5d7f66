// SPDX-License-Identifier: GPL-2.0-only
/*
 * Endpoints with tables of the driver's beside a model of Arm DDI 0487, D8 that never caches
 * (vmsa_model.h): random tables that grow and change, each change followed by an INVALIDATE of one
 * kind or another. VIOMMU_TABLE_CASES=N accesses, VIOMMU_TABLE_SEED=N to see a failure again.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/fake_guest_table.h"
#include "tests/unit/room.h"
#include "tests/unit/vmsa_tables.h"
#include "vmm/mem.h"

#define NR_CASES 200000
#define NR_LIVES 1000 /* cases of one configuration */
#define ASID     0x1234

static u8 *ram, *model_ram;
static struct guest_mem mem = { .size = VMSA_TABLES_RAM };
static struct vmsa_tables tables;
static struct vmsa *const v = &tables.v;
static struct fake_viommu f;
static struct dma_space space, physical, rings;
static u64 seed, step, loads;
/* That the streams reach everything. */
static u64 nr_faults[PGTABLE_PENDING], nr_hits, nr_elsewhere, nr_accessed, nr_dirtied;

__attribute__((constructor)) static void make_room(void)
{
	ram = room_of(VMSA_TABLES_RAM);
	model_ram = room_of(VMSA_TABLES_RAM);
	mem.host = tables.ram = ram;
	tables.model_ram = model_ram;
}

/* Where its rings are, or tables. */
static enum dma_status map(struct dma_space *s, struct dma_access *a, struct dma_sg *sg,
                           struct dma_token *token)
{
	(void)s;
	if (a->iova - fake_viommu_mem.base < fake_viommu_mem.size)
		return dma_map(&rings, a, sg, token);
	loads++;
	return dma_map(&physical, a, sg, token);
}

static void expect(const char *what, u64 got, u64 want)
{
	const struct pgtable *t = &tables.t1;

	if (got == want)
		return;
	fprintf(stderr, "VIOMMU_TABLE_SEED=%llu, case %llu: %s is %#llx, not %#llx\n",
	        (unsigned long long)seed, (unsigned long long)step, what, (unsigned long long)got,
	        (unsigned long long)want);
	fprintf(stderr, "  base %#llx granule %u input %u output %u start %d%s%s%s%s\n",
	        (unsigned long long)t->base, t->granule, t->input, t->output, t->start,
	        t->ha ? " ha" : "", t->hd ? " hd" : "", t->upper ? " upper" : "",
	        t->had ? " had" : "");
	cr_fatal("an endpoint's access is not as the model's");
}

/* What an ATTACH_TABLE can say. */
static bool is_offered(const struct pgtable *t)
{
	return t->input >= 25 && t->input <= 48 && t->output <= 48 && v->base != VIOMMU_BASE &&
	       v->base + mem.size <= BIT(t->output);
}

static void configure(void)
{
	struct pgtable *t = &tables.t1;

	do {
		vmsa_tables_configure(&tables);
	} while (v->t != t || v->under || !is_offered(t));
	t->ds = t->big_endian = t->affd = t->tbi = t->one_privilege = t->wxn = t->pan = t->e0pd =
		false;
	t->base &= ~15ULL;
	mem.base = v->base;
	dma_identity(&physical, &mem);
}

static u64 tcr_of(const struct pgtable *t)
{
	static const u8 tg0[] = { 0, 2, 1 }, tg1[] = { 2, 1, 3 },
			ips[] = { 32, 36, 40, 42, 44, 48 };
	const unsigned int granule = (t->granule - 12) / 2;
	u64 tcr = BIT(36) | (t->ha ? TCR_HA : 0) | (t->hd ? TCR_HD : 0), i = 0;

	while (ips[i] != t->output)
		i++;
	tcr |= i << 32;
	if (t->upper)
		return tcr | BIT(7) | (64 - t->input) << 16 | (u64)tg1[granule] << 30 |
		       (t->had ? BIT(42) : 0);
	return tcr | BIT(23) | (64 - t->input) | tg0[granule] << 14 | (t->had ? BIT(41) : 0);
}

static void attach(void)
{
	struct guest_attach a = { .domain = 1, .format = 0x80, .asid = ASID };

	a.tcr = tcr_of(&tables.t1);
	a.ttbr[tables.t1.upper] = tables.t1.base;
	for (a.endpoint = 0x10; a.endpoint < 0x12; a.endpoint++)
		expect("the status of an ATTACH_TABLE", guest_attach(&f, a), 0);
}

static void detach(void)
{
	for (u32 e = 0x10; e < 0x12; e++)
		expect("the status of a DETACH", fake_viommu_detach(&f, 1, e), 0);
}

/* Of everything, in one of the ways to say so. */
static void invalidate(void)
{
	struct guest_inval i = { .caches = C_TLB, .domain = 1, .nr_pages = 1 };

	i.flags = one_in(&tables, 2) ? F_LEAF : 0;
	i.scope = 1 + below(&tables, 3);
	if (one_in(&tables, 2)) {
		i.flags |= F_ID | F_GLOBAL;
		i.id = ASID;
	}
	i.page_size = 12 + below(&tables, 36);
	i.nr_pages = i.page_size < tables.t1.input ? BIT(tables.t1.input - i.page_size) : 1;
	i.address = tables.t1.upper ? -BIT(tables.t1.input) : below(&tables, BIT(i.page_size));
	expect("the status of an INVALIDATE", guest_invalidate(&f, i), 0);
}

/* The page or block that @addr is in, if it has got one, leads to memory, for anybody. */
static void steer(u64 addr)
{
	const struct pgtable_access a = { .addr = addr, .speculative = true, .privileged = true };
	const struct vmsa_stage s = vmsa_translate(v, &a).s1;
	u64 at, entry;

	if (s.fault)
		return;
	at = s.steps[s.nr - 1].addr - v->base;
	entry = s.steps[s.nr - 1].entry | (one_in(&tables, 4) ? 0 : G_USER | G_AF);
	entry = vmsa_with_address(v->t, entry, s.shift, v->base + below(&tables, VMSA_TABLES_RAM));
	vmsa_store(model_ram + at, false, entry);
	memcpy(ram + at, model_ram + at, 8);
}

static enum dma_reason reason_of(const struct vmsa_stage *s)
{
	static const enum dma_reason reasons[] = {
		[PGTABLE_OK] = DMA_NO_MEMORY,
		[PGTABLE_TRANSLATION] = DMA_NOT_MAPPED,
		[PGTABLE_ADDRESS_SIZE] = DMA_NOT_MAPPED,
		[PGTABLE_ACCESS_FLAG] = DMA_NOT_PERMITTED,
		[PGTABLE_PERMISSION] = DMA_NOT_PERMITTED,
		[PGTABLE_ABORT] = DMA_NO_MEMORY,
	};

	return reasons[s->fault];
}

static void compare(const struct vmsa_stage *want, const struct dma_access *a,
                    enum dma_status status, const struct iovec *iov)
{
	const u64 offset = want->output - v->base;

	nr_faults[want->fault]++;
	if (!want->fault && offset < mem.size) {
		expect("an access's status", status, DMA_OK);
		expect("where it arrives", (u8 *)iov->iov_base - ram, offset);
		nr_hits += !loads;
	} else {
		nr_elsewhere += !want->fault;
		nr_hits += !want->fault && !loads;
		expect("an access's status", status, DMA_FAULT);
		expect("a fault's reason", a->reason, reason_of(want));
	}
	for (unsigned int i = 0; i < want->nr; i++) {
		const u64 at = want->steps[i].addr - v->base;

		if (at < mem.size)
			expect("an entry", vmsa_load(ram + at, false),
			       vmsa_load(model_ram + at, false));
	}
}

static void access_once(u64 addr)
{
	static const u32 perms[] = { DMA_READ, DMA_WRITE, DMA_READ | DMA_WRITE, DMA_EXEC,
		                     DMA_READ | DMA_EXEC };
	const struct pgtable_access by = { .addr = addr, .perm = perms[below(&tables, 5)] };
	const struct vmsa_result r = vmsa_translate(v, &by);
	struct dma_access a = dma_access_to(addr, 1, by.perm);
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	struct dma_space *s = fake_viommu_dma(&f, below(&tables, 2));
	enum dma_status status;

	loads = 0;
	status = dma_map(s, &a, &sg, NULL);
	if (v->raced) {
		memcpy(model_ram, ram, VMSA_TABLES_RAM);
		invalidate();
	} else {
		compare(&r.s1, &a, status, &iov);
		nr_accessed += r.s1.accessed && !r.s1.fault;
		nr_dirtied += r.s1.dirtied && !r.s1.fault;
	}
	if (status == DMA_OK)
		dma_unmap(s, &sg);
}

static void live(u64 cases)
{
	configure();
	attach();
	for (u64 n = 0; n < cases; n++, step++) {
		const u64 addr = vmsa_tables_address(&tables);

		if (one_in(&tables, 4)) {
			vmsa_tables_grow(&tables, addr);
			if (!one_in(&tables, 4))
				steer(addr);
			if (one_in(&tables, 2))
				vmsa_tables_spoil(&tables, addr);
			invalidate();
		}
		access_once(addr);
	}
	detach();
	if (memcmp(ram, model_ram, VMSA_TABLES_RAM))
		cr_fatal("VIOMMU_TABLE_SEED=%llu: memory before case %llu is not as the model's",
		         (unsigned long long)seed, (unsigned long long)step);
}

static u64 from_environment(const char *name, u64 otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

Test(viommu_table_model, endpoints_reach_what_tables_of_chance_say)
{
	static const struct dma_ops ops = { .map = map };
	struct viommu_config c = fake_viommu_config();
	const u64 total = from_environment("VIOMMU_TABLE_CASES", NR_CASES);

	c.attach_table = true;
	dma_identity(&rings, &fake_viommu_mem);
	space = (struct dma_space){ .ops = &ops, .mem = &mem };
	fake_viommu_make_over(&f, &c, 0, &space);
	seed = tables.state = from_environment("VIOMMU_TABLE_SEED", time(NULL));
	while (step < total)
		live(total - step < NR_LIVES ? total - step : NR_LIVES);
	printf("viommu_table_model: seed %llu, %llu accesses: %llu found in the cache, %llu out of "
	       "memory, %llu access flags and %llu dirty states written; %llu translation, "
	       "%llu address size, %llu access flag, %llu permission, %llu abort\n",
	       (unsigned long long)seed, (unsigned long long)step, (unsigned long long)nr_hits,
	       (unsigned long long)nr_elsewhere, (unsigned long long)nr_accessed,
	       (unsigned long long)nr_dirtied, (unsigned long long)nr_faults[PGTABLE_TRANSLATION],
	       (unsigned long long)nr_faults[PGTABLE_ADDRESS_SIZE],
	       (unsigned long long)nr_faults[PGTABLE_ACCESS_FLAG],
	       (unsigned long long)nr_faults[PGTABLE_PERMISSION],
	       (unsigned long long)nr_faults[PGTABLE_ABORT]);
	fake_viommu_unmake(&f);
	if (total < NR_CASES)
		return;
	for (int fault = PGTABLE_OK; fault <= PGTABLE_ABORT; fault++)
		cr_assert(gt(u64, nr_faults[fault], 0), "fault %d", fault);
	cr_assert(nr_hits && nr_elsewhere && nr_accessed && nr_dirtied);
}

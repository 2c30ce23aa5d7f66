// SPDX-License-Identifier: GPL-2.0-only
/*
 * An SMMUv3 on this machine: ns for a transfer of a page that the TLB knows, for one that takes a
 * walk of four levels, of both stages; a CMD_TLBI_NH_VA; hits of a thousand streams beside one's;
 * and a transfer by what the DMA endpoint has cached (ATS), by itself and beside one that the TLB
 * knows. RUNS=5 repetitions; a line a figure: name, median, unit.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/native/figures.h"
#include "devices/dma_test_private.h"
#include "devices/smmuv3/fields.h"
#include "devices/smmuv3/smmuv3.h"
#include "vmm/arch.h"
#include "vmm/pause.h"
#include "vmm/vm.h"

#define BASE     0x80000000ULL
#define RAM      (64ULL << 20)
#define SMMU     0x9000000ULL
#define STREAMS  1000
#define PAGES    65536ULL /* mapped from IOVA 0 on: many more than the TLB holds */
#define ACCESSES 1000000
#define PAGE     4096ULL

/* Where it all is in RAM. */
#define STRTAB (BASE + 0x100000) /* 1024 STEs */
#define CDS    (BASE + 0x120000) /* a stream's each */
#define CMDQ   (BASE + 0x140000)
#define S1     (BASE + 0x200000) /* tables */
#define S2     (BASE + 0x400000)

enum figure { HIT, MISS, NESTED, INVALIDATION, THOUSAND, ATS_HIT, ATS_BY_HIT, NR_FIGURES };
static const struct {
	const char *name, *unit;
} figures[NR_FIGURES] = {
	[HIT] = { "hit", "ns" },
	[MISS] = { "miss-4-levels", "ns" },
	[NESTED] = { "miss-nested", "ns" },
	[INVALIDATION] = { "invalidation", "ns" },
	[THOUSAND] = { "thousand-streams", "of one" },
	[ATS_HIT] = { "ats-hit", "ns" },
	[ATS_BY_HIT] = { "ats-hit-by-hit", "of one" },
};

/* What the SMMU needs of a machine that is not there. */
void irq_pulse(struct irq_table *t, unsigned int spi)
{
	(void)t, (void)spi;
	abort();
}
int irq_msi_send(struct irq_table *t, const struct irq_msg *msg)
{
	(void)t, (void)msg;
	abort();
}
/* It is asked to look for writes, and never does. */
void loop_timeout(struct loop *l, struct loop_op *op, struct __kernel_timespec *ts)
{
	(void)l, (void)op, (void)ts;
}
bool vcpus_are_held(struct vm *vm)
{
	(void)vm;
	return false;
}

unsigned int vcpus_nr_holds(struct vm *vm)
{
	(void)vm;
	return 0;
}

bool loop_is_drained(const struct loop *l)
{
	(void)l;
	return false;
}

bool loop_look(struct loop *l, struct poller *p)
{
	(void)l, (void)p;
	abort();
}
void loop_look_away(struct loop *l, struct poller *p)
{
	(void)l, (void)p;
	abort();
}
void work_submit(struct work_queue *q, struct work *w)
{
	(void)q, (void)w;
	abort();
}
void arch_send_event(void)
{
	abort();
}

/* And the endpoint's cache, of the rest of the endpoint. */
bool pci_ats_enabled(const struct pci_func *f)
{
	(void)f;
	return true;
}
u64 pci_ats_unit(const struct pci_func *f)
{
	(void)f;
	return PAGE;
}
struct dt_job *dt_job(struct dma_test *d, unsigned int i)
{
	return &d->slots[i];
}
void dt_fault(struct dt_job *job, unsigned int side, u64 offset, enum dma_reason reason)
{
	(void)job, (void)side, (void)offset, (void)reason;
	abort();
}
void dt_end(struct dt_job *job, enum dt_outcome outcome)
{
	(void)job, (void)outcome;
}

static u64 state = 1; /* of next() */

static struct vm vm;
static struct log quiet;
static struct smmu *smmu;
static struct dma_space *streams[STREAMS];
static struct dma_test endpoint; /* stream 0's */
static u32 prod;

static u64 *word(gpa_t at)
{
	return guest_ptr(&vm.mem, at, 8);
}

static void write_reg(u64 offset, unsigned int size, u64 val)
{
	mmio_access(&vm.mmio, SMMU + offset, size, true, &val);
}

/* So many of the same command, and they are consumed. */
static void command(u64 w0, u64 w1, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++, prod = (prod + 1) & 0x7ff) {
		word(CMDQ)[(prod & 0x3ff) * 2] = htole64(w0);
		word(CMDQ)[(prod & 0x3ff) * 2 + 1] = htole64(w1);
	}
	write_reg(0x98, 4, prod);
}

/* Four levels of 4 KiB tables from @at on. */
static void tables(gpa_t at, u64 leaf)
{
	for (unsigned int level = 0; level < 3; level++)
		word(at + level * PAGE)[0] = htole64((at + (level + 1) * PAGE) | 3);
	for (u64 i = 0; i < PAGES / 512; i++)
		word(at + 2 * PAGE)[i] = htole64((at + (3 + i) * PAGE) | 3);
	for (u64 i = 0; i < PAGES; i++)
		word(at + 3 * PAGE)[i] = htole64((BASE + i % (RAM / PAGE) * PAGE) | leaf);
}

/* Stage 2 is the identity, in blocks of 2 MiB below one of 1 GiB's place: three levels. */
static void stage2(void)
{
	word(S2)[0] = htole64((S2 + PAGE) | 3);
	word(S2 + PAGE)[BASE >> 30] = htole64((S2 + 2 * PAGE) | 3);
	for (u64 i = 0; i < RAM >> 21; i++)
		word(S2 + 2 * PAGE)[i] = htole64((BASE + (i << 21)) | 0x4fd);
}

static void ste(u32 sid, u64 config)
{
	u64 *w = word(STRTAB + sid * 64ULL);

	w[0] = htole64(STE0_V | FIELD_PREP(STE0_CONFIG, config) | (CDS + sid * 64ULL));
	w[1] = htole64(FIELD_PREP(STE1_EATS, 1ULL));
	w[2] = htole64(FIELD_PREP(STE2_S2T0SZ, 16ULL) | FIELD_PREP(STE2_S2SL0, 2ULL) |
	               FIELD_PREP(STE2_S2PS, 5ULL) | STE2_S2AA64 | STE2_S2R | 1);
	w[3] = htole64(S2);
}

/* All have the same tables, and an ASID each. */
static void cd(u32 sid)
{
	u64 *w = word(CDS + sid * 64ULL);

	w[0] = htole64(FIELD_PREP(CD0_T0SZ, 16ULL) | CD0_EPD1 | CD0_V | FIELD_PREP(CD0_IPS, 5ULL) |
	               CD0_AA64 | CD0_R | CD0_A | CD0_ASET | FIELD_PREP(CD0_ASID, sid + 1ULL));
	w[1] = htole64(S1);
}

static u32 sid_of(const void *ctx)
{
	return (uintptr_t)ctx;
}

static void make(void)
{
	struct smmu_config c = { .name = "bench", .base = SMMU };
	struct smmu_endpoint *e;

	vm.log = &quiet;
	vm.mem = (struct guest_mem){ .base = BASE, .size = RAM, .host = aligned_alloc(PAGE, RAM) };
	memset(vm.mem.host, 0, RAM);
	dma_identity(&vm.dma, &vm.mem);
	smmu_id_default(&c.id, 48);
	if (smmu_create(&smmu, &vm, &c))
		abort();
	tables(S1, 0xf43); /* read and written by all, AF, nG */
	stage2();
	for (uintptr_t i = 0; i < STREAMS; i++) {
		if (smmu_add_endpoint(smmu, &e))
			abort();
		streams[i] = smmu_endpoint_dma(e);
		smmu_identify(e, sid_of, (void *)i);
		cd(i);
		ste(i, 5);
	}
	write_reg(0x80, 8, STRTAB);
	write_reg(0x88, 4, 10);
	write_reg(0x90, 8, CMDQ | 10);
	write_reg(0x20, 4, CR0_CMDQEN | CR0_SMMUEN | CR0_ATSCHK);
	endpoint.func.dma = streams[0];
	endpoint.device.invalidate = dt_invalidate;
	streams[0]->device = &endpoint.device;
}

static void touch(struct dma_space *s, u64 page)
{
	struct iovec iov[1];
	struct dma_use *uses[1];
	struct dma_sg sg = { .iov = iov, .uses = uses, .max = 1 };
	struct dma_access a = dma_access_to(page * PAGE, PAGE, DMA_READ);

	if (dma_map(s, &a, &sg, NULL) != DMA_OK)
		abort();
	dma_unmap(s, &sg);
}

static void touch_cached(u64 page)
{
	struct iovec iov[1];
	struct dma_use *uses[1];
	struct dma_sg sg = { .iov = iov, .uses = uses, .max = 1 };
	struct dma_access a = dma_access_to(page * PAGE, PAGE, DMA_READ);
	u64 len;

	if (!dt_atc_find(&endpoint, &a, &len) || len != PAGE ||
	    dma_map(streams[0], &a, &sg, NULL) != DMA_OK)
		abort();
	dma_unmap(streams[0], &sg);
}

/* Of @nr streams by turns, to one page each or (@pages) to any. */
static double accesses(unsigned int nr, u64 pages)
{
	double start;

	for (unsigned int i = 0; i < nr; i++)
		touch(streams[i], i % pages);
	start = now();
	for (u64 i = 0; i < ACCESSES; i++)
		touch(streams[nr == 1 ? 0 : i % nr], pages == 1 ? 0 : next(&state) % pages);
	return (now() - start) / ACCESSES;
}

/* As many pages as the endpoint's cache holds, by turns; by what is in there, or not. */
static double own_accesses(bool translated)
{
	double start;

	for (u64 i = 0; i < DT_CACHED; i++) {
		struct dt_job job = { .d = &endpoint, .flags = DMA_READ, .iova[0] = i * PAGE };

		dt_translate(&job);
		touch(streams[0], i);
	}
	start = now();
	for (u64 i = 0; i < ACCESSES; i++)
		translated ? touch_cached(i % DT_CACHED) : touch(streams[0], i % DT_CACHED);
	return (now() - start) / ACCESSES;
}

static void forget(u64 config)
{
	ste(0, config);
	command(3, 0, 1);    /* CMD_CFGI_STE of stream 0 */
	command(0x30, 0, 1); /* CMD_TLBI_NSNH_ALL */
}

/* 200 at a time, of pages that are in the TLB; putting them back is not counted. */
static double invalidations(void)
{
	double sum = 0, start;

	for (unsigned int round = 0; round < 500; round++) {
		for (u64 i = 0; i < 200; i++)
			touch(streams[0], i);
		for (u64 i = 0; i < 200; i++) {
			word(CMDQ)[((prod + i) & 0x3ff) * 2] = htole64(0x12 | 1ULL << 48);
			word(CMDQ)[((prod + i) & 0x3ff) * 2 + 1] = htole64(i * PAGE | 1);
		}
		prod = (prod + 200) & 0x7ff;
		start = now();
		write_reg(0x98, 4, prod);
		sum += now() - start;
	}
	return sum / 500 / 200;
}

static void measure(double results[NR_FIGURES][MAX_RUNS], unsigned int run)
{
	forget(5);
	results[HIT][run] = accesses(1, 1);
	/* as many translations, of as many ASIDs or of one: the TLB holds them */
	results[THOUSAND][run] = accesses(STREAMS, 4) / accesses(1, 4 * STREAMS);
	forget(5);
	results[INVALIDATION][run] = invalidations();
	results[ATS_HIT][run] = own_accesses(true);
	results[ATS_BY_HIT][run] = results[ATS_HIT][run] / own_accesses(false);
	results[MISS][run] = accesses(1, PAGES);
	forget(7);
	results[NESTED][run] = accesses(1, PAGES);
	forget(5);
}

int main(void)
{
	static double results[NR_FIGURES][MAX_RUNS];
	const unsigned int runs = repetitions();

	make();
	for (unsigned int run = 0; run < runs; run++)
		measure(results, run);
	for (unsigned int f = 0; f < NR_FIGURES; f++)
		printf("smmu-%s %.*f %s\n", figures[f].name, figures[f].unit[0] == 'o' ? 2 : 0,
		       median(results[f], runs), figures[f].unit);
	return 0;
}

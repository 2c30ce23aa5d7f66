/* SPDX-License-Identifier: GPL-2.0-only */
/* What an endpoint reaches through an SMMUv3: by each kind of STE and CD, before it is enabled, and
 * while it is told otherwise. The DMA endpoint is behind it. */
#include "lib/dmatest.h"
#include "lib/smmu.h"

#define IOVA   0x4000000000UL /* beyond all memory */
#define IPA    0x200000000UL
#define PAGES  4
#define LENGTH 64

static struct smmu s;
static struct dma_test d;
static struct tables t1, t2;
static struct cd cds[64] __attribute__((aligned(4096)));
static u8 memory[PAGES * PAGE] __attribute__((aligned(4096)));
static u64 seed;

static void find(void)
{
	dma_test_find(&d);
	smmu_start(&s);
	tables_clear(&t1);
	tables_clear(&t2);
	memset(cds, 0, sizeof(cds));
}

static void set(const struct ste ste)
{
	smmu_set_ste(&s, d.rid, &ste);
}

/* docs/dma-test.md: word 0 of a pattern. */
static u64 pattern(u64 of)
{
	u64 z = of + 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned int fill(u64 iova, u32 flags, u32 pasid)
{
	const struct dma_op op = { .op = DMA_FILL,
		                   .flags = flags,
		                   .iova = iova,
		                   .length = LENGTH,
		                   .arg0 = ++seed,
		                   .pasid = pasid };

	memset(memory, 0, sizeof(memory));
	barrier();
	return dma_run(&d, 1, &op);
}

/* What is written to @iova arrives at memory[@at], and nowhere else. */
static void arrives(u64 iova, u64 at, const char *when)
{
	u64 others = 0;

	check(fill(iova, 0, 0) == DMA_DONE, "%s: outcome %u, reason %u", when, dma_outcome(&d, 1),
	      dma_reason(&d, 1));
	check(*(u64 *)&memory[at] == pattern(seed), "%s: it is not there", when);
	for (u64 i = 0; i < sizeof(memory); i++)
		others |= i - at < LENGTH ? 0 : memory[i];
	check(!others, "%s: it is elsewhere, too", when);
	smmu_expect_none(&s, when);
}

static void aborts(u64 iova, const char *when)
{
	check(fill(iova, 0, 0) == DMA_FAULT && dma_reason(&d, 1) == DMA_NOT_ATTACHED,
	      "%s: outcome %u, reason %u", when, dma_outcome(&d, 1), dma_reason(&d, 1));
	smmu_expect_none(&s, when);
}

static void gbpa(u32 val)
{
	write32(SMMU_BASE + SMMU_GBPA, val | GBPA_UPDATE);
	check(wait_for(!(read32(SMMU_BASE + SMMU_GBPA) & GBPA_UPDATE), LONG), "GBPA %x",
	      read32(SMMU_BASE + SMMU_GBPA));
}

/* Enabled or not decides between the table and GBPA. */
static void disabled(void)
{
	u32 initial = read32(SMMU_BASE + SMMU_GBPA);

	dma_test_find(&d);
	arrives((u64)memory, 0, "after a reset");
	check(!(initial & GBPA_ABORT), "GBPA %x", initial);
	write32(SMMU_BASE + SMMU_GBPA, initial | GBPA_ABORT);
	arrives((u64)memory, 0, "GBPA written without Update");
	gbpa(initial | GBPA_ABORT);
	aborts((u64)memory, "GBPA.ABORT");
	find();
	set((struct ste){ { STE0(STE_BYPASS) } });
	arrives((u64)memory, 0, "enabled");
	smmu_set_cr0(CR0_EVENTQEN);
	aborts((u64)memory, "disabled again");
	gbpa(initial);
	arrives((u64)memory, 0, "no GBPA.ABORT");
}

static void streams(void)
{
	find();
	set((struct ste){ { STE0(STE_ABORT) } });
	aborts((u64)memory, "abort");
	set((struct ste){ { STE0(STE_BYPASS) } });
	arrives((u64)memory + 8, 8, "bypass");
	s.streams[d.rid].w[0] = STE0(STE_ABORT);
	barrier();
	arrives((u64)memory, 0, "an STE that is cached");
	smmu_push(&s, CMD_CFGI_STE | CMD_SID(d.rid + 1), CMD_LEAF);
	smmu_sync(&s);
	arrives((u64)memory, 0, "another's is told");
	smmu_push(&s, CMD_CFGI_STE_RANGE | CMD_SID(d.rid & ~7u), 2);
	smmu_sync_message(&s);
	aborts((u64)memory, "its range is told");
}

/* Pages in the other order, at @base. */
static void reverse(struct tables *t, u64 base, u64 attributes)
{
	for (u64 i = 0; i < PAGES; i++)
		tables_map(t, base + i * PAGE, (u64)memory + (PAGES - 1 - i) * PAGE, 1, attributes);
}

static void stage1(void)
{
	struct ste ste;

	find();
	reverse(&t1, IOVA, S1_PAGE | ENTRY_NG);
	cds[0] = smmu_cd(&t1, 1);
	ste = smmu_s1(cds);
	set(ste);
	arrives(IOVA + 8, (PAGES - 1) * PAGE + 8, "the first page");
	arrives(IOVA + PAGES * PAGE - LENGTH, PAGE - LENGTH, "the last");
	tables_map(&t1, IOVA, (u64)memory, 1, S1_PAGE | ENTRY_NG);
	arrives(IOVA, (PAGES - 1) * PAGE, "an entry that is cached");
	smmu_push(&s, CMD_TLBI_NH_VA | CMD_ASID(2), IOVA);
	smmu_sync(&s);
	arrives(IOVA, (PAGES - 1) * PAGE, "another ASID's is told");
	smmu_push(&s, CMD_TLBI_NH_VA | CMD_ASID(1), IOVA);
	smmu_sync(&s);
	arrives(IOVA, 0, "it is told");
	/* A block at level 2: memory is within its 2 MiB. */
	*tables_entry(&t1, IOVA + (1UL << 30), 2) = ((u64)memory & ~((1UL << 21) - 1)) | BLOCK |
	                                            ENTRY_AF | ENTRY_USER;
	barrier();
	arrives(IOVA + (1UL << 30) + ((u64)memory & ((1UL << 21) - 1)) + 256, 256, "a block");
	ste.w[1] = STE1_UNPRIV;
	set(ste);
	arrives(IOVA, 0, "without privilege");
}

static void stage2(void)
{
	find();
	reverse(&t2, IPA, S2_PAGE);
	set(smmu_s2(&t2, 3));
	arrives(IPA + 8, (PAGES - 1) * PAGE + 8, "the first page");
	tables_map(&t2, IPA, (u64)memory, 1, S2_PAGE);
	arrives(IPA, (PAGES - 1) * PAGE, "an entry that is cached");
	smmu_push(&s, CMD_TLBI_S2_IPA | CMD_VMID(4), IPA);
	smmu_sync(&s);
	arrives(IPA, (PAGES - 1) * PAGE, "another VMID's is told");
	smmu_push(&s, CMD_TLBI_S2_IPA | CMD_VMID(3), IPA);
	smmu_sync(&s);
	arrives(IPA, 0, "it is told");
}

/* Stage 1's tables and the CD are at IPAs of their own. */
static void map_stage1(u64 away)
{
	tables_map(&t2, (u64)&t1 + away, (u64)&t1, sizeof(t1.table) / PAGE, S2_PAGE);
	tables_map(&t2, (u64)cds + away, (u64)cds, 1, S2_PAGE);
	for (unsigned int i = 0; i < t1.used; i++)
		for (unsigned int j = 0; j < 512; j++)
			if (t1.table[i][j] && i != t1.used - 1)
				t1.table[i][j] += away;
	barrier();
}

static void nested(void)
{
	const u64 away = 0x100000000;
	struct cd cd;

	find();
	tables_map(&t1, IOVA, IPA, PAGES, S1_PAGE); /* all its pages are in the last table */
	reverse(&t2, IPA, S2_PAGE);
	map_stage1(away);
	cd = smmu_cd(&t1, 1);
	cd.w[1] += away;
	cds[0] = cd;
	set(smmu_nested((u64)cds + away, &t2, 3));
	arrives(IOVA + 8, (PAGES - 1) * PAGE + 8, "the first page");
	arrives(IOVA + PAGE, (PAGES - 2) * PAGE, "the second");
	tables_map(&t2, IPA, (u64)memory, 1, S2_PAGE);
	smmu_push(&s, CMD_TLBI_S2_IPA | CMD_VMID(3), IPA);
	smmu_push(&s, CMD_TLBI_NH_ALL | CMD_VMID(3), 0);
	smmu_sync(&s);
	arrives(IOVA, 0, "stage 2 is another");
	tables_map(&t2, IPA, (u64)memory + PAGE, 1, S2_PAGE);
	smmu_push(&s, CMD_TLBI_S12_VMALL | CMD_VMID(3), 0);
	smmu_sync(&s);
	arrives(IOVA, PAGE, "and told by its VMID");
}

/* 5.1: 64 STEs behind each descriptor. */
static void two_level(void)
{
	static struct ste leaf[64] __attribute__((aligned(4096)));
	static u64 top[1 << 10] __attribute__((aligned(8192)));

	find();
	leaf[d.rid & 63] = (struct ste){ { STE0(STE_BYPASS) } };
	top[d.rid >> 6] = (u64)leaf | 7;
	smmu_set_streams(&s, (u64)top, STRTAB_2LVL | STRTAB_SPLIT_6 | 16);
	arrives((u64)memory, 0, "bypass");
	top[d.rid >> 6] = (u64)leaf | (d.rid & 63 ? __builtin_ctz(d.rid & 63) + 1 : 0);
	smmu_push(&s, CMD_CFGI_STE | CMD_SID(d.rid), 0);
	smmu_sync(&s);
	aborts((u64)memory, "beyond the span");
	top[d.rid >> 6] = 0;
	smmu_push(&s, CMD_CFGI_STE_RANGE, 31);
	smmu_sync(&s);
	aborts((u64)memory, "no span");
}

static void arrives_of(u32 pasid, u64 at, const char *when)
{
	check(fill(IOVA, DMA_F_PASID, pasid) == DMA_DONE, "%s: outcome %u, reason %u", when,
	      dma_outcome(&d, 1), dma_reason(&d, 1));
	check(*(u64 *)&memory[at] == pattern(seed), "%s: it is not there", when);
	smmu_expect_none(&s, when);
}

/* Each process has a table of its own, and what has none bypasses, or has the first. */
static void pasid(void)
{
	static struct tables other;
	static struct cd leaf[1024] __attribute__((aligned(4096)));
	static u64 l1[64] __attribute__((aligned(512)));
	struct ste ste;

	find();
	dma_enable_pasids(&d);
	tables_clear(&other);
	reverse(&t1, IOVA, S1_PAGE | ENTRY_NG);
	tables_map(&other, IOVA, (u64)memory, PAGES, S1_PAGE | ENTRY_NG);
	cds[1] = smmu_cd(&t1, 1);
	cds[2] = smmu_cd(&other, 2);
	ste = smmu_s1(cds);
	ste.w[0] |= STE0_CDMAX(6);
	ste.w[1] = STE1_S1DSS(S1DSS_BYPASS);
	set(ste);
	arrives_of(1, (PAGES - 1) * PAGE, "PASID 1");
	arrives_of(2, 0, "PASID 2");
	arrives((u64)memory, 0, "none: bypass");
	cds[0] = cds[2];
	ste.w[1] = STE1_S1DSS(S1DSS_SSID0);
	set(ste);
	arrives(IOVA, 0, "none: the first");
	l1[0x845 >> 6] = (u64)cds | 1;
	cds[0x845 & 63] = cds[2];
	ste = (struct ste){ { STE0(STE_S1) | (u64)l1 | STE0_2LVL_4K | STE0_CDMAX(12) } };
	set(ste);
	arrives_of(0x845, 0, "a leaf of 64");
	leaf[0x845 & 1023] = cds[1];
	l1[0x845 >> 10] = (u64)leaf | 1;
	ste.w[0] = STE0(STE_S1) | (u64)l1 | STE0_2LVL_64K | STE0_CDMAX(12);
	set(ste);
	arrives_of(0x845, (PAGES - 1) * PAGE, "a leaf of 1024");
	leaf[0x845 & 1023] = cds[2];
	barrier();
	arrives_of(0x845, (PAGES - 1) * PAGE, "a CD that is cached");
	smmu_push(&s, CMD_CFGI_CD | CMD_SID(d.rid) | CMD_SSID(0x45), CMD_LEAF);
	smmu_sync(&s);
	arrives_of(0x845, (PAGES - 1) * PAGE, "another's is told");
	smmu_push(&s, CMD_CFGI_CD | CMD_SID(d.rid) | CMD_SSID(0x845), CMD_LEAF);
	smmu_sync(&s);
	arrives_of(0x845, 0, "it is told");
}

/* What CMD_TLBI_NH_VA took, CMD_SYNC waits for; a command before it does not. */
static void hold(void)
{
	struct dma_op op = {
		.op = DMA_FILL, .flags = DMA_F_HELD, .iova = IOVA, .length = PAGE, .arg0 = 1
	};
	struct smmu_event e;

	find();
	tables_map(&t1, IOVA, (u64)memory, PAGES, S1_PAGE | ENTRY_NG);
	cds[0] = smmu_cd(&t1, 1);
	set(smmu_s1(cds));
	memset(memory, 0, sizeof(memory));
	dma_start(&d, 0, &op);
	check(wait_for(dma_state(&d, 0) == DMA_HOLDS, LONG), "nothing is held");
	smmu_push(&s, CMD_TLBI_NH_VA | CMD_ASID(1), (IOVA + PAGE) | CMD_LEAF);
	smmu_sync(&s);
	smmu_push(&s, CMD_TLBI_NH_VA | CMD_ASID(2), IOVA | CMD_LEAF);
	smmu_sync(&s);
	*tables_entry(&t1, IOVA, 3) = 0;
	barrier();
	smmu_push(&s, CMD_TLBI_NH_VA | CMD_ASID(1), IOVA | CMD_LEAF);
	check(wait_for(smmu_consumed(&s), LONG), "the invalidation waits by itself");
	smmu_push(&s, CMD_SYNC, 0);
	check(!wait_for(smmu_consumed(&s), 50), "CMD_SYNC does not wait");
	check(fill(IOVA + PAGE, 0, 0) == DMA_DONE, "another page while it waits");
	check(fill(IOVA, 0, 0) == DMA_FAULT && smmu_event(&s, &e), "a new access while it waits");
	dma_control(&d, 0, DMA_RELEASE);
	check(wait_for(smmu_consumed(&s), LONG), "CMD_SYNC does not end");
	check(*(volatile u64 *)memory == pattern(1), "it ends before the transfer");
	check(dma_state(&d, 0) == DMA_ENDED && dma_outcome(&d, 0) == DMA_DONE, "outcome %u",
	      dma_outcome(&d, 0));
}

/* The other CPU, once the first waits: what ends the transfer is not that CPU's. */
static volatile bool waits;
static void release(void)
{
	while (!waits)
		;
	dma_control(&d, 0, DMA_RELEASE);
	for (;;)
		asm volatile("wfi");
}

/* 4.7.3: SIG_SEV. No timer, nor anything else of this CPU's, ends its WFE. */
static void event(void)
{
	struct dma_op op = {
		.op = DMA_FILL, .flags = DMA_F_HELD, .iova = IOVA, .length = PAGE, .arg0 = 1
	};
	u64 woken = 0;

	find();
	tables_map(&t1, IOVA, (u64)memory, PAGES, S1_PAGE | ENTRY_NG);
	cds[0] = smmu_cd(&t1, 1);
	set(smmu_s1(cds));
	check(psci_cpu_on(1, release) == PSCI_OK, "CPU 1 does not start");
	dma_start(&d, 0, &op);
	check(wait_for(dma_state(&d, 0) == DMA_HOLDS, LONG), "nothing is held");
	smmu_push(&s, CMD_TLBI_NH_VA | CMD_ASID(1), IOVA | CMD_LEAF);
	smmu_push(&s, CMD_SYNC | 2 << 12, 0);
	check(!smmu_consumed(&s), "CMD_SYNC does not wait");
	waits = true;
	for (; !smmu_consumed(&s); woken++)
		asm volatile("wfe" ::: "memory");
	check(dma_state(&d, 0) == DMA_ENDED, "it ends before the transfer");
	print("woken %lu times\n", woken);
}

static const struct test tests[] = {
	{ "disabled", disabled },   { "streams", streams }, { "stage1", stage1 },
	{ "stage2", stage2 },       { "nested", nested },   { "pasid", pasid },
	{ "two-level", two_level }, { "hold", hold },       { "event", event },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

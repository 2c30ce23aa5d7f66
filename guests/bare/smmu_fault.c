/* SPDX-License-Identifier: GPL-2.0-only */
/* Faults of an SMMUv3: each kind's event to the bit. The DMA endpoint is behind it. */
#include "lib/dmatest.h"
#include "lib/smmu.h"

#define IOVA    0x4000000000UL
#define NOWHERE 0x60000000UL /* no RAM */
#define AWAY    0x30000000UL /* an IPA that nothing is mapped at */
#define ASID    5
#define SSID    0x12345

static struct smmu s;
static struct dma_test d;
static struct tables t1, t2;
static struct cd cds[64] __attribute__((aligned(4096)));
static u8 memory[PAGE] __attribute__((aligned(4096)));
static struct ste ste;
static struct dma_op op;

static void find(void)
{
	dma_test_find(&d);
	smmu_start(&s);
}

/* All is well: stage 1 has one page, stage 2 all of RAM as it is. */
static void make(unsigned int config)
{
	tables_clear(&t1);
	tables_clear(&t2);
	memset(cds, 0, sizeof(cds));
	tables_map(&t1, IOVA, (u64)memory, 1, S1_PAGE | ENTRY_NG);
	*tables_entry(&t2, RAM_BASE, 1) = RAM_BASE | (S2_PAGE & ~2UL);
	cds[0] = smmu_cd(&t1, ASID);
	ste = config == STE_S1   ? smmu_s1(cds)
	      : config == STE_S2 ? smmu_s2(&t2, 3)
	                         : smmu_nested((u64)cds, &t2, 3);
	op = (struct dma_op){ .op = DMA_FILL,
		              .iova = config == STE_S2 ? (u64)memory : IOVA,
		              .length = 16,
		              .pasid = SSID };
}

static u64 *entry1(void)
{
	return tables_entry(&t1, IOVA, 3);
}

/* The page of stage 2 that is away, with these attributes. */
static void entry2(u64 to, u64 attributes)
{
	tables_map(&t2, AWAY, to, 1, attributes);
	if ((ste.w[0] >> 1 & 7) == STE_S2)
		op.iova = AWAY + 8;
}

/* What is done to what is well. */
static void ste_invalid(void)
{
	ste.w[0] &= ~1UL;
}

static void ste_illegal(void)
{
	ste.w[2] |= STE2_S2SL0(3);
}

static void ste_stalls(void)
{
	ste.w[1] |= STE1_S1STALLD;
	cds[0].w[0] |= 1UL << 44; /* S: what was disabled */
}

static void no_substream(void)
{
	ste.w[0] |= STE0_CDMAX(6);
}

static void substream(void)
{
	op.flags |= DMA_F_PASID;
}

static void cd_nowhere(void)
{
	ste.w[0] = STE0(STE_S1) | NOWHERE;
}

static void cd_invalid(void)
{
	cds[0].w[0] &= ~CD0_V;
}

static void cd_size(void)
{
	cds[0].w[0] |= CD0_T0SZ(63);
}

static void table_nowhere(void)
{
	*tables_entry(&t1, IOVA, 2) = NOWHERE | TABLE;
}

static void unmapped(void)
{
	*entry1() = 0;
}

static void unmapped_above(void)
{
	*tables_entry(&t1, IOVA, 1) = 0;
}

static void walks_off(void)
{
	cds[0].w[0] |= CD0_EPD0;
}

static void too_large(void)
{
	*entry1() |= 1UL << 40;
}

static void table_too_large(void)
{
	*tables_entry(&t1, IOVA, 2) |= 1UL << 47;
}

static void not_accessed(void)
{
	*entry1() &= ~ENTRY_AF;
}

static void read_only(void)
{
	*entry1() |= ENTRY_RO;
}

static void read_only_privileged(void)
{
	read_only();
	ste.w[1] |= STE1_PRIV;
}

static void privileged(void)
{
	*entry1() &= ~ENTRY_USER;
	op.op = DMA_CHECK;
}

static void not_executable(void)
{
	*entry1() |= ENTRY_UXN;
	ste.w[1] |= STE1_INST;
	op.op = DMA_CHECK;
}

static void unmapped2(void)
{
	entry2(0, 0);
}

static void out_of_range2(void)
{
	ste.w[2] += STE2_S2T0SZ(1);
	op.iova = 1UL << 35;
}

static void beyond_oas2(void)
{
	op.iova = 1UL << 52;
}

static void too_large2(void)
{
	entry2(1UL << 40, S2_PAGE);
}

static void not_accessed2(void)
{
	entry2((u64)memory, S2_PAGE & ~ENTRY_AF);
}

static void read_only2(void)
{
	entry2((u64)memory, S2_PAGE & ~ENTRY_S2_WRITE);
}

static void table_nowhere2(void)
{
	entry2(0, 0);
	*tables_entry(&t2, AWAY, 2) = NOWHERE | TABLE;
}

static void cd_away(void)
{
	ste.w[0] = STE0(STE_NESTED) | AWAY;
}

static void table_away(void)
{
	*tables_entry(&t1, IOVA, 2) = AWAY | TABLE;
}

static void table_unreadable(void)
{
	table_away();
	entry2((u64)memory, S2_PAGE & ~ENTRY_S2_READ);
}

/* The access flag would be written. */
static void table_unwritable(void)
{
	u64 table = *tables_entry(&t1, IOVA, 2) & ~(PAGE - 1);

	not_accessed();
	cds[0].w[0] |= CD0_HA;
	table_away();
	entry2(table, S2_PAGE & ~ENTRY_S2_WRITE);
}

static void page_away(void)
{
	*entry1() = AWAY | S1_PAGE;
}

static void page_unwritable(void)
{
	page_away();
	read_only2();
}

static const struct fault {
	const char *name;
	u8 config, id;
	void (*make)(void);
	u64 w1, w3;
} faults[] = {
	{ "invalid STE", STE_S1, C_BAD_STE, ste_invalid },
	{ "illegal STE", STE_S2, C_BAD_STE, ste_illegal },
	{ "S1STALLD", STE_S1, C_BAD_CD, ste_stalls },
	{ "no SubstreamID", STE_S1, F_STREAM_DISABLED, no_substream },
	{ "SubstreamID", STE_S1, C_BAD_SUBSTREAMID, substream },
	{ "CD nowhere", STE_S1, F_CD_FETCH, cd_nowhere, 0, NOWHERE },
	{ "invalid CD", STE_S1, C_BAD_CD, cd_invalid },
	{ "T0SZ of a CD", STE_S1, C_BAD_CD, cd_size },
	{ "table nowhere", STE_S1, F_WALK_EABT, table_nowhere, EVENT1_TT, NOWHERE },
	{ "unmapped", STE_S1, F_TRANSLATION, unmapped, EVENT1_IN },
	{ "unmapped at level 1", STE_S1, F_TRANSLATION, unmapped_above, EVENT1_IN },
	{ "EPD0", STE_S1, F_TRANSLATION, walks_off, EVENT1_IN },
	{ "page beyond IPS", STE_S1, F_ADDR_SIZE, too_large, EVENT1_IN },
	{ "table beyond IPS", STE_S1, F_ADDR_SIZE, table_too_large, EVENT1_IN },
	{ "access flag", STE_S1, F_ACCESS, not_accessed, EVENT1_IN },
	{ "read-only", STE_S1, F_PERMISSION, read_only, EVENT1_IN },
	{ "read-only, privileged", STE_S1, F_PERMISSION, read_only_privileged,
	  EVENT1_IN | EVENT1_PNU },
	{ "privileged", STE_S1, F_PERMISSION, privileged, EVENT1_IN },
	{ "not executable", STE_S1, F_PERMISSION, not_executable, EVENT1_IN | EVENT1_IND },
	{ "unmapped at stage 2", STE_S2, F_TRANSLATION, unmapped2, EVENT1_S2 | EVENT1_IN, AWAY },
	{ "beyond S2T0SZ", STE_S2, F_TRANSLATION, out_of_range2, EVENT1_S2 | EVENT1_IN, 1UL << 35 },
	{ "beyond IAS", STE_S2, F_ADDR_SIZE, beyond_oas2, EVENT1_IN },
	{ "page beyond S2PS", STE_S2, F_ADDR_SIZE, too_large2, EVENT1_S2 | EVENT1_IN, AWAY },
	{ "access flag at stage 2", STE_S2, F_ACCESS, not_accessed2, EVENT1_S2 | EVENT1_IN, AWAY },
	{ "read-only at stage 2", STE_S2, F_PERMISSION, read_only2, EVENT1_S2 | EVENT1_IN, AWAY },
	{ "table of stage 2 nowhere", STE_S2, F_WALK_EABT, table_nowhere2, EVENT1_S2 | EVENT1_IN,
	  NOWHERE + (AWAY >> 12 & 511) * 8 },
	{ "CD unmapped", STE_NESTED, F_TRANSLATION, cd_away, EVENT1_S2 | EVENT1_CD, AWAY },
	{ "table unmapped", STE_NESTED, F_TRANSLATION, table_away, EVENT1_S2 | EVENT1_TT, AWAY },
	{ "table unreadable", STE_NESTED, F_PERMISSION, table_unreadable,
	  EVENT1_S2 | EVENT1_TT | EVENT1_TTRNW, AWAY },
	{ "table unwritable", STE_NESTED, F_PERMISSION, table_unwritable, EVENT1_S2 | EVENT1_TT,
	  AWAY },
	{ "page unmapped at stage 2", STE_NESTED, F_TRANSLATION, page_away, EVENT1_S2 | EVENT1_IN,
	  AWAY },
	{ "page read-only at stage 2", STE_NESTED, F_PERMISSION, page_unwritable,
	  EVENT1_S2 | EVENT1_IN, AWAY },
	{ "read-only at stage 1", STE_NESTED, F_PERMISSION, read_only, EVENT1_IN },
};

/* 7.3: configuration errors have no address. */
static struct smmu_event expected(const struct fault *f)
{
	struct smmu_event e = { { EVENT0(f->id, d.rid), f->w1, 0, f->w3 } };

	if (op.flags & DMA_F_PASID)
		e.w[0] |= f->id == C_BAD_SUBSTREAMID ? EVENT0_SSID(SSID) : EVENT0_SSV(SSID);
	if (f->id >= F_WALK_EABT) {
		e.w[1] |= op.op == DMA_CHECK ? EVENT1_RNW : 0;
		e.w[2] = op.iova;
	}
	return e;
}

static void try(const struct fault *f)
{
	struct smmu_event want;

	smmu_set_ste(&s, d.rid, &ste);
	smmu_push(&s, CMD_TLBI_NSNH_ALL, 0);
	smmu_sync(&s);
	check(dma_run(&d, 0, &op) == DMA_FAULT && dma_fault_at(&d, 0) == op.iova,
	      "%s: outcome %u, at %lx", f->name, dma_outcome(&d, 0), dma_fault_at(&d, 0));
	want = expected(f);
	smmu_expect(&s, &want, f->name);
}

static void enable_pasid(void)
{
	u64 at = pci_ext_capability(d.rid, EXT_PASID);

	check(at, "no PASIDs");
	write16(at + 6, 1);
}

static void each(void)
{
	find();
	enable_pasid();
	for (unsigned int i = 0; i < ARRAY_SIZE(faults); i++) {
		make(faults[i].config);
		smmu_set_ste(&s, d.rid, &ste);
		smmu_push(&s, CMD_TLBI_NSNH_ALL, 0);
		smmu_sync(&s);
		check(dma_run(&d, 0, &op) == DMA_DONE, "before %s: outcome %u, reason %u",
		      faults[i].name, dma_outcome(&d, 0), dma_reason(&d, 0));
		faults[i].make();
		barrier();
		try(&faults[i]);
	}
}

/* Faults that nobody wants to know of. */
static void silent(void)
{
	find();
	for (unsigned int i = 0; i < ARRAY_SIZE(faults); i++) {
		const struct fault *f = &faults[i];

		/* What is no fault of a stage is recorded whatever CD.R and STE.S2R say. */
		if (f->id < F_TRANSLATION || f->make == beyond_oas2)
			continue;
		make(f->config);
		f->make();
		cds[0].w[0] &= ~CD0_R;
		ste.w[2] &= ~STE2_S2R;
		smmu_set_ste(&s, d.rid, &ste);
		smmu_push(&s, CMD_TLBI_NSNH_ALL, 0);
		smmu_sync(&s);
		check(dma_run(&d, 0, &op) == DMA_FAULT, "%s: outcome %u", f->name,
		      dma_outcome(&d, 0));
		smmu_expect_none(&s, f->name);
	}
}

/* The Stream table itself: nowhere, or too small. */
static void stream_table(void)
{
	const struct fault fetch = { "STE nowhere", STE_S1, F_STE_FETCH,
		                     NULL,          0,      NOWHERE + d.rid * 64 };
	const struct fault bad = { "no STE", STE_S1, C_BAD_STREAMID };
	struct smmu_event want;

	find();
	make(STE_S1);
	smmu_set_streams(&s, NOWHERE, SMMU_LOG2_STREAMS);
	check(dma_run(&d, 0, &op) == DMA_FAULT, "outcome %u", dma_outcome(&d, 0));
	want = expected(&fetch);
	want.w[3] = NOWHERE + d.rid * 64;
	smmu_expect(&s, &want, fetch.name);
	check(d.rid >= 4, "the DMA endpoint is %x", d.rid);
	smmu_set_streams(&s, (u64)s.streams, 2);
	check(dma_run(&d, 0, &op) == DMA_FAULT, "outcome %u", dma_outcome(&d, 0));
	smmu_expect_none(&s, "RECINVSID is 0");
	smmu_set_cr0(CR0_CMDQEN | CR0_EVENTQEN);
	write32(SMMU_BASE + SMMU_CR2, CR2_RECINVSID);
	smmu_set_cr0(CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN);
	check(dma_run(&d, 0, &op) == DMA_FAULT, "outcome %u", dma_outcome(&d, 0));
	want = expected(&bad);
	smmu_expect(&s, &want, bad.name);
}

static const struct test tests[] = {
	{ "each", each },
	{ "silent", silent },
	{ "stream-table", stream_table },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

// SPDX-License-Identifier: GPL-2.0-only
/* What is seen of an SMMU: debug walks, which change nothing, and --trace smmu. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/unit/fake_smmu.h"
#include "tests/unit/said.h"

#define PAGE 0x1000ULL
#define D    FAKE_SMMU_DATA

static struct fake_smmu f;
static gpa_t root, root2;
static char seen[8192];

/* Stream 0x10 has stage 1, 0x12 stage 2, 0x11 both: each with page 1 at D. */
static void make(void)
{
	u64 w[8];

	listen_to(stderr);
	fake_smmu_make(&f, NULL);
	root = fake_smmu_table(&f);  /* 0x80020000; below it 0x80022000, 0x80023000 */
	root2 = fake_smmu_table(&f); /* 0x80021000; below it 0x80024000, 0x80025000 and so on */
	fake_smmu_map(&f, root, PAGE, D, FAKE_S1_RO);
	fake_smmu_map(&f, root2, PAGE, D, FAKE_S2_RW);
	for (u64 at = FAKE_SMMU_STRTAB; at < D + PAGE; at += PAGE)
		fake_smmu_map(&f, root2, at, at, FAKE_S2_RW);
	fake_smmu_stage1(&f, 0x10, 0, 1, root);
	fake_smmu_ste_words(&f, w, CONFIG_TRAFFIC | CONFIG_S1 | CONFIG_S2, 0, 2, root2);
	fake_smmu_ste(&f, 0x11, w);
	fake_smmu_stage2(&f, 0x12, 2, root2);
	fake_smmu_enable(&f);
}

static void unmake(void)
{
	fake_smmu_unmake(&f);
}

TestSuite(smmu_debug, .init = make, .fini = unmake, .timeout = 20);

static void add_line(void *ctx, const char *text)
{
	strcat(strcat(ctx, text), "\n");
}

/* The walk's lines, without those of the registers. */
static const char *look(u32 sid, u32 ssid, u64 iova)
{
	seen[0] = 0;
	smmu_debug(f.smmu, sid, ssid, iova, add_line, seen);
	return strchr(strchr(seen, '\n') + 1, '\n') + 1;
}

static bool has(const char *text, const char *part)
{
	return strstr(text, part);
}

#define HAS(text, part) cr_assert(has(text, part), "no '%s' in:\n%s", part, text)

Test(smmu_debug, stage_1_step_by_step)
{
	const char *want =
		"STE of StreamID 0x10 at 0x80010400: V=1 Config=5 MEV=0 PRIVCFG=0 INSTCFG=0"
		" MTCFG=0 MemAttr=0 ALLOCCFG=0 SHCFG=0 CONT=0 DRE=0 DCP=0"
		" S1Fmt=0 S1ContextPtr=0x80011000 S1CDMax=0 S1DSS=0 S1CIR=0 S1COR=0 S1CSH=0 S1STALLD=0"
		" STRW=0 PPAR=0 EATS=0"
		" S2VMID=0x0\n"
		"CD 0 at 0x80011000: V=1 AA64=1 ASID=0x1 ASET=1 IPS=5 AFFD=0 HA=0 HD=0 WXN=0 PAN=0"
		" ENDI=0 S=0 R=1 A=1 DS=0 EPD0=0 T0SZ=25 TG0=0 IR0=0 OR0=0 SH0=0 TBI0=0 HAD0=0 E0PD0=0"
		" TTB0=0x80020000 EPD1=1 MAIR0=0x0 MAIR1=0x0 AMAIR0=0x0 AMAIR1=0x0\n"
		"stage 1 level 1 at 0x80020000: 0x80022003 table\n"
		"stage 1 level 2 at 0x80022000: 0x80023003 table\n"
		"stage 1 level 3 at 0x80023008: 0x80080fc3 page\n"
		"stage 1 of 0x1008: 0x80080008, 4 KiB of 4 KiB, r-x/r-x, not global, AttrIndx=0"
		" SH=3\n"
		"translates: 0x80080008, 4 KiB from 0x1000 to 0x80080000, r-x/r-x\n"
		"cached configuration: none\n"
		"cached translation: none\n";

	cr_assert(eq(str, (char *)look(0x10, SMMU_NO_SSID, PAGE + 8), (char *)want));
	HAS(seen, "CR0ACK: SMMUEN=1 EVENTQEN=1 CMDQEN=1; GBPA.ABORT=0\n"
	          "STRTAB_BASE: 0x80010000; STRTAB_BASE_CFG: FMT=0 SPLIT=0 LOG2SIZE=6\n");
}

Test(smmu_debug, stage_2_step_by_step)
{
	const char *got = look(0x12, SMMU_NO_SSID, PAGE);

	HAS(got,
	    "STE of StreamID 0x12 at 0x80010480: V=1 Config=6 MEV=0 PRIVCFG=0 INSTCFG=0"
	    " MTCFG=0 MemAttr=0 ALLOCCFG=0 SHCFG=0 CONT=0 DRE=0 DCP=0 PPAR=0 EATS=0 S2VMID=0x2"
	    " S2T0SZ=25 S2SL0=1 S2SL0_2=0 S2IR0=0 S2OR0=0 S2SH0=0 S2TG=0 S2PS=4 S2AA64=1 S2ENDI=0"
	    " S2AFFD=0 S2PTW=0 S2HA=0 S2HD=0 S2S=0 S2R=1 S2DS=0 S2FWB=0 S2TTB=0x80021000\n"
	    "stage 2 level 1 at 0x80021000: 0x80024003 table\n");
	HAS(got, "stage 2 of 0x1000: 0x80080000, 4 KiB of 4 KiB, rwx/rwx, MemAttr=15 SH=3\n"
	         "translates: 0x80080000, 4 KiB from 0x1000 to 0x80080000, rwx/rwx\n");
	cr_assert(not(has(got, "stage 1")));
}

/* Each field by its own value: all of a word's bits, and then all of a neighbour's none. */
static void expect_field(const char *text, const char *name, unsigned long long val)
{
	char field[40];

	snprintf(field, sizeof(field), val > 63 ? " %s=0x%llx" : " %s=%llu", name, val);
	HAS(text, field);
}

Test(smmu_debug, attributes_are_shown_each_from_its_bits)
{
	const u64 ste1 = 1ULL << 2 | 2 << 4 | 3 << 6 | 1 << 12 | 9ULL << 13 | 1 << 17 |
	                 0xaULL << 32 | 1ULL << 36 | 5ULL << 37 | 1ULL << 44;
	const struct {
		const char *name;
		u64 val;
	} ste[] = { { "S1CIR", 1 },    { "S1COR", 2 }, { "S1CSH", 3 }, { "DRE", 1 },
		    { "CONT", 9 },     { "DCP", 1 },   { "MTCFG", 1 }, { "MemAttr", 10 },
		    { "ALLOCCFG", 5 }, { "SHCFG", 1 }, { "S2IR0", 1 }, { "S2OR0", 2 },
		    { "S2SH0", 3 } },
	  cd[] = { { "IR0", 1 },
		   { "OR0", 2 },
		   { "SH0", 3 },
		   { "IR1", 2 },
		   { "OR1", 3 },
		   { "SH1", 1 },
		   { "AMAIR0", 0x12345678 },
		   { "AMAIR1", 0x9abcdef0 } };
	u64 w[8];

	fake_smmu_ste_words(&f, w, CONFIG_TRAFFIC | CONFIG_S1 | CONFIG_S2, 0, 2, root2);
	w[1] |= ste1;
	w[2] |= 1ULL << 40 | 2ULL << 42 | 3ULL << 44;
	fake_smmu_ste(&f, 0x11, w);
	fake_smmu_cd_words(&f, w, 1, root);
	w[0] &= ~CD0_EPD1;
	w[0] |= 1 << 8 | 2 << 10 | 3 << 12 | 25 << 16 | 2 << 22 | 2ULL << 24 | 3ULL << 26 |
	        1ULL << 28;
	w[4] = 0x9abcdef012345678;
	fake_smmu_cd(&f, 0, w);
	look(0x11, SMMU_NO_SSID, PAGE);
	for (size_t i = 0; i < ARRAY_SIZE(ste); i++)
		expect_field(seen, ste[i].name, ste[i].val);
	for (size_t i = 0; i < ARRAY_SIZE(cd); i++)
		expect_field(seen, cd[i].name, cd[i].val);
	HAS(seen, "S2TTB=0x80021000\n");
	f.vm.log->topics = BIT(TRACE_SMMU);
	said(stderr);
	fake_smmu_reach(&f, 1, PAGE, DMA_READ, DMA_NO_PASID);
	HAS(said(stderr), "S2TTB=0x80021000\n"); /* nothing is cut off */
}

Test(smmu_debug, a_substream_has_its_own_cd)
{
	u64 w[8];

	fake_smmu_ste_words(&f, w, CONFIG_TRAFFIC | CONFIG_S1, 0, 0, 0);
	w[0] |= FIELD_PREP(STE0_S1CDMAX, 2ULL);
	w[1] |= S1DSS_SSID0;
	fake_smmu_ste(&f, 0x10, w);
	fake_smmu_cd_words(&f, w, 9, root2);
	fake_smmu_cd(&f, 3, w);
	HAS(look(0x10, 3, PAGE), "CD 3 at 0x800110c0: V=1 AA64=1 ASID=0x9");
	HAS(look(0x10, SMMU_NO_SSID, PAGE), "CD 0 at 0x80011000: V=1 AA64=1 ASID=0x1 ");
	HAS(look(0x10, 4, PAGE),
	    "aborts; event C_BAD_SUBSTREAMID: StreamID=0x10 SubstreamID=0x4\n");
}

/* The CD and each table of stage 1 are behind stage 2, which is seen before what is read there. */
Test(smmu_debug, both_stages_step_by_step)
{
	const char *got = look(0x11, SMMU_NO_SSID, PAGE);

	HAS(got, "stage 2 of 0x80011000: 0x80011000, 4 KiB of 4 KiB, rwx/rwx, MemAttr=15 SH=3\n");
	HAS(got, "CD 0 at 0x80011000: V=1");
	HAS(got, "stage 2 of 0x80020000: 0x80020000, 4 KiB of 4 KiB, rwx/rwx, MemAttr=15 SH=3\n"
	         "stage 1 level 1 at 0x80020000: 0x80022003 table\n");
	HAS(got, "stage 2 of 0x80080000: 0x80080000, 4 KiB of 4 KiB, rwx/rwx, MemAttr=15 SH=3\n"
	         "translates: 0x80080000, 4 KiB from 0x1000 to 0x80080000, r-x/r-x\n");
}

Test(smmu_debug, tables_of_two_levels_are_steps)
{
	const gpa_t strtab = fake_smmu_table(&f), cds = fake_smmu_table(&f);
	u64 w[8];

	fake_smmu_write32(&f, CR0, 0);
	fake_smmu_write64(&f, STRTAB_BASE, strtab);
	fake_smmu_write32(&f, STRTAB_BASE_CFG, 8 | 6 << 6 | 1 << 16);
	fake_smmu_write32(&f, CR0, CR0_SMMUEN);
	fake_smmu_put(&f, strtab + 8, FAKE_SMMU_STRTAB | 7);
	fake_smmu_put(&f, cds, FAKE_SMMU_CDS | 1);
	fake_smmu_ste_words(&f, w, CONFIG_TRAFFIC | CONFIG_S1, 0, 0, 0);
	w[0] = STE0_V | 5 << 1 | 1 << 4 | cds | 10ULL << 59;
	fake_smmu_ste(&f, 0x10, w);
	HAS(look(0x50, 0, PAGE), "L1STD of StreamID 0x50 at 0x80028008: Span=7 L2Ptr=0x80010000\n"
	                         "STE of StreamID 0x50 at 0x80010400: V=1");
	HAS(seen, "L1CD of index 0 at 0x80029000: V=1 L2Ptr=0x80011000\nCD 0 at 0x80011000:");
	HAS(seen, "translates: 0x80080000");
}

/* What memory has when nobody else has looked at it. */
static u64 sum(void)
{
	u64 n = 0;

	for (gpa_t at = FAKE_RAM_BASE; at < FAKE_RAM_BASE + FAKE_RAM_SIZE; at += 8)
		n = n * 31 + fake_smmu_get(&f, at);
	return n;
}

Test(smmu_debug, nothing_is_recorded_cached_counted_or_written)
{
	const u32 sids[] = { 0x10, 0x11, 0x12, 0x13, 0x1000 };
	const struct smmu_counts before = fake_smmu_counts(&f);
	const u64 memory = sum();
	struct smmu_counts after;
	u64 w[8];

	for (size_t i = 0; i < ARRAY_SIZE(sids); i++) {
		look(sids[i], SMMU_NO_SSID, PAGE);
		look(sids[i], SMMU_NO_SSID, 5 * PAGE);
		look(sids[i], 7, ~0ULL);
	}
	after = fake_smmu_counts(&f);
	cr_assert(zero(int, memcmp(&before, &after, sizeof(after))));
	cr_assert(eq(u64, sum(), memory));
	cr_assert(not(fake_smmu_event(&f, w)));
	/* an STE that was looked at can still be made */
	fake_smmu_stage2(&f, 0x10, 3, root2);
	fake_smmu_map(&f, root2, PAGE, D + PAGE, FAKE_S2_RW);
	cr_assert(eq(u64, fake_smmu_gpa(&f, PAGE, DMA_READ), D + PAGE));
}

Test(smmu_debug, hardware_updates_are_not_made_and_not_missed)
{
	const gpa_t entry = fake_smmu_entry(&f, root, 1, 3, PAGE);
	u64 w[8];

	fake_smmu_put(&f, entry, fake_smmu_get(&f, entry) & ~(1ULL << 10));
	HAS(look(0x10, SMMU_NO_SSID, PAGE), "stage 1 of 0x1000: F_ACCESS at level 3\n"
	                                    "aborts; event F_ACCESS: StreamID=0x10");
	fake_smmu_cd_words(&f, w, 1, root);
	w[0] |= CD0_HA | CD0_HD;
	fake_smmu_cd(&f, 0, w);
	HAS(look(0x10, SMMU_NO_SSID, PAGE), "translates: 0x80080000");
	cr_assert(zero(u64, fake_smmu_get(&f, entry) & 1 << 10));
	cr_assert(eq(u64, fake_smmu_gpa(&f, PAGE, DMA_READ), D));
	cr_assert(ne(u64, fake_smmu_get(&f, entry) & 1 << 10, 0));
}

Test(smmu_debug, what_is_cached_may_be_another_translation)
{
	const char *got;

	cr_assert(eq(u64, fake_smmu_gpa(&f, PAGE, DMA_READ), D));
	fake_smmu_map(&f, root, PAGE, D + PAGE, FAKE_S1_RW);
	fake_smmu_ste(&f, 0x10, (u64[8]){ 0 });
	got = look(0x10, SMMU_NO_SSID, PAGE + 4);
	HAS(got, "aborts; event C_BAD_STE: StreamID=0x10 SSV=0 SubstreamID=0x0\n"
	         "cached configuration: stage 1 translates, stage 2 bypassed, ASID=0x1 VMID=0x0\n"
	         "cached translation: 0x80080004, 4 KiB from 0x1000 to 0x80080000, r-x/r-x\n");
	fake_smmu_forget(&f);
	fake_smmu_stage1(&f, 0x10, 0, 1, root);
	HAS(look(0x10, SMMU_NO_SSID, PAGE + 4), "translates: 0x80081004, 4 KiB from 0x1000 to "
	                                        "0x80081000, rwx/rw-\n"
	                                        "cached configuration: none\n"
	                                        "cached translation: none\n");
}

Test(smmu_debug, what_does_not_translate_says_why)
{
	u64 w[8] = { STE0_V };

	HAS(look(0x10, SMMU_NO_SSID, 0x5000),
	    "stage 1 of 0x5000: F_TRANSLATION at level 3\n"
	    "aborts; event F_TRANSLATION: StreamID=0x10 SSV=0 SubstreamID=0x0 InputAddr=0x5000 RnW=1"
	    " InD=0 PnU=0 S2=0 CLASS=2 IPA=0x0\n");
	HAS(look(0x10, 3, 0), "aborts; event C_BAD_SUBSTREAMID: StreamID=0x10 SubstreamID=0x3\n");
	HAS(look(0x40, SMMU_NO_SSID, 0), "aborts; not recorded C_BAD_STREAMID: StreamID=0x40");
	HAS(look(0x13, SMMU_NO_SSID, 0), "aborts; event C_BAD_STE");
	fake_smmu_ste(&f, 0x13, w);
	HAS(look(0x13, SMMU_NO_SSID, 0), "aborts, without an event\n");
	w[0] |= CONFIG_TRAFFIC << 1;
	fake_smmu_ste(&f, 0x13, w);
	HAS(look(0x13, SMMU_NO_SSID, 0x123456), "bypasses: 0x123456\n");
	fake_smmu_write32(&f, CR0, 0);
	HAS(look(0x10, SMMU_NO_SSID, 0x5000), "bypasses: 0x5000\n");
	fake_smmu_write32(&f, GBPA, GBPA_UPDATE | GBPA_ABORT);
	HAS(look(0x10, SMMU_NO_SSID, 0x5000), "aborts, without an event\n");
}

/* --trace smmu */

static char *traced(u64 w0, u64 w1)
{
	f.vm.log->topics = BIT(TRACE_SMMU);
	said(stderr);
	fake_smmu_command(&f, w0, w1);
	return said(stderr);
}

Test(smmu_debug, commands_are_traced_by_their_fields)
{
	static const struct {
		u64 w0, w1;
		const char *text;
	} cases[] = {
		{ CFGI_STE | 8ULL << 32, 1, "CMD_CFGI_STE: StreamID=0x8 SSec=0 Leaf=1\n" },
		{ CFGI_STE_RANGE, 31, "CMD_CFGI_STE_RANGE: StreamID=0x0 SSec=0 Range=31\n" },
		{ CFGI_CD | 7 << 12 | 8ULL << 32, 0,
		  "CMD_CFGI_CD: StreamID=0x8 SubstreamID=0x7 SSec=0 Leaf=0\n" },
		{ CFGI_CD_ALL, 0, "CMD_CFGI_CD_ALL: StreamID=0x0 SSec=0\n" },
		{ PREFETCH_CONFIG | 1 << 11, 0,
		  "CMD_PREFETCH_CONFIG: StreamID=0x0 SSV=1 SubstreamID=0x0 SSec=0\n" },
		{ TLBI_NH_ALL | 3ULL << 32, 0, "CMD_TLBI_NH_ALL: VMID=0x3\n" },
		{ TLBI_NH_ASID | 3ULL << 32 | 4ULL << 48, 0,
		  "CMD_TLBI_NH_ASID: VMID=0x3 ASID=0x4\n" },
		{ TLBI_NH_VA | 9 << 12 | 2 << 20 | 3ULL << 32 | 4ULL << 48,
		  0x12345000 | 1 << 10 | 3 << 8 | 1,
		  "CMD_TLBI_NH_VA: VMID=0x3 ASID=0x4 Addr=0x12345000 Leaf=1 TG=1 TTL=3 NUM=9"
		  " SCALE=2\n" },
		{ TLBI_S2_IPA | 3ULL << 32, 0x1000,
		  "CMD_TLBI_S2_IPA: VMID=0x3 Addr=0x1000 Leaf=0 TG=0 TTL=0 NUM=0 SCALE=0\n" },
		{ TLBI_EL2_ASID | 4ULL << 48, 0, "CMD_TLBI_EL2_ASID: ASID=0x4\n" },
		{ TLBI_NSNH_ALL, 0, "CMD_TLBI_NSNH_ALL: no fields\n" },
		{ SYNC | 1 << 12 | 3 << 22 | 15 << 24 | 5ULL << 32, D | 4,
		  "CMD_SYNC: CS=1 MSH=3 MSIAttr=15 MSIData=0x5 MSIAddress=0x80080004\n" },
		{ CMD_ATC_INV | 8ULL << 32, 0x1000 | 3,
		  "CMD_ATC_INV: StreamID=0x8 SSV=0 SubstreamID=0x0 Global=0 Address=0x1000 Size=3\n" },
		{ 0xee, 1, "no command: 0xee 0x1\nsmmu: smmu0: CERROR_ILL\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		HAS(traced(cases[i].w0, cases[i].w1), cases[i].text);
		if (fake_smmu_cerror(&f)) { /* the rest is behind it */
			fake_smmu_write32(&f, CR0, 0);
			fake_smmu_write32(&f, CMDQ_CONS, f.prod);
			fake_smmu_write32(&f, GERRORN, fake_smmu_read32(&f, GERROR));
			fake_smmu_write32(&f, CR0, CR0_CMDQEN);
		}
	}
}

Test(smmu_debug, transactions_are_traced_as_they_are_walked)
{
	char *got;

	f.vm.log->topics = BIT(TRACE_SMMU);
	said(stderr);
	fake_smmu_gpa(&f, PAGE, DMA_READ);
	got = said(stderr);
	HAS(got, "smmu: smmu0: STE of StreamID 0x10 at 0x80010400: V=1 Config=5");
	HAS(got, "smmu: smmu0: CD 0 at 0x80011000: V=1");
	HAS(got, "smmu: smmu0: stage 1 level 3 at 0x80023008: 0x80080fc3 page\n"
	         "smmu: smmu0: stage 1 of 0x1000: 0x80080000, 4 KiB");
	fake_smmu_gpa(&f, PAGE, DMA_READ); /* a hit */
	cr_assert(eq(str, said(stderr), ""));
	fake_smmu_gpa(&f, PAGE, DMA_WRITE);
	HAS(said(stderr), "smmu: smmu0: event F_PERMISSION: StreamID=0x10 SSV=0 SubstreamID=0x0"
	                  " InputAddr=0x1000 RnW=0 InD=0 PnU=0 S2=0 CLASS=2 TTRnW=0 IPA=0x0\n");
	f.vm.log->topics = 0;
	fake_smmu_gpa(&f, 2 * PAGE, DMA_WRITE);
	cr_assert(eq(str, said(stderr), ""));
}

/* A debug walk tells who asked for it, and nobody else. */
Test(smmu_debug, translation_requests_are_traced_with_their_answers)
{
	struct dma_access a = { .iova = PAGE, .perm = DMA_READ | DMA_WRITE, .pasid = DMA_NO_PASID };
	struct dma_translation t;
	u64 w[8];

	f.vm.log->topics = BIT(TRACE_SMMU);
	fake_smmu_ste_words(&f, w, CONFIG_TRAFFIC | CONFIG_S2, 0, 2, root2);
	w[1] = FIELD_PREP(STE1_EATS, (u64)EATS_FULL);
	fake_smmu_ste(&f, 0x12, w);
	said(stderr);
	dma_translate(fake_smmu_dma(&f, 0), &a, &t);
	HAS(said(stderr), "smmu: smmu0: event F_BAD_ATS_TREQ: StreamID=0x10 SSV=0 SubstreamID=0x0 "
	                  "InputAddr=0x1000 Span=1 R=1 W=1 X=0 PRIV=0\n"
	                  "smmu: smmu0: translation request for 0x1000: unsupported request\n");
	dma_translate(fake_smmu_dma(&f, 2), &a, &t);
	HAS(said(stderr), "smmu: smmu0: translation request for 0x1000: 0x80080000, 0x1000 bytes, "
	                  "rw-\n");
	a.iova = 5 * PAGE;
	dma_translate(fake_smmu_dma(&f, 2), &a, &t);
	HAS(said(stderr), "smmu: smmu0: translation request for 0x5000: no access\n");
}

Test(smmu_debug, a_walk_is_not_traced)
{
	f.vm.log->topics = BIT(TRACE_SMMU);
	said(stderr);
	look(0x10, SMMU_NO_SSID, PAGE);
	cr_assert(eq(str, said(stderr), ""));
}

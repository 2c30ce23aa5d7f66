// SPDX-License-Identifier: GPL-2.0-only
/* A driver that writes anything anywhere: the SMMU reads no memory that is not there, ends what it
 * begins, and loses nothing. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

#include "tests/unit/fake_smmu.h"
#include "tests/unit/held.h"

#define STEPS 60000
#define HELD  8

static struct fake_smmu f;
static struct held held[HELD];
static bool is_held[HELD];
static u64 state;

static u64 any(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dULL;
}

static u64 below(u64 n)
{
	return (any() >> 16) % n;
}

/* Mostly an address in memory, aligned as things are. */
static gpa_t any_address(void)
{
	static const u64 aligned[] = { ~0xfffULL, ~0xfffULL, ~0x3fULL, ~7ULL };
	const gpa_t at = FAKE_RAM_BASE + below(FAKE_RAM_SIZE);

	switch (below(16)) {
	case 0: return any();
	case 1: return FAKE_RAM_BASE + FAKE_RAM_SIZE - below(64);
	case 2: return FAKE_RAM_BASE - below(64);
	case 3: return FAKE_SMMU_BASE;
	default: return at & aligned[below(4)];
	}
}

/* Something that could be an entry of a table, a word of an STE or a CD, or a command. */
static u64 any_word(void)
{
	switch (below(8)) {
	case 0: return any();
	case 1: return any_address() | 3;
	case 2: return any_address() | (FAKE_S1_RW & any());
	case 3: return STE0_V | below(8) << 1 | any_address() | (below(4) ? 0 : any() << 59);
	case 4: return CD0_V | CD0_AA64 | CD0_A | CD0_R | below(48) | below(4) << 14 | any() << 32;
	case 5:
		return STE2_S2AA64 | below(48) << 32 | below(4) << 38 | below(4) << 46 |
		       below(8) << 48;
	case 6: return any_address() | below(16);
	default: return below(0x48) | any() << 12;
	}
}

static void write_register(void)
{
	static const u32 registers[] = {
		CR0,       CR0,       CR0,         CR1,         CR2,
		GBPA,      IRQ_CTRL,  GERRORN,     STRTAB_BASE, STRTAB_BASE_CFG,
		CMDQ_BASE, CMDQ_PROD, CMDQ_PROD,   CMDQ_CONS,   EVENTQ_BASE,
		CMDQ_PROD, GERRORN,   EVENTQ_PROD, EVENTQ_CONS, GERROR_IRQ_CFG0,
	};
	const u32 at = registers[below(ARRAY_SIZE(registers))];

	switch (at) {
	case CR0: fake_smmu_write32(&f, at, below(3) ? 0xd : any()); break;
	case GERRORN:
		fake_smmu_write32(&f, at, below(4) ? fake_smmu_read32(&f, GERROR) : any());
		break;
	case STRTAB_BASE:
	case CMDQ_BASE:
	case GERROR_IRQ_CFG0:
	case EVENTQ_BASE: fake_smmu_write64(&f, at, any_address() | below(20)); break;
	case STRTAB_BASE_CFG:
		fake_smmu_write32(&f, at, below(4) ? below(12) | below(2) << 16 : any());
		break;
	default: fake_smmu_write32(&f, at, any());
	}
	if (below(50) == 0)
		fake_write(&f.vm, FAKE_SMMU_BASE + below(SMMU_SIZE / 8) * 8, 1 << below(4), any());
}

static void access_memory(void)
{
	const unsigned int i = below(HELD), endpoint = below(FAKE_SMMU_ENDPOINTS);
	const u64 iova = below(8) ? below(1 << 17) : any_address();

	f.sids[endpoint] = below(16) ? below(4) : any();
	if (is_held[i])
		let_go(&held[i]);
	is_held[i] = hold(&held[i], fake_smmu_dma(&f, endpoint), iova, 1 + below(0x3000),
	                  1 + below(7)) == DMA_OK;
	fake_smmu_reach(&f, endpoint, iova, 1 + below(7), below(2) ? below(64) : any() & 0xfffff);
}

/* What works, so that not all is refused. */
static void put_right(void)
{
	const u32 sid = below(4);
	const gpa_t root = FAKE_SMMU_TABLES, root2 = FAKE_SMMU_TABLES + 0x4000;
	u64 w[8];

	fake_smmu_cd_words(&f, w, below(4), root);
	w[0] |= below(2) ? CD0_HA | CD0_HD : 0;
	fake_smmu_cd(&f, below(8), w);
	fake_smmu_ste_words(&f, w, 4 + below(4), below(8), below(4), root2);
	fake_smmu_ste(&f, sid, w);
	for (gpa_t level = 0; level < 2; level++) {
		fake_smmu_put(&f, root + level * 0x1000, (root + (level + 1) * 0x1000) | 3);
		fake_smmu_put(&f, root2 + level * 0x1000, (root2 + (level + 1) * 0x1000) | 3);
	}
	fake_smmu_write32(&f, CR0, 0);
	fake_smmu_write32(&f, CMDQ_PROD, 0);
	fake_smmu_write32(&f, CMDQ_CONS, 0);
	fake_smmu_write32(&f, GERRORN, fake_smmu_read32(&f, GERROR));
	f.prod = 0;
	fake_smmu_enable(&f);
}

/* A word that the SMMU may look at. */
static gpa_t any_place(void)
{
	switch (below(4)) {
	case 0: return FAKE_SMMU_STRTAB + below(4 * 8) * 8;
	case 1: return FAKE_SMMU_CDS + below(8 * 8) * 8;
	case 2: return FAKE_SMMU_TABLES + below(7 * 512) * 8;
	default: return FAKE_RAM_BASE + below(FAKE_RAM_SIZE / 8) * 8;
	}
}

/* A page more, of either stage. */
static void fill_in(void)
{
	const gpa_t last = FAKE_SMMU_TABLES + 0x2000 + below(2) * 0x4000;

	fake_smmu_put(&f, last + below(128) * 8,
	              (FAKE_SMMU_DATA + below(64) * 0x1000) |
	                      (last & 0x4000 ? FAKE_S2_RW : FAKE_S1_RW));
}

static void step(void)
{
	static const u8 opcodes[] = { CFGI_STE,   CFGI_STE_RANGE, CFGI_CD,     TLBI_NH_ALL,
		                      TLBI_NH_VA, TLBI_NH_VAA,    TLBI_S2_IPA, TLBI_NSNH_ALL,
		                      SYNC,       SYNC,           TLBI_EL2_VA, TLBI_S12_VMALL };

	switch (below(64)) {
	case 0: put_right(); break;
	case 1 ... 4: write_register(); break;
	case 5 ... 8: fake_smmu_put(&f, any_place(), any_word()); break;
	case 9 ... 16: fill_in(); break;
	case 17 ... 24:
		f.prod = fake_smmu_read32(&f, CMDQ_PROD) & 0x1ff;
		fake_smmu_command(&f, opcodes[below(sizeof(opcodes))] | any() << 12,
		                  below(4) ? below(1 << 20) : any());
		break;
	case 25: fake_smmu_write32(&f, EVENTQ_CONS, fake_smmu_read32(&f, EVENTQ_PROD)); break;
	default: access_memory();
	}
}

/* Any ID registers that can be. */
static void any_id(struct smmu_id *id)
{
	static const char *const fields[] = { "idr0.s1p",      "idr0.s2p",    "idr0.httu",
		                              "idr0.msi",      "idr0.cd2l",   "idr0.ttendian",
		                              "idr0.vmid16",   "idr0.asid16", "idr1.sidsize",
		                              "idr1.ssidsize", "idr1.cmdqs",  "idr1.eventqs",
		                              "idr3.stt",      "idr3.ril",    "idr5.oas",
		                              "idr5.ds",       "idr5.gran4k" };

	do {
		smmu_id_default(id, 32 + below(21));
		for (int i = 0; i < 4; i++)
			smmu_id_set(id, fields[below(ARRAY_SIZE(fields))], below(20));
	} while (smmu_id_check(id));
}

static void play(u64 seed)
{
	struct smmu_id id;

	state = seed * 0x9e3779b97f4a7c15ULL + 1;
	smmu_id_default(&id, 44);
	if (seed > 1)
		any_id(&id);
	fake_smmu_make(&f, &id);
	put_right();
	for (int i = 0; i < STEPS; i++) {
		fake.msi_ret = below(2) ? 1 : -EINVAL;
		step();
	}
	for (int i = 0; i < HELD; i++) {
		if (is_held[i])
			let_go(&held[i]);
		is_held[i] = false;
	}
	/* It can be used again. */
	put_right();
	fake_smmu_write32(&f, CR0, CR0_CMDQEN);
	if (seed == 1) {
		fake_smmu_forget(&f);
		cr_assert(zero(u64, fake_smmu_counts(&f).cached));
	}
	fake_smmu_unmake(&f);
}

TestSuite(smmu_hostile, .timeout = 120);

ParameterizedTestParameters(smmu_hostile, whatever_is_written_it_goes_on)
{
	static u64 seeds[] = { 1, 2, 3, 4 };

	return cr_make_param_array(u64, seeds, ARRAY_SIZE(seeds));
}

/* SMMU_SEED: further ones, for a soak. */
ParameterizedTest(u64 *seed, smmu_hostile, whatever_is_written_it_goes_on)
{
	const char *more = getenv("SMMU_SEED");

	play(*seed + (more ? strtoull(more, NULL, 0) : 0));
}

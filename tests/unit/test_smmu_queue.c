// SPDX-License-Identifier: GPL-2.0-only
/* An SMMU's Command queue: sizes, wrapping, which commands there are, errors and going on. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/unit/fake_smmu.h"

#define ON (CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN)

static struct fake_smmu f;

static void make(void)
{
	fake_smmu_make(&f, NULL);
}

static void unmake(void)
{
	fake_smmu_unmake(&f);
}

TestSuite(smmu_queue, .init = make, .fini = unmake, .timeout = 20);

static void remake(const char *field, u64 value)
{
	const struct smmu_id id = fake_smmu_id(field, value);

	fake_smmu_unmake(&f);
	fake_smmu_make(&f, &id);
}

/* The queue off, elsewhere, empty at @index, and on. */
static void restart(u64 base, u32 index)
{
	fake_smmu_write32(&f, CR0, 0);
	fake_smmu_write64(&f, CMDQ_BASE, base);
	fake_smmu_write32(&f, CMDQ_PROD, index);
	fake_smmu_write32(&f, CMDQ_CONS, index);
	fake_smmu_write32(&f, CR0, CR0_CMDQEN);
	f.prod = index;
}

static u32 cons(void)
{
	return fake_smmu_read32(&f, CMDQ_CONS) & QUEUE_INDEX;
}

static void acknowledge(void)
{
	fake_smmu_write32(&f, GERRORN, fake_smmu_read32(&f, GERROR));
}

/* CONS stays at @index, for @cerror. */
static void expect_error(unsigned int cerror, u32 index)
{
	cr_assert(eq(u32, fake_smmu_cerror(&f), cerror));
	cr_assert(eq(u32, cons(), index));
}

Test(smmu_queue, commands_of_any_size_of_queue_are_consumed_and_wrap)
{
	for (f.cmdq_log2size = 0; f.cmdq_log2size <= 10; f.cmdq_log2size++) {
		const u32 size = BIT(f.cmdq_log2size);
		const u64 before = fake_smmu_counts(&f).commands;

		restart(f.cmdq | f.cmdq_log2size, 0);
		for (u32 i = 1; i <= 3 * size + 1; i++) {
			cr_assert(fake_smmu_command(&f, CFGI_STE, 0));
			cr_assert(eq(u32, cons(), i % (2 * size)));
		}
		cr_assert(eq(u64, fake_smmu_counts(&f).commands - before, 3 * size + 1));
	}
}

Test(smmu_queue, a_full_queue_is_not_an_empty_one)
{
	for (f.cmdq_log2size = 0; f.cmdq_log2size < 8; f.cmdq_log2size++) {
		const u64 before = fake_smmu_counts(&f).commands;

		restart(f.cmdq | f.cmdq_log2size, 1);
		for (u32 i = 0; i < BIT(f.cmdq_log2size); i++)
			fake_smmu_queue(&f, CFGI_STE, 0);
		cr_assert(fake_smmu_kick(&f));
		cr_assert(eq(u64, fake_smmu_counts(&f).commands - before, BIT(f.cmdq_log2size)));
		cr_assert(fake_smmu_kick(&f));
		cr_assert(eq(u64, fake_smmu_counts(&f).commands - before, BIT(f.cmdq_log2size)));
	}
}

Test(smmu_queue, an_event_goes_to_the_cpus_when_there_is_room_again)
{
	f.cmdq_log2size = 2;
	restart(f.cmdq | 2, 0);
	for (u32 i = 0; i < 3; i++)
		fake_smmu_queue(&f, CFGI_STE, 0);
	cr_assert(fake_smmu_kick(&f));
	cr_assert(zero(u32, fake.nr_events), "it was not full");
	for (u32 i = 0; i < 4; i++)
		fake_smmu_queue(&f, CFGI_STE, 0);
	cr_assert(fake_smmu_kick(&f));
	cr_assert(eq(u32, fake.nr_events, 1));
	remake("idr0.sev", 0);
	f.cmdq_log2size = 2;
	fake.nr_events = 0;
	restart(f.cmdq | 2, 0);
	for (u32 i = 0; i < 4; i++)
		fake_smmu_queue(&f, CFGI_STE, 0);
	cr_assert(fake_smmu_kick(&f));
	cr_assert(zero(u32, fake.nr_events));
}

Test(smmu_queue, a_size_beyond_the_largest_is_the_largest)
{
	remake("idr1.cmdqs", 3);
	f.cmdq_log2size = 3;
	for (u64 said = 3; said < 32; said++) {
		restart(f.cmdq | said, 0);
		for (u32 i = 1; i < 20; i++) {
			cr_assert(fake_smmu_command(&f, CFGI_STE, 0));
			cr_assert(eq(u32, cons(), i % 16));
		}
		cr_assert(eq(u64, fake_smmu_read64(&f, CMDQ_BASE), f.cmdq | said));
	}
}

Test(smmu_queue, the_largest_of_all_is_read_where_there_is_memory)
{
	const u32 last = FAKE_RAM_SIZE / 16 - 1;

	remake("idr1.cmdqs", 19);
	f.cmdq_log2size = 19;
	restart(FAKE_RAM_BASE | 19, last);
	cr_assert(fake_smmu_command(&f, CFGI_STE, 0));
	fake_smmu_write32(&f, CMDQ_PROD, last + 2);
	expect_error(CERROR_ABT, last + 1);
	acknowledge();
	expect_error(CERROR_ABT, last + 1);
	restart(FAKE_RAM_BASE | 19, 0xfffff);
	acknowledge();
	fake_smmu_write32(&f, CMDQ_PROD, 0);
	expect_error(CERROR_ABT, 0xfffff);
}

Test(smmu_queue, its_base_is_aligned_to_its_size)
{
	for (f.cmdq_log2size = 0; f.cmdq_log2size <= 10; f.cmdq_log2size++) {
		const u64 size = 16ULL << f.cmdq_log2size;

		f.cmdq = FAKE_SMMU_DATA + 0x4000;
		restart(f.cmdq | ((size > 32 ? size : 32) - 32) | f.cmdq_log2size, 0);
		cr_assert(fake_smmu_command(&f, CFGI_STE, 0));
		cr_assert(zero(u32, fake_smmu_cerror(&f)));
		memset(f.vm.mem.host, 0, f.vm.mem.size);
	}
}

Test(smmu_queue, what_of_its_base_is_no_address_of_this_smmu_is_cut_off)
{
	restart(f.cmdq | BIT(44) | BIT(55) | BIT(62) | f.cmdq_log2size, 0);
	cr_assert(fake_smmu_command(&f, CFGI_STE, 0));
	cr_assert(eq(u64, fake_smmu_read64(&f, CMDQ_BASE),
	             f.cmdq | BIT(44) | BIT(55) | BIT(62) | f.cmdq_log2size));
}

Test(smmu_queue, outside_of_memory_a_fetch_aborts_until_it_is_moved)
{
	static const u64 nowhere[] = { 0, FAKE_SMMU_BASE, FAKE_RAM_BASE - 0x1000,
		                       FAKE_RAM_BASE + FAKE_RAM_SIZE, QUEUE_ADDR & ~0xfffULL };

	for (size_t i = 0; i < ARRAY_SIZE(nowhere); i++) {
		restart(nowhere[i] | f.cmdq_log2size, 5);
		fake_smmu_queue(&f, CFGI_STE, 0);
		cr_assert(not(fake_smmu_kick(&f)));
		expect_error(CERROR_ABT, 5);
		restart(f.cmdq | f.cmdq_log2size, 5);
		fake_smmu_queue(&f, CFGI_STE, 0);
		cr_assert(not(fake_smmu_kick(&f)), "the error is active");
		acknowledge();
		cr_assert(eq(u32, cons(), 6));
	}
	cr_assert(eq(u64, fake_smmu_counts(&f).errors, ARRAY_SIZE(nowhere)));
}

Test(smmu_queue, nothing_is_consumed_while_it_is_off)
{
	fake_smmu_write64(&f, CMDQ_BASE, f.cmdq | f.cmdq_log2size);
	cr_assert(not(fake_smmu_command(&f, CFGI_STE, 0)));
	fake_smmu_write32(&f, CR0, CR0_SMMUEN | CR0_EVENTQEN);
	cr_assert(eq(u32, cons(), 0));
	fake_smmu_write32(&f, CR0, CR0_CMDQEN);
	cr_assert(eq(u32, cons(), 1));
}

Test(smmu_queue, an_illegal_command_stops_it_until_it_is_acknowledged)
{
	fake_smmu_enable(&f);
	fake_smmu_queue(&f, CFGI_STE, 0);
	fake_smmu_queue(&f, 0, 0);
	fake_smmu_queue(&f, CFGI_STE, 0);
	cr_assert(not(fake_smmu_kick(&f)));
	expect_error(CERROR_ILL, 1);
	cr_assert(eq(u32, fake_smmu_read32(&f, GERROR), GERROR_CMDQ));
	cr_assert(not(fake_smmu_command(&f, CFGI_STE, 0)));
	fake_smmu_write32(&f, CR0, CR0_SMMUEN);
	fake_smmu_write32(&f, CR0, ON);
	expect_error(CERROR_ILL, 1);
	acknowledge();
	expect_error(CERROR_ILL, 1);
	cr_assert(zero(u32, fake_smmu_read32(&f, GERROR)), "it toggles");
	fake_smmu_put(&f, f.cmdq + 16, CFGI_STE);
	expect_error(CERROR_ILL, 1);
	acknowledge();
	cr_assert(eq(u32, cons(), 4));
	cr_assert(zero(u32, fake_smmu_cerror(&f)));
	cr_assert(eq(u64, fake_smmu_counts(&f).errors, 2));
}

Test(smmu_queue, commands_after_an_error_may_be_taken_back)
{
	fake_smmu_enable(&f);
	fake_smmu_queue(&f, 0xff, 0);
	fake_smmu_queue(&f, 0xff, 0);
	cr_assert(not(fake_smmu_kick(&f)));
	f.prod = 0;
	cr_assert(fake_smmu_kick(&f));
	acknowledge();
	expect_error(CERROR_NONE, 0);
	cr_assert(fake_smmu_command(&f, CFGI_STE, 0));
}

static const u8 all_ids[] = { PREFETCH_CONFIG, PREFETCH_ADDR, CFGI_STE,
	                      CFGI_STE_RANGE,  TLBI_NSNH_ALL, SYNC };
static const u8 of_stage1[] = { CFGI_CD,      CFGI_CD_ALL, TLBI_NH_ALL,
	                        TLBI_NH_ASID, TLBI_NH_VA,  TLBI_NH_VAA };
static const u8 of_stage2[] = { TLBI_S12_VMALL, TLBI_S2_IPA };
static const u8 of_hyp[] = { TLBI_EL2_ALL, TLBI_EL2_ASID, TLBI_EL2_VA, TLBI_EL2_VAA };

static const u8 of_stall[] = { RESUME, STALL_TERM };
static const u8 of_ats[] = { ATC_INV };

static bool has(const u8 *opcodes, size_t nr, u8 opcode)
{
	return memchr(opcodes, opcode, nr);
}

/* Every opcode, with all else 0. */
static void expect_opcodes(bool stage1, bool stage2, bool hyp, bool stall, bool ats)
{
	fake_smmu_enable(&f);
	for (unsigned int op = 0; op < 256; op++) {
		const bool legal = has(all_ids, sizeof(all_ids), op) ||
		                   (stage1 && has(of_stage1, sizeof(of_stage1), op)) ||
		                   (stage2 && has(of_stage2, sizeof(of_stage2), op)) ||
		                   (hyp && has(of_hyp, sizeof(of_hyp), op)) ||
		                   (stall && has(of_stall, sizeof(of_stall), op)) ||
		                   (ats && has(of_ats, sizeof(of_ats), op));
		const u32 at = cons();

		cr_assert(eq(int, fake_smmu_command(&f, op, 0), legal), "%#x", op);
		cr_assert(eq(u32, fake_smmu_cerror(&f), legal ? CERROR_NONE : CERROR_ILL));
		if (legal)
			continue;
		cr_assert(eq(u32, cons(), at));
		fake_smmu_put(&f, f.cmdq + (at & 0xff) * 16, CFGI_STE);
		acknowledge();
		cr_assert(eq(u32, cons(), f.prod));
	}
}

Test(smmu_queue, of_all_opcodes_those_are_legal_that_are_there)
{
	expect_opcodes(true, true, true, true, true);
}

Test(smmu_queue, without_stage_1_its_commands_are_not_there)
{
	remake("idr0.s1p", 0);
	expect_opcodes(false, true, false, true, true);
}

Test(smmu_queue, without_stage_2_its_commands_are_not_there)
{
	remake("idr0.s2p", 0);
	expect_opcodes(true, false, false, true, true);
}

Test(smmu_queue, without_hyp_its_commands_are_not_there)
{
	remake("idr0.hyp", 0);
	expect_opcodes(true, true, false, true, true);
}

Test(smmu_queue, without_stalls_their_commands_are_not_there)
{
	remake("idr0.stall_model", 1);
	expect_opcodes(true, true, true, false, true);
}

Test(smmu_queue, without_ats_its_command_is_not_there)
{
	remake("idr0.ats", 0);
	expect_opcodes(true, true, true, true, false);
}

Test(smmu_queue, commands_of_secure_streams_are_illegal)
{
	fake_smmu_enable(&f);
	for (u64 op = PREFETCH_CONFIG; op <= CFGI_CD_ALL; op++) {
		cr_assert(not(fake_smmu_command(&f, op | CMD0_SSEC, 0)));
		expect_error(CERROR_ILL, op - 1);
		fake_smmu_put(&f, f.cmdq + (op - 1) * 16, op);
		acknowledge();
		cr_assert(eq(u32, cons(), op));
	}
	cr_assert(fake_smmu_command(&f, TLBI_NSNH_ALL | CMD0_SSEC, 0), "reserved there");
}

Test(smmu_queue, reserved_fields_and_parameters_out_of_range_are_no_errors)
{
	fake_smmu_enable(&f);
	for (size_t i = 0; i < sizeof(all_ids); i++)
		cr_assert(fake_smmu_command(&f, all_ids[i] | (~0ULL << 32), ~0ULL), "%#x",
		          all_ids[i]);
	for (size_t i = 0; i < sizeof(of_stage1); i++)
		cr_assert(fake_smmu_command(&f, of_stage1[i] | (~0ULL << 11), ~0ULL));
	for (size_t i = 0; i < sizeof(of_stage2); i++)
		cr_assert(fake_smmu_command(&f, of_stage2[i] | (~0ULL << 8), ~0ULL));
	for (size_t i = 0; i < sizeof(of_hyp); i++)
		cr_assert(fake_smmu_command(&f, of_hyp[i] | (~0ULL << 8), ~0ULL));
}

static const u8 by_address[] = { TLBI_NH_VA, TLBI_NH_VAA, TLBI_EL2_VA, TLBI_EL2_VAA, TLBI_S2_IPA };

/* A TLBI of a granule: whether it is illegal. */
static bool is_illegal(u8 op, u64 tg, u64 ttl, u64 num, u64 scale)
{
	const u32 at = cons();
	const bool done = fake_smmu_command(
		&f, op | FIELD_PREP(CMD0_NUM, num) | FIELD_PREP(CMD0_SCALE, scale),
		FIELD_PREP(CMD1_TG, tg) | FIELD_PREP(CMD1_TTL, ttl));

	cr_assert(eq(u32, fake_smmu_cerror(&f), done ? CERROR_NONE : CERROR_ILL));
	if (!done) {
		fake_smmu_put(&f, f.cmdq + (at & 0xff) * 16, CFGI_STE);
		acknowledge();
	}
	return !done;
}

Test(smmu_queue, a_granule_without_range_or_level_is_illegal)
{
	fake_smmu_enable(&f);
	for (size_t i = 0; i < sizeof(by_address); i++) {
		for (u64 tg = 0; tg < 4; tg++) {
			cr_assert(eq(int, is_illegal(by_address[i], tg, 0, 0, 0), tg > 0));
			cr_assert(not(is_illegal(by_address[i], tg, 0, 1, 0)));
			cr_assert(not(is_illegal(by_address[i], tg, 0, 0, 1)));
			for (u64 ttl = 1; ttl < 4; ttl++)
				cr_assert(not(is_illegal(by_address[i], tg, ttl, 0, 0)));
		}
	}
}

Test(smmu_queue, a_level_that_the_granule_has_not_is_none)
{
	remake("idr5.ds", 0);
	fake_smmu_enable(&f);
	for (size_t i = 0; i < sizeof(by_address); i++) {
		cr_assert(is_illegal(by_address[i], 2, 1, 0, 0));
		cr_assert(not(is_illegal(by_address[i], 2, 1, 1, 0)));
		cr_assert(not(is_illegal(by_address[i], 2, 2, 0, 0)));
		cr_assert(not(is_illegal(by_address[i], 1, 1, 0, 0)));
		cr_assert(not(is_illegal(by_address[i], 3, 1, 0, 0)));
		cr_assert(is_illegal(by_address[i], 1, 0, 0, 32), "a reserved bit of SCALE");
	}
}

Test(smmu_queue, without_ranges_their_fields_are_reserved)
{
	remake("idr3.ril", 0);
	fake_smmu_enable(&f);
	for (size_t i = 0; i < sizeof(by_address); i++)
		for (u64 tg = 0; tg < 4; tg++)
			cr_assert(not(is_illegal(by_address[i], tg, 0, 0, 0)));
}

/* As many as the queue takes, in one go. */
static void queue_many(unsigned int nr)
{
	f.cmdq_log2size = 10;
	fake_smmu_enable(&f);
	for (unsigned int i = 0; i < nr; i++)
		fake_smmu_queue(&f, CFGI_STE, 0);
}

Test(smmu_queue, many_are_consumed_in_turns)
{
	queue_many(1024);
	cr_assert(not(fake_smmu_kick(&f)), "others have a turn");
	cr_assert(gt(u32, cons(), 0));
	fake_vm_run(&f.vm, 0);
	for (int i = 0; i < 100 && cons() != 1024; i++)
		fake_vm_run(&f.vm, 10);
	cr_assert(eq(u32, cons(), 1024));
	cr_assert(fake_smmu_sync(&f));
}

Test(smmu_queue, a_queue_that_is_turned_off_has_no_further_turn)
{
	u32 at;

	queue_many(1024);
	cr_assert(not(fake_smmu_kick(&f)));
	at = cons();
	fake_smmu_write32(&f, CR0, 0);
	for (int i = 0; i < 3; i++)
		fake_vm_run(&f.vm, 10);
	cr_assert(eq(u32, cons(), at));
	fake_smmu_write32(&f, CR0, CR0_CMDQEN);
	cr_assert(gt(u32, cons(), at));
}

Test(smmu_queue, an_error_between_turns_stops_it)
{
	queue_many(1024);
	fake_smmu_put(&f, f.cmdq + 700 * 16, 0);
	cr_assert(not(fake_smmu_kick(&f)));
	for (int i = 0; i < 100 && !fake_smmu_cerror(&f); i++)
		fake_vm_run(&f.vm, 10);
	expect_error(CERROR_ILL, 700);
}

Test(smmu_queue, it_may_go_while_it_waits_for_its_turn)
{
	queue_many(1024);
	cr_assert(not(fake_smmu_kick(&f)));
}

Test(smmu_queue, an_index_beyond_a_full_queue_comes_to_an_end)
{
	f.cmdq_log2size = 2;
	fake_smmu_enable(&f);
	for (u64 i = 0; i < 4; i++)
		fake_smmu_put(&f, f.cmdq + i * 16, CFGI_STE);
	fake_smmu_write32(&f, CMDQ_PROD, 7);
	cr_assert(eq(u32, cons(), 7));
	cr_assert(eq(u64, fake_smmu_counts(&f).commands, 7));
	fake_smmu_write32(&f, CMDQ_PROD, 0xfffff);
	cr_assert(eq(u64, fake_smmu_counts(&f).commands, 7), "beyond its bits nothing counts");
}

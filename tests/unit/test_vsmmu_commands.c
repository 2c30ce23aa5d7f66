// SPDX-License-Identifier: GPL-2.0-only
/* Commands that a host's SMMU has to do as well, and its events. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "tests/unit/fake_vsmmu.h"
#include "vfio/vsmmu_private.h"

#define F (&fake_v.smmu)

static void make_with(const struct smmu_id *id)
{
	fake_vsmmu_make(id);
	fake_vsmmu_put_stage1(0);
	fake_vsmmu_put_stage1(1);
	fake_vsmmu_enable();
}

/* With range invalidation, without PASIDs and ATS: as the fake host's, in another test. */
static void make(void)
{
	fake_iommufd.idr[0] |= IDR0_ASID16;
	fake_iommufd.idr[3] |= IDR3_RIL;
	make_with(NULL);
}

static void make_small(void)
{
	make_with(NULL);
}

static void make_ats(void)
{
	struct smmu_id id;

	fake_iommufd.idr[0] |= IDR0_ATS;
	fake_iommufd.idr[1] |= FIELD_PREP(IDR1_SSIDSIZE, 8);
	id = fake_vsmmu_id("idr0.ats", 1);
	make_with(&id);
	vsmmu_stream_has_ats(fake_v.streams[0]);
}

/* The guest has fewer than the host. */
static void make_without_pasids(void)
{
	struct smmu_id id;

	fake_iommufd.idr[0] |= IDR0_ATS;
	fake_iommufd.idr[1] |= FIELD_PREP(IDR1_SSIDSIZE, 8);
	id = fake_vsmmu_id("idr0.ats", 1);
	cr_assert(zero(ptr, (void *)smmu_id_set(&id, "idr1.ssidsize", 0)));
	make_with(&id);
	vsmmu_stream_has_ats(fake_v.streams[0]);
}

TestSuite(vsmmu_without_pasids, .init = make_without_pasids, .fini = fake_vsmmu_unmake);
TestSuite(vsmmu_commands, .init = make, .fini = fake_vsmmu_unmake);
TestSuite(vsmmu_small, .init = make_small, .fini = fake_vsmmu_unmake);
TestSuite(vsmmu_ats, .init = make_ats, .fini = fake_vsmmu_unmake);

static void expect_issued(unsigned int n, u64 w0, u64 w1)
{
	cr_assert(gt(u32, fake_slice.nr_commands, n));
	cr_assert(eq(u64, fake_slice.commands[n][0], w0));
	cr_assert(eq(u64, fake_slice.commands[n][1], w1));
}

struct passed_case {
	u64 w0, w1, to0, to1; /* as it is in the queue, and as the host has it; 0: not at all */
};

#define EVERY (~0xffULL)
ParameterizedTestParameters(vsmmu_commands, fields_that_there_are_arrive)
{
	static struct passed_case cases[] = {
		{ TLBI_NH_ALL | (EVERY & ~CMD0_SSEC), ~0ULL, TLBI_NH_ALL, 0 },
		{ TLBI_NSNH_ALL | (EVERY & ~CMD0_SSEC), ~0ULL, TLBI_NSNH_ALL, 0 },
		{ TLBI_NH_ASID | EVERY, ~0ULL, TLBI_NH_ASID | CMD0_ASID, 0 },
		{ TLBI_NH_VA | EVERY, ~0ULL, TLBI_NH_VA | CMD0_ASID | CMD0_NUM | GENMASK(24, 20),
		  CMD1_ADDR | CMD1_TG | CMD1_TTL | CMD1_LEAF },
		{ TLBI_NH_VA | EVERY, ~CMD1_TG, TLBI_NH_VA | CMD0_ASID, CMD1_ADDR | CMD1_LEAF },
		{ TLBI_NH_VAA | EVERY, ~0ULL, TLBI_NH_VAA | CMD0_NUM | GENMASK(24, 20),
		  CMD1_ADDR | CMD1_TG | CMD1_TTL | CMD1_LEAF },
		{ CFGI_CD | SID(0x10) | 0x800, ~0ULL, CFGI_CD | SID(0x10), CMD1_LEAF },
		{ CFGI_CD_ALL | SID(0x11) | 0x800, ~0ULL, CFGI_CD_ALL | SID(0x11), 0 },
		{ CFGI_CD | SID(0x12), 0, 0, 0 },     /* an endpoint of nobody's */
		{ CFGI_CD_ALL | SID(0x40), 0, 0, 0 }, /* no endpoint */
		{ PREFETCH_CONFIG | SID(0x10), 0, 0, 0 },
		{ RESUME | SID(0x10), 0, 0, 0 },
		{ STALL_TERM | SID(0x10), 0, 0, 0 },
	};

	return cr_make_param_array(struct passed_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct passed_case *c, vsmmu_commands, fields_that_there_are_arrive)
{
	const unsigned int before = fake_slice.nr_commands;

	cr_assert(fake_smmu_command(F, c->w0, c->w1), "%#llx", (unsigned long long)c->w0);
	cr_assert(eq(u32, fake_slice.nr_commands, before), "not before CMD_SYNC");
	cr_assert(fake_smmu_sync(F));
	cr_assert(eq(u32, fake_slice.nr_commands, before + !!c->to0));
	if (c->to0)
		expect_issued(before, c->to0, c->to1);
	cr_assert(zero(u32, fake_slice.nr_illegal));
}

ParameterizedTestParameters(vsmmu_commands, what_is_not_one_of_its_own_is_illegal)
{
	static u64 cases[] = { TLBI_EL2_ALL,   TLBI_EL2_ASID,      TLBI_EL2_VA, TLBI_EL2_VAA,
		               TLBI_S12_VMALL, TLBI_S2_IPA,        ATC_INV,     PRI_RESP,
		               0x50,           CFGI_CD | CMD0_SSEC };

	return cr_make_param_array(u64, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(u64 *w0, vsmmu_commands, what_is_not_one_of_its_own_is_illegal)
{
	const unsigned int before = fake_slice.nr_commands;

	cr_assert(not(fake_smmu_command(F, *w0, 0)));
	cr_assert(eq(u32, fake_smmu_cerror(F), CERROR_ILL));
	cr_assert(eq(u32, fake_slice.nr_commands, before));
}

Test(vsmmu_commands, a_range_that_is_none_is_illegal)
{
	cr_assert(not(fake_smmu_command(F, TLBI_NH_VA, 1 << 10)));
	cr_assert(eq(u32, fake_smmu_cerror(F), CERROR_ILL));
}

Test(vsmmu_commands, those_before_a_cmd_sync_are_one_call)
{
	const unsigned int calls = fake_slice.nr_calls;

	for (u64 i = 0; i < 100; i++)
		fake_smmu_queue(F, TLBI_NH_VA | i << 48, i << 12);
	cr_assert(fake_smmu_sync(F));
	cr_assert(eq(u32, fake_slice.nr_calls, calls + 1));
	cr_assert(eq(u32, fake_slice.nr_commands, 100));
	for (u64 i = 0; i < 100; i++)
		expect_issued(i, TLBI_NH_VA | i << 48, i << 12);
	cr_assert(fake_smmu_sync(F));
	cr_assert(eq(u32, fake_slice.nr_calls, calls + 1), "there is nothing to say");
}

Test(vsmmu_commands, more_than_there_is_room_for_are_more_calls)
{
	unsigned int n = 0;

	for (unsigned int k = 0; k < 3; k++) {
		for (u64 i = 0; i < 200; i++, n++)
			fake_smmu_queue(F, TLBI_NH_ASID | (u64)n << 48, 0);
		cr_assert(fake_smmu_kick(F));
	}
	cr_assert(fake_smmu_sync(F));
	cr_assert(eq(u32, fake_slice.nr_commands, 600));
	for (u64 i = 0; i < 600; i++)
		expect_issued(i, TLBI_NH_ASID | i << 48, 0);
}

/* As it is while an STE is being installed, and there is no more room. */
Test(vsmmu_commands, what_has_no_room_waits_until_the_host_has_streams_as_they_are_to_be)
{
	fake_smmu_command(F, CFGI_STE | SID(0x10), 0);
	for (unsigned int k = 0; k < 2; k++) {
		for (u64 i = 0; i < 200; i++)
			fake_smmu_queue(F, TLBI_NH_ASID | i << 48, 0);
		fake_smmu_kick(F);
	}
	cr_assert(ne(u32, fake_smmu_read32(F, CMDQ_CONS), F->prod));
	cr_assert(lt(u32, fake_slice.nr_commands, 2), "but for the stream's own");
	fake_vsmmu_settle();
	fake_vm_run(&F->vm, 10);
	cr_assert(fake_smmu_sync(F));
	cr_assert(eq(u32, fake_slice.nr_commands, 401));
	expect_issued(0, CFGI_CD_ALL | SID(0x10), 0);
}

/* The host has forgotten a stream that we still know: all others are issued. */
Test(vsmmu_commands, one_that_the_host_refuses_takes_no_other_with_it)
{
	struct vsmmu_stream *st = fake_v.streams[1];
	u32 id = st->vdevice;

	fake_vsmmu_put_stage1(1);
	F->sids[1] = 0x11;
	vsmmu_drop(fake_v.vsmmu, &id);
	for (u64 i = 0; i < 200; i++) {
		fake_smmu_queue(F, TLBI_NH_ASID | i << 48, 0);
		if (i == 5 || i == 130)
			fake_smmu_queue(F, CFGI_CD | SID(0x11), 0);
	}
	cr_assert(fake_smmu_sync(F));
	cr_assert(eq(u32, fake_slice.nr_illegal, 2));
	for (unsigned int i = 0; i < 200; i++)
		cr_assert(was_issued(TLBI_NH_ASID | (u64)i << 48), "%u", i);
	st->vdevice = 0;
}

Test(vsmmu_small, without_them_no_range_and_no_long_asid_arrives)
{
	cr_assert(fake_smmu_command(F, TLBI_NH_VA | EVERY, ~0ULL));
	cr_assert(fake_smmu_sync(F));
	expect_issued(0, TLBI_NH_VA | GENMASK(55, 48), CMD1_ADDR | CMD1_LEAF);
}

static void allow_ats(unsigned int i, u64 eats)
{
	u64 w[8];

	fake_smmu_ste_words(F, w, CONFIG_TRAFFIC | CONFIG_S1, i, 0, 0);
	w[1] = FIELD_PREP(STE1_EATS, eats);
	fake_smmu_ste(F, F->sids[i], w);
}

/* 4.5.1: as though SSV were 0, which the host's SMMU, with SubstreamIDs, would not do. */
Test(vsmmu_without_pasids, what_a_device_caches_goes_whatever_its_pasid)
{
	allow_ats(0, EATS_FULL);
	fake_vsmmu_configure(0);
	cr_assert(fake_smmu_command(F, ATC_INV | SID(0x10) | 0x800 | 7 << 12, 0x5000 | 3));
	cr_assert(fake_smmu_sync(F));
	expect_issued(fake_slice.nr_commands - 1, ATC_INV | SID(0x10), 0x5000 | 3);
	cr_assert(fake_smmu_command(F, CFGI_CD | SID(0x10) | 7 << 12, CMD1_LEAF));
	cr_assert(fake_smmu_sync(F));
	expect_issued(fake_slice.nr_commands - 1, CFGI_CD | SID(0x10), CMD1_LEAF);
}

Test(vsmmu_ats, an_invalidation_of_what_a_device_caches_arrives)
{
	cr_assert(fake_smmu_command(F, ATC_INV | SID(0x10), 0));
	cr_assert(fake_smmu_sync(F));
	cr_assert(zero(u32, fake_slice.nr_commands), "by its STE it caches nothing");
	allow_ats(0, EATS_FULL);
	fake_vsmmu_configure(0);
	cr_assert(fake_smmu_command(F, ATC_INV | SID(0x10) | 0x800 | 7 << 12, 0x5000 | 3));
	cr_assert(fake_smmu_sync(F));
	expect_issued(1, ATC_INV | SID(0x10) | 0x800 | 7 << 12, 0x5000 | 3);
	cr_assert(fake_smmu_command(F, ATC_INV | SID(0x13), 0));
	cr_assert(fake_smmu_sync(F));
	cr_assert(eq(u32, fake_slice.nr_commands, 2));
	vsmmu_stream_resets(fake_v.streams[0], true);
	cr_assert(fake_smmu_command(F, ATC_INV | SID(0x10), 0));
	cr_assert(fake_smmu_sync(F));
	cr_assert(eq(u32, fake_slice.nr_commands, 2), "while it is reset it does not answer");
	vsmmu_stream_resets(fake_v.streams[0], false);
	cr_assert(fake_smmu_command(F, ATC_INV | SID(0x10), 0));
	cr_assert(fake_smmu_sync(F));
	cr_assert(eq(u32, fake_slice.nr_commands, 3));
}

/* The host's own commands would wait for an answer. */
Test(vsmmu_ats, a_device_without_ats_is_told_of_no_invalidation)
{
	allow_ats(1, EATS_FULL);
	fake_vsmmu_configure(1);
	cr_assert(zero(u64, fake_ste_of(1)[1] & STE1_EATS));
	cr_assert(fake_smmu_command(F, ATC_INV | SID(0x11), 0));
	cr_assert(fake_smmu_sync(F));
	cr_assert(eq(u32, fake_slice.nr_commands, 1), "but of its CDs");
}

Test(vsmmu_ats, an_ste_that_takes_ats_away_before_cmd_sync_takes_the_invalidation_too)
{
	allow_ats(0, EATS_FULL);
	fake_vsmmu_configure(0);
	fake_slice.nr_commands = 0;
	fake_smmu_queue(F, ATC_INV | SID(0x10), 0);
	allow_ats(0, 0);
	fake_smmu_queue(F, CFGI_STE | SID(0x10), 0);
	fake_smmu_sync(F);
	fake_vsmmu_settle();
	cr_assert(eq(u32, fake_smmu_read32(F, CMDQ_CONS), F->prod));
	cr_assert(eq(u32, fake_slice.nr_commands, 1));
	expect_issued(0, CFGI_CD_ALL | SID(0x10), 0);
}

Test(vsmmu_ats, what_an_ste_says_of_ats_and_substreams_arrives)
{
	u64 w[8];

	fake_smmu_ste_words(F, w, CONFIG_TRAFFIC | CONFIG_S1, 0, 0, 0);
	w[0] |= FIELD_PREP(STE0_S1CDMAX, 8ULL);
	w[1] = S1DSS_SSID0 | STE1_S1CIR | STE1_S1COR | STE1_S1CSH |
	       FIELD_PREP(STE1_EATS, (u64)EATS_FULL) | STE1_MEV | STE1_PRIVCFG;
	fake_smmu_ste(F, 0x10, w);
	fake_vsmmu_configure(0);
	cr_assert(eq(u64, fake_ste_of(0)[0], w[0]));
	cr_assert(eq(u64, fake_ste_of(0)[1], (w[1] & ~(STE1_MEV | STE1_PRIVCFG)) | STE1_S1STALLD));
}

static u32 written(void)
{
	return fake_smmu_read32(F, EVENTQ_PROD) & QUEUE_INDEX;
}

Test(vsmmu_commands, events_of_the_hosts_are_the_drivers)
{
	static const u64 record[] = { F_TRANSLATION | SID(0x10), BIT(35) | CLASS(2), 0x12345678,
		                      0 };

	fake_event(record);
	fake_event(record);
	until(written() == 2);
	expect_event(F, record[0], record[1], record[2], record[3]);
	expect_event(F, record[0], record[1], record[2], record[3]);
	expect_no_event(F);
	cr_assert(zero(u64, fake_smmu_counts(F).lost));
}

Test(vsmmu_commands, events_that_the_host_has_lost_are_counted_and_the_driver_is_told)
{
	static const u64 record[] = { C_BAD_CD | SID(0x11), 0, 0, 0 };

	fake_event(record);
	fake_slice.sequence += 3; /* between two */
	fake_event(record);
	fake_events_lost(5);
	fake_event(record);
	until(written() == 3);
	cr_assert(eq(u64, fake_smmu_counts(F).lost, 8));
	cr_assert(eq(u64, fake_smmu_counts(F).events, 3));
	cr_assert(ne(u32, fake_smmu_read32(F, EVENTQ_PROD) & QUEUE_OVERFLOW, 0));
}

Test(vsmmu_commands, the_count_of_events_begins_again_after_31_bits)
{
	static const u64 record[] = { C_BAD_CD | SID(0x11), 0, 0, 0 };

	fake_slice.sequence = 0x7fffffff;
	fake_v.vsmmu->sequence = 0x7fffffff;
	fake_event(record);
	fake_slice.sequence = 0;
	fake_event(record);
	until(written() == 2);
	cr_assert(zero(u64, fake_smmu_counts(F).lost));
}

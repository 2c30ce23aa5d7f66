// SPDX-License-Identifier: GPL-2.0-only
/* An SMMUv3's ID registers: defaults, fields by name, and which contradict each other. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "devices/smmuv3/smmuv3.h"

static struct smmu_id id;

static void make(void)
{
	smmu_id_default(&id, 44);
}

TestSuite(smmu_id, .init = make);

static void set(const char *name, u64 value)
{
	const char *expected = smmu_id_set(&id, name, value);

	cr_assert(zero(ptr, (void *)expected), "%s: %s", name, expected);
}

static void expect(const char *expected)
{
	const char *got = smmu_id_check(&id);

	cr_assert(eq(str, (char *)(got ? got : ""), (char *)expected));
}

Test(smmu_id, the_defaults_are_two_stages_and_all_but_pri)
{
	/* ST_LEVEL, TERM_MODEL; CD2L, VMID16, VMW; SEV, MSI, ASID16; ATS, Hyp; HTTU,
	 * COHACC; TTF, S1P, S2P */
	cr_assert(eq(u32, id.idr[0],
	             1 << 27 | 1 << 26 | 1 << 19 | 1 << 18 | 1 << 17 | 1 << 14 | 1 << 13 | 1 << 12 |
	                     1 << 10 | 1 << 9 | 2 << 6 | 1 << 4 | 2 << 2 | 3));
	/* ATTR_PERMS_OVR, CMDQS, EVENTQS, PRIQS, SSIDSIZE, SIDSIZE */
	cr_assert(eq(u32, id.idr[1], 1 << 26 | 10 << 21 | 10 << 16 | 10 << 11 | 20 << 6 | 20));
	cr_assert(zero(u32, id.idr[2]));
	/* E0PD, BBML, RIL, STT, FWB, XNX, HAD */
	cr_assert(eq(u32, id.idr[3],
	             1 << 13 | 2 << 11 | 1 << 10 | 1 << 9 | 1 << 8 | 1 << 4 | 1 << 2));
	cr_assert(zero(u32, id.idr[4]));
	/* STALL_MAX, VAX, DS, GRAN64K, GRAN16K, GRAN4K, OAS */
	cr_assert(eq(u32, id.idr[5], 256 << 16 | 1 << 10 | 1 << 7 | 1 << 6 | 1 << 5 | 1 << 4 | 4));
	cr_assert(zero(u32, id.iidr));
	cr_assert(eq(u32, id.aidr, 2), "SMMUv3.2");
	expect("");
}

struct oas_case {
	u32 bits, code;
};

ParameterizedTestParameters(smmu_id, an_address_size_is_rounded_up_to_one_there_is)
{
	static struct oas_case cases[] = { { 1, 0 },  { 32, 0 }, { 33, 1 }, { 36, 1 }, { 37, 2 },
		                           { 40, 2 }, { 42, 3 }, { 43, 4 }, { 44, 4 }, { 46, 5 },
		                           { 48, 5 }, { 49, 6 }, { 52, 6 }, { 64, 6 } };

	return cr_make_param_array(struct oas_case, cases, sizeof(cases) / sizeof(*cases));
}

ParameterizedTest(struct oas_case *c, smmu_id, an_address_size_is_rounded_up_to_one_there_is)
{
	smmu_id_default(&id, c->bits);
	cr_assert(eq(u64, smmu_id_get(&id, "idr5.oas"), c->code));
	expect("");
}

Test(smmu_id, a_field_has_the_specifications_name_in_any_case)
{
	set("IDR1.SIDSIZE", 8);
	set("idr0.Hyp", 0);
	cr_assert(eq(u32, id.idr[1] & 0x3f, 8));
	cr_assert(eq(u32, id.idr[1] & ~0x3fu, 1 << 26 | 10 << 21 | 10 << 16 | 10 << 11 | 20 << 6));
	cr_assert(zero(u64, smmu_id_get(&id, "idr0.hyp")));
	expect("");
}

Test(smmu_id, fields_of_iidr_and_aidr_are_fields_too)
{
	set("iidr.implementer", 0x43b);
	set("iidr.productid", 0x483);
	set("iidr.variant", 1);
	set("iidr.revision", 2);
	set("aidr.archminorrev", 1);
	cr_assert(eq(u32, id.iidr, 0x4831243b));
	cr_assert(eq(u32, id.aidr, 1));
	expect("");
}

struct wrong_case {
	char name[32];
	u64 value;
	char expected[60];
};

ParameterizedTestParameters(smmu_id, what_is_not_offered_is_refused)
{
	static struct wrong_case cases[] = {
		{ "idr0.atsrecerr", 1, "idr0.atsrecerr=0" },
		{ "idr0.pri", 2, "idr0.pri=0 or idr0.pri=1" },
		{ "idr1.priqs", 20, "idr1.priqs=N, 0 to 19" },
		{ "idr0.stall_model", 3, "idr0.stall_model=N, 0 to 2" },
		{ "idr0.term_model", 0, "idr0.term_model=1" },
		{ "idr0.btm", 1, "idr0.btm=0" },
		{ "idr0.ttf", 3, "idr0.ttf=2" },
		{ "idr0.ttendian", 1, "idr0.ttendian=0, 2 or 3" },
		{ "idr0.httu", 3, "idr0.httu=N, 0 to 2" },
		{ "idr0.s1p", 2, "idr0.s1p=0 or idr0.s1p=1" },
		{ "idr0.st_level", 2, "idr0.st_level=0 or idr0.st_level=1" },
		{ "idr1.ecmdq", 1, "idr1.ecmdq=0" },
		{ "idr1.sidsize", 33, "idr1.sidsize=N, 0 to 32" },
		{ "idr1.ssidsize", 21, "idr1.ssidsize=N, 0 to 20" },
		{ "idr1.cmdqs", 20, "idr1.cmdqs=N, 0 to 19" },
		{ "idr1.eventqs", 20, "idr1.eventqs=N, 0 to 19" },
		{ "idr1.queues_preset", 1, "idr1.queues_preset=0" },
		{ "idr3.mpam", 1, "idr3.mpam=0" },
		{ "idr3.bbml", 3, "idr3.bbml=N, 0 to 2" },
		{ "idr5.d128", 1, "idr5.d128=0" },
		{ "idr5.oas", 7, "idr5.oas=N, 0 to 6" },
		{ "idr5.vax", 2, "idr5.vax=0 or idr5.vax=1" },
		{ "idr5.stall_max", 65536, "idr5.stall_max=N, 1 to 256" },
		{ "iidr.implementer", 4096, "iidr.implementer=N, 0 to 4095" },
		{ "iidr.variant", 1ULL << 32, "iidr.variant=N, 0 to 15" },
		{ "aidr.archminorrev", 3, "aidr.archminorrev=N, 0 to 2" },
		{ "idr1.sidsize", 64 + 5, "idr1.sidsize=N, 0 to 32" },
		{ "idr1.sidsize", ~0ULL, "idr1.sidsize=N, 0 to 32" },
		{ "idr0.nothing", 0, "a field of an ID register, such as idr0.s2p=0" },
		{ "s2p", 0, "a field of an ID register, such as idr0.s2p=0" },
		{ "", 0, "a field of an ID register, such as idr0.s2p=0" },
	};

	return cr_make_param_array(struct wrong_case, cases, sizeof(cases) / sizeof(*cases));
}

ParameterizedTest(struct wrong_case *c, smmu_id, what_is_not_offered_is_refused)
{
	const struct smmu_id before = id;

	cr_assert(eq(str, (char *)smmu_id_set(&id, c->name, c->value), c->expected));
	cr_assert(zero(int, memcmp(&before, &id, sizeof(id))), "nothing changes");
}

Test(smmu_id, one_stage_is_enough_and_takes_what_needs_the_other_with_it)
{
	set("idr0.s2p", 0);
	cr_assert(zero(u64, smmu_id_get(&id, "idr0.hyp")));
	cr_assert(zero(u64, smmu_id_get(&id, "idr0.vmw")));
	cr_assert(eq(u64, smmu_id_get(&id, "idr3.had"), 1));
	expect("");
	make();
	set("idr0.s1p", 0);
	cr_assert(zero(u64, smmu_id_get(&id, "idr0.hyp")));
	cr_assert(zero(u64, smmu_id_get(&id, "idr3.had")));
	cr_assert(eq(u64, smmu_id_get(&id, "idr0.vmw"), 1));
	expect("");
	set("idr0.s2p", 0);
	expect("idr0.s1p=1 or idr0.s2p=1");
}

Test(smmu_id, stall_max_goes_with_the_stall_model)
{
	cr_assert(gt(u64, smmu_id_get(&id, "idr5.stall_max"), 0));
	set("idr0.stall_model", 1);
	cr_assert(zero(u64, smmu_id_get(&id, "idr5.stall_max")));
	expect("");
	set("idr5.stall_max", 1);
	expect("idr5.stall_max=0 with idr0.stall_model=1");
	set("idr0.stall_model", 2);
	expect("");
	set("idr5.stall_max", 257);
	expect("idr5.stall_max=N, 1 to 256, with idr0.stall_model=0 or 2");
}

Test(smmu_id, what_needs_another_field_is_refused_without)
{
	set("idr0.s2p", 0);
	set("idr0.vmw", 1);
	expect("idr0.vmw=0 without idr0.s2p=1");
	set("idr0.hyp", 1);
	expect("idr0.hyp=0 without both idr0.s1p=1 and idr0.s2p=1");
	make();
	set("idr0.s1p", 0);
	set("idr3.had", 1);
	expect("idr3.had=0 without idr0.s1p=1");
	make();
	set("idr5.gran4k", 0);
	set("idr5.gran16k", 0);
	cr_assert(zero(u64, smmu_id_get(&id, "idr5.ds")));
	expect("");
	set("idr5.ds", 1);
	expect("idr5.ds=0 without idr5.gran4k=1 or idr5.gran16k=1");
}

Test(smmu_id, split_stages_of_ats_need_ats_and_both_stages)
{
	static const char *const needed[] = { "idr0.ats", "idr0.s1p", "idr0.s2p" };

	for (size_t i = 0; i < 3; i++) {
		make();
		set("idr0.ns1ats", 1);
		expect("");
		set(needed[i], 0);
		expect("idr0.ns1ats=0 without idr0.ats=1, idr0.s1p=1 and idr0.s2p=1");
		set("idr0.ns1ats", 0);
		expect("");
	}
}

Test(smmu_id, page_requests_are_there_with_ats_only)
{
	set("idr0.ats", 0);
	set("idr0.pri", 1);
	expect("idr0.pri=0 without idr0.ats=1");
	set("idr0.ats", 1);
	set("idr3.pps", 1);
	expect("");
	set("idr1.ssidsize", 0);
	expect("idr3.pps=0 without idr0.pri=1 and SubstreamIDs (idr1.ssidsize)");
	set("idr3.pps", 0);
	set("idr0.ats", 0);
	expect("idr0.pri=0 without idr0.ats=1");
	set("idr0.pri", 0);
	expect("");
}

Test(smmu_id, many_streams_need_two_levels)
{
	set("idr0.st_level", 0);
	expect("idr0.st_level=1 with idr1.sidsize=7 or more");
	set("idr1.sidsize", 7);
	expect("idr0.st_level=1 with idr1.sidsize=7 or more");
	set("idr1.sidsize", 6);
	expect("");
	set("idr1.sidsize", 0);
	expect("");
}

Test(smmu_id, there_is_a_granule)
{
	set("idr5.gran4k", 0);
	set("idr5.gran16k", 0);
	set("idr5.gran64k", 0);
	expect("idr5.gran4k=1, idr5.gran16k=1 or idr5.gran64k=1");
}

Test(smmu_id, addresses_of_52_bits_need_a_granule_that_has_them)
{
	set("idr5.vax", 0);
	expect("idr5.vax=1 with idr5.ds=1");
	set("idr5.ds", 0);
	expect("");
	set("idr5.oas", 6);
	expect("");
	set("idr5.gran64k", 0);
	expect("idr5.gran64k=1 or idr5.ds=1 with idr5.oas=6");
	set("idr5.oas", 5);
	expect("");
	set("idr5.vax", 1);
	expect("idr5.gran64k=1 or idr5.ds=1 with idr5.vax=1");
	set("idr5.ds", 1);
	expect("");
	set("idr5.oas", 6);
	expect("");
}

Test(smmu_id, registers_that_no_one_set_by_name_are_checked_too)
{
	id.idr[0] |= 3 << 2;
	expect("idr0.ttf=2");
}

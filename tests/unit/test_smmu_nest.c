// SPDX-License-Identifier: GPL-2.0-only
/* ID registers of an SMMU that one of the host's translates for (6.3.1 to 6.3.6). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "devices/smmuv3/fields.h"
#include "devices/smmuv3/smmuv3.h"

/* All that there is, and what is not known yet. */
static const u32 all[SMMU_NR_IDR] = { ~0u, ~0u, ~0u, ~0u, ~0u, ~0u };
static const u32 nothing[SMMU_NR_IDR];

static struct smmu_id id;
static u64 most;

static void make(void)
{
	smmu_id_default(&id, 44);
}

TestSuite(smmu_nest, .init = make);

static void nest(const u32 *host)
{
	const char *field = smmu_id_nest(&id, host, &most);

	cr_assert(zero(ptr, (void *)field), "%s", field);
}

struct field_case {
	char name[24];
	u64 of_all, of_nothing;
};

ParameterizedTestParameters(smmu_nest, each_field_is_the_hosts_or_none_or_ours)
{
	static struct field_case cases[] = {
		{ "idr0.s2p", 0, 0 },         { "idr0.s1p", 1, 1 },
		{ "idr0.ttf", 2, 2 },         { "idr0.cohacc", 1, 1 },
		{ "idr0.btm", 0, 0 },         { "idr0.httu", 0, 0 },
		{ "idr0.hyp", 0, 0 },         { "idr0.ats", 1, 0 },
		{ "idr0.ns1ats", 0, 0 },      { "idr0.asid16", 1, 0 },
		{ "idr0.pri", 0, 0 },         { "idr0.vmw", 0, 0 },
		{ "idr0.vmid16", 0, 0 },      { "idr0.cd2l", 1, 0 },
		{ "idr0.ttendian", 3, 0 },    { "idr0.stall_model", 3, 0 },
		{ "idr0.term_model", 1, 0 },  { "idr0.st_level", 1, 1 },
		{ "idr0.msi", 1, 1 },         { "idr0.sev", 1, 1 },
		{ "idr1.sidsize", 20, 20 },   { "idr1.ssidsize", 20, 0 },
		{ "idr1.cmdqs", 10, 10 },     { "idr1.attr_perms_ovr", 0, 0 },
		{ "idr1.ecmdq", 0, 0 },       { "idr1.attr_types_ovr", 0, 0 },
		{ "idr3.had", 0, 0 },         { "idr3.xnx", 0, 0 },
		{ "idr3.fwb", 0, 0 },         { "idr3.stt", 0, 0 },
		{ "idr3.ril", 1, 0 },         { "idr3.bbml", 2, 0 },
		{ "idr3.e0pd", 0, 0 },        { "idr5.oas", 6, 0 },
		{ "idr5.gran4k", 1, 0 },      { "idr5.gran16k", 1, 0 },
		{ "idr5.gran64k", 1, 0 },     { "idr5.ds", 0, 0 },
		{ "idr5.vax", 1, 0 },         { "idr5.stall_max", SMMU_MAX_STALLS, 0 },
		{ "iidr.implementer", 0, 0 }, { "aidr.archminorrev", 2, 2 },
	};

	return cr_make_param_array(struct field_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct field_case *c, smmu_nest, each_field_is_the_hosts_or_none_or_ours)
{
	nest(all);
	cr_assert(eq(u64, smmu_id_get(&id, c->name), c->of_all), "%s", c->name);
	smmu_id_default(&id, 44);
	nest(nothing);
	cr_assert(eq(u64, smmu_id_get(&id, c->name), c->of_nothing), "%s", c->name);
}

struct said_case {
	char name[24];
	u64 said, host; /* its IDR, of all fields */
	u64 most;       /* ~0: it is well */
};

ParameterizedTestParameters(smmu_nest, what_was_said_is_so_where_the_host_has_it)
{
	static struct said_case cases[] = {
		{ "idr0.ats", 1, 1, ~0ULL },
		{ "idr0.ats", 0, 1, ~0ULL },
		{ "idr0.ats", 1, 0, 0 },
		{ "idr0.s2p", 1, 1, 0 },
		{ "idr0.s2p", 0, 1, ~0ULL },
		{ "idr0.cohacc", 0, 1, 1 },
		{ "idr0.stall_model", 0, 0, ~0ULL },
		{ "idr0.stall_model", 1, 0, 0 },
		{ "idr0.asid16", 0, 1, ~0ULL },
		{ "idr0.asid16", 1, 0, 0 },
		{ "idr1.ssidsize", 8, 1, ~0ULL },
		{ "idr1.ssidsize", 8, 0, 0 },
		{ "idr3.ril", 0, 1, ~0ULL },
		{ "idr3.ril", 1, 0, 0 },
		{ "idr5.oas", 5, 1, ~0ULL },
		{ "idr5.oas", 5, 0, 0 },
		{ "idr1.sidsize", 32, 0, ~0ULL },
		{ "idr1.cmdqs", 19, 0, ~0ULL },
	};

	return cr_make_param_array(struct said_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct said_case *c, smmu_nest, what_was_said_is_so_where_the_host_has_it)
{
	const char *field;

	cr_assert(zero(ptr, (void *)smmu_id_set(&id, c->name, c->said)));
	field = smmu_id_nest(&id, c->host ? all : nothing, &most);
	if (c->most == ~0ULL) {
		cr_assert(zero(ptr, (void *)field), "%s", c->name);
		cr_assert(eq(u64, smmu_id_get(&id, c->name), c->said));
	} else {
		cr_assert(eq(str, (char *)(field ? field : "taken"), c->name));
		cr_assert(eq(u64, most, c->most));
	}
}

static void expect_sound(const u32 *host)
{
	const char *expected;

	smmu_id_default(&id, 48);
	nest(host);
	expected = smmu_id_contradiction(&id);
	cr_assert(zero(ptr, (void *)expected), "%s", expected);
}

/* What a host has may need what it has not for a guest, or what is the front's. */
Test(smmu_nest, whatever_a_host_has_no_field_contradicts_another)
{
	u32 host[SMMU_NR_IDR];

	memcpy(host, all, sizeof(host));
	host[0] &= ~(u32)(IDR0_ST_LEVEL | IDR0_STALL_MODEL);
	host[0] |= FIELD_PREP(IDR0_STALL_MODEL, 1);
	expect_sound(host);
	cr_assert(eq(u64, smmu_id_get(&id, "idr0.st_level"), 1));
	cr_assert(zero(u64, smmu_id_get(&id, "idr5.stall_max")));
}

Test(smmu_nest, fifty_two_bits_go_with_64k_pages)
{
	u32 host[SMMU_NR_IDR];

	memcpy(host, all, sizeof(host));
	host[0] &= ~(u32)IDR0_STALL_MODEL;
	host[5] &= ~(u32)IDR5_GRAN64K;
	expect_sound(host);
	cr_assert(eq(u64, smmu_id_get(&id, "idr5.oas"), 5));
	cr_assert(zero(u64, smmu_id_get(&id, "idr5.vax")));
}

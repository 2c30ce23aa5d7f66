// SPDX-License-Identifier: GPL-2.0-only
/* What an SMMUv3 says of itself in its ID registers (Arm IHI 0070, 6.3.1 to 6.3.8), field by field.
 */
#include <assert.h>
#include <strings.h>

#include "devices/smmuv3/private.h"

enum { IDR0, IDR1, IDR2, IDR3, IDR4, IDR5, IIDR, AIDR };

struct field {
	const char *name;
	u8 reg;
	u32 mask;
	u64 values; /* that it can have, a bit each; 0: any that it holds */
	u32 initial;
	const char *expected;
};

#define NUMBER(name, reg, mask, largest, initial)                                         \
	{                                                                                 \
		name, reg, mask, GENMASK(largest, 0), initial, name "=N, 0 to " #largest, \
	}
#define FLAG(name, reg, mask, initial)                                              \
	{                                                                           \
		name, reg, mask, BIT(0) | BIT(1), initial, name "=0 or " name "=1", \
	}
#define ONLY(name, reg, mask, value)                                 \
	{                                                            \
		name, reg, mask, BIT(value), value, name "=" #value, \
	}
#define ANY(name, reg, mask, largest)                             \
	{                                                         \
		name, reg, mask, 0, 0, name "=N, 0 to " #largest, \
	}

/* IDR4 has none that the architecture knows. What is ONLY 0 is not offered. */
static const struct field fields[] = {
	FLAG("idr0.s2p", IDR0, BIT(0), 1),
	FLAG("idr0.s1p", IDR0, BIT(1), 1),
	ONLY("idr0.ttf", IDR0, GENMASK(3, 2), 2),
	FLAG("idr0.cohacc", IDR0, BIT(4), 1),
	ONLY("idr0.btm", IDR0, BIT(5), 0),
	NUMBER("idr0.httu", IDR0, GENMASK(7, 6), 2, 2),
	ONLY("idr0.dormhint", IDR0, BIT(8), 0),
	FLAG("idr0.hyp", IDR0, BIT(9), 1),
	FLAG("idr0.ats", IDR0, BIT(10), 1),
	FLAG("idr0.ns1ats", IDR0, BIT(11), 0),
	FLAG("idr0.asid16", IDR0, BIT(12), 1),
	FLAG("idr0.msi", IDR0, BIT(13), 1),
	FLAG("idr0.sev", IDR0, BIT(14), 1),
	ONLY("idr0.atos", IDR0, BIT(15), 0),
	FLAG("idr0.pri", IDR0, BIT(16), 0),
	FLAG("idr0.vmw", IDR0, BIT(17), 1),
	FLAG("idr0.vmid16", IDR0, BIT(18), 1),
	FLAG("idr0.cd2l", IDR0, BIT(19), 1),
	ONLY("idr0.vatos", IDR0, BIT(20), 0),
	{ "idr0.ttendian", IDR0, GENMASK(22, 21), BIT(0) | BIT(2) | BIT(3), 0,
	  "idr0.ttendian=0, 2 or 3" },
	ONLY("idr0.atsrecerr", IDR0, BIT(23), 0),
	NUMBER("idr0.stall_model", IDR0, GENMASK(25, 24), 2, 0),
	ONLY("idr0.term_model", IDR0, BIT(26), 1),
	FLAG("idr0.st_level", IDR0, GENMASK(28, 27), 1),
	ONLY("idr0.rme_impl", IDR0, BIT(30), 0),

	NUMBER("idr1.sidsize", IDR1, GENMASK(5, 0), 32, 20),
	NUMBER("idr1.ssidsize", IDR1, GENMASK(10, 6), 20, 20),
	NUMBER("idr1.priqs", IDR1, GENMASK(15, 11), 19, 10),
	NUMBER("idr1.eventqs", IDR1, GENMASK(20, 16), 19, 10),
	NUMBER("idr1.cmdqs", IDR1, GENMASK(25, 21), 19, 10),
	FLAG("idr1.attr_perms_ovr", IDR1, BIT(26), 1),
	ONLY("idr1.attr_types_ovr", IDR1, BIT(27), 0),
	ONLY("idr1.rel", IDR1, BIT(28), 0),
	ONLY("idr1.queues_preset", IDR1, BIT(29), 0),
	ONLY("idr1.tables_preset", IDR1, BIT(30), 0),
	ONLY("idr1.ecmdq", IDR1, BIT(31), 0),

	ONLY("idr2.ba_vatos", IDR2, GENMASK(9, 0), 0),

	FLAG("idr3.had", IDR3, BIT(2), 1),
	ONLY("idr3.pbha", IDR3, BIT(3), 0),
	ONLY("idr3.xnx", IDR3, BIT(4), 1), /* mandatory with stage 2 */
	FLAG("idr3.pps", IDR3, BIT(5), 0),
	ONLY("idr3.mpam", IDR3, BIT(7), 0),
	FLAG("idr3.fwb", IDR3, BIT(8), 1),
	FLAG("idr3.stt", IDR3, BIT(9), 1),
	FLAG("idr3.ril", IDR3, BIT(10), 1),
	NUMBER("idr3.bbml", IDR3, GENMASK(12, 11), 2, 2),
	FLAG("idr3.e0pd", IDR3, BIT(13), 1),
	ONLY("idr3.ptwnnc", IDR3, BIT(14), 0),
	ONLY("idr3.dpt", IDR3, BIT(15), 0),
	ONLY("idr3.pasidtt", IDR3, BIT(16), 0),
	ONLY("idr3.epan", IDR3, BIT(17), 0),
	ONLY("idr3.s1pi", IDR3, BIT(18), 0),
	ONLY("idr3.s2pi", IDR3, BIT(19), 0),
	ONLY("idr3.s2po", IDR3, BIT(20), 0),
	ONLY("idr3.the", IDR3, BIT(21), 0),
	ONLY("idr3.mteperm", IDR3, BIT(22), 0),
	ONLY("idr3.aie", IDR3, BIT(23), 0),

	NUMBER("idr5.oas", IDR5, GENMASK(2, 0), 6, 0),
	FLAG("idr5.gran4k", IDR5, BIT(4), 1),
	FLAG("idr5.gran16k", IDR5, BIT(5), 1),
	FLAG("idr5.gran64k", IDR5, BIT(6), 1),
	FLAG("idr5.ds", IDR5, BIT(7), 1),
	ONLY("idr5.d128", IDR5, BIT(8), 0),
	FLAG("idr5.vax", IDR5, GENMASK(11, 10), 1),
	{ "idr5.stall_max", IDR5, GENMASK(31, 16), 0, SMMU_MAX_STALLS,
	  "idr5.stall_max=N, 1 to 256" },

	/* No one's: a driver looks for errata here. */
	ANY("iidr.implementer", IIDR, GENMASK(11, 0), 4095),
	ANY("iidr.revision", IIDR, GENMASK(15, 12), 15),
	ANY("iidr.variant", IIDR, GENMASK(19, 16), 15),
	ANY("iidr.productid", IIDR, GENMASK(31, 20), 4095),

	NUMBER("aidr.archminorrev", AIDR, GENMASK(3, 0), 2, 2),
	ONLY("aidr.archmajorrev", AIDR, GENMASK(7, 4), 0),
};

_Static_assert(ARRAY_SIZE(fields) <= 128, "struct smmu_id has so many bits");

static const struct field *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!strcasecmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

static u32 reg(const struct smmu_id *id, const struct field *f)
{
	return f->reg < SMMU_NR_IDR ? id->idr[f->reg] : f->reg == IIDR ? id->iidr : id->aidr;
}

static u64 get(const struct smmu_id *id, const struct field *f)
{
	return FIELD_GET((u64)f->mask, reg(id, f));
}

static void put(struct smmu_id *id, const struct field *f, u64 value)
{
	u32 *r = f->reg < SMMU_NR_IDR ? &id->idr[f->reg] : f->reg == IIDR ? &id->iidr : &id->aidr;

	*r = (*r & ~f->mask) | FIELD_PREP((u64)f->mask, value);
}

static bool can_be(const struct field *f, u64 value)
{
	if (f->values)
		return value < 64 && f->values & BIT(value);
	return value <= f->mask / FIELD_LOW(f->mask);
}

u64 smmu_id_get(const struct smmu_id *id, const char *name)
{
	const struct field *f = find(name);

	assert(f);
	return get(id, f);
}

static bool has(const struct smmu_id *id, const char *name)
{
	return smmu_id_get(id, name);
}

static bool has_s1(const struct smmu_id *id)
{
	return has(id, "idr0.s1p");
}

static bool has_s2(const struct smmu_id *id)
{
	return has(id, "idr0.s2p");
}

static bool has_both(const struct smmu_id *id)
{
	return has_s1(id) && has_s2(id);
}

static bool has_small_granule(const struct smmu_id *id)
{
	return has(id, "idr5.gran4k") || has(id, "idr5.gran16k");
}

static bool has_ats(const struct smmu_id *id)
{
	return has(id, "idr0.ats");
}

static bool has_pri_of_substreams(const struct smmu_id *id)
{
	return has(id, "idr0.pri") && has(id, "idr1.ssidsize");
}

static bool has_stalls(const struct smmu_id *id)
{
	return smmu_id_get(id, "idr0.stall_model") != 1;
}

static bool has_ats_of_both(const struct smmu_id *id)
{
	return has_both(id) && has(id, "idr0.ats");
}

/* Fields that are RES0 without others. */
static const struct {
	const char *name;
	bool (*is_there)(const struct smmu_id *id);
	const char *expected;
} dependents[] = {
	{ "idr5.stall_max", has_stalls, "idr5.stall_max=0 with idr0.stall_model=1" },
	{ "idr0.ns1ats", has_ats_of_both,
	  "idr0.ns1ats=0 without idr0.ats=1, idr0.s1p=1 and idr0.s2p=1" },
	{ "idr0.pri", has_ats, "idr0.pri=0 without idr0.ats=1" },
	{ "idr3.pps", has_pri_of_substreams,
	  "idr3.pps=0 without idr0.pri=1 and SubstreamIDs (idr1.ssidsize)" },
	{ "idr0.hyp", has_both, "idr0.hyp=0 without both idr0.s1p=1 and idr0.s2p=1" },
	{ "idr0.vmw", has_s2, "idr0.vmw=0 without idr0.s2p=1" },
	{ "idr3.had", has_s1, "idr3.had=0 without idr0.s1p=1" },
	{ "idr5.ds", has_small_granule, "idr5.ds=0 without idr5.gran4k=1 or idr5.gran16k=1" },
};

void smmu_id_default(struct smmu_id *id, unsigned int oas)
{
	static const u8 sizes[] = { 32, 36, 40, 42, 44, 48, 52 };
	unsigned int i = 0;

	*id = (struct smmu_id){ 0 };
	for (size_t f = 0; f < ARRAY_SIZE(fields); f++)
		put(id, &fields[f], fields[f].initial);
	while (sizes[i] < oas && i < ARRAY_SIZE(sizes) - 1)
		i++;
	put(id, find("idr5.oas"), i);
}

void smmu_id_settle(struct smmu_id *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(dependents); i++)
		if (!smmu_id_said(id, dependents[i].name) && !dependents[i].is_there(id))
			put(id, find(dependents[i].name), 0);
}

const char *smmu_id_set(struct smmu_id *id, const char *name, u64 value)
{
	const struct field *f = find(name);

	if (!f)
		return "a field of an ID register, such as idr0.s2p=0";
	if (!can_be(f, value))
		return f->expected;
	put(id, f, value);
	id->said[(f - fields) / 64] |= BIT((f - fields) % 64);
	smmu_id_settle(id);
	return NULL;
}

/* Between fields, beyond what is RES0 without others. */
static const char *check_sizes(const struct smmu_id *id)
{
	if (has_stalls(id) &&
	    (!has(id, "idr5.stall_max") || smmu_id_get(id, "idr5.stall_max") > SMMU_MAX_STALLS))
		return "idr5.stall_max=N, 1 to 256, with idr0.stall_model=0 or 2";
	if (!has_s1(id) && !has_s2(id))
		return "idr0.s1p=1 or idr0.s2p=1";
	if (smmu_id_get(id, "idr1.sidsize") >= 7 && !has(id, "idr0.st_level"))
		return "idr0.st_level=1 with idr1.sidsize=7 or more";
	if (!has_small_granule(id) && !has(id, "idr5.gran64k"))
		return "idr5.gran4k=1, idr5.gran16k=1 or idr5.gran64k=1";
	if (has(id, "idr5.ds") && !has(id, "idr5.vax"))
		return "idr5.vax=1 with idr5.ds=1";
	if (has(id, "idr5.vax") && !has(id, "idr5.gran64k") && !has(id, "idr5.ds"))
		return "idr5.gran64k=1 or idr5.ds=1 with idr5.vax=1";
	if (smmu_id_get(id, "idr5.oas") == 6 && !has(id, "idr5.gran64k") && !has(id, "idr5.ds"))
		return "idr5.gran64k=1 or idr5.ds=1 with idr5.oas=6";
	return NULL;
}

const char *smmu_id_contradiction(const struct smmu_id *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(dependents); i++)
		if (has(id, dependents[i].name) && !dependents[i].is_there(id))
			return dependents[i].expected;
	return check_sizes(id);
}

const char *smmu_id_check(const struct smmu_id *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!can_be(&fields[i], get(id, &fields[i])))
			return fields[i].expected;
	return smmu_id_contradiction(id);
}

bool smmu_id_said(const struct smmu_id *id, const char *name)
{
	const struct field *f = find(name);

	assert(f);
	return id->said[(f - fields) / 64] >> (f - fields) % 64 & 1;
}

void smmu_id_put(struct smmu_id *id, const char *name, u64 value)
{
	put(id, find(name), value);
}

// SPDX-License-Identifier: GPL-2.0-only
/* What an SMMUv3 says of itself where one of the host's translates for it (Arm IHI 0070, 6.3.1 to
 * 6.3.6): which fields a host lets a guest have, struct iommu_hw_info_arm_smmuv3 says. */
#include <string.h>

#include "devices/smmuv3/private.h"

/* Of each field that is not the front's own. */
enum nest {
	NEST_NONE,  /* 0: stage 2 is the host's, and what goes with it */
	NEST_ONE,   /* 1 */
	NEST_SAME,  /* the host's */
	NEST_UP_TO, /* the host's, or less */
};

static const struct {
	const char *name;
	enum nest nest;
} rules[] = {
	{ "idr0.s2p", NEST_NONE },
	{ "idr0.s1p", NEST_ONE },
	{ "idr0.cohacc", NEST_ONE },
	{ "idr0.httu", NEST_NONE },
	{ "idr0.hyp", NEST_NONE },
	{ "idr0.ats", NEST_UP_TO },
	{ "idr0.ns1ats", NEST_NONE },
	{ "idr0.asid16", NEST_UP_TO },
	{ "idr0.pri", NEST_NONE },
	{ "idr0.vmw", NEST_NONE },
	{ "idr0.vmid16", NEST_NONE },
	{ "idr0.cd2l", NEST_UP_TO },
	{ "idr0.ttendian", NEST_SAME },
	{ "idr0.stall_model", NEST_SAME },
	{ "idr0.term_model", NEST_SAME },
	{ "idr1.ssidsize", NEST_UP_TO },
	{ "idr1.attr_perms_ovr", NEST_NONE },
	{ "idr3.had", NEST_NONE },
	{ "idr3.xnx", NEST_NONE },
	{ "idr3.pps", NEST_NONE },
	{ "idr3.fwb", NEST_NONE },
	{ "idr3.stt", NEST_NONE },
	{ "idr3.ril", NEST_UP_TO },
	{ "idr3.bbml", NEST_UP_TO },
	{ "idr3.e0pd", NEST_NONE },
	{ "idr5.oas", NEST_UP_TO },
	{ "idr5.gran4k", NEST_UP_TO },
	{ "idr5.gran16k", NEST_UP_TO },
	{ "idr5.gran64k", NEST_UP_TO },
	{ "idr5.ds", NEST_NONE },
	{ "idr5.vax", NEST_UP_TO },
	{ "idr5.stall_max", NEST_UP_TO },
};

/* Of what is newer than the front, the newest that it knows. */
static const struct {
	const char *name;
	u64 most;
} known[] = {
	{ "idr1.ssidsize", 20 },
	{ "idr3.bbml", 2 },
	{ "idr5.oas", 6 },
	{ "idr5.vax", 1 },
	{ "idr5.stall_max", SMMU_MAX_STALLS },
};

static u64 most_of(const struct smmu_id *host, const char *name)
{
	u64 value = smmu_id_get(host, name);

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(known[i].name, name) && value > known[i].most)
			value = known[i].most;
	return value;
}

/* 6.3.6: 52 bits are of 64 KiB pages, where there is no DS. What was said stays, and is refused by
 * smmu_id_check(). */
static void fit(struct smmu_id *id)
{
	smmu_id_settle(id);
	if (smmu_id_get(id, "idr5.gran64k"))
		return;
	if (!smmu_id_said(id, "idr5.vax"))
		smmu_id_put(id, "idr5.vax", 0);
	if (!smmu_id_said(id, "idr5.oas") && smmu_id_get(id, "idr5.oas") == 6)
		smmu_id_put(id, "idr5.oas", 5);
}

const char *smmu_id_nest(struct smmu_id *id, const u32 *host, u64 *most)
{
	struct smmu_id hosts = { 0 };

	memcpy(hosts.idr, host, sizeof(hosts.idr));
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const char *name = rules[i].name;
		const u64 said = smmu_id_get(id, name);
		u64 value = most_of(&hosts, name);
		bool well;

		if (rules[i].nest == NEST_NONE || rules[i].nest == NEST_ONE)
			value = rules[i].nest == NEST_ONE;
		well = rules[i].nest < NEST_UP_TO ? said == value : said <= value;
		*most = value;
		if (smmu_id_said(id, name) && !well)
			return name;
		if (!smmu_id_said(id, name))
			smmu_id_put(id, name, value);
	}
	fit(id);
	return NULL;
}

// SPDX-License-Identifier: GPL-2.0-only
/* CMD_TLBI_* (Arm IHI 0070, 4.4): what each takes from the TLB. TTL and Leaf narrow what has to go:
 * entries have no level, so they do not narrow it here. */
#include "devices/smmuv3/private.h"

/* What an opcode's invalidation is by (4.4.2, 4.4.3). */
enum by {
	BY_ASID = BIT(0),
	BY_VMID = BIT(1),
	BY_ADDRESS = BIT(2),
	GLOBALS = BIT(3), /* by ASID and address: global ones too */
	IPA = BIT(4),     /* translations of stage 2 alone */
	BOTH = BIT(5),    /* those, and of virtual addresses */
	EL2 = BIT(6),
};

static const u8 opcodes[] = {
	[0x10] = BY_VMID,                                  /* NH_ALL */
	[0x11] = BY_VMID | BY_ASID,                        /* NH_ASID */
	[0x12] = BY_VMID | BY_ASID | BY_ADDRESS | GLOBALS, /* NH_VA */
	[0x13] = BY_VMID | BY_ADDRESS,                     /* NH_VAA */
	[0x20] = EL2,                                      /* EL2_ALL */
	[0x21] = EL2 | BY_ASID,                            /* EL2_ASID */
	[0x22] = EL2 | BY_ASID | BY_ADDRESS | GLOBALS,     /* EL2_VA */
	[0x23] = EL2 | BY_ADDRESS,                         /* EL2_VAA */
	[0x28] = BY_VMID | BOTH,                           /* S12_VMALL */
	[0x2a] = BY_VMID | BY_ADDRESS | IPA,               /* S2_IPA */
	[0x30] = BOTH,                                     /* NSNH_ALL */
};

/* 4.4.1.1, TG. */
static unsigned int granule_of(u64 tg)
{
	static const u8 granules[] = { 12, 12, 14, 16 };

	return granules[tg];
}

/* 4.4.1.1, TTL: whether it names a level; level 1 of 16 KiB has leaf entries with DS only. */
static bool has_level(const struct smmu *s, u64 tg, u64 ttl)
{
	return ttl && (tg != 2 || ttl != 1 || s->id.idr[5] & IDR5_DS);
}

/* The top byte of an address may be anything where TBI is on: entries have it as bit 55 extended.
 */
static u64 canonical(u64 addr)
{
	return addr & BIT(55) ? addr | GENMASK(63, 56) : addr & GENMASK(55, 0);
}

/* 4.4.1.1: [Address, Address + (NUM + 1) * 2^SCALE granules), not beyond the end. */
static bool range(const struct smmu *s, const u64 *cmd, struct smmu_scope *scope, bool ipa)
{
	const u64 tg = smmu_idr(s, 3, IDR3_RIL) ? FIELD_GET(CMD1_TG, cmd[1]) : 0;
	const u64 num = FIELD_GET(CMD0_NUM, cmd[0]);
	const u64 ds = s->id.idr[5] & IDR5_DS;
	u64 scale = FIELD_GET(CMD0_SCALE, cmd[0]) & (ds ? 63 : 31), size = 1;

	scope->first = ipa ? cmd[1] & CMD1_IPA : canonical(cmd[1] & CMD1_ADDR);
	if (tg) {
		if (!num && !scale && !has_level(s, tg, FIELD_GET(CMD1_TTL, cmd[1])))
			return false;
		scale = scale > 39 ? 39 : scale;
		size = (num + 1) << scale << granule_of(tg);
	}
	scope->last = scope->first + (size - 1);
	if (scope->last < scope->first)
		scope->last = ~0ULL;
	return true;
}

/* 6.3.9.1: as many low bits of the VMID as CR0.VMW says do not count; without stage 2, none does.
 */
static void vmid(const struct smmu *s, const u64 *cmd, struct smmu_scope *scope)
{
	const unsigned int wild = FIELD_GET(CR0_VMW, s->cr0ack);

	scope->by_vmid = smmu_idr(s, 0, IDR0_S2P);
	scope->vmid = scope->by_vmid ? FIELD_GET(CMD0_VMID, cmd[0]) : 0;
	scope->vmid_mask = 0xffff << (wild <= 4 ? wild : 0);
}

enum smmu_command smmu_tlbi(struct smmu *s, const u64 *cmd)
{
	const u8 by = opcodes[FIELD_GET(CMD0_OPCODE, cmd[0])];
	const bool e2h = s->cr2 & CR2_E2H;
	struct smmu_scope scope = {
		.world = by & EL2 ? e2h ? NS_EL2_E2H : NS_EL2 : NS_EL1,
		.by_address = by & BY_ADDRESS,
		.by_asid = by & BY_ASID && (!(by & EL2) || e2h),
		.globals = by & GLOBALS,
		.s1 = !(by & IPA),
		.s2 = by & (IPA | BOTH),
		.asid = FIELD_GET(CMD0_ASID, cmd[0]),
	};

	if (by & BY_ADDRESS && !range(s, cmd, &scope, by & IPA))
		return COMMAND_ILLEGAL;
	if (by & BY_VMID)
		vmid(s, cmd, &scope);
	s->counts.invalidations++;
	smmu_tlb_invalidate(s, &scope);
	if (by == EL2) { /* EL2_ALL: with ASIDs and without */
		scope.world = e2h ? NS_EL2 : NS_EL2_E2H;
		smmu_tlb_invalidate(s, &scope);
	}
	return COMMAND_DONE;
}

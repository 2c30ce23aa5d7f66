// SPDX-License-Identifier: GPL-2.0-only
/* STEs and CDs (Arm IHI 0070, 5.2, 5.4, 5.5): which are legal, and what they say. */
#include "devices/smmuv3/private.h"

unsigned int smmu_address_bits(unsigned int field)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48, 52, 52 /* 5.2, S2PS: as 0b110 */ };

	return bits[field];
}

/* TG0 and S2TG; TG1 is encoded otherwise. log2 of bytes; 0: reserved. */
static unsigned int granule_of(u64 tg)
{
	static const u8 granules[] = { 12, 16, 14, 0 };

	return granules[tg];
}

static bool granule_offered(const struct smmu *s, unsigned int granule)
{
	switch (granule) {
	case 12: return s->id.idr[5] & IDR5_GRAN4K;
	case 14: return s->id.idr[5] & IDR5_GRAN16K;
	case 16: return s->id.idr[5] & IDR5_GRAN64K;
	default: return false;
	}
}

/* ENDI: 0b10 is little-endian only, 0b11 big-endian only. */
static bool endian_offered(const struct smmu *s, bool big)
{
	const unsigned int offered = smmu_idr(s, 0, IDR0_TTENDIAN);

	return !(offered & 2) || big == (offered & 1);
}

/* HA and HD: no more than IDR0.HTTU. HD without HA is no update at all (5.2, 5.4). */
static bool httu_offered(const struct smmu *s, bool ha, bool hd)
{
	const unsigned int httu = smmu_idr(s, 0, IDR0_HTTU);

	return (!ha || httu >= 1) && (!hd || httu >= 2);
}

/* TxSZ's largest: 39, or with small translation tables 48 or 47. */
static unsigned int largest_tsz(const struct smmu *s, unsigned int granule)
{
	if (!smmu_idr(s, 3, IDR3_STT))
		return 39;
	return granule == 16 ? 47 : 48;
}

/* Whether 52 bits of address are possible with such tables: 64 KiB, or DS. */
static bool is_large(const struct pgtable *t)
{
	return t->granule == 16 || t->ds;
}

/* 5.2, 5.4: a table beyond the output size, or beyond 48 bits where those are all there can be. */
static bool base_fits(const struct pgtable *t)
{
	const unsigned int bits = is_large(t) || t->output < 48 ? t->output : 48;

	return !(t->base >> bits);
}

static unsigned int output_bits(const struct smmu *s, unsigned int field)
{
	const unsigned int bits = smmu_address_bits(field);

	return bits < s->oas ? bits : s->oas;
}

/* DDI 0487, VTCR_EL2.SL0: the topmost levels are for those that have so large physical addresses.
 */
static bool start_offered(const struct smmu *s, const struct pgtable *t)
{
	if (t->granule == 12 && t->start == 3)
		return smmu_idr(s, 3, IDR3_STT);
	if ((t->granule == 12 && t->start == 0) || (t->granule == 16 && t->start == 1))
		return s->oas >= 44;
	return t->granule != 14 || t->start != 1 || s->oas >= 42;
}

/* 5.5: S and S2S, by IDR0.STALL_MODEL. */
static bool stall_offered(const struct smmu *s, bool stall)
{
	const unsigned int model = smmu_idr(s, 0, IDR0_STALL_MODEL);

	return stall ? model != STALL_NEVER : model != STALL_ALWAYS;
}

static bool stage2(const struct smmu *s, const u64 *ste, struct smmu_config_entry *c)
{
	struct pgtable *t = &c->s2t;
	const unsigned int tsz = FIELD_GET(STE2_S2T0SZ, ste[2]);
	const unsigned int sl = FIELD_GET(STE2_S2SL0, ste[2]) | (ste[3] & STE3_S2SL0_2 ? 4 : 0);
	unsigned int least;

	*t = (struct pgtable){
		.space = s->physical,
		.base = ste[3] & STE3_S2TTB,
		.stage = 2,
		.granule = granule_of(FIELD_GET(STE2_S2TG, ste[2])),
		.input = 64 - tsz,
		.output = output_bits(s, FIELD_GET(STE2_S2PS, ste[2])),
		.large = s->oas == 52,
		.ds = ste[3] & STE3_S2DS && s->id.idr[5] & IDR5_DS,
		.big_endian = ste[2] & STE2_S2ENDI,
		.ha = ste[2] & STE2_S2HA,
		.hd = ste[2] & STE2_S2HD && ste[2] & STE2_S2HA,
		.affd = ste[2] & STE2_S2AFFD,
		.fwb = ste[1] & STE1_S2FWB && s->id.idr[3] & IDR3_FWB,
	};
	if (!(ste[2] & STE2_S2AA64) || !granule_offered(s, t->granule) ||
	    !endian_offered(s, t->big_endian) ||
	    !httu_offered(s, ste[2] & STE2_S2HA, ste[2] & STE2_S2HD) ||
	    !stall_offered(s, ste[2] & STE2_S2S))
		return false;
	t->ds &= t->granule != 16;
	least = is_large(t) ? 12 : 16;
	if (least < 64 - s->oas)
		least = 64 - s->oas;
	c->s2_records = ste[2] & STE2_S2R;
	c->s2_stalls = ste[2] & STE2_S2S;
	c->s2ptw = ste[2] & STE2_S2PTW;
	return tsz >= least && tsz <= largest_tsz(s, t->granule) && base_fits(t) &&
	       pgtable_start2(t->granule, t->input, t->ds, t->ds && t->granule == 12 ? sl : sl & 3,
	                      &t->start) &&
	       start_offered(s, t);
}

/* 5.2, STRW: which regime stage 1 is of; it counts where stage 1 alone translates. */
static bool world(const struct smmu *s, const u64 *ste, struct smmu_config_entry *c)
{
	const unsigned int strw = FIELD_GET(STE1_STRW, ste[1]);

	c->world = NS_EL1;
	if (!c->s1 || c->s2 || !smmu_idr(s, 0, IDR0_HYP))
		return true;
	if (strw & 1)
		return false;
	if (strw)
		c->world = s->cr2 & CR2_E2H ? NS_EL2_E2H : NS_EL2;
	return true;
}

static bool stage1(const struct smmu *s, const u64 *ste, struct smmu_config_entry *c)
{
	const unsigned int cdmax = FIELD_GET(STE0_S1CDMAX, ste[0]);
	const unsigned int ssidsize = smmu_idr(s, 1, IDR1_SSIDSIZE);
	const unsigned int fmt = FIELD_GET(STE0_S1FMT, ste[0]);

	c->s1stalld = ste[1] & STE1_S1STALLD;
	if (ssidsize && cdmax > ssidsize)
		return false;
	if (ssidsize && cdmax && (fmt == 1 || fmt == 2) && !smmu_idr(s, 0, IDR0_CD2L))
		return false;
	/* 3.4.3 (1), (2): beyond OAS, or IAS, which is the same without VMSAv8-32 */
	return !((ste[0] & STE0_S1CONTEXTPTR) >> s->oas) &&
	       (!smmu_idr(s, 0, IDR0_STALL_MODEL) || !(ste[1] & STE1_S1STALLD));
}

/* 5.2, EATS; IGNORED without ATS and where nothing translates. 0b11 is reserved without DPT. */
static bool eats(const struct smmu *s, const u64 *ste, struct smmu_config_entry *c)
{
	const unsigned int said = FIELD_GET(STE1_EATS, ste[1]);
	const bool stalls = c->s2 && ste[2] & STE2_S2S;

	if (!smmu_idr(s, 0, IDR0_ATS) || (!c->s1 && !c->s2))
		return true;
	c->eats = said <= EATS_SPLIT ? said : EATS_NONE;
	if (c->eats == EATS_SPLIT && (!c->s1 || !c->s2 || smmu_idr(s, 0, IDR0_NS1ATS)))
		return false;
	return !c->eats || !stalls;
}

static u8 override(const struct smmu *s, u64 field)
{
	return smmu_idr(s, 1, IDR1_ATTR_PERMS_OVR) ? field : 0;
}

bool smmu_ste_decode(const struct smmu *s, const u64 *ste, struct smmu_config_entry *c)
{
	const unsigned int config = FIELD_GET(STE0_CONFIG, ste[0]);

	if (!(ste[0] & STE0_V))
		return false;
	c->abort = !(config & CONFIG_TRAFFIC);
	if (c->abort)
		return true;
	c->s1 = config & CONFIG_S1;
	c->s2 = config & CONFIG_S2;
	c->merges = ste[1] & STE1_MEV;
	c->privcfg = override(s, FIELD_GET(STE1_PRIVCFG, ste[1]));
	c->instcfg = override(s, FIELD_GET(STE1_INSTCFG, ste[1]));
	if ((c->s1 && !smmu_idr(s, 0, IDR0_S1P)) || (c->s2 && !smmu_idr(s, 0, IDR0_S2P)))
		return false;
	if (!eats(s, ste, c) || !world(s, ste, c) || (c->s1 && !stage1(s, ste, c)) ||
	    (c->s2 && !stage2(s, ste, c)))
		return false;
	/* 3.17: of every translation of EL1's, where there is a stage 2 */
	if ((c->s1 || c->s2) && smmu_idr(s, 0, IDR0_S2P) && c->world == NS_EL1)
		c->vmid = FIELD_GET(STE2_S2VMID, ste[2]);
	return smmu_idr(s, 0, IDR0_VMID16) || !(c->vmid >> 8);
}

/* One of the two halves of the virtual addresses; TG already decoded. */
static bool half(const struct smmu *s, const u64 *cd, struct smmu_config_entry *c, unsigned int i,
                 unsigned int tsz, unsigned int granule)
{
	const bool ds = cd[2] & CD2_DS && s->id.idr[5] & IDR5_DS && granule != 16;
	struct pgtable *t = &c->ttb[i];
	unsigned int least;

	*t = (struct pgtable){
		.base = i ? cd[2] & CD2_TTB1 : cd[1] & CD1_TTB0,
		.stage = 1,
		.granule = granule,
		.input = 64 - tsz,
		.output = output_bits(s, FIELD_GET(CD0_IPS, cd[0])),
		.large = s->oas == 52,
		.ds = ds,
		.big_endian = cd[0] & CD0_ENDI,
		.ha = cd[0] & CD0_HA,
		.hd = cd[0] & CD0_HD && cd[0] & CD0_HA,
		.affd = cd[0] & CD0_AFFD,
		.upper = i,
		.tbi = cd[0] & (i ? CD0_TBI1 : CD0_TBI0),
		.one_privilege = c->world == NS_EL2,
		.had = cd[i ? 2 : 1] & CD1_HAD0 && s->id.idr[3] & IDR3_HAD,
		.wxn = cd[0] & CD0_WXN,
		.pan = cd[0] & CD0_PAN && c->world != NS_EL2,
		.e0pd = cd[i ? 2 : 1] & CD1_E0PD0 && s->id.idr[3] & IDR3_E0PD && c->world != NS_EL2,
	};
	if (!granule_offered(s, granule))
		return false;
	least = is_large(t) && smmu_idr(s, 5, IDR5_VAX) ? 12 : 16;
	if (tsz < least || tsz > largest_tsz(s, granule) || !base_fits(t))
		return false;
	t->start = pgtable_start1(granule, t->input);
	return true;
}

/* TG1: 0b01 is 16 KiB, 0b10 is 4, 0b11 is 64. */
static unsigned int granule1_of(u64 tg)
{
	static const u8 granules[] = { 0, 14, 12, 16 };

	return granules[tg];
}

/* 5.5: no stall where the STE has disabled them, and RAZ/WI only without TERM_MODEL. */
static bool faults_offered(const struct smmu *s, const struct smmu_config_entry *c, u64 cd0)
{
	return stall_offered(s, cd0 & CD0_S) && !(cd0 & CD0_S && c->s1stalld) &&
	       (cd0 & CD0_A || !smmu_idr(s, 0, IDR0_TERM_MODEL));
}

bool smmu_cd_decode(const struct smmu *s, const u64 *cd, struct smmu_config_entry *c)
{
	if (!(cd[0] & CD0_V) || !(cd[0] & CD0_AA64) || !faults_offered(s, c, cd[0]) ||
	    !httu_offered(s, cd[0] & CD0_HA, cd[0] & CD0_HD))
		return false;
	/* 5.4, EPD0; 5.4.1: of EL2's one table nothing is disabled, and TTB1 is not reachable. */
	c->epd[0] = cd[0] & CD0_EPD0 && c->world != NS_EL2;
	c->epd[1] = cd[0] & CD0_EPD1 || c->world == NS_EL2;
	if (!(c->epd[0] && c->epd[1]) && !endian_offered(s, cd[0] & CD0_ENDI))
		return false;
	if (!c->epd[0] &&
	    !half(s, cd, c, 0, FIELD_GET(CD0_T0SZ, cd[0]), granule_of(FIELD_GET(CD0_TG0, cd[0]))))
		return false;
	if (!c->epd[1] &&
	    !half(s, cd, c, 1, FIELD_GET(CD0_T1SZ, cd[0]), granule1_of(FIELD_GET(CD0_TG1, cd[0]))))
		return false;
	c->s1_records = cd[0] & CD0_R;
	c->s1_stalls = cd[0] & CD0_S;
	c->aset = cd[0] & CD0_ASET;
	if (c->world != NS_EL2)
		c->asid = FIELD_GET(CD0_ASID, cd[0]);
	return smmu_idr(s, 0, IDR0_ASID16) || !(c->asid >> 8);
}

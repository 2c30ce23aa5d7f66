// SPDX-License-Identifier: GPL-2.0-only
/* What an SMMU does, in the specification's words (Arm IHI 0070): commands, STEs, CDs, events,
 * walks; for --trace smmu and for debug walks. */
#include <stdarg.h>
#include <stdio.h>

#include "devices/smmuv3/private.h"

void smmu_say(const struct smmu *s, const char *fmt, ...)
{
	char text[840];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (s->watch)
		s->watch->line(s->watch->ctx, text);
	else
		trace(s->vm->log, TRACE_SMMU, "%s: %s", s->config.name, text);
}

/* A field of a structure in 64-bit words. */
struct field {
	const char *name; /* NULL: the last one */
	u64 mask;
	u8 word;
	bool is_address; /* shown as the address that it is, not as a number */
};
#define SHORT(name, word, mask)         \
	{                               \
		name, mask, word, false \
	}
#define ADDRESS(name, word, mask)      \
	{                              \
		name, mask, word, true \
	}
#define END                       \
	{                         \
		NULL, 0, 0, false \
	}

struct text {
	char chars[760]; /* an STE of both stages */
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
	const size_t room = sizeof(t->chars) - t->len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->chars + t->len, room, fmt, args);
	va_end(args);
	t->len += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

/* Sizes, levels and flags are decimal; what is as wide as an ID is not. */
static void add_fields(struct text *t, const struct field *f, const u64 *w)
{
	for (; f->name; f++) {
		u64 val = w[f->word] & f->mask;

		if (!f->is_address)
			val >>= __builtin_ctzll(f->mask);
		add(t, __builtin_popcountll(f->mask) > 6 ? " %s=0x%llx" : " %s=%llu", f->name,
		    (unsigned long long)val);
	}
}

/* Chapter 4. */
static const struct field prefetch_config[] = { SHORT("StreamID", 0, CMD0_SID),
	                                        SHORT("SSV", 0, CMD0_SSV),
	                                        SHORT("SubstreamID", 0, CMD0_SSID),
	                                        SHORT("SSec", 0, CMD0_SSEC), END };
static const struct field prefetch_addr[] = { SHORT("StreamID", 0, CMD0_SID),
	                                      SHORT("SSV", 0, CMD0_SSV),
	                                      SHORT("SubstreamID", 0, CMD0_SSID),
	                                      SHORT("SSec", 0, CMD0_SSEC),
	                                      ADDRESS("Addr", 1, CMD1_ADDR),
	                                      SHORT("Size", 1, CMD1_RANGE),
	                                      END };
static const struct field cfgi_ste[] = { SHORT("StreamID", 0, CMD0_SID),
	                                 SHORT("SSec", 0, CMD0_SSEC), SHORT("Leaf", 1, CMD1_LEAF),
	                                 END };
static const struct field cfgi_ste_range[] = { SHORT("StreamID", 0, CMD0_SID),
	                                       SHORT("SSec", 0, CMD0_SSEC),
	                                       SHORT("Range", 1, CMD1_RANGE), END };
static const struct field cfgi_cd[] = { SHORT("StreamID", 0, CMD0_SID),
	                                SHORT("SubstreamID", 0, CMD0_SSID),
	                                SHORT("SSec", 0, CMD0_SSEC), SHORT("Leaf", 1, CMD1_LEAF),
	                                END };
static const struct field cfgi_cd_all[] = { SHORT("StreamID", 0, CMD0_SID),
	                                    SHORT("SSec", 0, CMD0_SSEC), END };
#define RANGE                                                                                \
	ADDRESS("Addr", 1, CMD1_ADDR), SHORT("Leaf", 1, CMD1_LEAF), SHORT("TG", 1, CMD1_TG), \
		SHORT("TTL", 1, CMD1_TTL), SHORT("NUM", 0, CMD0_NUM),                        \
		SHORT("SCALE", 0, CMD0_SCALE), END
static const struct field by_vmid[] = { SHORT("VMID", 0, CMD0_VMID), END };
static const struct field by_vmid_asid[] = { SHORT("VMID", 0, CMD0_VMID),
	                                     SHORT("ASID", 0, CMD0_ASID), END };
static const struct field by_asid[] = { SHORT("ASID", 0, CMD0_ASID), END };
static const struct field by_vmid_asid_va[] = { SHORT("VMID", 0, CMD0_VMID),
	                                        SHORT("ASID", 0, CMD0_ASID), RANGE };
static const struct field by_vmid_va[] = { SHORT("VMID", 0, CMD0_VMID), RANGE };
static const struct field by_asid_va[] = { SHORT("ASID", 0, CMD0_ASID), RANGE };
static const struct field by_va[] = { RANGE };
static const struct field nothing[] = { END };
/* 4.5.1, 4.5.2, 4.6 */
static const struct field atc_inv[] = { SHORT("StreamID", 0, CMD0_SID),
	                                SHORT("SSV", 0, CMD0_SSV),
	                                SHORT("SubstreamID", 0, CMD0_SSID),
	                                SHORT("Global", 0, ATC0_GLOBAL),
	                                ADDRESS("Address", 1, CMD1_ADDR),
	                                SHORT("Size", 1, ATC1_SIZE),
	                                END };
static const struct field pri_resp[] = {
	SHORT("StreamID", 0, CMD0_SID),     SHORT("SSV", 0, CMD0_SSV),
	SHORT("SubstreamID", 0, CMD0_SSID), SHORT("PRGIndex", 1, PRI_RESP1_INDEX),
	SHORT("Resp", 1, PRI_RESP1_RESP),   END
};
static const struct field resume[] = { SHORT("StreamID", 0, CMD0_SID), SHORT("Ac", 0, RESUME0_AC),
	                               SHORT("Ab", 0, RESUME0_AB), SHORT("STAG", 1, RESUME1_STAG),
	                               END };
static const struct field stall_term[] = { SHORT("StreamID", 0, CMD0_SID), END };
static const struct field sync[] = { SHORT("CS", 0, SYNC0_CS),
	                             SHORT("MSH", 0, GENMASK(23, 22)),
	                             SHORT("MSIAttr", 0, GENMASK(27, 24)),
	                             SHORT("MSIData", 0, SYNC0_MSIDATA),
	                             ADDRESS("MSIAddress", 1, SYNC1_MSIADDR),
	                             END };

static const struct named {
	const char *name;
	const struct field *fields;
} commands[] = {
	[CMD_PREFETCH_CONFIG] = { "CMD_PREFETCH_CONFIG", prefetch_config },
	[CMD_PREFETCH_ADDR] = { "CMD_PREFETCH_ADDR", prefetch_addr },
	[CMD_CFGI_STE] = { "CMD_CFGI_STE", cfgi_ste },
	[CMD_CFGI_STE_RANGE] = { "CMD_CFGI_STE_RANGE", cfgi_ste_range },
	[CMD_CFGI_CD] = { "CMD_CFGI_CD", cfgi_cd },
	[CMD_CFGI_CD_ALL] = { "CMD_CFGI_CD_ALL", cfgi_cd_all },
	[CMD_TLBI_NH_ALL] = { "CMD_TLBI_NH_ALL", by_vmid },
	[CMD_TLBI_NH_ASID] = { "CMD_TLBI_NH_ASID", by_vmid_asid },
	[CMD_TLBI_NH_VA] = { "CMD_TLBI_NH_VA", by_vmid_asid_va },
	[CMD_TLBI_NH_VAA] = { "CMD_TLBI_NH_VAA", by_vmid_va },
	[CMD_TLBI_EL2_ALL] = { "CMD_TLBI_EL2_ALL", nothing },
	[CMD_TLBI_EL2_ASID] = { "CMD_TLBI_EL2_ASID", by_asid },
	[CMD_TLBI_EL2_VA] = { "CMD_TLBI_EL2_VA", by_asid_va },
	[CMD_TLBI_EL2_VAA] = { "CMD_TLBI_EL2_VAA", by_va },
	[CMD_TLBI_S12_VMALL] = { "CMD_TLBI_S12_VMALL", by_vmid },
	[CMD_TLBI_S2_IPA] = { "CMD_TLBI_S2_IPA", by_vmid_va },
	[CMD_TLBI_NSNH_ALL] = { "CMD_TLBI_NSNH_ALL", nothing },
	[CMD_ATC_INV] = { "CMD_ATC_INV", atc_inv },
	[CMD_PRI_RESP] = { "CMD_PRI_RESP", pri_resp },
	[CMD_RESUME] = { "CMD_RESUME", resume },
	[CMD_STALL_TERM] = { "CMD_STALL_TERM", stall_term },
	[CMD_SYNC] = { "CMD_SYNC", sync },
};

void smmu_see_command(const struct smmu *s, const u64 *cmd)
{
	const unsigned int opcode = FIELD_GET(CMD0_OPCODE, cmd[0]);
	struct text t = { .len = 0 };

	if (!smmu_seen(s))
		return;
	if (opcode >= ARRAY_SIZE(commands) || !commands[opcode].name) {
		smmu_say(s, "no command: 0x%llx 0x%llx", (unsigned long long)cmd[0],
		         (unsigned long long)cmd[1]);
		return;
	}
	add_fields(&t, commands[opcode].fields, cmd);
	smmu_say(s, "%s:%s", commands[opcode].name, t.len ? t.chars : " no fields");
}

/* 5.1 to 5.4; of fields, all but those of what is not offered and those that are ignored then. */
static const struct field l1std_fields[] = { SHORT("Span", 0, L1STD_SPAN),
	                                     ADDRESS("L2Ptr", 0, L1STD_L2PTR), END };
static const struct field l1cd_fields[] = { SHORT("V", 0, L1CD_V), ADDRESS("L2Ptr", 0, L1CD_L2PTR),
	                                    END };
static const struct field ste_fields[] = { SHORT("V", 0, STE0_V),
	                                   SHORT("Config", 0, STE0_CONFIG),
	                                   SHORT("MEV", 1, STE1_MEV),
	                                   SHORT("PRIVCFG", 1, STE1_PRIVCFG),
	                                   SHORT("INSTCFG", 1, STE1_INSTCFG),
	                                   SHORT("MTCFG", 1, BIT(36)),
	                                   SHORT("MemAttr", 1, GENMASK(35, 32)),
	                                   SHORT("ALLOCCFG", 1, GENMASK(40, 37)),
	                                   SHORT("SHCFG", 1, GENMASK(45, 44)),
	                                   SHORT("CONT", 1, GENMASK(16, 13)),
	                                   SHORT("DRE", 1, BIT(12)),
	                                   SHORT("DCP", 1, BIT(17)),
	                                   END };
static const struct field ste_s1_fields[] = {
	SHORT("S1Fmt", 0, STE0_S1FMT),     ADDRESS("S1ContextPtr", 0, STE0_S1CONTEXTPTR),
	SHORT("S1CDMax", 0, STE0_S1CDMAX), SHORT("S1DSS", 1, STE1_S1DSS),
	SHORT("S1CIR", 1, GENMASK(3, 2)),  SHORT("S1COR", 1, GENMASK(5, 4)),
	SHORT("S1CSH", 1, GENMASK(7, 6)),  SHORT("S1STALLD", 1, STE1_S1STALLD),
	SHORT("STRW", 1, STE1_STRW),       END
};
static const struct field ste_any_fields[] = { SHORT("PPAR", 1, STE1_PPAR),
	                                       SHORT("EATS", 1, STE1_EATS),
	                                       SHORT("S2VMID", 2, STE2_S2VMID), END };
static const struct field ste_s2_fields[] = {
	SHORT("S2T0SZ", 2, STE2_S2T0SZ),    SHORT("S2SL0", 2, STE2_S2SL0),
	SHORT("S2SL0_2", 3, STE3_S2SL0_2),  SHORT("S2IR0", 2, GENMASK(41, 40)),
	SHORT("S2OR0", 2, GENMASK(43, 42)), SHORT("S2SH0", 2, GENMASK(45, 44)),
	SHORT("S2TG", 2, STE2_S2TG),        SHORT("S2PS", 2, STE2_S2PS),
	SHORT("S2AA64", 2, STE2_S2AA64),    SHORT("S2ENDI", 2, STE2_S2ENDI),
	SHORT("S2AFFD", 2, STE2_S2AFFD),    SHORT("S2PTW", 2, STE2_S2PTW),
	SHORT("S2HA", 2, STE2_S2HA),        SHORT("S2HD", 2, STE2_S2HD),
	SHORT("S2S", 2, STE2_S2S),          SHORT("S2R", 2, STE2_S2R),
	SHORT("S2DS", 3, STE3_S2DS),        SHORT("S2FWB", 1, STE1_S2FWB),
	ADDRESS("S2TTB", 3, STE3_S2TTB),    END
};
static const struct field cd_fields[] = { SHORT("V", 0, CD0_V),       SHORT("AA64", 0, CD0_AA64),
	                                  SHORT("ASID", 0, CD0_ASID), SHORT("ASET", 0, CD0_ASET),
	                                  SHORT("IPS", 0, CD0_IPS),   SHORT("AFFD", 0, CD0_AFFD),
	                                  SHORT("HA", 0, CD0_HA),     SHORT("HD", 0, CD0_HD),
	                                  SHORT("WXN", 0, CD0_WXN),   SHORT("PAN", 0, CD0_PAN),
	                                  SHORT("ENDI", 0, CD0_ENDI), SHORT("S", 0, CD0_S),
	                                  SHORT("R", 0, CD0_R),       SHORT("A", 0, CD0_A),
	                                  SHORT("DS", 2, CD2_DS),     END };
static const struct field cd_half[2][11] = {
	{ SHORT("EPD0", 0, CD0_EPD0), SHORT("T0SZ", 0, CD0_T0SZ), SHORT("TG0", 0, CD0_TG0),
	  SHORT("IR0", 0, GENMASK(9, 8)), SHORT("OR0", 0, GENMASK(11, 10)),
	  SHORT("SH0", 0, GENMASK(13, 12)), SHORT("TBI0", 0, CD0_TBI0), SHORT("HAD0", 1, CD1_HAD0),
	  SHORT("E0PD0", 1, CD1_E0PD0), ADDRESS("TTB0", 1, CD1_TTB0), END },
	{ SHORT("EPD1", 0, CD0_EPD1), SHORT("T1SZ", 0, CD0_T1SZ), SHORT("TG1", 0, CD0_TG1),
	  SHORT("IR1", 0, GENMASK(25, 24)), SHORT("OR1", 0, GENMASK(27, 26)),
	  SHORT("SH1", 0, GENMASK(29, 28)), SHORT("TBI1", 0, CD0_TBI1), SHORT("HAD1", 2, CD2_HAD1),
	  SHORT("E0PD1", 2, CD2_E0PD1), ADDRESS("TTB1", 2, CD2_TTB1), END },
};
static const struct field cd_disabled[2][2] = {
	{ SHORT("EPD0", 0, CD0_EPD0), END },
	{ SHORT("EPD1", 0, CD0_EPD1), END },
};
static const struct field cd_mair[] = { SHORT("MAIR0", 3, GENMASK(31, 0)),
	                                SHORT("MAIR1", 3, GENMASK(63, 32)),
	                                SHORT("AMAIR0", 4, GENMASK(31, 0)),
	                                SHORT("AMAIR1", 4, GENMASK(63, 32)), END };

void smmu_see_l1std(const struct smmu *s, u32 sid, u64 at, u64 l1std)
{
	struct text t = { .len = 0 };

	if (!smmu_seen(s))
		return;
	add_fields(&t, l1std_fields, &l1std);
	smmu_say(s, "L1STD of StreamID 0x%x at 0x%llx:%s", sid, (unsigned long long)at, t.chars);
}

/* Of the stages that Config has. */
void smmu_see_ste(const struct smmu *s, u32 sid, u64 at, const u64 *ste)
{
	const unsigned int config = FIELD_GET(STE0_CONFIG, ste[0]);
	struct text t = { .len = 0 };

	if (!smmu_seen(s))
		return;
	add_fields(&t, ste_fields, ste);
	if (config & CONFIG_S1)
		add_fields(&t, ste_s1_fields, ste);
	if (config & (CONFIG_S1 | CONFIG_S2))
		add_fields(&t, ste_any_fields, ste);
	if (config & CONFIG_S2)
		add_fields(&t, ste_s2_fields, ste);
	smmu_say(s, "STE of StreamID 0x%x at 0x%llx:%s", sid, (unsigned long long)at, t.chars);
}

void smmu_see_l1cd(const struct smmu *s, u32 index, u64 at, u64 l1cd)
{
	struct text t = { .len = 0 };

	if (!smmu_seen(s))
		return;
	add_fields(&t, l1cd_fields, &l1cd);
	smmu_say(s, "L1CD of index %u at 0x%llx:%s", index, (unsigned long long)at, t.chars);
}

/* A half that is disabled has nothing to say. */
void smmu_see_cd(const struct smmu *s, u32 index, u64 at, const u64 *cd)
{
	struct text t = { .len = 0 };

	if (!smmu_seen(s))
		return;
	add_fields(&t, cd_fields, cd);
	add_fields(&t, cd[0] & CD0_EPD0 ? cd_disabled[0] : cd_half[0], cd);
	add_fields(&t, cd[0] & CD0_EPD1 ? cd_disabled[1] : cd_half[1], cd);
	add_fields(&t, cd_mair, cd);
	smmu_say(s, "CD %u at 0x%llx:%s", index, (unsigned long long)at, t.chars);
}

/* 7.5 */
static const struct field gerror_fields[] = { SHORT("CMDQ_ERR", 0, GERROR_CMDQ),
	                                      SHORT("EVENTQ_ABT_ERR", 0, GERROR_EVENTQ_ABT),
	                                      SHORT("PRIQ_ABT_ERR", 0, GERROR_PRIQ_ABT),
	                                      SHORT("MSI_CMDQ_ABT_ERR", 0, GERROR_MSI_CMDQ_ABT),
	                                      SHORT("MSI_EVENTQ_ABT_ERR", 0, GERROR_MSI_EVENTQ_ABT),
	                                      SHORT("MSI_PRIQ_ABT_ERR", 0, GERROR_MSI_PRIQ_ABT),
	                                      SHORT("MSI_GERROR_ABT_ERR", 0, GERROR_MSI_GERROR_ABT),
	                                      SHORT("SFM_ERR", 0, GERROR_SFM),
	                                      END };

void smmu_see_gerror(const struct smmu *s, u32 gerror)
{
	const u64 w = gerror;
	struct text t = { .len = 0 };

	if (!smmu_seen(s))
		return;
	add_fields(&t, gerror_fields, &w);
	smmu_say(s, "activates in GERROR:%s", t.chars);
}

/* 7.3 */
static const struct field disabled_fields[] = { SHORT("StreamID", 0, EVT0_SID), END };
static const struct field stream_fields[] = { SHORT("StreamID", 0, EVT0_SID),
	                                      SHORT("SSV", 0, EVT0_SSV),
	                                      SHORT("SubstreamID", 0, EVT0_SSID), END };
static const struct field substream_fields[] = { SHORT("StreamID", 0, EVT0_SID),
	                                         SHORT("SubstreamID", 0, EVT0_SSID), END };
static const struct field fetch_fields[] = { SHORT("StreamID", 0, EVT0_SID),
	                                     SHORT("SSV", 0, EVT0_SSV),
	                                     SHORT("SubstreamID", 0, EVT0_SSID),
	                                     ADDRESS("FetchAddr", 3, EVT3_FETCH), END };
#define FAULT                                                                                    \
	SHORT("StreamID", 0, EVT0_SID), SHORT("SSV", 0, EVT0_SSV),                               \
		SHORT("SubstreamID", 0, EVT0_SSID), ADDRESS("InputAddr", 2, ~0ULL),              \
		SHORT("RnW", 1, EVT1_RNW), SHORT("InD", 1, EVT1_IND), SHORT("PnU", 1, EVT1_PNU), \
		SHORT("S2", 1, EVT1_S2), SHORT("CLASS", 1, EVT1_CLASS)
static const struct field request_fields[] = { SHORT("StreamID", 0, EVT0_SID),
	                                       SHORT("SSV", 0, EVT0_SSV),
	                                       SHORT("SubstreamID", 0, EVT0_SSID),
	                                       ADDRESS("InputAddr", 2, ~0ULL),
	                                       SHORT("Span", 1, EVT1_SPAN),
	                                       SHORT("R", 1, EVT1_R),
	                                       SHORT("W", 1, EVT1_W),
	                                       SHORT("X", 1, EVT1_X),
	                                       SHORT("PRIV", 1, EVT1_PRIV),
	                                       END };
static const struct field forbidden_fields[] = { SHORT("StreamID", 0, EVT0_SID),
	                                         ADDRESS("InputAddr", 2, ~0ULL),
	                                         SHORT("RnW", 1, EVT1_RNW), END };
static const struct field walk_fields[] = { FAULT, ADDRESS("FetchAddr", 3, EVT3_FETCH), END };
static const struct field fault_fields[] = { FAULT, ADDRESS("IPA", 3, EVT3_IPA), END };
static const struct field permission_fields[] = { FAULT, SHORT("TTRnW", 1, EVT1_TTRNW),
	                                          ADDRESS("IPA", 3, EVT3_IPA), END };

static const struct field stall_fields[] = { SHORT("Stall", 1, EVT1_STALL),
	                                     SHORT("STAG", 1, EVT1_STAG), END };

static const struct named events[] = {
	[C_BAD_STREAMID] = { "C_BAD_STREAMID", stream_fields },
	[F_STE_FETCH] = { "F_STE_FETCH", fetch_fields },
	[C_BAD_STE] = { "C_BAD_STE", stream_fields },
	[F_BAD_ATS_TREQ] = { "F_BAD_ATS_TREQ", request_fields },
	[F_STREAM_DISABLED] = { "F_STREAM_DISABLED", disabled_fields },
	[F_TRANSL_FORBIDDEN] = { "F_TRANSL_FORBIDDEN", forbidden_fields },
	[C_BAD_SUBSTREAMID] = { "C_BAD_SUBSTREAMID", substream_fields },
	[F_CD_FETCH] = { "F_CD_FETCH", fetch_fields },
	[C_BAD_CD] = { "C_BAD_CD", stream_fields },
	[F_WALK_EABT] = { "F_WALK_EABT", walk_fields },
	[F_TRANSLATION] = { "F_TRANSLATION", fault_fields },
	[F_ADDR_SIZE] = { "F_ADDR_SIZE", fault_fields },
	[F_ACCESS] = { "F_ACCESS", fault_fields },
	[F_PERMISSION] = { "F_PERMISSION", permission_fields },
};

void smmu_see_event(const struct smmu *s, const u64 *w, const char *what)
{
	const struct named *e = &events[FIELD_GET(EVT0_ID, w[0])];
	struct text t = { .len = 0 };

	if (!smmu_seen(s))
		return;
	add_fields(&t, e->fields, w);
	if (FIELD_GET(EVT0_ID, w[0]) >= F_TRANSLATION && w[1] & EVT1_STALL)
		add_fields(&t, stall_fields, w);
	smmu_say(s, "%s %s:%s", what, e->name, t.chars);
}

/* Chapter 8 */
static const struct field page_fields[] = { SHORT("StreamID", 0, PRI0_SID),
	                                    SHORT("SSV", 0, PRI0_SSV),
	                                    SHORT("SubstreamID", 0, PRI0_SSID),
	                                    ADDRESS("Address", 1, PRI1_ADDR),
	                                    SHORT("PRGIndex", 1, PRI1_INDEX),
	                                    SHORT("Last", 0, PRI0_LAST),
	                                    SHORT("W", 0, PRI0_W),
	                                    SHORT("R", 0, PRI0_R),
	                                    SHORT("X", 0, PRI0_X),
	                                    SHORT("Priv", 0, PRI0_PRIV),
	                                    END };

void smmu_see_page_request(const struct smmu *s, const u64 *w)
{
	struct text t = { .len = 0 };

	if (!smmu_seen(s))
		return;
	add_fields(&t, page_fields, w);
	smmu_say(s, "page request:%s", t.chars);
}

void smmu_see_response(const struct smmu *s, u32 sid, const struct dma_page_response *r)
{
	static const char *const codes[] = {
		[DMA_PAGE_SUCCESS] = "Success",
		[DMA_PAGE_INVALID] = "Invalid Request",
		[DMA_PAGE_FAILURE] = "Response Failure",
	};
	const bool pasid = r->pasid != DMA_NO_PASID;

	if (smmu_seen(s))
		smmu_say(
			s,
			"automatic PRG Response: StreamID=0x%x SSV=%d SubstreamID=0x%x PRGIndex=0x%x %s",
			sid, pasid, pasid ? r->pasid : 0, r->group, codes[r->code]);
}

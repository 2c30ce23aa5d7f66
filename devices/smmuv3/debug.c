// SPDX-License-Identifier: GPL-2.0-only
/* A debug walk: what an SMMU would make of an address, by memory and by its caches. */
#include "devices/smmuv3/private.h"

static void say_registers(const struct smmu *s)
{
	smmu_say(s, "CR0ACK: SMMUEN=%d EVENTQEN=%d CMDQEN=%d; GBPA.ABORT=%d%s",
	         !!(s->cr0ack & CR0_SMMUEN), !!(s->cr0ack & CR0_EVENTQEN),
	         !!(s->cr0ack & CR0_CMDQEN), !!(s->gbpa & GBPA_ABORT),
	         s->injected.failed ? "; Service Failure Mode" : "");
	smmu_say(s, "STRTAB_BASE: 0x%llx; STRTAB_BASE_CFG: FMT=%u SPLIT=%u LOG2SIZE=%u",
	         (unsigned long long)(s->strtab_base & STRTAB_ADDR),
	         (unsigned int)FIELD_GET(STRTAB_FMT, s->strtab_cfg),
	         (unsigned int)FIELD_GET(STRTAB_SPLIT, s->strtab_cfg),
	         (unsigned int)FIELD_GET(STRTAB_LOG2SIZE, s->strtab_cfg));
}

/* Transactions go by the configuration that is cached, if there is one. */
static void say_cached(struct smmu *s, const struct smmu_config_entry *c, bool is_cached, u64 iova)
{
	const struct smmu_tlb_key key = smmu_key(c, iova);
	const struct smmu_translation *t = NULL;

	if (is_cached && c->abort)
		smmu_say(s, "cached configuration: aborts");
	else if (is_cached)
		smmu_say(s, "cached configuration: stage 1 %s, stage 2 %s, ASID=0x%x VMID=0x%x",
		         c->s1 ? "translates" : "bypassed", c->s2 ? "translates" : "bypassed",
		         key.asid, c->vmid);
	else
		smmu_say(s, "cached configuration: none");
	if (c->s1 || c->s2)
		t = smmu_tlb_find(s, &key);
	if (t)
		smmu_see_translation(s, "cached translation", iova, t);
	else
		smmu_say(s, "cached translation: none");
}

void smmu_debug(struct smmu *s, u32 sid, u32 ssid, u64 iova,
                void (*line)(void *ctx, const char *text), void *ctx)
{
	const struct smmu_watch watch = { line, ctx };
	const struct smmu_config_entry *cached = smmu_config_cached(s, sid, ssid);
	struct smmu_config_entry now;
	bool there;

	s->watch = &watch;
	say_registers(s);
	there = smmu_look(s, sid, ssid, iova, &now);
	if (cached || there)
		say_cached(s, cached ? cached : &now, cached, iova);
	s->watch = NULL;
}

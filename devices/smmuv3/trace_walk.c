// SPDX-License-Identifier: GPL-2.0-only
/* What walks of an SMMU's translation tables read and came to, as trace.c has the rest. */
#include <stdio.h>

#include "devices/smmuv3/private.h"

static void step(const struct smmu *s, unsigned int stage, int level, u64 addr, u64 entry)
{
	const char *kind = !(entry & 1)              ? "invalid"
	                   : level == 3 && entry & 2 ? "page"
	                   : level == 3              ? "reserved"
	                   : entry & 2               ? "table"
	                                             : "block";

	smmu_say(s, "stage %u level %d at 0x%llx: 0x%llx %s", stage, level,
	         (unsigned long long)addr, (unsigned long long)entry, kind);
}

static void step1(void *ctx, int level, u64 addr, u64 entry)
{
	step(ctx, 1, level, addr, entry);
}

static void step2(void *ctx, int level, u64 addr, u64 entry)
{
	step(ctx, 2, level, addr, entry);
}

smmu_step *smmu_see_steps(const struct smmu *s, unsigned int stage)
{
	if (!smmu_seen(s))
		return NULL;
	return stage == 1 ? step1 : step2;
}

/* "64 KiB" */
static const char *size_of(unsigned int shift, char text[16])
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };

	snprintf(text, 16, "%u %s", 1u << shift % 10, units[shift / 10]);
	return text;
}

/* "rw-", without and with privilege */
static const char *may(const u32 allowed[2], char text[8])
{
	for (unsigned int i = 0; i < 2; i++) {
		text[4 * i] = allowed[i] & DMA_READ ? 'r' : '-';
		text[4 * i + 1] = allowed[i] & DMA_WRITE ? 'w' : '-';
		text[4 * i + 2] = allowed[i] & DMA_EXEC ? 'x' : '-';
	}
	text[3] = '/';
	text[7] = 0;
	return text;
}

void smmu_see_walk(const struct smmu *s, unsigned int stage, u64 addr, const struct pgtable_walk *w)
{
	static const char *const faults[] = {
		[PGTABLE_TRANSLATION] = "F_TRANSLATION",
		[PGTABLE_ADDRESS_SIZE] = "F_ADDR_SIZE",
		[PGTABLE_ACCESS_FLAG] = "F_ACCESS",
		[PGTABLE_PERMISSION] = "F_PERMISSION",
		[PGTABLE_ABORT] = "abort",
	};
	char size[16], contig[16], perms[8];

	if (!smmu_seen(s))
		return;
	if (w->fault != PGTABLE_OK) {
		smmu_say(s, "stage %u of 0x%llx: %s at level %d", stage, (unsigned long long)addr,
		         faults[w->fault], w->level);
		return;
	}
	smmu_say(s, "stage %u of 0x%llx: 0x%llx, %s of %s, %s%s, %s=%u SH=%u", stage,
	         (unsigned long long)addr, (unsigned long long)w->output, size_of(w->shift, size),
	         size_of(w->contig, contig), may(w->allowed, perms),
	         stage == 2  ? ""
	         : w->global ? ", global"
	                     : ", not global",
	         stage == 2 ? "MemAttr" : "AttrIndx", w->attr, w->sh);
}

void smmu_see_translation(const struct smmu *s, const char *what, u64 addr,
                          const struct smmu_translation *t)
{
	char size[16], perms[8];

	if (!smmu_seen(s))
		return;
	smmu_say(s, "%s: 0x%llx, %s from 0x%llx to 0x%llx, %s", what,
	         (unsigned long long)(t->output + (addr & (BIT(t->shift) - 1))),
	         size_of(t->shift, size), (unsigned long long)t->input,
	         (unsigned long long)t->output, may(t->allowed, perms));
}

// SPDX-License-Identifier: GPL-2.0-only
/* What pages and blocks allow, what an access makes of them, and their attributes. */
#include "devices/pgtable/pgtable_private.h"

#define RW (DMA_READ | DMA_WRITE)

/* WXN: what is writable is not executable. */
static u32 wxn(const struct pgtable *t, u32 may)
{
	return t->wxn && may & DMA_WRITE ? may & ~DMA_EXEC : may;
}

/* D8.4.1, for whom AP[1] and APTable[0] do not keep out. */
static u32 data(u64 limits, u64 entry)
{
	return (entry & ENTRY_RO) || (limits & TABLE_RO) ? DMA_READ : RW;
}

static void allowed_one(const struct pgtable *t, u64 limits, u64 entry, u32 *may)
{
	const bool exec = !(entry & ENTRY_UXN) && !(limits & TABLE_UXN);

	may[0] = wxn(t, data(limits, entry) | (exec ? DMA_EXEC : 0));
	may[1] = may[0];
}

static void allowed_two(const struct pgtable *t, u64 limits, u64 entry, u32 *may)
{
	const bool shared = entry & ENTRY_USER && !(limits & TABLE_NO_USER);
	const u32 user = shared ? data(limits, entry) : 0;
	const u32 privileged = shared && t->pan ? 0 : data(limits, entry);
	const bool uxn = entry & ENTRY_UXN || limits & TABLE_UXN;
	/* What is writable without privilege is not executed with it. */
	const bool pxn = entry & ENTRY_PXN || limits & TABLE_PXN || user & DMA_WRITE;

	may[0] = wxn(t, user | (uxn ? 0 : DMA_EXEC));
	may[1] = wxn(t, privileged | (pxn ? 0 : DMA_EXEC));
}

/* D8.4.2; of XN, FEAT_XNX's meaning. */
static void allowed_stage2(u64 entry, u32 *may)
{
	/* XN[1:0]: all, without privilege only, none, with privilege only. */
	static const u32 exec[4][2] = {
		{ DMA_EXEC, DMA_EXEC },
		{ DMA_EXEC, 0 },
		{ 0, 0 },
		{ 0, DMA_EXEC },
	};
	const u32 *x = exec[FIELD_GET(ENTRY_S2_XN, entry)];
	const u32 rw = (entry & ENTRY_S2_READ ? DMA_READ : 0) |
	               (entry & ENTRY_S2_WRITE ? DMA_WRITE : 0);

	may[0] = rw | x[0];
	may[1] = rw | x[1];
}

static void allowed(const struct pgtable *t, u64 limits, u64 entry, u32 *may)
{
	if (t->stage == 2)
		allowed_stage2(entry, may);
	else if (t->one_privilege)
		allowed_one(t, limits, entry, may);
	else
		allowed_two(t, limits, entry, may);
}

/* What a write makes of @entry, dirty, if hardware says so: D8.5.2. */
static u64 dirtied(const struct pgtable *t, const struct pgtable_access *a, u64 entry)
{
	if (!t->ha || !t->hd || a->speculative || !(entry & ENTRY_DBM))
		return entry;
	return t->stage == 2 ? entry | ENTRY_S2_WRITE : entry & ~ENTRY_RO;
}

enum pgtable_fault pgtable_check(const struct pgtable *t, const struct pgtable_access *a,
                                 u64 limits, u64 entry, u64 *to, u32 *may)
{
	*to = entry;
	if (t->ha && !a->speculative)
		*to |= ENTRY_AF;
	else if (!(entry & ENTRY_AF) && !t->affd && !a->speculative)
		return PGTABLE_ACCESS_FLAG;
	/* What may become dirty counts as writable. */
	allowed(t, limits, dirtied(t, a, entry), may);
	if (a->perm & ~may[a->privileged])
		return PGTABLE_PERMISSION;
	if (a->perm & DMA_WRITE)
		*to = dirtied(t, a, *to);
	return PGTABLE_OK;
}

/* log2 of the entries in a contiguous set, by granule and level: D8.7.1. */
static unsigned int contiguous(const struct pgtable *t, int level)
{
	static const u8 log2_entries[3][4] = {
		{ 0, 4, 4, 4 }, /* 4 KiB */
		{ 0, 0, 5, 7 }, /* 16 KiB */
		{ 0, 0, 5, 5 }, /* 64 KiB */
	};

	return log2_entries[(t->granule - 12) / 2][level];
}

void pgtable_attributes(const struct pgtable *t, const struct pgtable_access *a, u64 limits,
                        u64 entry, struct pgtable_walk *w)
{
	const bool clean = dirtied(t, a, entry) != entry;
	const bool lpa2 = t->ds && t->granule != 16;

	allowed(t, limits, dirtied(t, a, entry), w->allowed);
	/* Of users no walk gets here, whoever's this one was. */
	if (t->stage == 1 && t->e0pd && !t->one_privilege)
		w->allowed[0] = 0;
	/* A write has to be seen; what it would make not executable is not while clean, either. */
	for (int i = 0; i < 2 && clean; i++)
		w->allowed[i] &= ~DMA_WRITE;
	w->contig = w->shift + (entry & ENTRY_CONTIG ? contiguous(t, w->level) : 0);
	w->global = t->stage == 1 && !(entry & ENTRY_NG);
	w->attr = t->stage == 1 ? FIELD_GET(ENTRY_ATTR, entry) : FIELD_GET(ENTRY_S2_ATTR, entry);
	w->sh = lpa2 ? 0 : FIELD_GET(ENTRY_SH, entry);
}

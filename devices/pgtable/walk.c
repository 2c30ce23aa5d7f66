// SPDX-License-Identifier: GPL-2.0-only
/* A walk of translation tables, level by level: D8.2. */
#include <assert.h>
#include <endian.h>

#include "devices/pgtable/pgtable_private.h"

#define LAST_LEVEL 3
/* Whoever changes the entry at every try, in every walk, aborts: nothing waits for a guest. */
#define MAX_SWAPS 8
#define MAX_WALKS 4

/* log2 of the bytes that an entry of @level is about. */
static unsigned int shift_of(const struct pgtable *t, int level)
{
	return t->granule + (LAST_LEVEL - level) * (t->granule - 3);
}

/* FEAT_LPA2's descriptors. */
static bool lpa2(const struct pgtable *t)
{
	return t->ds && t->granule != 16;
}

static bool in_reach(const struct pgtable *t, const struct pgtable_access *a)
{
	const u64 above = GENMASK(t->stage == 1 && t->tbi ? 55 : 63, t->input);

	if (t->stage == 1 && t->e0pd && !t->one_privilege && !a->privileged)
		return false;
	return (a->addr & above) == (t->stage == 1 && t->upper ? above : 0);
}

/* log2 of a table's entries; of the first, or of all that are concatenated to it. */
static unsigned int bits_of(const struct pgtable *t, int level)
{
	return level == t->start ? t->input - shift_of(t, level) : t->granule - 3u;
}

/* S1TTBaseAddress: 64 bytes at least where descriptors are of 52 bits, whatever the output is. */
static u64 first_table(const struct pgtable *t)
{
	const u64 size = 8ULL << bits_of(t, t->start);

	return ALIGN_DOWN(t->base, (lpa2(t) || t->output == 52) && size < 64 ? 64 : size);
}

static u64 entry_in(const struct pgtable *t, int level, u64 table, u64 addr)
{
	return table + (addr >> shift_of(t, level) & (BIT(bits_of(t, level)) - 1)) * 8;
}

/* The address in @entry, of a table, page or block of 1 << @shift bytes. */
static u64 address_in(const struct pgtable *t, u64 entry, unsigned int shift)
{
	u64 addr = entry & GENMASK(47, shift);

	if (lpa2(t))
		addr |= (entry & GENMASK(49, 48)) | FIELD_GET(GENMASK(9, 8), entry) << 50;
	else if (t->granule == 16 && t->output == 52)
		addr |= FIELD_GET(GENMASK(15, 12), entry) << 48;
	return addr;
}

/* D8.3.1; with 64 KiB blocks of 4 TiB come with addresses of 52 bits, be they in use or not. */
static bool may_be_block(const struct pgtable *t, int level)
{
	switch (t->granule) {
	case 12: return level == 2 || level == 1 || (level == 0 && t->ds);
	case 14: return level == 2 || (level == 1 && t->ds);
	default: return level == 2 || (level == 1 && (t->large || t->output == 52));
	}
}

enum kind { INVALID, TABLE, LEAF };

static enum kind kind_of(const struct pgtable *t, int level, u64 entry)
{
	if (!(entry & ENTRY_VALID))
		return INVALID;
	if (level == LAST_LEVEL)
		return entry & ENTRY_TABLE ? LEAF : INVALID;
	if (entry & ENTRY_TABLE)
		return TABLE;
	return may_be_block(t, level) ? LEAF : INVALID;
}

static enum pgtable_fault fault_of(enum dma_status status)
{
	switch (status) {
	case DMA_OK: return PGTABLE_OK;
	case DMA_PENDING: return PGTABLE_PENDING;
	default: return PGTABLE_ABORT;
	}
}

static void tell(const struct pgtable_access *a, const struct pgtable_walk *w)
{
	if (a->step)
		a->step(a->ctx, w->level, w->entry_addr, w->entry);
}

static bool fetch(const struct pgtable *t, const struct pgtable_access *a, struct pgtable_walk *w)
{
	u64 raw = 0;

	w->entry = 0;
	w->fault = fault_of(dma_load64(t->space, w->entry_addr, &raw, a->token));
	if (w->fault != PGTABLE_OK)
		return false;
	w->entry = t->big_endian ? be64toh(raw) : le64toh(raw);
	tell(a, w);
	return true;
}

/* The entry becomes @to, or is what it has become meanwhile. False: it cannot be written. */
static bool swap(const struct pgtable *t, const struct pgtable_access *a, u64 to,
                 struct pgtable_walk *w)
{
	const u64 from = t->big_endian ? __builtin_bswap64(w->entry) : w->entry;
	struct dma_access access = dma_access_to(w->entry_addr, sizeof(to), 0);
	u64 old = from, new = t->big_endian ? __builtin_bswap64(to) : to;

	w->fault = fault_of(dma_cas(t->space, &access, from, new, &old, a->token));
	if (w->fault != PGTABLE_OK) {
		w->wrote = true;
		return false;
	}
	if (old == from) {
		w->entry = to;
		return true;
	}
	w->entry = t->big_endian ? __builtin_bswap64(old) : old;
	tell(a, w);
	return true;
}

static enum pgtable_fault address_fault(const struct pgtable *t, u64 addr)
{
	return addr >> t->output ? PGTABLE_ADDRESS_SIZE : PGTABLE_OK;
}

/* What @w->entry, a page or block, makes of the access; *@to: what that makes of the entry. */
static enum pgtable_fault leaf(const struct pgtable *t, const struct pgtable_access *a, u64 limits,
                               struct pgtable_walk *w, u64 *to)
{
	const unsigned int shift = shift_of(t, w->level);
	const u64 base = address_in(t, w->entry, shift);
	enum pgtable_fault fault = address_fault(t, base);

	if (fault == PGTABLE_OK)
		fault = pgtable_check(t, a, limits, w->entry, to, w->allowed);
	if (fault != PGTABLE_OK || *to != w->entry)
		return fault;
	w->output = base | (a->addr & (BIT(shift) - 1));
	w->shift = shift;
	pgtable_attributes(t, a, limits, w->entry, w);
	return PGTABLE_OK;
}

enum next { DOWN, DONE, AGAIN };

/* What the entry that was read leads to. */
static enum next follow(const struct pgtable *t, const struct pgtable_access *a, u64 limits,
                        struct pgtable_walk *w)
{
	for (int swaps = 0;; swaps++) {
		u64 to = w->entry;

		switch (kind_of(t, w->level, w->entry)) {
		case INVALID: w->fault = PGTABLE_TRANSLATION; return DONE;
		case TABLE:
			w->fault = address_fault(t, address_in(t, w->entry, t->granule));
			return w->fault == PGTABLE_OK ? DOWN : DONE;
		case LEAF: w->fault = leaf(t, a, limits, w, &to);
		}
		if (w->fault != PGTABLE_OK || to == w->entry)
			return DONE;
		if (swaps == MAX_SWAPS)
			return AGAIN;
		if (!swap(t, a, to, w))
			return DONE;
	}
}

/* False: the last entry was another each time it was looked at. */
static bool walk(const struct pgtable *t, const struct pgtable_access *a, struct pgtable_walk *w)
{
	u64 table = first_table(t), limits = 0;
	enum next next = DOWN;

	for (int level = t->start; next == DOWN; level++) {
		assert(level <= LAST_LEVEL); /* where there is no table */
		w->level = level;
		w->entry_addr = entry_in(t, level, table, a->addr);
		if (!fetch(t, a, w))
			return true;
		next = follow(t, a, limits, w);
		table = address_in(t, w->entry, t->granule);
		if (!t->had)
			limits |= w->entry & TABLE_LIMITS;
	}
	return next == DONE;
}

void pgtable_walk(const struct pgtable *t, const struct pgtable_access *a, struct pgtable_walk *w)
{
	assert(t->input <= 52 && t->input >= shift_of(t, t->start));
	*w = (struct pgtable_walk){ .fault = PGTABLE_TRANSLATION, .level = t->start };
	if (!in_reach(t, a))
		return;
	for (int i = 0; i < MAX_WALKS; i++)
		if (walk(t, a, w))
			return;
	w->fault = PGTABLE_ABORT;
	w->wrote = true;
}

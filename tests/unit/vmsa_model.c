// SPDX-License-Identifier: GPL-2.0-only
/* VMSAv8-64 translation as Arm DDI 0487, D8 has it, for comparison: slow, and without cleverness.
 */
#include "tests/unit/vmsa_model.h"

#include <string.h>

/* One walk under way. */
struct walk {
	struct vmsa *v;
	const struct pgtable *t, *under;
	struct pgtable_access a;
	struct vmsa_stage *r;
	struct vmsa_result *whole;
};

static bool bit(u64 word, unsigned int n)
{
	return word >> n & 1;
}

static void set_bit(u64 *word, unsigned int n, bool to)
{
	*word = (*word & ~BIT(n)) | (u64)to << n;
}

u64 vmsa_load(const u8 *from, bool big_endian)
{
	u64 entry = 0;

	for (int i = 0; i < 8; i++)
		entry = entry * 256 + from[big_endian ? i : 7 - i];
	return entry;
}

void vmsa_store(u8 *to, bool big_endian, u64 entry)
{
	for (int i = 0; i < 8; i++, entry /= 256)
		to[big_endian ? 7 - i : i] = entry % 256;
}

/* The sizes of D8.2's tables, and of sets of contiguous entries (0: there are none). */
enum when { NEVER, ALWAYS, WITH_DS, WITH_52 };
static const struct size {
	unsigned int granule;
	int level;
	unsigned int span;
	enum when leaf;
	unsigned int contig;
} sizes[] = {
	{ 12, 3, 12, ALWAYS, 16 }, /* 4 KiB; 64 KiB */
	{ 12, 2, 21, ALWAYS, 25 }, /* 2 MiB; 32 MiB */
	{ 12, 1, 30, ALWAYS, 34 }, /* 1 GiB; 16 GiB */
	{ 12, 0, 39, WITH_DS, 0 }, /* 512 GiB */
	{ 12, -1, 48, NEVER, 0 },  /* 256 TiB */
	{ 14, 3, 14, ALWAYS, 21 }, /* 16 KiB; 2 MiB */
	{ 14, 2, 25, ALWAYS, 30 }, /* 32 MiB; 1 GiB */
	{ 14, 1, 36, WITH_DS, 0 }, /* 64 GiB */
	{ 14, 0, 47, NEVER, 0 },   /* 128 TiB */
	{ 16, 3, 16, ALWAYS, 21 }, /* 64 KiB; 2 MiB */
	{ 16, 2, 29, ALWAYS, 34 }, /* 512 MiB; 16 GiB */
	{ 16, 1, 42, WITH_52, 0 }, /* 4 TiB */
};

static const struct size *size_of(unsigned int granule, int level)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (sizes[i].granule == granule && sizes[i].level == level)
			return &sizes[i];
	return NULL;
}

unsigned int vmsa_span(unsigned int granule, int level)
{
	return size_of(granule, level)->span;
}

/* 52 bits of output by TCR.DS: not with 64 KiB, where there is no such format. */
static bool has_ds(const struct pgtable *t)
{
	return t->ds && t->granule != 16;
}

static bool has_52_with_64k(const struct pgtable *t)
{
	return t->granule == 16 && t->output == 52;
}

bool vmsa_has_leaf(const struct pgtable *t, int level)
{
	switch (size_of(t->granule, level)->leaf) {
	case ALWAYS: return true;
	case WITH_DS: return has_ds(t);
	case WITH_52: return has_52_with_64k(t);
	default: return false;
	}
}

/* Which bit of an entry is bit @n of the address in it; -1: none, that bit is 0. */
static int home_of(const struct pgtable *t, unsigned int n)
{
	if (n < 48)
		return n;
	if (has_52_with_64k(t))
		return n - 48 + 12;
	if (has_ds(t))
		return n < 50 ? n : n - 50 + 8;
	return -1;
}

static u64 address_in(const struct pgtable *t, u64 entry, unsigned int lowest)
{
	u64 addr = 0;

	for (unsigned int n = lowest; n < 52; n++)
		if (home_of(t, n) >= 0)
			set_bit(&addr, n, bit(entry, home_of(t, n)));
	return addr;
}

u64 vmsa_with_address(const struct pgtable *t, u64 entry, unsigned int lowest, u64 to)
{
	for (unsigned int n = lowest; n < 52; n++)
		if (home_of(t, n) >= 0)
			set_bit(&entry, home_of(t, n), bit(to, n));
	return entry;
}

/* The first table, or all that are concatenated, at a multiple of their size: S1TTBaseAddress. */
u64 vmsa_base_alignment(const struct pgtable *t)
{
	const u64 size = 8 * BIT(t->input - vmsa_span(t->granule, t->start));

	if ((has_ds(t) || has_52_with_64k(t)) && size < 64)
		return 64;
	return size;
}

/* VAIsOutOfRange, IPAIsOutOfRange. */
static bool in_range(const struct pgtable *t, u64 addr)
{
	const unsigned int top = t->stage == 1 && t->tbi ? 55 : 63;

	for (unsigned int n = t->input; n <= top; n++)
		if (bit(addr, n) != (t->stage == 1 && t->upper))
			return false;
	return true;
}

static bool fails(struct walk *w, enum pgtable_fault fault, int level)
{
	w->r->fault = fault;
	w->r->level = level;
	return false;
}

static void translate(struct vmsa *v, const struct pgtable *t, const struct pgtable *under,
                      const struct pgtable_access *a, struct vmsa_stage *r,
                      struct vmsa_result *whole);

/* A word of a table, that is read, or read and written; NULL: it cannot be. */
static u8 *word_at(struct walk *w, u64 at, u32 perm)
{
	struct vmsa *v = w->v;

	if (w->under) {
		struct pgtable_access a = w->a;

		a.addr = at;
		a.perm = perm;
		a.privileged = true;
		translate(v, w->under, NULL, &a, &w->whole->s2, w->whole);
		w->whole->ipa = at;
		w->whole->table = w->whole->s2.fault != PGTABLE_OK;
		if (w->whole->table)
			return NULL;
		at = w->whole->s2.output;
	}
	if (at < v->base || at >= v->base + v->size)
		return NULL;
	return v->bytes + (at - v->base);
}

/* The entry for the address in the table of that level. */
static bool read_entry(struct walk *w, u64 table, int level)
{
	const struct pgtable *t = w->t;
	const u64 covers = BIT(level == t->start ? t->input : vmsa_span(t->granule, level - 1));
	const u64 spans = BIT(vmsa_span(t->granule, level));
	const u64 at = table + w->a.addr % covers / spans * 8;
	const u8 *word = word_at(w, at, DMA_READ);

	if (!word)
		return fails(w, PGTABLE_ABORT, level);
	w->r->steps[w->r->nr].level = level;
	w->r->steps[w->r->nr].addr = at;
	w->r->steps[w->r->nr].entry = w->r->entry = vmsa_load(word, t->big_endian);
	w->r->nr++;
	return true;
}

static bool beyond_output(const struct pgtable *t, u64 addr)
{
	return addr / BIT(t->output) != 0;
}

/* From a table to the block or page. */
static bool descend(struct walk *w, u64 table, int level)
{
	const struct pgtable *t = w->t;
	unsigned int kind;
	u64 to;

	if (!read_entry(w, table, level))
		return false;
	kind = w->r->entry % 4;
	if (kind == 3 && level < 3) {
		to = address_in(t, w->r->entry, t->granule);
		if (beyond_output(t, to))
			return fails(w, PGTABLE_ADDRESS_SIZE, level);
		return descend(w, to, level + 1);
	}
	if (kind != (level == 3 ? 3 : 1) || !vmsa_has_leaf(t, level))
		return fails(w, PGTABLE_TRANSLATION, level);
	w->r->shift = vmsa_span(t->granule, level);
	to = address_in(t, w->r->entry, w->r->shift);
	if (beyond_output(t, to))
		return fails(w, PGTABLE_ADDRESS_SIZE, level);
	w->r->level = level;
	w->r->output = to + w->a.addr % BIT(w->r->shift);
	return true;
}

static bool updates_accessed(const struct walk *w)
{
	return w->t->ha && !w->a.speculative;
}

static bool updates_dirty(const struct walk *w)
{
	return updates_accessed(w) && w->t->hd && bit(w->r->entry, 51);
}

/* Whether one of the tables on the way has the bit. */
static bool inherits(const struct walk *w, unsigned int n)
{
	for (unsigned int i = 0; i + 1 < w->r->nr; i++)
		if (!w->t->had && bit(w->r->steps[i].entry, n))
			return true;
	return false;
}

static u32 perms(const char *letters)
{
	return (strchr(letters, 'r') ? DMA_READ : 0) | (strchr(letters, 'w') ? DMA_WRITE : 0) |
	       (strchr(letters, 'x') ? DMA_EXEC : 0);
}

/* D8.4: by AP[2:1], UXN and PXN; without and with privilege. */
static const char *const direct[4][2][2][2] = {
	{ { { "x", "rwx" }, { "x", "rw" } }, { { "", "rwx" }, { "", "rw" } } },
	{ { { "rwx", "rw" }, { "rwx", "rw" } }, { { "rw", "rw" }, { "rw", "rw" } } },
	{ { { "x", "rx" }, { "x", "r" } }, { { "", "rx" }, { "", "r" } } },
	{ { { "rx", "rx" }, { "rx", "r" } }, { { "r", "rx" }, { "r", "r" } } },
};
/* The same of one privilege: by AP[2] and XN. */
static const char *const single[2][2] = { { "rwx", "rw" }, { "rx", "r" } };

static void permissions1(struct walk *w)
{
	const u64 entry = w->r->entry;
	const struct pgtable *t = w->t;
	/* "Descriptors marked with DBM set have the effective value of AP[2] cleared." */
	const bool ap2 = (bit(entry, 7) && !updates_dirty(w)) || inherits(w, 62);
	const bool ap1 = bit(entry, 6) && !inherits(w, 61);
	const bool uxn = bit(entry, 54) || inherits(w, 60);
	const bool pxn = bit(entry, 53) || inherits(w, 59);
	u32 *allowed = w->r->allowed;

	for (int p = 0; p < 2; p++) {
		allowed[p] = perms(t->one_privilege ? single[ap2][uxn]
		                                    : direct[ap2 * 2 + ap1][uxn][pxn][p]);
		if (t->wxn && allowed[p] & DMA_WRITE)
			allowed[p] &= ~DMA_EXEC;
	}
	if (t->pan && !t->one_privilege && allowed[0] & DMA_READ)
		allowed[1] &= ~(DMA_READ | DMA_WRITE);
}

/* S2AP, and XN[1:0]: nobody, the unprivileged, the privileged, or all may execute. */
static void permissions2(struct walk *w)
{
	static const char *const execute[4][2] = {
		{ "x", "x" }, { "x", "" }, { "", "" }, { "", "x" }
	};
	const u64 entry = w->r->entry;
	const bool writable = bit(entry, 7) || updates_dirty(w);

	for (int p = 0; p < 2; p++)
		w->r->allowed[p] = perms(execute[bit(entry, 54) * 2 + bit(entry, 53)][p]) |
		                   (bit(entry, 6) ? DMA_READ : 0) | (writable ? DMA_WRITE : 0);
}

/* AP[2] of stage 1 says that it may not be written; S2AP[1] says that it may. */
static bool is_clean(const struct walk *w)
{
	return bit(w->r->entry, 7) == (w->t->stage == 1);
}

static void attributes(struct walk *w)
{
	const u64 entry = w->r->entry;
	const unsigned int contig = size_of(w->t->granule, w->r->level)->contig;

	w->r->contig = contig && bit(entry, 52) ? contig : w->r->shift;
	w->r->attr = w->t->stage == 1 ? entry / 4 % 8 : entry / 4 % 16;
	w->r->sh = has_ds(w->t) ? 0 : entry / 256 % 4;
	w->r->global = !bit(entry, 11);
}

/* What hardware has to write, is written. */
static bool update(struct walk *w)
{
	const u64 at = w->r->steps[w->r->nr - 1].addr, old = w->r->entry;
	u8 *word;

	w->r->accessed = updates_accessed(w) && !bit(old, 10);
	w->r->dirtied = updates_dirty(w) && is_clean(w) && w->a.perm & DMA_WRITE;
	if (!w->r->accessed && !w->r->dirtied)
		return true;
	word = word_at(w, at, DMA_READ | DMA_WRITE);
	if (!word) {
		w->r->wrote = true;
		return fails(w, PGTABLE_ABORT, w->r->level);
	}
	if (vmsa_load(word, w->t->big_endian) != old)
		w->v->raced = true;
	if (w->r->accessed)
		set_bit(&w->r->entry, 10, true);
	if (w->r->dirtied)
		set_bit(&w->r->entry, 7, w->t->stage == 2);
	vmsa_store(word, w->t->big_endian, w->r->entry);
	return true;
}

static void walk(struct walk *w)
{
	const struct pgtable *t = w->t;
	bool taken_as_accessed;

	if (!in_range(t, w->a.addr) ||
	    (t->stage == 1 && t->e0pd && !t->one_privilege && !w->a.privileged)) {
		fails(w, PGTABLE_TRANSLATION, 0);
		return;
	}
	if (!descend(w, t->base / vmsa_base_alignment(t) * vmsa_base_alignment(t), t->start))
		return;
	taken_as_accessed = t->ha || t->affd || w->a.speculative;
	if (!bit(w->r->entry, 10) && !taken_as_accessed) {
		fails(w, PGTABLE_ACCESS_FLAG, w->r->level);
		return;
	}
	if (t->stage == 1)
		permissions1(w);
	else
		permissions2(w);
	if (w->a.perm & ~w->r->allowed[w->a.privileged]) {
		fails(w, PGTABLE_PERMISSION, w->r->level);
		return;
	}
	attributes(w);
	if (!update(w))
		return;
	if (updates_dirty(w) && is_clean(w))
		w->r->allowed[0] &= ~DMA_WRITE, w->r->allowed[1] &= ~DMA_WRITE;
	/* Users get nothing of such addresses, whatever entries say. */
	if (t->stage == 1 && t->e0pd && !t->one_privilege)
		w->r->allowed[0] = 0;
}

static void translate(struct vmsa *v, const struct pgtable *t, const struct pgtable *under,
                      const struct pgtable_access *a, struct vmsa_stage *r,
                      struct vmsa_result *whole)
{
	struct walk w = { .v = v, .t = t, .under = under, .a = *a, .r = r, .whole = whole };

	memset(r, 0, sizeof(*r));
	walk(&w);
}

struct vmsa_result vmsa_translate(struct vmsa *v, const struct pgtable_access *a)
{
	struct vmsa_result result = { 0 };
	struct pgtable_access second = *a;

	v->raced = false;
	translate(v, v->t, v->under, a, &result.s1, &result);
	if (result.s1.fault) {
		result.stage = result.table ? 2 : 1;
		return result;
	}
	if (!v->under)
		return result;
	result.ipa = second.addr = result.s1.output;
	translate(v, v->under, NULL, &second, &result.s2, &result);
	if (result.s2.fault)
		result.stage = 2;
	return result;
}

/* As near to the pages as the bits of an address allow. */
int vmsa_start1(unsigned int granule, unsigned int input)
{
	int level = 3;

	while (input > vmsa_span(granule, level) + granule - 3)
		level--;
	return level;
}

/* S2StartLevel, S2InvalidSL, S2InconsistentSL. */
bool vmsa_start2(unsigned int granule, unsigned int input, bool ds, unsigned int sl, int *level)
{
	static const struct {
		unsigned int granule, sl;
		int level;
		bool with_ds;
	} starts[] = {
		{ 12, 0, 2, false }, { 12, 1, 1, false }, { 12, 2, 0, false }, { 12, 3, 3, false },
		{ 12, 4, -1, true }, { 14, 0, 3, false }, { 14, 1, 2, false }, { 14, 2, 1, false },
		{ 14, 3, 0, true },  { 16, 0, 3, false }, { 16, 1, 2, false }, { 16, 2, 1, false },
	};

	if (granule != 12 || !ds)
		sl %= 4;
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		if (starts[i].granule != granule || starts[i].sl != sl ||
		    (starts[i].with_ds && !ds))
			continue;
		*level = starts[i].level;
		/* One bit at least, and of up to sixteen tables. */
		return input > vmsa_span(granule, *level) &&
		       input <= vmsa_span(granule, *level) + granule - 3 + 4;
	}
	return false;
}

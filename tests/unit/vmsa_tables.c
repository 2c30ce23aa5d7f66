// SPDX-License-Identifier: GPL-2.0-only
/* Random descriptions of translation tables, and entries for them. */
#include "tests/unit/vmsa_tables.h"

#include <string.h>

#define RAM  VMSA_TABLES_RAM
#define POOL (RAM / 2) /* stage 2's tables, then stage 1's */

/* SplitMix64. */
u64 vmsa_tables_next(struct vmsa_tables *s)
{
	u64 z = s->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Where tables of that stage may be, as the stage itself sees it. */
static u64 some_table(struct vmsa_tables *s, const struct pgtable *t, u64 align)
{
	const u64 pool = t->stage == 1 ? POOL : 0;
	u64 at = pool + ALIGN_DOWN(below(s, POOL), align);

	/* An IPA: with the offset in memory, whatever else is in it. */
	if (t == s->v.t && s->v.under)
		return at +
		       (t->output > 43 && s->v.under->input > 43 && one_in(s, 2) ? BIT(42) : 0);
	return s->v.base + at;
}

/* For an entry that spans so much around @at: tables are found there through stage 2 as well. */
static u64 some_output(struct vmsa_tables *s, const struct pgtable *t, u64 at, unsigned int span)
{
	const struct pgtable *under = t->stage == 1 ? s->v.under : NULL;
	const unsigned int bits = under && under->input < t->output ? under->input : t->output;

	if (t->stage == 2 && !one_in(s, 8))
		return s->v.base + (span < 22 && one_in(s, 2) ? POOL + below(s, POOL) : at % RAM);
	return below(s, BIT(one_in(s, s->rot) ? t->output : bits));
}

static u64 some_attributes(struct vmsa_tables *s, const struct pgtable *t, bool leaf)
{
	u64 entry = vmsa_tables_next(s);

	if (!leaf && !one_in(s, 3)) /* a table's permissions add up */
		return entry & GENMASK(51, 0);
	if (leaf && (t->stage == 1 ? one_in(s, 2) : !one_in(s, 4)))
		entry |= BIT(10);
	if (leaf && t->stage == 2 && !one_in(s, 4))
		entry |= BIT(6) | BIT(7) * below(s, 2);
	if (leaf && t->stage == 2 && one_in(s, 2))
		entry &= ~(BIT(54) | BIT(53));
	return entry;
}

/* Mostly good, for an address whose entry was found to be 0. */
static u64 some_entry(struct vmsa_tables *s, const struct pgtable *t, int level, u64 at)
{
	const bool leaf = level == 3 || (vmsa_has_leaf(t, level) && one_in(s, 4));
	const unsigned int span = leaf ? vmsa_span(t->granule, level) : t->granule;
	u64 to = leaf ? some_output(s, t, at, span) : some_table(s, t, BIT(span));
	u64 entry = some_attributes(s, t, leaf);

	if (one_in(s, s->rot))
		to = vmsa_tables_next(s);
	entry = vmsa_with_address(t, entry, one_in(s, s->rot) ? 0 : span, to);
	if (one_in(s, s->rot))
		return entry;
	return (entry & ~3ULL) | (leaf && level < 3 ? 1 : 3);
}

static void put(struct vmsa_tables *s, const struct pgtable *t, u64 at, u64 entry)
{
	if (at - s->v.base >= RAM)
		return;
	vmsa_store(s->model_ram + (at - s->v.base), t->big_endian, entry);
	memcpy(s->ram + (at - s->v.base), s->model_ram + (at - s->v.base), 8);
}

/* Where an entry is that the model found: what a stage 1 calls its address may be another. */
static u64 where(struct vmsa_tables *s, u64 at)
{
	struct vmsa second = s->v;
	const struct pgtable_access a = { .addr = at, .speculative = true, .privileged = true };
	struct vmsa_result r;

	if (!s->v.under)
		return at;
	second.t = s->v.under;
	second.under = NULL;
	r = vmsa_translate(&second, &a);
	return r.stage ? ~0ULL : r.s1.output;
}

void vmsa_tables_grow(struct vmsa_tables *s, u64 addr)
{
	const struct pgtable_access a = { .addr = addr, .speculative = true, .privileged = true };

	for (int i = 0; i < 40; i++) {
		const struct vmsa_result r = vmsa_translate(&s->v, &a);
		const struct vmsa_stage *at = r.stage == 2 ? &r.s2 : &r.s1;
		const struct pgtable *t = r.stage == 2 ? s->v.under : s->v.t;
		u64 last;

		if (!r.stage || at->fault == PGTABLE_ABORT || !at->nr)
			return;
		if (at->entry && !one_in(s, 4)) /* a bad one does not stay for ever */
			return;
		last = at->steps[at->nr - 1].addr;
		if (r.stage == 2)
			put(s, t, last, some_entry(s, t, at->level, r.ipa));
		else
			put(s, t, where(s, last), some_entry(s, t, at->level, addr));
	}
}

void vmsa_tables_spoil(struct vmsa_tables *s, u64 addr)
{
	static const u8 updated[] = { 7, 10, 51 };
	const struct pgtable_access a = { .addr = addr, .speculative = true, .privileged = true };
	const struct vmsa_result r = vmsa_translate(&s->v, &a);
	const bool second = r.s2.nr && one_in(s, 2);
	const struct vmsa_stage *at = second ? &r.s2 : &r.s1;
	unsigned int n;
	u64 entry;

	if (!at->nr)
		return;
	n = one_in(s, 4) ? below(s, at->nr) : at->nr - 1;
	entry = at->steps[n].entry ^ BIT(one_in(s, 4) ? below(s, 64) : updated[below(s, 3)]);
	if (second)
		put(s, s->v.under, at->steps[n].addr, entry);
	else
		put(s, s->v.t, where(s, at->steps[n].addr), entry);
}

static u64 in_range(struct vmsa_tables *s)
{
	const struct pgtable *t = s->v.t;

	return below(s, BIT(t->input)) | (t->stage == 1 && t->upper ? -BIT(t->input) : 0);
}

u64 vmsa_tables_address(struct vmsa_tables *s)
{
	const struct pgtable *t = s->v.t;
	u64 *addr = &s->recent[below(s, VMSA_TABLES_RECENT)];
	u64 at;

	if (one_in(s, 6))
		*addr = in_range(s);
	at = *addr;
	if (one_in(s, 2))
		at ^= below(s, BIT(t->granule));
	if (one_in(s, 8))
		at ^= BIT(below(s, t->input));
	if (one_in(s, 24))
		at ^= BIT(below(s, 64));
	if (one_in(s, 40))
		at = (t->upper ? -BIT(t->input) : BIT(t->input)) - below(s, 2);
	if (t->tbi && one_in(s, 4))
		at ^= below(s, 256) << 56;
	return at;
}

static void some_table_description(struct vmsa_tables *s, struct pgtable *t, unsigned int stage)
{
	static const u8 granules[] = { 12, 14, 16 }, outputs[] = { 32, 36, 40, 42, 44, 48, 52 };
	int start = 0;

	do {
		memset(t, 0, sizeof(*t));
		t->stage = stage;
		t->granule = granules[below(s, 3)];
		t->ds = one_in(s, 2);
		t->output = outputs[below(s, t->ds || t->granule == 16 ? 7 : 6)];
		if (t->granule == 16 && one_in(s, 2))
			t->output = 52;
		t->input = 16 + below(s, (t->ds || t->granule == 16 ? 52 : 48) - 15);
		start = vmsa_start1(t->granule, t->input);
	} while (t->input <= t->granule ||
	         (stage == 2 && !vmsa_start2(t->granule, t->input, t->ds, below(s, 8), &start)));
	t->start = start;
	t->big_endian = one_in(s, 4);
	t->ha = one_in(s, 2);
	t->hd = one_in(s, 2);
	t->affd = one_in(s, 4);
	t->fwb = stage == 2 && one_in(s, 2);
}

static void some_stage1(struct vmsa_tables *s, struct pgtable *t)
{
	t->upper = one_in(s, 3);
	t->tbi = one_in(s, 3);
	t->one_privilege = one_in(s, 4);
	t->had = one_in(s, 3);
	t->wxn = one_in(s, 4);
	t->pan = one_in(s, 3);
	t->e0pd = one_in(s, 16);
}

/* Memory where every stage has bits to name it by: often, all of them. */
static u64 some_place(struct vmsa_tables *s, unsigned int output)
{
	if (output > 44 && !one_in(s, 4))
		return (vmsa_tables_next(s) & GENMASK(output - 1, 43)) | BIT(output - 1);
	return one_in(s, 2) ? BIT(31) : 0;
}

static void some_base(struct vmsa_tables *s, struct pgtable *t)
{
	const u64 align = vmsa_base_alignment(t);

	t->base = some_table(s, t, align) + below(s, align);
	if (one_in(s, 100))
		t->base = vmsa_tables_next(s) % BIT(t->output);
}

/* Tables without entries, somewhere in memory that is all 0. */
void vmsa_tables_configure(struct vmsa_tables *s)
{
	const bool two = one_in(s, 2);

	s->rot = 8 << below(s, 8);
	memset(s->ram, 0, RAM);
	memset(s->model_ram, 0, RAM);
	some_table_description(s, &s->t2, 2);
	some_table_description(s, &s->t1, 1);
	some_stage1(s, &s->t1);
	if (one_in(s, 4)) /* which say nothing of a stage 2 */
		some_stage1(s, &s->t2);
	s->v = (struct vmsa){ .t = two || one_in(s, 2) ? &s->t1 : &s->t2,
		              .under = two ? &s->t2 : NULL };
	s->v.size = RAM;
	s->v.bytes = s->model_ram;
	s->v.base = some_place(s, two ? s->t2.output : s->v.t->output);
	some_base(s, &s->t1);
	some_base(s, &s->t2);
	for (int i = 0; i < VMSA_TABLES_RECENT; i++)
		s->recent[i] = in_range(s);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of stage 1 and 2 by chance, together: what leads where, and what is spoilt of it. */
#include "stages.h"

#define SAME 16 /* cases have the same VTCR and VTTBR */

void stages_look(const struct stages *c, struct entries *e)
{
	for (int level = c->r.start; c->both && level <= c->r.leaf; level++)
		e->stage1[level] = *(volatile u64 *)c->r.entry[level];
	for (unsigned int i = 0; i < c->s2.nr; i++)
		e->stage2[i] = *(volatile u64 *)c->s2.written[i];
}

void stages_restore(const struct stages *c, const struct entries *e)
{
	for (int level = c->r.start; c->both && level <= c->r.leaf; level++)
		*(volatile u64 *)c->r.entry[level] = e->stage1[level];
	for (unsigned int i = 0; i < c->s2.nr; i++)
		*(volatile u64 *)c->s2.written[i] = e->stage2[i];
	barrier();
}

bool stages_same(const struct stages *c, const struct entries *a, const struct entries *b)
{
	return !memcmp(a->stage2, b->stage2, c->s2.nr * sizeof(u64)) &&
	       (!c->both || !memcmp(&a->stage1[c->r.start], &b->stage1[c->r.start],
	                            (c->r.leaf - c->r.start + 1) * 8UL));
}

/*
 * A block that becomes a table leads to memory which is no table of ours: from what that happens to
 * have nobody knows which of Linux's rules are met.
 */
static void spoil_stage1(struct regime *r)
{
	regime_spoil(r);
	if (r->leaf < 3 && (*r->entry[r->leaf] & 3) == TABLE)
		*r->entry[r->leaf] &= ~2UL;
	barrier();
}

/* Stage 1's table of each level at an IPA of its own, and what it leads to. */
static bool map_stage1(struct stages *c, bool fetch)
{
	const unsigned int limit = regime_address_bits(&c->r), shift = regime_leaf_shift(&c->r);

	if (shift + c->r.contiguous > c->s2.input || shift + c->r.contiguous > limit)
		return false;
	for (int level = c->r.start; level <= c->r.leaf; level++) {
		const u64 at = (u64)c->r.entry[level];
		struct stage2_path *p = &c->paths[TABLES + level];

		if (!stage2_map(&c->s2, at, 16, limit, one_in(4) ? STAGE2_RANDOM : STAGE2_ALL, p))
			return false;
		if (level == c->r.start)
			c->r.root += p->ipa - at;
		else
			regime_lead(&c->r, level - 1, p->ipa - at);
	}
	if (!stage2_map(&c->s2, c->r.target, shift + c->r.contiguous, limit, STAGE2_RANDOM,
	                &c->paths[OUTPUT]))
		return false;
	regime_lead(&c->r, c->r.leaf, c->paths[OUTPUT].ipa - c->r.target);
	if (!fetch)
		spoil_stage1(&c->r);
	c->va = c->r.va;
	return true;
}

static bool map_alone(struct stages *c)
{
	c->r = (struct regime){ .target = (u64)arena + (random_bits() & (ARENA_SIZE - 1) & ~7UL) };
	if (!stage2_map(&c->s2, c->r.target, 3, 48, STAGE2_RANDOM, &c->paths[OUTPUT]))
		return false;
	c->va = c->paths[OUTPUT].ipa;
	return true;
}

/*
 * False: there was no room. Linux has shadow tables for two stages 2, and takes a tenth of a second
 * to clear such tables of 48 bits for a third one: so VTCR and VTTBR are the same for a while.
 */
bool stages_make(struct stages *c, bool fetch, const struct regime_ability *can1,
                 const struct stage2_ability *can2)
{
	unsigned int limit = 48;

	c->both = one_in(2);
	if (!c->left--) {
		stage2_make(&c->s2, can2);
		c->left = SAME - 1;
	}
	if (c->both) {
		regime_build(&c->r, can1);
		c->r.wxn &= !c->r.hd; /* of clean pages CPUs that are emulated say otherwise */
		limit = regime_address_bits(&c->r);
	}
	return stage2_map(&c->s2, el1_page(), EL1_PAGE_BITS, limit, STAGE2_ALL,
	                  &c->paths[PROGRAM]) &&
	       stage2_map(&c->s2, c->cd, 6, 48, STAGE2_ALL, &c->paths[CD]) &&
	       (c->both ? map_stage1(c, fetch) : map_alone(c));
}

void stages_forget(struct stages *c)
{
	stage2_forget(&c->s2);
	if (c->both)
		regime_forget(&c->r);
}

static bool is_there(const struct stages *c, unsigned int path)
{
	return path == OUTPUT || path == PROGRAM || path == CD ||
	       (c->both && (int)path >= TABLES + c->r.start && (int)path <= TABLES + c->r.leaf);
}

static bool is_shared(const struct stages *c, const struct stage2_path *p, int level)
{
	for (unsigned int i = 0; i < NR_PATHS; i++)
		if (is_there(c, i) && &c->paths[i] != p &&
		    c->paths[i].entry[level] == p->entry[level])
			return true;
	return false;
}

/* The first level that is of @p alone. */
static int own_level(const struct stages *c, const struct stage2_path *p)
{
	int level = c->s2.start;

	while (is_shared(c, p, level))
		level++;
	return level;
}

void stages_spoil(struct stages *c, bool fetch)
{
	struct stage2_path *p;

	if (!one_in(2))
		return;
	p = &c->paths[OUTPUT];
	if (c->both && one_in(2))
		p = &c->paths[TABLES + c->r.start + (int)random_below(c->r.leaf - c->r.start + 1)];
	stage2_spoil(&c->s2, p, own_level(c, p), p == &c->paths[OUTPUT] && !fetch);
}

bool stages_beyond(const struct stages *c)
{
	for (int level = c->r.start; c->both && level <= c->r.leaf; level++)
		if ((*c->r.entry[level] & 0x0000fffffffff000UL) >> c->s2.input)
			return true;
	return false;
}

bool stages_nowhere_in_walk(const struct stages *c)
{
	for (int level = c->r.start; c->both && level <= c->r.leaf; level++)
		if (stage2_is_nowhere(&c->s2, &c->paths[TABLES + level]))
			return true;
	return false;
}

/* What stage 2 permits. */
static u64 permits(const struct stages *c, const struct stage2_path *p)
{
	return *p->entry[stage2_end(&c->s2, p)] & (ENTRY_S2_READ | ENTRY_S2_WRITE);
}

/* By whatever page or block has it: what is spoilt of stage 1 leads elsewhere in them. */
static bool denies_device(const struct stages *c, u64 ipa)
{
	for (unsigned int i = 0; i < NR_PATHS; i++) {
		const struct stage2_path *p = &c->paths[i];

		if (is_there(c, i) && stage2_has(&c->s2, p, ipa) &&
		    *p->entry[stage2_end(&c->s2, p)] & 1 &&
		    permits(c, p) != (ENTRY_S2_READ | ENTRY_S2_WRITE) &&
		    stage2_output(&c->s2, p, ipa) - RAM_BASE >= RAM_SIZE)
			return true;
	}
	return false;
}

bool stages_deny_device(const struct stages *c)
{
	const u64 first = c->paths[TABLES + c->r.start].ipa;

	for (int level = c->r.start; c->both && level <= c->r.leaf; level++)
		if (denies_device(c, regime_table(&c->r, level, first)))
			return true;
	return denies_device(c, c->both ? regime_output(&c->r) : c->va);
}

bool stages_table_permits(const struct stages *c, unsigned int permitted)
{
	for (int level = c->r.start; c->both && level <= c->r.leaf; level++)
		if (permitted & 1 << (permits(c, &c->paths[TABLES + level]) >> 6))
			return true;
	return false;
}

bool stages_deny_flag(const struct stages *c)
{
	const int end = c->both ? regime_end(&c->r) : 0;

	return c->both && c->r.ha && !(*c->r.entry[end] & ENTRY_AF) &&
	       !(permits(c, &c->paths[TABLES + end]) & ENTRY_S2_WRITE);
}

bool stages_top_byte(const struct stages *c)
{
	return c->both && !c->r.tbi && c->va >> 55 && ~c->va >> 55;
}

void stages_leave(const struct stages *c)
{
	for (int level = c->r.start; c->both && level <= c->r.leaf; level++)
		el1_forget(c->paths[TABLES + level].ipa);
	el1_forget(c->paths[OUTPUT].ipa);
	el1_forget(c->paths[PROGRAM].ipa);
	el1_leave();
}

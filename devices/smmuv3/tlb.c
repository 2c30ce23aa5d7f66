// SPDX-License-Identifier: GPL-2.0-only
/* The SMMU's TLB (Arm IHI 0070, 3.17): translations by address, size and tags; what invalidations
 * take from it. */
#include <stdlib.h>

#include "devices/smmuv3/private.h"

/* Drivers have the same addresses in many ASIDs: without those, a bucket would have all of them. */
#define GLOBAL BIT(16) /* in an ASID's place: of all */
static unsigned int hash(u64 input, unsigned int shift, u16 vmid, u32 asid)
{
	u64 key = (input >> shift) * 0x9e3779b97f4a7c15ULL + vmid * 0x85ebca6bULL +
	          asid * 0xc2b2ae3d27d4eb4fULL + shift;

	return (key ^ key >> 29) * 0xbf58476d1ce4e5b9ULL >> 40 & (SMMU_TLB_BUCKETS - 1);
}

void smmu_tlb_init(struct smmu_tlb *t)
{
	TAILQ_INIT(&t->ages);
}

/* 3.17.1: a global one is of every ASID, of its own ASET. */
static bool matches(const struct smmu_translation *t, const struct smmu_tlb_key *k)
{
	if (t->is_ipa != k->is_ipa || t->world != k->world || t->vmid != k->vmid)
		return false;
	return t->is_ipa || (t->global ? t->aset == k->aset : t->asid == k->asid);
}

static struct smmu_translation *find_in(struct smmu *s, const struct smmu_tlb_key *k,
                                        unsigned int shift, u32 asid)
{
	const u64 input = ALIGN_DOWN(k->input, BIT(shift));
	struct smmu_translation *t;

	LIST_FOREACH(t, &s->tlb.buckets[hash(input, shift, k->vmid, asid)], bucket)
	if (t->input == input && t->shift == shift && matches(t, k))
		return t;
	return NULL;
}

/* Of that size only. */
static struct smmu_translation *find_sized(struct smmu *s, const struct smmu_tlb_key *k,
                                           unsigned int shift)
{
	struct smmu_translation *t = find_in(s, k, shift, k->asid);

	return t || !s->tlb.nr_global ? t : find_in(s, k, shift, GLOBAL);
}

struct smmu_translation *smmu_tlb_find(struct smmu *s, const struct smmu_tlb_key *k)
{
	struct smmu_translation *t = NULL;

	for (u64 left = s->tlb.shifts; left && !t; left &= left - 1)
		t = find_sized(s, k, __builtin_ctzll(left));
	return t;
}

/* One more or one fewer of such sizes. */
static void count(struct smmu_tlb *tlb, const struct smmu_translation *t, int more)
{
	tlb->nr += more;
	tlb->nr_global += t->global ? more : 0;
	tlb->nr_shift[t->shift] += more;
	tlb->nr_span[t->span] += t->span > t->shift ? more : 0;
	tlb->shifts &= ~BIT(t->shift);
	tlb->shifts |= tlb->nr_shift[t->shift] ? BIT(t->shift) : 0;
	tlb->spans &= ~BIT(t->span);
	tlb->spans |= tlb->nr_span[t->span] ? BIT(t->span) : 0;
}

static void drop(struct smmu *s, struct smmu_translation *t)
{
	struct smmu_tlb *tlb = &s->tlb;

	LIST_REMOVE(t, bucket);
	TAILQ_REMOVE(&tlb->ages, t, age);
	count(tlb, t, -1);
	s->messages_moved |= t->doorbell;
	dma_use_end(&t->use, &s->pending);
}

/* The oldest that no transfer uses goes: those in use have to be found by an invalidation. */
static void make_room(struct smmu *s)
{
	struct smmu_translation *t;

	for (unsigned int i = 0; i < 64 && s->tlb.nr >= SMMU_TLB_SIZE; i++) {
		t = TAILQ_FIRST(&s->tlb.ages);
		if (!t->use.users) {
			drop(s, t);
			continue;
		}
		TAILQ_REMOVE(&s->tlb.ages, t, age);
		TAILQ_INSERT_TAIL(&s->tlb.ages, t, age);
	}
}

struct smmu_translation *smmu_tlb_insert(struct smmu *s, const struct smmu_translation *from)
{
	const struct smmu_tlb_key key = { from->input, from->is_ipa, from->aset,
		                          from->world, from->asid,   from->vmid };
	struct smmu_tlb *tlb = &s->tlb;
	struct smmu_translation *t = find_sized(s, &key, from->shift);

	/* What there was allowed less: the tables, or the dirty state, have changed since. */
	if (t)
		drop(s, t);
	make_room(s);
	t = malloc(sizeof(*t));
	if (!t)
		return NULL;
	*t = *from;
	LIST_INSERT_HEAD(
		&tlb->buckets[hash(t->input, t->shift, t->vmid, t->global ? GLOBAL : t->asid)], t,
		bucket);
	TAILQ_INSERT_TAIL(&tlb->ages, t, age);
	count(tlb, t, 1);
	return t;
}

/* An address takes every copy of the table's entry that it needs (DDI 0601, TLBI VAE1), however
 * many pieces that is kept in. */
static bool in_scope(const struct smmu_translation *t, const struct smmu_scope *scope)
{
	const u64 whole = ALIGN_DOWN(t->input, BIT(t->span));

	if (t->is_ipa ? !scope->s2 : !scope->s1)
		return false;
	if (t->world != scope->world)
		return false;
	if (scope->by_vmid && (t->vmid ^ scope->vmid) & scope->vmid_mask)
		return false;
	if (scope->by_asid && (t->global ? !scope->globals : t->asid != scope->asid))
		return false;
	return !scope->by_address ||
	       (whole <= scope->last && whole + (BIT(t->span) - 1) >= scope->first);
}

/* All that are of one size and hold one address, by their bucket. */
static void invalidate_in(struct smmu *s, const struct smmu_scope *scope, u64 addr,
                          unsigned int shift, u32 asid)
{
	const unsigned int i = hash(addr, shift, scope->vmid, asid);
	struct smmu_translation *t, *next;

	LIST_FOREACH_SAFE(t, &s->tlb.buckets[i], bucket, next)
	if (t->shift == shift && in_scope(t, scope))
		drop(s, t);
}

/* Those that have no ASID have 0 for one. */
static void invalidate_at(struct smmu *s, const struct smmu_scope *scope, u64 addr,
                          unsigned int shift)
{
	invalidate_in(s, scope, addr, shift, scope->by_asid ? scope->asid : 0);
	if (s->tlb.nr_global)
		invalidate_in(s, scope, addr, shift, GLOBAL);
}

/* Any ASID's may be in it. */
static bool has_all_asids(const struct smmu_scope *scope)
{
	return !scope->by_asid && scope->s1 && scope->world != NS_EL2;
}

static void invalidate_all(struct smmu *s, const struct smmu_scope *scope)
{
	struct smmu_translation *t, *next;

	TAILQ_FOREACH_SAFE(t, &s->tlb.ages, age, next)
	if (in_scope(t, scope))
		drop(s, t);
}

/* Where pieces may be of what is in the range. */
static void widen(const struct smmu *s, u64 *first, u64 *last)
{
	const u64 largest = s->tlb.spans ? BIT(63 - __builtin_clzll(s->tlb.spans)) : 1;

	*first = ALIGN_DOWN(*first, largest);
	*last |= largest - 1;
}

/* Whether it is less to look into a bucket for each place of the range than at all there are. */
static bool is_narrow(const struct smmu *s, const struct smmu_scope *scope, u64 first, u64 last)
{
	u64 places = 0;

	if (!scope->by_address || (scope->by_vmid && scope->vmid_mask != 0xffff) ||
	    has_all_asids(scope))
		return false;
	for (u64 left = s->tlb.shifts; left; left &= left - 1)
		places += ((last - first) >> __builtin_ctzll(left)) + 2;
	return places < s->tlb.nr / 8;
}

void smmu_tlb_invalidate(struct smmu *s, const struct smmu_scope *scope)
{
	u64 first = scope->first, last = scope->last;

	widen(s, &first, &last);
	if (!is_narrow(s, scope, first, last)) {
		invalidate_all(s, scope);
		return;
	}
	for (u64 left = s->tlb.shifts; left; left &= left - 1) {
		const unsigned int shift = __builtin_ctzll(left);
		const u64 from = ALIGN_DOWN(first, BIT(shift));
		const u64 places = ((last - from) >> shift) + 1;

		for (u64 i = 0; i < places; i++)
			invalidate_at(s, scope, from + (i << shift), shift);
	}
}

void smmu_tlb_clear(struct smmu *s)
{
	struct smmu_translation *t, *next;

	TAILQ_FOREACH_SAFE(t, &s->tlb.ages, age, next)
	drop(s, t);
}

// SPDX-License-Identifier: GPL-2.0-only
/* The configuration of a stream (Arm IHI 0070, 3.3.2, 5.2 to 5.4): which CD it has, and the cache
 * of both. What is not legal, or was not found, is not cached. */
#include <endian.h>
#include <stdlib.h>

#include "devices/smmuv3/private.h"

#define CD_WORDS 8

static unsigned int bucket(u32 sid)
{
	return (sid * 0x9e3779b1u) >> 16 & (SMMU_CONFIG_BUCKETS - 1);
}

struct smmu_config_entry *smmu_config_cached(struct smmu *s, u32 sid, u32 ssid)
{
	struct smmu_config_entry *c;

	LIST_FOREACH(c, &s->configs.buckets[bucket(sid)], link)
	if (c->sid == sid && c->ssid == ssid)
		return c;
	return NULL;
}

static void drop(struct smmu *s, struct smmu_config_entry *c)
{
	LIST_REMOVE(c, link);
	s->configs.nr--;
	s->configs.generation++;
	s->messages_moved = true;
	dma_use_end(&c->use, &s->pending);
}

/* Room for one more: those go that no transfer uses. */
static void make_room(struct smmu *s)
{
	struct smmu_config_entry *c, *next;

	for (unsigned int i = 0; i < SMMU_CONFIG_BUCKETS; i++)
		LIST_FOREACH_SAFE(c, &s->configs.buckets[i], link, next)
	if (!c->use.users)
		drop(s, c);
}

/* Words of a structure, at a physical address or, with a stage 2, at an IPA. */
static bool read_words(struct smmu *s, const struct smmu_config_entry *c, u64 at, u64 *words,
                       unsigned int nr, struct smmu_ipa_space *ipa)
{
	struct dma_space *space = c->s2 ? &ipa->dma : s->physical;

	smmu_ipa_space(ipa, s, c);
	for (unsigned int i = 0; i < nr; i++) {
		if (dma_load64(space, at + i * sizeof(u64), &words[i], NULL) != DMA_OK)
			return false;
		words[i] = le64toh(words[i]);
	}
	return true;
}

/* 7.3.10; or stage 2's fault for the fetch, which S2R may keep silent. */
static enum smmu_fetch fetch_failed(const struct smmu_config_entry *c,
                                    const struct smmu_ipa_space *ipa, u64 at, struct smmu_event *e)
{
	if (!c->s2 || !ipa->faulted) {
		e->id = F_CD_FETCH;
		e->ipa = c->s2 ? ipa->pa : at;
		return FETCH_EVENT;
	}
	smmu_stage2_event(&ipa->walk, ipa->ipa, CLASS_CD, false, e);
	e->stalls = c->s2_stalls && e->id != F_WALK_EABT;
	return c->s2_records || e->id == F_WALK_EABT ? FETCH_EVENT : FETCH_ABORT;
}

static enum smmu_fetch fails(struct smmu_event *e, enum smmu_event_id id)
{
	e->id = id;
	return FETCH_EVENT;
}

/* 7.3.9: it has no SSV; without a SubstreamID it is the CD's index. */
static enum smmu_fetch bad_substream(struct smmu_event *e, u32 index)
{
	e->ssid = index;
	return fails(e, C_BAD_SUBSTREAMID);
}

/* 5.2, S1CDMax and S1DSS. @c->cd_index: of the CD to fetch; NO_SSID: stage 1 is bypassed. */
static enum smmu_fetch choose_cd(const struct smmu *s, const u64 *ste, struct smmu_config_entry *c,
                                 struct smmu_event *e)
{
	const unsigned int cdmax = smmu_idr(s, 1, IDR1_SSIDSIZE) ? FIELD_GET(STE0_S1CDMAX, ste[0])
	                                                         : 0;
	const unsigned int s1dss = FIELD_GET(STE1_S1DSS, ste[1]);

	c->cd_index = NO_SSID;
	if (c->ssid != NO_SSID && (!c->s1 || !cdmax || c->ssid >> cdmax))
		return bad_substream(e, c->ssid);
	if (!c->s1)
		return FETCHED;
	c->cd_index = 0;
	if (c->ssid != NO_SSID) {
		c->cd_index = c->ssid;
		return c->ssid || s1dss != S1DSS_SSID0 ? FETCHED : fails(e, F_STREAM_DISABLED);
	}
	if (!cdmax || s1dss == S1DSS_SSID0)
		return FETCHED;
	if (s1dss != S1DSS_BYPASS)
		return fails(e, F_STREAM_DISABLED);
	c->cd_index = NO_SSID;
	c->s1 = false;
	return FETCHED;
}

/* A table is aligned to its size, or 64 bytes: the bits below are taken as 0. */
static u64 aligned(u64 ptr, unsigned int log2bytes)
{
	return ALIGN_DOWN(ptr, BIT(log2bytes > 6 ? log2bytes : 6));
}

/* 5.2, S1Fmt; 5.3: where the CD is. */
static enum smmu_fetch find_cd(struct smmu *s, const u64 *ste, const struct smmu_config_entry *c,
                               u64 *at, struct smmu_event *e)
{
	const unsigned int cdmax = smmu_idr(s, 1, IDR1_SSIDSIZE) ? FIELD_GET(STE0_S1CDMAX, ste[0])
	                                                         : 0;
	const unsigned int fmt = FIELD_GET(STE0_S1FMT, ste[0]);
	const unsigned int low = fmt == 1 ? 6 : 10; /* bits of a leaf's index */
	const u64 ptr = ste[0] & STE0_S1CONTEXTPTR;
	struct smmu_ipa_space ipa;
	u64 l1cd;

	if (!cdmax || (fmt != 1 && fmt != 2)) {
		*at = aligned(ptr, cdmax + 6) + (u64)c->cd_index * CD_WORDS * sizeof(u64);
		return FETCHED;
	}
	*at = aligned(ptr, cdmax > low ? cdmax - low + 3 : 0) + (c->cd_index >> low) * sizeof(u64);
	if (!read_words(s, c, *at, &l1cd, 1, &ipa))
		return fetch_failed(c, &ipa, *at, e);
	smmu_see_l1cd(s, c->cd_index, *at, l1cd);
	if (!(l1cd & L1CD_V) || (l1cd & L1CD_L2PTR) >> s->oas)
		return bad_substream(e, c->cd_index);
	*at = (l1cd & L1CD_L2PTR) + (c->cd_index & GENMASK(low - 1, 0)) * CD_WORDS * sizeof(u64);
	return FETCHED;
}

/* An Access flag that hardware would have set is no fault; none is set. */
static void leave_flags(struct pgtable *t)
{
	t->affd |= t->ha;
	t->ha = t->hd = false;
}

static enum smmu_fetch fetch_cd(struct smmu *s, const u64 *ste, struct smmu_config_entry *c,
                                struct smmu_event *e)
{
	struct smmu_ipa_space ipa;
	u64 cd[CD_WORDS], at;
	enum smmu_fetch got = find_cd(s, ste, c, &at, e);

	if (got != FETCHED)
		return got;
	if (!read_words(s, c, at, cd, CD_WORDS, &ipa))
		return fetch_failed(c, &ipa, at, e);
	smmu_see_cd(s, c->cd_index, at, cd);
	if (!smmu_cd_decode(s, cd, c))
		return fails(e, C_BAD_CD);
	for (unsigned int i = 0; i < 2 && c->passive; i++)
		leave_flags(&c->ttb[i]);
	return FETCHED;
}

/* All of it, in the order of 7.3.22. */
static enum smmu_fetch fetch(struct smmu *s, struct smmu_config_entry *c, struct smmu_event *e)
{
	u64 ste[8];
	enum smmu_fetch got = smmu_fetch_ste(s, c->sid, ste, e);

	if (got != FETCHED)
		return got;
	if (!smmu_ste_decode(s, ste, c))
		return fails(e, C_BAD_STE);
	if (c->passive)
		leave_flags(&c->s2t);
	e->has_ste = true;
	e->eats = c->eats;
	if (c->abort)
		return FETCHED;
	if (c->ssid == STE_ONLY) {
		smmu_translated_config(c);
		return FETCHED;
	}
	got = choose_cd(s, ste, c, e);
	if (got == FETCHED && c->cd_index != NO_SSID)
		got = fetch_cd(s, ste, c, e);
	return got;
}

enum smmu_fetch smmu_config_fetch(struct smmu *s, struct smmu_config_entry *c, struct smmu_event *e)
{
	const enum smmu_fetch got = fetch(s, c, e);

	if (got != FETCHED) {
		e->merges = c->merges;
		e->privcfg = c->privcfg;
		e->instcfg = c->instcfg;
	}
	return got;
}

enum smmu_fetch smmu_config(struct smmu *s, struct smmu_endpoint *e, u32 sid, u32 ssid,
                            struct smmu_config_entry **c, struct smmu_event *event)
{
	struct smmu_config_entry *new;
	enum smmu_fetch got;

	*c = e->config;
	if (*c && e->generation == s->configs.generation && (*c)->sid == sid && (*c)->ssid == ssid)
		return FETCHED;
	*c = smmu_config_cached(s, sid, ssid);
	if (!*c) {
		new = calloc(1, sizeof(*new));
		if (!new)
			return FETCH_ABORT;
		*new = (struct smmu_config_entry){ .sid = sid, .ssid = ssid, .cd_index = NO_SSID };
		got = smmu_config_fetch(s, new, event);
		if (got != FETCHED) {
			free(new);
			return got;
		}
		if (s->configs.nr >= SMMU_CONFIG_SIZE)
			make_room(s);
		LIST_INSERT_HEAD(&s->configs.buckets[bucket(sid)], new, link);
		s->configs.nr++;
		*c = new;
	}
	e->config = *c;
	e->generation = s->configs.generation;
	return FETCHED;
}

static void invalidate_bucket(struct smmu *s, unsigned int i, u32 sid, u32 last, u32 cd_index)
{
	struct smmu_config_entry *c, *next;

	LIST_FOREACH_SAFE(c, &s->configs.buckets[i], link, next)
	if (c->sid >= sid && c->sid <= last && (cd_index == NO_SSID || cd_index == c->cd_index))
		drop(s, c);
}

void smmu_config_invalidate(struct smmu *s, u32 sid, u32 last, u32 cd_index)
{
	s->counts.invalidations++;
	if (sid == last)
		invalidate_bucket(s, bucket(sid), sid, last, cd_index);
	else
		for (unsigned int i = 0; i < SMMU_CONFIG_BUCKETS && s->configs.nr; i++)
			invalidate_bucket(s, i, sid, last, cd_index);
}

void smmu_config_clear(struct smmu *s)
{
	smmu_config_invalidate(s, 0, ~0u, NO_SSID);
}

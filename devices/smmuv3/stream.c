// SPDX-License-Identifier: GPL-2.0-only
/* The Stream table, linear and two-level (Arm IHI 0070, 3.3.1, 5.1, 6.3.24, 6.3.25): where an STE
 * is. */
#include <endian.h>

#include "devices/smmuv3/private.h"

#define STE_SIZE   64
#define L1STD_SIZE 8

/* Words of physical memory, each read at once. False: no memory answers. */
static bool read_words(const struct smmu *s, gpa_t pa, u64 *words, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (dma_load64(s->physical, pa + i * sizeof(u64), &words[i], NULL) != DMA_OK)
			return false;
		words[i] = le64toh(words[i]);
	}
	return true;
}

static enum smmu_fetch fetch_failed(struct smmu_event *e, gpa_t pa)
{
	e->id = F_STE_FETCH;
	e->ipa = pa;
	return FETCH_EVENT;
}

/* 7.3.3: recorded only if CR2.RECINVSID says so. */
static enum smmu_fetch bad_stream(const struct smmu *s, struct smmu_event *e)
{
	e->id = C_BAD_STREAMID;
	return s->cr2 & CR2_RECINVSID ? FETCH_EVENT : FETCH_ABORT;
}

/* 6.3.24: the base is aligned to the table, which is no smaller than 64 bytes. */
static gpa_t table(const struct smmu *s, unsigned int log2bytes)
{
	const unsigned int align = log2bytes > 6 ? log2bytes : 6;

	return smmu_pa(s, ALIGN_DOWN(s->strtab_base & STRTAB_ADDR, BIT(align)));
}

/* 6 bits, unless it is one of the other two that there are. */
static unsigned int split(const struct smmu *s)
{
	const unsigned int n = FIELD_GET(STRTAB_SPLIT, s->strtab_cfg);

	return n == 8 || n == 10 ? n : 6;
}

/* 5.1: the STE of @sid behind its L1STD. */
static enum smmu_fetch two_level(const struct smmu *s, u32 sid, unsigned int log2size, gpa_t *ste,
                                 struct smmu_event *e)
{
	const unsigned int low = split(s), high = log2size > low ? log2size - low : 0;
	const gpa_t at = smmu_pa(s, table(s, high + 3) + (gpa_t)(sid >> low) * L1STD_SIZE);
	const u32 index = sid & (u32)GENMASK(low - 1, 0);
	unsigned int span;
	u64 l1std;

	if (!read_words(s, at, &l1std, 1))
		return fetch_failed(e, at);
	smmu_see_l1std(s, sid, at, l1std);
	span = FIELD_GET(L1STD_SPAN, l1std);
	if (!span || span > 11 || span > low + 1 || index >= BIT(span - 1))
		return bad_stream(s, e);
	*ste = ALIGN_DOWN(l1std & L1STD_L2PTR, BIT(span - 1 + 6)) + (gpa_t)index * STE_SIZE;
	return FETCHED;
}

enum smmu_fetch smmu_fetch_ste(struct smmu *s, u32 sid, u64 *ste, struct smmu_event *e)
{
	const unsigned int log2size = FIELD_GET(STRTAB_LOG2SIZE, s->strtab_cfg);
	enum smmu_fetch got = FETCHED;
	gpa_t at;

	if ((u64)sid >> smmu_idr(s, 1, IDR1_SIDSIZE) || (u64)sid >> log2size)
		return bad_stream(s, e);
	if (FIELD_GET(STRTAB_FMT, s->strtab_cfg) == 1)
		got = two_level(s, sid, log2size, &at, e);
	else
		at = table(s, log2size + 6 < 56 ? log2size + 6 : 56) + (gpa_t)sid * STE_SIZE;
	if (got != FETCHED)
		return got;
	at = smmu_pa(s, at);
	if (!read_words(s, at, ste, 8))
		return fetch_failed(e, at);
	smmu_see_ste(s, sid, at, ste);
	return FETCHED;
}

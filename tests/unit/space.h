/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_SPACE_H
#define TESTS_UNIT_SPACE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "vmm/iova.h"

/* Mappings of an address space that have to succeed. */
static inline void space_map(struct iova_space *s, u64 first, u64 last, gpa_t gpa, u32 perm)
{
	const struct iova_mapping m = { .iova = first, .last = last, .gpa = gpa, .perm = perm };

	cr_assert(zero(int, iova_map(s, &m)));
}

/* Whether messages went by what was taken away. */
static inline bool space_unmap(struct iova_space *s, u64 first, u64 last, struct dma_wait *wait)
{
	bool doorbells = false;

	cr_assert(zero(int, iova_unmap(s, first, last, wait, &doorbells)));
	return doorbells;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULT_TIMES_H
#define FAULT_TIMES_H

#include "vmm/types.h"

/* How long a guest's answers have taken. */
#define FAULT_BUCKETS 32 /* less than 1 us, less than 2, 4, ... */
struct fault_times {
	u64 answers[FAULT_BUCKETS];
	u64 longest; /* ns */
};

static inline void fault_times_add(struct fault_times *t, u64 ns)
{
	unsigned int i = 0;

	while (i < FAULT_BUCKETS - 1 && ns / 1000 >> i)
		i++;
	t->answers[i]++;
	if (ns > t->longest)
		t->longest = ns;
}

static inline void fault_times_sum(struct fault_times *sum, const struct fault_times *t)
{
	for (unsigned int i = 0; i < FAULT_BUCKETS; i++)
		sum->answers[i] += t->answers[i];
	if (t->longest > sum->longest)
		sum->longest = t->longest;
}

#endif

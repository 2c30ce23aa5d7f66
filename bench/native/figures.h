/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_NATIVE_FIGURES_H
#define BENCH_NATIVE_FIGURES_H

#include <stdlib.h>
#include <time.h>

#include "vmm/types.h"

/* What native figures share: a clock, numbers in no order, RUNS and medians. */

#define MAX_RUNS 99

/* ns of a clock that only goes on. */
static inline double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

/* Xorshift; @state is not 0, and the same ones give the same numbers. */
static inline u64 next(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* How often to measure: RUNS, or 5 where it is not there or not 1 to MAX_RUNS. */
static inline unsigned int repetitions(void)
{
	const char *said = getenv("RUNS");
	const int runs = said ? atoi(said) : 5;

	return runs > 0 && runs <= MAX_RUNS ? runs : 5;
}

static inline int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of @runs results, which it sorts; of an even number the lower one. */
static inline double median(double *results, unsigned int runs)
{
	qsort(results, runs, sizeof(*results), by_value);
	return results[(runs - 1) / 2];
}

#endif

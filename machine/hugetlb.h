/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_HUGETLB_H
#define MACHINE_HUGETLB_H

#include "machine/options.h"

/* --hugetlb SIZE: NULL, or what was expected. */
const char *hugetlb_option_take(struct options *o, char *val);

/*
 * The page size that --hugetlb or --hugetlbfs makes RAM of, in bytes, in *page; 0: neither was
 * given. The exit code; other than 0, one line was printed.
 */
int hugetlb_check(const struct options *o, u64 *page);

/* RAM of huge pages could not be had, for -errno @err: prints why; the exit code. */
int hugetlb_failed(const struct options *o, int err);

#endif

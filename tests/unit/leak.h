/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_LEAK_H
#define TESTS_UNIT_LEAK_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sanitizer/lsan_interface.h>

/* For the end of a suite: Criterion does not look at how a test's process ends, where leaks are
 * told. */
static inline void expect_no_leak(void)
{
	cr_assert(zero(int, __lsan_do_recoverable_leak_check()));
}

#endif

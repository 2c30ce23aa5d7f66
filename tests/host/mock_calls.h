/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_HOST_MOCK_CALLS_H
#define TESTS_HOST_MOCK_CALLS_H

/* Calls that no hardware of the lab's answers, on a mock device: a line a step; its exit code. */
int mock_calls(void);

#endif

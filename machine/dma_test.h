/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_DMA_TEST_H
#define MACHINE_DMA_TEST_H

#include "machine/options.h"

/* --dma-test[=KEY,...]; @val: the keys, or NULL. NULL, or what was expected. */
const char *dma_test_option_take(struct options *o, char *val);

/* All options are there: who is to take page requests can. False: a line was printed. */
bool dma_tests_check(const struct options *o);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_STALLS_H
#define TESTS_UNIT_FAKE_STALLS_H

#include "vmm/dma.h"

/* A DMA space whose accesses stall until a guest, which is the test, answers: of FAKE_PAGES pages.
 * Tokens are in the order in which they stalled. */
#define FAKE_PAGES 8
enum fake_page { FAKE_STALLS, FAKE_MAPPED, FAKE_NOWHERE };

struct fake_stalls {
	struct dma_space dma;
	struct dma_tokens waiting;
	enum fake_page pages[FAKE_PAGES];
	unsigned int users; /* of what is mapped: dma_unmap() follows at once */
	struct dma_access last;
};

void fake_stalls_init(struct fake_stalls *s);
/* The guest answers the @nth that waits; false: there are not so many. */
bool fake_stalls_answer(struct fake_stalls *s, unsigned int nth, bool retry);
/* There is room for a record of the first that waits: it comes anew. */
bool fake_stalls_room(struct fake_stalls *s);

#endif

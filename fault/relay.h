/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULT_RELAY_H
#define FAULT_RELAY_H

#include "vmm/dma.h"

/*
 * A queue of the host's that a function's page requests go through before anybody is asked, and
 * their answers after. Everything is called under the device lock.
 */
struct fault_relay {
	/* False: the host does not take it. Else show() has it, later. */
	bool (*ask)(struct fault_relay *r, const struct dma_page_request *rq);
	/* A group, of those that were shown, has its answer. */
	void (*answered)(struct fault_relay *r, const struct dma_page_response *p);
	/* The function forgets all it has asked for: none of that is shown any more. */
	void (*forget)(struct fault_relay *r);
	/* The function's: one is through. */
	void (*show)(void *ctx, const struct dma_page_request *rq);
	void *ctx;
};

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs from one version of the GIC to the other. */
#ifndef GUESTS_BARE_LIB_GIC_PRIVATE_H
#define GUESTS_BARE_LIB_GIC_PRIVATE_H

#include "guest.h"

struct gic {
	unsigned int version;
	u32 intid_mask; /* of what is acknowledged */
	void (*init)(void);
	void (*init_cpu)(void);
	u64 (*frame_of)(u32 intid); /* where its distributor registers are */
	void (*route)(u32 spi);     /* to this CPU, in the group that is enabled */
	void (*send_sgi)(unsigned int sgi, unsigned int cpu);
	void (*send_sgi_to_others)(unsigned int sgi);
	u32 (*acknowledge)(void);
	void (*end)(u32 acknowledged);
};

extern const struct gic gicv2, gicv3;

#endif

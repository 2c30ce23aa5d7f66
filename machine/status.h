/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_STATUS_H
#define MACHINE_STATUS_H

/* Exit codes that are not the guest's doing (those: vmm/vcpu.h,
 * devices/exit.h). README lists all. */
enum {
	STATUS_HOST_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_HOST_LACKS = 3,
	STATUS_TIMEOUT = 35,
	STATUS_IO_LOST = 37, /* in place of 0 */
	STATUS_SIGNAL = 128,
};

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_LINE_H
#define VMM_LINE_H

#include "vmm/types.h"

/*
 * A line of characters with a device at one end (a UART, a virtio console) and
 * the user at the other. Neither waits for the other: who takes less than it
 * was given says when there is room. Everything is called under the device lock.
 */
struct line_user {
	/* Takes up to @len bytes; how many. Fewer: the device's writable follows. */
	size_t (*write)(struct line_user *u, const u8 *bytes, size_t len);
	/* The device, which had taken less than it was given, has room again. */
	void (*readable)(struct line_user *u);
};

struct line_device {
	/* Takes up to @len bytes; how many. Fewer: the user's readable follows. */
	size_t (*receive)(struct line_device *d, const u8 *bytes, size_t len);
	/* The user, who had taken less than was given, has room again. */
	void (*writable)(struct line_device *d);
	/* The user's terminal has another size. NULL: that is of no interest. */
	void (*resized)(struct line_device *d, u16 columns, u16 rows);
};

#endif

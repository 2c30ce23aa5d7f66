/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_CONSOLE_H
#define MACHINE_CONSOLE_H

#include "vmm/line.h"

struct console;
struct vm;

/*
 * Standard input and output as the user's end of a line. Ctrl-a is the escape:
 * x ends the guest, a sends Ctrl-a. 0 or -errno.
 */
int console_create(struct console **c, struct vm *vm);
struct line_user *console_user(struct console *c);
/*
 * Starts reading, once there is a device to read for; it is told of the
 * terminal's size, where there is one, now and at each change, if it asks.
 */
void console_connect(struct console *c, struct line_device *device);
/* After the loop has ended: what the guest wrote and is not out yet, as long
 * as someone reads it. */
void console_flush(struct console *c);
void console_destroy(struct console *c);

#endif

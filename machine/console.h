/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_CONSOLE_H
#define MACHINE_CONSOLE_H

#include "devices/serial.h"

struct console;
struct vm;

/*
 * Standard input and output as the other end of a UART. Ctrl-a is the escape:
 * x ends the guest, a sends Ctrl-a. 0 or -errno.
 */
int console_create(struct console **c, struct vm *vm);
struct serial_backend *console_backend(struct console *c);
/* Starts reading, once there is a UART to read for. */
void console_connect(struct console *c, struct serial *s);
/* After the loop has ended: what the guest wrote and is not out yet, as long as someone reads it.
 */
void console_flush(struct console *c);
void console_destroy(struct console *c);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_SERIAL_H
#define DEVICES_SERIAL_H

#include "vmm/line.h"

struct serial;
struct vm;

#define SERIAL_SIZE 0x1000 /* bytes of address space; the registers are the first 8 */

struct serial_config {
	gpa_t base;
	u32 spi;
	struct line_user *backend; /* NULL: nothing is connected, output is lost */
};

/* A 16550A (PC16550D data sheet). 0 or -errno. */
int serial_create(struct serial **s, struct vm *vm, const struct serial_config *c);
void serial_destroy(struct serial *s);

/* What its line's user calls. */
struct line_device *serial_line(struct serial *s);
/* Bytes from the line; how many fit in the receive FIFO. */
size_t serial_receive(struct serial *s, const u8 *bytes, size_t len);
void serial_writable(struct serial *s);

#endif

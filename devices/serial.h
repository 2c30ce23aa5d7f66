/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_SERIAL_H
#define DEVICES_SERIAL_H

#include "vmm/types.h"

struct serial;
struct vm;

#define SERIAL_SIZE 0x1000 /* bytes of address space; the registers are the first 8 */

/* The other end of the line. Everything here is called under the device lock. */
struct serial_backend {
	/* Takes up to @len bytes; how many. Fewer: serial_writable() follows when there is room. */
	size_t (*write)(struct serial_backend *b, const u8 *bytes, size_t len);
	/* The receive FIFO has room again. */
	void (*readable)(struct serial_backend *b);
};

struct serial_config {
	gpa_t base;
	u32 spi;
	struct serial_backend *backend; /* NULL: nothing is connected, output is lost */
};

/* A 16550A (PC16550D data sheet). 0 or -errno. */
int serial_create(struct serial **s, struct vm *vm, const struct serial_config *c);
void serial_destroy(struct serial *s);

/* Bytes from the line; how many fit in the receive FIFO. */
size_t serial_receive(struct serial *s, const u8 *bytes, size_t len);
void serial_writable(struct serial *s);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_REG_H
#define VMM_REG_H

#include "vmm/types.h"

/*
 * A device's registers as a table: a row says what the specification says of one
 * register, and names one function for what an access does beyond load and store.
 * Values are kept in the host's byte order; the guest is little-endian, as are all hosts.
 */
struct reg {
	const char *name;
	u16 offset;
	u16 field;    /* where the device keeps the value */
	u8 size;      /* 1, 2, 4 or 8 bytes; narrower aligned accesses reach its parts */
	u64 writable; /* the bits a guest may change; none: read-only */
	u32 guard;    /* while the device says this guard holds, writes are lost */
	/* Which struct holds the field; NULL: none now, reads 0. No function: the device. */
	void *(*where)(void *dev);
	void (*written)(void *dev, u64 old);
	void (*was_read)(void *dev);
};

struct reg_bank {
	const struct reg *regs;
	size_t nr;
	bool (*guarded)(const void *dev, u32 guard);
};

/* Reads 0 where no row answers. */
u64 reg_read(const struct reg_bank *bank, void *dev, u64 offset, unsigned int size);
/* Lost where no row answers. */
void reg_write(const struct reg_bank *bank, void *dev, u64 offset, unsigned int size, u64 val);
/* The row an access hits, for traces; NULL where none answers. */
const struct reg *reg_find(const struct reg_bank *bank, u64 offset, unsigned int size);

#endif

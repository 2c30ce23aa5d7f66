// SPDX-License-Identifier: GPL-2.0-only
/* Table-driven registers: lookup, access to parts, masks and guards. */
#include "vmm/reg.h"

#include <string.h>

const struct reg *reg_find(const struct reg_bank *bank, u64 offset, unsigned int size)
{
	for (size_t i = 0; i < bank->nr; i++) {
		const struct reg *r = &bank->regs[i];
		u64 into = offset - r->offset;

		if (into < r->size)
			return size <= r->size - into && into % size == 0 ? r : NULL;
	}
	return NULL;
}

static char *reg_field(const struct reg *r, void *dev)
{
	char *base = r->where ? r->where(dev) : dev;

	return base ? base + r->field : NULL;
}

static u64 load(const struct reg *r, const char *field)
{
	u64 val = 0;

	memcpy(&val, field, r->size);
	return val;
}

u64 reg_read(const struct reg_bank *bank, void *dev, u64 offset, unsigned int size)
{
	const struct reg *r = reg_find(bank, offset, size);
	const char *field = r ? reg_field(r, dev) : NULL;
	u64 val;

	if (!field)
		return 0;
	val = load(r, field) >> (offset - r->offset) * 8 & GENMASK(size * 8 - 1, 0);
	if (r->was_read)
		r->was_read(dev);
	return val;
}

void reg_write(const struct reg_bank *bank, void *dev, u64 offset, unsigned int size, u64 val)
{
	const struct reg *r = reg_find(bank, offset, size);
	char *field = r && r->writable ? reg_field(r, dev) : NULL;
	unsigned int shift;
	u64 old, changed;

	if (!field || (r->guard && bank->guarded(dev, r->guard)))
		return;
	shift = (offset - r->offset) * 8;
	changed = GENMASK(size * 8 - 1, 0) << shift & r->writable;
	old = load(r, field);
	val = (old & ~changed) | (val << shift & changed);
	memcpy(field, &val, r->size);
	if (r->written)
		r->written(dev, old);
}

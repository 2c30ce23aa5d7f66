// SPDX-License-Identifier: GPL-2.0-only
/* A PL061: eight pins, each an input or an output, and an interrupt by level or by edge (Arm DDI
 * 0190, chapters 2 and 3). */
#include "devices/gpio.h"

#include <errno.h>
#include <stdlib.h>

#include "devices/primecell.h"
#include "vmm/reg.h"
#include "vmm/vm.h"

#define PART     0x061
#define DATA_END 0x400 /* GPIODATA is all addresses below: bits 9:2 say which pins */

struct gpio {
	struct vm *vm;
	u32 spi;
	u8 driven; /* from outside */
	u8 out;    /* what the guest wrote */
	u8 pins;   /* as they are */
	u8 edges;  /* that came and were not cleared */
	bool level;
	u32 dir, is, ibe, iev, ie, ris, mis, ic, afsel; /* as the guest sees them */
};

/* 2.3: by level, what is now; by edge, what has come since it was cleared. */
static void update_interrupts(struct gpio *g)
{
	bool level;

	g->ris = (g->is & ~(g->pins ^ g->iev)) | (~g->is & g->edges);
	g->mis = g->ris & g->ie;
	level = g->mis;
	if (level == g->level)
		return;
	g->level = level;
	irq_set_line(g->vm->irq, g->spi, level);
}

static void update(struct gpio *g)
{
	u8 before = g->pins, changed;

	g->pins = (g->out & g->dir) | (g->driven & ~g->dir);
	changed = before ^ g->pins;
	g->edges |= changed & ~g->is & (g->ibe | ~(g->pins ^ g->iev));
	update_interrupts(g);
}

static void dir_written(void *dev, u64 old)
{
	(void)old;
	update(dev);
}

static void config_written(void *dev, u64 old)
{
	(void)old;
	update_interrupts(dev);
}

static void clear_written(void *dev, u64 old)
{
	struct gpio *g = dev;

	(void)old;
	g->edges &= ~g->ic;
	g->ic = 0; /* write-only */
	update_interrupts(g);
}

#define REG(at, reg, ...)                                                                 \
	{                                                                                 \
		.name = "gpio" #reg, .offset = (at), .field = offsetof(struct gpio, reg), \
		.size = sizeof(u32), ##__VA_ARGS__                                        \
	}
#define PINS GENMASK(GPIO_PINS - 1, 0)
static const struct reg regs[] = {
	REG(0x400, dir, .writable = PINS, .written = dir_written),
	REG(0x404, is, .writable = PINS, .written = config_written),
	REG(0x408, ibe, .writable = PINS),
	REG(0x40c, iev, .writable = PINS, .written = config_written),
	REG(0x410, ie, .writable = PINS, .written = config_written),
	REG(0x414, ris),
	REG(0x418, mis),
	REG(0x41c, ic, .writable = PINS, .written = clear_written),
	REG(0x420, afsel, .writable = PINS), /* kept: no pin has another function */
};
static const struct reg_bank bank = { .regs = regs, .nr = ARRAY_SIZE(regs) };

static u64 gpio_read(void *dev, u64 offset, unsigned int size)
{
	struct gpio *g = dev;

	if (offset >= PRIMECELL_IDS)
		return primecell_read(PART, offset);
	if (offset >= DATA_END)
		return reg_read(&bank, g, offset, size);
	return offset % 4 ? 0 : g->pins & offset >> 2;
}

/* 3.3.1: a pin that is an input keeps what it is. */
static void gpio_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	struct gpio *g = dev;
	u8 mask = offset >> 2 & g->dir;

	if (offset >= DATA_END) {
		reg_write(&bank, g, offset, size, val);
	} else if (offset % 4 == 0) {
		g->out = (g->out & ~mask) | (val & mask);
		update(g);
	}
}

static const struct mmio_ops gpio_ops = {
	.name = "gpio",
	.read = gpio_read,
	.write = gpio_write,
};

void gpio_drive(struct gpio *g, unsigned int pin, bool level)
{
	g->driven = level ? g->driven | 1u << pin : g->driven & ~(1u << pin);
	update(g);
}

int gpio_create(struct gpio **gpio, struct vm *vm, gpa_t base, u32 spi)
{
	struct gpio *g = malloc(sizeof(*g));
	const struct mmio_region region = {
		.base = base, .size = GPIO_SIZE, .ops = &gpio_ops, .dev = g
	};
	int err;

	if (!g)
		return -ENOMEM;
	*g = (struct gpio){ .vm = vm, .spi = spi };
	err = mmio_add(&vm->mmio, &region);
	if (err) {
		free(g);
		return err;
	}
	*gpio = g;
	return 0;
}

void gpio_destroy(struct gpio *g)
{
	free(g);
}

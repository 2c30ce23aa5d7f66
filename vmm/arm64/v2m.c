// SPDX-License-Identifier: GPL-2.0-only
/* GICv2m: a frame of registers that makes SPIs of messages (Arm DEN 0029,
 * "GICv2m architecture"). */
#include <errno.h>
#include <stdlib.h>

#include "vmm/arm64/gic.h"
#include "vmm/reg.h"
#include "vmm/vm.h"

#define FIRST_SPI 32 /* the INTID of SPI 0 */

struct v2m {
	struct vm *vm;
	u32 typer, setspi, iidr;
};

/* The guest's CPU as the writer of a message; whoever it is, the value alone names the SPI. */
static void setspi_written(void *dev, u64 old)
{
	struct v2m *v = dev;
	const struct irq_msg msg = { .addr = GIC_V2M_DOORBELL, .data = v->setspi };

	(void)old;
	v->setspi = 0; /* write-only */
	irq_msi_send(v->vm->irq, &msg);
}

#define REG(at, reg, ...)                                                                \
	{                                                                                \
		.name = "msi_" #reg, .offset = (at), .field = offsetof(struct v2m, reg), \
		.size = sizeof(u32), ##__VA_ARGS__                                       \
	}
static const struct reg regs[] = {
	REG(0x008, typer),
	REG(0x040, setspi, .writable = GENMASK(31, 0), .written = setspi_written),
	REG(0xfcc, iidr),
};
static const struct reg_bank bank = { .regs = regs, .nr = ARRAY_SIZE(regs) };

static u64 v2m_read(void *dev, u64 offset, unsigned int size)
{
	return reg_read(&bank, dev, offset, size);
}

static void v2m_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	reg_write(&bank, dev, offset, size, val);
}

static const struct mmio_ops v2m_ops = {
	.name = "gicv2m",
	.read = v2m_read,
	.write = v2m_write,
};

int v2m_create(struct v2m **v2m, struct vm *vm, const struct irqchip_config *c)
{
	const struct irq_frame frame = { GIC_V2M_DOORBELL, c->first_msi_spi, c->nr_msi_spis };
	struct v2m *v = calloc(1, sizeof(*v));
	struct mmio_region region = {
		.base = GIC_V2M_BASE,
		.size = GIC_V2M_SIZE,
		.ops = &v2m_ops,
		.dev = v,
	};
	int err;

	if (!v)
		return -ENOMEM;
	v->vm = vm;
	/* 25:16 the first INTID, 9:0 how many; no implementer that a driver knows the errata of */
	v->typer = (c->first_msi_spi + FIRST_SPI) << 16 | c->nr_msi_spis;
	err = mmio_add(&vm->mmio, &region);
	if (err) {
		free(v);
		return err;
	}
	irq_msis_to_frame(vm->irq, &frame);
	*v2m = v;
	return 0;
}

void v2m_destroy(struct v2m *v)
{
	free(v);
}

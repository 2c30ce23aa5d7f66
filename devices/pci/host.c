// SPDX-License-Identifier: GPL-2.0-only
/* A PCI host: ECAM, which function answers, INTx lines, where BARs may be decoded. */
#include "devices/pci/private.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

/* The function an ECAM offset belongs to (7.2.2): bus 27:20, device 19:15, function 14:12. */
static struct pci_func *func_at(struct pci_host *h, u64 offset)
{
	return offset >> 20 || (offset >> 12 & 7) ? NULL : h->funcs[offset >> 15 & 31];
}

/* A read that no function claims is all ones; a write is lost. */
static u64 ecam_read(void *dev, u64 offset, unsigned int size)
{
	struct pci_func *f = func_at(dev, offset);
	unsigned int reg = offset % PCI_CONFIG_SIZE;

	if (!f)
		return GENMASK(size * 8 - 1, 0);
	if (size == 8)
		return pci_config_read(f, reg, 4) | (u64)pci_config_read(f, reg + 4, 4) << 32;
	return pci_config_read(f, reg, size);
}

static void ecam_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	struct pci_func *f = func_at(dev, offset);
	unsigned int reg = offset % PCI_CONFIG_SIZE;

	if (!f)
		return;
	if (size < 8) {
		pci_config_write(f, reg, size, val);
		return;
	}
	pci_config_write(f, reg, 4, val);
	pci_config_write(f, reg + 4, 4, val >> 32);
}

static const struct mmio_ops ecam_ops = {
	.name = "ecam",
	.read = ecam_read,
	.write = ecam_write,
};

/* No function has I/O space: reads are all ones and writes are lost, so that a probe may look. */
static u64 io_read(void *dev, u64 offset, unsigned int size)
{
	(void)dev, (void)offset;
	return GENMASK(size * 8 - 1, 0);
}

static void io_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	(void)dev, (void)offset, (void)size, (void)val;
}

static const struct mmio_ops io_ops = {
	.name = "pci-io",
	.read = io_read,
	.write = io_write,
};

struct vm *pci_host_vm(struct pci_host *h)
{
	return h->vm;
}

gpa_t pci_host_decode(const struct pci_host *h, u64 bus, u64 size)
{
	const struct platform_window *w = &h->platform.mem32;
	u64 off = bus - w->bus;

	if (bus % size || off > w->size || size > w->size - off)
		return 0;
	return w->cpu + off;
}

u64 pci_host_alloc_bar(struct pci_host *h, u64 size)
{
	u64 bus = ALIGN_UP(h->next_bar, size);

	if (!pci_host_decode(h, bus, size))
		return 0;
	h->next_bar = bus + size;
	return bus;
}

u32 pci_host_devid(const struct pci_func *f)
{
	return f->host->platform.devid_base + f->rid;
}

/* The pins of a device are swizzled by its number, as a bridge's are (PCI-to-PCI Bridge 1.2, 9.1).
 */
void pci_host_pin(struct pci_func *f, bool level)
{
	struct pci_host *h = f->host;
	unsigned int pin = (f->rid >> 3) % 4; /* INTA */

	h->pins[pin] += level ? 1 : -1;
	if (h->pins[pin] == (level ? 1 : 0))
		irq_set_line(h->vm->irq, h->platform.intx_spi[pin], level);
}

void pci_host_map_bars(struct pci_host *h)
{
	for (unsigned int i = 0; i < PCI_NR_DEVICES; i++)
		if (h->funcs[i])
			pci_map_bars(h->funcs[i]);
}

int pci_func_add(struct pci_host *h, struct pci_func *f, const struct pci_id *id)
{
	unsigned int slot = 0;

	while (slot < PCI_NR_DEVICES && h->funcs[slot])
		slot++;
	if (slot == PCI_NR_DEVICES)
		return -ENOSPC;
	f->host = h;
	f->rid = slot << 3;
	pci_config_init(f, id);
	h->funcs[slot] = f;
	return 0;
}

void pci_func_remove(struct pci_func *f)
{
	pci_unmap_bars(f);
	pci_set_intx(f, false);
	f->host->funcs[f->rid >> 3] = NULL;
}

int pci_host_create(struct pci_host **host, struct vm *vm, const struct platform_pci *p)
{
	struct pci_host *h = calloc(1, sizeof(*h));
	struct mmio_region ecam = {
		.base = p->ecam,
		.size = (p->last_bus + 1ULL) << 20,
		.ops = &ecam_ops,
		.dev = h,
	};
	struct mmio_region io = { .base = p->io.cpu, .size = p->io.size, .ops = &io_ops };
	int err;

	if (!h)
		return -ENOMEM;
	h->vm = vm;
	h->platform = *p;
	h->next_bar = p->mem32.bus;
	err = mmio_add(&vm->mmio, &ecam);
	if (err)
		goto free_host;
	err = p->io.size ? mmio_add(&vm->mmio, &io) : 0;
	if (err)
		goto remove_ecam;
	*host = h;
	return 0;

remove_ecam:
	mmio_remove(&vm->mmio, ecam.base);
free_host:
	free(h);
	return err;
}

void pci_host_destroy(struct pci_host *h)
{
	mmio_remove(&h->vm->mmio, h->platform.ecam);
	if (h->platform.io.size)
		mmio_remove(&h->vm->mmio, h->platform.io.cpu);
	free(h);
}

// SPDX-License-Identifier: GPL-2.0-only
/* A PCI host: ECAM, buses and which function answers, INTx lines, windows. */
#include "devices/pci/private.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

u8 pci_bus_number(const struct pci_bus *bus)
{
	return bus->port ? bus->port->config[PCI_SECONDARY_BUS] : 0;
}

u8 pci_bus_secondary(const struct pci_func *port)
{
	return port->config[PCI_SECONDARY_BUS];
}

u16 pci_rid(const struct pci_func *f)
{
	return pci_bus_number(f->bus) << 8 | f->devfn;
}

bool pci_has_link(const struct pci_func *f)
{
	return f->bus->port;
}

u32 pci_devid(const struct pci_func *f)
{
	return f->bus->host->platform.devid_base + pci_rid(f);
}

/* The bus of that number: the root bus, or behind the port whose secondary bus
 * it is (7.5.1.3.3). */
static struct pci_bus *bus_numbered(struct pci_host *h, u8 nr)
{
	if (!nr)
		return &h->root;
	for (unsigned int i = 0; i < PCI_NR_DEVICES; i++) {
		struct pci_func *f = h->root.funcs[i];

		if (f && f->secondary && f->config[PCI_SECONDARY_BUS] == nr)
			return f->secondary;
	}
	return NULL;
}

/* The function an ECAM offset belongs to (7.2.2): bus 27:20, device 19:15, function 14:12. */
static struct pci_func *func_at(struct pci_host *h, u64 offset)
{
	struct pci_bus *bus = bus_numbered(h, offset >> 20);
	struct pci_func *f;

	if (!bus || (offset >> 12 & 7) || (bus->port && !pci_port_is_up(bus->port)))
		return NULL;
	f = bus->funcs[offset >> 15 & 31];
	return f && f->silent && f->resetting(f) ? NULL : f;
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

struct pci_bus *pci_host_bus(struct pci_host *h)
{
	return &h->root;
}

struct vm *pci_bus_vm(const struct pci_bus *bus)
{
	return bus->host->vm;
}

static gpa_t window_decode(const struct platform_window *w, u64 at, u64 size)
{
	u64 off = at - w->bus;

	return off > w->size || size > w->size - off ? 0 : w->cpu + off;
}

gpa_t pci_bus_decode(const struct pci_bus *bus, u64 at, u64 size)
{
	const struct platform_pci *p = &bus->host->platform;
	gpa_t cpu;

	if (at % size || (bus->port && !pci_port_forwards(bus->port, at, size)))
		return 0;
	cpu = window_decode(&p->mem32, at, size);
	return cpu ? cpu : window_decode(&p->mem64, at, size);
}

/* A device's pins are swizzled by its number on the way up (PCI-to-PCI Bridge 1.2, 9.1). */
static unsigned int host_pin(const struct pci_func *f)
{
	const unsigned int port = f->bus->port ? f->bus->port->devfn >> 3 : 0;

	return ((f->devfn >> 3) + port) % 4; /* of INTA */
}

unsigned int pci_intx_spi(const struct pci_func *f)
{
	return f->bus->host->platform.intx_spi[host_pin(f)];
}

void pci_host_pin(struct pci_func *f, bool level)
{
	struct pci_host *h = f->bus->host;
	const unsigned int pin = host_pin(f);

	h->pins[pin] += level ? 1 : -1;
	if (h->pins[pin] == (level ? 1 : 0))
		irq_set_line(h->vm->irq, h->platform.intx_spi[pin], level);
}

static unsigned int free_device(const struct pci_bus *bus)
{
	unsigned int slot = 0;

	while (slot < bus->nr_devices && bus->funcs[slot])
		slot++;
	return slot;
}

int pci_func_add(struct pci_bus *bus, struct pci_func *f, const struct pci_id *id)
{
	unsigned int slot = free_device(bus);
	int err;

	if (slot == bus->nr_devices)
		return -ENOSPC;
	err = pci_config_init(f, id);
	if (err)
		return err;
	f->bus = bus;
	if (!f->dma)
		f->dma = &bus->host->vm->dma;
	f->devfn = slot << 3;
	bus->funcs[slot] = f;
	return 0;
}

void pci_func_remove(struct pci_func *f)
{
	pci_unmap_bars(f);
	pci_set_intx(f, false);
	f->bus->funcs[f->devfn >> 3] = NULL;
	pci_config_free(f);
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
	h->root = (struct pci_bus){ .host = h, .nr_devices = PCI_NR_DEVICES };
	err = mmio_add(&vm->mmio, &ecam);
	if (err)
		goto free_host;
	err = p->io.size ? mmio_add(&vm->mmio, &io) : 0;
	if (err)
		goto remove_ecam;
	err = mmio_add_window(&vm->mmio, p->mem32.cpu, p->mem32.size);
	if (!err && p->mem64.size)
		err = mmio_add_window(&vm->mmio, p->mem64.cpu, p->mem64.size);
	if (err)
		goto remove_io;
	*host = h;
	return 0;

remove_io:
	if (p->io.size)
		mmio_remove(&vm->mmio, io.base);
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

// SPDX-License-Identifier: GPL-2.0-only
/* The board itself: struct platform, the UARTs, the exit device, the PCI host. */
#include <errno.h>

#include "devices/exit.h"
#include "devices/pci/pci.h"
#include "devices/serial.h"
#include "devices/virtio/mmio.h"
#include "devices/virtio/pci.h"
#include "devices/virtio/virtio.h"
#include "machine/console.h"
#include "machine/iommu.h"
#include "machine/layout.h"
#include "machine/machine.h"
#include "machine/place.h"
#include "machine/status.h"
#include "vmm/arm64/cpu.h"
#include "vmm/arm64/gic.h"

static gpa_t high_base(const struct options *o)
{
	return ALIGN_UP(RAM_BASE + o->mem, SEGMENT_WINDOW64);
}

/* Segment 0's ECAM is below RAM, that of any other above its window. */
gpa_t board_top(const struct options *o)
{
	const unsigned int last = o->nr_segments - 1;
	const gpa_t ecam = last ? (gpa_t)segment_buses(o) << 20 : 0;

	return high_base(o) + last * SEGMENT_STRIDE + SEGMENT_WINDOW64 + ecam;
}

_Static_assert(MAX_SEGMENTS == PLATFORM_SEGMENTS, "each has a place on the board");
_Static_assert(END_SPIS <= 1020 - 32, "no GIC has more");

/* Of INTA of its device 0. */
static u32 intx_spi(unsigned int i)
{
	return i < FIRST_SEGMENTS ? SPI_INTX0 + 4 * i : SPI_INTX_MORE + 4 * (i - FIRST_SEGMENTS);
}

/* A GIC has so many for each 32; each costs the guest's start a few accesses that exit. */
unsigned int board_spis(const struct options *o)
{
	if (o->nr_segments > FIRST_SEGMENTS)
		return ALIGN_UP(intx_spi(o->nr_segments), 32);
	return NR_SPIS + (irqchip_takes_spis(o->irqchip) ? NR_V2M_SPIS : 0);
}

void board_describe_segment(struct platform_pci *pci, const struct options *o, unsigned int i)
{
	const unsigned int n = PCI_NR_BUSES / segment_buses(o);
	const gpa_t high = high_base(o) + i * SEGMENT_STRIDE;
	const gpa_t low = PCI_MEM_BASE + i * (PCI_MEM_SIZE / n);

	*pci = (struct platform_pci){
		.segment = o->segments[i],
		.last_bus = segment_buses(o) - 1,
		.ecam = i ? high + SEGMENT_WINDOW64 : PCI_ECAM,
		.io = { PCI_IO_BASE, 0, i ? 0 : PCI_IO_SIZE },
		.mem32 = { low, low, PCI_MEM_SIZE / n },
		.mem64 = { high, high, SEGMENT_WINDOW64 },
		.devid_base = i * (NR_DEVIDS / n),
	};
	for (unsigned int pin = 0; pin < 4; pin++)
		pci->intx_spi[pin] = intx_spi(i) + pin;
}

static void fill_platform(struct machine *m)
{
	struct platform *p = &m->platform;

	*p = (struct platform){
		.nr_cpus = m->options->cpus,
		.pmu = cpus_have_pmu(&m->vm),
		.el2 = cpus_have_el2(&m->vm),
		.ram = { RAM_BASE, m->options->mem },
	};
	irqchip_describe(&m->irqs, p);
	p->no_uart_console = m->options->virtio_console;
	p->nr_pci = m->options->nr_segments;
	for (unsigned int i = 0; i < p->nr_pci; i++)
		board_describe_segment(&p->pci[i], m->options, i);
	for (unsigned int i = 0; i < PLATFORM_UARTS; i++) {
		p->uarts[i].base = UART_BASE + i * UART_STRIDE;
		p->uarts[i].size = SERIAL_SIZE;
		p->uarts[i].spi = SPI_UART0 + i;
	}
}

static void destroy_serial(void *s)
{
	serial_destroy(s);
}

static void destroy_console(void *c)
{
	console_destroy(c);
}

static void destroy_pci_host(void *h)
{
	pci_host_destroy(h);
}

static void destroy_port(void *port)
{
	pci_port_destroy(port);
}

static void destroy_virtio_pci(void *vp)
{
	virtio_pci_destroy(vp);
}

/* The first is the console, unless that is a virtio device; nothing is connected to the others. */
static int create_uart(struct machine *m, unsigned int i)
{
	bool is_console = !i && !m->options->virtio_console;
	const struct serial_config c = {
		.base = m->platform.uarts[i].base,
		.spi = m->platform.uarts[i].spi,
		.backend = is_console ? console_user(m->console) : NULL,
	};
	struct serial *s;
	int err = serial_create(&s, &m->vm, &c);

	if (err)
		return err;
	if (is_console && m->session)
		console_connect(m->console, serial_line(s));
	return machine_own(m, destroy_serial, s);
}

static int create_uarts(struct machine *m)
{
	struct console *c;
	int err = console_create(&c, &m->vm);

	if (err)
		return err;
	err = machine_own(m, destroy_console, c);
	if (err)
		return err;
	m->console = c;
	for (unsigned int i = 0; i < PLATFORM_UARTS && !err; i++)
		err = create_uart(m, i);
	return err;
}

static int create_host(struct machine *m, unsigned int i)
{
	int err = pci_host_create(&m->pci[i], &m->vm, &m->platform.pci[i]);

	return err ? err : machine_own(m, destroy_pci_host, m->pci[i]);
}

/* Slot numbers are counted over the whole machine, from 1. */
static int create_port(struct machine *m, unsigned int i)
{
	const struct port_option *o = &m->options->ports[i];
	const unsigned int segment = segment_index(m->options, o->segment);
	int err = pci_port_create(&m->ports[i], m->pci[segment], i + 1);

	if (err)
		return err;
	machine_is_port(m, o, m->ports[i], segment);
	return machine_own(m, destroy_port, m->ports[i]);
}

static int create_pci(struct machine *m)
{
	int err = 0;

	for (unsigned int i = 0; i < m->platform.nr_pci && !err; i++)
		err = create_host(m, i);
	for (unsigned int i = 0; i < m->options->nr_ports && !err; i++)
		err = create_port(m, i);
	return err;
}

struct pci_bus *machine_bus(struct machine *m, const struct place *place)
{
	if (place->bus)
		return m->ports[port_index(m->options, place->bus)]->secondary;
	return pci_host_bus(m->pci[segment_index(m->options, place->segment)]);
}

static void log_no_room(const struct machine *m, unsigned int i, const struct pci_taken *t)
{
	const struct platform_pci *p = &m->platform.pci[i];
	const unsigned long long low = p->mem32.size, high = p->mem64.size;

	if (t->mem32 > low)
		log_error("--segment %u: expected devices whose BARs fit into its 32-bit window: "
		          "it has %lluK, a share of %u segments, and they take %lluK",
		          p->segment, low >> 10, m->platform.nr_pci,
		          (unsigned long long)t->mem32 >> 10);
	else
		log_error("--segment %u: expected devices whose BARs fit into its 64-bit window: "
		          "it has %lluM, and they take %lluM",
		          p->segment, high >> 20, (unsigned long long)t->mem64 >> 20);
}

int board_place(struct machine *m)
{
	struct pci_taken taken;

	for (unsigned int i = 0; i < m->platform.nr_pci; i++) {
		if (!pci_host_place(m->pci[i], &taken))
			continue;
		log_no_room(m, i, &taken);
		return STATUS_USAGE;
	}
	return 0;
}

int board_create(struct machine *m)
{
	int err;

	fill_platform(m);
	err = create_uarts(m);
	if (!err)
		err = exit_device_create(&m->vm, EXIT_BASE);
	if (!err)
		err = create_pci(m);
	return err;
}

static void destroy_virtio_mmio(void *mmio)
{
	virtio_mmio_destroy(mmio);
}

/* *slot: which it has. */
static int add_virtio_mmio(struct machine *m, struct virtio_dev *dev, unsigned int *slot)
{
	struct platform *p = &m->platform;
	unsigned int nr = p->nr_virtio_mmio;
	struct virtio_mmio_config c = {
		.base = VIRTIO_MMIO_BASE + nr * VIRTIO_MMIO_SIZE,
		.spi = SPI_VIRTIO0 + nr,
	};
	struct virtio_mmio *mmio;
	int err;

	if (nr == PLATFORM_VIRTIO_MMIO)
		return -ENOSPC;
	err = virtio_mmio_create(&mmio, &m->vm, dev, &c);
	if (err)
		return err;
	p->virtio_mmio[nr].base = c.base;
	p->virtio_mmio[nr].size = VIRTIO_MMIO_SIZE;
	p->virtio_mmio[nr].spi = c.spi;
	*slot = p->nr_virtio_mmio++;
	return machine_own(m, destroy_virtio_mmio, mmio);
}

static int add_virtio_pci(struct machine *m, struct virtio_dev *dev, const struct place *place,
                          struct pci_func **f)
{
	struct virtio_pci *vp;
	int err = virtio_pci_create(&vp, machine_bus(m, place), dev);

	if (err)
		return err;
	*f = virtio_pci_func(vp);
	return machine_own(m, destroy_virtio_pci, vp);
}

/* Behind a port or not. */
unsigned int machine_segment(const struct machine *m, const struct place *place)
{
	const struct options *o = m->options;

	return segment_index(o, place->bus ? o->ports[port_index(o, place->bus)].segment
	                                   : place->segment);
}

int machine_add_virtio(struct machine *m, struct virtio_dev *dev, const struct place *place)
{
	struct pci_func *f;
	unsigned int slot;
	int err = machine_list_virtio(m, dev);

	if (err)
		return err;
	if (m->options->virtio_mmio) {
		err = add_virtio_mmio(m, dev, &slot);
		if (!err)
			machine_is_mmio(m, place, dev->type->name, slot);
		return err;
	}
	err = add_virtio_pci(m, dev, place, &f);
	if (!err)
		machine_is_pci(m, place, f, true);
	return err;
}

int machine_add_viommu(struct machine *m, struct virtio_dev *dev, unsigned int i)
{
	const struct iommu_option *o = &m->options->iommus[i];
	struct platform_iommu *p = &m->platform.iommus[i];
	struct pci_func *f = NULL;
	int err = machine_list_virtio(m, dev);

	if (err)
		return err;
	p->name = o->id;
	p->is_pci = o->has_transport ? !o->mmio : !m->options->virtio_mmio;
	p->pci = machine_segment(m, &o->place);
	err = p->is_pci ? add_virtio_pci(m, dev, &o->place, &f) : add_virtio_mmio(m, dev, &p->mmio);
	if (err)
		return err;
	if (f)
		machine_is_pci(m, &o->place, f, true);
	else
		machine_is_mmio(m, &o->place, dev->type->name, p->mmio);
	p->rid = f ? pci_rid(f) : 0;
	m->platform.nr_iommus++;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* The board itself: struct platform, the UARTs, the exit device, the PCI host. */
#include "devices/exit.h"
#include "devices/pci/pci.h"
#include "devices/serial.h"
#include "devices/virtio/pci.h"
#include "machine/console.h"
#include "machine/layout.h"
#include "machine/machine.h"
#include "vmm/arm64/gic.h"

static void fill_pci(struct platform_pci *pci)
{
	*pci = (struct platform_pci){
		.last_bus = 255,
		.ecam = PCI_ECAM,
		.io = { PCI_IO_BASE, 0, PCI_IO_SIZE },
		.mem32 = { PCI_MEM_BASE, PCI_MEM_BASE, PCI_MEM_SIZE },
	};
	for (unsigned int i = 0; i < 4; i++)
		pci->intx_spi[i] = SPI_INTX0 + i;
}

static void fill_platform(struct machine *m)
{
	const unsigned int cpus = m->options->cpus;
	struct platform *p = &m->platform;

	*p = (struct platform){
		.nr_cpus = cpus,
		.ram = { RAM_BASE, m->options->mem },
		.gic = { .dist = GIC_DIST_BASE,
		         .dist_size = GIC_DIST_SIZE,
		         .redist = gic_redist_base(cpus),
		         .redist_size = cpus * GIC_REDIST_SIZE,
		         .its = GIC_ITS_BASE,
		         .its_size = GIC_ITS_SIZE },
	};
	fill_pci(&p->pci);
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

static void destroy_virtio_pci(void *vp)
{
	virtio_pci_destroy(vp);
}

/* The first is the console; nothing is connected to the others. */
static int create_uart(struct machine *m, unsigned int i)
{
	const struct serial_config c = {
		.base = m->platform.uarts[i].base,
		.spi = m->platform.uarts[i].spi,
		.backend = i ? NULL : console_backend(m->console),
	};
	struct serial *s;
	int err = serial_create(&s, &m->vm, &c);

	if (err)
		return err;
	if (!i)
		console_connect(m->console, s);
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

static int create_pci(struct machine *m)
{
	int err = pci_host_create(&m->pci, &m->vm, &m->platform.pci);

	return err ? err : machine_own(m, destroy_pci_host, m->pci);
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

int machine_add_virtio(struct machine *m, struct virtio_dev *dev, const struct place *place)
{
	struct virtio_pci *vp;
	int err = virtio_pci_create(&vp, m->pci, dev);

	(void)place;
	return err ? err : machine_own(m, destroy_virtio_pci, vp);
}

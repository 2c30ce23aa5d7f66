// SPDX-License-Identifier: GPL-2.0-only
/* The DMA endpoint as a PCI function: its BARs, its capabilities, what ends its operations. */
#include "devices/dma_test_private.h"

#include <endian.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/vm.h"

enum { EPF_BAR, REGS_BAR, MSIX_BAR, MEMORY_BAR = 4 };

#define EPF_SIZE  0x1000
#define REGS_SIZE 0x4000

/* One that Linux's pci_endpoint_test binds to, with no quirk and no second driver. */
static const struct pci_id id = {
	.vendor = 0x1912,           /* Renesas */
	.device = 0x002d,           /* R8A774C0 */
	.subsystem_vendor = 0x1af4, /* as QEMU's functions have it */
	.subsystem = 0x1100,
	.class = 0xff0000,
};

static u64 memory_read(void *dev, u64 offset, unsigned int size)
{
	const struct dma_test *d = dev;
	u64 val = 0;

	memcpy(&val, d->memory + offset, size);
	return le64toh(val);
}

static void memory_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	struct dma_test *d = dev;

	val = htole64(val);
	memcpy(d->memory + offset, &val, size);
}

static const struct mmio_ops memory_ops = {
	.name = "dma-test",
	.read = memory_read,
	.write = memory_write,
};

static void master_changed(struct pci_func *f)
{
	if (!pci_is_master(f))
		dt_abort_all(container_of(f, struct dma_test, func));
}

/* All of it ends at once; a stalled access does not come back. */
static void function_reset(struct pci_func *f)
{
	struct dma_test *d = container_of(f, struct dma_test, func);

	dt_epf_reset(d);
	dt_regs_reset(d);
	dt_ats_reset(d);
}

static void add_bars(struct dma_test *d)
{
	pci_bar_add(&d->func, EPF_BAR,
	            &(struct pci_bar){ .size = EPF_SIZE, .ops = &dt_epf_ops, .dev = d });
	pci_bar_add(&d->func, REGS_BAR,
	            &(struct pci_bar){ .size = REGS_SIZE, .ops = &dt_regs_ops, .dev = d });
	pci_bar_add(&d->func, MEMORY_BAR,
	            &(struct pci_bar){ .size = DT_MEMORY,
	                               .is_64 = true,
	                               .prefetch = true,
	                               .ops = &memory_ops,
	                               .dev = d });
}

/* It sends AtomicOps, if it may (7.5.3.16). */
static void allow_atomics(struct pci_func *f)
{
	unsigned int at = f->express + PCI_EXP_DEVCTL2;

	pci_allow16(f, at, PCI_EXP_DEVCTL2_COMP_TMOUT_DIS | PCI_EXP_DEVCTL2_ATOMIC_REQ);
}

static void add_caps(struct dma_test *d)
{
	struct pci_func *f = &d->func;

	pci_express_add(f);
	pci_flr_add(f);
	allow_atomics(f);
	pci_pm_add(f);
	if (d->config.ats)
		pci_ats_add(f);
	if (d->config.pri) {
		pci_pri_add(f, DT_PAGE_REQUESTS);
		dt_asker_init(d);
	}
	if (d->config.pasid_bits)
		pci_pasid_add(f, d->config.pasid_bits);
	dt_pages_init(d);
}

static int add_function(struct dma_test *d, struct pci_bus *bus)
{
	struct pci_func *f = &d->func;
	int err = pci_func_add(bus, f, &id);

	if (err)
		return err;
	add_bars(d);
	err = pci_msi_add(f, DT_VECTORS, true);
	if (!err)
		err = pci_msix_add(f, MSIX_BAR, DT_VECTORS);
	if (err) {
		pci_func_remove(f);
		pci_msi_remove(f);
		return err;
	}
	add_caps(d);
	pci_func_ready(f);
	return 0;
}

/* Nobody invalidates, or answers, what is behind no IOMMU. */
static void listen_to_space(struct dma_test *d)
{
	struct dma_space *dma = d->func.dma;

	if (d->config.ats && dma != &d->vm->dma)
		dma->device = &d->device;
}

int dma_test_create(struct dma_test **out, struct pci_bus *bus, const struct dma_test_config *c)
{
	struct dma_test *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	d->vm = pci_bus_vm(bus);
	d->config = *c;
	d->func.name = "dma-test";
	d->func.dma = c->dma;
	d->func.reset = function_reset;
	d->func.master_changed = master_changed;
	d->func.ats_changed = dt_ats_changed;
	d->device = dt_device;
	d->answers = dt_answers;
	dt_run_init(d);
	dt_epf_init(d);
	dt_regs_init(d);
	err = add_function(d, bus);
	if (err) {
		free(d);
		return err;
	}
	listen_to_space(d);
	*out = d;
	return 0;
}

struct pci_func *dma_test_func(struct dma_test *d)
{
	return &d->func;
}

void dma_test_destroy(struct dma_test *d)
{
	for (unsigned int i = 0; i < DT_NR_JOBS; i++) {
		if (!dt_is_busy(dt_job(d, i)))
			continue;
		dt_unmap(dt_job(d, i));
		dma_cancel(d->func.dma, &dt_job(d, i)->token);
	}
	if (d->func.dma->device == &d->device)
		d->func.dma->device = NULL;
	pci_func_remove(&d->func);
	pci_msix_remove(&d->func);
	pci_msi_remove(&d->func);
	free(d);
}

// SPDX-License-Identifier: GPL-2.0-only
/* An assigned function: made, reset, and taken away. */
#include "vfio/pci.h"

#include <errno.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vfio/pci_private.h"
#include "vfio/vsmmu.h"
#include "vmm/assigned.h"

#define RESET_TRIES 100
#define RESET_PAUSE 10000 /* us */

/* The kernel waits for nobody who holds a device's lock (-EAGAIN, pci_try_reset_function()) or is
 * at a BAR of any function of the bus (-EBUSY), and resets nothing then. */
static int try_reset(struct vfio_pci *p)
{
	struct uapi *u = vfio_uapi_of(p);
	struct vfio_pci_hot_reset all = { 0 }; /* whose devices they are, the context says */

	return p->can_reset ? u->ops->reset(u, p->dev->fd) : u->ops->hot_reset(u, p->dev->fd, &all);
}

/* Runs on the work thread: it can take a second and more. */
static void run_reset(struct work *w)
{
	struct vfio_pci *p = container_of(w, struct vfio_pci, reset);
	int err = try_reset(p);

	for (int n = 1; (err == -EBUSY || err == -EAGAIN) && n < RESET_TRIES; n++) {
		usleep(RESET_PAUSE);
		err = try_reset(p);
	}
}

static void reset_done(struct work *w)
{
	struct vfio_pci *p = container_of(w, struct vfio_pci, reset);

	p->resetting = false;
	if (p->stream)
		vsmmu_stream_resets(p->stream, false);
	if (!p->can_reset)
		vfio_peers_renew(p->dev->context);
	if (p->lost)
		return;
	vfio_config_after_reset(p);
	vfio_irqs_update(p);
}

/* The guest's own has no BARs and no interrupts any more; what it does ends before it answers. */
static void reset(struct pci_func *f)
{
	struct vfio_pci *p = vfio_pci_of(f);

	if (p->lost || p->resetting)
		return;
	vfio_irqs_off(p);
	p->resetting = true;
	if (p->stream)
		vsmmu_stream_resets(p->stream, true);
	vfio_pages_reset(p);
	work_submit(p->vm->work, &p->reset);
}

static bool resetting(const struct pci_func *f)
{
	return container_of(f, const struct vfio_pci, func)->resetting;
}

/* Without the lock: closing it resets it. */
static void run_leave(struct work *w)
{
	struct vfio_pci *p = container_of(w, struct vfio_pci, leave);
	struct uapi *u = vfio_uapi_of(p);

	u->ops->close(u, p->leaving);
}

static void has_left(struct work *w)
{
	(void)w;
}

/* What it reaches now, and its DMA, end. */
static void detach(struct vfio_pci *p, void (*end)(struct vsmmu_stream *st))
{
	if (p->stream)
		end(p->stream);
	else
		vfio_device_follow(p->dev, NULL);
	p->stream = NULL;
	fault_asker_forget(&p->pages.asker);
	p->pages.bridge = NULL;
}

static void remove_messages(struct vfio_pci *p)
{
	if (p->func.msix)
		pci_msix_remove(&p->func);
	if (p->func.msi)
		pci_msi_remove(&p->func);
}

/* The guest goes on without it: KVM's routes are for others. */
static void forget_routes(struct vfio_pci *p)
{
	remove_messages(p);
	irq_forget_cleared(p->vm->irq);
}

/* It has no BARs, no interrupts and no memory when the host has it again. */
void vfio_pci_leave(struct vfio_pci *p, const char *why)
{
	if (p->lost)
		return;
	if (p->resetting)
		work_wait(p->vm->work, &p->reset);
	log_error("--vfio-pci %s: %s: the guest has it no longer", p->at, why);
	vfio_irqs_off(p);
	pci_func_pull(&p->func);
	vfio_config_stop(p);
	p->lost = true;
	vfio_irqs_leave(p);
	vfio_bars_destroy(p);
	forget_routes(p);
	vm_vfio_remove(p->vm, p->dev->fd);
	detach(p, vsmmu_stream_leave);
	p->leaving = vfio_device_give(p->dev);
	work_submit(p->vm->work, &p->leave);
}

static int get_info(struct vfio_pci *p)
{
	struct uapi *u = vfio_uapi_of(p);
	struct vfio_device_info info = { 0 };
	struct vfio_region_info config = { .index = VFIO_PCI_CONFIG_REGION_INDEX };
	int err = u->ops->get_info(u, p->dev->fd, &info);

	if (!err &&
	    (!(info.flags & VFIO_DEVICE_FLAGS_PCI) || info.num_irqs <= VFIO_PCI_MSIX_IRQ_INDEX))
		err = -EINVAL;
	if (!err)
		err = u->ops->get_region_info(u, p->dev->fd, &config);
	p->can_reset = info.flags & VFIO_DEVICE_FLAGS_RESET;
	p->config = config.offset;
	p->config_size = config.size;
	return err;
}

/* The kernel attaches nothing to a function that it resets (-EBUSY). */
static int attach(struct iommu_assigned *a, struct iova_space *space)
{
	struct vfio_pci *p = container_of(a, struct vfio_pci, assigned);

	if (p->lost)
		return 0;
	if (p->resetting)
		work_wait(p->vm->work, &p->reset);
	return vfio_device_follow(p->dev, space);
}

static int add(struct vfio_pci *p, struct pci_bus *bus, enum vfio_pci_step *step)
{
	static const struct pci_id none;
	int err = get_info(p);

	if (err)
		return err;
	*step = VFIO_PCI_STEP_BUS;
	p->func.config_is_owners = true; /* it has some use when it has left the bus, too */
	p->func.config_size = PCI_CONFIG_SIZE;
	p->func.config = p->space[0];
	err = pci_func_add(bus, &p->func, &none);
	if (err)
		return err;
	*step = VFIO_PCI_STEP_CONFIG;
	err = vfio_config_read(p);
	if (!err)
		err = vfio_config_init(p);
	p->nr_vectors = p->func.msix ? pci_msix_size(&p->func) : 0;
	if (!err) {
		*step = VFIO_PCI_STEP_BARS;
		err = vfio_bars_init(p);
	}
	if (!err) {
		*step = VFIO_PCI_STEP_IRQS;
		err = vfio_irqs_init(p);
	}
	if (!err && p->func.dma->translated && !p->stream) {
		*step = VFIO_PCI_STEP_IOMMU;
		err = iommu_assign(p->func.dma, &p->assigned);
	}
	if (!err)
		pci_func_ready(&p->func);
	return err;
}

int vfio_pci_create(struct vfio_pci **out, struct vfio_device *d, struct pci_bus *bus,
                    const struct vfio_pci_config *c, enum vfio_pci_step *step)
{
	struct vfio_pci *p = calloc(1, sizeof(*p));
	int err;

	*out = NULL;
	*step = VFIO_PCI_STEP_INFO;
	if (!p)
		return -ENOMEM;
	p->dev = d;
	p->vm = pci_bus_vm(bus);
	p->at = c->at;
	p->func.name = "vfio-pci";
	p->func.dma = c->dma;
	p->stream = c->stream;
	p->has_stream = c->stream;
	p->pages.bridge = c->faults;
	p->func.reset = reset;
	p->func.resetting = resetting;
	p->func.silent = true;
	p->assigned.attach = attach;
	p->reset = (struct work){ .run = run_reset, .done = reset_done };
	p->leave = (struct work){ .run = run_leave, .done = has_left };
	p->next = d->context->functions;
	d->context->functions = p;
	*out = p;
	err = vfio_ats_read(p, c);
	return err ? err : add(p, bus, step);
}

static void unlink_function(struct vfio_pci *p)
{
	struct vfio_pci **at = &p->dev->context->functions;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
}

void vfio_pci_destroy(struct vfio_pci *p)
{
	if (p->func.bus && !p->lost)
		pci_func_remove(&p->func);
	if (p->func.dma && p->func.dma->translated && !p->has_stream)
		iommu_assign(p->func.dma, NULL);
	vfio_irqs_destroy(p);
	if (!p->lost) {
		vfio_config_stop(p);
		detach(p, vsmmu_stream_destroy);
	}
	vfio_bars_destroy(p);
	remove_messages(p);
	unlink_function(p);
	free(p);
}

struct pci_func *vfio_pci_func(struct vfio_pci *p)
{
	return &p->func;
}

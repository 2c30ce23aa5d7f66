// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of an assigned function. VFIO signals eventfds: KVM takes those of vectors that it has
 * a route for, and of INTx; the loop the rest, and what comes while the guest has a vector masked.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vfio/pci_private.h"

#define MAX_MSI 32

/* What SET_IRQS takes, with the eventfds that follow it. */
struct irq_set {
	struct vfio_irq_set set;
	int fds[];
};

/* Vectors, doorbells' pages, memory: that the guest's own calls bring it about is no reason to say
 * it more than once. */
static void note_lack(struct vfio_pci *p, int err)
{
	if (p->lacks_irqs || (err != -ENOSPC && err != -EOVERFLOW && err != -ENOMEM))
		return;
	p->lacks_irqs = true;
	log_error("--vfio-pci %s: its interrupts: the host has no more for it: %s", p->at,
	          strerror(-err));
}

static int set_irqs(struct vfio_pci *p, struct irq_set *s, unsigned int index, unsigned int start,
                    unsigned int count, u32 flags)
{
	struct uapi *u = vfio_uapi_of(p);
	int err;
	const u32 data = flags & VFIO_IRQ_SET_DATA_EVENTFD ? count * sizeof(s->fds[0]) : 0;

	s->set = (struct vfio_irq_set){ .argsz = sizeof(*s) + data,
		                        .flags = flags,
		                        .index = index,
		                        .start = start,
		                        .count = count };
	err = u->ops->set_irqs(u, p->dev->fd, &s->set);
	note_lack(p, err > 0 ? -ENOSPC : err); /* as many as there are, of which none is set */
	return err;
}

#define TRIGGER_BY_FD (VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER)

static int set_fd(struct vfio_pci *p, unsigned int index, unsigned int nth, int fd)
{
	struct {
		struct irq_set s;
		int room[1];
	} one = { .room = { fd } };

	return set_irqs(p, &one.s, index, nth, 1, TRIGGER_BY_FD);
}

static void disable(struct vfio_pci *p, unsigned int index)
{
	struct irq_set none;

	set_irqs(p, &none, index, 0, 0, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER);
}

static void await(struct vfio_event *e)
{
	loop_read(e->pci->vm->loop, &e->op, e->fd, &e->count, sizeof(e->count));
}

/* Its eventfd is there, and the loop reads it: @done is called under the lock. */
static int event_open(struct vfio_event *e, struct vfio_pci *p,
                      void (*done)(struct loop_op *op, int res))
{
	if (e->fd >= 0)
		return 0;
	e->pci = p;
	e->fd = eventfd(0, EFD_CLOEXEC);
	if (e->fd < 0)
		return -errno;
	e->op = (struct loop_op){ .done = done, .endless = true };
	await(e);
	return 0;
}

static void event_close(struct vfio_event *e)
{
	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
}

static bool was_read(const struct vfio_event *e, int res)
{
	return res == sizeof(e->count) && !e->pci->lost;
}

static void aim(struct vfio_pci *p, unsigned int nth);

static void vector_signalled(struct loop_op *op, int res)
{
	struct vfio_event *e = container_of(op, struct vfio_event, op);
	struct vfio_vector *v = container_of(e, struct vfio_vector, late);
	struct vfio_pci *p = e->pci;

	if (!was_read(e, res))
		return;
	if (p->mode == VFIO_MODE_MSIX)
		pci_msix_raise(&p->func, v - p->vectors);
	else if (p->mode == VFIO_MODE_MSI)
		pci_msi_raise(&p->func, v - p->vectors);
	aim(p, v - p->vectors); /* its doorbell may have been mapped since */
	await(e);
}

/* The guest has ended the interrupt: whoever shares the line has it back, and the function may
 * interrupt again. */
static void resampled(struct loop_op *op, int res)
{
	struct vfio_event *e = container_of(op, struct vfio_event, op);
	struct vfio_pci *p = e->pci;
	struct irq_set none;

	if (!was_read(e, res))
		return;
	irq_level_resampled(p->vm->irq, &p->level);
	if (p->mode == VFIO_MODE_INTX)
		set_irqs(p, &none, VFIO_PCI_INTX_IRQ_INDEX, 0, 1,
		         VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK);
	await(e);
}

static void requested(struct loop_op *op, int res)
{
	struct vfio_event *e = container_of(op, struct vfio_event, op);

	if (was_read(e, res))
		vfio_pci_leave(e->pci, "the host wants it back");
}

static void broken(struct loop_op *op, int res)
{
	struct vfio_event *e = container_of(op, struct vfio_event, op);

	if (was_read(e, res))
		vfio_pci_leave(e->pci, "it had an error that it does not recover from");
}

/* The vector's own eventfd: for what the loop is to see. */
static int late_fd(struct vfio_pci *p, unsigned int nth)
{
	struct vfio_vector *v = &p->vectors[nth];

	return event_open(&v->late, p, vector_signalled) ? -1 : v->late.fd;
}

/* What the guest masks costs nothing before it has been used once. */
static void aim(struct vfio_pci *p, unsigned int nth)
{
	struct vfio_vector *v = &p->vectors[nth];
	const bool msix = p->mode == VFIO_MODE_MSIX;
	int fd;

	if (p->lost || nth >= p->nr_set)
		return;
	fd = msix ? pci_msix_fd(&p->func, nth) : pci_msi_fd(&p->func, nth);
	if (fd < 0 && v->fd < 0 && msix && pci_msix_is_masked(&p->func, nth))
		return;
	if (fd < 0)
		fd = late_fd(p, nth);
	if (fd != v->fd &&
	    !set_fd(p, msix ? VFIO_PCI_MSIX_IRQ_INDEX : VFIO_PCI_MSI_IRQ_INDEX, nth, fd))
		v->fd = fd;
}

/* One that may not go to the guest by itself has yet to be pending. */
static void vector_changed(struct pci_func *f, unsigned int vector)
{
	aim(vfio_pci_of(f), vector);
}

/* The first @nr, or as many as the host has for it: how many; 0: none. */
static unsigned int set_all(struct vfio_pci *p, unsigned int index, struct irq_set *s,
                            unsigned int nr)
{
	int ret = set_irqs(p, s, index, 0, nr, TRIGGER_BY_FD);

	if (ret > 0 && ret < (int)nr) {
		nr = ret;
		ret = set_irqs(p, s, index, 0, nr, TRIGGER_BY_FD);
	}
	for (unsigned int i = 0; !ret && i < nr; i++)
		p->vectors[i].fd = s->fds[i];
	return ret ? 0 : nr;
}

/*
 * The function is in that mode with one vector, of ours; where vectors cannot be added later
 * (NORESIZE) with all of them.
 */
static void enable_msix(struct vfio_pci *p)
{
	const unsigned int nr = p->fixed_size ? p->nr_vectors : 1;
	struct irq_set *s = malloc(sizeof(*s) + nr * sizeof(s->fds[0]));
	unsigned int set;

	if (!s)
		return;
	for (unsigned int i = 1; i < nr; i++)
		s->fds[i] = -1;
	s->fds[0] = late_fd(p, 0);
	set = set_all(p, VFIO_PCI_MSIX_IRQ_INDEX, s, nr);
	free(s);
	p->nr_set = set && set < nr ? set : p->nr_vectors;
	for (unsigned int i = 0; i < p->nr_vectors; i++)
		aim(p, i);
}

/* All at once: none can be added later. */
static void enable_msi(struct vfio_pci *p)
{
	const unsigned int nr = pci_msi_enabled(&p->func);
	struct {
		struct irq_set s;
		int room[MAX_MSI];
	} all;

	for (unsigned int i = 0; i < nr; i++) {
		const int fd = pci_msi_fd(&p->func, i);

		all.s.fds[i] = fd < 0 ? late_fd(p, i) : fd;
	}
	p->nr_set = set_all(p, VFIO_PCI_MSI_IRQ_INDEX, &all.s, nr);
}

static void enable_intx(struct vfio_pci *p)
{
	set_fd(p, VFIO_PCI_INTX_IRQ_INDEX, 0, p->level.raise);
}

static void enable_none(struct vfio_pci *p)
{
	(void)p;
}

static const struct {
	void (*enable)(struct vfio_pci *p);
	int index; /* VFIO's; -1: none */
} modes[] = {
	[VFIO_MODE_NONE] = { enable_none, -1 },
	[VFIO_MODE_INTX] = { enable_intx, VFIO_PCI_INTX_IRQ_INDEX },
	[VFIO_MODE_MSI] = { enable_msi, VFIO_PCI_MSI_IRQ_INDEX },
	[VFIO_MODE_MSIX] = { enable_msix, VFIO_PCI_MSIX_IRQ_INDEX },
};

static void set_mode(struct vfio_pci *p, enum vfio_mode mode)
{
	if (modes[p->mode].index >= 0)
		disable(p, modes[p->mode].index);
	for (unsigned int i = 0; i < p->nr_events; i++)
		p->vectors[i].fd = -1;
	p->mode = mode;
	p->nr_set = 0;
	modes[mode].enable(p);
}

/* Messages take the place of the pin (6.1.4). How many MSIs there are is said with that. */
void vfio_irqs_update(struct vfio_pci *p)
{
	const unsigned int msis = pci_msi_enabled(&p->func);
	enum vfio_mode mode = p->has_pin ? VFIO_MODE_INTX : VFIO_MODE_NONE;

	if (p->lost || p->resetting)
		return;
	if (pci_msix_enabled(&p->func))
		mode = VFIO_MODE_MSIX;
	else if (msis)
		mode = VFIO_MODE_MSI;
	if (mode != p->mode || (mode == VFIO_MODE_MSI && msis != p->nr_msis))
		set_mode(p, mode);
	p->nr_msis = msis;
}

void vfio_irqs_off(struct vfio_pci *p)
{
	set_mode(p, VFIO_MODE_NONE);
}

static int get_info(struct vfio_pci *p, unsigned int index, struct vfio_irq_info *i)
{
	struct uapi *u = vfio_uapi_of(p);

	*i = (struct vfio_irq_info){ .index = index };
	return u->ops->get_irq_info(u, p->dev->fd, i);
}

static int init_intx(struct vfio_pci *p)
{
	int err = irq_level_open(p->vm->irq, &p->level, pci_intx_spi(&p->func));

	if (err)
		return err;
	p->has_level = true;
	p->resample = (struct vfio_event){ .pci = p, .fd = p->level.resample };
	p->resample.op = (struct loop_op){ .done = resampled, .endless = true };
	await(&p->resample);
	return 0;
}

/* Numbered as the guest's, of which there are no more than the function has. */
static int init_vectors(struct vfio_pci *p)
{
	struct vfio_irq_info i;
	int err = get_info(p, VFIO_PCI_MSIX_IRQ_INDEX, &i);
	const unsigned int room = p->nr_vectors > MAX_MSI ? p->nr_vectors : MAX_MSI;

	if (err || (p->nr_vectors && i.count < p->nr_vectors))
		return err ? err : -EINVAL;
	p->fixed_size = i.flags & VFIO_IRQ_INFO_NORESIZE;
	p->vectors = calloc(room, sizeof(*p->vectors));
	if (!p->vectors)
		return -ENOMEM;
	for (unsigned int v = 0; v < room; v++)
		p->vectors[v].late.fd = p->vectors[v].fd = -1;
	p->nr_events = room;
	p->func.vector_changed = vector_changed;
	return 0;
}

/* Beside interrupts, what the host has to say; where it does not, nothing lacks. */
static int init_event(struct vfio_pci *p, unsigned int index, struct vfio_event *e,
                      void (*done)(struct loop_op *op, int res))
{
	struct vfio_irq_info i;
	int err;

	e->fd = -1;
	if (get_info(p, index, &i) || !i.count)
		return 0;
	err = event_open(e, p, done);
	return err ? err : set_fd(p, index, 0, e->fd);
}

int vfio_irqs_init(struct vfio_pci *p)
{
	int err = init_vectors(p);

	if (!err)
		err = init_event(p, VFIO_PCI_ERR_IRQ_INDEX, &p->error, broken);
	if (!err)
		err = init_event(p, VFIO_PCI_REQ_IRQ_INDEX, &p->request, requested);
	if (!err && p->has_pin)
		err = init_intx(p);
	if (!err)
		vfio_irqs_update(p);
	return err;
}

/* Who shares its line has it alone: KVM lowers it for nobody else's sake. */
void vfio_irqs_leave(struct vfio_pci *p)
{
	if (p->has_level)
		irq_level_close(p->vm->irq, &p->level);
	p->has_level = false;
}

void vfio_irqs_destroy(struct vfio_pci *p)
{
	if (p->error.pci)
		event_close(&p->error);
	if (p->request.pci)
		event_close(&p->request);
	if (!p->vectors) /* it did not come so far */
		return;
	if (!p->lost)
		vfio_irqs_off(p);
	for (unsigned int v = 0; v < p->nr_events; v++)
		event_close(&p->vectors[v].late);
	free(p->vectors);
	vfio_irqs_leave(p);
}

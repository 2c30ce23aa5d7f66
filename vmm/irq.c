// SPDX-License-Identifier: GPL-2.0-only
/* Lines, MSIs, and the GSI routing table that irqfds go through. */
#include "vmm/irq.h"

#include <assert.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm/kvm.h"
#include "vmm/log.h"

#define FIRST_SPI  32 /* the INTID of SPI 0 */
#define INTID_MASK 0x3ff

/* GSIs below are the SPIs; KVM_MAX_IRQ_ROUTES bounds those above (include/linux/kvm_host.h). */
#define FIRST_MSI_GSI 1024
#define NR_MSI_GSIS   (4096 - FIRST_MSI_GSI)

/* Who takes messages, and what KVM is told of them: a row a kind of doorbell. */
struct doorbell {
	int (*send)(struct irq_table *t, const struct irq_msg *msg);
	/* What a route of this message is to KVM; its GSI is filled in later. */
	int (*route)(const struct irq_table *t, const struct irq_msg *msg,
	             struct kvm_irq_routing_entry *e);
};

struct irq_table {
	struct kvm *kvm;
	unsigned int nr_spis;
	const struct doorbell *doorbell;
	struct irq_frame frame;
	unsigned int nr_used;
	u64 lines, msis, fired;
	bool *high;               /* an SPI each: what irq_set_line() said last */
	int *edge;                /* an SPI each: its eventfd, or -1 */
	struct irq_level *levels; /* every one that is open */
	bool used[NR_MSI_GSIS];
	struct irq_msg msg[NR_MSI_GSIS];
	struct kvm_irq_routing *routing; /* room for every route */
};

static void drive(struct irq_table *t, unsigned int spi, bool level)
{
	struct kvm_irq_level line = {
		.irq = KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | (spi + FIRST_SPI),
		.level = level,
	};
	int err;

	assert(spi < t->nr_spis);
	t->lines++;
	/* Nothing can be done about a failure, and KVM has none for an SPI that is there. */
	err = t->kvm->ops->irq_line(t->kvm, &line);
	trace(t->kvm->log, TRACE_IRQ, "spi %u %s = %d", spi, level ? "high" : "low", err);
}

/* KVM_IRQ_LINE knows one level for all: who shares a line that falls is asked to look again. */
void irq_set_line(struct irq_table *t, unsigned int spi, bool level)
{
	drive(t, spi, level);
	t->high[spi] = level;
	for (struct irq_level *l = t->levels; l && !level; l = l->next)
		if (l->spi == spi)
			eventfd_write(l->resample, 1);
}

static int set_level_irqfd(struct irq_table *t, const struct irq_level *l, u32 flags)
{
	struct kvm_irqfd irqfd = {
		.fd = l->raise,
		.gsi = l->spi,
		.flags = flags,
		.resamplefd = l->resample,
	};

	return t->kvm->ops->irqfd(t->kvm, &irqfd);
}

int irq_level_open(struct irq_table *t, struct irq_level *l, unsigned int spi)
{
	int err;

	assert(spi < t->nr_spis);
	*l = (struct irq_level){
		.spi = spi,
		.raise = eventfd(0, EFD_CLOEXEC),
		.resample = eventfd(0, EFD_CLOEXEC),
		.next = t->levels,
	};
	err = l->raise < 0 || l->resample < 0 ? -errno : 0;
	if (!err)
		err = set_level_irqfd(t, l, KVM_IRQFD_FLAG_RESAMPLE);
	if (!err) {
		t->levels = l;
		return 0;
	}
	if (l->raise >= 0)
		close(l->raise);
	if (l->resample >= 0)
		close(l->resample);
	return err;
}

void irq_level_close(struct irq_table *t, struct irq_level *l)
{
	struct irq_level **at = &t->levels;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	set_level_irqfd(t, l, KVM_IRQFD_FLAG_DEASSIGN);
	close(l->raise);
	close(l->resample);
	irq_set_line(t, l->spi, t->high[l->spi]); /* what it had raised falls with it */
}

void irq_level_resampled(struct irq_table *t, const struct irq_level *l)
{
	if (t->high[l->spi])
		drive(t, l->spi, true);
}

int irq_edge_open(struct irq_table *t, unsigned int spi)
{
	struct kvm_irqfd irqfd = { .gsi = spi };
	const int fd = eventfd(0, EFD_CLOEXEC);
	int err;

	assert(spi < t->nr_spis && t->edge[spi] < 0);
	if (fd < 0)
		return -errno;
	irqfd.fd = fd;
	err = t->kvm->ops->irqfd(t->kvm, &irqfd);
	if (err)
		close(fd);
	else
		t->edge[spi] = fd;
	return err;
}

void irq_pulse(struct irq_table *t, unsigned int spi)
{
	assert(spi < t->nr_spis);
	if (t->edge[spi] < 0) {
		irq_set_line(t, spi, true);
		irq_set_line(t, spi, false);
		return;
	}
	t->lines++;
	eventfd_write(t->edge[spi], 1);
	trace(t->kvm->log, TRACE_IRQ, "spi %u edge", spi);
}

static int no_send(struct irq_table *t, const struct irq_msg *msg)
{
	(void)t, (void)msg;
	return -ENODEV;
}

static int no_route(const struct irq_table *t, const struct irq_msg *msg,
                    struct kvm_irq_routing_entry *e)
{
	(void)t, (void)msg, (void)e;
	return -ENODEV;
}

static const struct doorbell nobody = { no_send, no_route };

static int its_send(struct irq_table *t, const struct irq_msg *msg)
{
	struct kvm_msi msi = {
		.address_lo = msg->addr,
		.address_hi = msg->addr >> 32,
		.data = msg->data,
		.flags = KVM_MSI_VALID_DEVID,
		.devid = msg->devid,
	};
	int ret = t->kvm->ops->signal_msi(t->kvm, &msi);

	return ret < 0 ? ret : 0; /* > 0: delivered, 0: the guest has it masked or unmapped */
}

static int its_route(const struct irq_table *t, const struct irq_msg *msg,
                     struct kvm_irq_routing_entry *e)
{
	(void)t;
	*e = (struct kvm_irq_routing_entry){
		.type = KVM_IRQ_ROUTING_MSI,
		.flags = KVM_MSI_VALID_DEVID,
		.u.msi = { .address_lo = msg->addr,
		           .address_hi = msg->addr >> 32,
		           .data = msg->data,
		           .devid = msg->devid },
	};
	return 0;
}

static const struct doorbell its = { its_send, its_route };

/* The SPI that a frame makes of a message, or -EINVAL. */
static int frame_spi(const struct irq_table *t, const struct irq_msg *msg)
{
	u32 nth = (msg->data & INTID_MASK) - FIRST_SPI - t->frame.first_spi;

	if (msg->addr != t->frame.doorbell || nth >= t->frame.nr_spis)
		return -EINVAL;
	return t->frame.first_spi + nth;
}

static int frame_send(struct irq_table *t, const struct irq_msg *msg)
{
	int spi = frame_spi(t, msg);

	if (spi < 0)
		return spi;
	irq_pulse(t, spi);
	return 0;
}

/* KVM makes an edge of each write to an eventfd that is not resampled. */
static int frame_route(const struct irq_table *t, const struct irq_msg *msg,
                       struct kvm_irq_routing_entry *e)
{
	int spi = frame_spi(t, msg);

	if (spi < 0)
		return spi;
	*e = (struct kvm_irq_routing_entry){
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip.pin = spi,
	};
	return 0;
}

static const struct doorbell frame = { frame_send, frame_route };

void irq_msis_to_its(struct irq_table *t)
{
	t->doorbell = &its;
}

void irq_msis_to_frame(struct irq_table *t, const struct irq_frame *f)
{
	assert(f->first_spi + f->nr_spis <= t->nr_spis);
	t->doorbell = &frame;
	t->frame = *f;
}

int irq_msi_send(struct irq_table *t, const struct irq_msg *msg)
{
	int err = t->doorbell->send(t, msg);

	t->msis++;
	trace(t->kvm->log, TRACE_IRQ, "msi devid %#x addr %#llx data %#x = %d", msg->devid,
	      (unsigned long long)msg->addr, msg->data, err);
	return err;
}

/* KVM_SET_GSI_ROUTING replaces the whole table, so the SPIs' rows are told again each time. */
static int update_routing(struct irq_table *t)
{
	struct kvm_irq_routing_entry *e = t->routing->entries;

	for (unsigned int spi = 0; spi < t->nr_spis; spi++)
		*e++ = (struct kvm_irq_routing_entry){
			.gsi = spi,
			.type = KVM_IRQ_ROUTING_IRQCHIP,
			.u.irqchip.pin = spi,
		};
	for (unsigned int i = 0; i < NR_MSI_GSIS; i++)
		if (t->used[i] && !t->doorbell->route(t, &t->msg[i], e))
			e++->gsi = FIRST_MSI_GSI + i;
	t->routing->nr = e - t->routing->entries;
	return t->kvm->ops->set_gsi_routing(t->kvm, t->routing);
}

static int set_irqfd(struct irq_table *t, const struct irq_route *r, u32 flags)
{
	struct kvm_irqfd irqfd = { .fd = r->fd, .gsi = r->gsi, .flags = flags };

	return t->kvm->ops->irqfd(t->kvm, &irqfd);
}

static int find_gsi(const struct irq_table *t)
{
	for (unsigned int i = 0; i < NR_MSI_GSIS && t->nr_spis + t->nr_used < 4096; i++)
		if (!t->used[i])
			return i;
	return -ENOSPC;
}

/* One of several routes that are set together, and what it was. */
struct change {
	struct irq_route *route;
	struct irq_msg before;
	bool is_new;
};

static struct irq_msg *msg_of(struct irq_table *t, const struct irq_route *r)
{
	return &t->msg[r->gsi - FIRST_MSI_GSI];
}

/* Its GSI and its eventfd, of which KVM knows nothing yet. */
static int add_route(struct irq_table *t, struct irq_route *r)
{
	const int i = find_gsi(t);
	int fd;

	if (i < 0)
		return i;
	fd = eventfd(0, EFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	*r = (struct irq_route){ .gsi = FIRST_MSI_GSI + i, .fd = fd, .fired = &t->fired };
	t->used[i] = true;
	t->nr_used++;
	return 0;
}

static void remove_route(struct irq_table *t, struct irq_route *r)
{
	close(r->fd);
	t->used[r->gsi - FIRST_MSI_GSI] = false;
	t->nr_used--;
	*r = (struct irq_route){ 0 };
}

static bool has_msg(struct irq_table *t, const struct irq_route *r, const struct irq_msg *msg)
{
	const struct irq_msg *now = r->gsi ? msg_of(t, r) : NULL;

	return now && now->addr == msg->addr && now->data == msg->data && now->devid == msg->devid;
}

static int change_route(struct irq_table *t, struct change *c, struct irq_route *r,
                        const struct irq_msg *msg)
{
	int err;

	*c = (struct change){ .route = r, .is_new = !r->gsi };
	err = c->is_new ? add_route(t, r) : 0;
	if (err)
		return err;
	c->before = *msg_of(t, r);
	*msg_of(t, r) = *msg;
	return 0;
}

static void undo_change(struct irq_table *t, const struct change *c)
{
	if (c->is_new)
		remove_route(t, c->route);
	else
		*msg_of(t, c->route) = c->before;
}

int irq_routes_set(struct irq_table *t, struct irq_route *const *routes, const struct irq_msg *msgs,
                   unsigned int nr)
{
	struct change changes[IRQ_MAX_TOGETHER];
	struct kvm_irq_routing_entry e;
	unsigned int changed = 0;
	bool told = false;
	int err = 0;

	assert(nr <= ARRAY_SIZE(changes));
	for (unsigned int i = 0; i < nr && !err; i++) {
		err = t->doorbell->route(t, &msgs[i], &e);
		if (err || has_msg(t, routes[i], &msgs[i]))
			continue;
		err = change_route(t, &changes[changed], routes[i], &msgs[i]);
		changed += !err;
	}
	if (!err && changed)
		told = !(err = update_routing(t));
	for (unsigned int i = 0; i < changed && !err; i++)
		if (changes[i].is_new)
			err = set_irqfd(t, changes[i].route, 0);
	while (err && changed) /* an eventfd that is closed is KVM's no longer */
		undo_change(t, &changes[--changed]);
	if (err && told)
		update_routing(t);
	return err;
}

int irq_route_set(struct irq_table *t, struct irq_route *r, const struct irq_msg *msg)
{
	return irq_routes_set(t, &r, msg, 1);
}

void irq_route_clear(struct irq_table *t, struct irq_route *r)
{
	if (!r->gsi)
		return;
	set_irqfd(t, r, KVM_IRQFD_FLAG_DEASSIGN);
	remove_route(t, r);
}

void irq_forget_cleared(struct irq_table *t)
{
	update_routing(t);
}

void irq_route_fire(const struct irq_route *r)
{
	u64 one = 1;
	ssize_t n = write(r->fd, &one, sizeof(one));

	__atomic_fetch_add(r->fired, 1, __ATOMIC_RELAXED);
	assert(n == sizeof(one)); /* KVM takes it at once: the counter never fills */
	(void)n;
}

void irq_count(const struct irq_table *t, struct irq_counts *c)
{
	*c = (struct irq_counts){
		.lines = t->lines,
		.msis = t->msis,
		.routes = __atomic_load_n(&t->fired, __ATOMIC_RELAXED),
		.nr_routes = t->nr_used,
	};
}

int irq_create(struct irq_table **table, struct kvm *k, unsigned int nr_spis)
{
	struct irq_table *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->kvm = k;
	t->nr_spis = nr_spis;
	t->doorbell = &nobody;
	t->high = calloc(nr_spis, sizeof(*t->high));
	t->edge = calloc(nr_spis, sizeof(*t->edge));
	t->routing = calloc(1, sizeof(*t->routing) + 4096 * sizeof(t->routing->entries[0]));
	for (unsigned int spi = 0; t->edge && spi < nr_spis; spi++)
		t->edge[spi] = -1;
	if (!t->high || !t->edge || !t->routing) {
		irq_destroy(t);
		return -ENOMEM;
	}
	*table = t;
	return 0;
}

void irq_destroy(struct irq_table *t)
{
	for (unsigned int spi = 0; t->edge && spi < t->nr_spis; spi++)
		if (t->edge[spi] >= 0)
			close(t->edge[spi]); /* KVM then lets go of the irqfd */
	free(t->routing);
	free(t->edge);
	free(t->high);
	free(t);
}

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_IRQ_H
#define VMM_IRQ_H

#include "vmm/types.h"

struct kvm;
struct irq_table;

/*
 * Interrupts into the guest: lines (SPIs) and MSIs. Called under the device
 * lock, but a route's eventfd may be written by anyone, at any time.
 */

/* An MSI as a function sends it: the write, and the DeviceID an ITS knows the writer by. */
struct irq_msg {
	gpa_t addr;
	u32 data;
	u32 devid;
};

/* How often each way was taken. */
struct irq_counts {
	u64 lines;  /* changes of an SPI's level */
	u64 msis;   /* MSIs sent one by one */
	u64 routes; /* MSIs by a route's eventfd */
	unsigned int nr_routes;
};
void irq_count(const struct irq_table *t, struct irq_counts *c);

/* @nr_spis: how many SPIs the GIC has. Messages go nowhere at first. 0 or -ENOMEM. */
int irq_create(struct irq_table **t, struct kvm *k, unsigned int nr_spis);
void irq_destroy(struct irq_table *t);

/* An MSI frame that makes SPIs of messages: one word to write, whose value is an INTID. */
struct irq_frame {
	gpa_t doorbell;
	u32 first_spi, nr_spis; /* counted from 0 */
};
/* Who takes messages: the ITS that KVM has, or a frame. By the irqchip, before the guest runs. */
void irq_msis_to_its(struct irq_table *t);
void irq_msis_to_frame(struct irq_table *t, const struct irq_frame *frame);

/* Drives SPI @spi (counted from 0: INTID - 32), level or edge as the guest has configured it. */
void irq_set_line(struct irq_table *t, unsigned int spi, bool level);

/*
 * A level on SPI @spi that does not go through us: a write to @raise raises the
 * line, and when the guest has ended the interrupt, KVM lowers it and writes
 * @resample (api.rst, KVM_IRQFD_FLAG_RESAMPLE). Whoever reads that calls
 * irq_level_resampled(), and writes @raise again if there is still a reason. An
 * SPI may have several of them, and a user of irq_set_line() besides.
 */
struct irq_level {
	unsigned int spi;
	int raise, resample; /* eventfds */
	struct irq_level *next;
};
/* 0 or -errno; *l stays where it is until irq_level_close(). */
int irq_level_open(struct irq_table *t, struct irq_level *l, unsigned int spi);
void irq_level_close(struct irq_table *t, struct irq_level *l);
/* KVM has lowered the line, whoever raised it: irq_set_line()'s user raises it again. */
void irq_level_resampled(struct irq_table *t, const struct irq_level *l);

/*
 * From now on an edge on SPI @spi is one call, a write to an eventfd (api.rst, KVM_IRQFD), not two:
 * KVM_IRQ_LINE has to be told up and down. 0 or -errno; until irq_destroy(). Once an SPI.
 */
int irq_edge_open(struct irq_table *t, unsigned int spi);
/* An edge on SPI @spi: up, and down again. */
void irq_pulse(struct irq_table *t, unsigned int spi);

/* Sends once. -EINVAL: no doorbell at addr, or one that knows no such data;
 * -ENODEV: none at all. */
int irq_msi_send(struct irq_table *t, const struct irq_msg *msg);

/*
 * A route: a GSI with an eventfd whose every write sends *msg. -ENOSPC: KVM has
 * no more routes; use irq_msi_send then. -EINVAL, -ENODEV: as irq_msi_send has
 * them. Set again to change the message; a failure leaves what was set before.
 */
struct irq_route {
	int gsi; /* 0: none */
	int fd;
	u64 *fired; /* the table's count */
};
int irq_route_set(struct irq_table *t, struct irq_route *r, const struct irq_msg *msg);
/* The same of @nr, IRQ_MAX_TOGETHER at most, of which KVM is told at once: all of them, or none. */
#define IRQ_MAX_TOGETHER 32
int irq_routes_set(struct irq_table *t, struct irq_route *const *routes, const struct irq_msg *msgs,
                   unsigned int nr);
/* KVM's row of it stays, and does nothing, until any route is set or that is asked for: to tell KVM
 * takes milliseconds. */
void irq_route_clear(struct irq_table *t, struct irq_route *r);
void irq_forget_cleared(struct irq_table *t);
void irq_route_fire(const struct irq_route *r);

#endif

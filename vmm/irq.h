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

/* An MSI as a function sends it: the write, and the DeviceID the ITS knows the writer by. */
struct irq_msg {
	gpa_t addr;
	u32 data;
	u32 devid;
};

/* How often each way was taken. */
struct irq_counts {
	u64 lines;  /* changes of an SPI's level */
	u64 msis;   /* KVM_SIGNAL_MSI */
	u64 routes; /* MSIs by a route's eventfd */
	unsigned int nr_routes;
};
void irq_count(const struct irq_table *t, struct irq_counts *c);

/* @nr_spis: how many SPIs the GIC has. 0 or -ENOMEM. */
int irq_create(struct irq_table **t, struct kvm *k, unsigned int nr_spis);
void irq_destroy(struct irq_table *t);

/* Drives SPI @spi (counted from 0: INTID - 32), level or edge as the guest has configured it. */
void irq_set_line(struct irq_table *t, unsigned int spi, bool level);

/* Sends once, by KVM_SIGNAL_MSI. -EINVAL: no ITS doorbell at addr; -ENODEV: no ITS. */
int irq_msi_send(struct irq_table *t, const struct irq_msg *msg);

/*
 * A route: a GSI with an eventfd whose every write sends *msg. -ENOSPC: KVM has
 * no more routes; use irq_msi_send then. Set again to change the message.
 */
struct irq_route {
	int gsi; /* 0: none */
	int fd;
	u64 *fired; /* the table's count */
};
int irq_route_set(struct irq_table *t, struct irq_route *r, const struct irq_msg *msg);
void irq_route_clear(struct irq_table *t, struct irq_route *r);
void irq_route_fire(const struct irq_route *r);

#endif

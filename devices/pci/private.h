/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_PCI_PRIVATE_H
#define DEVICES_PCI_PRIVATE_H

#include "devices/pci/pci.h"
#include "vmm/vm.h"

#define PCI_NR_DEVICES 32

/* 16 GT/s, 16 lanes: what a link that does not exist might as well be (7.5.3.6, 7.5.3.18). */
#define PCI_LINK_SPEED  PCI_EXP_LNKCAP_SLS_16_0GB
#define PCI_LINK_WIDTH  16
#define PCI_LINK_SPEEDS 0x1e

/* A bus: the host's root bus, or the one behind a root port. */
struct pci_bus {
	struct pci_host *host;
	struct pci_func *port;                  /* NULL: the root bus */
	unsigned int nr_devices;                /* that can be on it */
	struct pci_func *funcs[PCI_NR_DEVICES]; /* function 0 of each device */
};

struct pci_host {
	struct vm *vm;
	struct platform_pci platform;
	struct pci_bus root;
	unsigned int pins[4]; /* how many functions drive each line */
};

/* The number by which the guest knows @bus now. */
u8 pci_bus_number(const struct pci_bus *bus);
/* Where the CPU sees @size bytes at a bus address; 0: not forwarded to @bus, or misaligned. */
gpa_t pci_bus_decode(const struct pci_bus *bus, u64 at, u64 size);
/* Before the guest chooses its own: a BAR's bus address, one of @port's two windows. */
void pci_bar_put(struct pci_func *f, unsigned int nr, u64 at);
void pci_port_open(struct pci_func *port, bool prefetchable, u64 at, u64 size);
/* Whether @port forwards memory at @at, @size bytes, to its secondary bus (port.c). */
bool pci_port_forwards(const struct pci_func *port, u64 at, u64 size);
/* Whether what is behind @port can be reached: neither it nor the link is held in reset. */
bool pci_port_is_up(struct pci_func *port);

/* The DeviceID by which the ITS knows @f. */
u32 pci_devid(const struct pci_func *f);
/* One more, or one fewer, function drives @f's INTA. */
void pci_host_pin(struct pci_func *f, bool level);

/* What follows from @f's header and power state, for it and what is behind it, is brought about. */
void pci_func_update(struct pci_func *f);

/*
 * message.c. A message of @f's is sent to @addr, if its IOMMU lets it, by @route if it can be; the
 * eventfd that does so at each write, -1: there can be none now. And @f is told where messages
 * arrive elsewhere from now on, once it has any; and no longer.
 */
void pci_message_send(struct pci_func *f, struct irq_route *route, u64 addr, u32 data);
int pci_message_fd(struct pci_func *f, struct irq_route *route, u64 addr, u32 data);
/* Routes of @nr messages, @data of each, are there from now on, if they can be. */
void pci_message_routes(struct pci_func *f, struct irq_route *const *routes, unsigned int nr,
                        u64 addr, const u32 *data);
void pci_messages_follow(struct pci_func *f);
void pci_messages_leave(struct pci_func *f);

/* msi.c's and ats.c's halves of a config write, of a reset, of Bus Master Enable. */
void pci_msi_written(struct pci_func *f, unsigned int offset, unsigned int size);
void pci_msi_reset(struct pci_func *f);
void pci_msi_unmask(struct pci_func *f);
void pci_ats_written(struct pci_func *f, unsigned int offset, unsigned int size);
void pci_ats_reset(struct pci_func *f);

/* pm.c: D3hot (5.3.1.4.1). */
bool pci_is_asleep(const struct pci_func *f);
/* After every write to config space. */
void pci_pm_written(struct pci_func *f, bool was_asleep);

/* 0 or -ENOMEM. */
int pci_config_init(struct pci_func *f, const struct pci_id *id);
void pci_config_free(struct pci_func *f);

/* bar.c: BARs follow what the guest wrote to @f's header, or to a bridge's windows. */
void pci_update_bars(struct pci_func *f);
void pci_unmap_bars(struct pci_func *f);

#endif

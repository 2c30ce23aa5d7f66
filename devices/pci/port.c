// SPDX-License-Identifier: GPL-2.0-only
/* A root port: a bridge to one device, with a hotplug-capable slot, ACS and end-end prefixes. */
#include "devices/pci/private.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

/* Red Hat's generic root port, which no driver takes for a chip with errata. */
#define PORT_VENDOR 0x1b36
#define PORT_DEVICE 0x000c
#define PORT_CLASS  0x060400

#define MSIX_BAR 0

#define SLOT_EVENTS (PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC)

struct port {
	struct pci_func func;
	struct pci_bus bus;
	bool held;   /* what is behind it is held in reset */
	bool ending; /* and that reset has not ended */
};

static bool within(u64 base, u64 limit, u64 at, u64 size)
{
	return base <= limit && at >= base && at <= limit && size - 1 <= limit - at;
}

/* 7.5.1.3.8 to .10: windows of 1 MiB granules, the prefetchable one with upper halves. */
bool pci_port_forwards(const struct pci_func *f, u64 at, u64 size)
{
	u64 base, limit;

	if (!(pci_get16(f, PCI_COMMAND) & PCI_COMMAND_MEMORY))
		return false;
	base = (u64)(pci_get16(f, PCI_MEMORY_BASE) & PCI_MEMORY_RANGE_MASK) << 16;
	limit = (u64)(pci_get16(f, PCI_MEMORY_LIMIT) & PCI_MEMORY_RANGE_MASK) << 16 | 0xfffff;
	if (within(base, limit, at, size))
		return true;
	base = (u64)(pci_get16(f, PCI_PREF_MEMORY_BASE) & PCI_PREF_RANGE_MASK) << 16 |
	       (u64)pci_get32(f, PCI_PREF_BASE_UPPER32) << 32;
	limit = (u64)(pci_get16(f, PCI_PREF_MEMORY_LIMIT) & PCI_PREF_RANGE_MASK) << 16 | 0xfffff |
	        (u64)pci_get32(f, PCI_PREF_LIMIT_UPPER32) << 32;
	return within(base, limit, at, size);
}

/*
 * Secondary Bus Reset (7.5.1.3.13) and Link Disable (7.5.3.7) hold in reset what
 * is behind the port: it is reset, and does not answer until it is let go.
 */
static bool holds(const struct pci_func *f)
{
	return pci_get16(f, PCI_BRIDGE_CONTROL) & PCI_BRIDGE_CTL_BUS_RESET ||
	       pci_get16(f, f->express + PCI_EXP_LNKCTL) & PCI_EXP_LNKCTL_LD;
}

bool pci_port_is_up(struct pci_func *f)
{
	struct port *port = container_of(f, struct port, func);
	const struct pci_func *behind = port->bus.funcs[0];

	if (port->ending)
		port->ending = behind && behind->resetting && behind->resetting(behind);
	return behind && !holds(f) && !port->ending;
}

static void written(struct pci_func *f, unsigned int offset, unsigned int size)
{
	struct port *port = container_of(f, struct port, func);
	struct pci_func *behind = port->bus.funcs[0];
	bool held = holds(f);

	if (held && !port->held && behind) {
		pci_func_reset(behind);
		port->ending = true;
	}
	port->held = held;
	/* Its requests have another ID now: whoever sends its messages is told. */
	if (behind && offset <= PCI_SECONDARY_BUS && offset + size > PCI_SECONDARY_BUS) {
		pci_msix_unmask(behind);
		pci_msi_unmask(behind);
	}
}

/* The type 1 header (7.5.1.3). No I/O window: its registers read as 0. */
static void header_init(struct pci_func *f, u8 secondary)
{
	f->config[PCI_HEADER_TYPE] = PCI_HEADER_TYPE_BRIDGE;
	memset(&f->writable[PCI_CACHE_LINE_SIZE], 0xff, 1);
	memset(&f->writable[PCI_PRIMARY_BUS], 0xff, 3); /* and secondary, subordinate */
	pci_allow16(f, PCI_MEMORY_BASE, PCI_MEMORY_RANGE_MASK & 0xffff);
	pci_allow16(f, PCI_MEMORY_LIMIT, PCI_MEMORY_RANGE_MASK & 0xffff);
	pci_allow16(f, PCI_PREF_MEMORY_BASE, PCI_PREF_RANGE_MASK & 0xffff);
	pci_allow16(f, PCI_PREF_MEMORY_LIMIT, PCI_PREF_RANGE_MASK & 0xffff);
	pci_allow32(f, PCI_PREF_BASE_UPPER32, ~0u);
	pci_allow32(f, PCI_PREF_LIMIT_UPPER32, ~0u);
	pci_allow16(f, PCI_BRIDGE_CONTROL,
	            PCI_BRIDGE_CTL_PARITY | PCI_BRIDGE_CTL_SERR | PCI_BRIDGE_CTL_BUS_RESET);
	pci_set16(f, PCI_SUBSYSTEM_VENDOR_ID, 0); /* type 0's; here it is a window */
	f->config[PCI_SECONDARY_BUS] = f->config[PCI_SUBORDINATE_BUS] = secondary;
	/* closed: their limits are below */
	pci_set16(f, PCI_MEMORY_BASE, 0xfff0);
	pci_set16(f, PCI_PREF_MEMORY_BASE, 0xfff0 | PCI_PREF_RANGE_TYPE_64);
	pci_set16(f, PCI_PREF_MEMORY_LIMIT, PCI_PREF_RANGE_TYPE_64);
}

void pci_port_open(struct pci_func *f, bool prefetchable, u64 at, u64 size)
{
	const unsigned int base = prefetchable ? PCI_PREF_MEMORY_BASE : PCI_MEMORY_BASE;
	const unsigned int limit = prefetchable ? PCI_PREF_MEMORY_LIMIT : PCI_MEMORY_LIMIT;
	const u16 type = prefetchable ? PCI_PREF_RANGE_TYPE_64 : 0;
	const u64 last = at + (size - 1);

	pci_set16(f, base, (at >> 16 & 0xfff0) | type);
	pci_set16(f, limit, (last >> 16 & 0xfff0) | type);
	if (!prefetchable)
		return;
	pci_set32(f, PCI_PREF_BASE_UPPER32, at >> 32);
	pci_set32(f, PCI_PREF_LIMIT_UPPER32, last >> 32);
}

/*
 * 7.5.3: slot and link. No command-completed interrupts (7.5.3.9): what the
 * guest writes to Slot Control has happened when the write has.
 */
static void express_init(struct pci_func *f, unsigned int slot)
{
	unsigned int at = pci_cap_add(f, PCI_CAP_ID_EXP, PCI_EXP_SLTSTA2 + 2);

	f->express = at;
	pci_set16(f, at + PCI_EXP_FLAGS, PCI_EXP_TYPE_ROOT_PORT << 4 | PCI_EXP_FLAGS_SLOT | 2);
	pci_set32(f, at + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_RBER);
	pci_allow16(f, at + PCI_EXP_DEVCTL,
	            PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE | PCI_EXP_DEVCTL_FERE |
	                    PCI_EXP_DEVCTL_URRE | PCI_EXP_DEVCTL_PAYLOAD);
	pci_set32(f, at + PCI_EXP_LNKCAP,
	          PCI_LINK_SPEED | PCI_LINK_WIDTH << 4 | PCI_EXP_LNKCAP_DLLLARC);
	pci_allow16(f, at + PCI_EXP_LNKCTL,
	            PCI_EXP_LNKCTL_LD | PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES);
	pci_set32(f, at + PCI_EXP_SLTCAP, PCI_EXP_SLTCAP_HPC | PCI_EXP_SLTCAP_NCCS | slot << 19);
	/* 7.5.3.10: there are no indicators; off is a value of their controls, 0 is Reserved */
	pci_set16(f, at + PCI_EXP_SLTCTL, PCI_EXP_SLTCTL_ATTN_IND_OFF | PCI_EXP_SLTCTL_PWR_IND_OFF);
	f->clears[at + PCI_EXP_SLTSTA] = PCI_EXP_SLTSTA_PDC;
	f->clears[at + PCI_EXP_SLTSTA + 1] = PCI_EXP_SLTSTA_DLLSC >> 8;
	pci_allow16(f, at + PCI_EXP_SLTCTL,
	            PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_DLLSCE);
	pci_allow16(f, at + PCI_EXP_RTCTL,
	            PCI_EXP_RTCTL_SECEE | PCI_EXP_RTCTL_SENFEE | PCI_EXP_RTCTL_SEFEE |
	                    PCI_EXP_RTCTL_PMEIE);
	/* What PASID needs of the path: end-end TLP prefixes (7.5.3.15), four of them. */
	pci_set32(f, at + PCI_EXP_DEVCAP2, PCI_EXP_DEVCAP2_EE_PREFIX | PCI_EXP_DEVCAP2_ARI);
	pci_allow16(f, at + PCI_EXP_DEVCTL2, PCI_EXP_DEVCTL2_ARI);
	pci_set32(f, at + PCI_EXP_LNKCAP2, PCI_LINK_SPEEDS);
	pci_set16(f, at + PCI_EXP_LNKCTL2, PCI_LINK_SPEED);
	pci_allow16(f, at + PCI_EXP_LNKCTL2, PCI_EXP_LNKCTL2_TLS);
}

/*
 * Enhanced Allocation (7.8.5) with no entries, for its fixed bus numbers: Linux takes them as
 * they are, and so requester IDs are known before it boots, to whoever tells of IOMMUs.
 */
static void ea_init(struct pci_func *f)
{
	unsigned int at = pci_cap_add(f, PCI_CAP_ID_EA, PCI_EA_FIRST_ENT_BRIDGE);

	f->config[at + PCI_EA_FIRST_ENT] = f->config[PCI_SECONDARY_BUS];
	f->config[at + PCI_EA_FIRST_ENT + 1] = f->config[PCI_SUBORDINATE_BUS];
}

/* 7.7.11: every request goes up to the root complex and so through its IOMMU. */
static void acs_init(struct pci_func *f)
{
	const u16 offered = PCI_ACS_SV | PCI_ACS_TB | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF;
	unsigned int at = pci_ext_cap_add(f, PCI_EXT_CAP_ID_ACS, 1, 8);

	pci_set16(f, at + PCI_ACS_CAP, offered);
	pci_allow16(f, at + PCI_ACS_CTRL, offered);
}

/*
 * Slot and link status are what is behind the port now. A link that goes down for a
 * reset is no event of the slot's: nothing has been plugged.
 */
static void status_read(struct pci_func *f, unsigned int offset, unsigned int size)
{
	bool present = f->secondary->funcs[0];
	unsigned int link = f->express + PCI_EXP_LNKSTA, slot = f->express + PCI_EXP_SLTSTA;

	(void)offset, (void)size;
	pci_set16(f, link,
	          pci_port_is_up(f) ? PCI_LINK_SPEED | PCI_LINK_WIDTH << 4 | PCI_EXP_LNKSTA_DLLLA
	                            : PCI_LINK_SPEED);
	pci_set16(f, slot, (pci_get16(f, slot) & SLOT_EVENTS) | (present ? PCI_EXP_SLTSTA_PDS : 0));
}

/* One interrupt for whatever of the events is enabled (6.7.3.4). */
void pci_func_pull(struct pci_func *f)
{
	struct pci_func *port = f->bus->port;
	unsigned int at;
	u16 control;

	pci_func_remove(f);
	if (!port)
		return;
	at = port->express + PCI_EXP_SLTSTA;
	control = pci_get16(port, port->express + PCI_EXP_SLTCTL);
	pci_set16(port, at, pci_get16(port, at) | SLOT_EVENTS);
	if (control & PCI_EXP_SLTCTL_HPIE &&
	    control & (PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_DLLSCE))
		pci_msix_raise(port, 0);
}

static int add_port(struct port *port, struct pci_host *host)
{
	static const struct pci_id id = {
		.vendor = PORT_VENDOR,
		.device = PORT_DEVICE,
		.class = PORT_CLASS,
	};
	struct pci_func *f = &port->func;
	int err = pci_func_add(&host->root, f, &id);

	if (err)
		return err;
	port->bus = (struct pci_bus){
		.host = host,
		.port = f,
		.nr_devices = 1, /* 7.3.1: a link has one device at its other end */
	};
	f->secondary = &port->bus;
	header_init(f, (f->devfn >> 3) + 1); /* ports come first on a bus: 1, 2 ... */
	err = pci_msix_add(f, MSIX_BAR, 1);
	if (err)
		pci_func_remove(f);
	return err;
}

int pci_port_create(struct pci_func **out, struct pci_host *host, unsigned int slot)
{
	struct port *port = calloc(1, sizeof(*port));
	int err;

	if (!port)
		return -ENOMEM;
	port->func.name = "root-port";
	err = add_port(port, host);
	if (err) {
		free(port);
		return err;
	}
	express_init(&port->func, slot);
	ea_init(&port->func);
	acs_init(&port->func);
	port->func.config_read = status_read;
	port->func.config_written = written;
	*out = &port->func;
	return 0;
}

void pci_port_destroy(struct pci_func *f)
{
	pci_func_remove(f);
	pci_msix_remove(f);
	free(container_of(f, struct port, func));
}

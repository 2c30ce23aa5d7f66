/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_PCI_PCI_H
#define DEVICES_PCI_PCI_H

#include "vmm/dma.h"
#include "vmm/irq.h"
#include "vmm/mmio.h"
#include "vmm/platform.h"

/*
 * PCI hosts (a segment each), root ports, and the functions on their buses.
 * Everything here is called under the device lock, or before the guest runs.
 * Document: PCI Express Base 6.0; PCI-to-PCI Bridge 1.2 where a rule is older.
 */
struct vm;
struct pci_bus;
struct pci_func;
struct pci_host;

#define PCI_CONFIG_SIZE 4096
#define PCI_CONFIG_OURS 0x180 /* of it: as far as any function of ours has registers */
#define PCI_NR_BARS     6
#define PCI_ROM_BAR     PCI_NR_BARS /* the expansion ROM's */

struct pci_bar {
	u64 size;   /* bytes, a power of two, at least 16; 0: no such BAR */
	bool is_64; /* takes the next BAR's register as its upper half */
	bool prefetch;
	const struct mmio_ops *ops;
	void *dev;
	gpa_t at; /* where it is decoded now; 0: nowhere */
	/* Told of each change, after it: for what must follow the BAR, such as ioeventfds. */
	void (*moved)(struct pci_func *f, gpa_t from, gpa_t to);
};

struct fault_asker;
struct pci_msi;
struct pci_msix;

/* ATS, page requests, PASIDs: where the capabilities are (0: none), and their state. */
struct pci_ats {
	unsigned int ats, pri, pasid;
	bool requesting;           /* as page requests were enabled when that was last looked at */
	unsigned int outstanding;  /* page requests that wait for a response */
	struct fault_asker *asker; /* for who else has some to make (fault/asker.h); NULL: nobody */
};

struct pci_func {
	const char *name;
	struct pci_bus *bus;
	u8 devfn;
	struct dma_space *dma; /* NULL when it is added: that of functions behind no IOMMU */
	/*
	 * Configuration space, while the function is on its bus: PCI_CONFIG_OURS of it, and what is
	 * behind reads as 0; or its owner's from before it is added on, four times config_size.
	 */
	unsigned int config_size;
	bool config_is_owners;
	u8 *config;
	u8 *writable; /* a mask a byte: what the guest may change */
	u8 *clears;   /* a mask a byte: what writing 1 clears */
	u8 *reset_to; /* what the guest may change, after a reset */
	struct pci_bar bars[PCI_NR_BARS + 1];
	unsigned int cap_end;      /* where the next capability goes */
	unsigned int cap_last;     /* whose next pointer names it */
	unsigned int ext_cap_end;  /* the same of extended capabilities */
	unsigned int ext_cap_last; /* 0: none yet */
	unsigned int express;      /* the PCI Express capability; 0: none */
	bool has_flr;              /* a function-level reset, by that */
	unsigned int pm;           /* the power management capability; 0: none */
	struct pci_ats ats;
	struct pci_msi *msi;
	struct pci_msix *msix;
	struct dma_messages messages;
	struct pci_bus *secondary; /* a bridge's; NULL: it is none */
	bool intx;                 /* this function drives its pin */
	bool intx_elsewhere;       /* it does so by itself (vmm/irq.h): pci_set_intx() does not */
	bool master;               /* as Bus Master Enable was when it was last looked at */
	/* After a write to, before a read of, config space bytes of its own. */
	void (*config_written)(struct pci_func *f, unsigned int offset, unsigned int size);
	void (*config_read)(struct pci_func *f, unsigned int offset, unsigned int size);
	/* A reset (6.6.1): what it does ends, and its own state goes. May be NULL. */
	void (*reset)(struct pci_func *f);
	/* That, or the device's own, has not ended yet: a port's link stays down until it has. May
	 * be NULL. */
	bool (*resetting)(const struct pci_func *f);
	bool silent; /* nor does the function answer meanwhile: there is no other reset of its */
	/* The function may reach memory, or no longer (pci_is_master). May be NULL. */
	void (*master_changed)(struct pci_func *f);
	/* The guest wrote the controls of ATS or page requests. May be NULL. */
	void (*ats_changed)(struct pci_func *f);
	/* What pci_msix_fd() or pci_msi_fd() says of the vector may have changed. May be NULL. */
	void (*vector_changed)(struct pci_func *f, unsigned int vector);
};

struct pci_id {
	u16 vendor, device, subsystem_vendor, subsystem;
	u32 class; /* base, sub, interface: 24 bits */
	u8 revision;
};

/* The segment that @p describes. 0 or -errno; the host is its owner's to destroy, after its
 * functions. */
int pci_host_create(struct pci_host **host, struct vm *vm, const struct platform_pci *p);
void pci_host_destroy(struct pci_host *host);
struct pci_bus *pci_host_bus(struct pci_host *host);

/* How many bytes of a host's windows BARs, and ports with what is behind them, reach up to. */
struct pci_taken {
	u64 mem32, mem64;
};

/*
 * Gives every BAR a place, and every port windows for what is behind it, with room for more while
 * there is some. Once all functions are there, before the guest runs. -ENOSPC: @taken is more than
 * the host has, and nothing has a place.
 */
int pci_host_place(struct pci_host *host, struct pci_taken *taken);

/*
 * A root port on the next free device of @host's root bus: hotplug-capable
 * slot, ACS, end-end prefixes, one device behind it. @slot is its physical
 * slot number, unique in the machine. 0, -ENOSPC or -ENOMEM. Destroyed after
 * what is behind it.
 */
int pci_port_create(struct pci_func **port, struct pci_host *host, unsigned int slot);
void pci_port_destroy(struct pci_func *port);

struct vm *pci_bus_vm(const struct pci_bus *bus);

/*
 * Gives @f the next free device on @bus, function 0: of 32 on a root bus, of 1
 * behind a port. -ENOSPC: none is free; -ENOMEM. @f is the caller's and outlives the
 * bus's use of it: pci_func_remove().
 */
int pci_func_add(struct pci_bus *bus, struct pci_func *f, const struct pci_id *id);
void pci_func_remove(struct pci_func *f);
/* The same while the guest runs, as if it were pulled out: a port says so (6.7.3). */
void pci_func_pull(struct pci_func *f);
/* Its config space is whole: a reset brings back what is in it now, with no BAR anywhere. */
void pci_func_ready(struct pci_func *f);
void pci_func_reset(struct pci_func *f);

/* Requester ID as the guest numbers its buses now: bus, device, function. */
u16 pci_rid(const struct pci_func *f);
/* It is behind a port. */
bool pci_has_link(const struct pci_func *f);

/* A port's: the number of the bus behind it. */
u8 pci_bus_secondary(const struct pci_func *port);

/* A memory BAR, with no address yet (pci_host_place). Before the guest runs. */
void pci_bar_add(struct pci_func *f, unsigned int nr, const struct pci_bar *bar);

/* Appends a capability of @len bytes (with its header: 2 bytes, extended: 4); its offset. */
unsigned int pci_cap_add(struct pci_func *f, u8 id, unsigned int len);
unsigned int pci_ext_cap_add(struct pci_func *f, u16 id, u8 version, unsigned int len);
/* A designated vendor-specific one, with its header. */
unsigned int pci_dvsec_add(struct pci_func *f, u16 vendor, u8 revision, u16 id, unsigned int len);
/*
 * A PCI Express capability (7.5.3): an endpoint behind a port, and on a root
 * bus an endpoint integrated in the root complex.
 */
void pci_express_add(struct pci_func *f);
/* Function-level reset, by Device Control, after that: pci_func_reset(), but the link is as it was.
 */
void pci_flr_add(struct pci_func *f);
/* Power management (7.5.2): in D3hot it decodes nothing, reaches no memory and drives no pin. */
void pci_pm_add(struct pci_func *f);

/* Little-endian fields of config space. */
void pci_set16(struct pci_func *f, unsigned int offset, u16 val);
void pci_set32(struct pci_func *f, unsigned int offset, u32 val);
u16 pci_get16(const struct pci_func *f, unsigned int offset);
u32 pci_get32(const struct pci_func *f, unsigned int offset);
void pci_allow16(struct pci_func *f, unsigned int offset, u16 mask);
void pci_allow32(struct pci_func *f, unsigned int offset, u32 mask);

/* INTA of this function, unless the guest has it disabled. */
void pci_set_intx(struct pci_func *f, bool level);
/* The SPI that it leads to. */
unsigned int pci_intx_spi(const struct pci_func *f);

/* MSI-X (6.1.4): @nr vectors, table and pending bits in a BAR of their own. 0 or -ENOMEM. */
int pci_msix_add(struct pci_func *f, unsigned int bar, unsigned int nr);
/* The same of a capability that is in @f's config space, with table and bits where that says: in a
 * BAR of the caller's, which asks these first. False: not theirs. */
int pci_msix_take(struct pci_func *f, unsigned int cap);
unsigned int pci_msix_size(const struct pci_func *f); /* how many vectors there are */
bool pci_msix_read(const struct pci_func *f, unsigned int bar, u64 offset, unsigned int size,
                   u64 *val);
bool pci_msix_write(struct pci_func *f, unsigned int bar, u64 offset, unsigned int size, u64 val);
void pci_msix_remove(struct pci_func *f);
/* Vectors as out of reset, and none pending: the function's own reset; a
 * device's has the latter. */
void pci_msix_reset(struct pci_func *f);
void pci_msix_forget(struct pci_func *f);
bool pci_msix_enabled(const struct pci_func *f);
/* Sends, or keeps pending while masked. A vector out of range is ignored: it means "none". */
void pci_msix_raise(struct pci_func *f, unsigned int vector);
/*
 * An eventfd that raises the vector at each write, from anywhere; the function's.
 * -1: there is none now, since it is masked, or KVM has no route for its message.
 */
int pci_msix_fd(struct pci_func *f, unsigned int vector);
/* Raised now, the vector would be pending. */
bool pci_msix_is_masked(const struct pci_func *f, unsigned int vector);
/* Whether it may reach memory: in D0, by its Bus Master Enable and its port's (7.5.1.1.3). */
bool pci_is_master(const struct pci_func *f);
/* What masked its vectors may have gone: those that are pending are sent. */
void pci_msix_unmask(struct pci_func *f);
/* The guest wrote message control; msix.c's half of a config write. */
void pci_msix_control_written(struct pci_func *f, unsigned int offset, unsigned int size);

/*
 * MSI (6.1.4): @nr vectors, a power of two up to 32, 64-bit addresses; @maskable: each has a mask
 * and a pending bit (7.7.1.7, 7.7.1.8). 0 or -ENOMEM.
 */
int pci_msi_add(struct pci_func *f, unsigned int nr, bool maskable);
/* The same of a capability that is in @f's config space, as that has it. */
int pci_msi_take(struct pci_func *f, unsigned int cap);
void pci_msi_remove(struct pci_func *f);
/* How many the guest has enabled; 0: MSI is off. */
unsigned int pci_msi_enabled(const struct pci_func *f);
/* Sends, or keeps pending while masked. One that is not enabled is not sent. */
void pci_msi_raise(struct pci_func *f, unsigned int vector);
/* As pci_msix_fd(); -1 as well while the vector is not enabled. */
int pci_msi_fd(struct pci_func *f, unsigned int vector);

/* A message of the function's that is no vector's: nothing without Bus Master Enable. */
void pci_message_write(struct pci_func *f, u64 addr, u32 data);

/*
 * ats.c. Address translation (10.5.1): 32 invalidations at once, page aligned requests. Page
 * requests (10.5.2): @capacity may be outstanding. PASIDs (7.8.9) of @bits bits, 1 to 20, with
 * execute permission; after pci_express_add().
 */
void pci_ats_add(struct pci_func *f);
void pci_pri_add(struct pci_func *f, u32 capacity);
void pci_pasid_add(struct pci_func *f, unsigned int bits);
bool pci_ats_enabled(const struct pci_func *f);
/* Bytes, the smallest range that is translated alike (STU). */
u64 pci_ats_unit(const struct pci_func *f);
/* Whether a request may have @pasid, and ask for execute permission. */
bool pci_pasid_allowed(const struct pci_func *f, u32 pasid, bool exec);
bool pci_pri_enabled(const struct pci_func *f);
void pci_pri_disable(struct pci_func *f);
/* One more page request, if that is enabled and there is a credit left. */
bool pci_pri_begin(struct pci_func *f);
/* @nr of them have their response, or were not sent after all. */
void pci_pri_end(struct pci_func *f, unsigned int nr);
/* A response to nothing that is outstanding. */
void pci_pri_unexpected(struct pci_func *f);
/* A response of failure (10.4.2.1): none are enabled or outstanding from now on. */
void pci_pri_failed(struct pci_func *f);

/* One access to config space, bounded and aligned by the caller. */
u32 pci_config_read(struct pci_func *f, unsigned int offset, unsigned int size);
void pci_config_write(struct pci_func *f, unsigned int offset, unsigned int size, u32 val);

#endif

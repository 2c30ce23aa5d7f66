/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_PLATFORM_H
#define VMM_PLATFORM_H

#include "vmm/types.h"

/*
 * The machine as the guest is told of it: plain data that machine/ fills and
 * that fdt/ and acpi/ print, reading nothing else.
 * Addresses are guest-physical, sizes bytes, interrupts SPIs counted from 0.
 */
#define PLATFORM_UARTS       4
#define PLATFORM_SEGMENTS    64
#define PLATFORM_VIRTIO_MMIO 32
#define PLATFORM_MSI_FRAMES  1
#define PLATFORM_IOMMUS      16
#define PLATFORM_ENDPOINTS   512
#define PLATFORM_FUNCTIONS   768
#define PLATFORM_BRIDGES     256
#define PLATFORM_RESERVED    8
#define PLATFORM_UNMAPPABLE  25 /* ranges of one IOMMU */

struct platform_device {
	gpa_t base;
	u64 size; /* 0: there is none */
	u32 spi;
};

struct platform_window {
	gpa_t cpu; /* where the CPU sees it */
	u64 bus;   /* where the bus does */
	u64 size;  /* 0: none */
};

/* Who takes messages. */
enum platform_msi { PLATFORM_MSI_NONE, PLATFORM_MSI_ITS, PLATFORM_MSI_V2M };
struct platform_msi_frame {
	enum platform_msi kind;
	gpa_t base;
	u64 size;
	gpa_t doorbell;
	u32 first_spi, nr_spis; /* a v2m frame's */
};

/* An IOMMU. */
enum platform_iommu_kind { PLATFORM_IOMMU_VIRTIO, PLATFORM_IOMMU_SMMUV3 };
struct platform_iommu {
	enum platform_iommu_kind kind;
	const char *name; /* the user's; guests do not see it */
	/* A virtio-iommu: a function, or a slot of virtio_mmio. */
	bool is_pci;
	unsigned int pci;  /* index of its segment */
	u16 rid;           /* of the function */
	unsigned int mmio; /* index of the slot */
	/* An SMMUv3: on the board; its interrupts are edges. */
	gpa_t base;
	u64 size;
	u32 eventq_spi, gerror_spi, priq_spi, sync_spi;
	bool sends_msis; /* to the MSI frame, which knows it by @devid */
	u32 devid;
	u32 httu;         /* IDR0.HTTU */
	bool noncoherent; /* its own accesses are past the caches: no IDR0.COHACC */
	const char *host; /* whose SMMU translates for it, by its name; NULL: none does */
	/* A virtio-iommu: IOVAs that its driver cannot map, and why. It tells of them itself. */
	struct {
		u64 first, last; /* bytes, both included */
		bool is_msi;     /* messages go there, untranslated */
	} unmappable[PLATFORM_UNMAPPABLE];
	unsigned int nr_unmappable;
};

/* Addresses of which an endpoint's DMA finds each at itself, whatever else its driver maps. */
enum platform_reserved_kind {
	PLATFORM_RESERVED_MSI,    /* doorbells; a program that has the device does without */
	PLATFORM_RESERVED_MEMORY, /* memory, which is not RAM of the guest's */
};
struct platform_reserved {
	gpa_t base; /* multiples of 64 KiB, as the size */
	u64 size;
	enum platform_reserved_kind kind;
};

/* A requester behind an IOMMU, which knows it by @id. */
struct platform_endpoint {
	unsigned int iommu; /* index */
	u32 id;
	bool is_pci;
	unsigned int pci; /* index of its segment */
	u16 rid;
	unsigned int mmio; /* index of the slot */
	bool can_stall;    /* its transactions wait while a fault is served */
	u8 pasid_bits;     /* of the PASIDs that it has; a function says that itself, too */
	u32 reserved;      /* a bit for each index of a reserved range that is there for it */
};

/* A PCI bridge below a segment's root bus, told of where an endpoint behind it has more to tell. */
struct platform_bridge {
	unsigned int pci; /* index of its segment */
	u16 rid;
	u8 secondary, subordinate; /* its buses */
};

/* A PCI function, or a virtio device over MMIO. Guests find it by themselves: for who looks on. */
struct platform_function {
	const char *name; /* what it is; of a virtio device, its type's */
	bool is_virtio;
	const char *option, *value; /* what asked for it */
	bool is_pci;
	unsigned int pci; /* index of its segment */
	u16 rid;
	unsigned int mmio; /* index of the slot */
};

/* One PCI segment: a host bridge with its buses. */
struct platform_pci {
	u16 segment;
	u8 last_bus;
	gpa_t ecam;
	struct platform_window io, mem32, mem64; /* the last one prefetchable */
	u32 intx_spi[4]; /* INTA to INTD of device 0; the rest are swizzled */
	u32 devid_base;  /* DeviceID of requester ID 0 at the ITS */
	/* What the root complex passes on to an IOMMU: requests for translations and for pages,
	 * and PASIDs of so many bits. */
	bool ats, pri;
	u8 pasid_bits;
	bool noncoherent; /* DMA is past the caches */
	bool canwbs;      /* DMA through an IOMMU is coherent even if it asks not to be */
};

struct platform {
	unsigned int nr_cpus;
	bool pmu; /* each CPU's: PPI 23 */
	bool el2; /* CPUs start there: PSCI by SMC, and interrupts of its timer and of the GIC */
	struct {
		gpa_t base;
		u64 size;
	} ram;
	struct {
		unsigned int version; /* 2: with a CPU interface; 3: with redistributors */
		gpa_t dist, redist, cpu;
		u64 dist_size, redist_size, cpu_size;
	} gic;
	struct platform_msi_frame msi_frames[PLATFORM_MSI_FRAMES];
	unsigned int nr_msi_frames; /* 0: there are no MSIs */
	struct platform_device rtc, pvpanic, gpio;
	unsigned int power_pin;                       /* of the gpio */
	struct platform_device uarts[PLATFORM_UARTS]; /* the first is the console */
	bool no_uart_console;                         /* it is not: something else is */
	struct platform_device virtio_mmio[PLATFORM_VIRTIO_MMIO];
	unsigned int nr_virtio_mmio;
	struct platform_pci pci[PLATFORM_SEGMENTS];
	unsigned int nr_pci;
	struct platform_iommu iommus[PLATFORM_IOMMUS];
	unsigned int nr_iommus;
	struct platform_endpoint endpoints[PLATFORM_ENDPOINTS];
	unsigned int nr_endpoints;
	struct platform_function functions[PLATFORM_FUNCTIONS];
	unsigned int nr_functions;
	struct platform_bridge bridges[PLATFORM_BRIDGES];
	unsigned int nr_bridges;
	struct platform_reserved reserved[PLATFORM_RESERVED];
	unsigned int nr_reserved;
	struct {
		const char *bootargs;
		gpa_t initrd;
		u64 initrd_size; /* 0: none */
		u64 kaslr_seed;  /* 0: there are no seeds */
		u8 rng_seed[64];
		/* What EFI would leave behind, where the rest is told by ACPI; 0: nothing, it is
		 * told here. */
		gpa_t efi_system_table, efi_memory_map;
		u32 efi_memory_map_size, efi_descriptor_size; /* bytes */
	} chosen;
};

#endif

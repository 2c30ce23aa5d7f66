/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_OPTIONS_H
#define MACHINE_OPTIONS_H

#include "devices/smmuv3/smmuv3.h"
#include "vfio/context.h"
#include "vmm/arm64/cpu.h"
#include "vmm/platform.h"

#define MAX_DISKS     256
#define MAX_NETS      32
#define MAX_FS        8
#define MAX_DMA_TESTS 256
#define MAX_VFIO      32
#define MAX_PORTS     256
#define MAX_CLAIMS    PLATFORM_ENDPOINTS

struct iommu_kind;
struct irqchip;

/* Where a device goes: of any device option. */
struct place {
	const char *bus;   /* a root port's ID; NULL: a root bus */
	const char *iommu; /* an IOMMU's ID, or "none"; NULL: that of its bus, if that has one */
	u64 segment;       /* its number */
	bool pci, mmio;    /* it is there, whatever virtio devices are on */
	bool stalls;       /* its accesses can wait, and the guest is told so */
	u64 pasid;         /* bits of the PASIDs that it has; 0: none */
	bool external;     /* its rings are worked by another program, past any IOMMU */
};

struct port_option {
	const char *id;
	u64 segment;
};

/* A device option that has a place: checked when all options are known. */
struct claim {
	const char *option, *value;
	const struct place *place;
};

struct disk_option {
	const char *path;
	bool read_only, direct;
	const char *serial; /* NULL: none */
	u64 queues;         /* 0: not said */
	struct place place;
};

struct net_option {
	const char *said; /* the option's first word */
	const char *tap;  /* an interface's name; NULL: none */
	bool passt;
	bool has_mac;
	u8 mac[6];
	u64 queues; /* pairs */
	struct place place;
};

struct vsock_option {
	const char *said; /* NULL: not given */
	u64 cid;
	struct place place;
};

struct fs_option {
	const char *dir, *tag, *sandbox; /* sandbox: virtiofsd's word; NULL: its default */
	bool read_only;
	struct place place;
};

/* Who serves a function's page faults. */
struct fault_option {
	const char *stall_said, *route_said; /* NULL: not given */
	enum fault_stall { FAULT_STALL_AUTO, FAULT_STALL_ON, FAULT_STALL_OFF } stall;
	enum fault_route {
		FAULT_ROUTE_AUTO,
		FAULT_ROUTE_STALL,
		FAULT_ROUTE_MAILBOX,
		FAULT_ROUTE_OFF,
		/* these are of emulated functions alone */
		FAULT_ROUTE_PRIQ,
		FAULT_ROUTE_VIRTIO,
	} route;
	u64 timeout;         /* ms; 0: none */
	bool host_by_tree;   /* the host has a device tree, and no ACPI */
	bool host_can_stall; /* its firmware says so, where that can be read */
};

/* IOVAs or domains, both ends included. */
struct iommu_range {
	u64 first, last;
};

#define MAX_RESERVED 8
#define MAX_BUSES    16

/* Buses of a segment, both ends included. */
struct iommu_buses {
	u64 segment, first, last; /* the segment's number */
	bool all;                 /* of its buses, however many it has */
	const char *text;         /* as it was said */
};

struct iommu_option {
	const char *id;
	const struct iommu_kind *kind;
	struct iommu_buses buses[MAX_BUSES]; /* whose devices are behind it */
	unsigned int nr_buses;
	/* A virtio-iommu's: */
	struct place place; /* of which an IOMMU has only the segment */
	bool has_transport, mmio;
	bool msi_translate;
	bool has_host_msi;
	struct iommu_range host_msi;
	bool bypass;
	u64 granule; /* bytes */
	struct iommu_range input, domains, reserved[MAX_RESERVED];
	unsigned int nr_reserved;
	u64 max_mappings;
	bool page_requests, attach_table;
	/* An SMMUv3's: */
	struct smmu_id registers;
	enum iommu_accel { ACCEL_AUTO, ACCEL_ON, ACCEL_OFF } accel;
	const char *host;  /* which of the host's it is to be, as sysfs names it; NULL: any */
	char made_for[64]; /* nobody has said it, but it is for functions behind that; or empty */
	u64 segment;       /* and this number is its own */
	bool sends_msis;
};

/* What the command line asked for, checked in itself; files are not opened yet. */
struct options {
	const char *kernel, *initrd, *params;
	unsigned int cpus;
	const struct irqchip *irqchip;
	u64 mem;                 /* bytes */
	u64 hugetlb;             /* RAM of huge pages of so many bytes; 0: not said */
	const char *hugetlbfs;   /* RAM is a file in this folder; NULL: it is not */
	struct arch_config arch; /* the vCPUs */
	struct disk_option disks[MAX_DISKS];
	unsigned int nr_disks;
	struct net_option nets[MAX_NETS];
	unsigned int nr_nets;
	struct vsock_option vsock;
	struct fs_option fs[MAX_FS];
	unsigned int nr_fs;
	u16 segments[PLATFORM_SEGMENTS]; /* the first is 0 */
	unsigned int nr_segments;
	struct port_option ports[MAX_PORTS];
	unsigned int nr_ports;
	struct iommu_option iommus[PLATFORM_IOMMUS];
	unsigned int nr_iommus;
	struct claim claims[MAX_CLAIMS];
	unsigned int nr_claims;
	/* IOVAs where doorbells are; the host's, if it was not said */
	struct iommu_range msi_window;
	bool msi_window_said;
	u32 timeout;    /* seconds; 0: none */
	u64 deadline;   /* when it is over, all reboots included: ns of CLOCK_MONOTONIC */
	u32 trace;      /* BIT(enum log_topic) */
	u64 kaslr_seed; /* 0: a random one */
	bool acpi;      /* what the machine is described by; else by an FDT */
	const char *dump_dtb, *dump_acpi;
	const char *name; /* NULL: guest-PID */
	const char *log_json;
	bool virtio_mmio;    /* virtio devices over MMIO, not PCI */
	bool virtio_console; /* the console is a virtio device, not the first UART */
	struct dma_test_option {
		bool ats, pri;
		const char *fault;   /* who takes its page requests; NULL: its IOMMU */
		const char *backend; /* what its faults go through before: "mock"; NULL: nothing */
		u64 fault_timeout;   /* ms; 0: none */
		struct place place;
	} dma_tests[MAX_DMA_TESTS];
	unsigned int nr_dma_tests;
	struct vfio_option {
		const char *said;
		char at[24];      /* as sysfs has it */
		bool finds_iommu; /* it goes behind the SMMU of the guest's that is its host's */
		const char *token_said; /* NULL: none */
		u8 token[VFIO_TOKEN_SIZE];
		struct place place;
		struct fault_option fault;
	} vfio[MAX_VFIO];
	unsigned int nr_vfio;
	bool rng;
	struct place console_place, rng_place;
	bool reboot, strict_io;
	bool overcommit;
	bool help;
	char why[400]; /* what was expected, where it takes more than a fixed text */
};

/*
 * The arguments after `nestor run`. False: one line was printed that names the
 * option, the value and what was expected. Strings stay the caller's (argv).
 */
bool options_parse(struct options *o, int argc, char **argv);
/* What is there, beside each other: again where something was added. False: as above. */
bool options_check(struct options *o);
void options_help(void);

#endif

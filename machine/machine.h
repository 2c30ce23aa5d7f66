/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include <sys/signalfd.h>

#include "fault/bridge.h"
#include "machine/boot.h"
#include "machine/iommu.h"
#include "machine/options.h"
#include "machine/terminal.h"
#include "vfio/context.h"
#include "vmm/arch.h"
#include "vmm/platform.h"
#include "vmm/vm.h"

struct button;
struct console;
struct dma_test;
struct helper;
struct net_backend;
struct pci_bus;
struct pci_func;
struct pci_host;
struct serial;
struct session;
struct virtio_dev;
struct vfio_pci;
struct vsmmu;

/* A device, its transport, and its faults by hand; a port, a segment's host; what is there once. */
#define MAX_OWNED (3 * MAX_CLAIMS + MAX_PORTS + PLATFORM_SEGMENTS + PLATFORM_IOMMUS + 32)

/* Something that was made, and how it is unmade. */
struct owned {
	void (*destroy)(void *object);
	void *object;
};

/* The board, shared by the files of this folder. */
struct machine {
	const struct options *options;
	struct log log;
	struct boot boot;
	u64 huge_page; /* that RAM is made of; 0: none in particular */
	struct terminal terminal;
	struct irqchip_config irqs;
	struct vm vm;
	struct platform platform;
	struct session *session; /* NULL: it never runs */
	struct console *console;
	struct pci_host *pci[PLATFORM_SEGMENTS];
	struct pci_func *ports[MAX_PORTS];     /* as in the options */
	void *iommus[PLATFORM_IOMMUS];         /* the same; what one is, its kind knows */
	struct vsmmu *vsmmus[PLATFORM_IOMMUS]; /* NULL: no SMMU of the host's translates for it */
	/* As in the options, but for what the host has not. */
	struct iommu_option iommu_options[PLATFORM_IOMMUS];
	struct endpoint endpoints[MAX_CLAIMS]; /* stays where it is */
	unsigned int nr_endpoints;
	struct owned owned[MAX_OWNED]; /* in the order they were made */
	unsigned int nr_owned;
	int disks[MAX_DISKS]; /* open files; -1 once a device owns one */
	u64 disk_sizes[MAX_DISKS];
	struct net_backend *nets[MAX_NETS];   /* NULL once a device owns one */
	struct helper *net_helpers[MAX_NETS]; /* NULL: it has none */
	struct fs_backend {
		int fd;                /* -1: a device owns it */
		struct helper *helper; /* NULL: it has none yet */
	} fs[MAX_FS];
	struct iommu_range msi_window; /* where doorbells are: as was said, or as the host has it */
	struct fault_hub faults;
	struct fault_events {
		struct loop_op timer; /* each second */
		struct __kernel_timespec second;
		bool timing, waits; /* waits: an event is due */
		u64 told;           /* ns: the last one */
		u64 unserved;       /* by all but bridges, when it was told last */
		char device[40];    /* of the bridge whose the last was */
	} fault_events;
	bool host_canwbs; /* assigned functions' DMA is coherent even if it asks not to be */
	struct vfio_context vfio_context;
	struct machine_vfio {
		struct vfio_device dev;
		struct vm *vm;
		char cdev[64];         /* in /dev/vfio/devices */
		int group;             /* of IOMMUs */
		char host[64];         /* the IOMMU in front of it, as sysfs names it */
		struct vfio_range msi; /* where the host maps doorbells for it */
		bool moves_msis;       /* they are to be there, and are not yet */
		struct vfio_pci *pci;  /* NULL: it is not there yet */
	} vfio[MAX_VFIO];
	struct dma_test *dma_tests[MAX_DMA_TESTS]; /* as in the options; NULL: not there yet */
	int vsock;                                 /* -1: none, or a device owns it */
	struct virtio_dev **virtio;                /* each, for the control socket */
	unsigned int nr_virtio;
	int (*press_power)(struct machine *m); /* NULL: there is no button. 0 or -errno */
	struct button *button;
	int signals;
	struct signalfd_siginfo siginfo;
	struct loop_op signal_op, timeout_op;
	struct __kernel_timespec timeout;
};

/*
 * Builds the board, runs the guest to its end, takes all of it down again.
 * The exit code; whatever failed was said in one line. The session is opened
 * by the first machine, and stays for the next.
 */
int machine_run(const struct options *o, struct session *s);

/*
 * Puts the same machine together of nothing of this host: no KVM, no file, no helper. Devices whose
 * other half is on a host have stand-ins. @show looks at it; then all of it goes. @show's exit
 * code, or that of what was said in one line.
 */
int machine_describe(const struct options *o, int (*show)(struct machine *m, void *ctx), void *ctx);

/* @object is unmade by @destroy when the machine is, after all that was made later. 0, for a
 * creation to end with. */
int machine_own(struct machine *m, void (*destroy)(void *object), void *object);

/* The bus that @place says, and the index of its segment. */
struct pci_bus *machine_bus(struct machine *m, const struct place *place);
unsigned int machine_segment(const struct machine *m, const struct place *place);

/* A virtio device goes where @place says, on the transport of this machine. 0 or -errno. */
int machine_add_virtio(struct machine *m, struct virtio_dev *dev, const struct place *place);
/* The same for IOMMU @i, a virtio-iommu, which is then in the platform. */
int machine_add_viommu(struct machine *m, struct virtio_dev *dev, unsigned int i);

/*
 * where.c: a device is there, and whoever is told of the machine is told so; the IOMMU that it is
 * behind too. @name outlives the machine.
 */
void machine_is_pci(struct machine *m, const struct place *place, struct pci_func *f, bool virtio);
void machine_is_mmio(struct machine *m, const struct place *place, const char *name,
                     unsigned int slot);
void machine_is_port(struct machine *m, const struct port_option *o, const struct pci_func *port,
                     unsigned int segment);

/* control.c: what the control socket asks of a machine. */
struct control_ops;
extern const struct control_ops machine_control_ops;
/* A virtio device that it tells of. 0 or -ENOMEM. */
int machine_list_virtio(struct machine *m, struct virtio_dev *dev);

/* One past the highest address of the board that @o asks for. */
gpa_t board_top(const struct options *o);
/* Its segment of index @i in the options: where it is, on which lines. */
void board_describe_segment(struct platform_pci *pci, const struct options *o, unsigned int i);
/* When all devices are there, their BARs get places: 0, or an exit code: a segment has no room for
 * them, and that was said in one line. */
int board_place(struct machine *m);
/* How many SPIs it has. */
unsigned int board_spis(const struct options *o);

/* Each kind of device, a file each; 0, -errno, or an exit code whose line was printed. */
int board_create(struct machine *m);
int onboard_create(struct machine *m);
int iommus_create(struct machine *m);
int disks_create(struct machine *m);
int nets_create(struct machine *m);
int vsock_device_create(struct machine *m);
int fs_devices_create(struct machine *m);
int hvc_create(struct machine *m);
int rng_device_create(struct machine *m);
int dma_tests_create(struct machine *m);
int dma_tests_describe(struct machine *m);
/* First they are bound, before what IOMMUs of the guest's they will be behind. */
int vfio_devices_bind(struct machine *m);
int vfio_devices_create(struct machine *m);
/* stand_in.c: in the place of these, all of those whose other half is on a host. */
int stand_ins_create(struct machine *m);
int vfio_stand_ins_create(struct machine *m);

#endif

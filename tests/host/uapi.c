// SPDX-License-Identifier: GPL-2.0-only
/* uapi CDEV: the calls of iommufd and vfio on a real kernel, through Nestor's own table: guest RAM,
 * a function, and an SMMU's slice for it; each made, tried and destroyed. A line a step; what is
 * traced is on stderr. uapi error PID FD: the kernel signals an error of the function that has that
 * descriptor in that process. */
#include <errno.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vfio/context.h"
#include "vmm/log.h"
#include "vmm/mem.h"

#define RAM_BASE   0x80000000ULL
#define RAM_SIZE   (64ULL << 20)
#define MSI_WINDOW 0x08000000ULL
#define VSID       0x100
#define STE_V      BIT(0)      /* IHI 0070, 5.2 */
#define STE_PASS   (4ULL << 1) /* Config: bypass */
#define NSNH_ALL   0x30        /* 4.4.4.1: CMD_TLBI_NSNH_ALL */
#define NR_LAYERS  8           /* calls of the layer below, from its beginning to its end */
#define PASID      5
#define NVME       0x00101b36u /* QEMU's, as the first word of its configuration space */
#define NVME_AQA   0x24        /* registers that keep what is written: sizes of queues; */
#define CARD_RAL   0x5400      /* a part of the card's address */
#define KICK       0x00120034u

/* All that a step leaves to the next. */
struct bench {
	struct log log;
	struct vfio_context context;
	struct vfio_device device;
	struct guest_mem ram;
	const char *name;
	u32 parent, viommu, veventq, fault, bypass, vdevice, copy;
	int veventq_fd, fault_fd;
};

#define U(b)           (&(b)->context.uapi)
#define DO(b, fn, ...) ((b)->context.uapi.ops->fn(U(b), __VA_ARGS__))

static int destroy(struct bench *b, u32 id)
{
	struct iommu_destroy arg = { .id = id };

	return DO(b, destroy, &arg);
}

static int bind_and_map(struct bench *b)
{
	int err = vfio_context_open(&b->context);

	if (!err)
		err = vfio_context_map(&b->context, &b->ram);
	if (!err)
		err = vfio_device_open(&b->device, &b->context, b->name);
	return err ? err : vfio_device_bind(&b->device);
}

static int attach(struct bench *b)
{
	int err = vfio_device_attach(&b->device, b->context.ioas);

	if (err)
		return err;
	/* the kernel has made a table, which is what uses the IOAS */
	return b->device.hwpt != b->context.ioas && destroy(b, b->context.ioas) == -EBUSY ? 0
	                                                                                  : -EPROTO;
}

/* While it is attached, less where the host has messages (IOMMU_RESV_SW_MSI). */
static int ranges(struct bench *b)
{
	struct iommu_iova_range list[16] = { 0 };
	struct iommu_ioas_iova_ranges arg = { .ioas_id = b->context.ioas };
	int err = DO(b, ioas_iova_ranges, &arg);

	if (err != -EMSGSIZE || arg.num_iovas < 2 || arg.num_iovas > 16)
		return -EPROTO;
	arg.allowed_iovas = (uintptr_t)list;
	err = DO(b, ioas_iova_ranges, &arg);
	if (!err && (list[0].start != 0 || list[0].last != MSI_WINDOW - 1))
		return -EPROTO;
	return err ? err : vfio_device_detach(&b->device);
}

/* Where the kernel chooses it is one of them; there is room for one. */
static int allow_some(struct bench *b, u32 ioas)
{
	struct iommu_iova_range some = { .start = RAM_BASE, .last = RAM_BASE + RAM_SIZE - 1 };
	struct iommu_ioas_allow_iovas allow = { .ioas_id = ioas,
		                                .num_iovas = 1,
		                                .allowed_iovas = (uintptr_t)&some };
	struct iommu_ioas_copy copy = { .flags = IOMMU_IOAS_MAP_READABLE,
		                        .dst_ioas_id = ioas,
		                        .src_ioas_id = b->context.ioas,
		                        .length = RAM_SIZE,
		                        .src_iova = RAM_BASE };
	int err = DO(b, ioas_allow_iovas, &allow);

	err = err ? err : DO(b, ioas_copy, &copy);
	if (!err && (copy.dst_iova != RAM_BASE || DO(b, ioas_copy, &copy) != -ENOSPC))
		return -EPROTO;
	return err;
}

static int maps(struct bench *b)
{
	struct iommu_ioas_alloc ioas = { 0 };
	struct iommu_ioas_copy copy = { .flags = IOMMU_IOAS_MAP_READABLE,
		                        .src_ioas_id = b->context.ioas,
		                        .length = RAM_SIZE,
		                        .src_iova = RAM_BASE };
	struct iommu_ioas_unmap unmap = { .length = 4096 };
	struct iommu_option option = { .option_id = IOMMU_OPTION_HUGE_PAGES,
		                       .op = IOMMU_OPTION_OP_GET,
		                       .object_id = b->context.ioas };
	int err = DO(b, ioas_alloc, &ioas);

	copy.dst_ioas_id = unmap.ioas_id = ioas.out_ioas_id;
	err = err ? err : DO(b, ioas_copy, &copy);
	unmap.iova = copy.dst_iova;
	if (!err && DO(b, ioas_unmap, &unmap) != -ENOENT) /* only whole ones */
		return -EPROTO;
	unmap.length = RAM_SIZE;
	err = err ? err : DO(b, ioas_unmap, &unmap);
	err = err ? err : allow_some(b, ioas.out_ioas_id);
	err = err ? err : DO(b, option, &option);
	return err ? err : destroy(b, ioas.out_ioas_id);
}

static int information(struct bench *b)
{
	const int fd = b->device.fd;
	struct vfio_device_info info = { 0 };
	struct vfio_region_info region = { .index = VFIO_PCI_CONFIG_REGION_INDEX };
	struct vfio_irq_info irq = { .index = VFIO_PCI_MSIX_IRQ_INDEX };
	int err = DO(b, get_info, fd, &info);

	err = err ? err : DO(b, get_region_info, fd, &region);
	err = err ? err : DO(b, get_irq_info, fd, &irq);
	if (!err && (!(info.flags & VFIO_DEVICE_FLAGS_PCI) || region.size != 4096 || !irq.count))
		return -EPROTO;
	return err;
}

/* When the host wants it back, an eventfd says so; -1 ends that. */
static int interrupts(struct bench *b)
{
	struct {
		struct vfio_irq_set set;
		int fd;
	} arg = { .set = { .argsz = sizeof(arg),
		           .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		           .index = VFIO_PCI_REQ_IRQ_INDEX,
		           .count = 1 },
		  .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	const int fd = arg.fd;
	eventfd_t count = 0;
	int err = DO(b, set_irqs, b->device.fd, &arg.set);

	arg.set.argsz = sizeof(arg.set);
	arg.set.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
	err = err ? err : DO(b, set_irqs, b->device.fd, &arg.set);
	if (!err && (eventfd_read(fd, &count) || count != 1))
		err = -EPROTO;
	arg.set.argsz = sizeof(arg);
	arg.set.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	arg.fd = -1;
	err = err ? err : DO(b, set_irqs, b->device.fd, &arg.set);
	close(fd);
	return err;
}

static int resets(struct bench *b)
{
	struct {
		struct vfio_pci_hot_reset_info info;
		struct vfio_pci_dependent_device devices[8];
	} hot = { .info.argsz = sizeof(hot) };
	struct vfio_pci_hot_reset all = { .argsz = sizeof(all) }; /* what the context has */
	int err = DO(b, reset, b->device.fd);

	err = err ? err : DO(b, get_hot_reset_info, b->device.fd, &hot.info);
	if (!err && (!(hot.info.flags & VFIO_PCI_HOT_RESET_FLAG_DEV_ID) || !hot.info.count))
		return -EPROTO;
	return err ? err : DO(b, hot_reset, b->device.fd, &all);
}

static int region_at(struct bench *b, u32 index, u64 *at)
{
	struct vfio_region_info region = { .index = index };
	int err = DO(b, get_region_info, b->device.fd, &region);

	*at = region.offset;
	return err;
}

/* Where a word is kept that is written to the function, which decodes its memory now. */
static int find_register(struct bench *b, u64 *at)
{
	const u16 memory = PCI_COMMAND_MEMORY;
	u64 config = 0;
	u32 id = 0;
	int err = region_at(b, VFIO_PCI_CONFIG_REGION_INDEX, &config);

	err = err ? err : region_at(b, VFIO_PCI_BAR0_REGION_INDEX, at);
	err = err ? err : DO(b, write, b->device.fd, &memory, sizeof(memory), config + PCI_COMMAND);
	err = err ? err : DO(b, read, b->device.fd, &id, sizeof(id), config);
	*at += id == NVME ? NVME_AQA : CARD_RAL;
	return err;
}

/* Whoever writes an eventfd writes a register. */
static int kicks(struct bench *b)
{
	const int fd = eventfd(0, EFD_CLOEXEC), cdev = b->device.fd;
	struct vfio_device_ioeventfd arg = { .flags = VFIO_DEVICE_IOEVENTFD_32,
		                             .data = KICK,
		                             .fd = fd };
	u64 at = 0;
	u32 word = 0;
	int err = find_register(b, &at);

	arg.offset = at;
	err = err ? err : DO(b, ioeventfd, cdev, &arg);
	err = err ? err : eventfd_write(fd, 1);
	err = err ? err : DO(b, read, cdev, &word, sizeof(word), at);
	if (!err && (word != KICK || DO(b, ioeventfd, cdev, &arg) != -EEXIST))
		err = -EPROTO;
	arg.fd = -1;
	err = err ? err : DO(b, ioeventfd, cdev, &arg);
	close(fd);
	return err ? err : DO(b, ioeventfd, cdev, &arg) == -ENODEV ? 0 : -EPROTO;
}

/* A table of its own for one PASID, which has to be made for PASIDs. The lab's functions send none,
 * but the kernel keeps account of it all the same. */
static int pasids(struct bench *b)
{
	const int fd = b->device.fd;
	struct iommu_hwpt_alloc table = { .flags = IOMMU_HWPT_ALLOC_PASID,
		                          .dev_id = b->device.id,
		                          .pt_id = b->context.ioas };
	struct vfio_device_attach_iommufd_pt attach = { .flags = VFIO_DEVICE_ATTACH_PASID,
		                                        .pasid = PASID };
	struct vfio_device_detach_iommufd_pt detach = { .flags = VFIO_DEVICE_DETACH_PASID,
		                                        .pasid = PASID };
	int err = DO(b, hwpt_alloc, &table);

	attach.pt_id = b->context.ioas;
	if (!err && DO(b, attach, fd, &attach) != -EINVAL)
		return -EPROTO;
	attach.pt_id = table.out_hwpt_id;
	err = err ? err : DO(b, attach, fd, &attach);
	if (!err && destroy(b, table.out_hwpt_id) != -EBUSY)
		return -EPROTO;
	err = err ? err : DO(b, detach, fd, &detach);
	return err ? err : destroy(b, table.out_hwpt_id);
}

static int features(struct bench *b)
{
	return vfio_device_has_feature(&b->device, VFIO_DEVICE_FEATURE_DMA_BUF,
	                               VFIO_DEVICE_FEATURE_GET) &&
	                       !vfio_device_has_feature(&b->device, VFIO_DEVICE_FEATURE_MIGRATION,
	                                                VFIO_DEVICE_FEATURE_GET)
	               ? 0
	               : -EPROTO;
}

static int hw_info(struct bench *b)
{
	struct iommu_hw_info_arm_smmuv3 smmu = { 0 };
	struct iommu_hw_info arg = { .dev_id = b->device.id,
		                     .data_len = sizeof(smmu),
		                     .data_uptr = (uintptr_t)&smmu };
	int err = DO(b, get_hw_info, &arg);

	if (!err && (arg.out_data_type != IOMMU_HW_INFO_TYPE_ARM_SMMUV3 || !smmu.idr[0]))
		return -EPROTO;
	return err;
}

static int slice(struct bench *b)
{
	struct iommu_hwpt_alloc parent = { .flags = IOMMU_HWPT_ALLOC_NEST_PARENT,
		                           .dev_id = b->device.id,
		                           .pt_id = b->context.ioas };
	struct iommu_viommu_alloc viommu = { .type = IOMMU_VIOMMU_TYPE_ARM_SMMUV3,
		                             .dev_id = b->device.id };
	struct iommu_veventq_alloc events = { .type = IOMMU_VEVENTQ_TYPE_ARM_SMMUV3,
		                              .veventq_depth = 16 };
	int err = DO(b, hwpt_alloc, &parent);

	viommu.hwpt_id = b->parent = parent.out_hwpt_id;
	err = err ? err : DO(b, viommu_alloc, &viommu);
	events.viommu_id = b->viommu = viommu.out_viommu_id;
	err = err ? err : DO(b, veventq_alloc, &events);
	b->veventq = events.out_veventq_id;
	b->veventq_fd = events.out_veventq_fd;
	return err;
}

static int nested(struct bench *b)
{
	struct iommu_hwpt_arm_smmuv3 ste = { .ste = { STE_V | STE_PASS } };
	struct iommu_fault_alloc fault = { 0 };
	struct iommu_hwpt_alloc arg = { .flags = IOMMU_HWPT_FAULT_ID_VALID,
		                        .dev_id = b->device.id,
		                        .pt_id = b->viommu,
		                        .data_type = IOMMU_HWPT_DATA_ARM_SMMUV3,
		                        .data_len = sizeof(ste),
		                        .data_uptr = (uintptr_t)&ste };
	int err = DO(b, fault_queue_alloc, &fault);

	arg.fault_id = b->fault = fault.out_fault_id;
	b->fault_fd = fault.out_fault_fd;
	err = err ? err : DO(b, hwpt_alloc, &arg);
	b->bypass = arg.out_hwpt_id;
	return err ? err : vfio_device_attach(&b->device, b->bypass);
}

static int virtual_device(struct bench *b)
{
	struct iommu_vdevice_alloc arg = { .viommu_id = b->viommu,
		                           .dev_id = b->device.id,
		                           .virt_id = VSID };
	struct iommu_viommu_arm_smmuv3_invalidate cmds[] = { { { NSNH_ALL } }, { { 0xff } } };
	struct iommu_hwpt_invalidate inv = { .hwpt_id = b->viommu,
		                             .data_uptr = (uintptr_t)cmds,
		                             .data_type = IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
		                             .entry_len = sizeof(cmds[0]),
		                             .entry_num = 1 };
	int err = DO(b, vdevice_alloc, &arg);

	b->vdevice = arg.out_vdevice_id;
	err = err ? err : DO(b, hwpt_invalidate, &inv);
	inv.entry_num = 2; /* and one that is none */
	return err ? err : DO(b, hwpt_invalidate, &inv) == -EIO ? 0 : -EPROTO;
}

/* What uses another is destroyed before it; the other way round is refused. */
static int order(struct bench *b)
{
	if (destroy(b, b->parent) != -EBUSY || destroy(b, b->viommu) != -EBUSY ||
	    destroy(b, b->bypass) != -EBUSY || destroy(b, b->fault) != -EBUSY ||
	    destroy(b, b->veventq) != -EBUSY)
		return -EPROTO;
	return vfio_device_detach(&b->device);
}

static int take_down(struct bench *b)
{
	int err = destroy(b, b->bypass);

	b->context.uapi.ops->close(U(b), b->fault_fd);
	b->context.uapi.ops->close(U(b), b->veventq_fd);
	err = err ? err : destroy(b, b->fault);
	err = err ? err : destroy(b, b->vdevice);
	err = err ? err : destroy(b, b->veventq);
	err = err ? err : destroy(b, b->viommu);
	err = err ? err : destroy(b, b->parent);
	vfio_device_close(&b->device);
	vfio_context_close(&b->context);
	return err;
}

/* What there is of the layer goes, and the host gives all of it anew. */
static int layer(struct bench *b, unsigned int fail_at)
{
	int err;

	b->context.uapi.calls = 0;
	b->context.uapi.fail_at = fail_at;
	b->context.uapi.fail_err = -EIO;
	b->device = (struct vfio_device){ .context = &b->context, .fd = -1 };
	err = bind_and_map(b);
	if (!err)
		err = vfio_device_attach(&b->device, b->context.ioas);
	if (b->context.uapi.iommufd >= 0) {
		vfio_device_close(&b->device);
		vfio_context_close(&b->context);
	}
	return err;
}

static int failures(struct bench *b)
{
	for (unsigned int n = 1; n <= NR_LAYERS; n++) {
		const bool takes_down = n > NR_LAYERS - 2;

		if (layer(b, n) != (takes_down ? 0 : -EIO) || layer(b, 0))
			return -EPROTO;
	}
	return 0;
}

static const struct step {
	const char *name;
	int (*run)(struct bench *b);
} steps[] = {
	{ "bind", bind_and_map }, { "attach", attach },
	{ "ranges", ranges },     { "maps", maps },
	{ "info", information },  { "interrupts", interrupts },
	{ "reset", resets },      { "ioeventfd", kicks },
	{ "PASIDs", pasids },     { "features", features },
	{ "hw info", hw_info },   { "vIOMMU", slice },
	{ "nested", nested },     { "vDEVICE", virtual_device },
	{ "order", order },       { "taken down", take_down },
	{ "failures", failures },
};

/* As vfio-pci does it when it is told of one (vfio_pci_core_aer_err_detected()). */
static int signal_error(const char *pid, const char *fd)
{
	struct log log = { .topics = BIT(TRACE_UAPI) };
	struct uapi u = { .ops = &uapi_host, .log = &log, .iommufd = -1 };
	struct vfio_irq_set set = { .argsz = sizeof(set),
		                    .flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		                    .index = VFIO_PCI_ERR_IRQ_INDEX,
		                    .count = 1 };
	const int process = syscall(SYS_pidfd_open, atoi(pid), 0);
	const int cdev = syscall(SYS_pidfd_getfd, process, atoi(fd), 0);

	return cdev < 0 || u.ops->set_irqs(&u, cdev, &set) ? 1 : 0;
}

int main(int argc, char **argv)
{
	const struct mem_config ram = { .base = RAM_BASE, .size = RAM_SIZE, .shared = true };
	struct bench b = { .log.topics = BIT(TRACE_UAPI) };
	int err = argc == 2 ? mem_create(&b.ram, &ram) : -EINVAL;

	if (argc == 4 && !strcmp(argv[1], "error"))
		return signal_error(argv[2], argv[3]);
	b.name = argv[1];
	b.context.uapi = (struct uapi){ .ops = &uapi_host, .log = &b.log, .iommufd = -1 };
	for (size_t i = 0; !err && i < ARRAY_SIZE(steps); i++) {
		err = steps[i].run(&b);
		printf("uapi: %s: %s\n", steps[i].name, err ? strerror(-err) : "ok");
		fflush(stdout);
	}
	return err ? 1 : 0;
}

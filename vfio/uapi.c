// SPDX-License-Identifier: GPL-2.0-only
/* The iommufd and vfio ioctls Nestor makes, a row each. Nothing else calls ioctl() on either. */
#include "vfio/uapi.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vfio/decode.h"
#include "vmm/clock.h"
#include "vmm/log.h"

bool uapi_fails(struct uapi *u)
{
	return __atomic_add_fetch(&u->calls, 1, __ATOMIC_RELAXED) == u->fail_at;
}

static u64 now_us(void)
{
	return clock_now() / 1000;
}

/* As strace ends a line: what was returned, and how long it took. */
static void end_line(struct uapi *u, const char *call, int ret, u64 us)
{
	if (ret < 0)
		trace(u->log, TRACE_UAPI, "%s = -1 %s (%s) <%llu.%06llu>", call,
		      strerrorname_np(-ret), strerror(-ret), (unsigned long long)us / 1000000,
		      (unsigned long long)us % 1000000);
	else
		trace(u->log, TRACE_UAPI, "%s = %d <%llu.%06llu>", call, ret,
		      (unsigned long long)us / 1000000, (unsigned long long)us % 1000000);
}

/* What a system call returned, or why it failed. */
static int sys(long ret)
{
	return ret == -1 ? -errno : ret;
}

static int call(struct uapi *u, int fd, unsigned long request, void *arg, size_t len)
{
	const bool traced = u->log->topics & BIT(TRACE_UAPI);
	u8 before[UAPI_MAX_STRUCT];
	char text[DECODE_SIZE];
	u64 since = 0, us = 0;
	int ret;

	assert(len <= sizeof(before));
	if (traced) {
		memcpy(before, arg, len);
		since = now_us();
	}
	ret = uapi_fails(u) ? u->fail_err : sys(ioctl(fd, request, arg));
	if (traced) {
		us = now_us() - since;
		decode_call(text, fd, request, before, arg, ret >= 0);
		end_line(u, text, ret, us);
	}
	return ret;
}

/* Rows by whose fd they go to: ours, where size is the struct's own; or a function's, where argsz
 * is too unless it was given. */
#define IOMMUFD_CALL(fn, request, type)                                 \
	static int fn(struct uapi *u, struct type *arg)                 \
	{                                                               \
		arg->size = sizeof(*arg);                               \
		return call(u, u->iommufd, request, arg, sizeof(*arg)); \
	}
#define CDEV_CALL(fn, request, type)                            \
	static int fn(struct uapi *u, int fd, struct type *arg) \
	{                                                       \
		if (!arg->argsz)                                \
			arg->argsz = sizeof(*arg);              \
		return call(u, fd, request, arg, sizeof(*arg)); \
	}

IOMMUFD_CALL(destroy, IOMMU_DESTROY, iommu_destroy)
IOMMUFD_CALL(ioas_alloc, IOMMU_IOAS_ALLOC, iommu_ioas_alloc)
IOMMUFD_CALL(ioas_allow_iovas, IOMMU_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas)
IOMMUFD_CALL(ioas_iova_ranges, IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges)
IOMMUFD_CALL(ioas_map, IOMMU_IOAS_MAP, iommu_ioas_map)
IOMMUFD_CALL(ioas_map_file, IOMMU_IOAS_MAP_FILE, iommu_ioas_map_file)
IOMMUFD_CALL(ioas_copy, IOMMU_IOAS_COPY, iommu_ioas_copy)
IOMMUFD_CALL(ioas_unmap, IOMMU_IOAS_UNMAP, iommu_ioas_unmap)
IOMMUFD_CALL(ioas_change_process, IOMMU_IOAS_CHANGE_PROCESS, iommu_ioas_change_process)
IOMMUFD_CALL(option, IOMMU_OPTION, iommu_option)
IOMMUFD_CALL(hwpt_alloc, IOMMU_HWPT_ALLOC, iommu_hwpt_alloc)
IOMMUFD_CALL(hwpt_invalidate, IOMMU_HWPT_INVALIDATE, iommu_hwpt_invalidate)
IOMMUFD_CALL(hwpt_set_dirty_tracking, IOMMU_HWPT_SET_DIRTY_TRACKING, iommu_hwpt_set_dirty_tracking)
IOMMUFD_CALL(hwpt_get_dirty_bitmap, IOMMU_HWPT_GET_DIRTY_BITMAP, iommu_hwpt_get_dirty_bitmap)
IOMMUFD_CALL(get_hw_info, IOMMU_GET_HW_INFO, iommu_hw_info)
IOMMUFD_CALL(fault_queue_alloc, IOMMU_FAULT_QUEUE_ALLOC, iommu_fault_alloc)
IOMMUFD_CALL(viommu_alloc, IOMMU_VIOMMU_ALLOC, iommu_viommu_alloc)
IOMMUFD_CALL(vdevice_alloc, IOMMU_VDEVICE_ALLOC, iommu_vdevice_alloc)
IOMMUFD_CALL(veventq_alloc, IOMMU_VEVENTQ_ALLOC, iommu_veventq_alloc)
IOMMUFD_CALL(hw_queue_alloc, IOMMU_HW_QUEUE_ALLOC, iommu_hw_queue_alloc)

CDEV_CALL(bind_iommufd, VFIO_DEVICE_BIND_IOMMUFD, vfio_device_bind_iommufd)
CDEV_CALL(attach, VFIO_DEVICE_ATTACH_IOMMUFD_PT, vfio_device_attach_iommufd_pt)
CDEV_CALL(detach, VFIO_DEVICE_DETACH_IOMMUFD_PT, vfio_device_detach_iommufd_pt)
CDEV_CALL(get_info, VFIO_DEVICE_GET_INFO, vfio_device_info)
CDEV_CALL(get_region_info, VFIO_DEVICE_GET_REGION_INFO, vfio_region_info)
CDEV_CALL(get_irq_info, VFIO_DEVICE_GET_IRQ_INFO, vfio_irq_info)
CDEV_CALL(set_irqs, VFIO_DEVICE_SET_IRQS, vfio_irq_set)
CDEV_CALL(get_hot_reset_info, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, vfio_pci_hot_reset_info)
CDEV_CALL(hot_reset, VFIO_DEVICE_PCI_HOT_RESET, vfio_pci_hot_reset)
CDEV_CALL(feature, VFIO_DEVICE_FEATURE, vfio_device_feature)
CDEV_CALL(set_ioeventfd, VFIO_DEVICE_IOEVENTFD, vfio_device_ioeventfd)

static int reset(struct uapi *u, int fd)
{
	u8 none = 0;

	return call(u, fd, VFIO_DEVICE_RESET, &none, 0);
}

static int open_file(struct uapi *u, const char *path)
{
	const u64 since = now_us();
	char text[DECODE_SIZE];
	int fd = uapi_fails(u) ? u->fail_err : sys(open(path, O_RDWR | O_CLOEXEC));
	const u64 us = now_us() - since;

	snprintf(text, sizeof(text), "openat(AT_FDCWD, \"%s\", O_RDWR|O_CLOEXEC)", path);
	end_line(u, text, fd, us);
	return fd;
}

/* What a region gives and takes, as a number. */
static void end_access(struct uapi *u, const char *call, int fd, const void *buf, u32 len,
                       u64 offset, u64 since, int ret)
{
	char text[DECODE_SIZE];
	u64 val = 0;

	if (!(u->log->topics & BIT(TRACE_UAPI)))
		return;
	memcpy(&val, buf, len < sizeof(val) ? len : sizeof(val));
	snprintf(text, sizeof(text), "%s(%d, [%#llx], %u, %#llx)", call, fd,
	         (unsigned long long)le64toh(val), len, (unsigned long long)offset);
	end_line(u, text, ret, now_us() - since);
}

/* What a queue of iommufd's gave or took: bytes, or -errno. */
static int end_queue(struct uapi *u, const char *call, int fd, u32 len, u64 since, int n)
{
	char text[DECODE_SIZE];

	snprintf(text, sizeof(text), "%s(%d, %u)", call, fd, len);
	end_line(u, text, n, now_us() - since);
	return n;
}

static int read_events(struct uapi *u, int fd, void *buf, u32 len)
{
	const u64 since = now_us();
	const int n = uapi_fails(u) ? u->fail_err : sys(read(fd, buf, len));

	return end_queue(u, "read", fd, len, since, n);
}

static int write_answers(struct uapi *u, int fd, const void *buf, u32 len)
{
	const u64 since = now_us();
	const int n = uapi_fails(u) ? u->fail_err : sys(write(fd, buf, len));

	return end_queue(u, "write", fd, len, since, n);
}

static int whole(ssize_t n, u32 len)
{
	if (n < 0)
		return -errno;
	return n == len ? 0 : -EIO;
}

static int read_region(struct uapi *u, int fd, void *buf, u32 len, u64 offset)
{
	const u64 since = now_us();
	int err = uapi_fails(u) ? u->fail_err : whole(pread(fd, buf, len, offset), len);

	end_access(u, "pread64", fd, buf, len, offset, since, err ? err : (int)len);
	return err;
}

static int write_region(struct uapi *u, int fd, const void *buf, u32 len, u64 offset)
{
	const u64 since = now_us();
	int err = uapi_fails(u) ? u->fail_err : whole(pwrite(fd, buf, len, offset), len);

	end_access(u, "pwrite64", fd, buf, len, offset, since, err ? err : (int)len);
	return err;
}

static int map_region(struct uapi *u, int fd, u64 len, u64 offset, void **host)
{
	const u64 since = now_us();
	char text[DECODE_SIZE];
	int err = uapi_fails(u) ? u->fail_err : 0;

	if (!err)
		*host = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	if (!err && *host == MAP_FAILED)
		err = -errno;
	snprintf(text, sizeof(text),
	         "mmap(NULL, %#llx, PROT_READ|PROT_WRITE, MAP_SHARED, %d, %#llx)",
	         (unsigned long long)len, fd, (unsigned long long)offset);
	end_line(u, text, err, now_us() - since);
	return err;
}

static void unmap_region(struct uapi *u, void *host, u64 len)
{
	const u64 since = now_us();
	char text[DECODE_SIZE];
	int err = munmap(host, len) ? -errno : 0;

	snprintf(text, sizeof(text), "munmap(%p, %#llx)", host, (unsigned long long)len);
	end_line(u, text, err, now_us() - since);
}

static void close_file(struct uapi *u, int fd)
{
	const u64 since = now_us();
	char text[DECODE_SIZE];
	int err = close(fd) ? -errno : 0;
	const u64 us = now_us() - since;

	snprintf(text, sizeof(text), "close(%d)", fd);
	end_line(u, text, err, us);
}

const struct uapi_ops uapi_host = {
	.open = open_file,
	.close = close_file,
	.destroy = destroy,
	.ioas_alloc = ioas_alloc,
	.ioas_allow_iovas = ioas_allow_iovas,
	.ioas_iova_ranges = ioas_iova_ranges,
	.ioas_map = ioas_map,
	.ioas_map_file = ioas_map_file,
	.ioas_copy = ioas_copy,
	.ioas_unmap = ioas_unmap,
	.ioas_change_process = ioas_change_process,
	.option = option,
	.hwpt_alloc = hwpt_alloc,
	.hwpt_invalidate = hwpt_invalidate,
	.hwpt_set_dirty_tracking = hwpt_set_dirty_tracking,
	.hwpt_get_dirty_bitmap = hwpt_get_dirty_bitmap,
	.get_hw_info = get_hw_info,
	.fault_queue_alloc = fault_queue_alloc,
	.viommu_alloc = viommu_alloc,
	.vdevice_alloc = vdevice_alloc,
	.veventq_alloc = veventq_alloc,
	.hw_queue_alloc = hw_queue_alloc,
	.bind = bind_iommufd,
	.attach = attach,
	.detach = detach,
	.get_info = get_info,
	.get_region_info = get_region_info,
	.get_irq_info = get_irq_info,
	.set_irqs = set_irqs,
	.reset = reset,
	.get_hot_reset_info = get_hot_reset_info,
	.hot_reset = hot_reset,
	.feature = feature,
	.ioeventfd = set_ioeventfd,
	.read_events = read_events,
	.write_answers = write_answers,
	.read = read_region,
	.write = write_region,
	.map = map_region,
	.unmap = unmap_region,
};

// SPDX-License-Identifier: GPL-2.0-only
/* The host's iommufd and vfio as far as objects, their users and their order go. */
#include "tests/unit/fake_iommufd.h"

#include <errno.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/fake_function.h"
#include "vfio/context.h"

#define MAX_OBJECTS 64
#define MAX_USES    3

struct fake_iommufd fake_iommufd = {
	.hw_type = IOMMU_HW_INFO_TYPE_ARM_SMMUV3,
	.idr = { 0x3, 0, 0, 0x100, 0, 0 }, /* both stages, stalls, FWB */
};

/* An object's index is its ID: 0 is none. A file's has no ID, but is one of the same. */
static struct object {
	enum fake_kind kind;
	unsigned int users;
	u32 uses[MAX_USES];
	int fd;       /* of a device, an event queue or a file; -1: none */
	u32 attached; /* a device's */
	bool made_by_attach;
	unsigned int nr;    /* of a device and its file: which function it is */
	unsigned int iommu; /* of a device and a page table */
} objects[MAX_OBJECTS] = { [0] = { .fd = -1 } };

/* Every call counts; the chosen one fails. */
static bool is_a(u32 id, enum fake_kind kind)
{
	return id && id < MAX_OBJECTS && objects[id].kind == kind;
}

bool fake_is_device(u32 id)
{
	return is_a(id, FAKE_DEVICE);
}

static u32 make(enum fake_kind kind, int fd)
{
	u32 id = 1;

	while (id < MAX_OBJECTS - 1 && objects[id].kind)
		id++;
	objects[id] = (struct object){ .kind = kind, .fd = fd };
	fake_iommufd.live++;
	return id;
}

static void use(u32 id, u32 used)
{
	unsigned int i = 0;

	while (i < MAX_USES - 1 && objects[id].uses[i])
		i++;
	objects[id].uses[i] = used;
	objects[used].users++;
}

static void unmake(u32 id)
{
	fake_ioas(id)->nr = 0;
	for (unsigned int i = 0; i < MAX_USES; i++)
		if (objects[id].uses[i])
			objects[objects[id].uses[i]].users--;
	objects[id] = (struct object){ .fd = -1 };
	fake_iommufd.live--;
}

/* The file is an object too, which uses the queue's. */
static int event_file(u32 id)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	use(make(FAKE_FILE, fd), id);
	return fd;
}

static u32 by_fd(int fd)
{
	for (u32 id = 1; id < MAX_OBJECTS; id++)
		if (objects[id].kind && objects[id].fd == fd)
			return id;
	return 0;
}

static int fake_open(struct uapi *u, const char *path)
{
	unsigned int nr = 0;
	int fd;

	CALL();
	if (!strcmp(path, "/dev/iommu") && fake_iommufd.no_iommu)
		return fake_iommufd.no_iommu;
	if (strcmp(path, "/dev/iommu") &&
	    (sscanf(path, "/dev/vfio/devices/vfio%u", &nr) != 1 || nr > 3))
		return -ENOENT;
	fd = memfd_create("vfio", MFD_CLOEXEC);
	objects[make(FAKE_FILE, fd)].nr = nr;
	return fd;
}

static void detach_device(u32 id)
{
	const u32 hwpt = objects[id].attached;

	if (!hwpt)
		return;
	objects[id].attached = 0;
	fake_faults_end(id);
	objects[hwpt].users--;
	if (objects[hwpt].made_by_attach && !objects[hwpt].users)
		unmake(hwpt);
}

u32 fake_ioas_of(unsigned int nr)
{
	for (u32 id = 1; id < MAX_OBJECTS; id++)
		if (objects[id].kind == FAKE_DEVICE && objects[id].nr == nr)
			return objects[id].attached ? objects[objects[id].attached].uses[0] : 0;
	return 0;
}

struct fake_function *fake_function_of(int fd)
{
	return &fake_functions[objects[by_fd(fd)].nr];
}

static bool is_attached(u32 ioas)
{
	for (unsigned int nr = 0; nr < ARRAY_SIZE(fake_functions); nr++)
		if (fake_ioas_of(nr) == ioas)
			return true;
	return false;
}

/* What is still in a context when its file goes is taken down with it, as the kernel does. */
static void close_context(void)
{
	for (u32 id = 1; id < MAX_OBJECTS; id++) {
		if (!objects[id].kind)
			continue;
		if (objects[id].fd >= 0)
			fake_iommufd.refused++;
		fake_iommufd.left++;
		fake_iommufd.live--;
		objects[id] = (struct object){ .fd = -1 };
		fake_ioas(id)->nr = 0;
	}
}

static void fake_close(struct uapi *u, int fd)
{
	const u32 id = by_fd(fd);

	if (!id)
		fake_iommufd.refused++;
	if (is_a(id, FAKE_DEVICE))
		detach_device(id);
	if (id)
		unmake(id);
	close(fd);
	if (fd == u->iommufd)
		close_context();
}

static int destroy(struct uapi *u, struct iommu_destroy *arg)
{
	CALL();
	if (!arg->id || arg->id >= MAX_OBJECTS || !objects[arg->id].kind ||
	    is_a(arg->id, FAKE_DEVICE) || is_a(arg->id, FAKE_FILE)) {
		fake_iommufd.refused++;
		return -ENOENT;
	}
	if (objects[arg->id].users) {
		fake_iommufd.refused++;
		return -EBUSY;
	}
	unmake(arg->id);
	return 0;
}

static int ioas_alloc(struct uapi *u, struct iommu_ioas_alloc *arg)
{
	CALL();
	arg->out_ioas_id = make(FAKE_IOAS, -1);
	return 0;
}

static int add_map(u32 ioas, bool by_file, u64 iova, u64 length)
{
	if (!is_a(ioas, FAKE_IOAS))
		return -ENOENT;
	fake_iommufd.map = (struct fake_map){ by_file, iova, length };
	fake_iommufd.nr_maps++;
	return fake_areas_add(
		ioas,
		&(struct fake_area){ iova, iova + length - 1, iova,
	                             IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE },
		is_attached(ioas));
}

static int ioas_map(struct uapi *u, struct iommu_ioas_map *arg)
{
	CALL();
	return add_map(arg->ioas_id, false, arg->iova, arg->length);
}

static int ioas_map_file(struct uapi *u, struct iommu_ioas_map_file *arg)
{
	CALL();
	return fake_iommufd.no_file ?: add_map(arg->ioas_id, true, arg->iova, arg->length);
}

static int ioas_copy(struct uapi *u, struct iommu_ioas_copy *arg)
{
	CALL();
	if (!is_a(arg->dst_ioas_id, FAKE_IOAS) || !is_a(arg->src_ioas_id, FAKE_IOAS))
		return -ENOENT;
	return fake_areas_copy(arg, is_attached(arg->dst_ioas_id));
}

static int ioas_unmap(struct uapi *u, struct iommu_ioas_unmap *arg)
{
	CALL();
	return is_a(arg->ioas_id, FAKE_IOAS) ? fake_areas_remove(arg) : -ENOENT;
}

static int ioas_iova_ranges(struct uapi *u, struct iommu_ioas_iova_ranges *arg)
{
	CALL();
	if (!is_a(arg->ioas_id, FAKE_IOAS))
		return -ENOENT;
	arg->out_iova_alignment = fake_iommufd.alignment;
	return fake_areas_allowed(arg, is_attached(arg->ioas_id));
}

static int hwpt_alloc(struct uapi *u, struct iommu_hwpt_alloc *arg)
{
	const bool faults = arg->flags & IOMMU_HWPT_FAULT_ID_VALID;
	int err;

	CALL();
	if (arg->flags & IOMMU_HWPT_ALLOC_NEST_PARENT && fake_iommufd.no_parent)
		return fake_iommufd.no_parent;
	if (!is_a(arg->dev_id, FAKE_DEVICE) || (faults && !is_a(arg->fault_id, FAKE_FAULT)))
		return -ENOENT;
	if (!is_a(arg->pt_id, FAKE_IOAS) && !is_a(arg->pt_id, FAKE_HWPT) &&
	    !is_a(arg->pt_id, FAKE_VIOMMU))
		return -EINVAL;
	arg->out_hwpt_id = make(FAKE_HWPT, -1);
	use(arg->out_hwpt_id, arg->pt_id);
	objects[arg->out_hwpt_id].iommu = objects[arg->dev_id].iommu;
	if (faults)
		use(arg->out_hwpt_id, arg->fault_id);
	err = is_a(arg->pt_id, FAKE_VIOMMU) ? fake_nested_alloc(arg, arg->out_hwpt_id) : 0;
	if (err)
		unmake(arg->out_hwpt_id);
	return err;
}

static int fault_queue_alloc(struct uapi *u, struct iommu_fault_alloc *arg)
{
	CALL();
	arg->out_fault_id = make(FAKE_FAULT, -1);
	arg->out_fault_fd = event_file(arg->out_fault_id);
	fake_faults.fd = arg->out_fault_fd;
	return 0;
}

static int viommu_alloc(struct uapi *u, struct iommu_viommu_alloc *arg)
{
	CALL();
	if (fake_iommufd.no_viommu)
		return fake_iommufd.no_viommu;
	if (!is_a(arg->hwpt_id, FAKE_HWPT))
		return -EINVAL;
	arg->out_viommu_id = make(FAKE_VIOMMU, -1);
	use(arg->out_viommu_id, arg->hwpt_id);
	return 0;
}

/* What it is of is in attached, its StreamID in nr. */
static u32 vdevice_of(u32 device)
{
	for (u32 id = 1; id < MAX_OBJECTS; id++)
		if (objects[id].kind == FAKE_VDEVICE && objects[id].attached == device)
			return id;
	return 0;
}

bool fake_knows_sid(u32 sid)
{
	for (u32 id = 1; id < MAX_OBJECTS; id++)
		if (objects[id].kind == FAKE_VDEVICE && objects[id].nr == sid)
			return true;
	return false;
}

static u32 device_of(unsigned int nr)
{
	u32 id = 1;

	while (id < MAX_OBJECTS && !(objects[id].kind == FAKE_DEVICE && objects[id].nr == nr))
		id++;
	return id % MAX_OBJECTS;
}

u32 fake_sid_of(unsigned int nr)
{
	const u32 vdevice = vdevice_of(device_of(nr));

	return vdevice ? objects[vdevice].nr : ~0u;
}

const u64 *fake_ste_of(unsigned int nr)
{
	const u32 table = objects[device_of(nr)].attached;

	return table && is_a(objects[table].uses[0], FAKE_VIOMMU) ? fake_slice.tables[table].ste
	                                                          : NULL;
}

static int vdevice_alloc(struct uapi *u, struct iommu_vdevice_alloc *arg)
{
	CALL();
	if (!is_a(arg->viommu_id, FAKE_VIOMMU) || !is_a(arg->dev_id, FAKE_DEVICE))
		return -ENOENT;
	if (vdevice_of(arg->dev_id) || fake_knows_sid(arg->virt_id))
		return -EEXIST;
	arg->out_vdevice_id = make(FAKE_VDEVICE, -1);
	use(arg->out_vdevice_id, arg->viommu_id);
	objects[arg->out_vdevice_id].attached = arg->dev_id;
	objects[arg->out_vdevice_id].nr = arg->virt_id;
	return 0;
}

static int veventq_alloc(struct uapi *u, struct iommu_veventq_alloc *arg)
{
	CALL();
	if (!is_a(arg->viommu_id, FAKE_VIOMMU))
		return -ENOENT;
	arg->out_veventq_id = make(FAKE_VEVENTQ, -1);
	use(arg->out_veventq_id, arg->viommu_id);
	arg->out_veventq_fd = event_file(arg->out_veventq_id);
	fake_slice.fd = arg->out_veventq_fd;
	return 0;
}

/* vfio_pci_core_match_token_uuid() */
static int check_token(const u8 *token, const struct vfio_device_bind_iommufd *arg)
{
	if (!(arg->flags & VFIO_DEVICE_BIND_FLAG_TOKEN))
		return token ? -EACCES : 0;
	if (!token)
		return -EINVAL;
	return memcmp(token, (const void *)(uintptr_t)arg->token_uuid_ptr, 16) ? -EACCES : 0;
}

static int bind_iommufd(struct uapi *u, int fd, struct vfio_device_bind_iommufd *arg)
{
	const u32 id = by_fd(fd);
	int err;

	CALL();
	if (!is_a(id, FAKE_FILE) || arg->iommufd != u->iommufd)
		return -EINVAL;
	err = fake_no_bind() ?: check_token(fake_iommufd.tokens[objects[id].nr], arg);
	if (err)
		return err;
	objects[id].kind = FAKE_DEVICE;
	objects[id].iommu = fake_iommufd.iommu_of[objects[id].nr];
	arg->out_devid = id;
	return 0;
}

/* The one that other attachments of the same IOMMU's have made, or a new one. */
static u32 table_of_ioas(u32 ioas, unsigned int iommu)
{
	u32 id = 1;

	while (id < MAX_OBJECTS && !(is_a(id, FAKE_HWPT) && objects[id].made_by_attach &&
	                             objects[id].uses[0] == ioas && objects[id].iommu == iommu))
		id++;
	if (id < MAX_OBJECTS)
		return id;
	id = make(FAKE_HWPT, -1);
	use(id, ioas);
	objects[id].made_by_attach = true;
	objects[id].iommu = iommu;
	return id;
}

/* -EINVAL: another IOMMU's; of a table with a fault queue, where the device can have none. */
static int refuses(u32 id, u32 pt)
{
	const u32 ioas = is_a(pt, FAKE_IOAS) ? pt : objects[pt].uses[0];

	if (fake_functions[objects[id].nr].resetting)
		return -EBUSY;
	if (is_a(pt, FAKE_HWPT) && objects[pt].iommu != objects[id].iommu)
		return -EINVAL;
	if (is_a(pt, FAKE_HWPT) && fake_iommufd.no_faults && objects[pt].uses[1])
		return fake_iommufd.no_faults;
	if (is_a(pt, FAKE_HWPT) && is_a(ioas, FAKE_VIOMMU))
		return fake_nested_attach(pt, vdevice_of(id));
	return is_a(ioas, FAKE_IOAS) && fake_areas_are_reserved(ioas) ? -EADDRINUSE : 0;
}

static int attach(struct uapi *u, int fd, struct vfio_device_attach_iommufd_pt *arg)
{
	const u32 id = by_fd(fd);
	u32 hwpt = arg->pt_id;
	int err;

	CALL();
	if (!is_a(id, FAKE_DEVICE) || (!is_a(hwpt, FAKE_IOAS) && !is_a(hwpt, FAKE_HWPT)))
		return -ENOENT;
	err = refuses(id, hwpt);
	if (err)
		return err;
	if (is_a(hwpt, FAKE_IOAS))
		hwpt = table_of_ioas(hwpt, objects[id].iommu);
	objects[hwpt].users++;
	detach_device(id);
	objects[id].attached = arg->pt_id = hwpt;
	fake_faults.of[id] = objects[hwpt].uses[1];
	return 0;
}

static int detach(struct uapi *u, int fd, struct vfio_device_detach_iommufd_pt *arg)
{
	(void)arg;
	CALL();
	detach_device(by_fd(fd));
	return 0;
}

bool fake_is_attached(u32 device)
{
	return objects[device].attached;
}

static int feature(struct uapi *u, int fd, struct vfio_device_feature *arg)
{
	(void)fd;
	CALL();
	if ((arg->flags & VFIO_DEVICE_FEATURE_MASK) != VFIO_DEVICE_FEATURE_DMA_BUF ||
	    fake_iommufd.no_dma_buf)
		return -ENOTTY;
	return arg->flags & VFIO_DEVICE_FEATURE_GET && !(arg->flags & VFIO_DEVICE_FEATURE_PROBE)
	               ? event_file(by_fd(fd))
	               : 0;
}

const struct uapi_ops fake_iommufd_ops = {
	.open = fake_open,
	.close = fake_close,
	.destroy = destroy,
	.ioas_alloc = ioas_alloc,
	.ioas_map = ioas_map,
	.ioas_map_file = ioas_map_file,
	.ioas_copy = ioas_copy,
	.ioas_unmap = ioas_unmap,
	.ioas_iova_ranges = ioas_iova_ranges,
	.hwpt_alloc = hwpt_alloc,
	.hwpt_invalidate = fake_invalidate,
	.get_hw_info = fake_get_hw_info,
	.fault_queue_alloc = fault_queue_alloc,
	.viommu_alloc = viommu_alloc,
	.vdevice_alloc = vdevice_alloc,
	.veventq_alloc = veventq_alloc,
	.bind = bind_iommufd,
	.attach = attach,
	.detach = detach,
	.feature = feature,
	.option = fake_option,
	.get_info = fake_get_info,
	.get_region_info = fake_get_region_info,
	.get_irq_info = fake_get_irq_info,
	.set_irqs = fake_set_irqs,
	.reset = fake_reset,
	.hot_reset = fake_hot_reset,
	.read_events = fake_read_events,
	.write_answers = fake_write_answers,
	.read = fake_read_region,
	.write = fake_write_region,
	.map = fake_map_region,
	.unmap = fake_unmap_region,
};

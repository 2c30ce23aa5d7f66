// SPDX-License-Identifier: GPL-2.0-only
/* Calls that no hardware of the lab's answers, on a real kernel's mock device: pages that a device
 * has written, queues of hardware that are a guest's, and memory whose account another process
 * takes. */
#include "tests/host/mock_calls.h"

#include <errno.h>
#include <iommufd_test.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/iommufd.h>

#include "vfio/context.h"
#include "vmm/log.h"
#include "vmm/mem.h"

/* In the mock's aperture. */
#define RAM_BASE 0x40000000ULL
#define RAM_SIZE (8ULL << 20)
#define PAGE     4096ULL
#define WRITTEN  0x8000000000000421ULL /* a bit for each of 64 pages: some */

struct bench {
	struct log log;
	struct vfio_context context;
	struct guest_mem ram;
	u32 mock, device, table, parent, viommu, queues[2];
};

#define DO(b, fn, arg) ((b)->context.uapi.ops->fn(&(b)->context.uapi, arg))

static int destroy(struct bench *b, u32 id)
{
	struct iommu_destroy arg = { .id = id };

	return DO(b, destroy, &arg);
}

static int test_cmd(const struct bench *b, u32 op, u32 id, struct iommu_test_cmd *cmd)
{
	cmd->size = sizeof(*cmd);
	cmd->op = op;
	cmd->id = id;
	return ioctl(b->context.uapi.iommufd, IOMMU_TEST_CMD, cmd) ? -errno : 0;
}

/* The kernel accounts for nothing of whoever may lock all memory. */
static int as_anyone(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (setrlimit(RLIMIT_MEMLOCK, &all) || syscall(SYS_capget, &header, data))
		return -errno;
	data[0].effective &= ~BIT(CAP_IPC_LOCK);
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static int make(struct bench *b)
{
	struct iommu_test_cmd cmd = { 0 };
	int err = as_anyone();

	err = err ? err : vfio_context_open(&b->context);
	err = err ? err : vfio_context_map(&b->context, &b->ram);
	err = err ? err : test_cmd(b, IOMMU_TEST_OP_MOCK_DOMAIN, b->context.ioas, &cmd);
	b->mock = cmd.mock_domain.out_stdev_id;
	b->device = cmd.mock_domain.out_idev_id;
	return err;
}

/* Bytes that are pinned on this process's account. */
static u64 pinned(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	unsigned long long kib = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmPin: %llu", &kib);
	if (f)
		fclose(f);
	return kib << 10;
}

/* They were somebody else's. */
static int take_over(struct bench *b)
{
	struct iommu_ioas_change_process arg = { 0 };
	int err = pinned() ? -EPROTO : DO(b, ioas_change_process, &arg);

	return !err && pinned() != RAM_SIZE ? -EPROTO : err;
}

/* Another process has them on its account; afterwards they are this one's again. */
static int processes(struct bench *b)
{
	pid_t child = -1;
	int status = 0;

	if (pinned() == RAM_SIZE)
		child = fork();
	if (!child)
		_exit(take_over(b) ? 1 : 0);
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		return -EPROTO;
	return take_over(b);
}

/* Memory that is no file stays its process's. */
static int anonymous(struct bench *b)
{
	_Alignas(PAGE) u8 page[PAGE];
	struct iommu_ioas_change_process change = { 0 };
	struct iommu_ioas_alloc ioas = { 0 };
	struct iommu_ioas_map map = { .flags = IOMMU_IOAS_MAP_READABLE,
		                      .user_va = (uintptr_t)page,
		                      .length = PAGE };
	int err = DO(b, ioas_alloc, &ioas);

	map.ioas_id = ioas.out_ioas_id;
	err = err ? err : DO(b, ioas_map, &map);
	if (!err && DO(b, ioas_change_process, &change) != -EINVAL)
		err = -EPROTO;
	return err ? err : destroy(b, ioas.out_ioas_id);
}

static int track(struct bench *b, u32 table, bool on)
{
	struct iommu_hwpt_set_dirty_tracking arg = { .flags = on ? IOMMU_HWPT_DIRTY_TRACKING_ENABLE
		                                                 : 0,
		                                     .hwpt_id = table };

	return DO(b, hwpt_set_dirty_tracking, &arg);
}

/* The device writes those of the first 64 pages that have a bit. */
static int written(struct bench *b, u64 pages)
{
	struct iommu_test_cmd cmd = { .dirty = { .iova = RAM_BASE,
		                                 .length = 64 * PAGE,
		                                 .page_size = PAGE,
		                                 .uptr = (uintptr_t)&pages } };

	return test_cmd(b, IOMMU_TEST_OP_DIRTY, b->table, &cmd);
}

/* 0: the kernel says so of those that are in @pages, and of no others. */
static int is_dirty(struct bench *b, u32 flags, u64 pages)
{
	u64 found = 0;
	struct iommu_hwpt_get_dirty_bitmap arg = { .hwpt_id = b->table,
		                                   .flags = flags,
		                                   .iova = RAM_BASE,
		                                   .length = 64 * PAGE,
		                                   .page_size = PAGE,
		                                   .data = (uintptr_t)&found };
	int err = DO(b, hwpt_get_dirty_bitmap, &arg);

	return !err && found != pages ? -EPROTO : err;
}

/* What is asked for with NO_CLEAR is asked for again. */
static int tracked(struct bench *b)
{
	int err = track(b, b->table, true);

	err = err ? err : is_dirty(b, 0, 0);
	err = err ? err : written(b, WRITTEN);
	err = err ? err : is_dirty(b, IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR, WRITTEN);
	err = err ? err : is_dirty(b, 0, WRITTEN);
	err = err ? err : is_dirty(b, 0, 0);
	err = err ? err : written(b, 2);
	err = err ? err : is_dirty(b, 0, 2);
	return err ? err : track(b, b->table, false);
}

/* Only a table that is made for it. */
static int dirty(struct bench *b)
{
	struct iommu_hwpt_alloc plain = { .dev_id = b->device, .pt_id = b->context.ioas };
	struct iommu_hwpt_alloc table = { .flags = IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
		                          .dev_id = b->device,
		                          .pt_id = b->context.ioas };
	int err = DO(b, hwpt_alloc, &plain);

	if (!err && track(b, plain.out_hwpt_id, true) != -EOPNOTSUPP)
		err = -EPROTO;
	err = err ? err : destroy(b, plain.out_hwpt_id);
	err = err ? err : DO(b, hwpt_alloc, &table);
	b->table = table.out_hwpt_id;
	err = err ? err : tracked(b);
	return err ? err : destroy(b, b->table);
}

static int slice(struct bench *b)
{
	struct iommu_hwpt_alloc parent = { .flags = IOMMU_HWPT_ALLOC_NEST_PARENT,
		                           .dev_id = b->device,
		                           .pt_id = b->context.ioas };
	struct iommu_viommu_alloc viommu = { .type = IOMMU_VIOMMU_TYPE_SELFTEST,
		                             .dev_id = b->device };
	int err = DO(b, hwpt_alloc, &parent);

	viommu.hwpt_id = b->parent = parent.out_hwpt_id;
	err = err ? err : DO(b, viommu_alloc, &viommu);
	b->viommu = viommu.out_viommu_id;
	return err;
}

static int queue_alloc(struct bench *b, u32 index, u64 iova, u32 *id)
{
	struct iommu_hw_queue_alloc arg = { .viommu_id = b->viommu,
		                            .type = IOMMU_HW_QUEUE_TYPE_SELFTEST,
		                            .index = index,
		                            .nesting_parent_iova = iova,
		                            .length = PAGE };
	int err = DO(b, hw_queue_alloc, &arg);

	*id = arg.out_hw_queue_id;
	return err;
}

/* Guest memory that a queue is in stays where it is, and what it uses stays with it. */
static int holds(struct bench *b)
{
	struct iommu_ioas_unmap ram = { .ioas_id = b->context.ioas,
		                        .iova = RAM_BASE,
		                        .length = RAM_SIZE };

	return DO(b, ioas_unmap, &ram) == -EBUSY && destroy(b, b->queues[0]) == -EBUSY &&
	                       destroy(b, b->viommu) == -EBUSY
	               ? 0
	               : -EPROTO;
}

/* The mock's second stands on its first. */
static int queues(struct bench *b)
{
	u32 none;
	int err = slice(b);

	if (!err && (queue_alloc(b, 1, RAM_BASE, &none) != -EIO ||
	             queue_alloc(b, 0, RAM_BASE + RAM_SIZE, &none) != -ENOENT))
		return -EPROTO;
	err = err ? err : queue_alloc(b, 0, RAM_BASE, &b->queues[0]);
	if (!err && queue_alloc(b, 0, RAM_BASE, &none) != -EEXIST)
		return -EPROTO;
	err = err ? err : queue_alloc(b, 1, RAM_BASE + PAGE, &b->queues[1]);
	err = err ? err : holds(b);
	err = err ? err : destroy(b, b->queues[1]);
	err = err ? err : destroy(b, b->queues[0]);
	err = err ? err : destroy(b, b->viommu);
	return err ? err : destroy(b, b->parent);
}

static int take_down(struct bench *b)
{
	int err = destroy(b, b->mock);

	err = err ? err : destroy(b, b->context.ioas);
	b->context.uapi.ops->close(&b->context.uapi, b->context.uapi.iommufd);
	return err;
}

int mock_calls(void)
{
	static const struct step {
		const char *name;
		int (*run)(struct bench *b);
	} steps[] = {
		{ "made", make },   { "processes", processes }, { "anonymous", anonymous },
		{ "dirty", dirty }, { "queues", queues },       { "taken down", take_down },
	};
	const struct mem_config ram = { .base = RAM_BASE, .size = RAM_SIZE, .shared = true };
	struct bench b = { .log.topics = BIT(TRACE_UAPI) };
	int err = mem_create(&b.ram, &ram);

	b.context.uapi = (struct uapi){ .ops = &uapi_host, .log = &b.log, .iommufd = -1 };
	for (size_t i = 0; !err && i < ARRAY_SIZE(steps); i++) {
		err = steps[i].run(&b);
		printf("mock: %s: %s\n", steps[i].name, err ? strerror(-err) : "ok");
		fflush(stdout);
	}
	return err ? 1 : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's vhost: every ioctl on /dev/vhost-* that Nestor makes, a function each. */
#include "devices/virtio/vhost_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "devices/virtio/vhost.h"
#include "vmm/mem.h"

static int call_fd(struct log *log, int fd, unsigned long request, const void *arg,
                   const char *name)
{
	int ret = ioctl(fd, request, arg) < 0 ? -errno : 0;

	trace(log, TRACE_VIRTIO, "%s fd %d = %d%s%s", name, fd, ret, ret < 0 ? " " : "",
	      ret < 0 ? strerror(-ret) : "");
	return ret;
}

#define CALL(v, request, arg) call_fd((v)->log, (v)->fd, request, arg, #request)

static int set_owner(struct vhost *v)
{
	return CALL(v, VHOST_SET_OWNER, NULL);
}

static int get_features(struct vhost *v, u64 *features)
{
	return CALL(v, VHOST_GET_FEATURES, features);
}

static int set_features(struct vhost *v, u64 features)
{
	return CALL(v, VHOST_SET_FEATURES, &features);
}

static int set_mem_table(struct vhost *v, const struct guest_mem *mem)
{
	struct vhost_memory *table = calloc(1, sizeof(*table) + sizeof(table->regions[0]));
	int err;

	if (!table)
		return -ENOMEM;
	table->nregions = 1;
	table->regions[0] = (struct vhost_memory_region){
		.guest_phys_addr = mem->base,
		.memory_size = mem->size,
		.userspace_addr = (uintptr_t)mem->host,
	};
	err = CALL(v, VHOST_SET_MEM_TABLE, table);
	free(table);
	return err;
}

static int set_vring_num(struct vhost *v, unsigned int queue, u32 num)
{
	struct vhost_vring_state state = { .index = queue, .num = num };

	return CALL(v, VHOST_SET_VRING_NUM, &state);
}

static int set_vring_base(struct vhost *v, unsigned int queue, u16 base)
{
	struct vhost_vring_state state = { .index = queue, .num = base };

	return CALL(v, VHOST_SET_VRING_BASE, &state);
}

static int get_vring_base(struct vhost *v, unsigned int queue, u16 *base)
{
	struct vhost_vring_state state = { .index = queue };
	int err = CALL(v, VHOST_GET_VRING_BASE, &state);

	*base = state.num;
	return err;
}

static int set_vring_addr(struct vhost *v, unsigned int queue, const struct vhost_rings *r)
{
	struct vhost_vring_addr addr = {
		.index = queue,
		.desc_user_addr = (uintptr_t)r->desc,
		.avail_user_addr = (uintptr_t)r->avail,
		.used_user_addr = (uintptr_t)r->used,
	};

	return CALL(v, VHOST_SET_VRING_ADDR, &addr);
}

static int set_vring_kick(struct vhost *v, unsigned int queue, int fd)
{
	struct vhost_vring_file file = { .index = queue, .fd = fd };

	return CALL(v, VHOST_SET_VRING_KICK, &file);
}

static int set_vring_call(struct vhost *v, unsigned int queue, int fd)
{
	struct vhost_vring_file file = { .index = queue, .fd = fd };

	return CALL(v, VHOST_SET_VRING_CALL, &file);
}

static int set_vring_err(struct vhost *v, unsigned int queue, int fd)
{
	struct vhost_vring_file file = { .index = queue, .fd = fd };

	return CALL(v, VHOST_SET_VRING_ERR, &file);
}

static int vsock_set_running(struct vhost *v, bool running)
{
	int val = running;

	return CALL(v, VHOST_VSOCK_SET_RUNNING, &val);
}

static void begin(struct vhost *v)
{
	(void)v; /* it is trusted to answer */
}

const struct vhost_ops vhost_kernel_vsock = {
	.set_owner = set_owner,
	.get_features = get_features,
	.set_features = set_features,
	.set_mem_table = set_mem_table,
	.set_vring_num = set_vring_num,
	.set_vring_base = set_vring_base,
	.get_vring_base = get_vring_base,
	.set_vring_addr = set_vring_addr,
	.set_vring_kick = set_vring_kick,
	.set_vring_call = set_vring_call,
	.set_vring_err = set_vring_err,
	.set_running = vsock_set_running,
	.begin = begin,
	.runs_all = true,
};

int vhost_vsock_open(u64 cid, struct log *log)
{
	int fd = open("/dev/vhost-vsock", O_RDWR | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = call_fd(log, fd, VHOST_VSOCK_SET_GUEST_CID, &cid, "VHOST_VSOCK_SET_GUEST_CID");
	if (!err)
		return fd;
	close(fd);
	return err;
}

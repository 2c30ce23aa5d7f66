// SPDX-License-Identifier: GPL-2.0-only
/* A back end that works no rings, and a VM for its device. */
#include "tests/unit/fake_vhost.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/fake_kvm.h"

struct fake_vhost fake_vhost;

static int note(const char *name, int queue)
{
	char *at = fake_vhost.calls + strlen(fake_vhost.calls);
	size_t room = fake_vhost.calls + sizeof(fake_vhost.calls) - at;

	if (queue < 0)
		snprintf(at, room, "%s ", name);
	else
		snprintf(at, room, "%s%d ", name, queue);
	return ++fake_vhost.nr == fake_vhost.fail_at ? fake_vhost.fail_err : 0;
}

static int set_owner(struct vhost *v)
{
	(void)v;
	return note("owner", -1);
}

static int get_features(struct vhost *v, u64 *features)
{
	(void)v;
	*features = fake_vhost.offers;
	return note("features?", -1);
}

static int set_features(struct vhost *v, u64 features)
{
	(void)v;
	fake_vhost.features = features;
	return note("features", -1);
}

static int set_mem_table(struct vhost *v, const struct guest_mem *mem)
{
	(void)v;
	fake_vhost.mem = mem;
	return note("mem", -1);
}

static int set_vring_num(struct vhost *v, unsigned int queue, u32 num)
{
	(void)v;
	fake_vhost.queue[queue].num = num;
	return note("num", queue);
}

static int set_vring_base(struct vhost *v, unsigned int queue, u16 base)
{
	(void)v;
	fake_vhost.queue[queue].base = base;
	return note("base", queue);
}

static int get_vring_base(struct vhost *v, unsigned int queue, u16 *base)
{
	(void)v;
	*base = fake_vhost.bases[queue];
	return note("base?", queue);
}

static int set_vring_addr(struct vhost *v, unsigned int queue, const struct vhost_rings *r)
{
	(void)v;
	fake_vhost.queue[queue].rings = *r;
	return note("addr", queue);
}

static int set_vring_kick(struct vhost *v, unsigned int queue, int fd)
{
	(void)v;
	fake_vhost.queue[queue].kick = fd;
	return note("kick", queue);
}

static int set_vring_call(struct vhost *v, unsigned int queue, int fd)
{
	(void)v;
	fake_vhost.queue[queue].call = fd;
	return note("call", queue);
}

static int set_vring_err(struct vhost *v, unsigned int queue, int fd)
{
	(void)v;
	fake_vhost.errors[queue] = fd;
	return note("err", queue);
}

static int set_running(struct vhost *v, bool running)
{
	(void)v;
	fake_vhost.running = running;
	return note(running ? "run" : "stop", -1);
}

static void begin(struct vhost *v)
{
	(void)v;
}

const struct vhost_ops fake_vhost_ops = {
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
	.set_running = set_running,
	.begin = begin,
	.runs_all = true,
};

static void failed(struct vhost_watcher *w, int err)
{
	(void)w, (void)err;
	fake_vhost.failures++;
}

void fake_vhost_make(struct vm *vm)
{
	fake_vm(vm, 1);
	fake_vhost = (struct fake_vhost){ .watcher = { failed },
		                          .offers = ~0ULL,
		                          .fd = open("/dev/null", O_RDONLY | O_CLOEXEC) };
}

void fake_vhost_unmake(struct vm *vm, struct virtio_dev *dev,
                       void (*destroy)(struct virtio_dev *dev))
{
	loop_drain(vm->loop);
	work_drain(vm->work);
	if (dev)
		destroy(dev);
	fake_vm_destroy(vm);
	cr_assert(eq(int, fcntl(fake_vhost.fd, F_GETFD), -1), "it was the device's");
}

// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's vhost: each call is the ioctl of its name, and its failure is told. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "devices/virtio/vhost.h"
#include "devices/virtio/vhost_kernel.h"
#include "tests/unit/fake_kvm.h"
#include "tests/unit/leak.h"
#include "tests/unit/said.h"

static char traced[256];

static void note(struct log_sink *sink, enum log_topic topic, const char *text)
{
	(void)sink;
	cr_assert(eq(int, topic, TRACE_VIRTIO));
	snprintf(traced, sizeof(traced), "%s", text);
}

static struct log_sink sink = { note };
static struct log tracing = { .topics = BIT(TRACE_VIRTIO), .sink = &sink };

TestSuite(vhost_kernel, .init = listen_to_errors, .fini = expect_no_leak);

static int get_features(struct vhost *v)
{
	u64 features;

	return vhost_kernel_vsock.get_features(v, &features);
}

static int set_mem_table(struct vhost *v)
{
	u8 ram[16];
	const struct guest_mem mem = { .base = 0x80000000, .size = sizeof(ram), .host = ram };

	return vhost_kernel_vsock.set_mem_table(v, &mem);
}

static int set_vring_addr(struct vhost *v)
{
	const struct vhost_rings rings = { 0 };

	return vhost_kernel_vsock.set_vring_addr(v, 1, &rings);
}

static int get_vring_base(struct vhost *v)
{
	u16 base = 7;
	int err = vhost_kernel_vsock.get_vring_base(v, 1, &base);

	cr_assert(err || base == 2);
	return err;
}

#define CALL(fn, ...)                                           \
	static int fn(struct vhost *v)                          \
	{                                                       \
		return vhost_kernel_vsock.fn(v, ##__VA_ARGS__); \
	}
CALL(set_owner)
CALL(set_features, 1)
CALL(set_vring_num, 1, 64)
CALL(set_vring_base, 1, 2)
CALL(set_vring_kick, 1, -1)
CALL(set_vring_err, 1, -1)
CALL(set_vring_call, 1, -1)
CALL(set_running, true)

/* On what is no vhost device. */
Test(vhost_kernel, each_call_is_traced_and_its_failure_returned)
{
	static const struct {
		int (*call)(struct vhost *v);
		const char *name;
	} calls[] = {
		{ set_owner, "VHOST_SET_OWNER" },
		{ get_features, "VHOST_GET_FEATURES" },
		{ set_features, "VHOST_SET_FEATURES" },
		{ set_mem_table, "VHOST_SET_MEM_TABLE" },
		{ set_vring_num, "VHOST_SET_VRING_NUM" },
		{ set_vring_base, "VHOST_SET_VRING_BASE" },
		{ get_vring_base, "VHOST_GET_VRING_BASE" },
		{ set_vring_addr, "VHOST_SET_VRING_ADDR" },
		{ set_vring_kick, "VHOST_SET_VRING_KICK" },
		{ set_vring_call, "VHOST_SET_VRING_CALL" },
		{ set_vring_err, "VHOST_SET_VRING_ERR" },
		{ set_running, "VHOST_VSOCK_SET_RUNNING" },
	};
	struct vhost v = { .log = &tracing, .fd = open("/dev/null", O_RDWR | O_CLOEXEC) };
	char want[128];

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		cr_assert(eq(int, calls[i].call(&v), -ENOTTY), "%s", calls[i].name);
		snprintf(want, sizeof(want), "%s fd %d = -25 Inappropriate ioctl for device",
		         calls[i].name, v.fd);
		cr_assert(eq(str, traced, want));
	}
	close(v.fd);
}

Test(vhost_kernel, every_call_there_is_has_a_function)
{
	void *const *calls = (void *const *)&vhost_kernel_vsock;

	for (size_t i = 0; i < sizeof(vhost_kernel_vsock) / sizeof(*calls); i++)
		cr_assert(ne(ptr, calls[i], NULL), "%zu", i);
}

Test(vhost_kernel, a_host_without_vhost_vsock_is_an_error)
{
	unsigned int fds = open_fds();

	if (!access("/dev/vhost-vsock", F_OK))
		cr_skip("this host has it");
	cr_assert(eq(int, vhost_vsock_open(3, &tracing), -ENOENT));
	cr_assert(eq(u32, open_fds(), fds));
}

/* A context ID far from those that anyone chooses. */
#define CID 0x7eadbee5

static int need_vsock(void)
{
	int fd = vhost_vsock_open(CID, &tracing);

	if (fd == -ENOENT || fd == -EACCES || fd == -EPERM || fd == -ENODEV)
		cr_skip("no /dev/vhost-vsock: %s", strerror(-fd));
	cr_assert(ge(int, fd, 0), "%s", strerror(-fd));
	return fd;
}

Test(vhost_kernel, a_context_id_is_had_once)
{
	int fd = need_vsock();
	unsigned int fds = open_fds();

	cr_assert(eq(int, vhost_vsock_open(CID, &tracing), -EADDRINUSE));
	cr_assert(eq(u32, open_fds(), fds));
	close(fd);
	fd = vhost_vsock_open(CID, &tracing);
	cr_assert(ge(int, fd, 0));
	close(fd);
}

Test(vhost_kernel, its_owner_is_told_what_it_can_and_sets_its_queues_up)
{
	struct vhost v = { .log = &tracing, .fd = need_vsock() };
	u64 features = 0;
	u16 base;

	cr_assert(eq(int, get_features(&v), 0));
	cr_assert(zero(int, set_owner(&v)));
	cr_assert(eq(int, set_owner(&v), -EBUSY));
	cr_assert(zero(int, vhost_kernel_vsock.get_features(&v, &features)));
	cr_assert(ne(u64, features & BIT(32), 0), "VIRTIO_F_VERSION_1");
	cr_assert(zero(int, vhost_kernel_vsock.set_features(&v, BIT(32))));
	cr_assert(zero(int, set_vring_num(&v)));
	cr_assert(eq(int, vhost_kernel_vsock.set_vring_num(&v, 1, 63), -EINVAL));
	cr_assert(zero(int, set_vring_base(&v)));
	cr_assert(zero(int, get_vring_base(&v)));
	cr_assert(eq(int, vhost_kernel_vsock.get_vring_base(&v, 2, &base), -ENOBUFS));
	close(v.fd);
}

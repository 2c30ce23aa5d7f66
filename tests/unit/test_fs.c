// SPDX-License-Identifier: GPL-2.0-only
/* The file system device as a driver finds it (virtio 1.3, 5.11). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <endian.h>
#include <errno.h>
#include <linux/virtio_fs.h>
#include <linux/virtio_ids.h>
#include <string.h>

#include "devices/virtio/fs.h"
#include "tests/unit/fake_vhost.h"
#include "tests/unit/fake_virtio.h"

static struct vm vm;
static struct virtio_dev *dev;
static struct fake_transport transport;

static void make(void)
{
	fake_vhost_make(&vm);
	fake_transport_init(&transport);
}

static void unmake(void)
{
	fake_vhost_unmake(&vm, dev, fs_destroy);
}

TestSuite(fs, .init = make, .fini = unmake, .timeout = 20);

static int create(const char *tag)
{
	const struct fs_config c = { FAKE_VHOST_CONFIG(&vm), .tag = tag };
	int err = fs_create(&dev, &c);

	if (!err)
		dev->transport = &transport.transport;
	return err;
}

Test(fs, it_says_its_tag_and_has_one_request_queue)
{
	static const char zero[FS_TAG_SIZE];
	const struct virtio_fs_config *config;

	cr_assert(zero(int, create("home")));
	config = dev->config;
	cr_assert(zero(int, memcmp(config->tag, "home", 4)));
	cr_assert(zero(int, memcmp(config->tag + 4, zero, FS_TAG_SIZE - 4)));
	cr_assert(eq(u32, le32toh(config->num_request_queues), 1));
	cr_assert(eq(u32, dev->nr_queues, 2));
	cr_assert(eq(u32, dev->type->id, VIRTIO_ID_FS));
	cr_assert(eq(u32, dev->type->config_size, FS_TAG_SIZE + 4));
}

/* 5.11.4: a tag that fills its place has no end. */
Test(fs, a_tag_may_be_36_bytes)
{
	static const char tag[] = "012345678901234567890123456789012345";
	const struct virtio_fs_config *config;

	cr_assert(zero(int, create(tag)));
	config = dev->config;
	cr_assert(zero(int, memcmp(config->tag, tag, FS_TAG_SIZE)));
	cr_assert(eq(u32, le32toh(config->num_request_queues), 1));
}

Test(fs, only_what_transports_know_is_offered)
{
	cr_assert(zero(int, create("a")));
	cr_assert(eq(u64, dev->features,
	             BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_INDIRECT_DESC) |
	                     BIT(VIRTIO_RING_F_EVENT_IDX)));
}

struct call_case {
	unsigned int nth;
};

ParameterizedTestParameters(fs, a_back_end_that_fails_makes_no_device)
{
	static struct call_case cases[] = { { 1 }, { 2 } }; /* set_owner, get_features */

	return cr_make_param_array(struct call_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct call_case *c, fs, a_back_end_that_fails_makes_no_device)
{
	fake_vhost.fail_at = c->nth;
	fake_vhost.fail_err = -EPROTO;
	cr_assert(eq(int, create("a"), -EPROTO));
	cr_assert(zero(ptr, dev));
}

Test(fs, a_back_end_that_has_gone_is_told_once_and_needs_a_reset)
{
	cr_assert(zero(int, create("a")));
	dev->acked = BIT(VIRTIO_F_VERSION_1);
	dev->status = 0xf;
	fs_lost(dev, -EPIPE);
	cr_assert(eq(u32, dev->status, 0xf | VIRTIO_CONFIG_S_NEEDS_RESET));
	cr_assert(eq(u32, transport.config_changes, 1));
	cr_assert(eq(u32, fake_vhost.failures, 1));
	fs_lost(dev, -EPIPE);
	cr_assert(eq(u32, fake_vhost.failures, 1));
}

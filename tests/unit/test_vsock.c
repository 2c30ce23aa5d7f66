// SPDX-License-Identifier: GPL-2.0-only
/* The socket device as a driver finds it (virtio 1.3, 5.10). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <endian.h>
#include <errno.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_vsock.h>

#include "devices/virtio/vsock.h"
#include "tests/unit/fake_vhost.h"
#include "tests/unit/fake_virtio.h"

static struct vm vm;
static struct virtio_dev *dev;

static void make(void)
{
	fake_vhost_make(&vm);
}

static void unmake(void)
{
	fake_vhost_unmake(&vm, dev, vsock_destroy);
}

TestSuite(vsock, .init = make, .fini = unmake, .timeout = 20);

static int create(u64 cid)
{
	const struct vsock_config c = { FAKE_VHOST_CONFIG(&vm), .cid = cid };

	return vsock_create(&dev, &c);
}

Test(vsock, it_says_its_context_id_and_has_three_queues)
{
	const struct virtio_vsock_config *config;

	cr_assert(zero(int, create(0xfffffffe)));
	config = dev->config;
	cr_assert(eq(u64, le64toh(config->guest_cid), 0xfffffffe));
	cr_assert(eq(u32, dev->type->id, VIRTIO_ID_VSOCK));
	cr_assert(eq(u32, dev->type->config_size, 8));
	cr_assert(eq(u32, dev->nr_queues, 3));
}

Test(vsock, a_back_end_that_can_nothing_is_offered_nothing_more)
{
	fake_vhost.offers = BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_VSOCK_F_SEQPACKET) |
	                    BIT(VIRTIO_F_ACCESS_PLATFORM);
	cr_assert(zero(int, create(3)));
	cr_assert(eq(u64, dev->features, BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_VSOCK_F_SEQPACKET)));
}

struct call_case {
	unsigned int nth;
};

ParameterizedTestParameters(vsock, a_back_end_that_fails_makes_no_device)
{
	static struct call_case cases[] = { { 1 }, { 2 } }; /* set_owner, get_features */

	return cr_make_param_array(struct call_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct call_case *c, vsock, a_back_end_that_fails_makes_no_device)
{
	fake_vhost.fail_at = c->nth;
	fake_vhost.fail_err = -EBUSY;
	cr_assert(eq(int, create(3), -EBUSY));
	cr_assert(zero(ptr, dev));
}

Test(vsock, the_event_queue_is_not_the_back_ends)
{
	static struct fake_transport transport;

	cr_assert(zero(int, create(3)));
	fake_transport_init(&transport);
	dev->transport = &transport.transport;
	dev->acked = BIT(VIRTIO_F_VERSION_1);
	dev->status = 0xf;
	for (unsigned int i = 0; i < 3; i++)
		dev->vq[i].enabled = 1;
	fake_vhost.calls[0] = 0;
	virtio_notify(dev, 2); /* there is no kick_fd to write */
	cr_assert(eq(str, fake_vhost.calls, ""));
	cr_assert(zero(u32, dev->vq[2].popped));
}

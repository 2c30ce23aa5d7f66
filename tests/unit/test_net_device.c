// SPDX-License-Identifier: GPL-2.0-only
/* The network devices of a machine: the addresses they have, and what is theirs to close. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/virtio/net.h"
#include "devices/virtio/net_stream.h"
#include "devices/virtio/virtio.h"
#include "machine/machine.h"
#include "machine/net.h"
#include "tests/unit/fake_kvm.h"
#include "tests/unit/said.h"

static struct options o = { .virtio_mmio = true, .nr_segments = 1 };
static struct machine m = { .options = &o };
static int far[MAX_NETS];

/* Any back end will do. */
static void make(void)
{
	listen_to(stderr);
	fake_vm(&m.vm, 1);
	for (unsigned int i = 0; i < MAX_NETS; i++) {
		int ends[2];

		cr_assert(zero(int, socketpair(AF_UNIX, SOCK_STREAM, 0, ends)));
		cr_assert(zero(int, net_stream_create(&m.nets[i], ends[0])));
		far[i] = ends[1];
	}
}

static void unmake(void)
{
	loop_drain(m.vm.loop);
	while (m.nr_owned) {
		struct owned *last = &m.owned[--m.nr_owned];

		last->destroy(last->object);
	}
	free(m.virtio);
	nets_close(&m);
	for (unsigned int i = 0; i < MAX_NETS; i++) {
		char byte;

		cr_assert(zero(int, recv(far[i], &byte, 1, 0)), "closed once, by whom it is");
		close(far[i]);
	}
	fake_vm_destroy(&m.vm);
}

TestSuite(net_device, .init = make, .fini = unmake, .timeout = 20);

static struct net_option *add(const char *tap)
{
	struct net_option *net = &o.nets[o.nr_nets++];

	*net = (struct net_option){ .said = tap ? tap : "passt", .tap = tap, .passt = !tap };
	return net;
}

static const u8 *mac(unsigned int i)
{
	const struct virtio_net_config *config = m.virtio[i]->config;

	return config->mac;
}

static bool same(unsigned int i, unsigned int j)
{
	return !memcmp(mac(i), mac(j), NET_MAC_LEN);
}

Test(net_device, an_address_that_was_given_is_the_devices)
{
	static const u8 given[] = { 2, 3, 4, 5, 6, 7 };
	struct net_option *net = add("t0");

	net->has_mac = true;
	memcpy(net->mac, given, sizeof(given));
	cr_assert(zero(int, nets_create(&m)));
	cr_assert(eq(u32, m.nr_virtio, 1));
	cr_assert(zero(int, memcmp(mac(0), given, sizeof(given))));
	cr_assert(zero(ptr, m.nets[0]), "the device's");
	cr_assert(ne(ptr, m.nets[1], NULL), "nobody's yet");
}

Test(net_device, an_address_that_was_not_given_is_its_own_and_local)
{
	o.name = "a";
	add("t0");
	add("t1");
	add(NULL);
	add(NULL);
	cr_assert(zero(int, nets_create(&m)));
	for (unsigned int i = 0; i < 4; i++) {
		cr_assert(eq(u8, mac(i)[0], 2));
		for (unsigned int j = 0; j < i; j++)
			cr_assert(not(same(i, j)), "%u and %u", i, j);
	}
}

/* The next machine of a reboot, or of tomorrow; and the same of a guest with another name. */
Test(net_device, an_address_is_the_same_at_each_run_and_another_for_another_guest)
{
	static const char *const names[] = { "a", "a", "b", NULL };

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		o.name = names[i];
		o.nr_nets = 0;
		add("t0");
		if (i) {
			m.nets[0] = m.nets[i];
			m.nets[i] = NULL;
		}
		cr_assert(zero(int, nets_create(&m)));
	}
	cr_assert(same(0, 1));
	cr_assert(not(same(0, 2)));
	cr_assert(not(same(0, 3)));
	cr_assert(not(same(2, 3)));
}

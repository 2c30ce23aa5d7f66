/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Broken queues and buffers of a network device: each ends in NEEDS_RESET, or
 * comes to nothing, and a reset mends it.
 */
#include "lib/chains.h"

#define NET          1
#define F_MRG_RXBUF  (1UL << 15)
#define F_CTRL_VQ    (1UL << 17)
#define F_CTRL_RX    (1UL << 18)
#define NET_FEATURES (F_MRG_RXBUF | F_CTRL_VQ | F_CTRL_RX)
#define NET_HEADER   12

enum { RX, TX, CTRL };

static struct device dev;

/* A good frame to nobody, and a good command: they come back. */
static void net_works(const char *after)
{
	volatile u8 *ack = buffers[3];

	check(device_start(&dev, NET_FEATURES), "%s: it does not start again", after);
	memset(buffers, 0, sizeof(buffers));
	dev.ring[TX].desc[0] = (struct desc){ BUFFER(0), NET_HEADER + 60, 0, 0 };
	device_offer(&dev, TX, 0);
	check(wait_for(device_done(&dev, TX), LONG), "%s: a good frame is not sent", after);
	*ack = 0xee;
	dev.ring[CTRL].desc[0] = (struct desc){ BUFFER(2), 3, DESC_NEXT, 1 };
	dev.ring[CTRL].desc[1] = (struct desc){ BUFFER(3), 1, DESC_WRITE, 0 };
	device_offer(&dev, CTRL, 0);
	check(wait_for(device_done(&dev, CTRL), LONG), "%s: no answer to a command", after);
	check(*ack == 0, "%s: a good command is refused: %u", after, *ack);
	check(!device_needs_reset(&dev), "%s: NEEDS_RESET", after);
}

static const struct chain net_rx[] = {
	{ "a buffer with room", HELD, { LAST_IN(2048) } },
	{ "a buffer without room for a header", BROKEN, { LAST_IN(NET_HEADER - 1) } },
	{ "a buffer to read", BROKEN, { LAST_OUT(2048) } },
	{ "a buffer of all memory", HELD, { AT(RAM_BASE, RAM_END - RAM_BASE, DESC_WRITE) } },
};
static const struct chain net_tx[] = {
	{ "a frame without a header", BROKEN, { LAST_OUT(NET_HEADER - 1) } },
	{ "a header without a frame", USED, { LAST_OUT(NET_HEADER) } },
	{ "a frame of a byte", USED, { LAST_OUT(NET_HEADER + 1) } },
	{ "a frame of all memory", USED, { AT(RAM_BASE, RAM_END - RAM_BASE, 0) } },
	{ "a frame to write", BROKEN, { LAST_IN(100) } },
};
static const struct chain net_ctrl[] = {
	{ "half a command", BROKEN, { OUT(1, 1), LAST_IN(1) } },
	{ "a command without a place for its answer", BROKEN, { LAST_OUT(3) } },
	{ "a command with a place of no length", BROKEN, { OUT(3, 1), LAST_IN(0) } },
	{ "a command of all memory",
	  USED,
	  { { RAM_BASE, RAM_END - RAM_BASE, DESC_NEXT, 1 }, LAST_IN(1) } },
};

static void net_chains(unsigned int queue, const struct chain *c, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		offer_chain(&dev, queue, &c[i], NET_FEATURES);
		expect_outcome(&dev, queue, c[i].outcome, c[i].name);
		net_works(c[i].name);
	}
}

static void net_buffers(void)
{
	device_find(&dev, NET, 3);
	net_works("the beginning");
	for (unsigned int queue = RX; queue <= CTRL; queue++)
		net_chains(queue, chains, nr_chains);
	net_chains(RX, net_rx, ARRAY_SIZE(net_rx));
	net_chains(TX, net_tx, ARRAY_SIZE(net_tx));
	net_chains(CTRL, net_ctrl, ARRAY_SIZE(net_ctrl));
}

/* Headers that make no sense: such frames are lost, and all come back. */
static void net_headers(void)
{
	device_find(&dev, NET, 3);
	for (unsigned int i = 0; i < 256; i++) {
		check(device_start(&dev, NET_FEATURES), "no start");
		memset(buffers, i, sizeof(buffers));
		for (u16 n = 0; n < QUEUE_SIZE; n++) {
			buffers[0][0] = n % 2 ? 1 : i;
			dev.ring[TX].desc[n] =
				(struct desc){ BUFFER(0), NET_HEADER + 14 + n * 100, 0, 0 };
			device_offer(&dev, TX, n);
		}
		check(wait_for(device_done(&dev, TX), LONG), "header %u: does not come back", i);
		check(!device_needs_reset(&dev), "header %u: NEEDS_RESET", i);
	}
	net_works("headers");
}

/* Commands of every class and number, and of any length: each has its answer. */
static void net_commands(void)
{
	volatile u8 *ack = buffers[3];

	device_find(&dev, NET, 3);
	check(device_start(&dev, NET_FEATURES), "no start");
	for (unsigned int i = 0; i < 8 * 8 * 16; i++) {
		memset(buffers, 0xff, sizeof(buffers));
		buffers[2][0] = i % 8;
		buffers[2][1] = i / 8 % 8;
		dev.ring[CTRL].desc[0] = (struct desc){ BUFFER(2), 2 + i / 64 * 3, DESC_NEXT, 1 };
		dev.ring[CTRL].desc[1] = (struct desc){ BUFFER(3), 1, DESC_WRITE, 0 };
		device_offer(&dev, CTRL, 0);
		check(wait_for(device_done(&dev, CTRL), LONG), "command %u: no answer", i);
		check(*ack <= 1, "command %u: answered by %u", i, *ack);
	}
	net_works("commands");
}

static void net_rings(void)
{
	device_find(&dev, NET, 3);
	for (unsigned int queue = RX; queue <= CTRL; queue++)
		for (unsigned int i = 0; i < nr_places; i++) {
			misplace_rings(&dev, queue, i, NET_FEATURES,
			               (struct desc)LAST_OUT(NET_HEADER + 60));
			expect_outcome(&dev, queue, BROKEN, place_name(i));
			net_works(place_name(i));
		}
}

/* Resets with buffers held and frames on their way; of the device, and of a queue alone. */
static void net_resets(void)
{
	device_find(&dev, NET, 3);
	for (unsigned int i = 0; i < 100; i++) {
		check(device_start(&dev, NET_FEATURES | F_RING_RESET), "no start");
		for (u16 n = 0; n < QUEUE_SIZE; n++) {
			dev.ring[RX].desc[n] = (struct desc)LAST_IN(2048);
			device_offer(&dev, RX, n);
			dev.ring[TX].desc[n] = (struct desc)LAST_OUT(NET_HEADER + 60);
			device_offer(&dev, TX, n);
		}
		if (i % 2) {
			check(where_reset_queue(&dev.where, i / 2 % 2),
			      "a queue's reset does not end");
		}
		check(where_reset(&dev.where), "the reset does not end");
	}
	net_works("resets");
}

static volatile bool stop;

/* The other CPU: one field of one descriptor changes to and fro while the device reads it. */
static void change(void)
{
	static const u64 addresses[] = { 0, RAM_END - 256, -1UL, (u64)buffers };

	for (unsigned int i = 0; !stop; i++) {
		volatile struct desc *d = &dev.ring[i % 3].desc[i / 3 % 2];
		const struct desc good = *d;

		for (unsigned int n = 0; n < 1000 && !stop; n++) {
			bool bad = n & 8;

			d->addr = bad && i % 4 == 0 ? addresses[i / 4 % 4] : good.addr;
			d->len = bad && i % 4 == 1 ? ~0u : good.len;
			d->flags = bad && i % 4 == 2 ? i % 8 : good.flags;
			d->next = bad && i % 4 == 3 ? i % 11 : good.next;
		}
		*d = good;
	}
}

static void net_race(void)
{
	const u64 count = parameter_after("count=", 300);

	device_find(&dev, NET, 3);
	check(psci_cpu_on(1, change) == PSCI_OK, "CPU 1 does not start");
	for (u64 i = 0; i < count; i++) {
		check(device_start(&dev, NET_FEATURES | F_INDIRECT), "no start");
		dev.ring[RX].desc[0] = (struct desc)LAST_IN(2048);
		dev.ring[TX].desc[0] = (struct desc)OUT(NET_HEADER, 1);
		dev.ring[TX].desc[1] = (struct desc)LAST_OUT(60);
		dev.ring[CTRL].desc[0] = (struct desc)OUT(3, 1);
		dev.ring[CTRL].desc[1] = (struct desc)LAST_IN(1);
		for (unsigned int queue = RX; queue <= CTRL; queue++)
			device_offer(&dev, queue, 0);
		check(wait_for((device_done(&dev, TX) && device_done(&dev, CTRL)) ||
		                       device_needs_reset(&dev),
		               LONG),
		      "no outcome");
	}
	stop = true;
	check(wait_for(psci_affinity_info(1) == AFFINITY_OFF, LONG), "CPU 1 does not end");
	net_works("the race");
}

static const struct test tests[] = {
	{ "net-buffers", net_buffers },   { "net-headers", net_headers },
	{ "net-commands", net_commands }, { "net-rings", net_rings },
	{ "net-resets", net_resets },     { "net-race", net_race },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

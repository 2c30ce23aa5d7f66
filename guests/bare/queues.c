/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Broken queues and buffers of a network and of a socket device: each ends in
 * NEEDS_RESET, or comes to nothing, and a reset mends it.
 */
#include "lib/device.h"

#define RAM_END      (RAM_BASE + (256UL << 20)) /* the scenario's -m */
#define NET          1
#define VSOCK        19
#define F_MRG_RXBUF  (1UL << 15)
#define F_CTRL_VQ    (1UL << 17)
#define F_CTRL_RX    (1UL << 18)
#define NET_FEATURES (F_MRG_RXBUF | F_CTRL_VQ | F_CTRL_RX)
#define NET_HEADER   12

enum { RX, TX, CTRL };
/* What becomes of a buffer. */
enum outcome { BROKEN, USED, HELD, ANYTHING };

static struct device dev;
static u8 buffers[4][4096] __attribute__((aligned(4096)));
#define BUFFER(n) ((u64)buffers[n])
static struct desc table[4];

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

/* A connection that nobody waits for: the host says so (5.10.6.6, VIRTIO_VSOCK_OP_RST). */
struct packet {
	u64 src_cid, dst_cid;
	u32 src_port, dst_port, len;
	u16 type, op;
	u32 flags, buf_alloc, fwd_cnt;
} __attribute__((packed));

static void vsock_works(const char *after)
{
	struct packet *request = (struct packet *)buffers[0];
	volatile struct packet *answer = (struct packet *)buffers[1];

	check(device_start(&dev, 0), "%s: it does not start again", after);
	memset(buffers, 0, sizeof(buffers));
	*request = (struct packet){ .src_cid = read32(dev.where.config),
		                    .dst_cid = 2,
		                    .src_port = 1024,
		                    .dst_port = 54321,
		                    .type = 1,
		                    .op = 1,
		                    .buf_alloc = 4096 };
	dev.ring[RX].desc[0] = (struct desc){ BUFFER(1), 4096, DESC_WRITE, 0 };
	device_offer(&dev, RX, 0);
	dev.ring[TX].desc[0] = (struct desc){ BUFFER(0), sizeof(*request), 0, 0 };
	device_offer(&dev, TX, 0);
	check(wait_for(device_done(&dev, TX), LONG), "%s: a good packet is not taken", after);
	check(wait_for(device_done(&dev, RX), LONG), "%s: no answer", after);
	check(answer->op == 3 && answer->dst_port == 1024, "%s: answered by %u", after, answer->op);
	check(!device_needs_reset(&dev), "%s: NEEDS_RESET", after);
}

static void expect(unsigned int queue, enum outcome outcome, const char *name)
{
	if (outcome == BROKEN) {
		check(wait_for(device_needs_reset(&dev), LONG), "%s: no NEEDS_RESET", name);
		return;
	}
	if (outcome == USED)
		check(wait_for(device_done(&dev, queue), LONG), "%s: does not come back", name);
	else
		wait_for(device_needs_reset(&dev), 10);
	check(outcome == ANYTHING || !device_needs_reset(&dev), "%s: NEEDS_RESET", name);
	check(outcome != HELD || !device_done(&dev, queue), "%s: comes back", name);
}

#define OUT(len, to)                          \
	{                                     \
		BUFFER(0), len, DESC_NEXT, to \
	}
#define LAST_OUT(len)                \
	{                            \
		BUFFER(0), len, 0, 0 \
	}
#define IN(len, to)                                        \
	{                                                  \
		BUFFER(1), len, DESC_NEXT | DESC_WRITE, to \
	}
#define LAST_IN(len)                          \
	{                                     \
		BUFFER(1), len, DESC_WRITE, 0 \
	}
#define AT(where, len, descflags)        \
	{                                \
		where, len, descflags, 0 \
	}
#define TABLE(len)                                 \
	{                                          \
		(u64) table, len, DESC_INDIRECT, 0 \
	}

struct chain {
	const char *name;
	enum outcome outcome;
	struct desc desc[4], table[4];
	u16 head;
	bool indirect; /* the feature is taken */
};

/* Of any queue, whatever its device would make of the contents. */
static const struct chain chains[] = {
	{ "a loop", BROKEN, { OUT(16, 1), OUT(16, 0) } },
	{ "a loop of what is written", BROKEN, { IN(16, 1), IN(16, 0) } },
	{ "a descriptor that follows itself", BROKEN, { OUT(16, 0) } },
	{ "a loop of nothing", BROKEN, { { 0, 0, DESC_NEXT, 0 } } },
	{ "next beyond the table", BROKEN, { OUT(16, QUEUE_SIZE) } },
	{ "next far beyond the table", BROKEN, { OUT(16, 0xffff) } },
	{ "a head beyond the table", BROKEN, { LAST_OUT(16) }, .head = QUEUE_SIZE },
	{ "a head far beyond the table", BROKEN, { LAST_OUT(16) }, .head = 0xffff },
	{ "readable after writable", BROKEN, { IN(16, 1), LAST_OUT(16) } },
	{ "a buffer outside RAM", BROKEN, { AT(UART_BASE, 16, 0) } },
	{ "a buffer to write outside RAM", BROKEN, { AT(UART_BASE, 16, DESC_WRITE) } },
	{ "a buffer across the end of RAM", BROKEN, { AT(RAM_END - 1, 16, 0) } },
	{ "a buffer across the end of addresses", BROKEN, { AT(-8UL, 16, DESC_WRITE) } },
	{ "4 GiB", BROKEN, { AT(RAM_BASE, ~0u, 0) } },
	{ "nothing at all", BROKEN, { { 0, 0, 0, 0 } } },
	{ "a table nobody agreed on", BROKEN, { TABLE(16) }, { LAST_OUT(16) } },
	{ "a table in itself", BROKEN, { TABLE(16) }, { TABLE(16) }, .indirect = true },
	{ "a table of no length", BROKEN, { TABLE(0) }, .indirect = true },
	{ "half a descriptor of a table", BROKEN, { TABLE(24) }, .indirect = true },
	{ "a table of 4 GiB", BROKEN, { TABLE(0xfffffff0) }, .indirect = true },
	{ "a loop in a table",
	  BROKEN,
	  { TABLE(32) },
	  { OUT(16, 1), OUT(16, 0) },
	  .indirect = true },
	{ "a table outside RAM", BROKEN, { AT(0x1000, 16, DESC_INDIRECT) }, .indirect = true },
};

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

static void offer_chain(unsigned int queue, const struct chain *c, u64 features, bool any)
{
	check(device_start(&dev, features | (c->indirect ? F_INDIRECT : 0)), "%s: no start",
	      c->name);
	memcpy(dev.ring[queue].desc, c->desc, sizeof(c->desc));
	memcpy(table, c->table, sizeof(c->table));
	device_offer(&dev, queue, c->head);
	expect(queue, any ? ANYTHING : c->outcome, c->name);
}

static void net_chains(unsigned int queue, const struct chain *c, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		offer_chain(queue, &c[i], NET_FEATURES, false);
		net_works(c[i].name);
	}
}

static void net_buffers(void)
{
	device_find(&dev, NET, 3);
	net_works("the beginning");
	for (unsigned int queue = RX; queue <= CTRL; queue++)
		net_chains(queue, chains, ARRAY_SIZE(chains));
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

static void vsock_buffers(void)
{
	device_find(&dev, VSOCK, 3);
	vsock_works("the beginning");
	for (unsigned int queue = RX; queue <= CTRL; queue++)
		for (unsigned int i = 0; i < ARRAY_SIZE(chains); i++) {
			offer_chain(queue, &chains[i], 0, true);
			vsock_works(chains[i].name);
		}
}

#define GOOD_DESC(q)  ((u64)dev.ring[q].desc)
#define GOOD_AVAIL(q) ((u64)&dev.ring[q].avail)
#define GOOD_USED(q)  ((u64)&dev.ring[q].used)

/* Places of rings that are none; 1: where it belongs. */
static const struct {
	const char *name;
	u64 desc, avail, used;
} places[] = {
	{ "descriptors at 0", 0, 1, 1 },
	{ "descriptors in a device", UART_BASE, 1, 1 },
	{ "descriptors past RAM", RAM_END, 1, 1 },
	{ "descriptors across the end of addresses", -16UL, 1, 1 },
	{ "available ring at 0", 1, 0, 1 },
	{ "available ring in a device", 1, UART_BASE, 1 },
	{ "available ring across the end of RAM", 1, RAM_END - 2, 1 },
	{ "available ring across the end of addresses", 1, -2UL, 1 },
	{ "available ring at an odd address", 1, RAM_END - 4095, 1 },
	{ "used ring at 0", 1, 1, 0 },
	{ "used ring in a device", 1, 1, UART_BASE },
	{ "used ring across the end of RAM", 1, 1, RAM_END - 4 },
	{ "used ring across the end of addresses", 1, 1, -4UL },
	{ "used ring at an odd address", 1, 1, RAM_END - 4095 },
};

/* One queue's rings are misplaced; something good is offered there, into them. */
static void misplace(unsigned int queue, unsigned int i, u64 features)
{
	u64 desc = places[i].desc == 1 ? GOOD_DESC(queue) : places[i].desc;
	u64 avail = places[i].avail == 1 ? GOOD_AVAIL(queue) : places[i].avail;
	u64 used = places[i].used == 1 ? GOOD_USED(queue) : places[i].used;

	check(device_negotiate(&dev, features), "%s: no start", places[i].name);
	for (unsigned int q = 0; q < dev.nr_queues; q++)
		if (q == queue)
			device_set_queue(&dev, q, desc, avail, used);
		else
			device_set_queue(&dev, q, GOOD_DESC(q), GOOD_AVAIL(q), GOOD_USED(q));
	blk_go(&dev.where);
	dev.ring[queue].desc[0] = (struct desc)LAST_OUT(NET_HEADER + 60);
	device_offer(&dev, queue, 0);
	expect(queue, BROKEN, places[i].name);
}

static void net_rings(void)
{
	device_find(&dev, NET, 3);
	for (unsigned int queue = RX; queue <= CTRL; queue++)
		for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
			misplace(queue, i, NET_FEATURES);
			net_works(places[i].name);
		}
}

/* Nobody looks at the event queue's rings. */
static void vsock_rings(void)
{
	device_find(&dev, VSOCK, 3);
	for (unsigned int queue = RX; queue <= TX; queue++)
		for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
			misplace(queue, i, 0);
			vsock_works(places[i].name);
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
			write16(dev.where.common + COMMON_QUEUE_SELECT, i / 2 % 2);
			write16(dev.where.common + COMMON_QUEUE_RESET, 1);
			check(wait_for(!read16(dev.where.common + COMMON_QUEUE_RESET), LONG),
			      "a queue's reset does not end");
		}
		check(blk_reset(&dev.where), "the reset does not end");
	}
	net_works("resets");
}

static void vsock_resets(void)
{
	device_find(&dev, VSOCK, 3);
	for (unsigned int i = 0; i < 50; i++) {
		check(device_start(&dev, 0), "no start");
		for (u16 n = 0; n < QUEUE_SIZE; n++) {
			dev.ring[RX].desc[n] = (struct desc)LAST_IN(2048);
			device_offer(&dev, RX, n);
			dev.ring[TX].desc[n] = (struct desc)LAST_OUT(44);
			device_offer(&dev, TX, n);
		}
		check(blk_reset(&dev.where), "the reset does not end");
	}
	vsock_works("resets");
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
	device_find(&dev, NET, 3);
	check(psci_cpu_on(1, change) == PSCI_OK, "CPU 1 does not start");
	for (unsigned int i = 0; i < 300; i++) {
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
	{ "net-buffers", net_buffers },     { "net-headers", net_headers },
	{ "net-commands", net_commands },   { "net-rings", net_rings },
	{ "net-resets", net_resets },       { "net-race", net_race },
	{ "vsock-buffers", vsock_buffers }, { "vsock-rings", vsock_rings },
	{ "vsock-resets", vsock_resets },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Broken queues and buffers of the smaller devices, and of those whose rings
 * somebody else works: console, entropy, sockets, file system. The first word
 * names the device, and what is done to it.
 */
#include "lib/chains.h"

enum { CONSOLE = 3, RNG = 4, VSOCK = 19, FS = 26 };
enum { RX, TX, EVENT };   /* 5.10.2, and 5.3.2 */
enum { HIPRIO, REQUEST }; /* 5.11.2 */
#define CONNECT_BYTES 44  /* of a socket's packet without data */
#define GOOD_OUT      ((struct desc)LAST_OUT(64))

static struct device dev;

static void start_again(const char *after)
{
	check(device_start(&dev, 0), "%s: it does not start again", after);
	memset(buffers, 0, sizeof(buffers));
}

static void comes_back(unsigned int queue, const char *after)
{
	check(wait_for(device_done(&dev, queue), LONG), "%s: queue %u: does not come back", after,
	      queue);
	check(!device_needs_reset(&dev), "%s: NEEDS_RESET", after);
}

static void offer(unsigned int queue, struct desc desc)
{
	dev.ring[queue].desc[0] = desc;
	device_offer(&dev, queue, 0);
}

static void fill(unsigned int queue, struct desc desc)
{
	for (u16 n = 0; n < QUEUE_SIZE; n++) {
		dev.ring[queue].desc[n] = desc;
		device_offer(&dev, queue, n);
	}
}

/* A line of output; and of input, of which the scenario has any amount. */
static void console_works(const char *after)
{
	static const char line[] = "the console works\n";

	start_again(after);
	memcpy(buffers[0], line, sizeof(line));
	offer(TX, (struct desc)LAST_OUT(sizeof(line) - 1));
	offer(RX, (struct desc)LAST_IN(16));
	comes_back(TX, after);
	comes_back(RX, after);
	check(*(volatile u8 *)buffers[1], "%s: no input", after);
}

static void rng_works(const char *after)
{
	volatile u64 *word = (volatile u64 *)buffers[1];

	start_again(after);
	offer(0, (struct desc)LAST_IN(64));
	comes_back(0, after);
	check(word[0] || word[1], "%s: nothing random", after);
}

/* A connection that nobody waits for: the host says so (5.10.6.6, VIRTIO_VSOCK_OP_RST). */
struct packet {
	u64 src_cid, dst_cid;
	u32 src_port, dst_port, len;
	u16 type, op;
	u32 flags, buf_alloc, fwd_cnt;
} __attribute__((packed));

static void connect(void)
{
	struct packet *request = (struct packet *)buffers[0];

	*request = (struct packet){ .src_cid = read32(dev.where.config),
		                    .dst_cid = 2,
		                    .src_port = 1024,
		                    .dst_port = 54321,
		                    .type = 1,
		                    .op = 1,
		                    .buf_alloc = 4096 };
	offer(TX, (struct desc)LAST_OUT(CONNECT_BYTES));
}

static void vsock_works(const char *after)
{
	volatile struct packet *answer = (struct packet *)buffers[1];

	start_again(after);
	fill(RX, (struct desc)LAST_IN(4096)); /* answers that found no room before come first */
	connect();
	comes_back(TX, after);
	check(wait_for(*(volatile u16 *)&dev.ring[RX].used.idx, LONG), "%s: no answer", after);
	check(!device_needs_reset(&dev), "%s: NEEDS_RESET", after);
	check(answer->op == 3 && answer->dst_port == 1024, "%s: answered by %u", after, answer->op);
}

/* FUSE_INIT (linux/fuse.h), as a driver begins with. */
struct fuse_init {
	u32 len, opcode;
	u64 unique, node;
	u32 uid, gid, pid, padding;
	u32 major, minor, max_readahead, flags, flags2, unused[11];
} __attribute__((packed));

static bool gone;

static void fs_request(void)
{
	struct fuse_init *init = (struct fuse_init *)buffers[0];

	*init = (struct fuse_init){
		.len = sizeof(*init), .opcode = 26, .unique = 1, .major = 7, .minor = 38
	};
	dev.ring[REQUEST].desc[1] = (struct desc)LAST_IN(256);
	offer(REQUEST, (struct desc)OUT(sizeof(*init), 1));
}

/* A program that meets a malformed request may not survive it; of it nothing more is expected. */
static bool may_go, gone;

static void fs_works(const char *after)
{
	volatile u32 *answer = (volatile u32 *)buffers[1]; /* len, error */

	start_again(after);
	fs_request();
	gone = may_go && !wait_for(device_done(&dev, REQUEST), LONG / 2);
	if (gone) {
		print("gone after %s\n", after);
		check(where_reset(&dev.where), "%s: the reset does not end", after);
		return;
	}
	comes_back(REQUEST, after);
	check(answer[0] >= 16 && !answer[1], "%s: answered by error %x", after, answer[1]);
	wait_for(false,
	         20); /* virtiofsd 1.13 ends a queue that it has just been kicked for badly */
}

/* A device, and what is broken of it. */
static const struct kind {
	u16 type;
	u8 nr_queues;
	void (*works)(const char *after);
	void (*request)(void); /* in queue 1, of a back end's */
	bool answers;          /* only then is what is in the receive queue looked at */
	/* By queue. A back end that cannot say that one is broken says nothing. */
	enum outcome outcome[3];
	bool reads_rings[3];
	enum outcome nothing; /* of a buffer with nothing in it */
} kinds[] = {
	{ CONSOLE, 2, console_works, NULL, false, { BROKEN, BROKEN }, { true, true }, USED },
	{ RNG, 1, rng_works, NULL, false, { BROKEN }, { true }, BROKEN },
	{ VSOCK, 3, vsock_works, connect, true, { BROKEN, BROKEN, HELD }, { true, true }, BROKEN },
	{ FS, 2, fs_works, fs_request, false, { ANYTHING, ANYTHING }, { true, true }, ANYTHING },
};

static const struct kind *find(u16 type)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].type != type)
			continue;
		device_find(&dev, type, kinds[i].nr_queues);
		kinds[i].works("the beginning");
		return &kinds[i];
	}
	fail("no such kind");
}

static enum outcome outcome_of(const struct kind *k, unsigned int queue, unsigned int chain)
{
	bool nothing = chain == NOTHING_AT_ALL && k->outcome[queue] == BROKEN;

	return nothing ? k->nothing : k->outcome[queue];
}

static void break_buffers(const struct kind *k, unsigned int queue)
{
	for (unsigned int i = 0; i < nr_chains && !gone; i++) {
		offer_chain(&dev, queue, &chains[i], 0);
		if (queue == RX && k->answers)
			k->request();
		expect_outcome(&dev, queue, outcome_of(k, queue, i), chains[i].name);
		k->works(chains[i].name);
	}
}

static void break_rings(const struct kind *k, unsigned int queue)
{
	for (unsigned int i = 0; i < nr_places && k->reads_rings[queue]; i++) {
		misplace_rings(&dev, queue, i, 0, GOOD_OUT);
		expect_outcome(&dev, queue, BROKEN, place_name(i));
		k->works(place_name(i));
	}
}

/* Resets with all that there is room for on its way. */
static void reset_under_way(const struct kind *k)
{
	for (unsigned int i = 0; i < 50; i++) {
		check(device_start(&dev, 0), "no start");
		fill(RX, (struct desc)LAST_IN(2048));
		if (k->type == CONSOLE || k->type == VSOCK)
			fill(TX, (struct desc)LAST_OUT(CONNECT_BYTES));
		check(where_reset(&dev.where), "the reset does not end");
	}
	k->works("resets");
}

static void buffers_of(u16 type)
{
	const struct kind *k = find(type);

	for (unsigned int queue = 0; queue < k->nr_queues && !gone; queue++)
		break_buffers(k, queue);
}

static void rings_of(u16 type)
{
	const struct kind *k = find(type);

	for (unsigned int queue = 0; queue < k->nr_queues; queue++)
		break_rings(k, queue);
	if (type != FS)
		reset_under_way(k);
}

static void console_buffers(void)
{
	buffers_of(CONSOLE);
}

static void console_rings(void)
{
	rings_of(CONSOLE);
}

static void rng_buffers(void)
{
	buffers_of(RNG);
}

static void rng_rings(void)
{
	rings_of(RNG);
}

static void vsock_buffers(void)
{
	buffers_of(VSOCK);
}

static void vsock_rings(void)
{
	rings_of(VSOCK);
}

static void fs_buffers(void)
{
	may_go = true;
	buffers_of(FS);
}

static void fs_rings(void)
{
	rings_of(FS);
}

/* One data queue only: the other stays where it is, and is nowhere; whoever comes next has both. */
static void vsock_half(void)
{
	device_find(&dev, VSOCK, 3);
	for (unsigned int i = 0; i < 8; i++) {
		const unsigned int queue = i % 2;

		check(device_negotiate(&dev, 0), "no start");
		device_set_queue(&dev, queue);
		where_go(&dev.where);
		if (queue == TX)
			connect();
		else
			offer(RX, (struct desc)LAST_IN(4096));
		expect_outcome(&dev, queue, queue == TX ? USED : ANYTHING, "half a device");
		check(!device_needs_reset(&dev), "half a device: NEEDS_RESET");
		if (i >= 4)
			vsock_works("half a device");
	}
}

/* Without Bus Master Enable nobody works the rings; what was asked for meanwhile is not lost. */
static void without_master(u16 type)
{
	const struct kind *k = find(type);
	u64 command = pci_config(dev.where.rid) + PCI_COMMAND;
	u16 on = read16(command);

	start_again("the beginning");
	for (unsigned int i = 0; i < 3; i++) {
		k->request();
		comes_back(1, "with it");
		write16(command, on & ~PCI_COMMAND_MASTER);
		wait_for(false, 100); /* the back end is told by another thread */
		k->request();
		wait_for(false, 100);
		check(!device_done(&dev, 1), "a request is served without it");
		write16(command, on);
		comes_back(1, "with it again");
	}
	k->works("all that");
}

static void vsock_master(void)
{
	without_master(VSOCK);
}

static void fs_master(void)
{
	without_master(FS);
}

static const struct test tests[] = {
	{ "console-buffers", console_buffers },
	{ "console-rings", console_rings },
	{ "rng-buffers", rng_buffers },
	{ "rng-rings", rng_rings },
	{ "vsock-buffers", vsock_buffers },
	{ "vsock-rings", vsock_rings },
	{ "vsock-half", vsock_half },
	{ "fs-buffers", fs_buffers },
	{ "fs-rings", fs_rings },
	{ "vsock-master", vsock_master },
	{ "fs-master", fs_master },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

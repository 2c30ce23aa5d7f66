/* SPDX-License-Identifier: GPL-2.0-only */
/* A driver of a disk and of a network whose rings, headers and data are not there yet when they are
 * looked at: behind an SMMUv3 that stalls each page is waited for, and comes. */
#include "lib/device.h"
#include "lib/smmu.h"

#define IOVA  0x4000000000UL
#define PAGES 16

#define F_ACCESS_PLATFORM (1UL << 33)

static struct smmu s;
static struct tables t;
static struct cd cd __attribute__((aligned(64)));
static struct device dev __attribute__((aligned(4096))); /* a page holds it */
static u8 memory[PAGES][PAGE] __attribute__((aligned(4096)));

/* A page of the device's: where it is in truth, and what has become of it. */
static struct place {
	u64 at;
	bool there;
	unsigned int stalls; /* since it was taken away */
} places[PAGES];
static unsigned int nr_places;

static u64 state = 1;

static unsigned int below(unsigned int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

static void map(unsigned int i, bool there)
{
	places[i].there = there;
	tables_map(&t, IOVA + i * PAGE, places[i].at, 1, there ? S1_PAGE | ENTRY_NG : 0);
	barrier();
}

/* The address by which the device knows what is at @p. */
static u64 place(void *p)
{
	const unsigned int i = nr_places++;

	places[i].at = (u64)p & ~(PAGE - 1);
	map(i, true);
	return IOVA + i * PAGE + ((u64)p & (PAGE - 1));
}

static void set_queue(unsigned int queue)
{
	struct ring *r = &dev.ring[queue];
	const u64 desc = place(r->desc), avail = place(&r->avail), used = place(&r->used);

	where_set_queue(&dev.where, queue, desc, avail, used);
}

static void begin(u16 type, unsigned int nr_queues)
{
	struct ste ste;

	device_find(&dev, type, nr_queues);
	smmu_start(&s);
	tables_clear(&t);
	cd = smmu_cd(&t, 1);
	cd.w[0] = (cd.w[0] & ~CD0_R) | CD0_S;
	ste = smmu_s1(&cd);
	smmu_set_ste(&s, dev.where.rid, &ste);
	check(device_negotiate(&dev, F_ACCESS_PLATFORM), "the device refuses its driver");
	for (unsigned int i = 0; i < nr_queues; i++)
		set_queue(i);
	where_go(&dev.where);
}

static void forget(void)
{
	smmu_push(&s, CMD_TLBI_NSNH_ALL, 0);
	smmu_sync(&s);
}

/* All, or some of it. */
static void take_away(bool all)
{
	for (unsigned int i = 0; i < nr_places; i++) {
		map(i, !all && below(2));
		places[i].stalls = places[i].there;
	}
	forget();
}

/* If something waits, its page comes, and it goes on. */
static void serve(void)
{
	struct smmu_event e;
	u64 i;

	if (!smmu_event(&s, &e))
		return;
	check(e.w[0] == EVENT0(F_TRANSLATION, dev.where.rid) && e.w[1] & EVENT1_STALL,
	      "event %lx %lx at %lx", e.w[0], e.w[1], e.w[2]);
	i = (e.w[2] - IOVA) / PAGE;
	check(i < nr_places && !places[i].there, "a stall at %lx", e.w[2]);
	check(!device_needs_reset(&dev), "NEEDS_RESET while it waits");
	map(i, true);
	places[i].stalls++;
	smmu_push(&s, CMD_RESUME | RETRY | CMD_SID(dev.where.rid), e.w[1] & EVENT1_STAG);
	smmu_sync(&s);
}

static bool is_done(unsigned int queue)
{
	serve();
	return device_done(&dev, queue);
}

/* Each page that was away has been waited for, once. */
static void expect_served(u64 n)
{
	check(!device_needs_reset(&dev), "round %lu: NEEDS_RESET", n);
	for (unsigned int i = 0; i < nr_places; i++)
		check(places[i].stalls == 1, "round %lu: page %u: %u stalls", n, i,
		      places[i].stalls);
	smmu_expect_none(&s, "all were answered");
}

enum { HEADER, DATA, STATUS };

static void disk_prepare(u32 type, u64 sector, const u64 *iova)
{
	struct desc *desc = dev.ring[0].desc;

	*(struct blk_header *)memory[HEADER] =
		(struct blk_header){ .type = type, .sector = sector };
	*(volatile u8 *)memory[STATUS] = NO_STATUS;
	desc[0] = (struct desc){ iova[HEADER], sizeof(struct blk_header), DESC_NEXT, 1 };
	desc[1] = (struct desc){ iova[DATA], SECTOR, DESC_NEXT | (type == BLK_IN ? DESC_WRITE : 0),
		                 2 };
	desc[2] = (struct desc){ iova[STATUS], 1, DESC_WRITE, 0 };
}

/* Written, then read: from other memory than it was written from. */
static void disk_request(u32 type, u64 sector, const u64 *iova, u64 n)
{
	const volatile u8 *status = memory[STATUS];

	disk_prepare(type, sector, iova);
	take_away(n == 0);
	device_offer(&dev, 0, 0);
	check(wait_for(is_done(0), LONG), "round %lu: the request does not come back", n);
	check(*status == BLK_OK, "round %lu: status %u", n, *status);
	expect_served(n);
}

static void disk(void)
{
	const u64 count = parameter_after("count=", 200);
	u64 iova[3];

	begin(2, 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(iova); i++)
		iova[i] = place(memory[i]);
	for (u64 n = 0; n < count; n++) {
		memset(memory[DATA], n + 1, SECTOR);
		disk_request(BLK_OUT, n % 64, iova, n);
		memset(memory[DATA], 0, SECTOR);
		disk_request(BLK_IN, n % 64, iova, n);
		for (unsigned int i = 0; i < SECTOR; i++)
			check(((volatile u8 *)memory[DATA])[i] == (u8)(n + 1),
			      "round %lu: byte %u is %u", n, i, memory[DATA][i]);
	}
}

enum { RX, TX };
#define NET_HEADER 12
#define FRAME      60
#define BUFFER     2048

/* Who has 10.9.0.1? The host's end, which says so to whoever asks. */
static void ask(u8 *frame)
{
	static const u8 request[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  1, 8, 6,
		                      0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 0, 1,
		                      10,   9,    0,    77,   0,    0,    0, 0, 0, 0, 10, 9, 0, 1 };

	memset(frame, 0, NET_HEADER + FRAME);
	for (unsigned int i = 0; i < sizeof(request); i++)
		frame[NET_HEADER + i] = request[i];
}

static bool is_answer(const volatile u8 *buffer)
{
	const volatile u8 *frame = buffer + NET_HEADER;

	return frame[0] == 2 && frame[5] == 1 && frame[12] == 8 && frame[13] == 6 && frame[21] == 2;
}

static void await_answer(const u64 *iova, u64 n)
{
	do {
		memset(memory[RX], 0, BUFFER);
		dev.ring[RX].desc[0] = (struct desc){ iova[RX], BUFFER, DESC_WRITE, 0 };
		device_offer(&dev, RX, 0);
		check(wait_for(is_done(RX), LONG), "round %lu: nothing is received", n);
	} while (!is_answer(memory[RX]));
}

static void network(void)
{
	const u64 count = parameter_after("count=", 200);
	u64 iova[2];

	begin(1, 2);
	iova[RX] = place(memory[RX]);
	iova[TX] = place(memory[TX]);
	for (u64 n = 0; n < count; n++) {
		ask(memory[TX]);
		dev.ring[TX].desc[0] = (struct desc){ iova[TX], NET_HEADER + FRAME, 0, 0 };
		take_away(n == 0);
		device_offer(&dev, TX, 0);
		check(wait_for(is_done(TX), LONG), "round %lu: it is not sent", n);
		await_answer(iova, n);
		expect_served(n);
	}
}

/* The device is reset, or the whole machine goes, while a request waits. */
static void wait_on_disk(void)
{
	struct smmu_event e;

	begin(2, 1);
	take_away(true);
	device_offer(&dev, 0, 0);
	check(wait_for(smmu_event(&s, &e), LONG) && e.w[1] & EVENT1_STALL, "nothing waits");
}

/* It is done, and cannot be given back. */
static void wait_on_used(void)
{
	struct smmu_event e;
	unsigned int used;
	u64 iova[3];

	begin(2, 1);
	used = nr_places - 1;
	for (unsigned int i = 0; i < ARRAY_SIZE(iova); i++)
		iova[i] = place(memory[i]);
	disk_prepare(BLK_IN, 0, iova);
	map(used, false);
	forget();
	device_offer(&dev, 0, 0);
	check(wait_for(smmu_event(&s, &e), LONG) && e.w[1] & EVENT1_STALL &&
	              !(e.w[1] & EVENT1_RNW) && (e.w[2] - IOVA) / PAGE == used,
	      "nothing is given back");
	check(*(volatile u8 *)memory[STATUS] == BLK_OK, "and nothing was done");
	check(!device_done(&dev, 0), "it is back");
}

static void reset(void)
{
	const u64 count = parameter_after("count=", 200);

	for (u64 n = 0; n < count; n++) {
		if (n & 1)
			wait_on_used();
		else
			wait_on_disk();
		check(where_reset(&dev.where), "round %lu: its reset does not end", n);
		nr_places = 0;
	}
	disk();
}

static void waits(void)
{
	wait_on_disk();
	print("it waits\n");
	for (;;)
		;
}

static void again(void)
{
	print("boot\n");
	wait_on_disk();
	psci_system_reset();
}

static const struct test tests[] = {
	{ "disk", disk },   { "network", network }, { "reset", reset },
	{ "waits", waits }, { "again", again },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

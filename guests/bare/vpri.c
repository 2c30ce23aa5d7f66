/* SPDX-License-Identifier: GPL-2.0-only */
/* The DMA endpoint's own mailbox: its page requests and their answers, in front of any vIOMMU. */
#include "lib/gic.h"
#include "lib/leaves.h"
#include "lib/mailbox.h"
#include "lib/random.h"
#include "lib/viommu.h"

enum { PAGE = 4096, STATUS_RF = 1, STATUS_UPRGI = 2, STATUS_STOPPED = 0x100, DOMAIN = 5 };
#define IOVA    0x4000000000UL
#define RING_AT 0x7000000000UL

static struct dma_test d;
static struct mailbox m;
static volatile u32 word;

static void begin(unsigned int log2)
{
	dma_test_find(&d);
	dma_enable_pasids(&d);
	mailbox_find(&m, &d);
	write32(m.at + MB_ADDR, (u64)&word);
	write32(m.at + MB_ADDR_HIGH, (u64)&word >> 32);
	write32(m.at + MB_DATA, 0x1234);
	mailbox_start(&m, (u64)m.ring, log2, MB_MESSAGES);
}

static void ask(unsigned int slot, u32 pasid, u16 group, u32 flags)
{
	const struct dma_op op = {
		.op = DMA_PAGE_REQUEST,
		.flags = flags | DMA_F_READ | (pasid != MB_NO_PASID ? DMA_F_PASID : 0),
		.iova = IOVA + group * PAGE,
		.arg0 = group,
		.pasid = pasid,
	};

	dma_start(&d, slot, &op);
}

static void expect(u32 pasid, u16 group, bool last)
{
	u64 entry[2];

	check(wait_for(mailbox_take(&m, entry), LONG), "group %u: nothing is in the ring", group);
	check(entry[0] ==
	              ((IOVA + group * PAGE) | (u64)group << 3 | MB_READ | (last ? MB_LAST : 0)),
	      "word 0: %lx", entry[0]);
	check((entry[1] & ~MB_PHASE) == mailbox_name(pasid, group), "word 1: %lx", entry[1]);
}

static void expect_nothing(const char *when)
{
	u64 entry[2];

	check(!mailbox_take(&m, entry), "%s: an entry: %lx", when, entry[0]);
}

static void answered(unsigned int slot, u64 code, const char *which)
{
	check(wait_for(dma_state(&d, slot) == DMA_ENDED, LONG) &&
	              dma_outcome(&d, slot) == DMA_DONE && dma_result(&d, slot) == code,
	      "%s: state %u, outcome %u, code %lx", which, dma_state(&d, slot),
	      dma_outcome(&d, slot), dma_result(&d, slot));
}

static void refused(unsigned int slot, const char *why)
{
	check(dma_state(&d, slot) == DMA_ENDED && dma_outcome(&d, slot) == DMA_REFUSED,
	      "%s: state %u, outcome %u", why, dma_state(&d, slot), dma_outcome(&d, slot));
}

static void expect_status(u16 expected, const char *when)
{
	check(mailbox_pri_status(&m) == expected, "%s: status %x", when, mailbox_pri_status(&m));
	write16(m.pri + 6, STATUS_UPRGI);
}

/* Groups of several, by index and PASID; answers in another order than requests. */
static void served(void)
{
	begin(5);
	for (unsigned int round = 0; round < 100; round++) {
		word = 0;
		ask(0, MB_NO_PASID, 5, 0);
		check(!word, "a message before the last of a group");
		ask(1, MB_NO_PASID, 5, DMA_F_LAST);
		check(wait_for(word == 0x1234, LONG), "no message");
		ask(2, 0xabcde, 5, DMA_F_LAST);
		ask(3, MB_NO_PASID, 6, DMA_F_LAST);
		expect(MB_NO_PASID, 5, false);
		expect(MB_NO_PASID, 5, true);
		expect(0xabcde, 5, true);
		expect(MB_NO_PASID, 6, true);
		expect_nothing("all were taken");
		mailbox_answer(&m, mailbox_name(0xabcde, 5), MB_INVALID);
		answered(2, 1, "with a PASID");
		check(dma_state(&d, 1) == DMA_AWAITS, "it has another's answer");
		mailbox_answer(&m, mailbox_name(MB_NO_PASID, 6), MB_SUCCESS);
		mailbox_answer(&m, mailbox_name(MB_NO_PASID, 5), MB_SUCCESS);
		answered(1, 0, "the first group");
		answered(3, 0, "the second group");
		expect_status(0, "all were expected");
	}
	ask(0, MB_NO_PASID, 1, DMA_F_LAST);
	mailbox_answer(&m, mailbox_name(MB_NO_PASID, 1), MB_FAILURE);
	answered(0, 15, "a failure");
	expect_status(STATUS_RF | STATUS_STOPPED, "it asks no more");
}

/* What the driver has not answered is not overwritten, in rings of any size. */
static void full(void)
{
	for (unsigned int log2 = 0; log2 <= 8; log2++) {
		const unsigned int most = log2 < 4 ? 1u << log2 : 16;

		begin(log2);
		for (unsigned int round = 0; round < 10; round++) {
			for (u16 i = 0; i < most; i++)
				ask(i, MB_NO_PASID, i, DMA_F_LAST);
			if (log2 < 4) {
				ask(15, MB_NO_PASID, 99, DMA_F_LAST);
				refused(15, "a full ring");
				check(read16(m.at + MB_STATUS) == MB_FULL, "status");
				write16(m.at + MB_STATUS, MB_FULL);
			}
			for (u16 i = 0; i < most; i++)
				expect(MB_NO_PASID, i, true);
			for (u16 i = most; i--;)
				mailbox_answer(&m, mailbox_name(MB_NO_PASID, i), MB_SUCCESS);
			for (u16 i = 0; i < most; i++)
				answered(i, 0, "one of many");
		}
	}
	check(!read16(m.at + MB_STATUS), "status %x", read16(m.at + MB_STATUS));
}

static volatile unsigned int interrupts;
static u32 expected_intid;

static void took(u32 intid)
{
	check(intid == expected_intid, "interrupt %u", intid);
	interrupts++;
}

/* Its own message, by no vector of MSI-X. */
static void message(void)
{
	struct message msg;

	gic_init();
	irq_handler = took;
	begin(5);
	messages_init(d.rid);
	msg = message_map(0);
	expected_intid = msg.intid;
	write32(m.at + MB_ADDR, msg.addr);
	write32(m.at + MB_ADDR_HIGH, msg.addr >> 32);
	write32(m.at + MB_DATA, msg.data);
	irqs_on();
	for (unsigned int round = 1; round <= 20; round++) {
		ask(0, MB_NO_PASID, round, DMA_F_LAST);
		check(wait_for(interrupts == round, LONG), "%u interrupts, of %u", interrupts,
		      round);
		expect(MB_NO_PASID, round, true);
		mailbox_answer(&m, mailbox_name(MB_NO_PASID, round), MB_SUCCESS);
		answered(0, 0, "by interrupt");
	}
	write16(m.at + MB_CONTROL, MB_ENABLE);
	ask(0, MB_NO_PASID, 1, DMA_F_LAST);
	check(!wait_for(interrupts > 20, 20), "messages are disabled");
	write16(m.at + MB_CONTROL, MB_ENABLE | MB_MESSAGES);
	check(wait_for(interrupts == 21, LONG), "enabled again");
}

/* What answers nothing is noted, and changes nothing. */
static void wrong(void)
{
	begin(5);
	ask(0, MB_NO_PASID, 5, DMA_F_LAST);
	for (u16 group = 0; group < 512; group++)
		if (group != 5)
			mailbox_answer(&m, mailbox_name(MB_NO_PASID, group), group % 4);
	expect_status(STATUS_UPRGI, "groups that do not wait");
	mailbox_answer(&m, mailbox_name(3, 5), MB_SUCCESS);
	expect_status(STATUS_UPRGI, "another PASID");
	for (unsigned int i = 0; i < 4; i++)
		write8(m.at + MB_RESPONSE + i, 5 << 5);
	check(dma_state(&d, 0) == DMA_AWAITS, "state %u", dma_state(&d, 0));
	mailbox_answer(&m, mailbox_name(MB_NO_PASID, 5), MB_SUCCESS);
	answered(0, 0, "its own");
	mailbox_answer(&m, mailbox_name(MB_NO_PASID, 5), MB_SUCCESS);
	expect_status(STATUS_UPRGI, "twice");
}

/* Where nobody can be asked the interface fails, and begins anew when it is enabled. */
static void denied(void)
{
	begin(5);
	ask(0, MB_NO_PASID, 1, DMA_F_LAST);
	write16(m.at + MB_CONTROL, 0);
	answered(0, 1, "it waited");
	ask(0, 7, 1, DMA_F_LAST);
	answered(0, 15, "no mailbox");
	expect_status(STATUS_RF | STATUS_STOPPED, "no mailbox");
	mailbox_enable_pri(&m);
	mailbox_start(&m, 0x60000000UL, 5, 0); /* no RAM */
	ask(0, MB_NO_PASID, 1, DMA_F_LAST);
	answered(0, 15, "no ring");
	check(read16(m.at + MB_STATUS) == MB_FAILED, "status %x", read16(m.at + MB_STATUS));
	check(!read16(m.at + MB_CONTROL), "still enabled");
	mailbox_enable_pri(&m);
	mailbox_start(&m, (u64)m.ring, 5, 0);
	ask(0, MB_NO_PASID, 1, DMA_F_LAST);
	expect(MB_NO_PASID, 1, true);
	mailbox_answer(&m, mailbox_name(MB_NO_PASID, 1), MB_SUCCESS);
	answered(0, 0, "at last");
}

/* A reset of the interface with requests outstanding, and groups that never end. */
static void reset(void)
{
	for (unsigned int round = 0; round < 50; round++) {
		begin(5);
		for (u16 i = 0; i < 4; i++)
			ask(i, i % 2 ? 9 : MB_NO_PASID, i, i < 3 ? DMA_F_LAST : 0);
		mailbox_enable_pri(&m);
		for (u16 i = 0; i < 3; i++)
			check(dma_state(&d, i) == DMA_ENDED && dma_outcome(&d, i) == DMA_ABORTED,
			      "slot %u: state %u", i, dma_state(&d, i));
		check(!(read16(m.at + MB_CONTROL) & MB_ENABLE), "it is still enabled");
		mailbox_answer(&m, mailbox_name(MB_NO_PASID, 0), MB_SUCCESS);
		expect_status(0, "who is not enabled hears no answer");
		mailbox_start(&m, (u64)m.ring, 5, 0);
		ask(0, MB_NO_PASID, 0, DMA_F_LAST);
		expect(MB_NO_PASID, 0, true);
		mailbox_answer(&m, mailbox_name(MB_NO_PASID, 0), MB_SUCCESS);
		answered(0, 0, "by a name that it had used");
	}
}

/* With fault-timeout=: it is answered, and its name is there again once the guest has, too. */
static void late(void)
{
	begin(5);
	for (unsigned int round = 0; round < 3; round++) {
		ask(0, MB_NO_PASID, 4, DMA_F_LAST);
		answered(0, 1, "in the guest's stead");
		ask(1, MB_NO_PASID, 4, DMA_F_LAST);
		refused(1, "its name is not free");
		expect(MB_NO_PASID, 4, true);
		mailbox_answer(&m, mailbox_name(MB_NO_PASID, 4), MB_SUCCESS);
		expect_status(STATUS_UPRGI, "too late");
	}
}

/* Never answered: the guest goes, and the groups with it. */
static void never(void)
{
	begin(5);
	for (u16 i = 0; i < 8; i++)
		ask(i, MB_NO_PASID, i, DMA_F_LAST);
}

static void waits(void)
{
	never();
	leave_waiting();
}

static void panics(void)
{
	never();
	leave_in_panic();
}

/* Of what waited when the machine was reset, nothing is there. */
static void again(void)
{
	leave_by_reset(served, never);
}

static void invalid(void)
{
	dma_test_find(&d);
	dma_enable_pasids(&d);
	m.pri = pci_ext_capability(d.rid, EXT_PRI);
	check(!pci_ext_capability(d.rid, 0x23), "a DVSEC");
	mailbox_enable_pri(&m);
	for (u16 i = 0; i < 100; i++) {
		ask(0, i % 2 ? 9 : MB_NO_PASID, i, 0);
		ask(1, i % 2 ? 9 : MB_NO_PASID, i, DMA_F_LAST);
		answered(1, 1, "off");
	}
	expect_status(0, "all were expected");
}

/* A page that is asked for is mapped by a virtio-iommu that knows of no page requests. */
static void faults(void)
{
	static u64 pages[16][PAGE / 8] __attribute__((aligned(4096)));
	static struct viommu v;
	u64 entry[2];

	viommu_find(&v);
	viommu_start(&v, VIOMMU_FEATURES);
	begin(5);
	check(!viommu_attach(&v, DOMAIN, d.rid, 0), "attach");
	check(!viommu_map(&v, DOMAIN, RING_AT, RING_AT + PAGE - 1, (u64)m.ring, MAP_WRITE), "ring");
	mailbox_start(&m, RING_AT, 5, 0);
	for (unsigned int round = 0; round < 200; round++) {
		const u64 at = IOVA + (u64)round * PAGE;
		const struct dma_op fill = {
			.op = DMA_FILL, .iova = at, .length = PAGE, .arg0 = round
		};

		check(dma_run(&d, 0, &fill) == DMA_FAULT && dma_fault_at(&d, 0) == at, "no fault");
		ask(1, MB_NO_PASID, round, DMA_F_LAST | DMA_F_WRITE);
		check(wait_for(mailbox_take(&m, entry), LONG), "no entry");
		check(entry[0] == (at | (u64)round << 3 | MB_LAST | MB_WRITE | MB_READ),
		      "word 0: %lx", entry[0]);
		check(!viommu_map(&v, DOMAIN, at, at + PAGE - 1, (u64)pages[round % 16],
		                  MAP_READ | MAP_WRITE),
		      "map");
		mailbox_answer(&m, entry[1] & ~MB_PHASE, MB_SUCCESS);
		answered(1, 0, "mapped");
		check(dma_run(&d, 0, &fill) == DMA_DONE, "it faults again");
		check(pages[round % 16][0] == dma_pattern(round), "data %lx", pages[round % 16][0]);
		check(!viommu_unmap(&v, DOMAIN, at, at + PAGE - 1), "unmap");
	}
	check(!viommu_unmap(&v, DOMAIN, RING_AT, RING_AT + PAGE - 1), "unmap");
	ask(1, MB_NO_PASID, 1, DMA_F_LAST);
	answered(1, 15, "the ring is gone");
	check(read16(m.at + MB_STATUS) == MB_FAILED, "status %x", read16(m.at + MB_STATUS));
}

static u8 scratch[0x10000] __attribute__((aligned(4096)));

/* Where the function may write, or nothing is. */
static u64 somewhere(void)
{
	const u64 at = (u64)scratch + random_below(sizeof(scratch) / PAGE) * PAGE;

	return random_below(4) ? at : 1UL << 45 | (random_bits() & ~0xfffUL);
}

static void place(u64 at, unsigned int reg, u32 low)
{
	write32(m.at + reg, (u32)at | low);
	write32(m.at + reg + 4, at >> 32);
}

static void some_write(void)
{
	const unsigned int size = 1u << random_below(3), at = random_below(MB_SIZE) & -size;

	if (at < MB_RING || at >= MB_RESPONSE)
		write_sized(m.at + at, size, random_bits());
	else if (at < MB_ADDR)
		place(somewhere(), MB_RING, random_below(16));
	else
		place(somewhere(), MB_ADDR, random_below(4));
}

static void some_step(void)
{
	const u16 group = random_below(20);
	const u32 pasid = random_below(3) ? MB_NO_PASID : random_below(4);
	const unsigned int slot = random_below(16);

	switch (random_below(8)) {
	case 0: some_write(); break;
	case 1: write16(m.pri + 4, random_below(4)); break;
	case 2: mailbox_enable_pri(&m); break;
	case 3:
		place(somewhere(), MB_RING, random_below(10));
		write16(m.at + MB_CONTROL, random_below(4));
		break;
	case 4: dma_control(&d, slot, DMA_ABORT); break;
	case 5: mailbox_answer(&m, mailbox_name(pasid, group), random_below(4)); break;
	default: ask(slot, pasid, group, random_below(4) ? DMA_F_LAST : 0);
	}
}

/* The driver does anything, and begins as if nothing had been. */
static void chance(void)
{
	const u64 count = parameter_after("count=", 1000);

	random_seed(parameter_after("seed=", 1));
	begin(5);
	for (u64 i = 0; i < count; i++)
		some_step();
	for (unsigned int i = 0; i < 16; i++)
		dma_control(&d, i, DMA_ABORT);
	begin(5);
	for (u16 group = 0; group < 40; group++) {
		ask(0, MB_NO_PASID, group, DMA_F_LAST);
		expect(MB_NO_PASID, group, true);
		mailbox_answer(&m, mailbox_name(MB_NO_PASID, group), MB_SUCCESS);
	}
}

static void sort(u64 *val, unsigned int nr)
{
	for (unsigned int i = 1; i < nr; i++)
		for (unsigned int j = i; j && val[j - 1] > val[j]; j--) {
			const u64 other = val[j];

			val[j] = val[j - 1];
			val[j - 1] = other;
		}
}

static u64 ns(u64 ticks)
{
	return ticks * 1000000000UL / read_sysreg(cntfrq_el0);
}

static void tell(const char *name, u64 *took, unsigned int nr)
{
	sort(took, nr);
	print("%s: p50 %lu ns, p99 %lu ns, longest %lu ns\n", name, ns(took[nr / 2]),
	      ns(took[nr * 99 / 100]), ns(took[nr - 1]));
}

/* From the function's asking to its having the answer, of a driver that looks at the ring; beside
 * one exit for a register. */
static void speed(void)
{
	enum { ROUNDS = 1000 };
	static u64 took[ROUNDS];
	u64 entry[2];

	begin(5);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		const u64 since = now();

		read32(d.regs + 8);
		took[i] = now() - since;
	}
	tell("mmio_exit", took, ROUNDS);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		u64 since;

		ask(0, MB_NO_PASID, i % 512, 0); /* its registers are as they have to be */
		check(mailbox_take(&m, entry), "no entry");
		write32(d.regs + 0x1000 + 4, DMA_F_READ | DMA_F_LAST);
		since = now();
		dma_control(&d, 0, DMA_START);
		check(mailbox_take(&m, entry), "no entry");
		mailbox_answer(&m, (u32)entry[1], MB_SUCCESS);
		took[i] = now() - since;
		answered(0, 0, "measured");
	}
	tell("fault_emulated_mailbox", took, ROUNDS);
}

static const struct test tests[] = {
	{ "waits", waits },   { "panics", panics },   { "again", again }, { "served", served },
	{ "full", full },     { "message", message }, { "wrong", wrong }, { "denied", denied },
	{ "reset", reset },   { "late", late },       { "never", never }, { "off", invalid },
	{ "faults", faults }, { "chance", chance },   { "speed", speed },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* An SMMUv3's PRI queue: the DMA endpoint asks for pages and has its answers; overflow, automatic
 * responses, and answers to what nobody asked. */
#include "lib/dmatest.h"
#include "lib/edge.h"
#include "lib/leaves.h"
#include "lib/smmu.h"

enum {
	SMMU_IRQ_PRIQ = 129,
	SMMU_PRIQ_BASE = 0xc0,
	SMMU_PRIQ_IRQ_CFG0 = 0xd0,
	SMMU_PRIQ_IRQ_CFG1 = 0xd8,
	SMMU_PRIQ_IRQ_CFG2 = 0xdc,
	SMMU_PRIQ_PROD = 0x100c8,
	SMMU_PRIQ_CONS = 0x100cc,
	CR0_PRIQEN = 1 << 1,
	IRQ_CTRL_PRIQ = 1 << 1,
	GERROR_PRIQ_ABT = 1 << 3,
	CMD_PRI_RESP = 0x41,
	STATUS_RF = 1 << 0,
	STATUS_UPRGI = 1 << 1,
	STATUS_STOPPED = 1 << 8,
};
#define CR0_ALL   (CR0_SMMUEN | CR0_PRIQEN | CR0_EVENTQEN | CR0_CMDQEN)
#define CFG2_LO   (1u << 31)
#define STE1_PPAR (1UL << 18)
#define PRI_READ  (1UL << 60)
#define PRI_LAST  (1UL << 62)
#define PRI_SSV   (1UL << 63)
#define IOVA      0x4000000000UL
#define NO_PASID  ~0u
#define LARGEST   10 /* log2 of entries, as IDR1.PRIQS is by default */
#define CREDITS   32
enum { FAILURE, INVALID, SUCCESS }; /* as CMD_PRI_RESP has them */

static struct smmu s;
static struct dma_test d;
static u64 queue[1 << LARGEST][2] __attribute__((aligned(16 << LARGEST)));
static unsigned int log2size;
static u64 pri; /* the capability */

static u32 prod(void)
{
	return read32(SMMU_BASE + SMMU_PRIQ_PROD);
}

static void set_queue(unsigned int log2)
{
	smmu_set_cr0(CR0_ALL & ~CR0_PRIQEN);
	log2size = log2;
	write64(SMMU_BASE + SMMU_PRIQ_BASE, (u64)queue | log2);
	write32(SMMU_BASE + SMMU_PRIQ_PROD, 0);
	write32(SMMU_BASE + SMMU_PRIQ_CONS, 0);
	smmu_set_cr0(CR0_ALL);
}

/* Not enabled, nothing outstanding; then enabled. */
static void enable_requests(void)
{
	write16(pri + 4, 0);
	write16(pri + 4, 2);
	write16(pri + 4, 1);
}

static void begin(unsigned int log2)
{
	struct ste ste = { { STE0(STE_BYPASS) } };
	u64 ats, pasid;

	dma_test_find(&d);
	ats = pci_ext_capability(d.rid, EXT_ATS);
	pri = pci_ext_capability(d.rid, EXT_PRI);
	pasid = pci_ext_capability(d.rid, EXT_PASID);
	check(ats && pri && pasid, "no ATS, PRI or PASID");
	write16(pasid + 6, 1);
	write16(ats + 6, 1 << 15);
	write32(pri + 12, CREDITS);
	enable_requests();
	smmu_start(&s);
	smmu_set_ste(&s, d.rid, &ste);
	set_queue(log2);
}

static void ask(unsigned int slot, u32 pasid, u16 group, bool last)
{
	const struct dma_op op = {
		.op = DMA_PAGE_REQUEST,
		.flags = DMA_F_READ | (last ? DMA_F_LAST : 0) |
		         (pasid != NO_PASID ? DMA_F_PASID : 0),
		.iova = IOVA + group * PAGE,
		.length = PAGE,
		.arg0 = group,
		.pasid = pasid,
	};

	dma_start(&d, slot, &op);
	check(wait_for(dma_state(&d, slot) == DMA_ENDED || dma_state(&d, slot) == DMA_AWAITS, LONG),
	      "slot %u: state %u", slot, dma_state(&d, slot));
}

/* The oldest record. */
static void expect(u32 pasid, u16 group, bool last)
{
	const u64 *w = queue[read32(SMMU_BASE + SMMU_PRIQ_CONS) & ((1 << log2size) - 1)];
	const u32 cons = read32(SMMU_BASE + SMMU_PRIQ_CONS);
	const u64 ssid = pasid == NO_PASID ? 0 : PRI_SSV | (u64)pasid << 32;

	/* one that goes by way of a host's queue comes later */
	check(wait_for((prod() ^ cons) & ~QUEUE_OVERFLOW, LONG),
	      "group %u: nothing is in the queue", group);
	barrier();
	check(w[0] == (d.rid | PRI_READ | ssid | (last ? PRI_LAST : 0)), "word 0: %lx", w[0]);
	check(w[1] == ((IOVA + group * PAGE) | group), "word 1: %lx", w[1]);
	write32(SMMU_BASE + SMMU_PRIQ_CONS,
	        (cons & QUEUE_OVERFLOW) | ((cons + 1) & ((2 << log2size) - 1)));
}

static void respond(u32 sid, u32 pasid, u16 group, u64 resp)
{
	smmu_push(&s, CMD_PRI_RESP | CMD_SID(sid) | (pasid == NO_PASID ? 0 : CMD_SSID(pasid)),
	          group | resp << 12);
	smmu_sync(&s);
}

/* @code: as PCIe has it. */
static void answered(unsigned int slot, u64 code, const char *which)
{
	check(wait_for(dma_state(&d, slot) == DMA_ENDED, LONG) &&
	              dma_outcome(&d, slot) == DMA_DONE && dma_result(&d, slot) == code,
	      "%s: state %u, outcome %u, code %lx", which, dma_state(&d, slot),
	      dma_outcome(&d, slot), dma_result(&d, slot));
}

static u16 status(void)
{
	return read16(pri + 6) & 0x103;
}

static void expect_status(u16 expected, const char *when)
{
	check(status() == expected, "%s: status %x", when, status());
	write16(pri + 6, STATUS_UPRGI);
}

/* Groups of several, by index and PASID; each answer is its group's. */
static void served(void)
{
	begin(LARGEST);
	for (unsigned int round = 0; round < 100; round++) {
		ask(0, NO_PASID, 5, false);
		ask(1, NO_PASID, 5, true);
		ask(2, 0xabcde, 5, true);
		ask(3, NO_PASID, 6, true);
		expect(NO_PASID, 5, false);
		expect(NO_PASID, 5, true);
		expect(0xabcde, 5, true);
		expect(NO_PASID, 6, true);
		respond(d.rid, 0xabcde, 5, INVALID);
		answered(2, 1, "with a PASID");
		check(dma_state(&d, 1) == DMA_AWAITS, "it has another's answer");
		respond(d.rid, NO_PASID, 6, SUCCESS);
		respond(d.rid, NO_PASID, 5, SUCCESS);
		answered(1, 0, "the first group");
		answered(3, 0, "the second group");
		expect_status(0, "all were expected");
	}
	ask(0, NO_PASID, 1, true);
	respond(d.rid, NO_PASID, 1, FAILURE);
	answered(0, 15, "a failure");
	expect_status(STATUS_RF | STATUS_STOPPED, "it asks no more");
}

/* 8.1: what there is no room for is answered as though it had been served. */
static void overflow(void)
{
	struct ste ste = { { STE0(STE_BYPASS), STE1_PPAR } };

	begin(2);
	smmu_set_ste(&s, d.rid, &ste);
	for (u16 i = 0; i < 4; i++)
		ask(i, NO_PASID, i, true);
	check(prod() == 4, "full: PROD %x", prod());
	ask(4, 7, 9, true);
	answered(4, 0, "beyond room");
	check(prod() == (4 | QUEUE_OVERFLOW), "PROD %x", prod());
	for (u16 i = 0; i < 4; i++) {
		expect(NO_PASID, i, true);
		respond(d.rid, NO_PASID, i, SUCCESS);
		answered(i, 0, "what was recorded");
	}
	ask(4, NO_PASID, 9, true);
	answered(4, 0, "until it is acknowledged");
	check(prod() == (4 | QUEUE_OVERFLOW), "PROD %x", prod());
	write32(SMMU_BASE + SMMU_PRIQ_CONS, prod());
	ask(4, NO_PASID, 9, true);
	expect(NO_PASID, 9, true);
	respond(d.rid, NO_PASID, 9, SUCCESS);
	answered(4, 0, "afterwards");
	expect_status(0, "all were expected");
}

/* 8.2: where nothing can be recorded the interface fails, and the endpoint has to begin anew. */
static void denied(void)
{
	begin(3);
	smmu_set_cr0(CR0_ALL & ~CR0_PRIQEN);
	ask(0, 7, 1, true);
	answered(0, 15, "no queue");
	expect_status(STATUS_RF | STATUS_STOPPED, "no queue");
	smmu_set_cr0(CR0_ALL);
	enable_requests();
	ask(0, 7, 1, true);
	expect(7, 1, true);
	smmu_set_cr0(CR0_ALL & ~CR0_SMMUEN);
	answered(0, 15, "translation is disabled");
	smmu_set_cr0(CR0_ALL);
	enable_requests();
	smmu_set_cr0(CR0_ALL & ~CR0_PRIQEN);
	write64(SMMU_BASE + SMMU_PRIQ_BASE, 0x60000000UL | 3); /* no RAM */
	smmu_set_cr0(CR0_ALL);
	ask(0, NO_PASID, 1, false);
	check(read32(SMMU_BASE + SMMU_GERROR) == GERROR_PRIQ_ABT, "GERROR %x",
	      read32(SMMU_BASE + SMMU_GERROR));
	expect_status(STATUS_RF | STATUS_STOPPED, "an abort");
	enable_requests();
	set_queue(3);
	write32(SMMU_BASE + SMMU_GERRORN, GERROR_PRIQ_ABT);
	ask(0, NO_PASID, 1, true);
	expect(NO_PASID, 1, true);
	respond(d.rid, NO_PASID, 1, SUCCESS);
	answered(0, 0, "at last");
}

/* 6.3.36: when the queue is no longer empty; or with the last of each group. */
static void wired(void)
{
	begin(3);
	edge_start(SMMU_IRQ_PRIQ);
	ask(0, NO_PASID, 1, false);
	edge_expect(0, "not enabled");
	expect(NO_PASID, 1, false);
	smmu_set_irq_ctrl(IRQ_CTRL_PRIQ);
	ask(0, NO_PASID, 1, false);
	edge_expect(1, "enabled");
	ask(0, NO_PASID, 1, true);
	edge_expect(0, "it was not empty");
	smmu_set_irq_ctrl(0);
	write32(SMMU_BASE + SMMU_PRIQ_IRQ_CFG2, CFG2_LO);
	smmu_set_irq_ctrl(IRQ_CTRL_PRIQ);
	ask(1, NO_PASID, 2, true);
	edge_expect(1, "the last of a group");
	ask(2, NO_PASID, 3, false);
	edge_expect(0, "not the last");
}

static void message(void)
{
	static volatile u32 word;

	begin(3);
	write64(SMMU_BASE + SMMU_PRIQ_IRQ_CFG0, (u64)&word);
	write32(SMMU_BASE + SMMU_PRIQ_IRQ_CFG1, 0x1234);
	smmu_set_irq_ctrl(IRQ_CTRL_PRIQ);
	ask(0, NO_PASID, 1, true);
	check(wait_for(word == 0x1234, LONG), "message %x", word);
}

/* What answers nothing is noted by the endpoint whose it is, and by no other. */
static void wrong(void)
{
	begin(3);
	ask(0, NO_PASID, 5, true);
	for (u16 group = 0; group < 512; group++)
		if (group != 5)
			respond(d.rid, NO_PASID, group, group % 3);
	expect_status(STATUS_UPRGI, "groups that do not wait");
	respond(d.rid, 3, 5, SUCCESS);
	expect_status(STATUS_UPRGI, "another PASID");
	for (u32 i = 0; i < 32; i++)
		if (1u << i != d.rid)
			respond(d.rid ^ 1u << i, NO_PASID, 5, i % 3);
	expect_status(0, "other streams");
	check(dma_state(&d, 0) == DMA_AWAITS, "state %u", dma_state(&d, 0));
	respond(d.rid, NO_PASID, 5, SUCCESS);
	answered(0, 0, "its own");
	respond(d.rid, NO_PASID, 5, SUCCESS);
	expect_status(STATUS_UPRGI, "twice");
}

/* Its requests are forgotten, and their answers come all the same. */
static void reset(void)
{
	begin(3);
	for (unsigned int round = 0; round < 50; round++) {
		for (u16 i = 0; i < 4; i++)
			ask(i, i % 2 ? 9 : NO_PASID, i, true);
		if (round % 2)
			enable_requests();
		else
			for (u16 i = 0; i < 4; i++)
				dma_control(&d, i, DMA_ABORT);
		for (u16 i = 0; i < 4; i++) {
			check(wait_for(dma_state(&d, i) == DMA_ENDED, LONG) &&
			              dma_outcome(&d, i) == DMA_ABORTED,
			      "slot %u: state %u", i, dma_state(&d, i));
			expect(i % 2 ? 9 : NO_PASID, i, true);
			respond(d.rid, i % 2 ? 9 : NO_PASID, i, SUCCESS);
		}
		expect_status(round % 2 ? STATUS_UPRGI : 0, "answers afterwards");
		ask(0, NO_PASID, 0, true);
		expect(NO_PASID, 0, true);
		respond(d.rid, NO_PASID, 0, SUCCESS);
		answered(0, 0, "by a name that it had used");
	}
}

/* Queues of all sizes, and indices of any kind; told while they are enabled. */
static void sizes(void)
{
	for (unsigned int log2 = 0; log2 < 32; log2++) {
		begin(0);
		smmu_set_cr0(CR0_ALL & ~CR0_PRIQEN);
		write64(SMMU_BASE + SMMU_PRIQ_BASE, (u64)queue | log2);
		write32(SMMU_BASE + SMMU_PRIQ_PROD, log2 % 3 ? ~0u : 0);
		write32(SMMU_BASE + SMMU_PRIQ_CONS, log2 % 2 ? ~0u >> log2 : 0);
		smmu_set_cr0(CR0_ALL);
		write64(SMMU_BASE + SMMU_PRIQ_BASE, 0x1000);
		write32(SMMU_BASE + SMMU_PRIQ_PROD, 0);
		check(read64(SMMU_BASE + SMMU_PRIQ_BASE) == ((u64)queue | log2), "it is guarded");
		for (u16 i = 0; i < CREDITS + 1; i++) {
			write32(SMMU_BASE + SMMU_PRIQ_CONS, i % 5 ? prod() : i * 0x10003u);
			ask(i % 16, NO_PASID, i, i % 16 > 7);
		}
		for (unsigned int i = 0; i < 16; i++)
			dma_control(&d, i, DMA_ABORT);
	}
	begin(3);
	ask(0, NO_PASID, 1, true);
	expect(NO_PASID, 1, true);
	respond(d.rid, NO_PASID, 1, SUCCESS);
	answered(0, 0, "it works as if nothing had been");
}

/* Never answered: the guest goes, and the group with it. */
static void never(void)
{
	begin(3);
	for (u16 i = 0; i < 8; i++)
		ask(i, NO_PASID, i, true);
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

/* fault-timeout=: a group ends by itself, and its name is taken until the guest answers. */
static void late(void)
{
	begin(5);
	for (unsigned int round = 0; round < 3; round++) {
		ask(0, NO_PASID, 4, true);
		answered(0, 1, "in the guest's stead");
		ask(1, NO_PASID, 4, true);
		answered(1, 0, "as though there were no room");
		expect(NO_PASID, 4, true);
		respond(d.rid, NO_PASID, 4, SUCCESS);
		expect_status(STATUS_UPRGI, "too late");
		enable_requests();
	}
}

static const struct test tests[] = {
	{ "waits", waits },     { "panics", panics },     { "again", again },   { "late", late },
	{ "served", served },   { "overflow", overflow }, { "denied", denied }, { "wired", wired },
	{ "message", message }, { "wrong", wrong },       { "reset", reset },   { "sizes", sizes },
	{ "never", never },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* An SMMUv3's queues: events that are lost or merged, commands that are none, and how the driver is
 * told. The DMA endpoint is behind it. */
#include "lib/dmatest.h"
#include "lib/edge.h"
#include "lib/smmu.h"

#define NOWHERE 0x60000000UL /* no RAM */

static struct smmu s;
static struct dma_test d;
static struct tables t; /* with nothing in them */
static struct cd cd;
static struct ste ste;

static void begin(void)
{
	dma_test_find(&d);
	smmu_start(&s);
	tables_clear(&t);
	cd = smmu_cd(&t, 1);
	ste = smmu_s1(&cd);
	smmu_set_ste(&s, d.rid, &ste);
}

static void fault(u64 iova)
{
	const struct dma_op op = { .op = DMA_CHECK, .iova = iova, .length = 16 };

	check(dma_run(&d, 0, &op) == DMA_FAULT, "outcome %u", dma_outcome(&d, 0));
}

/* 7.4: what there is no room for is lost, and that is told once. */
static void overflow(void)
{
	const unsigned int room = 1 << SMMU_LOG2_EVENTS;
	struct smmu_event e;
	u32 prod;

	begin();
	for (unsigned int i = 0; i < room; i++)
		fault(i * PAGE);
	prod = read32(SMMU_BASE + SMMU_EVENTQ_PROD);
	check(prod == room, "full: PROD %x", prod);
	fault(0x123000);
	fault(0x124000);
	prod = read32(SMMU_BASE + SMMU_EVENTQ_PROD);
	check(prod == (room | QUEUE_OVERFLOW), "more than that: PROD %x", prod);
	for (unsigned int i = 0; i < room; i++)
		check(smmu_event(&s, &e) && e.w[2] == i * PAGE, "event %u: %lx", i, e.w[2]);
	smmu_expect_none(&s, "what was lost");
	write32(SMMU_BASE + SMMU_EVENTQ_CONS, room | QUEUE_OVERFLOW);
	fault(0x125000);
	check(smmu_event(&s, &e) && e.w[2] == 0x125000, "there is room again");
}

/* 7.3.1: STE.MEV. */
static void merged(void)
{
	struct smmu_event e;

	begin();
	ste.w[1] |= STE1_MEV;
	smmu_set_ste(&s, d.rid, &ste);
	fault(0x1000);
	fault(0x1000);
	fault(0x1800);
	fault(0x2000);
	check(smmu_event(&s, &e) && e.w[2] == 0x1000, "the first");
	check(smmu_event(&s, &e) && e.w[2] == 0x2000, "the second is at %lx", e.w[2]);
	smmu_expect_none(&s, "merged");
	fault(0x2000);
	check(smmu_event(&s, &e), "the one before it has been taken");
}

/* 3.18: when the queue is no longer empty. */
static void wired(void)
{
	struct smmu_event e;

	begin();
	edge_start(SMMU_IRQ_EVENTQ);
	fault(0);
	edge_expect(0, "not enabled");
	check(smmu_event(&s, &e), "no event");
	smmu_set_irq_ctrl(IRQ_CTRL_EVENTQ);
	fault(0);
	edge_expect(1, "enabled");
	check(smmu_event(&s, &e), "no event");
	fault(0);
	edge_expect(1, "again");
}

/* To memory: a word that is written. */
static void message(void)
{
	static volatile u32 word;

	begin();
	write64(SMMU_BASE + SMMU_EVENTQ_IRQ_CFG0, (u64)&word);
	write32(SMMU_BASE + SMMU_EVENTQ_IRQ_CFG1, 0x1234);
	smmu_set_irq_ctrl(IRQ_CTRL_EVENTQ);
	fault(0);
	check(wait_for(word == 0x1234, LONG), "message %x", word);
}

/* 7.1: a command that is none stops the queue until that is acknowledged. */
static void command(void)
{
	u32 at;

	begin();
	edge_start(SMMU_IRQ_GERROR);
	smmu_set_irq_ctrl(IRQ_CTRL_GERROR);
	at = s.prod;
	smmu_push(&s, 0xff, 0);
	smmu_push(&s, CMD_TLBI_NSNH_ALL, 0);
	edge_expect(1, "an illegal command");
	check(read32(SMMU_BASE + SMMU_GERROR) == GERROR_CMDQ, "GERROR %x",
	      read32(SMMU_BASE + SMMU_GERROR));
	check(read32(SMMU_BASE + SMMU_CMDQ_CONS) == (at | 1u << 24), "CONS %x",
	      read32(SMMU_BASE + SMMU_CMDQ_CONS));
	s.commands[at][0] = CMD_TLBI_NSNH_ALL;
	barrier();
	write32(SMMU_BASE + SMMU_GERRORN, GERROR_CMDQ);
	smmu_sync(&s);
	edge_expect(0, "a command in its place");
	smmu_set_cr0(CR0_EVENTQEN);
	write64(SMMU_BASE + SMMU_CMDQ_BASE, NOWHERE | SMMU_LOG2_CMDS);
	write32(SMMU_BASE + SMMU_CMDQ_CONS, 0);
	write32(SMMU_BASE + SMMU_CMDQ_PROD, 1);
	smmu_set_cr0(CR0_EVENTQEN | CR0_CMDQEN);
	edge_expect(1, "a queue nowhere");
	check(read32(SMMU_BASE + SMMU_CMDQ_CONS) == 2u << 24, "CONS %x",
	      read32(SMMU_BASE + SMMU_CMDQ_CONS));
}

static const struct test tests[] = {
	{ "overflow", overflow }, { "merged", merged },   { "wired", wired },
	{ "message", message },   { "command", command },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* A function of the host's behind an SMMUv3 that the host's translates for, and a driver of that
 * which means harm: STEs, CDs and commands of every bit, queues and tables anywhere. Afterwards it
 * translates as before. "seed=N" repeats what is drawn, "count=N" of it. */
#include "lib/pci.h"
#include "lib/random.h"
#include "lib/smmu.h"

#define WORKS  0x4000000000UL /* the ring of what the card is to send */
#define E1000E 0x10d38086
#define BRIDGE 0x06
#define DONE   1 /* of a descriptor's status */
#define CD_PAD 64

static struct smmu s;
static struct tables t;
static struct cd cds[CD_PAD]; /* a table of 64: whatever S1CDMax says leads to zeros */
static volatile u64 ring[512] __attribute__((aligned(4096)));
static u32 rid;
static u64 regs; /* of an e1000e; 0: it is something else, which transfers nothing here */

static void find(void)
{
	while (read32(pci_config(rid)) == ~0u || read8(pci_config(rid) + 0xb) == BRIDGE)
		rid += 8;
	check(rid < 256, "no function");
	pci_enable(rid);
	if (read32(pci_config(rid)) == E1000E)
		regs = pci_bar(rid, 0);
}

/* One frame; whether the card has read its descriptor and said so there. */
static bool transfers(void)
{
	ring[0] = WORKS + 0x800;
	ring[1] = 0x0b000000 | 64; /* EOP, IFCS, RS */
	barrier();
	write32(regs + 0x400, 0); /* TCTL */
	write32(regs + 0x3800, (u32)WORKS);
	write32(regs + 0x3804, WORKS >> 32);
	write32(regs + 0x3808, 0x100); /* TDLEN */
	write32(regs + 0x3818, 0);     /* TDT */
	write32(regs + 0x3810, 0);     /* TDH */
	write32(regs + 0x400, 2);
	write32(regs + 0x3818, 1);
	barrier();
	return ring[1] >> 32 & DONE;
}

static struct ste good_ste(void)
{
	return smmu_s1(&cds[0]);
}

static void good_tables(void)
{
	tables_clear(&t);
	tables_map(&t, WORKS, (u64)ring, 1, S1_PAGE);
	memset(cds, 0, sizeof(cds));
	cds[0] = smmu_cd(&t, 1);
}

static void drain(void)
{
	struct smmu_event e;

	write32(SMMU_BASE + SMMU_GERRORN, read32(SMMU_BASE + SMMU_GERROR));
	while (smmu_event(&s, &e))
		;
}

/* Everything anew, as a driver that starts would have it. */
static void works(const char *after, u64 nr)
{
	const struct ste ste = good_ste();

	write32(SMMU_BASE + SMMU_GERRORN, read32(SMMU_BASE + SMMU_GERROR));
	good_tables();
	smmu_start(&s);
	smmu_set_ste(&s, rid, &ste);
	smmu_expect_none(&s, after);
	check(!regs || wait_for(transfers(), LONG), "%s %lu: the card does not transfer", after,
	      nr);
	smmu_expect_none(&s, after);
}

static u32 consumer(void)
{
	return read32(SMMU_BASE + SMMU_CMDQ_CONS);
}

static bool stopped(void)
{
	return (read32(SMMU_BASE + SMMU_GERROR) ^ read32(SMMU_BASE + SMMU_GERRORN)) & GERROR_CMDQ;
}

/* One that may be none: then it is another, and the queue goes on. */
static void command(u64 word0, u64 word1)
{
	smmu_push(&s, word0, word1);
	smmu_push(&s, CMD_SYNC, 0);
	while (wait_for(smmu_consumed(&s) || stopped(), LONG) && stopped()) {
		s.commands[consumer() % (1 << SMMU_LOG2_CMDS)][0] = CMD_SYNC;
		s.commands[consumer() % (1 << SMMU_LOG2_CMDS)][1] = 0;
		barrier();
		write32(SMMU_BASE + SMMU_GERRORN, read32(SMMU_BASE + SMMU_GERROR));
	}
	check(smmu_consumed(&s), "%lx %lx: CONS %x", word0, word1, consumer());
}

static void attempt(void)
{
	if (regs)
		transfers();
	drain();
}

/* Each bit of an STE, alone: legal, and the card transfers or does not, or C_BAD_STE. */
static void stes(void)
{
	for (unsigned int bit = 0; bit < 512; bit++) {
		struct ste ste = good_ste();

		ste.w[bit / 64] ^= 1UL << bit % 64;
		smmu_set_ste(&s, rid, &ste);
		attempt();
		if (bit % 64 == 63)
			works("STE, bit", bit);
	}
	for (unsigned int config = 0; config < 8; config++) {
		struct ste ste = good_ste();

		ste.w[0] = STE0(config) | (random_bits() & ~0xfUL);
		ste.w[2] = random_bits();
		smmu_set_ste(&s, rid, &ste);
		attempt();
	}
	works("STEs", 0);
}

/* Nobody looks at these but the host's SMMU. */
static void contexts(void)
{
	for (unsigned int bit = 0; bit < 512; bit++) {
		cds[0].w[bit / 64] ^= 1UL << bit % 64;
		barrier();
		command(CMD_CFGI_CD | CMD_SID(rid), CMD_LEAF);
		attempt();
		cds[0].w[bit / 64] ^= 1UL << bit % 64;
		if (bit % 64 == 63)
			works("CD, bit", bit);
	}
	for (unsigned int at = 0; at < 64; at++) {
		struct ste ste = good_ste();

		ste.w[0] = STE0(STE_S1) | (at & 1 ? 1UL << at : random_bits() & 0xfffffffffffc0);
		smmu_set_ste(&s, rid, &ste);
		attempt();
	}
	works("CDs anywhere", 0);
}

/* What opcodes there are, of streams that there are and are not, and every other. */
static void commands(void)
{
	for (unsigned int opcode = 0; opcode < 256; opcode++)
		for (unsigned int i = 0; i < 6; i++) {
			u64 word0 = opcode | (i ? random_bits() & ~0xffUL : 0);

			/* message's data and address, of a CMD_SYNC, lead into no RAM */
			if (opcode == CMD_SYNC)
				word0 &= ~(3UL << 12);
			if (i & 1)
				word0 = (word0 & 0xffffffff) | CMD_SID(rid);
			command(word0, i > 1 ? random_bits() : i - 1UL);
			drain();
		}
	works("commands", 0);
}

/* Full of them, told at once: more than are passed on together. */
static void flood(void)
{
	static const u8 opcodes[] = { CMD_CFGI_STE,     CMD_CFGI_CD,      CMD_CFGI_CD_ALL,
		                      CMD_TLBI_NH_ALL,  CMD_TLBI_NH_ASID, CMD_TLBI_NH_VA,
		                      CMD_TLBI_NSNH_ALL };

	for (unsigned int n = 0; n < 2000; n++) {
		const u64 opcode = opcodes[random_below(sizeof(opcodes))];

		smmu_push(&s, opcode | CMD_SID(random_below(2) ? rid : random_below(64)),
		          random_bits() & 0xfffffffff000);
		if (one_in(50))
			smmu_sync(&s);
	}
	smmu_sync(&s);
	works("a flood", 0);
}

static u64 somewhere(void)
{
	static const u64 at[] = { 0, SMMU_BASE, ECAM_BASE, 0x8000000, 1UL << 40, 0xffffffffff000 };

	return random_below(2) ? at[random_below(ARRAY_SIZE(at))]
	                       : RAM_BASE + RAM_SIZE - 0x100000 + (random_bits() & 0xff000);
}

/* Queues and tables are elsewhere, of any size, with the SMMU on and off in between. */
static void moves(void)
{
	const u64 count = parameter_after("count=", 100);

	for (u64 n = 1; n <= count; n++) {
		write32(SMMU_BASE + SMMU_CR0, random_below(32));
		write64(SMMU_BASE + SMMU_STRTAB_BASE, somewhere());
		write32(SMMU_BASE + SMMU_STRTAB_BASE_CFG,
		        random_below(2) * (STRTAB_2LVL | STRTAB_SPLIT_6) + random_below(32));
		write64(SMMU_BASE + SMMU_CMDQ_BASE, somewhere() | random_below(32));
		write64(SMMU_BASE + SMMU_EVENTQ_BASE, somewhere() | random_below(32));
		write32(SMMU_BASE + SMMU_CR0, CR0_SMMUEN | CR0_CMDQEN | CR0_EVENTQEN);
		write32(SMMU_BASE + SMMU_CMDQ_PROD, random_bits());
		write32(SMMU_BASE + SMMU_GBPA, GBPA_UPDATE | random_below(2) * GBPA_ABORT);
		write32(SMMU_BASE + SMMU_CR0, random_below(32));
		if (regs)
			transfers();
		write32(SMMU_BASE + SMMU_GERRORN, read32(SMMU_BASE + SMMU_GERROR));
		if (n % 25 == 0 || n == count) {
			smmu_set_cr0(0);
			check(wait_for(!(read32(SMMU_BASE + SMMU_GBPA) & GBPA_UPDATE), LONG),
			      "GBPA stays");
			works("moved", n);
		}
	}
}

static const struct test tests[] = {
	{ "stes", stes },   { "contexts", contexts }, { "commands", commands },
	{ "flood", flood }, { "moves", moves },
};

int main(void)
{
	random_seed(parameter_after("seed=", 1));
	find();
	works("the beginning", 0);
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* A function of the host's behind an SMMUv3 that the host's translates for, and a driver of that
 * which means harm: STEs, CDs and commands of every bit, queues and tables anywhere. Afterwards it
 * translates as before. Of the DMA endpoint's, PASIDs, ATS and stalls, too. "seed=N" repeats what
 * is drawn, "count=N" of it. */
#include "lib/dmatest.h"
#include "lib/port.h"
#include "lib/random.h"
#include "lib/smmu.h"

#define WORKS    0x4000000000UL /* the ring of what the card is to send */
#define E1000E   0x10d38086
#define ENDPOINT 0x002d1912
#define BRIDGE   0x06
#define DONE     1 /* of a descriptor's status */
#define CD_PAD   64
#define PASID    5

static struct smmu s;
static struct tables t;
/* A table of 64: whatever S1CDMax says leads to zeros. */
static struct cd cds[CD_PAD] __attribute__((aligned(4096)));
static u64 leaves[CD_PAD] __attribute__((aligned(4096))); /* of a table of two levels */
static volatile u64 ring[512] __attribute__((aligned(4096)));
static u32 rid;
static u64 regs; /* of an e1000e; 0: it is something else, which transfers nothing here */
static unsigned int stalls;
static struct dma_test endpoint; /* .regs 0: it is something else */

static void find(void)
{
	while (rid < 256 &&
	       (read32(pci_config(rid)) == ~0u || read8(pci_config(rid) + 0xb) == BRIDGE))
		rid += 8;
	if (rid == 256)
		rid = port_open(0);
	check(read32(pci_config(rid)) != ~0u, "no function");
	if (read32(pci_config(rid)) == ENDPOINT) {
		dma_test_find_from(&endpoint, rid);
		return;
	}
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

/* What the endpoint has written is there. */
static bool fills(u32 flags)
{
	static u64 seed;
	const struct dma_op op = { .op = DMA_FILL,
		                   .flags = flags,
		                   .iova = WORKS,
		                   .length = 8,
		                   .arg0 = ++seed,
		                   .pasid = PASID };

	return dma_run(&endpoint, 0, &op) == DMA_DONE && ring[0] == dma_pattern(seed);
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

/* Of buses 0 to 3. */
#define LOG2_STREAMS 10
static struct ste streams[1 << LOG2_STREAMS] __attribute__((aligned(64 << LOG2_STREAMS)));

static void install(const struct ste *ste)
{
	if (rid < 256) {
		smmu_set_ste(&s, rid, ste);
		return;
	}
	streams[rid] = *ste;
	smmu_set_streams(&s, (u64)streams, LOG2_STREAMS);
}

/* Everything anew, as a driver that starts would have it. */
static void works(const char *after, u64 nr)
{
	const struct ste ste = good_ste();

	write32(SMMU_BASE + SMMU_GERRORN, read32(SMMU_BASE + SMMU_GERROR));
	good_tables();
	smmu_start(&s);
	install(&ste);
	if (endpoint.regs) { /* events of what was before may still come */
		check(fills(0), "%s %lu: the endpoint does not write", after, nr);
		return;
	}
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

/* What stalls is answered, or not. */
static void drain(void)
{
	struct smmu_event e;

	write32(SMMU_BASE + SMMU_GERRORN, read32(SMMU_BASE + SMMU_GERROR));
	while (smmu_event(&s, &e)) {
		stalls += !!(e.w[1] & EVENT1_STALL);
		if (e.w[1] & EVENT1_STALL && one_in(2))
			command(CMD_RESUME | (random_bits() & 3UL << 12) | (e.w[0] >> 32 << 32),
			        e.w[1] & EVENT1_STAG);
	}
}

/* Of the endpoint, all at once: with a PASID and without, by what it asks for, and by that. */
static void accesses(void)
{
	static const struct dma_op ops[] = {
		{ .op = DMA_CHECK },
		{ .op = DMA_CHECK, .flags = DMA_F_PASID },
		{ .op = DMA_TRANSLATE, .flags = DMA_F_READ | DMA_F_WRITE },
		{ .op = DMA_TRANSLATE, .flags = DMA_F_READ | DMA_F_PASID },
		{ .op = DMA_CHECK, .flags = DMA_F_TRANSLATED },
		{ .op = DMA_CHECK, .flags = DMA_F_TRANSLATED | DMA_F_PASID },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		struct dma_op op = ops[i];

		op.iova = WORKS + one_in(3) * PAGE; /* where nothing is */
		op.length = 64;
		op.pasid = random_below(2) ? PASID : random_below(256);
		dma_start(&endpoint, i, &op);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		if (!wait_for(dma_state(&endpoint, i) == DMA_ENDED, 20))
			drain();
		if (dma_state(&endpoint, i) != DMA_ENDED)
			dma_control(&endpoint, i, DMA_ABORT);
		check(wait_for(dma_state(&endpoint, i) == DMA_ENDED, LONG), "access %u stays", i);
	}
}

static void attempt(void)
{
	if (regs)
		transfers();
	if (endpoint.regs)
		accesses();
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
		if (endpoint.regs)
			fills(0);
		write32(SMMU_BASE + SMMU_GERRORN, read32(SMMU_BASE + SMMU_GERROR));
		if (n % 25 == 0 || n == count) {
			smmu_set_cr0(0);
			check(wait_for(!(read32(SMMU_BASE + SMMU_GBPA) & GBPA_UPDATE), LONG),
			      "GBPA stays");
			works("moved", n);
		}
	}
}

/* The port in front of the card numbers its bus anew: so its StreamID is another one, in tables and
 * commands, and in events that come from the host. */
static void buses(void)
{
	struct smmu_event e;

	for (u8 n = 0; n < 6; n++) {
		const u8 bus = 1 + n % 2;

		port_set_bus(0, bus, bus);
		port_set_window(0, bus);
		rid = (u32)bus << 8;
		pci_enable(rid);
		regs = pci_bar(rid, 0);
		works("bus", bus);
		tables_map(&t, WORKS, (u64)ring, 1, 0);
		command(CMD_TLBI_NH_ALL, 0);
		transfers();
		check(wait_for(smmu_event(&s, &e), LONG), "bus %u: no event", bus);
		check((u8)e.w[0] == F_TRANSLATION && e.w[0] >> 32 == rid &&
		              e.w[2] >> 12 == WORKS >> 12,
		      "bus %u: event %lx at %lx", bus, e.w[0], e.w[2]);
	}
	good_tables();
	works("buses", 0);
}

/* By PASIDs, of a table of one level and of two, and where it has ATS, by translations that it has
 * asked for. */
static void substreams_work(u64 after)
{
	const bool ats = pci_ext_capability(rid, EXT_ATS);
	const struct dma_op ask = { .op = DMA_TRANSLATE,
		                    .flags = DMA_F_READ | DMA_F_WRITE | DMA_F_PASID,
		                    .iova = WORKS,
		                    .pasid = PASID };

	works("substreams", after);
	cds[PASID] = smmu_cd(&t, 2);
	leaves[0] = (u64)cds | 1;
	for (unsigned int format = 0; format < 2; format++) {
		struct ste ste = { { STE0(STE_S1) | STE0_CDMAX(6 + format) | (u64)format << 4,
			             STE1_S1DSS(S1DSS_SSID0) | STE1_EATS(ats) } };

		ste.w[0] |= format ? (u64)leaves : (u64)cds;
		smmu_set_ste(&s, rid, &ste);
		check(fills(DMA_F_PASID), "%lu, format %u: not by a PASID: reason %u", after,
		      format, dma_reason(&endpoint, 0));
		if (!ats)
			continue;
		check(dma_run(&endpoint, 1, &ask) == DMA_DONE, "%lu, format %u: not translated",
		      after, format);
		check(fills(DMA_F_PASID | DMA_F_TRANSLATED), "%lu, format %u: not by ATS", after,
		      format);
	}
}

static struct ste legal_substreams(void)
{
	const unsigned int format = random_below(2);

	return (struct ste){ { STE0(STE_S1) | (u64)(format ? leaves : (u64 *)cds) |
		                       (u64)format << 4 | STE0_CDMAX(6 + format),
		               STE1_S1DSS(random_below(3)) | STE1_EATS(random_below(2)) } };
}

static struct ste any_substreams(void)
{
	const u64 at[] = { (u64)cds, (u64)leaves, (u64)cds + 64, somewhere() & 0xfffffffffffc0 };
	struct ste ste = { { STE0(STE_S1) | at[random_below(4)] | (u64)random_below(4) << 4 |
		             STE0_CDMAX(one_in(4) ? random_below(32) : random_below(9)) } };

	ste.w[1] = STE1_S1DSS(random_below(4)) | STE1_EATS(random_below(4)) |
	           random_below(2) * STE1_S1STALLD;
	if (one_in(8))
		ste.w[1] |= 1UL << random_below(64);
	return ste;
}

/* STEs, CDs and commands of substreams, of ATS and of stalls: some legal, all together not. */
static void substreams(void)
{
	static const u8 opcodes[] = { CMD_CFGI_CD, CMD_CFGI_CD_ALL, CMD_ATC_INV,     CMD_ATC_INV,
		                      CMD_RESUME,  CMD_STALL_TERM,  CMD_TLBI_NH_ASID };
	const u64 count = parameter_after("count=", 100);

	for (u64 n = 0; n < count; n++) {
		const struct ste ste = one_in(2) ? legal_substreams() : any_substreams();

		cds[0] = smmu_cd(&t, 1);
		cds[PASID] = smmu_cd(&t, 2);
		cds[0].w[0] |= CD0_S;
		cds[PASID].w[0] |= CD0_S;
		cds[random_below(2) * PASID].w[random_below(2)] ^= 1UL << random_below(64);
		leaves[0] = random_below(4) ? (u64)cds | 1 : somewhere() | random_below(2);
		if (one_in(4))
			tables_map(&t, WORKS, (u64)ring, 1, random_below(2) ? S1_PAGE : 0);
		smmu_set_ste(&s, rid, &ste);
		attempt();
		for (unsigned int i = 0; i < 4; i++)
			command(opcodes[random_below(sizeof(opcodes))] | CMD_SID(rid) |
			                (random_bits() & 0xfffff000) | random_below(2) << 11 |
			                random_below(2) << 9,
			        random_bits());
		attempt();
		if (n % 20 == 19 || n + 1 == count)
			substreams_work(n);
	}
	print("%s, %u stalls\n", pci_ext_capability(rid, EXT_ATS) ? "ATS" : "no ATS", stalls);
}

static const struct test tests[] = {
	{ "stes", stes },   { "contexts", contexts }, { "commands", commands },
	{ "flood", flood }, { "moves", moves },       { "substreams", substreams },
	{ "buses", buses },
};

int main(void)
{
	random_seed(parameter_after("seed=", 1));
	find();
	works("the beginning", 0);
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Driving an SMMUv3: its queues, one command or event at a time. */
#include "smmu.h"

/* 6.3.11: queues and tables are Normal memory, write-back, inner shareable. */
#define CR1_CACHED 0xd75

static u32 low(u32 index, unsigned int log2size)
{
	return index & ((2u << log2size) - 1); /* the wrap bit, too */
}

void smmu_set_cr0(u32 cr0)
{
	write32(SMMU_BASE + SMMU_CR0, cr0);
	check(wait_for(read32(SMMU_BASE + SMMU_CR0ACK) == cr0, LONG), "CR0ACK %x",
	      read32(SMMU_BASE + SMMU_CR0ACK));
}

void smmu_set_irq_ctrl(u32 val)
{
	write32(SMMU_BASE + SMMU_IRQ_CTRL, val);
	check(wait_for(read32(SMMU_BASE + SMMU_IRQ_CTRLACK) == val, LONG), "IRQ_CTRLACK %x",
	      read32(SMMU_BASE + SMMU_IRQ_CTRLACK));
}

void smmu_start(struct smmu *s)
{
	smmu_set_cr0(0);
	memset(s, 0, sizeof(*s));
	write32(SMMU_BASE + SMMU_CR1, CR1_CACHED);
	write64(SMMU_BASE + SMMU_CMDQ_BASE, (u64)s->commands | SMMU_LOG2_CMDS);
	write32(SMMU_BASE + SMMU_CMDQ_PROD, 0);
	write32(SMMU_BASE + SMMU_CMDQ_CONS, 0);
	write64(SMMU_BASE + SMMU_EVENTQ_BASE, (u64)s->events | SMMU_LOG2_EVENTS);
	write32(SMMU_BASE + SMMU_EVENTQ_PROD, 0);
	write32(SMMU_BASE + SMMU_EVENTQ_CONS, 0);
	smmu_set_streams(s, (u64)s->streams, SMMU_LOG2_STREAMS);
}

void smmu_set_streams(struct smmu *s, u64 base, u32 config)
{
	smmu_set_cr0(CR0_CMDQEN | CR0_EVENTQEN);
	write64(SMMU_BASE + SMMU_STRTAB_BASE, base);
	write32(SMMU_BASE + SMMU_STRTAB_BASE_CFG, config);
	smmu_push(s, CMD_CFGI_STE_RANGE, 31);
	smmu_push(s, CMD_TLBI_NSNH_ALL, 0);
	smmu_sync(s);
	smmu_set_cr0(CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN);
}

static u32 consumer(void)
{
	return read32(SMMU_BASE + SMMU_CMDQ_CONS);
}

bool smmu_consumed(const struct smmu *s)
{
	return low(consumer(), SMMU_LOG2_CMDS) == s->prod;
}

void smmu_push(struct smmu *s, u64 word0, u64 word1)
{
	u64 *cmd = s->commands[s->prod % (1 << SMMU_LOG2_CMDS)];

	check(wait_for((low(consumer(), SMMU_LOG2_CMDS) ^ s->prod) != 1 << SMMU_LOG2_CMDS, LONG),
	      "the command queue stays full");
	cmd[0] = word0;
	cmd[1] = word1;
	s->prod = low(s->prod + 1, SMMU_LOG2_CMDS);
	barrier();
	write32(SMMU_BASE + SMMU_CMDQ_PROD, s->prod);
}

static void await_sync(const struct smmu *s)
{
	check(wait_for(smmu_consumed(s), LONG), "CMD_SYNC: CONS %x, PROD %x, GERROR %x", consumer(),
	      s->prod, read32(SMMU_BASE + SMMU_GERROR));
	barrier();
}

void smmu_sync(struct smmu *s)
{
	smmu_push(s, CMD_SYNC, 0);
	await_sync(s);
}

void smmu_invalidate(struct smmu *s, const u64 (*commands)[2], unsigned int nr)
{
	for (unsigned int i = 0; i <= nr; i++) {
		u64 *cmd = s->commands[s->prod % (1 << SMMU_LOG2_CMDS)];

		cmd[0] = i < nr ? commands[i][0] : CMD_SYNC;
		cmd[1] = i < nr ? commands[i][1] : 0;
		s->prod = low(s->prod + 1, SMMU_LOG2_CMDS);
	}
	barrier();
	write32(SMMU_BASE + SMMU_CMDQ_PROD, s->prod);
	await_sync(s);
}

void smmu_sync_message(struct smmu *s)
{
	const volatile u32 *message = &s->message;
	u32 data = ++s->nr_messages;

	smmu_push(s, CMD_SYNC | 1 << 12 | (u64)data << 32, (u64)&s->message);
	check(wait_for(*message == data, LONG), "CMD_SYNC: message %x, expected %x", *message,
	      data);
	barrier();
	check(smmu_consumed(s), "CMD_SYNC: its message comes first");
}

void smmu_set_ste(struct smmu *s, u32 sid, const struct ste *ste)
{
	s->streams[sid] = *ste;
	barrier();
	smmu_push(s, CMD_CFGI_STE | CMD_SID(sid), CMD_LEAF);
	smmu_sync(s);
}

struct cd smmu_cd(const struct tables *t, u32 asid)
{
	return (struct cd){ {
		CD0_T0SZ(T0SZ) | CD0_EPD1 | CD0_V | CD0_IPS(1) | CD0_AA64 | CD0_R | CD0_A |
			CD0_ASET | CD0_ASID(asid),
		(u64)t->table[0],
	} };
}

struct ste smmu_s1(const struct cd *cd)
{
	return (struct ste){ { STE0(STE_S1) | (u64)cd } };
}

struct ste smmu_s2(const struct tables *t, u32 vmid)
{
	return (struct ste){ {
		STE0(STE_S2),
		0,
		STE2_VMID(vmid) | STE2_S2T0SZ(S2T0SZ) | STE2_S2SL0(1) | STE2_S2PS(1) | STE2_S2AA64 |
			STE2_S2R,
		(u64)t->table[0],
	} };
}

struct ste smmu_nested(u64 cd_ipa, const struct tables *t, u32 vmid)
{
	struct ste ste = smmu_s2(t, vmid);

	ste.w[0] = STE0(STE_NESTED) | cd_ipa;
	return ste;
}

unsigned int smmu_events(struct smmu *s, struct smmu_event *e, unsigned int max)
{
	u32 prod = read32(SMMU_BASE + SMMU_EVENTQ_PROD),
	    cons = read32(SMMU_BASE + SMMU_EVENTQ_CONS);
	u32 at = low(cons, SMMU_LOG2_EVENTS);

	unsigned int nr = 0;

	barrier();
	for (; low(prod, SMMU_LOG2_EVENTS) != at && nr < max; at = low(at + 1, SMMU_LOG2_EVENTS))
		e[nr++] = s->events[at % (1 << SMMU_LOG2_EVENTS)];
	barrier();
	if (nr)
		write32(SMMU_BASE + SMMU_EVENTQ_CONS, at | (cons & QUEUE_OVERFLOW));
	return nr;
}

bool smmu_event(struct smmu *s, struct smmu_event *e)
{
	return smmu_events(s, e, 1);
}

void smmu_expect_none(struct smmu *s, const char *when)
{
	struct smmu_event e;

	check(!smmu_event(s, &e), "%s: event %lx %lx %lx %lx", when, e.w[0], e.w[1], e.w[2],
	      e.w[3]);
}

void smmu_expect(struct smmu *s, const struct smmu_event *want, const char *when)
{
	struct smmu_event e;

	check(smmu_event(s, &e), "%s: no event", when);
	check(!memcmp(&e, want, sizeof(e)), "%s: event %lx %lx %lx %lx, expected %lx %lx %lx %lx",
	      when, e.w[0], e.w[1], e.w[2], e.w[3], want->w[0], want->w[1], want->w[2], want->w[3]);
	smmu_expect_none(s, when);
}

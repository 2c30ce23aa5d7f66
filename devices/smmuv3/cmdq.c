// SPDX-License-Identifier: GPL-2.0-only
/* The SMMU's Command queue (Arm IHI 0070, chapter 4, 7.1): consumption, errors, CMD_SYNC,
 * CMD_CFGI_*. */
#include <endian.h>
#include <errno.h>

#include "devices/smmuv3/private.h"
#include "vmm/arch.h"

#define CMD_SIZE 16
/* So many at a time; others have the device lock, too. */
#define BATCH 256

/* 4.1.6: the other security state's streams are not this queue's. */
static bool is_secure(const u64 *cmd)
{
	return cmd[0] & CMD0_SSEC;
}

/* 4.2: nothing has to be fetched ahead. */
static enum smmu_command prefetch(struct smmu *s, const u64 *cmd)
{
	(void)s;
	return is_secure(cmd) ? COMMAND_ILLEGAL : COMMAND_DONE;
}

static enum smmu_command cfgi_ste(struct smmu *s, const u64 *cmd)
{
	const u32 sid = FIELD_GET(CMD0_SID, cmd[0]);

	if (is_secure(cmd))
		return COMMAND_ILLEGAL;
	smmu_config_invalidate(s, sid, sid, NO_SSID);
	return COMMAND_DONE;
}

/* 2^(Range + 1) of them, aligned; 31 is all (CMD_CFGI_ALL). */
void smmu_ste_range(const u64 *cmd, u32 *first, u32 *last)
{
	const u32 low = GENMASK(FIELD_GET(CMD1_RANGE, cmd[1]), 0);
	const u32 sid = FIELD_GET(CMD0_SID, cmd[0]);

	*first = sid & ~low;
	*last = sid | low;
}

static enum smmu_command cfgi_ste_range(struct smmu *s, const u64 *cmd)
{
	u32 first, last;

	if (is_secure(cmd))
		return COMMAND_ILLEGAL;
	smmu_ste_range(cmd, &first, &last);
	smmu_config_invalidate(s, first, last, NO_SSID);
	return COMMAND_DONE;
}

static enum smmu_command cfgi_cd(struct smmu *s, const u64 *cmd)
{
	const u32 sid = FIELD_GET(CMD0_SID, cmd[0]);

	if (is_secure(cmd))
		return COMMAND_ILLEGAL;
	smmu_config_invalidate(s, sid, sid, FIELD_GET(CMD0_SSID, cmd[0]));
	return COMMAND_DONE;
}

/* 4.7.3: complete when no transfer uses what was invalidated before it. */
static enum smmu_command sync(struct smmu *s, const u64 *cmd)
{
	if (FIELD_GET(SYNC0_CS, cmd[0]) > SIG_SEV)
		return COMMAND_ILLEGAL;
	if (s->pending.left || smmu_backend_waits(s) || smmu_atc_wait(s) || smmu_injected_wait(s))
		return COMMAND_WAITS;
	if (smmu_atc_failed(s))
		return COMMAND_TIMED_OUT;
	s->counts.syncs++;
	return COMMAND_DONE;
}

/* Once its consumption can be seen. */
static void signal_sync(struct smmu *s, const u64 *cmd)
{
	const struct smmu_msi msi = {
		.addr = cmd[1] & SYNC1_MSIADDR,
		.data = FIELD_GET(SYNC0_MSIDATA, cmd[0]),
	};
	const unsigned int cs = FIELD_GET(SYNC0_CS, cmd[0]);

	if (cs == SIG_IRQ)
		smmu_interrupt(s, &msi, s->config.sync_spi, GERROR_MSI_CMDQ_ABT);
	else if (cs == SIG_SEV && smmu_idr(s, 0, IDR0_SEV))
		arch_send_event();
}

struct command {
	enum smmu_command (*run)(struct smmu *s, const u64 *cmd);
	u32 needs; /* bits of IDR0, all of them */
	void (*consumed)(struct smmu *s, const u64 *cmd);
};

/* 4.1.1. What MPAM and the other security states have, is not there. */
static const struct command commands[] = {
	[CMD_PREFETCH_CONFIG] = { prefetch },
	[CMD_PREFETCH_ADDR] = { prefetch },
	[CMD_CFGI_STE] = { cfgi_ste },
	[CMD_CFGI_STE_RANGE] = { cfgi_ste_range },
	[CMD_CFGI_CD] = { cfgi_cd, IDR0_S1P },
	[CMD_CFGI_CD_ALL] = { cfgi_ste, IDR0_S1P },
	[CMD_TLBI_NH_ALL] = { smmu_tlbi, IDR0_S1P },
	[CMD_TLBI_NH_ASID] = { smmu_tlbi, IDR0_S1P },
	[CMD_TLBI_NH_VA] = { smmu_tlbi, IDR0_S1P },
	[CMD_TLBI_NH_VAA] = { smmu_tlbi, IDR0_S1P },
	[CMD_TLBI_EL2_ALL] = { smmu_tlbi, IDR0_HYP },
	[CMD_TLBI_EL2_ASID] = { smmu_tlbi, IDR0_HYP },
	[CMD_TLBI_EL2_VA] = { smmu_tlbi, IDR0_HYP },
	[CMD_TLBI_EL2_VAA] = { smmu_tlbi, IDR0_HYP },
	[CMD_TLBI_S12_VMALL] = { smmu_tlbi, IDR0_S2P },
	[CMD_TLBI_S2_IPA] = { smmu_tlbi, IDR0_S2P },
	[CMD_TLBI_NSNH_ALL] = { smmu_tlbi },
	[CMD_ATC_INV] = { smmu_cmd_atc_inv, IDR0_ATS },
	[CMD_PRI_RESP] = { smmu_cmd_pri_resp, IDR0_PRI },
	[CMD_RESUME] = { smmu_cmd_resume },
	[CMD_STALL_TERM] = { smmu_cmd_stall_term },
	[CMD_SYNC] = { sync, 0, signal_sync },
};

static void fail(struct smmu *s, u32 err)
{
	static const char *const names[] = { "NONE", "ILL", "ABT", "ATC_INV_SYNC" };

	trace(s->vm->log, TRACE_SMMU, "%s: CERROR_%s", s->config.name, names[err]);
	s->counts.errors++;
	s->cmdq_cons = (s->cmdq_cons & ~(u32)CMDQ_CONS_ERR) | FIELD_PREP((u32)CMDQ_CONS_ERR, err);
	smmu_error(s, GERROR_CMDQ);
}

static void consume(struct smmu *s, unsigned int log2size)
{
	const u32 next = smmu_queue_index(s->cmdq_cons + 1, log2size);

	s->cmdq_cons = (s->cmdq_cons & CMDQ_CONS_ERR) | next;
	s->counts.commands++;
}

static const struct command *find(const struct smmu *s, unsigned int opcode)
{
	const struct command *c = opcode < ARRAY_SIZE(commands) ? &commands[opcode] : NULL;

	return c && c->run && (s->id.idr[0] & c->needs) == c->needs ? c : NULL;
}

/* The error that a command's function ends with (7.1). */
static const u8 errors[] = {
	[COMMAND_DONE] = CERROR_NONE,
	[COMMAND_WAITS] = CERROR_NONE,
	[COMMAND_ILLEGAL] = CERROR_ILL,
	[COMMAND_TIMED_OUT] = CERROR_ATC_INV_SYNC,
};

/* The command that CONS is at. False: the queue stops there. */
static bool run_one(struct smmu *s, unsigned int log2size)
{
	const u32 index = smmu_queue_index(s->cmdq_cons, log2size);
	const gpa_t at = smmu_queue_entry(s, s->cmdq_base, log2size, index, CMD_SIZE);
	enum smmu_command got = COMMAND_DONE;
	const struct command *c;
	u64 cmd[2];
	u32 err;

	if (guest_read(&s->vm->mem, at, cmd, sizeof(cmd))) {
		fail(s, CERROR_ABT);
		return false;
	}
	cmd[0] = le64toh(cmd[0]);
	cmd[1] = le64toh(cmd[1]);
	c = find(s, FIELD_GET(CMD0_OPCODE, cmd[0]));
	smmu_see_command(s, cmd);
	err = smmu_injected_cerror(s, FIELD_GET(CMD0_OPCODE, cmd[0]));
	/* A driver skips what is said to be illegal; executed all the same, nothing stale stays. */
	if (err == CERROR_NONE || err == CERROR_ILL)
		got = c ? c->run(s, cmd) : COMMAND_ILLEGAL;
	if (err && got == COMMAND_WAITS) { /* it has not been executed: later */
		s->injected.cerror = err;
		return false;
	}
	if (!err)
		err = errors[got];
	if (got == COMMAND_DONE && (!err || err == CERROR_ILL))
		smmu_pass_on(s, cmd);
	if (err)
		fail(s, err);
	if (err || got != COMMAND_DONE)
		return false;
	consume(s, log2size);
	if (c->consumed)
		c->consumed(s, cmd);
	return true;
}

static void queue_turn(struct smmu *s)
{
	if (s->turn_queued)
		return;
	s->turn_queued = true;
	loop_timeout(s->vm->loop, &s->turn, &s->no_time);
}

/* 4.1.2, 12.3: enabled, not empty, no error active, not in Service Failure Mode. */
static bool can_run(const struct smmu *s, unsigned int log2size)
{
	return s->cr0ack & CR0_CMDQEN && !smmu_error_active(s, GERROR_CMDQ) &&
	       !s->injected.failed && !smmu_backend_full(s) &&
	       !smmu_queue_empty(s->cmdq_prod, s->cmdq_cons, log2size);
}

void smmu_commands(struct smmu *s)
{
	const unsigned int log2size = smmu_queue_log2size(s->cmdq_base, smmu_idr(s, 1, IDR1_CMDQS));
	unsigned int n = 0;
	bool full;

	if (s->running) /* an error's message, or a transfer's end, in the middle of a command */
		return;
	/* As devices go, transfers end: whom a command or a stall reaches may have gone before. */
	if (loop_is_drained(s->vm->loop))
		return;
	s->running = true;
	full = smmu_queue_full(s->cmdq_prod, s->cmdq_cons, log2size);
	while (can_run(s, log2size) && n < BATCH && run_one(s, log2size))
		n++;
	s->running = false;
	if (full && n && smmu_idr(s, 0, IDR0_SEV)) /* 4.1.2: a driver may wait for room */
		arch_send_event();
	if (s->messages_moved)
		smmu_messages_changed(s);
	smmu_stalls_run(s);
	if (n == BATCH)
		queue_turn(s);
}

static void turn(struct loop_op *op, int res)
{
	struct smmu *s = container_of(op, struct smmu, turn);

	s->turn_queued = false;
	if (res != -ECANCELED)
		smmu_commands(s);
}

/* The last transfer that used what was invalidated has ended. */
static void no_longer_pending(struct dma_wait *w)
{
	smmu_commands(container_of(w, struct smmu, pending));
}

void smmu_commands_init(struct smmu *s)
{
	s->pending.done = no_longer_pending;
	s->turn = (struct loop_op){ .done = turn, .endless = true };
}

// SPDX-License-Identifier: GPL-2.0-only
/* Errors of an SMMU that somebody asked for, so that a driver's error paths can be tested (Arm IHI
 * 0070, 7.1, 7.5, 12.3). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/smmuv3/private.h"

#define SLOWEST 60000 /* ms */
#define MINUTE  60000 /* that an endpoint has to answer, by ATS */

static const char *fail_next(struct smmu *s, u32 cerror)
{
	s->injected.cerror = cerror;
	return NULL;
}

/* 6.3.19: those of messages, and of page requests, are reserved without them. */
static const char *raise(struct smmu *s, u32 gerror)
{
	if (gerror & (GERROR_PRIQ_ABT | GERROR_MSI_PRIQ_ABT) && !smmu_idr(s, 0, IDR0_PRI))
		return "idr0.pri=1 with an error of page requests";
	if (!(gerror & (GERROR_EVENTQ_ABT | GERROR_PRIQ_ABT)) && !smmu_idr(s, 0, IDR0_MSI))
		return "idr0.msi=1 with an error of messages";
	smmu_error(s, gerror);
	return NULL;
}

/* 12.3: transactions abort, queues stand still. What is in flight was let through before. */
static const char *enter_failure(struct smmu *s, u32 unused)
{
	(void)unused;
	s->injected.failed = true;
	smmu_route_all(s);
	smmu_messages_changed(s);
	smmu_error(s, GERROR_SFM);
	return NULL;
}

/* GERROR.SFM_ERR is the driver's to acknowledge. */
static const char *leave_failure(struct smmu *s, u32 unused)
{
	(void)unused;
	s->injected.failed = false;
	smmu_route_all(s);
	smmu_messages_changed(s);
	smmu_commands(s);
	return NULL;
}

static struct __kernel_timespec after(u32 ms)
{
	return (struct __kernel_timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000LL };
}

static const char *slow_sync(struct smmu *s, u32 ms)
{
	struct smmu_injected *i = &s->injected;

	if (i->timer_runs || i->sync_waits)
		return "no CMD_SYNC that waits already";
	i->sync = SYNC_SLOW;
	i->time = after(ms);
	return NULL;
}

static const char *lose_sync(struct smmu *s, u32 unused)
{
	(void)unused;
	s->injected.sync = SYNC_LOST;
	return NULL;
}

static const char *resume_sync(struct smmu *s, u32 unused)
{
	(void)unused;
	s->injected.sync = SYNC_WELL;
	s->injected.sync_waits = false;
	smmu_commands(s);
	return NULL;
}

static const char *abort_message(struct smmu *s, u32 unused)
{
	(void)unused;
	if (!smmu_idr(s, 0, IDR0_MSI))
		return "idr0.msi=1 with an error of messages";
	s->injected.msi_abort = true;
	return NULL;
}

/* Of the answer that comes next, whatever it is to. One at a time. */
static const char *change_answer(struct smmu *s, enum smmu_answer answer, u32 ms)
{
	struct smmu_injected *i = &s->injected;

	if (!smmu_idr(s, 0, IDR0_ATS))
		return "idr0.ats=1 with an error of invalidations";
	if (i->slow)
		return "no CMD_ATC_INV that waits already";
	i->answer = answer;
	i->answer_time = after(ms);
	return NULL;
}

static const char *slow_answer(struct smmu *s, u32 ms)
{
	return change_answer(s, ANSWER_SLOW, ms);
}

static const char *lose_answer(struct smmu *s, u32 unused)
{
	return change_answer(s, ANSWER_LOST, unused);
}

/* Instead of the minute, from the next wait on. */
static const char *limit_wait(struct smmu *s, u32 ms)
{
	if (!smmu_idr(s, 0, IDR0_ATS))
		return "idr0.ats=1 with an error of invalidations";
	s->injected.answer_limit = after(ms);
	return NULL;
}

/* 3.9.1.4: whatever has not been answered is not waited for any longer. */
static const char *end_wait(struct smmu *s, u32 unused)
{
	(void)unused;
	if (!s->atc.left)
		return "a CMD_ATC_INV that waits";
	smmu_atc_give_up(s);
	return NULL;
}

/* A name that ends in = has a number behind it. */
static const struct error {
	const char *name;
	const char *(*inject)(struct smmu *s, u32 value);
	u32 value; /* or the largest one */
} errors[] = {
	{ "cerror-ill", fail_next, CERROR_ILL },
	{ "cerror-abt", fail_next, CERROR_ABT },
	{ "cerror-atc-inv-sync", fail_next, CERROR_ATC_INV_SYNC },
	{ "gerror=eventq-abt", raise, GERROR_EVENTQ_ABT },
	{ "gerror=priq-abt", raise, GERROR_PRIQ_ABT },
	{ "gerror=msi-cmdq-abt", raise, GERROR_MSI_CMDQ_ABT },
	{ "gerror=msi-eventq-abt", raise, GERROR_MSI_EVENTQ_ABT },
	{ "gerror=msi-priq-abt", raise, GERROR_MSI_PRIQ_ABT },
	{ "gerror=msi-gerror-abt", raise, GERROR_MSI_GERROR_ABT },
	{ "sfm", enter_failure, 0 },
	{ "sfm-end", leave_failure, 0 },
	{ "sync-slow=", slow_sync, SLOWEST },
	{ "sync-lost", lose_sync, 0 },
	{ "sync-resume", resume_sync, 0 },
	{ "msi-abort", abort_message, 0 },
	{ "atc-inv-slow=", slow_answer, SLOWEST },
	{ "atc-inv-lost", lose_answer, 0 },
	{ "atc-inv-limit=", limit_wait, SLOWEST },
	{ "atc-inv-timeout", end_wait, 0 },
};
#define EXPECTED                                                                                   \
	"cerror-ill, cerror-abt, cerror-atc-inv-sync, gerror=eventq-abt, gerror=priq-abt, "        \
	"gerror=msi-cmdq-abt, gerror=msi-eventq-abt, gerror=msi-priq-abt, gerror=msi-gerror-abt, " \
	"sfm, sfm-end, sync-slow=MS (1 to 60000), sync-lost, sync-resume, msi-abort, "             \
	"atc-inv-slow=MS (1 to 60000), atc-inv-lost, atc-inv-limit=MS (1 to 60000) or atc-inv-timeout"

/* Whether @text is this one; then what goes with it is in *value. */
static bool is_error(const struct error *e, const char *text, u32 *value)
{
	const size_t len = strlen(e->name);
	unsigned long number;
	char *end;

	*value = e->value;
	if (e->name[len - 1] != '=')
		return !strcmp(text, e->name);
	if (strncmp(text, e->name, len) || text[len] < '0' || text[len] > '9')
		return false;
	number = strtoul(text + len, &end, 10);
	*value = number;
	return !*end && number && number <= e->value;
}

const char *smmu_inject(struct smmu *s, const char *text)
{
	u32 value;

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if (!is_error(&errors[i], text, &value))
			continue;
		smmu_say(s, "injected: %s", text);
		return errors[i].inject(s, value);
	}
	return EXPECTED;
}

/* 7.1: CERROR_ATC_INV_SYNC is a CMD_SYNC's; CERROR_ILL is not, so that none waits for what is
 * skipped. */
u32 smmu_injected_cerror(struct smmu *s, unsigned int opcode)
{
	const u32 cerror = s->injected.cerror;

	if ((cerror == CERROR_ATC_INV_SYNC && opcode != CMD_SYNC) ||
	    (cerror == CERROR_ILL && opcode == CMD_SYNC))
		return CERROR_NONE;
	s->injected.cerror = CERROR_NONE;
	return cerror;
}

bool smmu_injected_msi(struct smmu *s)
{
	const bool aborts = s->injected.msi_abort;

	s->injected.msi_abort = false;
	return aborts;
}

static void time_is_over(struct loop_op *op, int res)
{
	struct smmu *s = container_of(op, struct smmu, injected.timer);

	s->injected.timer_runs = false;
	if (res != -ECANCELED && s->injected.sync == SYNC_SLOW && s->injected.sync_waits)
		resume_sync(s, 0);
}

bool smmu_injected_wait(struct smmu *s)
{
	struct smmu_injected *i = &s->injected;

	if (i->sync == SYNC_WELL)
		return false;
	if (i->sync == SYNC_SLOW && !i->sync_waits) {
		i->timer_runs = true;
		loop_timeout(s->vm->loop, &i->timer, &i->time);
	}
	i->sync_waits = true;
	return true;
}

static void answer_is_due(struct loop_op *op, int res)
{
	struct smmu *s = container_of(op, struct smmu, injected.answer_timer);
	struct smmu_endpoint *e = s->injected.slow;

	s->injected.slow = NULL;
	if (res != -ECANCELED)
		smmu_atc_answered(e, s->injected.slow_tag);
}

bool smmu_injected_answer(struct smmu_endpoint *e, u32 tag)
{
	struct smmu_injected *i = &e->smmu->injected;
	const enum smmu_answer answer = i->answer;

	i->answer = ANSWER_WELL;
	if (answer == ANSWER_LOST)
		e->lost |= BIT(tag);
	if (answer == ANSWER_SLOW) {
		i->slow = e;
		i->slow_tag = tag;
		loop_timeout(e->smmu->vm->loop, &i->answer_timer, &i->answer_time);
	}
	return answer != ANSWER_WELL;
}

/* A CMD_SYNC that waits is forgotten; one that has not come yet is not. */
void smmu_injected_stop(struct smmu *s)
{
	if (s->injected.sync_waits)
		s->injected.sync = SYNC_WELL;
	s->injected.sync_waits = false;
}

void smmu_inject_init(struct smmu *s)
{
	s->injected.timer = (struct loop_op){ .done = time_is_over, .endless = true };
	s->injected.answer_timer = (struct loop_op){ .done = answer_is_due, .endless = true };
	s->injected.answer_limit = after(MINUTE);
}

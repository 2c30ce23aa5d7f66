// SPDX-License-Identifier: GPL-2.0-only
/* Errors of an SMMU that somebody asked for, so that a driver's error paths can be tested (Arm IHI
 * 0070, 7.1, 7.5, 12.3). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/smmuv3/private.h"

#define SLOWEST 60000 /* ms */

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
	smmu_messages_changed(s);
	smmu_error(s, GERROR_SFM);
	return NULL;
}

/* GERROR.SFM_ERR is the driver's to acknowledge. */
static const char *leave_failure(struct smmu *s, u32 unused)
{
	(void)unused;
	s->injected.failed = false;
	smmu_messages_changed(s);
	smmu_commands(s);
	return NULL;
}

static const char *slow_sync(struct smmu *s, u32 ms)
{
	struct smmu_injected *i = &s->injected;

	if (i->timer_runs || i->sync_waits)
		return "no CMD_SYNC that waits already";
	i->sync = SYNC_SLOW;
	i->time =
		(struct __kernel_timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000LL };
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
};
#define EXPECTED                                                                                   \
	"cerror-ill, cerror-abt, cerror-atc-inv-sync, gerror=eventq-abt, gerror=priq-abt, "        \
	"gerror=msi-cmdq-abt, gerror=msi-eventq-abt, gerror=msi-priq-abt, gerror=msi-gerror-abt, " \
	"sfm, sfm-end, sync-slow=MS (1 to 60000), sync-lost, sync-resume or msi-abort"

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
}

// SPDX-License-Identifier: GPL-2.0-only
/* The commands, a row each. Those that QEMU has mean what they do there (qapi/misc.json,
 * qapi/run-state.json, qapi/machine.json). */
#include "control/commands.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/arch.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

static void query_version(struct qmp_call *call, void *ctx)
{
	struct control *c = ctx;

	qmp_return(call, qmp_version(c->qmp));
}

static void query_commands(struct qmp_call *call, void *ctx)
{
	struct control *c = ctx;

	qmp_return(call, qmp_commands(c->qmp));
}

static void query_name(struct qmp_call *call, void *ctx)
{
	struct control *c = ctx;

	qmp_return(call, json_pack("{s:s}", "name", c->name));
}

static void query_status(struct qmp_call *call, void *ctx)
{
	struct control *c = ctx;

	qmp_return(call, json_pack("{s:b, s:s}", "running", !c->paused, "status",
	                           c->paused ? "paused" : "running"));
}

static void query_cpus_fast(struct qmp_call *call, void *ctx)
{
	struct control *c = ctx;
	json_t *list = json_array();

	for (unsigned int i = 0; i < c->vm->nr_vcpus; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/machine/cpu[%u]", i);
		json_array_append_new(
			list, json_pack("{s:i, s:s, s:i, s:s}", "cpu-index", (int)i, "qom-path",
		                        path, "thread-id",
		                        __atomic_load_n(&c->vm->vcpus[i].tid, __ATOMIC_RELAXED),
		                        "target", "aarch64"));
	}
	qmp_return(call, list);
}

static void vcpus_out(struct pause_wait *wait)
{
	struct waiter *w = container_of(wait, struct waiter, wait);
	struct qmp_call *call = w->call;

	w->call = NULL;
	w->out(w->control, call);
}

/* A client has one call at a time, so there is room. */
static void when_out(struct control *c, struct qmp_call *call,
                     void (*out)(struct control *c, struct qmp_call *call))
{
	struct waiter *w = c->waiters;

	while (w->call)
		w++;
	assert(w < c->waiters + ARRAY_SIZE(c->waiters));
	*w = (struct waiter){ { .done = vcpus_out }, c, call, out };
	vcpus_when_out(c->vm, &w->wait);
}

static void stopped(struct control *c, struct qmp_call *call)
{
	if (c->paused && !c->said_so) {
		c->said_so = true;
		control_event(c, "STOP", NULL);
	}
	qmp_return(call, NULL);
}

static void stop(struct qmp_call *call, void *ctx)
{
	struct control *c = ctx;

	if (!c->paused)
		vcpus_hold(c->vm);
	c->paused = true;
	when_out(c, call, stopped);
}

static void cont(struct qmp_call *call, void *ctx)
{
	struct control *c = ctx;

	if (c->paused) {
		c->paused = false;
		vcpus_release(c->vm);
	}
	if (c->said_so)
		control_event(c, "RESUME", NULL);
	c->said_so = false;
	qmp_return(call, NULL);
}

static void system_powerdown(struct qmp_call *call, void *ctx)
{
	struct control *c = ctx;
	int err = c->ops->press_power(c->machine);

	if (err == -ENODEV) {
		qmp_error(call, "DeviceNotActive", "This machine has no power button");
	} else if (err) {
		qmp_error(call, "GenericError", "The power button: %s", strerror(-err));
	} else {
		control_event(c, "POWERDOWN", NULL);
		qmp_return(call, NULL);
	}
}

static void system_reset(struct qmp_call *call, void *ctx)
{
	struct control *c = ctx;

	qmp_return(call, NULL);
	vm_end_by(c->vm, STATUS_RESET, VM_CAUSE_SYSTEM_RESET);
}

static void quit(struct qmp_call *call, void *ctx)
{
	struct control *c = ctx;

	qmp_return(call, NULL);
	vm_end_by(c->vm, STATUS_POWERED_OFF, VM_CAUSE_QUIT);
}

static void stat(struct qmp_call *call, void *ctx)
{
	qmp_return(call, report_stat(ctx));
}

static void debug_now(struct control *c, struct qmp_call *call)
{
	json_t *report = report_debug(c);

	vcpus_release(c->vm);
	qmp_return(call, report);
}

static void debug(struct qmp_call *call, void *ctx)
{
	struct control *c = ctx;

	vcpus_hold(c->vm);
	when_out(c, call, debug_now);
}

/* A number as strtoull() reads it, and nothing else. */
static bool take_address(const char *text, u64 *addr)
{
	char *end;

	errno = 0;
	*addr = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

static void walk(struct qmp_call *call, void *ctx)
{
	struct control *c = ctx;
	json_t *ssid = qmp_argument(call, "ssid"), *steps;
	const char *iova = json_string_value(qmp_argument(call, "iova")), *expected;
	struct control_walk w = {
		.iommu = json_string_value(qmp_argument(call, "iommu")),
		.sid = json_integer_value(qmp_argument(call, "sid")),
		.ssid = ssid ? json_integer_value(ssid) : CONTROL_NO_SSID,
	};

	if (!take_address(iova, &w.iova)) {
		qmp_error(call, "GenericError", "iova: expected a number such as \"0x1000\"");
		return;
	}
	steps = json_array();
	expected = c->ops->walk(c->machine, &w, steps);
	if (!expected) {
		qmp_return(call, report_walk(c, &w, steps));
		return;
	}
	json_decref(steps);
	qmp_error(call, "GenericError", "%.64s: expected %s", w.iommu, expected);
}

static void inject(struct qmp_call *call, void *ctx)
{
	struct control *c = ctx;
	const char *iommu = json_string_value(qmp_argument(call, "iommu"));
	const char *error = json_string_value(qmp_argument(call, "error"));
	const char *expected = c->ops->inject(c->machine, iommu, error);

	if (expected)
		qmp_error(call, "GenericError", "expected %s", expected);
	else
		qmp_return(call, NULL);
}

static void faults_ended(struct control_answer *a, json_t *result)
{
	struct fault_waiter *w = container_of(a, struct fault_waiter, answer);

	w->busy = false;
	if (w->call)
		qmp_return(w->call, result);
	else
		json_decref(result);
	w->call = NULL;
}

static struct fault_waiter *free_fault_waiter(struct control *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(c->faults); i++)
		if (!c->faults[i].busy)
			return &c->faults[i];
	return NULL;
}

static u32 number_or(struct qmp_call *call, const char *name, u32 other)
{
	json_t *value = qmp_argument(call, name);

	return value ? json_integer_value(value) : other;
}

static void fault(struct qmp_call *call, void *ctx)
{
	struct control *c = ctx;
	json_t *perm = qmp_argument(call, "perm");
	struct control_fault f = {
		.device = json_string_value(qmp_argument(call, "device")),
		.pasid = number_or(call, "pasid", CONTROL_NO_SSID),
		.perm = perm ? json_string_value(perm) : "r",
		.count = number_or(call, "count", 1),
		.rate = number_or(call, "rate", 0),
		.grouped = qmp_argument(call, "group"),
		.group = number_or(call, "group", 0),
		.last = json_is_true(qmp_argument(call, "last")),
	};
	struct fault_waiter *w = free_fault_waiter(c);
	const char *expected = NULL;

	if (!w)
		expected = "fewer that wait for faults of a machine that is gone";
	else if (!take_address(json_string_value(qmp_argument(call, "addr")), &f.addr))
		expected = "a number such as \"0x1000\" as addr";
	if (!expected) {
		*w = (struct fault_waiter){ { faults_ended }, true, call };
		expected = c->ops->fault(c->machine, &f, &w->answer);
	}
	if (!expected)
		return;
	if (w)
		w->busy = false;
	qmp_error(call, "GenericError", "expected %s", expected);
}

static const struct qmp_parameter walk_parameters[] = {
	{ .name = "iommu" },
	{ .name = "sid", .is_number = true },
	{ .name = "ssid", .is_number = true, .optional = true },
	{ .name = "iova" },
	{ .name = NULL },
};

static const struct qmp_parameter inject_parameters[] = {
	{ .name = "iommu" },
	{ .name = "error" },
	{ .name = NULL },
};

static const struct qmp_parameter fault_parameters[] = {
	{ .name = "device" },
	{ .name = "addr" },
	{ .name = "pasid", .is_number = true, .optional = true },
	{ .name = "perm", .optional = true },
	{ .name = "count", .is_number = true, .optional = true },
	{ .name = "rate", .is_number = true, .optional = true },
	{ .name = "group", .is_number = true, .optional = true },
	{ .name = "last", .is_flag = true, .optional = true },
	{ .name = NULL },
};

static const struct qmp_command commands[] = {
	/* QEMU's */
	{ "cont", cont, NULL },
	{ "query-commands", query_commands, NULL },
	{ "query-cpus-fast", query_cpus_fast, NULL },
	{ "query-name", query_name, NULL },
	{ "query-status", query_status, NULL },
	{ "query-version", query_version, NULL },
	{ "quit", quit, NULL },
	{ "stop", stop, NULL },
	{ "system_powerdown", system_powerdown, NULL },
	{ "system_reset", system_reset, NULL },
	/* ours */
	{ "x-nestor-debug", debug, NULL },
	{ "x-nestor-fault", fault, fault_parameters },
	{ "x-nestor-inject", inject, inject_parameters },
	{ "x-nestor-stat", stat, NULL },
	{ "x-nestor-walk", walk, walk_parameters },
};

#define FIXED "what a guest's IOMMUs and buses have is fixed at its start, so no device comes later"

static const struct qmp_left_out left_out[] = {
	{ "device_add", FIXED },
	{ NULL, NULL },
};

const struct qmp_left_out *control_left_out(void)
{
	return left_out;
}

const struct qmp_command *control_commands(size_t *nr)
{
	*nr = ARRAY_SIZE(commands);
	return commands;
}

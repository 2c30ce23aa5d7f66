// SPDX-License-Identifier: GPL-2.0-only
/* A guest's control from its name to its end: the socket, and the events of its life. */
#include "control/control.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/commands.h"
#include "control/json_log.h"
#include "control/qmp.h"
#include "control/socket.h"
#include "vmm/pause.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

void control_event(struct control *c, const char *name, json_t *data)
{
	if (c->qmp)
		qmp_event(c->qmp, name, data);
	if (c->log)
		json_log_event(c->log, name, data);
	json_decref(data);
}

int control_create(struct control **control, const char *name, struct json_log *log)
{
	struct qmp_config config = { .version = NESTOR_VERSION };
	struct control *c = calloc(1, sizeof(*c));
	int err;

	*control = c;
	if (!c)
		return -ENOMEM;
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->log = log;
	c->listener = socket_listen(name, c->path, sizeof(c->path));
	if (c->listener < 0)
		return c->listener;
	config.listener = c->listener;
	config.ctx = c;
	config.commands = control_commands(&config.nr_commands);
	config.left_out = control_left_out();
	err = qmp_create(&c->qmp, &config);
	if (!err)
		return 0;
	socket_remove(c->path);
	close(c->listener);
	c->listener = err;
	return err;
}

void control_destroy(struct control *c)
{
	if (c->qmp) {
		socket_remove(c->path); /* first: who sees a connection end finds no socket */
		close(c->listener);
		qmp_destroy(c->qmp);
	}
	free(c);
}

const char *control_path(const struct control *c)
{
	return c->path;
}

void control_attach(struct control *c, struct vm *vm, const struct control_ops *ops, void *machine)
{
	c->vm = vm;
	c->ops = ops;
	c->machine = machine;
	if (c->paused)
		vcpus_hold(vm); /* a reset does not resume */
	if (c->qmp)
		qmp_attach(c->qmp, vm->loop);
	if (!c->started)
		control_event(c, "x-nestor-START",
		              json_pack("{s:s, s:i}", "name", c->name, "pid", (int)getpid()));
	c->started = true;
}

void control_faults(struct control *c, json_t *data)
{
	control_event(c, "x-nestor-FAULTS", data);
}

/* How QEMU would say it (qapi/run-state.json, ShutdownCause). */
static const struct end {
	enum vm_cause cause;
	int status; /* -1: any */
	bool guest;
	const char *reason;
} ends[] = {
	{ VM_CAUSE_GUEST, STATUS_RESET, true, "guest-reset" },
	{ VM_CAUSE_GUEST, STATUS_PANIC, true, "guest-panic" },
	{ VM_CAUSE_GUEST, -1, true, "guest-shutdown" },
	{ VM_CAUSE_KVM, -1, false, "host-error" },
	{ VM_CAUSE_CONSOLE, -1, false, "host-ui" },
	{ VM_CAUSE_SIGNAL, -1, false, "host-signal" },
	{ VM_CAUSE_TIMEOUT, -1, false, "x-nestor-timeout" },
	{ VM_CAUSE_QUIT, -1, false, "host-qmp-quit" },
	{ VM_CAUSE_SYSTEM_RESET, -1, false, "host-qmp-system-reset" },
};

static const struct end *end_of(const struct vm *vm)
{
	static const struct end none = { .reason = "host-error" };

	for (size_t i = 0; i < ARRAY_SIZE(ends) && vm->status != VM_RUNNING; i++)
		if (ends[i].cause == vm->cause &&
		    (ends[i].status == -1 || ends[i].status == vm->status))
			return &ends[i];
	return &none;
}

static json_t *end_data(const struct control *c)
{
	const struct end *end = end_of(c->vm);

	return json_pack("{s:b, s:s}", "guest", end->guest, "reason", end->reason);
}

static void say_end(struct control *c)
{
	json_t *data = end_data(c);

	json_object_set_new(
		data, "x-nestor-status",
		json_integer(c->vm->status == VM_RUNNING ? STATUS_HOST : c->vm->status));
	for (unsigned int i = 0; i < c->vm->nr_vcpus; i++)
		if (*c->vm->vcpus[i].failure)
			json_object_set_new(data, "x-nestor-failure",
			                    json_string(c->vm->vcpus[i].failure));
	control_event(c, "SHUTDOWN", data);
}

/* As QEMU has it (qapi/run-state.json). */
void control_crash_loaded(struct control *c)
{
	control_event(c, "GUEST_CRASHLOADED", json_pack("{s:s}", "action", "run"));
}

void control_detach(struct control *c, bool reboots)
{
	if (c->vm->status == STATUS_PANIC)
		control_event(c, "GUEST_PANICKED", json_pack("{s:s}", "action", "poweroff"));
	if (reboots)
		control_event(c, "RESET", end_data(c));
	else
		say_end(c);
	memset(c->waiters, 0, sizeof(c->waiters));
	for (size_t i = 0; i < ARRAY_SIZE(c->faults); i++)
		c->faults[i].call = NULL;
	if (c->qmp)
		qmp_detach(c->qmp);
	c->vm = NULL;
}

void control_exit(struct control *c, int status)
{
	json_t *data = json_pack("{s:i}", "status", status);

	if (c->log)
		json_log_event(c->log, "x-nestor-EXIT", data);
	json_decref(data);
}

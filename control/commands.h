/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CONTROL_COMMANDS_H
#define CONTROL_COMMANDS_H

#include <limits.h>

#include "control/control.h"
#include "control/qmp.h"
#include "control/socket.h"
#include "vmm/pause.h"

/* A command that answers when the vCPUs are out of the guest. */
struct waiter {
	struct pause_wait wait;
	struct control *control;
	struct qmp_call *call; /* NULL: free */
	void (*out)(struct control *c, struct qmp_call *call);
};

/* A command that answers when faults have ended. */
struct fault_waiter {
	struct control_answer answer;
	bool busy;
	struct qmp_call *call; /* NULL: nobody waits any more */
};

struct control {
	char name[SOCKET_NAME_MAX + 1];
	char path[PATH_MAX];
	int listener;
	struct qmp_server *qmp; /* NULL: there is no socket */
	struct json_log *log;   /* NULL: none */
	bool started;
	bool paused;   /* by `stop`; holds the vCPUs */
	bool said_so;  /* by a STOP event */
	struct vm *vm; /* NULL: none runs */
	const struct control_ops *ops;
	void *machine;
	struct waiter waiters[QMP_MAX_CLIENTS];
	struct fault_waiter faults[QMP_MAX_CLIENTS];
};

const struct qmp_command *control_commands(size_t *nr);
const struct qmp_left_out *control_left_out(void);

/* To the clients and the log. @data, which may be NULL, is taken. */
void control_event(struct control *c, const char *name, json_t *data);

/* report.c: what x-nestor-stat and x-nestor-debug return (docs/json/). */
json_t *report_stat(struct control *c);
json_t *report_debug(struct control *c);
/* What x-nestor-walk does; @steps is taken. */
json_t *report_walk(struct control *c, const struct control_walk *w, json_t *steps);

#endif

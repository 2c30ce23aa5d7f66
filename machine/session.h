/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_SESSION_H
#define MACHINE_SESSION_H

#include "control/json_log.h"

struct control;
struct options;

/* What one `nestor run` has over all reboots of its guest: its name and socket, its log. */
struct session {
	struct control *control; /* NULL: not open */
	struct json_log log;
	bool logging;
	bool io_lost; /* by any machine: page faults without an answer, events without room */
	bool begun;   /* until then, what is in the log may be another guest's */
};

/* Once; later calls find it open. An exit code: 0, or the one of what was said in one line. */
int session_open(struct session *s, const struct options *o);
/* The guest will run: its log begins. Once. */
void session_begin(struct session *s);
/* @status: what the process is about to exit with. */
void session_close(struct session *s, int status);

#endif

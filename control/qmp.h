/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CONTROL_QMP_H
#define CONTROL_QMP_H

#include <jansson.h>

#include "vmm/loop.h"

/*
 * A QMP server (QEMU's docs/interop/qmp-spec.rst) on the event loop: framing,
 * negotiation, dispatch, events. What the commands are, it does not know.
 * It lives longer than a loop: connections stay over a reboot. Everything is
 * called under the device lock, or where no other thread is.
 *
 * A client can be wrong in any way, or hostile: what it sends is bounded by
 * QMP_MAX_INPUT for one command, what it does not read by QMP_MAX_OUTPUT, and
 * then it is dropped; while it owes reading, its commands wait.
 */
#define QMP_MAX_CLIENTS 8
#define QMP_MAX_INPUT   (64u << 10) /* bytes of one command */
#define QMP_MAX_OUTPUT  (4u << 20)  /* bytes not read yet */
#define QMP_HIGH_WATER  (64u << 10) /* bytes not read yet at which no command is taken */

struct qmp_server;
struct qmp_call;

/* A row a command. It ends in qmp_return() or qmp_error(), now or later; a client has one at a
 * time. */
struct qmp_command {
	const char *name;
	void (*run)(struct qmp_call *call, void *ctx);
	const struct qmp_parameter *parameters; /* the last one's name is NULL; NULL: it has none */
};

/* What a command takes; the server has checked it when it runs. */
struct qmp_parameter {
	const char *name;
	bool is_number; /* from 0 to 2^32 - 1 */
	bool is_flag;   /* true or false; neither: a string */
	bool optional;
};

/* A command of QEMU's that is not there on purpose; who asks for it is told why. */
struct qmp_left_out {
	const char *name, *why;
};

struct qmp_config {
	const struct qmp_command *commands;
	size_t nr_commands;
	const struct qmp_left_out *left_out; /* the last one's name is NULL; NULL: none */
	void *ctx;                           /* each command's */
	const char *version;                 /* "MAJOR.MINOR" */
	int listener;                        /* its owner's; -1: none */
};

/* 0 or -ENOMEM. */
int qmp_create(struct qmp_server **s, const struct qmp_config *c);
/* Detached. Clients are hung up on. */
void qmp_destroy(struct qmp_server *s);

/* Serves on this loop. */
void qmp_attach(struct qmp_server *s, struct loop *loop);
/* After loop_drain: what had no answer gets an error; what can be sent without waiting is sent. */
void qmp_detach(struct qmp_server *s);

/* One more client, on a socket that is the server's from now on. False: there are too many. */
bool qmp_add(struct qmp_server *s, int fd);

/* While the command runs: one of its arguments, or NULL. */
json_t *qmp_argument(const struct qmp_call *call, const char *name);

/* Ends a call; @value, which may be NULL for {}, is the server's from now on. */
void qmp_return(struct qmp_call *call, json_t *value);
/* @class: GenericError, CommandNotFound, DeviceNotActive. */
__attribute__((format(printf, 3, 4))) void qmp_error(struct qmp_call *call, const char *class,
                                                     const char *fmt, ...);
/* To each client that has negotiated. @data, which may be NULL, stays the caller's. */
void qmp_event(struct qmp_server *s, const char *name, json_t *data);

/* The answers of query-version, which the greeting has as well, and query-commands. */
json_t *qmp_version(const struct qmp_server *s);
json_t *qmp_commands(const struct qmp_server *s);

#endif

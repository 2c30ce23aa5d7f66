/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CONTROL_PRIVATE_H
#define CONTROL_PRIVATE_H

#include "control/framing.h"
#include "control/qmp.h"

/* A command from its message to its answer. */
struct qmp_call {
	json_t *id;        /* NULL: none was given */
	json_t *arguments; /* the message's, until the command has run; may be NULL */
	bool busy;
};

struct buffer {
	char *bytes;
	size_t at, nr, size; /* done with, filled, allocated */
};

/* One connection. Its slot is free when fd is -1. */
struct qmp_client {
	struct qmp_server *server;
	int fd;
	bool negotiated;
	bool reading, writing; /* an operation is in flight */
	bool going_on;         /* qmp_client_go_on() runs */
	bool leaving;          /* hung up on when it has read what there is */
	bool gone;             /* hung up on; its operations are about to end */
	struct qmp_call call;
	struct loop_op read_op, write_op;
	struct framing framing;
	struct buffer message;
	struct buffer out, flying; /* to be sent; being sent, so that it does not move */
	size_t chunk_at, chunk_nr;
	char chunk[4096]; /* read, and not yet taken */
};

struct qmp_server {
	struct qmp_config config;
	struct loop *loop; /* NULL: detached */
	struct loop_op accept_op, retry_op;
	struct __kernel_timespec retry;
	struct qmp_client clients[QMP_MAX_CLIENTS];
};

/* qmp.c: a whole message of a client's. */
void qmp_message(struct qmp_client *c, const char *text, size_t len);

/* connection.c: the client's bytes. */
void qmp_client_begin(struct qmp_client *c, int fd);
/* Queues a line for it, or drops a client that does not read. */
void qmp_client_say(struct qmp_client *c, json_t *value);
/* Takes what it has sent as far as it may, reads and writes on; frees the slot of one that has
 * left. */
void qmp_client_go_on(struct qmp_client *c);
/* Detached: sends what can be sent without waiting. */
void qmp_client_flush(struct qmp_client *c);
/* Detached: hangs up and frees the slot. */
void qmp_client_end(struct qmp_client *c);

#endif

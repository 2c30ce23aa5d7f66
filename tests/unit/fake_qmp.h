/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_QMP_H
#define TESTS_UNIT_FAKE_QMP_H

#include "control/qmp.h"

/*
 * A QMP server over socket pairs, its loop in a thread of its own. Its commands:
 * ping; fail, which does; wait, until answer(); big, with 100000 bytes; echo, of
 * its text and, if there is one, number.
 */
#define NEGOTIATE "{\"execute\": \"qmp_capabilities\"}"
#define PING      "{\"execute\":\"ping\"}"

extern struct loop *qmp_loop;
extern struct qmp_server *server;
extern unsigned int runs; /* of ping and big */
extern char received[8192];

/* The suites' .init and .fini; and a loop alone. */
void qmp_make(void);
void qmp_unmake(void);
void qmp_start(void);
void qmp_stop(void);

/* Waits until the server has done all it can without another byte from the test. */
void settle(void);
void event(const char *name, json_t *data);
void answer(void);

/* A client's end of a connection; -1: there are too many. A friend has negotiated. */
int client(void);
int friend(void);
void say(int fd, const char *text);
/* What has come, in received, less the line end; "" for nothing, "EOF" for the end. */
const char *hear(int fd);
bool has(const char *text);

#endif

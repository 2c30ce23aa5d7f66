/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CONTROL_JSON_LOG_H
#define CONTROL_JSON_LOG_H

#include <jansson.h>

#include "vmm/log.h"

/*
 * --log-json: a JSON object a line (docs/json/log.json), appended by one write
 * each, so that any thread may call, and a reader may follow the file.
 */
struct json_log {
	struct log_sink sink; /* trace lines */
	int fd;
};

/* Created if it is not there, and as it is so far. 0 or -errno; -ENXIO: a pipe
 * that nobody reads. */
int json_log_open(struct json_log *log, const char *path);
/* Begun afresh. */
void json_log_begin(struct json_log *log);
void json_log_close(struct json_log *log);

/* Something happened to the guest. @data, which may be NULL, stays the caller's. */
void json_log_event(struct json_log *log, const char *name, json_t *data);

#endif

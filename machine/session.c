// SPDX-License-Identifier: GPL-2.0-only
/* --name and --log-json: a guest's control socket and its log. */
#include "machine/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/control.h"
#include "control/socket.h"
#include "machine/options.h"
#include "machine/status.h"
#include "vmm/log.h"

static int open_log(struct session *s, const char *path)
{
	int err = path ? json_log_open(&s->log, path) : 0;

	s->logging = path && !err;
	if (!err)
		return 0;
	log_error("--log-json %s: %s: expected a file to write", path, strerror(-err));
	return STATUS_USAGE;
}

/* A guest that nobody named runs without a socket where there can be none; and says so. */
static int socket_failed(const struct session *s, const struct options *o, int err)
{
	if (!o->name) {
		log_error("no control of this guest: %s: %s", control_path(s->control),
		          strerror(-err));
		return 0;
	}
	if (err == -EADDRINUSE) {
		log_error("--name %s: in use: expected a name that no running guest has", o->name);
		return STATUS_USAGE;
	}
	log_error("--name %s: %s: %s", o->name, control_path(s->control), strerror(-err));
	return STATUS_HOST_FAILED;
}

static void forget(struct session *s)
{
	control_destroy(s->control);
	s->control = NULL;
	if (s->logging)
		json_log_close(&s->log);
	s->logging = false;
}

int session_open(struct session *s, const struct options *o)
{
	char name[SOCKET_NAME_MAX + 1];
	int err, status;

	if (s->control)
		return 0;
	status = open_log(s, o->log_json);
	if (status)
		return status;
	snprintf(name, sizeof(name), "guest-%d", getpid());
	err = control_create(&s->control, o->name ? o->name : name, s->logging ? &s->log : NULL);
	if (!s->control) {
		log_error("cannot control the guest: %s", strerror(-err));
		return STATUS_HOST_FAILED;
	}
	status = err ? socket_failed(s, o, err) : 0;
	if (status)
		forget(s);
	return status;
}

void session_begin(struct session *s)
{
	if (s->logging && !s->begun)
		json_log_begin(&s->log);
	s->begun = true;
}

void session_close(struct session *s, int status)
{
	if (s->control) {
		if (s->begun)
			control_exit(s->control, status);
		control_destroy(s->control);
	}
	if (s->logging)
		json_log_close(&s->log);
}

// SPDX-License-Identifier: GPL-2.0-only
/* A QMP client that waits. */
#include "control/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "control/socket.h"

/* NULL: it hung up, or has been silent for too long, or does not speak JSON (in *err). */
static json_t *receive(struct peer *p, int *err)
{
	json_error_t why;
	json_t *message;

	errno = 0;
	message = json_loadf(p->file, JSON_DISABLE_EOF_CHECK, &why);
	if (message)
		return message;
	*err = errno == EAGAIN   ? -EAGAIN
	       : ferror(p->file) ? -ECONNRESET
	       : feof(p->file)   ? -ECONNRESET
	                         : -EPROTO;
	return NULL;
}

static int take_pid(struct peer *p, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return -errno;
	p->pid = cred.pid;
	return 0;
}

static int greet(struct peer *p)
{
	int err = 0;
	json_t *greeting = receive(p, &err), *answer;

	if (!greeting)
		return err;
	err = json_object_get(greeting, "QMP") ? peer_ask(p, "qmp_capabilities", &answer) : -EPROTO;
	json_decref(greeting);
	if (!err || err == -EREMOTEIO)
		json_decref(answer);
	return err;
}

int peer_open(struct peer *p, const char *name, unsigned int seconds)
{
	struct timeval limit = { .tv_sec = seconds };
	int err, fd = socket_connect(name);

	if (fd < 0)
		return fd;
	fcntl(fd, F_SETFL, 0); /* no longer O_NONBLOCK */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	err = take_pid(p, fd);
	p->file = err ? NULL : fdopen(fd, "r");
	if (!p->file) {
		close(fd);
		return err ? err : -ENOMEM;
	}
	err = greet(p);
	if (err)
		peer_close(p);
	return err;
}

void peer_close(struct peer *p)
{
	fclose(p->file);
}

/* Takes the answer out of a message. False: it is an event. */
static bool is_answer(json_t *message, json_t **answer, int *err)
{
	json_t *value = json_object_get(message, "return");

	*err = value ? 0 : -EREMOTEIO;
	if (!value)
		value = json_object_get(message, "error");
	*answer = json_incref(value);
	return value;
}

int peer_ask(struct peer *p, const char *command, json_t **answer)
{
	char line[128];
	int err = 0, len;
	json_t *message;
	bool answered;

	len = snprintf(line, sizeof(line), "{\"execute\": \"%s\"}\n", command);
	if (send(fileno(p->file), line, len, MSG_NOSIGNAL) != len)
		return errno == EAGAIN ? -EAGAIN : -ECONNRESET;
	do {
		message = receive(p, &err);
		if (!message)
			return err;
		answered = is_answer(message, answer, &err);
		json_decref(message);
	} while (!answered);
	return err;
}

int peer_wait(struct peer *p)
{
	int err = 0;
	json_t *message;

	while ((message = receive(p, &err)))
		json_decref(message);
	return err == -EAGAIN ? err : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* A QMP client that waits. */
#include "control/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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

/* A read with a time limit ends for any signal, SIGCONT among them, that has a handler or not
 * (signal(7), "Interruption of system calls"). It begins anew then, as does its time. */
static ssize_t listen_to(void *peer, char *bytes, size_t len)
{
	const struct peer *p = peer;
	ssize_t n;

	do
		n = recv(p->fd, bytes, len, 0);
	while (n < 0 && errno == EINTR);
	return n;
}

static int hang_up(void *peer)
{
	return close(((struct peer *)peer)->fd);
}

static int open_once(struct peer *p, const char *name, unsigned int seconds)
{
	static const cookie_io_functions_t functions = { .read = listen_to, .close = hang_up };
	struct timeval limit = { .tv_sec = seconds };
	int err, fd = socket_connect(name);

	if (fd < 0)
		return fd;
	fcntl(fd, F_SETFL, 0); /* no longer O_NONBLOCK */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	err = take_pid(p, fd);
	p->fd = fd;
	p->file = err ? NULL : fopencookie(p, "r", functions);
	if (!p->file) {
		close(fd);
		return err ? err : -ENOMEM;
	}
	err = greet(p);
	if (err)
		peer_close(p);
	return err;
}

/*
 * Whoever was killed may listen on for a moment: its sockets go when the ring
 * of io_uring that waits on them has been undone, which is after its parent has
 * been told. Whom it never accepted is hung up on, and is refused from then on.
 */
int peer_open(struct peer *p, const char *name, unsigned int seconds)
{
	int err = open_once(p, name, seconds);

	return err == -ECONNRESET ? open_once(p, name, seconds) : err;
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

static int put(struct peer *p, const char *text)
{
	const ssize_t len = strlen(text);
	ssize_t n;

	do
		n = send(p->fd, text, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n == len)
		return 0;
	return errno == EAGAIN ? -EAGAIN : -ECONNRESET;
}

/* A line. */
static int put_question(struct peer *p, const char *command, json_t *arguments)
{
	json_t *question = json_pack("{s:s}", "execute", command);
	char *text;
	int err;

	if (arguments)
		json_object_set(question, "arguments", arguments);
	text = json_dumps(question, 0);
	json_decref(question);
	if (!text)
		return -ENOMEM;
	err = put(p, text);
	free(text);
	return err ? err : put(p, "\n");
}

int peer_ask(struct peer *p, const char *command, json_t **answer)
{
	return peer_ask_with(p, command, NULL, answer);
}

int peer_ask_with(struct peer *p, const char *command, json_t *arguments, json_t **answer)
{
	int err = put_question(p, command, arguments);
	json_t *message;
	bool answered;

	if (err)
		return err;
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

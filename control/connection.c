// SPDX-License-Identifier: GPL-2.0-only
/* A QMP client's connection: bytes in and out, each of them bounded. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/private.h"

static bool append(struct buffer *b, const char *bytes, size_t len)
{
	if (b->size - b->nr < len) {
		size_t size = b->size ? b->size : 256;
		char *more;

		while (size - b->nr < len)
			size *= 2;
		more = realloc(b->bytes, size);
		if (!more)
			return false;
		b->bytes = more;
		b->size = size;
	}
	memcpy(b->bytes + b->nr, bytes, len);
	b->nr += len;
	return true;
}

static void discard(struct buffer *b)
{
	free(b->bytes);
	*b = (struct buffer){ 0 };
}

static size_t unsent(const struct qmp_client *c)
{
	return (c->out.nr - c->out.at) + (c->flying.nr - c->flying.at);
}

/* What is in flight ends at once, one way or another; then the slot is free. */
static void hang_up(struct qmp_client *c)
{
	c->gone = true;
	shutdown(c->fd, SHUT_RDWR);
	discard(&c->out);
}

void qmp_client_say(struct qmp_client *c, json_t *value)
{
	char *text;

	if (c->gone)
		return;
	text = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII);
	if (!text || unsent(c) + strlen(text) > QMP_MAX_OUTPUT ||
	    !append(&c->out, text, strlen(text)) || !append(&c->out, "\r\n", 2))
		hang_up(c);
	free(text);
	qmp_client_go_on(c);
}

static void start_write(struct qmp_client *c)
{
	struct buffer *f = &c->flying;

	if (c->writing || c->gone || !c->server->loop)
		return;
	if (f->at == f->nr) {
		discard(f);
		*f = c->out;
		c->out = (struct buffer){ 0 };
	}
	if (f->at == f->nr)
		return;
	c->writing = true;
	loop_send(c->server->loop, &c->write_op, c->fd, f->bytes + f->at, f->nr - f->at);
}

static void written(struct loop_op *op, int res)
{
	struct qmp_client *c = container_of(op, struct qmp_client, write_op);

	c->writing = false;
	if (res > 0)
		c->flying.at += res;
	else if (res != -EINTR && res != -EAGAIN && res != -ECANCELED)
		hang_up(c);
	if (res != -ECANCELED)
		qmp_client_go_on(c);
}

static void start_read(struct qmp_client *c)
{
	if (c->reading || c->gone || c->leaving || !c->server->loop || c->chunk_at < c->chunk_nr)
		return;
	c->reading = true;
	loop_read(c->server->loop, &c->read_op, c->fd, c->chunk, sizeof(c->chunk));
}

static void has_read(struct loop_op *op, int res)
{
	struct qmp_client *c = container_of(op, struct qmp_client, read_op);

	c->reading = false;
	if (res == -ECANCELED)
		return;
	c->chunk_at = 0;
	c->chunk_nr = res > 0 ? res : 0;
	if (!res)
		c->leaving = true; /* it may still read */
	else if (res < 0 && res != -EINTR && res != -EAGAIN)
		hang_up(c);
	qmp_client_go_on(c);
}

/* A command without an end: what it would be is not known any more. */
static void too_long(struct qmp_client *c)
{
	discard(&c->message);
	c->leaving = true;
	c->chunk_at = c->chunk_nr;
	c->call.busy = true;
	qmp_error(&c->call, "GenericError", "A command is at most %u bytes", QMP_MAX_INPUT);
}

static void take_byte(struct qmp_client *c, char byte)
{
	struct buffer *m = &c->message, whole;

	if (m->nr == QMP_MAX_INPUT || !append(m, &byte, 1)) {
		too_long(c);
		return;
	}
	if (!framing_byte(&c->framing, byte)) {
		if (!c->framing.nonempty)
			m->nr = 0;
		return;
	}
	whole = *m;
	*m = (struct buffer){ 0 };
	qmp_message(c, whole.bytes, whole.nr);
	discard(&whole);
}

static bool may_take(const struct qmp_client *c)
{
	return c->chunk_at < c->chunk_nr && !c->call.busy && !c->gone &&
	       unsent(c) < QMP_HIGH_WATER && c->server->loop;
}

static void release(struct qmp_client *c)
{
	close(c->fd);
	discard(&c->message);
	discard(&c->out);
	discard(&c->flying);
	c->fd = -1;
}

void qmp_client_go_on(struct qmp_client *c)
{
	if (c->going_on)
		return; /* an answer that was given at once: its caller goes on */
	c->going_on = true;
	while (may_take(c))
		take_byte(c, c->chunk[c->chunk_at++]);
	start_read(c);
	start_write(c);
	if (c->leaving && !c->gone && !c->call.busy && c->chunk_at == c->chunk_nr && !unsent(c))
		hang_up(c);
	c->going_on = false;
	if (c->gone && !c->reading && !c->writing && !c->call.busy)
		release(c);
}

void qmp_client_begin(struct qmp_client *c, int fd)
{
	*c = (struct qmp_client){
		.server = c->server,
		.fd = fd,
		.read_op = { .done = has_read, .endless = true },
		.write_op = { .done = written, .endless = true },
	};
}

void qmp_client_flush(struct qmp_client *c)
{
	struct buffer *const parts[] = { &c->flying, &c->out };

	for (size_t i = 0; i < ARRAY_SIZE(parts) && !c->gone; i++) {
		struct buffer *b = parts[i];

		while (b->at < b->nr) {
			ssize_t n = send(c->fd, b->bytes + b->at, b->nr - b->at,
			                 MSG_DONTWAIT | MSG_NOSIGNAL);

			if (n <= 0)
				return;
			b->at += n;
		}
		discard(b);
	}
	qmp_client_go_on(c);
}

void qmp_client_end(struct qmp_client *c)
{
	hang_up(c);
	release(c);
}

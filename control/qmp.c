// SPDX-License-Identifier: GPL-2.0-only
/* QMP: negotiation, dispatch and events (QEMU's docs/interop/qmp-spec.rst); a client's bytes
 * are connection.c's. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/private.h"

#define RETRY_SECONDS 1

json_t *qmp_version(const struct qmp_server *s)
{
	int major = 0, minor = 0;

	sscanf(s->config.version, "%d.%d", &major, &minor);
	return json_pack("{s:{s:i, s:i, s:i}, s:s+}", "qemu", "major", major, "minor", minor,
	                 "micro", 0, "package", "nestor-", s->config.version);
}

json_t *qmp_commands(const struct qmp_server *s)
{
	json_t *list = json_pack("[{s:s}]", "name", "qmp_capabilities");

	for (size_t i = 0; i < s->config.nr_commands; i++)
		json_array_append_new(list, json_pack("{s:s}", "name", s->config.commands[i].name));
	return list;
}

/* A call is over: its id goes back with the answer, and the client's next one begins. */
static void end_call(struct qmp_call *call, const char *kind, json_t *value)
{
	struct qmp_client *c = container_of(call, struct qmp_client, call);
	json_t *answer = json_object();

	json_object_set_new(answer, kind, value);
	if (call->id)
		json_object_set_new(answer, "id", call->id);
	call->id = NULL;
	call->arguments = NULL;
	call->busy = false;
	qmp_client_say(c, answer);
	json_decref(answer);
	qmp_client_go_on(c);
}

void qmp_return(struct qmp_call *call, json_t *value)
{
	end_call(call, "return", value ? value : json_object());
}

static size_t utf8_length(u8 lead)
{
	return lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
}

/* What a precision or the buffer cut in the middle of a character would be no JSON string. */
static void mend_utf8(char *text)
{
	while (*text) {
		size_t len = utf8_length(*text), n = 1;

		while (n < len && (text[n] & 0xc0) == 0x80)
			n++;
		if (n != len)
			memset(text, '?', n);
		text += n;
	}
}

void qmp_error(struct qmp_call *call, const char *class, const char *fmt, ...)
{
	char desc[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(desc, sizeof(desc), fmt, args);
	va_end(args);
	mend_utf8(desc);
	end_call(call, "error", json_pack("{s:s, s:s}", "class", class, "desc", desc));
}

json_t *qmp_argument(const struct qmp_call *call, const char *name)
{
	return json_object_get(call->arguments, name);
}

static bool is_of_type(const struct qmp_parameter *p, const json_t *value)
{
	if (p->is_number)
		return json_is_integer(value);
	return p->is_flag ? json_is_boolean(value) : json_is_string(value);
}

/* Whether all that @command needs is there, as it has to be. */
static bool has_arguments(struct qmp_call *call, const struct qmp_command *command)
{
	for (const struct qmp_parameter *p = command->parameters; p && p->name; p++) {
		json_t *value = qmp_argument(call, p->name);
		const json_int_t number = json_integer_value(value);

		if (!value && !p->optional)
			qmp_error(call, "GenericError", "Parameter '%s' is missing", p->name);
		else if (value && !is_of_type(p, value))
			qmp_error(call, "GenericError",
			          "Invalid parameter type for '%s', expected: %s", p->name,
			          p->is_number ? "integer"
			          : p->is_flag ? "boolean"
			                       : "string");
		else if (p->is_number && (number < 0 || number > ~0u))
			qmp_error(call, "GenericError", "Parameter '%s' expects uint32_t", p->name);
		else
			continue;
		return false;
	}
	return true;
}

/* The first argument that @command does not take; NULL: none. */
static const char *unexpected(json_t *arguments, const struct qmp_command *command)
{
	const char *key;
	json_t *value;

	json_object_foreach(arguments, key, value)
	{
		const struct qmp_parameter *p = command ? command->parameters : NULL;

		while (p && p->name && strcmp(p->name, key))
			p++;
		if (!p || !p->name)
			return key;
	}
	return NULL;
}

static const struct qmp_command *find_command(const struct qmp_config *config, const char *name)
{
	for (size_t i = 0; i < config->nr_commands; i++)
		if (!strcmp(config->commands[i].name, name))
			return &config->commands[i];
	return NULL;
}

/* NULL: nobody has left it out. */
static const char *why_left_out(const struct qmp_config *config, const char *name)
{
	const struct qmp_left_out *l = config->left_out;

	while (l && l->name && strcmp(l->name, name))
		l++;
	return l ? l->why : NULL;
}

static void run_command(struct qmp_client *c, const char *name, json_t *arguments)
{
	const struct qmp_command *command = find_command(&c->server->config, name);
	const char *wrong = unexpected(arguments, command);
	const char *left_out = why_left_out(&c->server->config, name);

	if (left_out) {
		qmp_error(&c->call, "CommandNotFound", "The command %.64s is left out: %s", name,
		          left_out);
	} else if (wrong) {
		qmp_error(&c->call, "GenericError", "Parameter '%.64s' is unexpected", wrong);
	} else if (!command) {
		qmp_error(&c->call, "CommandNotFound", "The command %.64s has not been found",
		          name);
	} else {
		c->call.arguments = arguments;
		if (has_arguments(&c->call, command))
			command->run(&c->call, c->server->config.ctx);
	}
}

/* No capability is offered, so none can be enabled. */
static void negotiate(struct qmp_client *c, json_t *arguments)
{
	if (json_array_size(json_object_get(arguments, "enable"))) {
		qmp_error(&c->call, "GenericError", "Capability is not available");
		return;
	}
	c->negotiated = true;
	qmp_return(&c->call, NULL);
}

static void execute(struct qmp_client *c, const char *name, json_t *arguments)
{
	if (!c->negotiated && !strcmp(name, "qmp_capabilities"))
		negotiate(c, arguments);
	else if (!c->negotiated)
		qmp_error(&c->call, "CommandNotFound",
		          "Expecting capabilities negotiation with 'qmp_capabilities'");
	else if (!strcmp(name, "qmp_capabilities"))
		qmp_error(&c->call, "CommandNotFound", "Capabilities are negotiated already");
	else
		run_command(c, name, arguments);
}

/* What is wrong with a message, in QEMU's words; NULL: nothing is. */
static const char *check(json_t *message)
{
	static const char *const known[] = { "execute", "arguments", "id" };
	json_t *arguments = json_object_get(message, "arguments"), *value;
	const char *key;

	if (!message)
		return "JSON parse error";
	if (!json_is_object(message))
		return "QMP input must be a JSON object";
	json_object_foreach(message, key, value)
	{
		size_t i = 0;

		while (i < ARRAY_SIZE(known) && strcmp(known[i], key))
			i++;
		if (i == ARRAY_SIZE(known))
			return "QMP input has an unexpected member";
	}
	if (!json_is_string(json_object_get(message, "execute")))
		return "QMP input lacks a string member 'execute'";
	if (arguments && !json_is_object(arguments))
		return "QMP input member 'arguments' must be an object";
	return NULL;
}

void qmp_message(struct qmp_client *c, const char *text, size_t len)
{
	json_t *message = json_loadb(text, len, JSON_DECODE_ANY, NULL);
	const char *wrong = check(message);

	c->call.busy = true;
	c->call.id = json_incref(json_object_get(message, "id"));
	if (wrong)
		qmp_error(&c->call, "GenericError", "%s", wrong);
	else
		execute(c, json_string_value(json_object_get(message, "execute")),
		        json_object_get(message, "arguments"));
	json_decref(message);
}

void qmp_event(struct qmp_server *s, const char *name, json_t *data)
{
	struct timespec now;
	json_t *event;

	clock_gettime(CLOCK_REALTIME, &now);
	event = json_pack("{s:s, s:{s:I, s:I}}", "event", name, "timestamp", "seconds",
	                  (json_int_t)now.tv_sec, "microseconds", (json_int_t)now.tv_nsec / 1000);
	if (data)
		json_object_set(event, "data", data);
	for (size_t i = 0; i < QMP_MAX_CLIENTS; i++)
		if (s->clients[i].fd >= 0 && s->clients[i].negotiated)
			qmp_client_say(&s->clients[i], event);
	json_decref(event);
}

bool qmp_add(struct qmp_server *s, int fd)
{
	for (size_t i = 0; i < QMP_MAX_CLIENTS; i++) {
		struct qmp_client *c = &s->clients[i];
		json_t *greeting;

		if (c->fd >= 0)
			continue;
		qmp_client_begin(c, fd);
		greeting = json_pack("{s:{s:o, s:[]}}", "QMP", "version", qmp_version(s),
		                     "capabilities");
		qmp_client_say(c, greeting);
		json_decref(greeting);
		qmp_client_go_on(c);
		return true;
	}
	close(fd);
	return false;
}

static void accepted(struct loop_op *op, int res)
{
	struct qmp_server *s = container_of(op, struct qmp_server, accept_op);

	if (res >= 0)
		qmp_add(s, res);
	if (res == -EMFILE || res == -ENFILE || res == -ENOMEM || res == -ENOBUFS) {
		s->retry = (struct __kernel_timespec){ .tv_sec = RETRY_SECONDS };
		loop_timeout(s->loop, &s->retry_op, &s->retry);
	} else if (res != -ECANCELED) {
		loop_accept(s->loop, &s->accept_op, s->config.listener);
	}
}

static void retry(struct loop_op *op, int res)
{
	struct qmp_server *s = container_of(op, struct qmp_server, retry_op);

	if (res == -ETIME)
		loop_accept(s->loop, &s->accept_op, s->config.listener);
}

void qmp_attach(struct qmp_server *s, struct loop *loop)
{
	s->loop = loop;
	if (s->config.listener >= 0)
		loop_accept(loop, &s->accept_op, s->config.listener);
	for (size_t i = 0; i < QMP_MAX_CLIENTS; i++)
		if (s->clients[i].fd >= 0)
			qmp_client_go_on(&s->clients[i]);
}

void qmp_detach(struct qmp_server *s)
{
	s->loop = NULL;
	for (size_t i = 0; i < QMP_MAX_CLIENTS; i++) {
		struct qmp_client *c = &s->clients[i];

		c->reading = c->writing = false; /* also what the loop dropped as it drained */
		if (c->fd >= 0 && c->call.busy)
			qmp_error(&c->call, "GenericError", "The guest has ended or was reset");
		if (c->fd >= 0)
			qmp_client_flush(c);
	}
}

int qmp_create(struct qmp_server **server, const struct qmp_config *config)
{
	struct qmp_server *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->config = *config;
	s->accept_op = (struct loop_op){ .done = accepted, .endless = true };
	s->retry_op = (struct loop_op){ .done = retry, .endless = true };
	for (size_t i = 0; i < QMP_MAX_CLIENTS; i++)
		s->clients[i] = (struct qmp_client){ .server = s, .fd = -1 };
	*server = s;
	return 0;
}

void qmp_destroy(struct qmp_server *s)
{
	for (size_t i = 0; i < QMP_MAX_CLIENTS; i++)
		if (s->clients[i].fd >= 0)
			qmp_client_end(&s->clients[i]);
	free(s);
}

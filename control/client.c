// SPDX-License-Identifier: GPL-2.0-only
/* The subcommands for running guests. */
#include "control/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/lkvm.h"
#include "control/peer.h"
#include "control/print.h"
#include "control/socket.h"
#include "vmm/log.h"

enum { DONE = 0, FAILED = 1, USAGE = 2 };

#define PATIENCE       10   /* seconds until Nestor that does not answer is given up */
#define GUEST_PATIENCE 3600 /* and where it waits for its guest */

struct client {
	const struct action *action;
	const char *name; /* NULL: not given */
	bool all, json;
	char (*names)[SOCKET_NAME_MAX + 1]; /* who runs */
	size_t nr;
	json_t *results;   /* list: with --json */
	const char *word;  /* NULL: not given */
	json_t *arguments; /* of the action's values; NULL: none was given */
};

/* An option whose value the guest is asked with; of the word, what it is called. */
enum value_kind { WORD, TEXT, NUMBER, ADDRESS, FLAG };
struct value {
	const char *name; /* NULL: the last one */
	enum value_kind kind;
	bool optional;
};

/* A row a subcommand: what it asks of a guest, and what becomes of the answer. */
struct action {
	const char *name;
	const char *command;
	bool takes_name, prints;
	bool asks_guest; /* the answer is its, and can take long */
	/* NULL: nothing more. 0 or -errno. */
	int (*then)(struct client *c, struct peer *p, const char *name, json_t *answer);
	/* NULL: none; else what is asked with them, and how they are written. */
	const struct value *values;
	const char *with, *usage;
};

static bool take_name(struct client *c, const char *name)
{
	if (!c->action->takes_name || c->name) {
		log_error("%s: %s: expected %s", c->action->name, name,
		          c->name ? "one name" : "no name");
		return false;
	}
	if (!socket_name_ok(name)) {
		log_error("%s: %s: expected a name of 1 to 64 of A-Z a-z 0-9 . _ -",
		          c->action->name, name);
		return false;
	}
	c->name = name;
	return true;
}

static const struct value *find_value(const struct action *a, const char *name, size_t len)
{
	for (const struct value *v = a->values; v && v->name; v++)
		if (v->kind != WORD && strlen(v->name) == len && !strncmp(v->name, name, len))
			return v;
	return NULL;
}

/* A SubstreamID, a StreamID; an address goes as text, since it may be beyond JSON's integers. */
static json_t *number(const struct value *v, const char *text)
{
	char hex[24], *end;
	u64 val;

	errno = 0;
	val = strtoull(text, &end, 0);
	if (*text < '0' || *text > '9' || *end || errno || (v->kind == NUMBER && val > ~0u))
		return NULL;
	snprintf(hex, sizeof(hex), "0x%llx", (unsigned long long)val);
	return v->kind == NUMBER ? json_integer(val) : json_string(hex);
}

static bool take_value(struct client *c, const struct value *v, const char *text)
{
	json_t *json = v->kind <= TEXT ? json_string(text) : number(v, text);

	if (!c->arguments)
		c->arguments = json_object();
	if (!json_object_set_new(c->arguments, v->name, json))
		return true;
	log_error("%s: --%s: %s: expected %s", c->action->name, v->name, text,
	          v->kind <= TEXT     ? "UTF-8"
	          : v->kind == NUMBER ? "a number of 32 bits"
	                              : "an address");
	return false;
}

static bool take_flag(struct client *c, const struct value *v, const char *arg)
{
	if (strchr(arg, '=')) {
		log_error("%s: %s: expected no value", c->action->name, arg);
		return false;
	}
	if (!c->arguments)
		c->arguments = json_object();
	return !json_object_set_new(c->arguments, v->name, json_true());
}

/* --iommu ID, --iommu=ID; --last */
static bool take_named(struct client *c, const struct value *v, int argc, char **argv, int *at)
{
	const char *equals = strchr(argv[*at], '=');

	if (v->kind == FLAG)
		return take_flag(c, v, argv[*at]);
	if (equals)
		return take_value(c, v, equals + 1);
	if (++*at < argc)
		return take_value(c, v, argv[*at]);
	log_error("%s: --%s: no value: expected %s", c->action->name, v->name, c->action->usage);
	return false;
}

/* All values are there, or none, where that is possible. */
static bool complete(struct client *c)
{
	const struct action *a = c->action;

	if (!c->arguments && a->command)
		return true;
	for (const struct value *v = a->values; v && v->name; v++) {
		if (v->kind == WORD && c->word && !take_value(c, v, c->word))
			return false;
		if (v->optional || json_object_get(c->arguments, v->name))
			continue;
		log_error("%s: no %s%s: expected %s", a->name, v->kind == WORD ? "" : "--", v->name,
		          a->usage);
		return false;
	}
	return true;
}

static bool takes_word(const struct action *a)
{
	for (const struct value *v = a->values; v && v->name; v++)
		if (v->kind == WORD)
			return true;
	return false;
}

/* Of an action with a word that is the last one; what is before it is a name. */
static bool take_bare(struct client *c, const char *arg)
{
	const char *before = c->word;

	if (!takes_word(c->action))
		return take_name(c, arg);
	c->word = arg;
	return !before || take_name(c, before);
}

static bool refuse_option(const struct client *c, const char *arg)
{
	const struct action *a = c->action;
	const char *name = a->takes_name ? "[-n] NAME or --all" : "";

	if (lkvm_option(c->action->name, arg))
		log_error("%s: --%s: an option of lkvm that nestor does not have", a->name,
		          lkvm_option(c->action->name, arg)->name);
	else
		log_error("%s: %s: expected %s%s%s", a->name, arg, name,
		          *name && a->prints ? " or " : "", a->prints ? "--json" : "");
	return false;
}

/* -n NAME, --name NAME, --name=NAME; *at is moved on where the value is the next argument. */
static bool take_option(struct client *c, int argc, char **argv, int *at)
{
	const char *arg = argv[*at];
	const struct lkvm_option *lkvm = lkvm_option(c->action->name, arg);
	const struct value *v =
		arg[1] == '-' ? find_value(c->action, arg + 2, strcspn(arg + 2, "=")) : NULL;

	if (v)
		return take_named(c, v, argc, argv, at);
	if (lkvm && lkvm->taken)
		return true;
	if (!strcmp(arg, "--json") && (c->action->prints || !c->action->takes_name))
		return c->json = true;
	if ((!strcmp(arg, "-a") || !strcmp(arg, "--all")) && c->action->takes_name)
		return c->all = true;
	if (!strncmp(arg, "--name=", 7))
		return take_name(c, arg + 7);
	if (strcmp(arg, "-n") && strcmp(arg, "--name"))
		return refuse_option(c, arg);
	if (++*at < argc)
		return take_name(c, argv[*at]);
	log_error("%s: %s: no value: expected NAME", c->action->name, arg);
	return false;
}

static bool parse(struct client *c, int argc, char **argv)
{
	for (int at = 0; at < argc; at++)
		if (*argv[at] == '-' ? !take_option(c, argc, argv, &at) : !take_bare(c, argv[at]))
			return false;
	if (!complete(c))
		return false;
	if (!c->all || !c->name)
		return true;
	log_error("%s: --all: expected no name beside it", c->action->name);
	return false;
}

static void remember(void *ctx, const char *name)
{
	struct client *c = ctx;
	void *more = realloc(c->names, (c->nr + 1) * sizeof(*c->names));

	if (!more)
		return;
	c->names = more;
	snprintf(c->names[c->nr++], sizeof(*c->names), "%s", name);
}

static int find_guests(struct client *c)
{
	int err = socket_each(remember, c);

	if (!err)
		return DONE;
	log_error("%s: the folder of control sockets: %s", c->action->name, strerror(-err));
	return FAILED;
}

static int say_why(const struct client *c, const char *name, int err, json_t *error)
{
	const char *desc = json_string_value(json_object_get(error, "desc"));

	if (err == -ENOENT)
		log_error("%s: %s: expected the name of a running guest", c->action->name, name);
	else if (err == -EAGAIN)
		log_error("%s: %s: it does not answer", c->action->name, name);
	else
		log_error("%s: %s: %s", c->action->name, name, desc ? desc : strerror(-err));
	return err == -ENOENT ? USAGE : FAILED;
}

static int act_on(struct client *c, const char *name)
{
	json_t *answer = NULL;
	struct peer p;
	int status = DONE,
	    err = peer_open(&p, name, c->action->asks_guest ? GUEST_PATIENCE : PATIENCE);

	if (err)
		return say_why(c, name, err, NULL);
	err = peer_ask_with(&p, c->arguments ? c->action->with : c->action->command, c->arguments,
	                    &answer);
	if (!err && c->action->then)
		err = c->action->then(c, &p, name, answer);
	if (err)
		status = say_why(c, name, err, answer);
	json_decref(answer);
	peer_close(&p);
	return status;
}

/* The one that was named, all, or the only one there is. */
static int act(struct client *c)
{
	int status;

	if (c->name)
		return act_on(c, c->name);
	status = find_guests(c);
	if (status)
		return status;
	if (c->nr == 1 || c->all) {
		for (size_t i = 0; i < c->nr; i++) {
			int one = act_on(c, c->names[i]);

			status = status ? status : one;
		}
		return status;
	}
	log_error("%s: no name: %s", c->action->name,
	          c->nr ? "several guests run: expected -n NAME or --all"
	                : "expected a guest, and none runs");
	return USAGE;
}

static int run(const struct action *action, int argc, char **argv)
{
	struct client c = { .action = action };
	int status = parse(&c, argc, argv) ? act(&c) : USAGE;

	json_decref(c.arguments);
	free(c.names);
	return status;
}

static int print_answer(struct client *c, struct peer *p, const char *name, json_t *answer)
{
	(void)p, (void)name;
	if (c->json)
		print_json(answer);
	else
		print_text(answer);
	return 0;
}

/* A walk is its steps, a line each. */
static int print_debug(struct client *c, struct peer *p, const char *name, json_t *answer)
{
	json_t *steps = json_object_get(answer, "steps"), *step;
	size_t i;

	if (!steps || c->json)
		return print_answer(c, p, name, answer);
	json_array_foreach(steps, i, step) printf("%s\n", json_string_value(step));
	return 0;
}

/* Returns when the guest is gone, its socket too. */
static int wait_for_end(struct client *c, struct peer *p, const char *name, json_t *answer)
{
	(void)c, (void)name, (void)answer;
	return peer_wait(p);
}

int client_stat(int argc, char **argv)
{
	static const struct action a = {
		.name = "stat",
		.command = "x-nestor-stat",
		.takes_name = true,
		.prints = true,
		.then = print_answer,
	};

	return run(&a, argc, argv);
}

int client_debug(int argc, char **argv)
{
	static const struct value values[] = {
		{ "iommu", TEXT, false },   { "sid", NUMBER, false }, { "ssid", NUMBER, true },
		{ "iova", ADDRESS, false }, { NULL, 0, false },
	};
	static const struct action a = {
		.name = "debug",
		.command = "x-nestor-debug",
		.takes_name = true,
		.prints = true,
		.then = print_debug,
		.values = values,
		.with = "x-nestor-walk",
		.usage = "--iommu ID --sid S [--ssid P] --iova A",
	};

	return run(&a, argc, argv);
}

int client_inject(int argc, char **argv)
{
	static const struct value values[] = {
		{ "iommu", TEXT, false },
		{ "error", WORD, false },
		{ NULL, 0, false },
	};
	static const struct action a = {
		.name = "inject",
		.takes_name = true,
		.values = values,
		.with = "x-nestor-inject",
		.usage = "--iommu ID ERROR",
	};

	return run(&a, argc, argv);
}

int client_fault(int argc, char **argv)
{
	static const struct value values[] = {
		{ "device", TEXT, false }, { "addr", ADDRESS, false }, { "pasid", NUMBER, true },
		{ "perm", TEXT, true },    { "count", NUMBER, true },  { "rate", NUMBER, true },
		{ "group", NUMBER, true }, { "last", FLAG, true },     { NULL, 0, false },
	};
	static const struct action a = {
		.name = "fault",
		.takes_name = true,
		.prints = true,
		.then = print_answer,
		.values = values,
		.with = "x-nestor-fault",
		.asks_guest = true,
		.usage = "--device [SEGMENT:]BUS:DEVICE.FUNCTION --addr A [--pasid P] [--perm rwx] "
			 "[--count N] [--rate R | --group G [--last]]",
	};

	return run(&a, argc, argv);
}

int client_pause(int argc, char **argv)
{
	static const struct action a = { .name = "pause", .command = "stop", .takes_name = true };

	return run(&a, argc, argv);
}

int client_resume(int argc, char **argv)
{
	static const struct action a = { .name = "resume", .command = "cont", .takes_name = true };

	return run(&a, argc, argv);
}

int client_stop(int argc, char **argv)
{
	static const struct action a = {
		.name = "stop", .command = "quit", .takes_name = true, .then = wait_for_end
	};

	return run(&a, argc, argv);
}

static void list_one(struct client *c, const char *name)
{
	const char *state = NULL;
	json_t *answer = NULL;
	struct peer p = { 0 };
	int err = peer_open(&p, name, PATIENCE / 5);

	if (err == -ENOENT)
		return; /* it has just ended */
	if (!err && !peer_ask(&p, c->action->command, &answer))
		state = json_string_value(json_object_get(answer, "status"));
	if (!state)
		state = "unresponsive";
	if (c->json)
		json_array_append_new(c->results, json_pack("{s:s, s:i, s:s}", "name", name, "pid",
		                                            (int)p.pid, "state", state));
	else
		printf("%7d %-20s %s\n", (int)p.pid, name, state);
	json_decref(answer);
	if (!err)
		peer_close(&p);
}

int client_list(int argc, char **argv)
{
	static const struct action a = { .name = "list",
		                         .command = "query-status",
		                         .prints = true };
	struct client c = { .action = &a, .results = json_array() };
	int status = parse(&c, argc, argv) ? find_guests(&c) : USAGE;
	json_t *list;

	if (!status && !c.json)
		printf("%7s %-20s %s\n", "PID", "NAME", "STATE");
	for (size_t i = 0; i < c.nr && !status; i++)
		list_one(&c, c.names[i]);
	list = json_pack("{s:i, s:O}", "schema", 1, "guests", c.results);
	if (!status && c.json)
		print_json(list);
	json_decref(list);
	json_decref(c.results);
	free(c.names);
	return status;
}

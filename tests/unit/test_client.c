// SPDX-License-Identifier: GPL-2.0-only
/* The subcommands for running guests, against guests that answer as they are told. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/client.h"
#include "control/socket.h"
#include "tests/unit/leak.h"
#include "tests/unit/said.h"
#include "tests/unit/schema.h"
#include "vmm/types.h"

#define GREETING "{\"QMP\": {}}\r\n"
#define DONE     "{\"return\": {}}\r\n"
#define RUNNING  "{\"return\": {\"status\": \"running\"}}\r\n"
#define PAUSED   "{\"return\": {\"status\": \"paused\"}}\r\n"

/* A guest answers qmp_capabilities, and all else, with the same. NULL: it hangs up. */
struct guest {
	const char *greeting, *capabilities, *answer;
	bool ends; /* behind its answer */
	int listener;
	char path[PATH_MAX];
	pthread_t thread;
	char asked[256];     /* the commands, a space behind each */
	char arguments[256]; /* the last one's, as they were sent */
};

static char folder[] = "/tmp/nestor-unit-XXXXXX";
static struct guest guests[3];
static unsigned int nr;

static void make(void)
{
	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	setenv("XDG_RUNTIME_DIR", folder, 1);
	listen_to(stdout);
	listen_to(stderr);
}

static bool tell(int fd, const char *text)
{
	return text && send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

/* Notes a command. False: it is not to be answered. */
static bool answer(struct guest *g, int fd, const char *line)
{
	char command[64];

	if (sscanf(line, "{\"execute\": \"%63[^\"]\"}", command) != 1)
		return false;
	if (!strcmp(command, "qmp_capabilities"))
		return tell(fd, g->capabilities);
	strcat(strcat(g->asked, command), " ");
	if (sscanf(line, "{\"execute\": \"%*[^\"]\", \"arguments\": %255[^}]", g->arguments) == 1)
		strcat(g->arguments, "}");
	return tell(fd, g->answer) && !g->ends;
}

static void *serve(void *arg)
{
	struct guest *g = arg;
	char line[256];
	int fd;

	while ((fd = accept(g->listener, NULL, NULL)) >= 0) {
		FILE *file = fdopen(fd, "r");

		if (tell(fd, g->greeting))
			while (fgets(line, sizeof(line), file) && answer(g, fd, line))
				;
		fclose(file);
	}
	return NULL;
}

static struct guest *start(const char *name, const struct guest *like)
{
	struct guest *g = &guests[nr++];

	*g = *like;
	g->listener = socket_listen(name, g->path, sizeof(g->path));
	cr_assert(ge(int, g->listener, 0));
	fcntl(g->listener, F_SETFL, 0);
	cr_assert(zero(int, pthread_create(&g->thread, NULL, serve, g)));
	return g;
}

static struct guest *guest(const char *name, const char *says)
{
	return start(name,
	             &(struct guest){ .greeting = GREETING, .capabilities = DONE, .answer = says });
}

static void unmake(void)
{
	char command[64];

	for (unsigned int i = 0; i < nr; i++) {
		shutdown(guests[i].listener, SHUT_RDWR);
		pthread_join(guests[i].thread, NULL);
		close(guests[i].listener);
	}
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert(zero(int, system(command)));
	expect_no_leak();
}

TestSuite(client, .init = make, .fini = unmake, .timeout = 20);

/* A subcommand with words that single spaces separate. */
static int run(int (*fn)(int argc, char **argv), const char *words)
{
	char line[256], *argv[8], *word;
	int argc = 0;

	snprintf(line, sizeof(line), "%s", words);
	for (word = strtok(line, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return fn(argc, argv);
}

static void expect_error(const char *line)
{
	char want[200];

	snprintf(want, sizeof(want), "nestor: %s\n", line);
	cr_assert(eq(str, said(stderr), want));
}

Test(client, the_only_guest_needs_no_name)
{
	struct guest *g = guest("a", DONE);

	cr_assert(zero(int, run(client_pause, "")));
	cr_assert(zero(int, run(client_resume, "-n a")));
	cr_assert(zero(int, run(client_pause, "--name a")));
	cr_assert(zero(int, run(client_resume, "--name=a")));
	cr_assert(zero(int, run(client_pause, "a")));
	cr_assert(eq(str, g->asked, "stop cont stop cont stop "));
	cr_assert(eq(str, said(stdout), ""));
	cr_assert(eq(str, said(stderr), ""));
}

Test(client, of_several_guests_one_is_named_or_all_are_meant)
{
	struct guest *a = guest("a", DONE), *b = guest("b", DONE);

	cr_assert(eq(int, run(client_pause, ""), 2));
	expect_error("pause: no name: several guests run: expected -n NAME or --all");
	cr_assert(zero(int, run(client_pause, "b")));
	cr_assert(eq(str, a->asked, ""));
	cr_assert(zero(int, run(client_resume, "--all")));
	cr_assert(eq(str, a->asked, "cont "));
	cr_assert(eq(str, b->asked, "stop cont "));
}

Test(client, one_that_fails_does_not_spare_the_others)
{
	struct guest *b;

	guest("a", "{\"error\": {\"class\": \"GenericError\", \"desc\": \"it is on fire\"}}\r\n");
	b = guest("b", DONE);
	cr_assert(eq(int, run(client_pause, "-a"), 1));
	expect_error("pause: a: it is on fire");
	cr_assert(eq(str, b->asked, "stop "));
}

Test(client, all_of_none_is_done)
{
	cr_assert(zero(int, run(client_stop, "--all")));
	cr_assert(eq(str, said(stderr), ""));
}

Test(client, an_event_is_no_answer)
{
	guest("a", "{\"event\": \"STOP\"}\r\n{\"event\": \"RESUME\"}\r\n" DONE);
	cr_assert(zero(int, run(client_resume, "a")));
}

Test(client, figures_are_text_or_json)
{
	struct guest *a = guest("a", "{\"return\": {\"schema\": 1}}\r\n");
	json_t *got;

	cr_assert(zero(int, run(client_stat, "a")));
	cr_assert(eq(str, said(stdout), "schema                   1\n"));
	cr_assert(zero(int, run(client_debug, "--json a")));
	got = json_loads(said(stdout), 0, NULL);
	cr_assert(eq(i64, json_integer_value(json_object_get(got, "schema")), 1));
	json_decref(got);
	cr_assert(eq(str, a->asked, "x-nestor-stat x-nestor-debug "));
}

Test(client, a_walk_is_asked_for_with_its_values_and_is_its_steps)
{
	struct guest *a =
		guest("a", "{\"return\": {\"schema\": 1, \"steps\": [\"one\", \"two\"]}}\r\n");
	json_t *got;

	cr_assert(zero(int, run(client_debug, "a --iommu s --sid 0x8 --iova=4096")));
	cr_assert(eq(str, said(stdout), "one\ntwo\n"));
	cr_assert(eq(str, a->arguments, "{\"iommu\": \"s\", \"sid\": 8, \"iova\": \"0x1000\"}"));
	cr_assert(zero(int, run(client_debug, "--iova 0xfff0000000000000 --sid=4294967295 "
	                                      "--iommu=s --ssid 0 --json")));
	cr_assert(eq(str, a->arguments,
	             "{\"iova\": \"0xfff0000000000000\", \"sid\": 4294967295, \"iommu\": \"s\", "
	             "\"ssid\": 0}"));
	got = json_loads(said(stdout), 0, NULL);
	cr_assert(eq(sz, json_array_size(json_object_get(got, "steps")), 2));
	json_decref(got);
	cr_assert(eq(str, a->asked, "x-nestor-walk x-nestor-walk "));
}

Test(client, an_error_is_the_last_word)
{
	struct guest *a = guest("a", DONE), *b;

	cr_assert(zero(int, run(client_inject, "--iommu s sfm")));
	cr_assert(eq(str, a->arguments, "{\"iommu\": \"s\", \"error\": \"sfm\"}"));
	b = guest("b", DONE);
	cr_assert(zero(int, run(client_inject, "b --iommu s sync-slow=3")));
	cr_assert(eq(str, b->arguments, "{\"iommu\": \"s\", \"error\": \"sync-slow=3\"}"));
	cr_assert(zero(int, run(client_inject, "-n b --iommu=t msi-abort")));
	cr_assert(zero(int, run(client_inject, "--all --iommu=t msi-abort")));
	cr_assert(eq(str, a->asked, "x-nestor-inject x-nestor-inject "));
	cr_assert(eq(str, b->asked, "x-nestor-inject x-nestor-inject x-nestor-inject "));
	cr_assert(eq(str, said(stdout), ""));
	cr_assert(eq(str, said(stderr), ""));
}

Test(client, a_fault_has_a_place_and_a_number)
{
	struct guest *a = guest("a", "{\"return\": {\"count\": 2}}");

	cr_assert(zero(int, run(client_fault, "a --device 0:1.0 --addr 0x1000 --count 2")));
	cr_assert(eq(str, a->arguments,
	             "{\"device\": \"0:1.0\", \"addr\": \"0x1000\", \"count\": 2}"));
	cr_assert(eq(str, a->asked, "x-nestor-fault "));
	cr_assert(eq(str, said(stdout), "count                    2\n"));
}

Test(client, a_fault_has_a_rate_or_a_group)
{
	struct guest *a = guest("a", "{\"return\": {\"count\": 2}}");

	cr_assert(zero(int, run(client_fault, "a --device 0:1.0 --addr 0 --rate=50")));
	cr_assert(
		eq(str, a->arguments, "{\"device\": \"0:1.0\", \"addr\": \"0x0\", \"rate\": 50}"));
	cr_assert(zero(int, run(client_fault, "a --device 0:1.0 --addr 0 --last --group 3")));
	cr_assert(eq(str, a->arguments,
	             "{\"device\": \"0:1.0\", \"addr\": \"0x0\", \"last\": true, \"group\": 3}"));
	said(stdout);
	cr_assert(eq(int, run(client_fault, "a --device 0:1.0 --addr 0 --last=1"), 2));
	cr_assert(eq(str, said(stderr), "nestor: fault: --last=1: expected no value\n"));
}

Test(client, stop_returns_when_the_guest_has_gone)
{
	struct guest *a = start("a", &(struct guest){ .greeting = GREETING,
	                                              .capabilities = DONE,
	                                              .answer = DONE,
	                                              .ends = true });

	cr_assert(zero(int, run(client_stop, "a")));
	cr_assert(eq(str, a->asked, "quit "));
}

struct bad_case {
	char greeting[40], capabilities[80], answer[80]; /* "": it hangs up */
	char said[80];
};

ParameterizedTestParameters(client, a_guest_that_is_none_is_a_failure)
{
	static struct bad_case cases[] = {
		{ "", "", "", "stat: a: Connection reset by peer" },
		{ "hello\n", DONE, DONE, "stat: a: Protocol error" },
		{ "[]\n", DONE, DONE, "stat: a: Protocol error" },
		{ "{\"event\": 1}\n", DONE, DONE, "stat: a: Protocol error" },
		{ GREETING, "", DONE, "stat: a: Connection reset by peer" },
		{ GREETING, "{\"error\": {}}\n", DONE, "stat: a: Remote I/O error" },
		{ GREETING, DONE, "", "stat: a: Connection reset by peer" },
		{ GREETING, DONE, "{\"return\": {", "stat: a: Connection reset by peer" },
		{ GREETING, DONE, "]", "stat: a: Protocol error" },
		{ GREETING, DONE, "{\"error\": {\"desc\": 3}}\n", "stat: a: Remote I/O error" },
	};

	return cr_make_param_array(struct bad_case, cases, ARRAY_SIZE(cases));
}

static const char *words_of(const char *text)
{
	return *text ? text : NULL;
}

ParameterizedTest(struct bad_case *c, client, a_guest_that_is_none_is_a_failure)
{
	start("a", &(struct guest){ .greeting = words_of(c->greeting),
	                            .capabilities = words_of(c->capabilities),
	                            .answer = words_of(c->answer),
	                            .ends = true });
	cr_assert(eq(int, run(client_stat, "a"), 1));
	expect_error(c->said);
	cr_assert(eq(str, said(stdout), ""));
}

Test(client, the_list_is_in_order_and_says_how_each_is)
{
	char want[256];

	guest("b", PAUSED);
	guest("a", RUNNING);
	guest("c", NULL);
	cr_assert(zero(int, run(client_list, "")));
	snprintf(want, sizeof(want),
	         "    PID NAME                 STATE\n%7d a                    running\n"
	         "%7d b                    paused\n%7d c                    unresponsive\n",
	         getpid(), getpid(), getpid());
	cr_assert(eq(str, said(stdout), want));
}

Test(client, the_list_is_as_documented_whatever_a_guest_answers)
{
	json_t *schema = schema_load("list"), *got;
	char why[256] = "";

	guest("a", RUNNING);
	guest("b", "{\"return\": {\"status\": 3}}\r\n");
	guest("c", "{\"error\": {}}\r\n");
	cr_assert(zero(int, run(client_list, "--json")));
	got = json_loads(said(stdout), 0, NULL);
	cr_assert(schema_check(schema, got, why, sizeof(why)), "%s", why);
	cr_assert(eq(sz, json_array_size(json_object_get(got, "guests")), 3));
	json_decref(got);
	json_decref(schema);
	cr_assert(zero(int, run(client_list, "")));
	cr_assert(ne(ptr, strstr(said(stdout), "b                    unresponsive\n"), NULL));
}

struct words_case {
	int (*fn)(int argc, char **argv);
	char words[64], said[160];
};

/* Each is refused before any guest is asked. */
Test(client, words_that_do_not_fit_are_refused)
{
	static const struct words_case cases[] = {
		{ client_stat, "a b", "stat: b: expected one name" },
		{ client_stat, "-n a -n b", "stat: b: expected one name" },
		{ client_stat, "--name", "stat: --name: no value: expected NAME" },
		{ client_stat,
		  "--name=", "stat: : expected a name of 1 to 64 of A-Z a-z 0-9 . _ -" },
		{ client_stat, "a/b",
		  "stat: a/b: expected a name of 1 to 64 of A-Z a-z 0-9 . _ -" },
		{ client_stat, "-x", "stat: -x: expected [-n] NAME or --all or --json" },
		{ client_debug, "a --all", "debug: --all: expected no name beside it" },
		{ client_pause, "--json", "pause: --json: expected [-n] NAME or --all" },
		{ client_resume, "-", "resume: -: expected [-n] NAME or --all" },
		{ client_stop, "b", "stop: b: expected the name of a running guest" },
		{ client_debug, "--iommu s --iova 1",
		  "debug: no --sid: expected --iommu ID --sid S [--ssid P] --iova A" },
		{ client_debug, "--sid 8 --iova 1",
		  "debug: no --iommu: expected --iommu ID --sid S [--ssid P] --iova A" },
		{ client_debug, "--ssid 8 --sid 1 --iommu s",
		  "debug: no --iova: expected --iommu ID --sid S [--ssid P] --iova A" },
		{ client_debug, "--iova",
		  "debug: --iova: no value: expected --iommu ID --sid S [--ssid P] --iova A" },
		{ client_debug, "--sid x", "debug: --sid: x: expected a number of 32 bits" },
		{ client_debug, "--sid=", "debug: --sid: : expected a number of 32 bits" },
		{ client_debug, "--ssid 0x100000000",
		  "debug: --ssid: 0x100000000: expected a number of 32 bits" },
		{ client_debug, "--iova 1g", "debug: --iova: 1g: expected an address" },
		{ client_debug, "--iommu \xff", "debug: --iommu: \xff: expected UTF-8" },
		{ client_inject, "a", "inject: no --iommu: expected --iommu ID ERROR" },
		{ client_inject, "--iommu s", "inject: no error: expected --iommu ID ERROR" },
		{ client_inject, "--iommu s a b c", "inject: b: expected one name" },
		{ client_inject, "--iommu s a --sid 8",
		  "inject: --sid: expected [-n] NAME or --all" },
		{ client_inject, "--json", "inject: --json: expected [-n] NAME or --all" },
		{ client_fault, "a --addr 0",
		  "fault: no --device: expected --device [SEGMENT:]BUS:DEVICE.FUNCTION --addr A "
		  "[--pasid P] [--perm rwx] [--count N] [--rate R | --group G [--last]]" },
		{ client_stat, "--iommu s",
		  "stat: --iommu: expected [-n] NAME or --all or --json" },
		{ client_list, "a", "list: a: expected no name" },
		{ client_list, "-n a", "list: a: expected no name" },
		{ client_list, "--all", "list: --all: expected --json" },
		{ client_list, "-x", "list: -x: expected --json" },
	};
	struct guest *a = guest("a", DONE);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_assert(eq(int, run(cases[i].fn, cases[i].words), 2), "%s", cases[i].said);
		expect_error(cases[i].said);
	}
	cr_assert(eq(str, a->asked, ""));
	cr_assert(eq(str, said(stdout), ""));
}

Test(client, a_folder_that_cannot_be_read_is_a_failure)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/nestor", folder);
	fclose(fopen(path, "w"));
	cr_assert(eq(int, run(client_list, ""), 1));
	expect_error("list: the folder of control sockets: Not a directory");
	cr_assert(eq(int, run(client_pause, ""), 1));
	expect_error("pause: the folder of control sockets: Not a directory");
}

// SPDX-License-Identifier: GPL-2.0-only
/* The process between Nestor and a helper: what the program has, and how either ends. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine/guardian.h"
#include "machine/helper.h"
#include "vmm/types.h"

static pid_t guardian;
static int life;      /* closed: Nestor has ended */
static int given;     /* its other end is the program's descriptor HELPER_FD */
static int output;    /* what the program says */
static int failed;    /* errno of its execution */
static int kept = -1; /* its other end, this process alone is to have */
static int kept_end = -1;

TestSuite(guardian, .timeout = 30);

/* @to_it: the end of a pipe that the guardian's process gets, above HELPER_FD. */
static int make_pipe(int *to_it, int which)
{
	int ends[2];

	cr_assert(zero(int, pipe2(ends, O_CLOEXEC)));
	*to_it = fcntl(ends[which], F_DUPFD_CLOEXEC, 20);
	close(ends[which]);
	return ends[!which];
}

static void start(const char *path, const char *script)
{
	const char *const argv[] = { "helper", "-c", script, NULL };
	struct guardian g = { .path = path, .argv = argv };

	life = make_pipe(&g.life, 0);
	output = make_pipe(&g.output, 1);
	given = make_pipe(&g.given, 1);
	failed = make_pipe(&g.failed, 1);
	guardian = fork();
	if (!guardian) {
		close(life);
		guardian_run(&g);
	}
	close(g.life);
	close(g.output);
	close(g.given);
	close(g.failed);
	if (kept_end >= 0)
		close(kept_end);
}

/* One that the guardian fails to end ends by itself. */
static void run(const char *script)
{
	char limited[256];

	snprintf(limited, sizeof(limited), "ulimit -t 10; %s", script);
	start("/bin/sh", limited);
}

static const char *read_line(int fd)
{
	static char line[256];
	size_t len = 0;

	while (len < sizeof(line) - 1 && read(fd, line + len, 1) == 1 && line[len] != '\n')
		len++;
	line[len] = 0;
	return line;
}

/* Nobody has the other end. */
static void expect_end(int fd)
{
	char byte;

	cr_assert(zero(int, read(fd, &byte, 1)));
}

static int exit_code(void)
{
	int status;

	cr_assert(eq(int, waitpid(guardian, &status, 0), guardian));
	cr_assert(ne(int, WIFEXITED(status), 0));
	return WEXITSTATUS(status);
}

struct end_case {
	char script[32];
	int code;
};

ParameterizedTestParameters(guardian, it_exits_as_the_program_does)
{
	static struct end_case cases[] = {
		{ "exit 0", 0 },
		{ "exit 7", 7 },
		{ "exit 255", 255 },
		{ "kill -KILL $$", 128 + SIGKILL },
		{ "kill -TERM $$", 128 + SIGTERM },
		{ "kill -HUP $$", 128 + SIGHUP },
	};

	return cr_make_param_array(struct end_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct end_case *c, guardian, it_exits_as_the_program_does, .timeout = 30)
{
	run(c->script);
	expect_end(failed);
	cr_assert(eq(int, exit_code(), c->code), "%s", c->script);
	expect_end(given);
}

Test(guardian, a_program_that_cannot_be_executed_is_told_by_its_errno)
{
	int err = 0;

	start("/nonexistent", "");
	cr_assert(eq(int, read(failed, &err, sizeof(err)), sizeof(err)));
	cr_assert(eq(int, err, ENOENT));
	expect_end(failed);
	cr_assert(eq(int, exit_code(), 127));
}

Test(guardian, the_program_has_nothing_to_read_and_says_things_on_one_pipe)
{
	run("cat && echo out && echo err >&2 && echo given >&3");
	cr_assert(eq(str, (char *)read_line(output), "out"));
	cr_assert(eq(str, (char *)read_line(output), "err"));
	expect_end(output);
	cr_assert(eq(str, (char *)read_line(given), "given"));
	cr_assert(zero(int, exit_code()));
}

/* What another part left open, without close-on-exec. */
Test(guardian, neither_process_keeps_anything_else_open)
{
	int ends[2];

	cr_assert(zero(int, pipe(ends)));
	kept = ends[0];
	kept_end = ends[1];
	run("echo up >&3; while :; do :; done");
	cr_assert(eq(str, (char *)read_line(given), "up"));
	expect_end(kept);
	close(life);
	cr_assert(eq(int, exit_code(), 128 + SIGTERM));
}

Test(guardian, the_program_is_asked_to_end_when_nestor_has)
{
	run("trap 'echo asked >&3; exit 5' TERM; echo up >&3; while :; do :; done");
	cr_assert(eq(str, (char *)read_line(given), "up"));
	close(life);
	cr_assert(eq(str, (char *)read_line(given), "asked"));
	cr_assert(eq(int, exit_code(), 5));
}

Test(guardian, the_program_ends_with_it)
{
	int status;

	run("trap '' TERM; echo up >&3; while :; do :; done");
	cr_assert(eq(str, (char *)read_line(given), "up"));
	kill(guardian, SIGKILL);
	waitpid(guardian, &status, 0);
	cr_assert(eq(int, WTERMSIG(status), SIGKILL));
	expect_end(given);
}

Test(guardian, what_ends_other_processes_leaves_it_to_its_work)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 };

	run("echo up >&3; while :; do :; done");
	cr_assert(eq(str, (char *)read_line(given), "up"));
	cr_assert(eq(int, getpgid(guardian), guardian), "a job's signals are not its own");
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		kill(guardian, signals[i]);
	close(life);
	cr_assert(eq(int, exit_code(), 128 + SIGTERM));
	expect_end(given);
}

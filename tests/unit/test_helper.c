// SPDX-License-Identifier: GPL-2.0-only
/* Programs beside Nestor: a shell stands for them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine/helper.h"
#include "machine/status.h"
#include "tests/unit/leak.h"
#include "vmm/loop.h"

static struct helper *h;
static int ends[2]; /* the program has the second; the first ends when it does */
static struct log log_off;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct loop *loop;
static char how[1024];

TestSuite(helper, .timeout = 30);

static int start_as(const char *name, const char *script)
{
	const char *const argv[] = { name, "-c", script, NULL };
	const struct helper_config c = { .option = "--test", .argv = argv, .log = &log_off };
	struct helper_config with_fd = c;

	cr_assert(zero(int, pipe2(ends, O_CLOEXEC)));
	with_fd.fd = ends[1];
	return helper_start(&h, &with_fd);
}

static void start(const char *script)
{
	cr_assert(zero(int, start_as("sh", script)));
}

static void expect_said(const char *text)
{
	char got[64] = { 0 };
	size_t len = 0;

	while (len < strlen(text)) {
		ssize_t n = read(ends[0], got + len, sizeof(got) - 1 - len);

		cr_assert(gt(int, n, 0));
		len += n;
	}
	cr_assert(eq(str, got, (char *)text));
}

/* Nobody has the pipe's other end any more. */
static void expect_gone(void)
{
	char byte;

	cr_assert(zero(int, read(ends[0], &byte, 1)));
}

static void note(struct helper_watcher *w, const char *text)
{
	(void)w;
	snprintf(how, sizeof(how), "%s", text);
	loop_stop(loop);
}

/* The program ends by itself; what is said of it. */
static void run(const char *script)
{
	struct helper_watcher watcher = { note };

	cr_assert(zero(int, loop_create(&loop, &lock)));
	start(script);
	helper_watch(h, loop, &watcher);
	cr_assert(zero(int, loop_run(loop)));
	loop_drain(loop);
	helper_stop(h);
	loop_destroy(loop);
	expect_no_leak();
}

Test(helper, it_has_its_descriptor_and_nothing_to_read)
{
	start("cat && echo hello >&3");
	expect_said("hello\n");
	helper_stop(h);
	expect_gone();
	expect_no_leak();
}

Test(helper, it_ends_when_it_is_stopped)
{
	start("echo up >&3; while :; do sleep 1; done");
	expect_said("up\n");
	cr_assert(zero(int, helper_check(h, 0)));
	helper_stop(h);
	expect_gone();
}

Test(helper, it_ends_although_it_ignores_that)
{
	start("trap '' TERM HUP INT; echo up >&3; while :; do :; done");
	expect_said("up\n");
	helper_stop(h);
	expect_gone();
}

Test(helper, it_ends_when_nestor_is_killed)
{
	pid_t child;
	int status;

	cr_assert(zero(int, pipe2(ends, O_CLOEXEC)));
	child = fork();
	if (!child) {
		const char *const argv[] = { "sh", "-c", "echo up >&3; while :; do sleep 1; done",
			                     NULL };
		const struct helper_config c = { "--test", argv, NULL, ends[1], &log_off };

		_exit(helper_start(&h, &c) ? 1 : pause());
	}
	close(ends[1]);
	expect_said("up\n");
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	expect_gone();
}

Test(helper, no_signal_is_blocked_in_it)
{
	start("trap 'echo caught >&3; exit' TERM; kill -TERM $$; sleep 5");
	expect_said("caught\n");
	helper_stop(h);
}

Test(helper, its_end_and_its_last_words_are_told)
{
	run("echo first; printf 'why\\033[1m not\\n\\n' >&2; exit 7");
	cr_assert(eq(str, how, "sh ended with exit code 7: why[1m not"));
}

Test(helper, a_last_line_without_an_end_counts)
{
	run("printf 'no end'; exit 1");
	cr_assert(eq(str, how, "sh ended with exit code 1: no end"));
}

Test(helper, a_signal_is_told_as_the_shell_does)
{
	run("kill -9 $$");
	cr_assert(eq(str, how, "sh ended with exit code 137"));
}

Test(helper, a_flood_of_words_is_taken)
{
	run("i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo 0123456789abcdef0123456789abcdef; done; echo last; exit 2");
	cr_assert(eq(str, how, "sh ended with exit code 2: last"));
}

/* Each line is work here, so that a program says them faster than they are taken. */
static void trace_to_nowhere(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(null, STDERR_FILENO);
	close(null);
	log_off.topics = BIT(TRACE_HELPER);
}

static void time_passed(struct loop_op *op, int res)
{
	(void)op, (void)res;
	loop_stop(loop);
}

Test(helper, one_that_never_stops_talking_leaves_others_their_turn)
{
	struct helper_watcher watcher = { note };
	struct __kernel_timespec time = { .tv_nsec = 100 * 1000 * 1000 };
	struct loop_op op = { .done = time_passed };

	cr_assert(zero(int, loop_create(&loop, &lock)));
	trace_to_nowhere();
	start("exec yes ''");
	helper_watch(h, loop, &watcher);
	loop_timeout(loop, &op, &time);
	cr_assert(zero(int, loop_run(loop)));
	cr_assert(zero(u8, how[0]));
	loop_drain(loop);
	helper_stop(h);
	loop_destroy(loop);
}

Test(helper, one_whose_child_goes_on_talking_has_ended)
{
	trace_to_nowhere();
	run("yes '' & exit 3");
	cr_assert(eq(str, how, "sh ended with exit code 3"));
}

Test(helper, one_that_has_ended_before_the_guest_runs_is_an_error)
{
	start("exit 3");
	expect_gone();
	cr_assert(eq(int, helper_check(h, 10000), STATUS_HOST_LACKS));
	helper_stop(h);
}

Test(helper, a_program_that_is_not_there_is_an_error)
{
	cr_assert(eq(int, start_as("no-such-program", ""), STATUS_HOST_LACKS));
	cr_assert(zero(ptr, h));
	expect_gone();
}

Test(helper, a_program_that_cannot_be_executed_is_an_error)
{
	char dir[] = "/tmp/nestor-test-XXXXXX", path[64];
	int fd;

	cr_assert(ne(ptr, mkdtemp(dir), NULL));
	snprintf(path, sizeof(path), "%s/broken", dir);
	fd = open(path, O_CREAT | O_WRONLY, 0755);
	cr_assert(eq(int, write(fd, "\177ELF", 4), 4));
	close(fd);
	setenv("PATH", dir, 1);
	cr_assert(eq(int, start_as("broken", ""), STATUS_HOST_LACKS));
	expect_gone();
	unlink(path);
	rmdir(dir);
	expect_no_leak();
}

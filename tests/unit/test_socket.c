// SPDX-License-Identifier: GPL-2.0-only
/* Control sockets by name: who has one, who left one behind. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/peer.h"
#include "control/socket.h"

static char folder[] = "/tmp/nestor-unit-XXXXXX";
static char path[PATH_MAX];

static void make(void)
{
	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	setenv("XDG_RUNTIME_DIR", folder, 1);
}

static void unmake(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert(zero(int, system(command)));
}

TestSuite(socket, .init = make, .fini = unmake, .timeout = 10);

struct name_case {
	char name[80];
	bool ok;
};

ParameterizedTestParameters(socket, names_are_short_and_plain)
{
	static struct name_case cases[] = {
		{ "guest-1", true },
		{ "A.b_C-9", true },
		{ "0123456789012345678901234567890123456789012345678901234567890123", true },
		{ "01234567890123456789012345678901234567890123456789012345678901234", false },
		{ "", false },
		{ "a/b", false },
		{ "a b", false },
		{ "\xc3\xa9", false },
		{ "a\n", false },
	};

	return cr_make_param_array(struct name_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct name_case *c, socket, names_are_short_and_plain)
{
	cr_assert(eq(int, socket_name_ok(c->name), c->ok), "%s", c->name);
}

static unsigned int mode(const char *name)
{
	struct stat st;

	cr_assert(zero(int, stat(name, &st)), "%s", name);
	return st.st_mode & 0777;
}

Test(socket, it_is_its_owners_alone)
{
	char dir[64];

	umask(0);
	cr_assert(ge(int, socket_listen("a", path, sizeof(path)), 0));
	snprintf(dir, sizeof(dir), "%s/nestor", folder);
	cr_assert(eq(u32, mode(dir), 0700));
	cr_assert(eq(u32, mode(path), 0600));
}

Test(socket, a_name_is_had_once)
{
	int fd = socket_listen("a", path, sizeof(path));

	cr_assert(ge(int, fd, 0));
	cr_assert(eq(int, socket_listen("a", path, sizeof(path)), -EADDRINUSE));
	cr_assert(ge(int, socket_listen("b", path, sizeof(path)), 0));
	cr_assert(ge(int, socket_connect("a"), 0));
	cr_assert(eq(int, socket_connect("c"), -ENOENT));
	close(fd);
	cr_assert(eq(int, socket_connect("a"), -ENOENT)); /* stale */
	cr_assert(ge(int, socket_listen("a", path, sizeof(path)), 0));
}

static char found[256];

static void find(void *ctx, const char *name)
{
	(void)ctx;
	strcat(strcat(found, name), " ");
}

Test(socket, those_that_run_are_found_in_order_and_stale_ones_removed)
{
	int a;

	cr_assert(zero(int, socket_each(find, NULL))); /* no folder yet */
	cr_assert(ge(int, socket_listen("b", path, sizeof(path)), 0));
	a = socket_listen("a", path, sizeof(path));
	cr_assert(ge(int, a, 0));
	cr_assert(zero(int, socket_each(find, NULL)));
	cr_assert(eq(str, found, "a b "));
	close(a);
	*found = 0;
	cr_assert(zero(int, socket_each(find, NULL)));
	cr_assert(eq(str, found, "b "));
	cr_assert(eq(int, access(path, F_OK), -1));
}

Test(socket, one_that_ends_before_it_is_connected_to_leaves_no_stale_one)
{
	int a = socket_listen("a", path, sizeof(path));

	cr_assert(zero(int, socket_each(find, NULL)));
	cr_assert(eq(str, found, "a "));
	close(a);
	cr_assert(eq(int, socket_connect("a"), -ENOENT));
	cr_assert(eq(int, access(path, F_OK), -1));
}

Test(socket, one_too_busy_to_be_connected_to_is_not_stale)
{
	cr_assert(ge(int, socket_listen("a", path, sizeof(path)), 0));
	while (socket_connect("a") >= 0)
		;
	cr_assert(eq(int, socket_connect("a"), -EAGAIN));
	cr_assert(zero(int, socket_each(find, NULL)));
	cr_assert(eq(str, found, "a "));
	cr_assert(eq(int, socket_listen("a", path, sizeof(path)), -EADDRINUSE));
}

Test(socket, a_folder_that_others_may_write_is_refused)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "%s/nestor", folder);
	cr_assert(zero(int, mkdir(dir, 0700)));
	cr_assert(zero(int, chmod(dir, 0777)));
	cr_assert(eq(int, socket_listen("a", path, sizeof(path)), -EPERM));
	cr_assert(eq(int, socket_each(find, NULL), -EPERM));
}

Test(socket, a_path_too_long_is_an_error)
{
	static char deep[200];

	memset(deep, 'x', sizeof(deep) - 1);
	setenv("XDG_RUNTIME_DIR", deep, 1);
	cr_assert(eq(int, socket_listen("a", path, sizeof(path)), -ENAMETOOLONG));
}

/* Hangs up on whoever connects, and listens no more. */
static void *ends(void *listener)
{
	struct pollfd seen = { .fd = *(int *)listener, .events = POLLIN };

	poll(&seen, 1, 10000);
	close(*(int *)listener);
	return NULL;
}

Test(socket, a_guest_that_ends_before_it_accepts_is_none)
{
	int fd = socket_listen("a", path, sizeof(path));
	struct peer peer;
	pthread_t thread;

	cr_assert(zero(int, pthread_create(&thread, NULL, ends, &fd)));
	cr_assert(eq(int, peer_open(&peer, "a", 10), -ENOENT));
	pthread_join(thread, NULL);
	cr_assert(eq(int, access(path, F_OK), -1));
}

static int listens(void *ctx)
{
	(void)ctx;
	return socket_listen("a", path, sizeof(path)) < 0;
}

/* As of a process that was killed, whose io_uring is not closed yet. */
Test(socket, one_that_is_open_still_though_who_listened_has_ended_is_stale)
{
	static _Alignas(16) char stack[65536];
	pid_t child = clone(listens, stack + sizeof(stack), CLONE_FILES | SIGCHLD, NULL);
	int fd;

	cr_assert(gt(int, child, 0));
	waitpid(child, NULL, 0);
	cr_assert(eq(int, socket_connect("a"), -ENOENT));
	fd = socket_listen("a", path, sizeof(path));
	cr_assert(ge(int, fd, 0));
	close(socket_connect("a"));
	cr_assert(zero(int, socket_each(find, NULL)));
	cr_assert(eq(str, found, "a "));
}

/* Takes the name when told to, and keeps it until told. */
static int contend(int go, int end)
{
	char byte;
	int fd;

	(void)!read(go, &byte, 1);
	fd = socket_listen("a", path, sizeof(path));
	if (fd >= 0)
		(void)!read(end, &byte, 1);
	return fd < 0;
}

/* Eight at once for a stale name. */
static void race(void)
{
	int stale = socket_listen("a", path, sizeof(path)), go[2], end[2], status;

	cr_assert(ge(int, stale, 0));
	close(stale);
	cr_assert(zero(int, pipe(go) | pipe(end)));
	for (int i = 0; i < 8; i++) {
		if (fork())
			continue;
		close(go[1]);
		close(end[1]);
		_exit(contend(go[0], end[0]));
	}
	close(go[1]);
	for (int losers = 0; losers < 7; losers++) {
		wait(&status);
		cr_assert(eq(int, WEXITSTATUS(status), 1));
	}
	close(end[1]);
	wait(&status);
	cr_assert(zero(int, status));
	close(go[0]);
	close(end[0]);
}

Test(socket, a_race_for_a_stale_name_has_one_winner)
{
	race();
}

/* Whether that process waits for a flock (proc_locks(5): a line with "->"). */
static bool waits(int pid)
{
	char line[256], want[32];
	FILE *file = fopen("/proc/locks", "r");
	bool is = false;

	snprintf(want, sizeof(want), " %d ", pid);
	while (!is && fgets(line, sizeof(line), file))
		is = strstr(line, "-> FLOCK") && strstr(line, want);
	fclose(file);
	return is;
}

Test(socket, a_name_is_not_taken_while_another_is_made)
{
	char dir[64];
	int fd, pid, status;

	snprintf(dir, sizeof(dir), "%s/nestor", folder);
	cr_assert(zero(int, mkdir(dir, 0700)));
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	cr_assert(zero(int, flock(fd, LOCK_EX)));
	pid = fork();
	if (!pid) {
		close(fd);
		_exit(socket_listen("a", path, sizeof(path)) < 0);
	}
	while (!waits(pid))
		cr_assert(zero(int, waitpid(pid, &status, WNOHANG)), "it did not wait");
	flock(fd, LOCK_UN);
	waitpid(pid, &status, 0);
	cr_assert(zero(int, status));
}

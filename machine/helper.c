// SPDX-License-Identifier: GPL-2.0-only
/* Programs that run beside Nestor: found, started, listened to, ended. */
#include "machine/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine/guardian.h"
#include "machine/status.h"
#include "vmm/loop.h"

#define LINE_SIZE  256
#define TURN       (4u << 10) /* bytes of output, before others have theirs */
#define LAST_WORDS (1u << 20) /* bytes that a pipe holds at most (fs.pipe-max-size) */

struct helper {
	char option[LINE_SIZE];
	const char *name;
	struct log *log;
	struct loop *loop;
	struct helper_watcher *watcher;
	pid_t guardian;
	int life, output, pidfd; /* life: closed, the program is to end */
	struct loop_op end_op, output_op;
	char text[LINE_SIZE];                  /* as it was read */
	char line[LINE_SIZE], last[LINE_SIZE]; /* what has no end yet; what it said before */
	size_t line_len;
};

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

static bool find_in(char *path, size_t size, const char *folder, size_t len, const char *name)
{
	return (size_t)snprintf(path, size, "%.*s/%s", (int)len, folder, name) < size &&
	       is_program(path);
}

static bool find(char *path, size_t size, const struct helper_config *c)
{
	const char *folder = getenv("PATH");

	while (folder && *folder) {
		size_t len = strcspn(folder, ":");

		if (len && find_in(path, size, folder, len, c->argv[0]))
			return true;
		folder += len + !!folder[len];
	}
	for (const char *const *p = c->paths; p && *p; p++)
		if (find_in(path, size, *p, strlen(*p), c->argv[0]))
			return true;
	return false;
}

/* A line that is whole: traced, and kept in case it is the last. */
static void say(struct helper *h)
{
	h->line[h->line_len] = 0;
	if (h->line_len)
		memcpy(h->last, h->line, h->line_len + 1);
	h->line_len = 0;
	trace(h->log, TRACE_HELPER, "%s: %s", h->name, h->last);
}

/* What it says goes to a log: printable, and lines too long are cut. */
static void listen_to(struct helper *h, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		u8 c = h->text[i];

		if (c == '\n' || h->line_len == LINE_SIZE - 1)
			say(h);
		if (c >= ' ' && c != 0x7f)
			h->line[h->line_len++] = c;
	}
}

/* What is there now, @most at most; false: and nothing will follow. */
static bool read_output(struct helper *h, size_t most)
{
	ssize_t n = 0;

	for (size_t done = 0; done < most; done += n) {
		n = read(h->output, h->text, sizeof(h->text));
		if (n <= 0)
			break;
		listen_to(h, n);
	}
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static void output_ready(struct loop_op *op, int res)
{
	struct helper *h = container_of(op, struct helper, output_op);

	if (res >= 0 && read_output(h, TURN))
		loop_poll(h->loop, op, h->output, POLLIN);
}

/* The guardian has ended as the program did; what that started may still be talking. */
static void describe(struct helper *h, char *how, size_t size)
{
	siginfo_t info = { 0 };

	waitid(P_PIDFD, h->pidfd, &info, WEXITED | WNOWAIT);
	read_output(h, LAST_WORDS);
	if (h->line_len)
		say(h);
	snprintf(how, size, "%s ended with exit code %d%s%s", h->name, info.si_status,
	         *h->last ? ": " : "", h->last);
}

static void ended(struct loop_op *op, int res)
{
	struct helper *h = container_of(op, struct helper, end_op);
	char how[2 * LINE_SIZE];

	if (res < 0)
		return;
	describe(h, how, sizeof(how));
	h->watcher->ended(h->watcher, how);
}

void helper_watch(struct helper *h, struct loop *loop, struct helper_watcher *w)
{
	h->loop = loop;
	h->watcher = w;
	h->end_op = (struct loop_op){ .done = ended, .endless = true };
	h->output_op = (struct loop_op){ .done = output_ready, .endless = true };
	loop_poll(loop, &h->end_op, h->pidfd, POLLIN);
	loop_poll(loop, &h->output_op, h->output, POLLIN);
}

int helper_check(struct helper *h, int ms)
{
	struct pollfd end = { .fd = h->pidfd, .events = POLLIN };
	char how[2 * LINE_SIZE];

	if (poll(&end, 1, ms) <= 0)
		return 0;
	describe(h, how, sizeof(how));
	log_error("%s: %s", h->option, how);
	return STATUS_HOST_LACKS;
}

/* A descriptor that the program's own three do not overwrite. */
static int raise_fd(int *fd)
{
	int high = fcntl(*fd, F_DUPFD_CLOEXEC, HELPER_FD + 1);

	if (high < 0)
		return -errno;
	close(*fd);
	*fd = high;
	return 0;
}

struct pipes {
	int life[2], output[2], failed[2];
};

static void close_ends(struct pipes *p, int end)
{
	int *all[] = { p->life, p->output, p->failed };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i][end] >= 0)
			close(all[i][end]);
		all[i][end] = -1;
	}
}

static int open_pipes(struct pipes *p)
{
	int *all[] = { p->life, p->output, p->failed };
	int err = 0;

	memset(p, 0xff, sizeof(*p));
	for (size_t i = 0; i < ARRAY_SIZE(all) && !err; i++) {
		err = pipe2(all[i], O_CLOEXEC) ? -errno : raise_fd(&all[i][0]);
		if (!err)
			err = raise_fd(&all[i][1]);
	}
	if (!err)
		return 0;
	close_ends(p, 0);
	close_ends(p, 1);
	return err;
}

/* 0, or why the program could not be executed. */
static int launch(struct helper *h, const struct helper_config *c, const char *path,
                  struct pipes *p)
{
	const struct guardian g = {
		.path = path,
		.argv = c->argv,
		.life = p->life[0],
		.output = p->output[1],
		.given = c->fd,
		.failed = p->failed[1],
	};
	int err = 0;

	h->guardian = fork();
	if (h->guardian < 0)
		return -errno;
	if (!h->guardian) {
		close(p->life[1]);
		guardian_run(&g);
	}
	h->pidfd = syscall(SYS_pidfd_open, h->guardian, 0);
	if (h->pidfd < 0)
		return -errno;
	fcntl(p->output[0], F_SETFL, O_NONBLOCK);
	close(p->life[0]);
	close(p->output[1]);
	close(p->failed[1]);
	p->life[0] = p->output[1] = p->failed[1] = -1;
	while (read(p->failed[0], &err, sizeof(err)) < 0 && errno == EINTR)
		;
	close(p->failed[0]);
	p->failed[0] = -1;
	return -err;
}

void helper_end(struct helper *h)
{
	if (h->life >= 0)
		close(h->life);
	h->life = -1;
}

static void forget(struct helper *h)
{
	helper_end(h);
	if (h->guardian > 0)
		waitpid(h->guardian, NULL, 0);
	if (h->pidfd >= 0)
		close(h->pidfd);
	close(h->output);
	free(h);
}

static int start(struct helper *h, struct helper_config *c, const char *path)
{
	struct pipes p;
	int err = raise_fd(&c->fd);

	if (!err)
		err = open_pipes(&p);
	if (err)
		return err;
	err = launch(h, c, path, &p);
	h->life = p.life[1];
	h->output = p.output[0];
	p.life[1] = p.output[0] = -1;
	close_ends(&p, 0);
	close_ends(&p, 1);
	return err;
}

int helper_start(struct helper **helper, const struct helper_config *config)
{
	struct helper_config c = *config;
	struct helper *h = calloc(1, sizeof(*h));
	char path[4096];
	int err = -ENOMEM;

	if (!find(path, sizeof(path), &c)) {
		log_error("%s: %s: not found: expected it in PATH", c.option, c.argv[0]);
		free(h);
		close(c.fd);
		return STATUS_HOST_LACKS;
	}
	if (h) {
		*h = (struct helper){ .name = c.argv[0], .log = c.log };
		snprintf(h->option, sizeof(h->option), "%s", c.option);
		h->life = h->output = h->pidfd = -1;
		err = start(h, &c, path);
	}
	close(c.fd);
	if (!err) {
		*helper = h;
		return 0;
	}
	log_error("%s: %s: %s: expected a program that runs", c.option, path, strerror(-err));
	if (h)
		forget(h);
	return STATUS_HOST_LACKS;
}

void helper_stop(struct helper *h)
{
	if (h)
		forget(h);
}

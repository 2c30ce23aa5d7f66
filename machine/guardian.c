// SPDX-License-Identifier: GPL-2.0-only
/*
 * The process between Nestor and a helper program. PR_SET_PDEATHSIG alone would
 * not do: a program that changes its credentials loses it (prctl(2)).
 */
#include "machine/guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine/helper.h"

#define PATIENCE 2000 /* ms from SIGTERM to SIGKILL */

static void close_from(unsigned int first, unsigned int flags)
{
	syscall(SYS_close_range, first, ~0u, flags);
}

static _Noreturn void execute(const struct guardian *g, pid_t guardian)
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY), err;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != guardian)
		_exit(1);
	dup2(null, STDIN_FILENO);
	dup2(g->output, STDOUT_FILENO);
	dup2(g->output, STDERR_FILENO);
	dup2(g->given, HELPER_FD); /* both are above it: helper_start() saw to that */
	close_from(HELPER_FD + 1, CLOSE_RANGE_CLOEXEC);
	execv(g->path, (char *const *)g->argv);
	err = errno;
	(void)!write(g->failed, &err, sizeof(err));
	_exit(127);
}

/* Nothing of Nestor's is held open but the pipe. */
static int keep_only(int life)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	dup2(life, 3);
	close_from(4, 0);
	return 3;
}

static _Noreturn void exit_as(pid_t child)
{
	int status = 0;

	waitpid(child, &status, 0);
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

_Noreturn void guardian_run(const struct guardian *g)
{
	const pid_t self = getpid();
	struct pollfd fds[2];
	sigset_t all;
	pid_t child;

	setpgid(0, 0); /* what is sent to the whole job is not the helper's to take */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGCHLD, SIG_DFL);
	prctl(PR_SET_NAME, "nestor-helper");
	child = fork();
	if (!child)
		execute(g, self);
	if (child < 0)
		_exit(1);
	fds[0] = (struct pollfd){ .fd = keep_only(g->life), .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = syscall(SYS_pidfd_open, child, 0), .events = POLLIN };
	while (poll(fds, 2, -1) < 0)
		;
	if (!fds[1].revents) {
		kill(child, SIGTERM);
		if (poll(&fds[1], 1, PATIENCE) <= 0)
			kill(child, SIGKILL);
	}
	exit_as(child);
}

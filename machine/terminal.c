// SPDX-License-Identifier: GPL-2.0-only
/* The terminal in raw mode, and given back on every way out. */
#include "machine/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/*
 * Waits for the other end of the pipe to be closed, by us or by the kernel. It
 * keeps nothing else of Nestor's open: a helper lives as long as its pipe does.
 */
static void guard(int fd, const struct termios *saved)
{
	sigset_t all;
	char byte;

	dup2(fd, STDERR_FILENO + 1);
	fd = STDERR_FILENO + 1;
	syscall(SYS_close_range, fd + 1, ~0u, 0);
	setpgid(0, 0); /* what is sent to the whole job must not take its guardian too */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_NAME, "nestor-tty");
	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
	tcsetattr(STDIN_FILENO, TCSANOW, saved); /* SIGTTOU is blocked: also from the background */
	_exit(0);
}

static int start_guard(struct terminal *t, const struct termios *saved)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	t->child = fork();
	if (t->child < 0) {
		int err = -errno;

		close(fds[0]);
		close(fds[1]);
		return err;
	}
	if (!t->child) {
		close(fds[1]);
		guard(fds[0], saved);
	}
	close(fds[0]);
	t->guard = fds[1];
	return 0;
}

int terminal_raw(struct terminal *t)
{
	struct termios saved, raw;
	int err;

	t->guard = -1;
	/* Of a shell's background job it is not ours to change. */
	if (tcgetattr(STDIN_FILENO, &saved) || tcgetpgrp(STDIN_FILENO) != getpgrp())
		return 0;
	err = start_guard(t, &saved);
	if (err)
		return err;
	raw = saved;
	raw.c_iflag &= ~(ICRNL | INLCR | IGNCR | ISTRIP | IXON | BRKINT);
	raw.c_lflag &= ~(ICANON | ECHO | ISIG | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (!tcsetattr(STDIN_FILENO, TCSANOW, &raw))
		return 0;
	err = -errno;
	terminal_restore(t);
	return err;
}

void terminal_restore(struct terminal *t)
{
	if (t->guard < 0)
		return;
	close(t->guard);
	waitpid(t->child, NULL, 0);
	t->guard = -1;
}

// SPDX-License-Identifier: GPL-2.0-only
/* A terminal in raw mode, and what its guard keeps of Nestor's: nothing. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include "machine/terminal.h"

static int life[2];
static int pty; /* its master */

/* In a session of its own, whose terminal is standard input. */
static void in_session(int slave)
{
	struct terminal t;
	char byte;

	login_tty(slave);
	if (terminal_raw(&t) || t.guard < 0)
		_exit(1);
	close(life[1]);
	if (read(STDIN_FILENO, &byte, 1) != 1)
		_exit(2);
	terminal_restore(&t);
	_exit(0);
}

static tcflag_t local_flags(void)
{
	struct termios now;

	cr_assert(zero(int, tcgetattr(pty, &now)));
	return now.c_lflag;
}

Test(terminal, is_raw_then_given_back_and_its_guard_keeps_no_pipe_open, .timeout = 20)
{
	struct pollfd end;
	int slave, status;
	pid_t child;

	cr_assert(zero(int, pipe2(life, O_CLOEXEC)));
	cr_assert(zero(int, openpty(&pty, &slave, NULL, NULL, NULL)));
	child = fork();
	if (!child)
		in_session(slave);
	close(slave);
	close(life[1]);
	end = (struct pollfd){ .fd = life[0], .events = POLLIN };
	cr_assert(eq(int, poll(&end, 1, 5000), 1), "the guard keeps it");
	cr_assert(zero(u32, local_flags() & ICANON));
	cr_assert(eq(int, write(pty, "x", 1), 1));
	waitpid(child, &status, 0);
	cr_assert(zero(int, status));
	cr_assert(ne(u32, local_flags() & ICANON, 0));
}

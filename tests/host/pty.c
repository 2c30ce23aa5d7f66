// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a command on a terminal of its own, of 30 lines and 100 columns:
 * pty [WAIT KEYS|-SIGNAL|@SIGNAL|=LINES]... -- COMMAND ARG...
 * Once the command has printed WAIT, KEYS are typed, SIGNAL is sent to it (@: to its whole
 * process group) or the terminal has as many LINES; then the next pair's turn comes. Prints what
 * the command printed; exits with its status (128+N for a signal), or 99 if the terminal's settings
 * are then not what they were.
 */
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#define SETTLE 5000 /* ms for whoever gives the terminal back after the command has gone */

static bool same(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_lflag == b->c_lflag &&
	       a->c_cflag == b->c_cflag && !memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc));
}

static void act(int terminal, const char *what)
{
	pid_t command = tcgetpgrp(terminal);

	if (*what == '-')
		kill(command, atoi(what + 1));
	else if (*what == '@')
		kill(-command, atoi(what + 1));
	else if (*what == '=')
		ioctl(terminal, TIOCSWINSZ,
		      &(struct winsize){ .ws_row = atoi(what + 1), .ws_col = 100 });
	else if (write(terminal, what, strlen(what)) < 0)
		perror("pty: write");
}

/* Copies what the command prints until the terminal is closed; acts at each pair's cue. */
static void converse(int terminal, char **pair)
{
	static char all[1 << 20];
	char *from = all;
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(all) - 1 &&
	       (n = read(terminal, all + len, sizeof(all) - 1 - len)) > 0) {
		char *cue;

		fwrite(all + len, n, 1, stdout);
		len += n;
		all[len] = 0;
		while (strcmp(pair[0], "--") && (cue = strstr(from, pair[0]))) {
			from = cue + strlen(pair[0]);
			act(terminal, pair[1]);
			pair += 2;
		}
	}
}

/* The command is a job in the foreground, as a shell's is; its status as a shell has it. */
static int run(char **command)
{
	pid_t child = fork();
	int status;

	if (!child) {
		setpgid(0, 0);
		tcsetpgrp(STDIN_FILENO, getpid());
		signal(SIGTTOU, SIG_DFL);
		execvp(*command, command);
		_exit(97);
	}
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The session's leader, which keeps the terminal from being hung up when the command ends. */
static int lead(int slave, char **command)
{
	struct termios before, after;
	int status;

	login_tty(slave);
	signal(SIGTTOU, SIG_IGN);
	tcgetattr(STDIN_FILENO, &before);
	status = run(command);
	for (int i = 0; i < SETTLE / 10; i++) {
		tcgetattr(STDIN_FILENO, &after);
		if (same(&before, &after))
			return status;
		poll(NULL, 0, 10);
	}
	return 99;
}

int main(int argc, char **argv)
{
	const struct winsize size = { .ws_row = 30, .ws_col = 100 };
	int terminal, slave, status, command = 1;
	pid_t leader;

	while (command < argc && strcmp(argv[command], "--"))
		command += 2;
	if (++command >= argc || openpty(&terminal, &slave, NULL, NULL, &size))
		return 98;
	leader = fork();
	if (!leader) {
		close(terminal);
		_exit(lead(slave, argv + command));
	}
	close(slave);
	converse(terminal, argv + 1);
	waitpid(leader, &status, 0);
	return WEXITSTATUS(status);
}

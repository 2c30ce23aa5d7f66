// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a command on a terminal of its own, of 30 lines and 100 columns:
 * pty [WAIT KEYS|-SIGNAL|=LINES]... -- COMMAND ARG...
 * Once the command has printed WAIT, KEYS are typed, SIGNAL is sent or the terminal has as many
 * LINES; then the next pair's turn comes. Prints what the command printed; exits with its status
 * (128+N for a signal), or 99 if the terminal's settings are then not what they were.
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

static void act(int terminal, pid_t child, const char *what)
{
	if (*what == '-')
		kill(child, atoi(what + 1));
	else if (*what == '=')
		ioctl(terminal, TIOCSWINSZ,
		      &(struct winsize){ .ws_row = atoi(what + 1), .ws_col = 100 });
	else if (write(terminal, what, strlen(what)) < 0)
		perror("pty: write");
}

/* Copies what the command prints until it closes the terminal; acts at each pair's cue. */
static void converse(int terminal, pid_t child, char **pair)
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
			act(terminal, child, pair[1]);
			pair += 2;
		}
	}
}

int main(int argc, char **argv)
{
	const struct winsize size = { .ws_row = 30, .ws_col = 100 };
	struct termios before, after;
	int terminal, slave, status, command = 1;
	pid_t child;

	while (command < argc && strcmp(argv[command], "--"))
		command += 2;
	if (++command >= argc || openpty(&terminal, &slave, NULL, NULL, &size))
		return 98;
	tcgetattr(slave, &before);
	child = fork();
	if (!child) {
		close(terminal);
		login_tty(slave);
		execvp(argv[command], argv + command);
		_exit(97);
	}
	signal(SIGHUP, SIG_IGN);
	close(slave);
	converse(terminal, child, argv + 1);
	waitpid(child, &status, 0);
	/* The settings live with the terminal; a killed command's are given back by its guardian.
	 */
	for (int i = 0; i < SETTLE / 10; i++) {
		tcgetattr(terminal, &after);
		if (same(&before, &after))
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		poll(NULL, 0, 10);
	}
	return 99;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The time from a command's exec until it prints a word: clock WORD COMMAND ARG... prints it in
 * milliseconds. The command then has ten seconds to end by itself. With an empty WORD until it
 * has ended well, and behind that the most it had resident, in MiB.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

/* The time when @word had come, 0 where it never did; reads on until the command closes its end. */
static double wait_for(int fd, const char *word)
{
	static char all[1 << 16];
	size_t len = 0;
	double seen = 0;
	ssize_t n;

	while ((n = read(fd, all + len, sizeof(all) - 1 - len)) > 0) {
		len += n;
		all[len] = 0;
		if (!seen && strstr(all, word)) {
			seen = now();
			alarm(10);
		}
		if (seen)
			len = 0;
	}
	return seen;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	double start, seen;
	pid_t child;
	int out[2], status;

	if (argc < 3 || pipe(out))
		return 2;
	start = now();
	child = fork();
	if (!child) {
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	close(out[1]);
	seen = wait_for(out[0], *argv[1] ? argv[1] : "\n\n");
	wait4(child, &status, 0, &usage);
	if (!*argv[1] && !status) {
		printf("%.3f %.2f\n", now() - start, usage.ru_maxrss / 1024.0);
		return 0;
	}
	if (!seen)
		return 1;
	printf("%.3f\n", seen - start);
	return 0;
}

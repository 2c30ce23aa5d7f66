/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_SAID_H
#define TESTS_UNIT_SAID_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* What a test's process says on a stream, as often as it is asked for: cr_redirect_stderr's can be
 * read once. */
static int said_fds[3] = { -1, -1, -1 };

static inline void listen_to(FILE *stream)
{
	int to = fileno(stream);

	fflush(stream);
	said_fds[to] = memfd_create("said", MFD_CLOEXEC);
	cr_assert(eq(int, dup2(said_fds[to], to), to));
}

/* All of it since the last time. */
static inline char *said(FILE *stream)
{
	static char text[16384];
	int fd = said_fds[fileno(stream)];
	ssize_t len;

	fflush(stream);
	len = pread(fd, text, sizeof(text) - 1, 0);
	cr_assert(ge(int, len, 0));
	text[len] = 0;
	cr_assert(zero(int, ftruncate(fd, 0)));
	lseek(fd, 0, SEEK_SET);
	return text;
}

/* For a suite's .init. */
static inline void listen_to_errors(void)
{
	listen_to(stderr);
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* Files that the command line names, opened without waiting for what is none. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/file.h"

TestSuite(file, .timeout = 10);

Test(file, a_file_is_open_as_asked_for_and_waits_for_its_disk)
{
	int fd, from = memfd_create("file", MFD_CLOEXEC);
	char path[64];
	u64 size = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", from);
	cr_assert(zero(int, ftruncate(from, 12345)));
	cr_assert(zero(int, file_open(path, O_RDWR, &fd, &size)));
	cr_assert(eq(u64, size, 12345));
	cr_assert(eq(int, fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR));
	cr_assert(eq(int, fcntl(fd, F_GETFD), FD_CLOEXEC));
	close(fd);
	cr_assert(zero(int, file_open(path, O_RDONLY, &fd, &size)));
	cr_assert(eq(int, fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDONLY));
	close(fd);
	close(from);
}

Test(file, an_empty_file_is_a_file)
{
	int fd, from = memfd_create("file", MFD_CLOEXEC);
	char path[64];
	u64 size = 1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", from);
	cr_assert(zero(int, file_open(path, O_RDONLY, &fd, &size)));
	cr_assert(zero(u64, size));
	close(fd);
	close(from);
}

struct none_case {
	char path[32];
	int flags, err;
	bool open; /* the caller has a descriptor to close */
};

ParameterizedTestParameters(file, what_is_no_file_has_its_error)
{
	static struct none_case cases[] = {
		{ "/nonexistent", O_RDONLY, -ENOENT, false },
		{ "", O_RDONLY, -ENOENT, false },
		{ "/proc", O_RDONLY, -EISDIR, true },
		{ "/proc", O_RDWR, -EISDIR, false },
		{ "/dev/null", O_RDONLY, -ESPIPE, true },
		{ "/dev/ptmx", O_RDWR | O_NOCTTY, -ESPIPE, true },
	};

	return cr_make_param_array(struct none_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct none_case *c, file, what_is_no_file_has_its_error, .timeout = 10)
{
	u64 size = 77;
	int fd = -2;

	cr_assert(eq(int, file_open(c->path, c->flags, &fd, &size), c->err), "%s", c->path);
	cr_assert(eq(int, fd >= 0, c->open), "%s", c->path);
	cr_assert(eq(u64, size, 77));
	if (fd >= 0)
		close(fd);
	else
		cr_assert(eq(int, fd, -1));
}

Test(file, a_pipe_that_nobody_writes_is_not_waited_for)
{
	char dir[] = "/tmp/nestor-unit-XXXXXX", path[64];
	u64 size;
	int fd;

	cr_assert(ne(ptr, mkdtemp(dir), NULL));
	snprintf(path, sizeof(path), "%s/pipe", dir);
	cr_assert(zero(int, mkfifo(path, 0600)));
	cr_assert(eq(int, file_open(path, O_RDONLY, &fd, &size), -ESPIPE));
	close(fd);
	cr_assert(eq(int, file_open(path, O_RDWR, &fd, &size), -ESPIPE));
	close(fd);
	cr_assert(eq(int, file_open(path, O_WRONLY, &fd, &size), -ENXIO));
	cr_assert(eq(int, fd, -1));
	unlink(path);
	rmdir(dir);
}

// SPDX-License-Identifier: GPL-2.0-only
/* What --disk names, before there is a guest. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/redirect.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine/disk.h"
#include "machine/status.h"

/* A file that has a path only as long as this process does. */
static int file(char path[64], u64 size)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);

	cr_assert(zero(int, ftruncate(fd, size)));
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

Test(disk, a_file_is_opened_for_what_the_guest_may_do)
{
	char path[64];
	struct disk_option o = { .path = path };
	u64 size;
	int fd;

	file(path, 1000);
	cr_assert(zero(int, disk_open(&o, &fd, &size)));
	cr_assert(eq(u64, size, 1000));
	cr_assert(eq(int, fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR));
	cr_assert(eq(int, fcntl(fd, F_GETFD), FD_CLOEXEC));
	close(fd);
	o.read_only = true;
	cr_assert(zero(int, disk_open(&o, &fd, &size)));
	cr_assert(eq(int, fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY));
	close(fd);
}

Test(disk, less_than_a_sector_is_refused, .init = cr_redirect_stderr)
{
	char path[64], want[128];
	struct disk_option o = { .path = path };
	u64 size;
	int fd;

	file(path, 511);
	cr_assert(eq(int, disk_open(&o, &fd, &size), STATUS_USAGE));
	fflush(stderr);
	snprintf(want, sizeof(want),
	         "nestor: --disk %s: 511 bytes: expected at least one sector of 512\n", path);
	cr_assert_stderr_eq_str(want);
	close(fd);
}

struct disk_case {
	char path[32];
	bool read_only;
	char said[128];
};

ParameterizedTestParameters(disk, what_is_no_disk_is_refused)
{
	static struct disk_case cases[] = {
		{ "/nonexistent", false,
		  "No such file or directory: expected a file that can be read and written (or FILE,ro)" },
		{ "/nonexistent", true,
		  "No such file or directory: expected a file that can be read" },
		{ "/proc", true, "expected a raw file or a block device" },
		{ "/dev/null", false, "expected a raw file or a block device" },
	};

	return cr_make_param_array(struct disk_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct disk_case *c, disk, what_is_no_disk_is_refused)
{
	const struct disk_option o = { .path = c->path, .read_only = c->read_only };
	char want[200];
	u64 size;
	int fd;

	cr_redirect_stderr();
	cr_assert(eq(int, disk_open(&o, &fd, &size), STATUS_USAGE));
	fflush(stderr);
	snprintf(want, sizeof(want), "nestor: --disk %s: %s\n", c->path, c->said);
	cr_assert_stderr_eq_str(want);
	if (fd >= 0)
		close(fd);
}

// SPDX-License-Identifier: GPL-2.0-only
/* --hugetlb and --hugetlbfs: sizes, folders, and what is said of those that do not fit. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "machine/hugetlb.h"
#include "machine/status.h"
#include "tests/unit/said.h"

#define MIB (1ULL << 20)

static struct options o = { .mem = 256 * MIB };
static u64 page = 1;

TestSuite(hugetlb, .init = listen_to_errors);

struct size_case {
	char val[24];
	u64 size; /* 0: refused */
};

ParameterizedTestParameters(hugetlb, a_size_is_a_power_of_two_with_a_unit)
{
	static struct size_case cases[] = {
		{ "64K", 64 << 10 },
		{ "64k", 64 << 10 },
		{ "0x40K", 64 << 10 },
		{ "1024K", MIB },
		{ "2048K", 2 * MIB },
		{ "2M", 2 * MIB },
		{ "2m", 2 * MIB },
		{ "512M", 512 * MIB },
		{ "1g", 1024 * MIB },
		{ "16G", 16384 * MIB },
		{ "32K", 0 },
		{ "32G", 0 },
		{ "3M", 0 },
		{ "0M", 0 },
		{ "2", 0 },
		{ "2T", 0 },
		{ "2 ", 0 },
		{ "2M ", 0 },
		{ "2MB", 0 },
		{ " 2M", 0 },
		{ "-2M", 0 },
		{ "M", 0 },
		{ "", 0 },
		{ "on", 0 },
		{ "1.5G", 0 },
		{ "18446744073709551616M", 0 },
		{ "9223372036854775808K", 0 },
	};

	return cr_make_param_array(struct size_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct size_case *c, hugetlb, a_size_is_a_power_of_two_with_a_unit)
{
	const char *expected = hugetlb_option_take(&o, c->val);

	cr_assert(eq(int, !expected, !!c->size), "%s", c->val);
	if (c->size)
		cr_assert(eq(u64, o.hugetlb, c->size), "%s", c->val);
	else
		cr_assert(eq(str, (char *)expected, "a size of huge pages, such as 2M or 1G"));
}

static bool host_has(u64 size)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%llukB",
	         (unsigned long long)size >> 10);
	return !stat(path, &st);
}

static void need(u64 size)
{
	if (!host_has(size))
		cr_skip("this host has no huge pages of %llu MiB",
		        (unsigned long long)(size / MIB));
}

Test(hugetlb, without_either_option_ram_is_of_no_page_in_particular)
{
	o.mem = 17 * MIB;
	cr_assert(zero(int, hugetlb_check(&o, &page)));
	cr_assert(zero(u64, page));
}

Test(hugetlb, memory_is_whole_pages)
{
	need(2 * MIB);
	o.hugetlb = 2 * MIB;
	cr_assert(zero(int, hugetlb_check(&o, &page)));
	cr_assert(eq(u64, page, 2 * MIB));
	o.mem = 17 * MIB;
	cr_assert(eq(int, hugetlb_check(&o, &page), STATUS_USAGE));
	cr_assert(eq(str, said(stderr), "nestor: --mem 17M: expected whole huge pages of 2M\n"));
}

struct lack_case {
	u64 size;
	char said[48];
};

ParameterizedTestParameters(hugetlb, a_size_that_the_host_has_not_is_spelled_as_it_was_given)
{
	static struct lack_case cases[] = {
		{ 128 << 10, "nestor: --hugetlb 128K: " },
		{ MIB, "nestor: --hugetlb 1M: " },
		{ 8192 * MIB, "nestor: --hugetlb 8G: " },
	};

	return cr_make_param_array(struct lack_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct lack_case *c, hugetlb,
                  a_size_that_the_host_has_not_is_spelled_as_it_was_given)
{
	char *line;

	if (host_has(c->size))
		cr_skip("this host has them");
	o.hugetlb = c->size;
	cr_assert(eq(int, hugetlb_check(&o, &page), STATUS_HOST_LACKS));
	line = said(stderr);
	cr_assert(zero(int, strncmp(line, c->said, strlen(c->said))), "%s", line);
	line += strlen(c->said);
	cr_assert(zero(int, strncmp(line, "expected a size that this host has: ", 36)), "%s", line);
	if (host_has(2 * MIB))
		cr_assert(ne(ptr, strstr(line, "2M"), NULL), "%s", line);
}

struct folder_case {
	char path[32], said[120];
};

ParameterizedTestParameters(hugetlb, a_folder_that_is_no_hugetlbfs_is_refused)
{
	static struct folder_case cases[] = {
		{ "/proc", "--hugetlbfs /proc: expected a folder where a hugetlbfs is mounted" },
		{ "/nonexistent", "--hugetlbfs /nonexistent: No such file or directory: expected a "
		                  "folder where a hugetlbfs is mounted" },
		{ "", "--hugetlbfs : No such file or directory: expected a folder where a "
		      "hugetlbfs is mounted" },
	};

	return cr_make_param_array(struct folder_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct folder_case *c, hugetlb, a_folder_that_is_no_hugetlbfs_is_refused)
{
	char want[160];

	o.hugetlbfs = c->path;
	cr_assert(eq(int, hugetlb_check(&o, &page), STATUS_USAGE));
	snprintf(want, sizeof(want), "nestor: %s\n", c->said);
	cr_assert(eq(str, said(stderr), want));
}

Test(hugetlb, a_folder_and_a_size_are_one_too_many)
{
	o.hugetlb = 2 * MIB;
	o.hugetlbfs = "/proc";
	cr_assert(eq(int, hugetlb_check(&o, &page), STATUS_USAGE));
	cr_assert(eq(str, said(stderr),
	             "nestor: --hugetlbfs /proc: expected no --hugetlb beside it\n"));
}

/* Over a folder, in a mount namespace that goes with the test's process. */
static void mount_hugetlbfs(const char *dir, const char *pages)
{
	if (unshare(CLONE_NEWNS))
		cr_skip("no mount namespace: %s", strerror(errno));
	cr_assert(zero(int, mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)));
	if (mount("none", dir, "hugetlbfs", 0, pages))
		cr_skip("no hugetlbfs: %s", strerror(errno));
}

Test(hugetlb, a_hugetlbfs_says_its_page_size)
{
	static const char want[] = "nestor: --hugetlbfs /mnt: Cannot allocate memory: expected 128 "
				   "free pages of 2M; ";

	need(2 * MIB);
	mount_hugetlbfs("/mnt", "pagesize=2M");
	o.hugetlbfs = "/mnt";
	cr_assert(zero(int, hugetlb_check(&o, &page)));
	cr_assert(eq(u64, page, 2 * MIB));
	o.mem = 255 * MIB;
	cr_assert(eq(int, hugetlb_check(&o, &page), STATUS_USAGE));
	cr_assert(eq(str, said(stderr), "nestor: --mem 255M: expected whole huge pages of 2M\n"));
	o.mem = 256 * MIB;
	cr_assert(eq(int, hugetlb_failed(&o, -ENOMEM), STATUS_HOST_LACKS));
	cr_assert(zero(int, strncmp(said(stderr), want, strlen(want))));
}

Test(hugetlb, a_failure_is_told_with_what_the_pool_has)
{
	unsigned long long all, some, reserved;
	char *line;
	int end = 0;

	need(2 * MIB);
	o.hugetlb = 2 * MIB;
	cr_assert(eq(int, hugetlb_failed(&o, -ENOMEM), STATUS_HOST_LACKS));
	line = said(stderr);
	cr_assert(eq(int,
	             sscanf(line,
	                    "nestor: --hugetlb 2M: Cannot allocate memory: expected 128 free pages "
	                    "of 2M; of %llu there are, %llu are free and %llu of these reserved%n",
	                    &all, &some, &reserved, &end),
	             3),
	          "%s", line);
	cr_assert(eq(str, line + end, "\n"));
	cr_assert(ge(u64, all, some));
}

Test(hugetlb, a_folder_that_has_gone_meanwhile_is_the_reason)
{
	o.hugetlbfs = "/nonexistent";
	cr_assert(eq(int, hugetlb_failed(&o, -ENOMEM), STATUS_USAGE));
	cr_assert(ne(ptr, strstr(said(stderr), "/nonexistent: No such file or directory"), NULL));
}

// SPDX-License-Identifier: GPL-2.0-only
/* Where kernel, initrd and device tree go, and which files are refused. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/redirect.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine/boot.h"
#include "machine/layout.h"
#include "machine/status.h"

#define MIB      0x100000ULL
#define FDT_ROOM 0x200000ULL

static char kernel_path[64], initrd_path[64];
static int kernel_fd, initrd_fd;
static struct options options = { .params = "quiet", .mem = 64 * MIB };
static struct boot boot;
static struct log boot_log;
static struct platform platform = { .nr_cpus = 1 };

/* A file that has a path only as long as this process does. */
static int file(char path[64], u64 size, u8 fill)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	cr_assert(zero(int, ftruncate(fd, size)));
	cr_assert(eq(int, pwrite(fd, &fill, 1, 0), 1));
	cr_assert(eq(int, pwrite(fd, &fill, 1, size - 1), 1));
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

/* A kernel of @size bytes that takes @image_size, @text_offset from the start of RAM. */
static void kernel(u64 size, u64 text_offset, u64 image_size)
{
	kernel_fd = file(kernel_path, size, 0x11);
	cr_assert(eq(int, pwrite(kernel_fd, &text_offset, 8, 8), 8));
	cr_assert(eq(int, pwrite(kernel_fd, &image_size, 8, 16), 8));
	cr_assert(eq(int, pwrite(kernel_fd, "ARM\x64", 4, 0x38), 4));
	options.kernel = kernel_path;
}

static void initrd(u64 size)
{
	initrd_fd = file(initrd_path, size, 0x22);
	options.initrd = initrd_path;
}

static struct guest_mem ram(void)
{
	return (struct guest_mem){
		.base = RAM_BASE,
		.size = options.mem,
		.host = mmap(NULL, options.mem, PROT_READ | PROT_WRITE,
		             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
	};
}

struct place_case {
	u64 mem, kernel, text_offset, image_size, initrd;
	gpa_t fdt;
};

ParameterizedTestParameters(boot, everything_has_a_place_of_its_own)
{
	static struct place_case cases[] = {
		{ 64 * MIB, 3 * MIB, 0, 4 * MIB, 0, RAM_BASE + 62 * MIB },
		{ 64 * MIB, 3 * MIB, 0x80000, 4 * MIB, 5001, RAM_BASE + 62 * MIB },
		{ 17 * MIB, 1 * MIB, 0x200000, 9 * MIB, 2 * MIB, RAM_BASE + 14 * MIB },
		{ 17 * MIB, 1 * MIB, 0, 11 * MIB, 2 * MIB, RAM_BASE + 14 * MIB },
		{ 256 * MIB, 1 * MIB, 0, 2 * MIB, 4097, RAM_BASE + 254 * MIB },
		{ 40960 * MIB, 1 * MIB, 0, 2 * MIB, 4097, RAM_BASE + 254 * MIB },
		{ 40960 * MIB, 1 * MIB, 0, 252 * MIB, 2 * MIB, RAM_BASE + 254 * MIB },
		/* more than lkvm has room for */
		{ 40960 * MIB, 1 * MIB, 0, 252 * MIB, 2 * MIB + 1,
		  RAM_BASE + 31 * 1024 * MIB - FDT_ROOM },
		{ 320 * MIB, 1 * MIB, 0, 300 * MIB, 0, RAM_BASE + 318 * MIB },
	};

	return cr_make_param_array(struct place_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct place_case *c, boot, everything_has_a_place_of_its_own)
{
	struct guest_mem mem;
	const struct platform *p = &platform;

	options.mem = c->mem;
	kernel(c->kernel, c->text_offset, c->image_size);
	if (c->initrd)
		initrd(c->initrd);
	cr_assert(zero(int, boot_open(&boot, &options)));
	mem = ram();
	cr_assert(zero(int, boot_load(&boot, &options, &mem, &boot_log, &platform)));
	cr_assert(eq(u64, boot.entry, RAM_BASE + c->text_offset));
	cr_assert(eq(u64, boot.fdt, c->fdt));
	cr_assert(eq(u64, p->chosen.initrd_size, c->initrd));
	cr_assert(le(u64, boot.entry + c->image_size, c->initrd ? p->chosen.initrd : boot.fdt));
	cr_assert(eq(u32, *(u8 *)guest_ptr(&mem, boot.entry + c->kernel - 1, 1), 0x11));
	if (c->initrd) {
		cr_assert(zero(u64, p->chosen.initrd % 4096));
		cr_assert(le(u64, p->chosen.initrd + c->initrd, boot.fdt));
		cr_assert(eq(u32, *(u8 *)guest_ptr(&mem, p->chosen.initrd, 1), 0x22));
		cr_assert(
			eq(u32, *(u8 *)guest_ptr(&mem, p->chosen.initrd + c->initrd - 1, 1), 0x22));
	}
	boot_close(&boot);
	munmap(mem.host, mem.size);
}

Test(boot, chosen_has_the_parameters_and_fresh_seeds)
{
	struct guest_mem mem;
	u64 seed;

	kernel(MIB, 0, MIB);
	cr_assert(zero(int, boot_open(&boot, &options)));
	mem = ram();
	cr_assert(zero(int, boot_load(&boot, &options, &mem, &boot_log, &platform)));
	cr_assert(eq(str, (char *)platform.chosen.bootargs, "quiet"));
	seed = platform.chosen.kaslr_seed;
	cr_assert(zero(int, boot_load(&boot, &options, &mem, &boot_log, &platform)));
	cr_assert(ne(u64, platform.chosen.kaslr_seed, seed));
	options.kaslr_seed = 42;
	cr_assert(zero(int, boot_load(&boot, &options, &mem, &boot_log, &platform)));
	cr_assert(eq(u64, platform.chosen.kaslr_seed, 42));
	boot_close(&boot);
	munmap(mem.host, mem.size);
}

Test(boot, the_tree_is_where_the_kernel_is_told_and_in_the_dump)
{
	char path[64];
	int fd = file(path, 1, 0);
	struct guest_mem mem;
	const void *fdt;

	kernel(MIB, 0, MIB);
	options.dump_dtb = path;
	cr_assert(zero(int, boot_open(&boot, &options)));
	mem = ram();
	cr_assert(zero(int, boot_load(&boot, &options, &mem, &boot_log, &platform)));
	cr_assert(zero(int, boot_describe(&boot, &options, &mem, &platform)));
	fdt = guest_ptr(&mem, boot.fdt, FDT_ROOM);
	cr_assert(zero(int, fdt_check_header(fdt)));
	cr_assert(eq(u64, lseek(fd, 0, SEEK_END), fdt_totalsize(fdt)));
	boot_close(&boot);
	munmap(mem.host, mem.size);
}

struct memory_case {
	u64 mem, image_size, initrd;
	int status;
};

ParameterizedTestParameters(boot, what_does_not_fit_is_refused)
{
	static struct memory_case cases[] = {
		{ 16 * MIB, 14 * MIB, 0, 0 },
		{ 16 * MIB, 14 * MIB + 1, 0, STATUS_USAGE },
		{ 16 * MIB, 8 * MIB, 6 * MIB, 0 },
		{ 16 * MIB, 8 * MIB, 6 * MIB + 1, STATUS_USAGE },
		{ 40960 * MIB, 8 * MIB, 31734 * MIB, 0 },
		{ 40960 * MIB, 8 * MIB, 31734 * MIB + 1, STATUS_USAGE },
		{ 16 * MIB, (1ULL << 40) - 1, 0, STATUS_USAGE },
	};

	return cr_make_param_array(struct memory_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct memory_case *c, boot, what_does_not_fit_is_refused)
{
	cr_redirect_stderr();
	options.mem = c->mem;
	kernel(MIB, 0, c->image_size);
	if (c->initrd)
		initrd(c->initrd);
	cr_assert(eq(int, boot_open(&boot, &options), c->status));
	cr_assert(eq(int, boot.kernel >= 0, !c->status));
	boot_close(&boot);
}

Test(boot, what_does_not_fit_is_said_with_what_would, .init = cr_redirect_stderr)
{
	options.mem = 16 * MIB;
	kernel(MIB, 0, 20 * MIB);
	initrd(3 * MIB);
	boot_open(&boot, &options);
	fflush(stderr);
	cr_assert_stderr_eq_str(
		"nestor: --mem 16M: expected at least 26M: the kernel takes 20M, the initrd 3M\n");
}

Test(boot, an_initrd_beyond_the_kernels_window_is_said, .init = cr_redirect_stderr)
{
	char want[200];

	options.mem = 65536 * MIB;
	kernel(MIB, 0, MIB);
	initrd(32768 * MIB);
	cr_assert(eq(int, boot_open(&boot, &options), STATUS_USAGE));
	fflush(stderr);
	snprintf(want, sizeof(want),
	         "nestor: --initrd %s: expected kernel and initrd to fit into 31G: the kernel "
	         "takes 1M, the initrd 32768M\n",
	         initrd_path);
	cr_assert_stderr_eq_str(want);
}

struct file_case {
	char path[32], said[96];
};

ParameterizedTestParameters(boot, a_file_that_is_none_is_refused)
{
	static struct file_case cases[] = {
		{ "/nonexistent",
		  "/nonexistent: No such file or directory: expected a readable file" },
		{ "/proc", "/proc: a directory: expected a file" },
		{ "/dev/null", "/dev/null: expected a file, not a pipe or a device" },
	};

	return cr_make_param_array(struct file_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct file_case *c, boot, a_file_that_is_none_is_refused)
{
	char want[160];

	cr_redirect_stderr();
	kernel(MIB, 0, MIB);
	options.initrd = c->path;
	cr_assert(eq(int, boot_open(&boot, &options), STATUS_USAGE));
	fflush(stderr);
	snprintf(want, sizeof(want), "nestor: --initrd %s\n", c->said);
	cr_assert_stderr_eq_str(want);
	cr_assert(eq(int, boot.kernel, -1));
	cr_assert(eq(int, boot.initrd, -1));
}

Test(boot, a_kernel_for_another_machine_is_refused_by_name, .init = cr_redirect_stderr)
{
	char want[160];

	kernel(MIB, 0, MIB);
	cr_assert(eq(int, pwrite(kernel_fd, "\0\0\0\0", 4, 0x38), 4));
	cr_assert(eq(int, pwrite(kernel_fd, "\177ELF", 4, 0), 4));
	cr_assert(eq(int, boot_open(&boot, &options), STATUS_USAGE));
	fflush(stderr);
	snprintf(want, sizeof(want), "nestor: --kernel %s: an ELF file: expected an arm64 Image\n",
	         kernel_path);
	cr_assert_stderr_eq_str(want);
}

Test(boot, a_file_that_shrinks_meanwhile_is_an_error, .init = cr_redirect_stderr)
{
	struct guest_mem mem;

	kernel(MIB, 0, MIB);
	cr_assert(zero(int, boot_open(&boot, &options)));
	cr_assert(zero(int, ftruncate(kernel_fd, 4096)));
	mem = ram();
	cr_assert(eq(int, boot_load(&boot, &options, &mem, &boot_log, &platform),
	             STATUS_HOST_FAILED));
	boot_close(&boot);
	munmap(mem.host, mem.size);
}

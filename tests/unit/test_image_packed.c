// SPDX-License-Identifier: GPL-2.0-only
/* Packed kernels: what their beginning says, and what they unpack to in guest memory. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "machine/boot.h"
#include "machine/layout.h"
#include "machine/status.h"
#include "tests/unit/room.h"

#define MIB  0x100000u
#define SIZE (3 * MIB)

static u8 *kernel, *file;

__attribute__((constructor)) static void make_room(void)
{
	kernel = room_of(SIZE);
	file = room_of(2 * SIZE);
}

static size_t kernel_size, file_size;
static char path[64];
static struct image image;
static char why[128];

static void put(unsigned int at, u64 val, unsigned int len)
{
	memcpy(kernel + at, &val, len);
}

/* An Image that takes 8 MiB, and says as an EFI application that its file has SIZE bytes. */
static void arm64(void)
{
	for (size_t i = 0; i < SIZE; i++)
		kernel[i] = i < 0x1000 ? 0 : i * 2654435761u >> 24;
	kernel_size = SIZE;
	memcpy(kernel, "MZ", 2);
	put(8, 0x80000, 8);
	put(16, 8 * MIB, 8);
	memcpy(kernel + 0x38, "ARM\x64", 4);
	put(0x3c, 0x40, 4);
	memcpy(kernel + 0x40, "PE\0\0", 4);
	put(0x46, 1, 2); /* sections */
	put(0x58 + 16, SIZE - 0x1000, 4);
	put(0x58 + 20, 0x1000, 4);
}

static void pack_gzip(void)
{
	z_stream z = { .next_in = kernel,
		       .avail_in = kernel_size,
		       .next_out = file + file_size,
		       .avail_out = 2 * SIZE - file_size };

	cr_assert(eq(int, deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK));
	cr_assert(eq(int, deflate(&z, Z_FINISH), Z_STREAM_END));
	file_size += z.total_out;
	deflateEnd(&z);
}

static void pack_zstd(void)
{
	file_size += ZSTD_compress(file + file_size, 2 * SIZE - file_size, kernel, kernel_size, 1);
}

/* As Linux's zboot-header.S begins; more code and data follow the payload. */
static void pack_zboot(const char *type)
{
	u32 offset = 0x9000, size;

	memset(file, 0, offset);
	memcpy(file, "MZ\0\0zimg", 8);
	memcpy(file + 8, &offset, 4);
	snprintf((char *)file + 24, 32, "%s", type);
	memcpy(file + 0x38, "\xcd\x23\x82\x81", 4);
	file_size = offset;
	if (type[0] == 'z')
		pack_zstd();
	else
		pack_gzip();
	size = file_size - offset;
	memcpy(file + 12, &size, 4);
	file_size += 0x1000;
}

/* "gzip", "zstd", or "zboot " and a type */
static void pack(const char *form)
{
	file_size = 0;
	if (!strcmp(form, "gzip"))
		pack_gzip();
	else if (!strcmp(form, "zstd"))
		pack_zstd();
	else
		pack_zboot(form + strlen("zboot "));
}

static int open_file(void)
{
	int fd = memfd_create("kernel", MFD_CLOEXEC);

	cr_assert(eq(sz, write(fd, file, file_size), file_size));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fd;
}

static bool probe(void)
{
	int fd = open_file();
	bool ok = image_probe(fd, file_size, &image, why, sizeof(why));

	close(fd);
	return ok;
}

TestSuite(packed, .init = arm64, .timeout = 60);

static struct criterion_test_params each_form(void)
{
	static char forms[][16] = { "gzip", "zstd", "zboot gzip", "zboot zstd", "zboot zstd22" };

	return cr_make_param_array(char[16], forms, ARRAY_SIZE(forms));
}

ParameterizedTestParameters(packed, an_image_says_where_it_wants_to_be)
{
	return each_form();
}

ParameterizedTest(char (*form)[16], packed, an_image_says_where_it_wants_to_be)
{
	pack(*form);
	cr_assert(probe(), "%s: %s", *form, why);
	cr_assert(eq(u64, image.text_offset, 0x80000));
	cr_assert(eq(u64, image.image_size, 8 * MIB));
	cr_assert(eq(u64, image.whole, SIZE));
}

ParameterizedTestParameters(packed, what_is_no_image_is_refused)
{
	return each_form();
}

ParameterizedTest(char (*form)[16], packed, what_is_no_image_is_refused)
{
	memset(kernel, 0x11, 0x1000);
	pack(*form);
	cr_assert(not(probe()));
	cr_assert(eq(str, why, "it unpacks to no known kernel"));
	memcpy(kernel, "\177ELF", 4);
	pack(*form);
	cr_assert(not(probe()));
	cr_assert(eq(str, why, "it unpacks to an ELF file"));
	memcpy(kernel, "\x1f\x8b\x08", 3);
	pack(*form);
	cr_assert(not(probe()));
	cr_assert(eq(str, why, "it unpacks to a gzip file"));
	arm64();
	put(8, 1ULL << 40, 8);
	pack(*form);
	cr_assert(not(probe()));
	cr_assert(eq(str, why, "a header with impossible sizes"));
}

Test(packed, a_small_file_is_no_image)
{
	kernel_size = 63;
	pack("gzip");
	cr_assert(not(probe()));
	kernel_size = 0;
	pack("zstd");
	cr_assert(not(probe()));
	cr_assert(eq(str, why, "it unpacks to no known kernel"));
}

struct type_case {
	char type[40], why[96];
};

ParameterizedTestParameters(packed, a_zboot_file_packed_otherwise_is_refused_by_name)
{
	static struct type_case cases[] = {
		{ "lzma", "an EFI zboot image packed by lzma, neither gzip nor zstd" },
		{ "xzkern", "an EFI zboot image packed by xzkern, neither gzip nor zstd" },
		{ "", "an EFI zboot image packed by , neither gzip nor zstd" },
		{ "gzipgzipgzipgzipgzipgzipgzipgzipgzip",
		  "an EFI zboot image packed by gzipgzipgzipgzipgzipgzipgzipgzi, neither gzip nor zstd" },
		{ "l\n\033z", "an EFI zboot image packed by l..z, neither gzip nor zstd" },
	};

	return cr_make_param_array(struct type_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct type_case *c, packed, a_zboot_file_packed_otherwise_is_refused_by_name)
{
	pack("zboot gzip");
	memcpy(file + 24, c->type, 32);
	cr_assert(not(probe()));
	cr_assert(eq(str, why, c->why));
}

Test(packed, a_zboot_file_that_ends_before_its_payload_is_cut_short)
{
	static const u32 sizes[] = { 0xffffffff, 0 };
	char want[64];

	pack("zboot zstd");
	file_size -= 0x1001;
	cr_assert(not(probe()));
	snprintf(want, sizeof(want), "cut short at %zu bytes", file_size);
	cr_assert(eq(str, why, want));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		memcpy(file + 12, &sizes[i], 4);
		cr_assert(not(probe()));
	}
	cr_assert(eq(str, why, "its packed part is cut short"));
	file_size = 0x39;
	cr_assert(not(probe()));
}

/* Opens, and loads into @mem bytes of RAM; the exit code, with what was said on stderr. */
static int load(u64 mem)
{
	struct options o = { .params = "", .mem = mem };
	struct platform p = { .nr_cpus = 1 };
	struct log log = { 0 };
	struct guest_mem ram = { .base = RAM_BASE, .size = mem };
	struct boot boot;
	int fd = open_file(), status;

	o.kernel = path;
	status = boot_open(&boot, &o);
	if (status)
		return status;
	ram.host = mmap(NULL, mem, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	status = boot_load(&boot, &o, &ram, &log, &p);
	if (!status) {
		u8 *to = guest_ptr(&ram, boot.entry, kernel_size + 1);

		cr_assert(eq(u64, boot.entry, RAM_BASE + 0x80000));
		cr_assert(zero(int, memcmp(to, kernel, kernel_size)));
		cr_assert(zero(u32, to[kernel_size]));
	}
	cr_assert(zero(u32, *(u32 *)guest_ptr(&ram, boot.fdt, 4)), "past its room");
	boot_close(&boot);
	munmap(ram.host, mem);
	close(fd);
	return status;
}

ParameterizedTestParameters(packed, an_image_is_unpacked_where_it_is_entered)
{
	return each_form();
}

ParameterizedTest(char (*form)[16], packed, an_image_is_unpacked_where_it_is_entered)
{
	pack(*form);
	cr_assert(zero(int, load(64 * MIB)), "%s", *form);
}

static void expect(const char *said)
{
	char want[256];

	fflush(stderr);
	snprintf(want, sizeof(want), "nestor: --kernel %s: %s\n", path, said);
	cr_assert_stderr_eq_str(want);
}

ParameterizedTestParameters(packed, one_that_grows_past_its_room_is_refused)
{
	return each_form();
}

ParameterizedTest(char (*form)[16], packed, one_that_grows_past_its_room_is_refused)
{
	cr_redirect_stderr();
	put(8, 0x180000, 8);
	put(16, MIB, 8); /* it lies */
	memset(kernel + 0x1000, 0xff, SIZE - 0x1000);
	pack(*form);
	cr_assert(eq(int, load(7 * MIB), STATUS_USAGE));
	expect("it unpacks to more than the 2M there is room for: expected an arm64 Image, "
	       "or more --mem");
}

Test(packed, one_cut_before_it_was_packed_is_told, .init = cr_redirect_stderr)
{
	arm64();
	kernel_size = SIZE - 1;
	pack("zstd");
	cr_assert(eq(int, load(64 * MIB), STATUS_USAGE));
	expect("cut short at 3145727 bytes: expected an arm64 Image");
}

Test(packed, one_whose_checksum_is_wrong_is_told, .init = cr_redirect_stderr)
{
	arm64();
	pack("gzip");
	file[file_size - 8] ^= 1;
	cr_assert(eq(int, load(64 * MIB), STATUS_USAGE));
	expect("its packed part is corrupt: expected an arm64 Image");
}

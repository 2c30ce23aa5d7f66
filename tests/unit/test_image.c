// SPDX-License-Identifier: GPL-2.0-only
/* Kernel files told apart by their headers. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine/image.h"

#define SIZE 0x3000

static u8 bytes[SIZE];
static struct image image;
static char why[128];

static void put(unsigned int at, u64 val, unsigned int len)
{
	memcpy(bytes + at, &val, len);
}

/* An arm64 Image that is an EFI application too, as Linux builds it: two sections up to the end. */
static void arm64(void)
{
	memset(bytes, 0xa5, sizeof(bytes));
	memset(bytes, 0, 0x1000);
	memcpy(bytes, "MZ", 2);
	put(8, 0x200000, 8);
	put(16, 0x8000, 8);
	memcpy(bytes + 0x38, "ARM\x64", 4);
	put(0x3c, 0x40, 4);
	memcpy(bytes + 0x40, "PE\0\0", 4);
	put(0x44, 0xaa64, 2);
	put(0x46, 2, 2);    /* sections */
	put(0x54, 0xa0, 2); /* bytes of optional header */
	put(0x58 + 0xa0 + 16, 0x1000, 4);
	put(0x58 + 0xa0 + 20, 0x1000, 4);
	put(0x58 + 0xa0 + 40 + 16, 0x1000, 4);
	put(0x58 + 0xa0 + 40 + 20, 0x2000, 4);
}

static bool probe(u64 size)
{
	int fd = memfd_create("kernel", MFD_CLOEXEC);
	bool ok;

	cr_assert(eq(sz, write(fd, bytes, size), size));
	ok = image_probe(fd, size, &image, why, sizeof(why));
	close(fd);
	return ok;
}

TestSuite(image, .init = arm64);

Test(image, an_arm64_image_says_where_it_wants_to_be)
{
	cr_assert(probe(SIZE), "%s", why);
	cr_assert(eq(u64, image.text_offset, 0x200000));
	cr_assert(eq(u64, image.image_size, 0x8000));
}

Test(image, an_arm64_image_need_not_be_an_efi_application)
{
	put(0, 0x14000010, 4); /* b */
	cr_assert(probe(0x100), "%s", why);
	cr_assert(eq(u64, image.text_offset, 0x200000));
}

Test(image, an_image_without_a_size_is_where_old_kernels_were)
{
	put(8, 0x123000, 8);
	put(16, 0, 8);
	cr_assert(probe(SIZE), "%s", why);
	cr_assert(eq(u64, image.text_offset, 0x80000));
	cr_assert(eq(u64, image.image_size, SIZE));
}

Test(image, it_takes_at_least_as_much_as_its_file)
{
	put(16, 0x1000, 8);
	cr_assert(probe(SIZE), "%s", why);
	cr_assert(eq(u64, image.image_size, SIZE));
}

ParameterizedTestParameters(image, one_cut_short_is_told)
{
	static u64 sizes[] = { SIZE - 1, 0x2000, 0x1fff, 0x120, 0xf8, 0x58, 0x50 };

	return cr_make_param_array(u64, sizes, ARRAY_SIZE(sizes));
}

ParameterizedTest(u64 *size, image, one_cut_short_is_told)
{
	char want[64];

	cr_assert(not(probe(*size)), "%#llx", (unsigned long long)*size);
	snprintf(want, sizeof(want), "cut short at %llu bytes", (unsigned long long)*size);
	cr_assert(eq(str, why, want));
}

Test(image, one_cut_in_its_first_header_is_told)
{
	cr_assert(not(probe(0x3f)));
	cr_assert(eq(str, why, "cut short"));
}

ParameterizedTestParameters(image, impossible_sizes_are_refused)
{
	static u64 offsets[] = { 8, 16 };

	return cr_make_param_array(u64, offsets, ARRAY_SIZE(offsets));
}

ParameterizedTest(u64 *offset, image, impossible_sizes_are_refused)
{
	put(*offset, 1ULL << 40, 8);
	cr_assert(not(probe(SIZE)));
	put(*offset, ~0ULL, 8);
	cr_assert(not(probe(SIZE)));
}

struct format_case {
	unsigned int at;
	char magic[16];
	unsigned int len;
	char why[48];
};

ParameterizedTestParameters(image, what_is_something_else_is_named)
{
	static struct format_case cases[] = {
		{ 0, "\177ELF", 4, "an ELF file" },
		{ 0, "BZh91AY&SY", 10, "a bzip2 file" },
		{ 0, "\x02\x21\x4c\x18", 4, "an lz4 file" },
		{ 0, "\x04\x22\x4d\x18", 4, "an lz4 file" },
		{ 0, "\x89LZO", 4, "an lzop file" },
		{ 0, "\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff", 13, "an lzma file" },
		{ 0, "\x5d\0\0\xc0\0\0\0\0\1\0\0\0\0", 13, "an lzma file" },
		{ 0,
		  "\xfd"
		  "7zXZ",
		  6, "an xz file" },
		{ 4, "zimg", 4, "an EFI zboot image" },
		{ 0, "\x27\x05\x19\x56", 4, "a U-Boot uImage" },
		{ 0x24, "\x18\x28\x6f\x01", 4, "a kernel for 32-bit Arm" },
		{ 0x38, "RSC\x05", 4, "a kernel for RISC-V" },
		{ 0x202, "HdrS", 4, "a kernel for x86" },
	};

	return cr_make_param_array(struct format_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct format_case *c, image, what_is_something_else_is_named)
{
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes + c->at, c->magic, c->len);
	cr_assert(not(probe(SIZE)), "%s", c->why);
	cr_assert(eq(str, why, c->why));
}

Test(image, an_efi_application_is_named)
{
	put(0x38, 0, 4);
	cr_assert(not(probe(SIZE)));
	cr_assert(eq(str, why, "an EFI application, not an arm64 kernel"));
}

/* The first instruction may be any. */
struct code_case {
	char code[16];
	unsigned int len;
};

ParameterizedTestParameters(image, what_begins_like_something_else_is_a_flat_image)
{
	static struct code_case cases[] = {
		{ "\x5d\0\0\x14\x1f\x20\x03\xd5", 8 }, /* b, nop */
		{ "\x5d\0\0\x14\0\0\0\0", 8 },
		{ "\x5d\0\0\x80\0\0\0\0\0\x1f\x20\x03\xd5", 13 }, /* no size of anything */
		{ "MZ\0\x91\x1f\x20\x03\xd5", 8 },                /* add x13, x18, #0x16 */
		{ "BZh\x38\x1f\x20\x03\xd5", 8 },
		{ "\x1f\x8b\0\x91\x1f\x20\x03\xd5", 8 },
	};

	return cr_make_param_array(struct code_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct code_case *c, image, what_begins_like_something_else_is_a_flat_image)
{
	memset(bytes, 0x11, sizeof(bytes));
	memcpy(bytes, c->code, c->len);
	cr_assert(probe(SIZE), "%s", why);
	cr_assert(eq(u64, image.text_offset, 0x80000));
}

Test(image, anything_else_is_a_flat_image)
{
	memset(bytes, 0x11, sizeof(bytes));
	cr_assert(probe(SIZE), "%s", why);
	cr_assert(eq(u64, image.text_offset, 0x80000));
	cr_assert(eq(u64, image.image_size, SIZE));
	cr_assert(probe(5), "%s", why);
	cr_assert(eq(u64, image.image_size, 5));
}

Test(image, what_cannot_be_read_is_said)
{
	cr_assert(not(image_probe(-1, 100, &image, why, sizeof(why))));
	cr_assert(eq(str, why, "Bad file descriptor"));
}

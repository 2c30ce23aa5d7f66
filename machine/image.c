// SPDX-License-Identifier: GPL-2.0-only
/* What kind of kernel a file is, told by its header (Linux, Documentation/arch/arm64/booting.rst).
 */
#include "machine/image.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where lkvm loads a file without a header, and where kernels before 3.17 meant to be. */
#define DEFAULT_TEXT_OFFSET 0x80000

struct header {
	u32 code0, code1;
	u64 text_offset, image_size, flags;
	u64 res2, res3, res4;
	char magic[4];
	u32 pe; /* offset of the PE header, for a kernel that is an EFI application too */
};

_Static_assert(sizeof(struct header) == 64, "booting.rst: decompressed kernel image");

/* What is surely not a flat image for this machine. */
static const struct {
	u16 offset;
	u8 len;
	const char *bytes;
	const char *what;
} others[] = {
	{ 0, 4, "\177ELF", "an ELF file" },
	{ 0, 2, "\x1f\x8b", "compressed by gzip" },
	{ 0, 4, "\x28\xb5\x2f\xfd", "compressed by zstd" },
	{ 0, 6,
	  "\xfd"
	  "7zXZ",
	  "compressed by xz" },
	{ 4, 4, "zimg", "an EFI zboot image" },
	{ 0, 4, "\x27\x05\x19\x56", "a U-Boot uImage" },
	{ 0x24, 4, "\x18\x28\x6f\x01", "a kernel for 32-bit Arm" },
	{ 0x38, 4, "RSC\x05", "a kernel for RISC-V" },
	{ 0x202, 4, "HdrS", "a kernel for x86" },
};

static const char *other_format(const u8 *head, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (others[i].offset + (size_t)others[i].len <= len &&
		    !memcmp(head + others[i].offset, others[i].bytes, others[i].len))
			return others[i].what;
	return NULL;
}

/* PE/COFF 3.3 and 4: how long the file is by its own section table; 0: no such table;
 * more than any file: the table itself is cut off.
 */
static u64 pe_file_size(int fd, u32 pe)
{
	struct {
		u32 signature;
		u16 machine, nr_sections;
		u32 time, symbols, nr_symbols;
		u16 optional_size, characteristics;
	} coff;
	struct {
		char name[8];
		u32 virtual_size, virtual_address, raw_size, raw_offset;
		u32 unused[4];
	} section;
	u64 end = 0, at = pe + sizeof(coff);

	if (pread(fd, &coff, sizeof(coff), pe) != sizeof(coff))
		return ~0ULL;
	if (memcmp(&coff, "PE\0\0", 4))
		return 0;
	at += le16toh(coff.optional_size);
	for (unsigned int i = 0; i < le16toh(coff.nr_sections); i++, at += sizeof(section)) {
		u64 last;

		if (pread(fd, &section, sizeof(section), at) != sizeof(section))
			return ~0ULL;
		last = (u64)le32toh(section.raw_offset) + le32toh(section.raw_size);
		end = last > end ? last : end;
	}
	return end;
}

static bool probe_arm64(int fd, u64 size, const struct header *h, struct image *image, char *why,
                        size_t len)
{
	u64 whole = memcmp(h, "MZ", 2) ? 0 : pe_file_size(fd, le32toh(h->pe));

	if (whole > size) {
		snprintf(why, len, "cut short at %llu bytes", (unsigned long long)size);
		return false;
	}
	image->image_size = le64toh(h->image_size);
	image->text_offset = image->image_size ? le64toh(h->text_offset) : DEFAULT_TEXT_OFFSET;
	if (image->image_size < size)
		image->image_size = size; /* it says nothing, or has something appended */
	if (image->text_offset >= 1ULL << 40 || image->image_size >= 1ULL << 40) {
		snprintf(why, len, "a header with impossible sizes");
		return false;
	}
	return true;
}

bool image_probe(int fd, u64 size, struct image *image, char *why, size_t len)
{
	u8 head[1024] = { 0 };
	struct header h;
	const char *what;
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n < 0) {
		snprintf(why, len, "%s", strerror(errno));
		return false;
	}
	memcpy(&h, head, sizeof(h));
	if ((size_t)n >= sizeof(h) && !memcmp(h.magic, "ARM\x64", 4))
		return probe_arm64(fd, size, &h, image, why, len);
	what = other_format(head, n);
	if (!what && !memcmp(head, "MZ", 2))
		what = (size_t)n < sizeof(h) ? "cut short"
		                             : "an EFI application, not an arm64 kernel";
	if (what) {
		snprintf(why, len, "%s", what);
		return false;
	}
	*image = (struct image){ .text_offset = DEFAULT_TEXT_OFFSET, .image_size = size };
	return true;
}

// SPDX-License-Identifier: GPL-2.0-only
/* What kind of kernel a file is, told by its header (Linux,
 * Documentation/arch/arm64/booting.rst). */
#include "machine/image.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where lkvm loads a file without a header, and where kernels before 3.17 meant to be. */
#define DEFAULT_TEXT_OFFSET 0x80000
/* Enough to tell any kind by; the tables of a PE file are in it too. */
#define HEAD 4096

struct header {
	u32 code0, code1;
	u64 text_offset, image_size, flags;
	u64 res2, res3, res4;
	char magic[4];
	u32 pe; /* offset of the PE header, for a kernel that is an EFI application too */
};

_Static_assert(sizeof(struct header) == 64, "booting.rst: decompressed kernel image");

/*
 * What is surely not a flat image for this machine: such a file begins with any
 * instruction, and "MZ" or the 5d 00 00 of lzma are two of them.
 */
static const struct {
	u16 offset;
	u8 len;
	const char *bytes;
	const char *what;
} others[] = {
	{ 0, 4, "\177ELF", "an ELF file" },
	{ 0, 3, "\x1f\x8b\x08", "a gzip file" },
	{ 0, 4, "\x28\xb5\x2f\xfd", "a zstd file" },
	{ 0, 6, "\3757zXZ", "an xz file" },
	{ 4, 6, "1AY&SY", "a bzip2 file" }, /* the first block, behind BZh and a digit */
	{ 0, 4, "\x02\x21\x4c\x18", "an lz4 file" },
	{ 0, 4, "\x04\x22\x4d\x18", "an lz4 file" },
	{ 0, 4, "\x89LZO", "an lzop file" },
	{ 4, 4, "zimg", "an EFI zboot image" },
	{ 0, 4, "\x27\x05\x19\x56", "a U-Boot uImage" },
	{ 0x24, 4, "\x18\x28\x6f\x01", "a kernel for 32-bit Arm" },
	{ 0x38, 4, "RSC\x05", "a kernel for RISC-V" },
	{ 0x202, 4, "HdrS", "a kernel for x86" },
};

/*
 * LZMA SDK, lzma-specification.txt: properties, the dictionary's size and the contents' (all ones:
 * not known). What the encoders write: lc 3, lp 0, pb 2; a power of two, or one and a half; and as
 * xz has it, less than 256 GiB.
 */
static bool is_lzma(const u8 *head, size_t len)
{
	struct {
		u8 properties;
		u32 dictionary;
		u64 size;
	} __attribute__((packed)) h;
	u32 dictionary;
	u64 size;

	if (len < sizeof(h))
		return false;
	memcpy(&h, head, sizeof(h));
	dictionary = le32toh(h.dictionary);
	size = le64toh(h.size);
	while (dictionary && !(dictionary & 1))
		dictionary >>= 1;
	return h.properties == 0x5d && (dictionary == 1 || dictionary == 3) &&
	       (size == ~0ULL || size < 1ULL << 38);
}

static const char *other_format(const u8 *head, size_t len)
{
	if (is_lzma(head, len))
		return "an lzma file";
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (others[i].offset + (size_t)others[i].len <= len &&
		    !memcmp(head + others[i].offset, others[i].bytes, others[i].len))
			return others[i].what;
	return NULL;
}

static bool copy(void *to, size_t size, const u8 *head, size_t n, u64 at)
{
	if (at > n || size > n - at)
		return false;
	memcpy(to, head + at, size);
	return true;
}

/*
 * PE/COFF 3.3 and 4: how long the file is by its own section table; 0: no such table that can be
 * seen; more than any file: the table itself is cut off.
 */
static u64 pe_file_size(const u8 *head, size_t n, u32 pe)
{
	const u64 cut = n < HEAD ? ~0ULL : 0;
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

	if (!copy(&coff, sizeof(coff), head, n, pe))
		return cut;
	if (memcmp(&coff, "PE\0\0", 4))
		return 0;
	at += le16toh(coff.optional_size);
	for (unsigned int i = 0; i < le16toh(coff.nr_sections); i++, at += sizeof(section)) {
		u64 last;

		if (!copy(&section, sizeof(section), head, n, at))
			return cut;
		last = (u64)le32toh(section.raw_offset) + le32toh(section.raw_size);
		end = last > end ? last : end;
	}
	return end;
}

static bool is_pe(const u8 *head, size_t n)
{
	struct header h;
	char signature[4];

	return copy(&h, sizeof(h), head, n, 0) && !memcmp(&h, "MZ", 2) &&
	       copy(signature, sizeof(signature), head, n, le32toh(h.pe)) &&
	       !memcmp(signature, "PE\0\0", 4);
}

static bool is_arm64(const u8 *head, size_t n)
{
	return n >= sizeof(struct header) &&
	       !memcmp(head + offsetof(struct header, magic), "ARM\x64", 4);
}

static bool read_header(const u8 *head, size_t n, struct image *image, char *why, size_t len)
{
	struct header h;

	memcpy(&h, head, sizeof(h));
	image->whole = memcmp(&h, "MZ", 2) ? 0 : pe_file_size(head, n, le32toh(h.pe));
	image->image_size = le64toh(h.image_size);
	image->text_offset = image->image_size ? le64toh(h.text_offset) : DEFAULT_TEXT_OFFSET;
	if (image->text_offset < 1ULL << 40 && image->image_size < 1ULL << 40)
		return true;
	snprintf(why, len, "a header with impossible sizes");
	return false;
}

static bool probe_arm64(const u8 *head, size_t n, u64 size, struct image *image, char *why,
                        size_t len)
{
	if (!read_header(head, n, image, why, len))
		return false;
	if (image->whole > size) {
		snprintf(why, len, "cut short at %llu bytes", (unsigned long long)size);
		return false;
	}
	if (image->image_size < size)
		image->image_size = size; /* it says nothing, or has something appended */
	return true;
}

/*
 * Linux, drivers/firmware/efi/libstub/zboot-header.S. True: it is one; false, with @why empty:
 * it is none.
 */
static bool find_zboot(const u8 *head, size_t n, u64 size, struct packed *p, char *why, size_t len)
{
	struct {
		char mz[2], res0[2], zimg[4];
		u32 offset, size, res1[2];
		char type[32];
	} zboot;

	*why = 0;
	if (n < sizeof(zboot) || memcmp(head, "MZ", 2) || memcmp(head + 4, "zimg", 4))
		return false;
	memcpy(&zboot, head, sizeof(zboot));
	p->offset = le32toh(zboot.offset);
	p->size = le32toh(zboot.size);
	zboot.type[sizeof(zboot.type) - 1] = 0;
	for (char *c = zboot.type; *c; c++)
		*c = *c > ' ' && *c <= '~' ? *c : '.'; /* it may be said */
	if (!strcmp(zboot.type, "gzip"))
		p->packing = PACKED_GZIP;
	else if (!strcmp(zboot.type, "zstd") || !strcmp(zboot.type, "zstd22"))
		p->packing = PACKED_ZSTD;
	else
		snprintf(why, len, "an EFI zboot image packed by %s, neither gzip nor zstd",
		         zboot.type);
	if (p->offset + p->size > size)
		snprintf(why, len, "cut short at %llu bytes", (unsigned long long)size);
	return !*why;
}

/* A file without a header is taken as it is only where it is plain, as lkvm takes it. */
static bool probe_packed(int fd, struct image *image, char *why, size_t len)
{
	u8 head[HEAD] = { 0 };
	u64 n;
	int err = unpack(fd, &image->packed, head, sizeof(head), &n);
	const char *what = other_format(head, n);

	if (err && err != -EFBIG)
		snprintf(why, len, "%s", unpack_why(err));
	else if (is_arm64(head, n))
		return read_header(head, n, image, why, len);
	else
		snprintf(why, len, "it unpacks to %s", what ? what : "no known kernel");
	return false;
}

static bool probe_plain(const u8 *head, size_t n, u64 size, struct image *image, char *why,
                        size_t len)
{
	const char *what = other_format(head, n);

	if (!what && n < sizeof(struct header) && !memcmp(head, "MZ", 2))
		what = "cut short";
	if (!what && is_pe(head, n))
		what = "an EFI application, not an arm64 kernel";
	if (what) {
		snprintf(why, len, "%s", what);
		return false;
	}
	image->text_offset = DEFAULT_TEXT_OFFSET;
	image->image_size = size;
	return true;
}

bool image_probe(int fd, u64 size, struct image *image, char *why, size_t len)
{
	u8 head[HEAD] = { 0 };
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n < 0) {
		snprintf(why, len, "%s", strerror(errno));
		return false;
	}
	*image = (struct image){ .packed = { packing_of(head, n), 0, size } };
	if (is_arm64(head, n))
		return probe_arm64(head, n, size, image, why, len);
	if (image->packed.packing || find_zboot(head, n, size, &image->packed, why, len))
		return probe_packed(fd, image, why, len);
	return !*why && probe_plain(head, n, size, image, why, len);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Another kernel in place of the one that runs:
 *   kexec KERNEL INITRD WORDS     an arm64 Image; WORDS are its command line
 * By kexec_file_load(2), or where the kernel has none by kexec_load(2): then WORDS are as long as
 * those of the kernel that runs, whose device tree is changed in place.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REBOOT_KEXEC 0x45584543 /* LINUX_REBOOT_CMD_KEXEC */

/*
 * Where a guest with 256 MiB or more has had neither initrd, tree nor tables, and where the kernels
 * tried have put none of what the next one is to leave alone. Not where the kernel that runs is:
 * Linux 6.12 died of a permission fault as it copied over its own text.
 */
#define EVEN_AT   0x80000000UL
#define ODD_AT    (EVEN_AT + (64UL << 20))
#define INITRD_AT (EVEN_AT + (128UL << 20))
#define TREE_AT   (EVEN_AT + (160UL << 20))
#define ENTRY_AT  (EVEN_AT + (168UL << 20))
#define PAGE      0x10000UL

static void check(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static unsigned long other_place(void)
{
	FILE *map = fopen("/proc/iomem", "r");
	unsigned long at = ~0UL;
	char line[200];

	check(!!map, "/proc/iomem");
	while (fgets(line, sizeof(line), map))
		if (strstr(line, "Kernel code"))
			at = strtoul(line, NULL, 16);
	fclose(map);
	return at < ODD_AT ? ODD_AT : EVEN_AT;
}

static int open_file(const char *path)
{
	const int fd = open(path, O_RDONLY);

	check(fd >= 0, path);
	return fd;
}

/* A file's content, of which copies may be changed; /sys/firmware/fdt cannot be mapped. */
static struct kexec_segment segment(const char *path, unsigned long at)
{
	const int fd = open_file(path);
	struct kexec_segment s = { .mem = (void *)at };
	struct stat st;
	char *buf;

	check(!fstat(fd, &st), path);
	buf = malloc(st.st_size);
	for (ssize_t n = 1; n > 0; s.bufsz += n) {
		n = read(fd, buf + s.bufsz, st.st_size - s.bufsz);
		check(n >= 0, path);
	}
	close(fd);
	s.buf = buf;
	s.memsz = (s.bufsz + PAGE - 1) & ~(PAGE - 1);
	return s;
}

/* The property of that name and length in a flattened tree, wherever it is; its names are
 * unique there (/chosen is all of it, or nobody else has them). */
static char *property(char *tree, const char *name, uint32_t len)
{
	const uint32_t *header = (const uint32_t *)tree;
	const char *strings = tree + be32toh(header[3]);
	uint32_t *cell = (uint32_t *)(tree + be32toh(header[2]));
	const uint32_t *end = cell + be32toh(header[9]) / 4;

	for (; cell + 3 < end; cell++) {
		if (be32toh(cell[0]) == 3 && be32toh(cell[1]) == len &&
		    be32toh(cell[2]) < be32toh(header[8]) &&
		    !strcmp(strings + be32toh(cell[2]), name))
			return (char *)(cell + 3);
	}
	fprintf(stderr, "kexec: no %s of %u bytes in the tree\n", name, len);
	exit(1);
}

static void change_tree(char *tree, const char *words, const struct kexec_segment *initrd)
{
	const uint64_t start = htobe64(INITRD_AT), end = htobe64(INITRD_AT + initrd->bufsz);

	memcpy(property(tree, "bootargs", strlen(words) + 1), words, strlen(words));
	memcpy(property(tree, "linux,initrd-start", 8), &start, 8);
	memcpy(property(tree, "linux,initrd-end", 8), &end, 8);
}

static void load(const char *kernel, const char *initrd, const char *words)
{
	/* x0 is the tree, x1 to x3 are 0; to the kernel (Documentation/arch/arm64/booting.rst) */
	const unsigned long kernel_at = other_place();
	const struct {
		uint32_t code[6];
		uint64_t tree, kernel;
	} entry = { { 0x580000c0, 0x580000f1, 0xaa1f03e1, 0xaa1f03e2, 0xaa1f03e3, 0xd61f0220 },
		    TREE_AT,
		    kernel_at };
	struct kexec_segment s[4] = {
		segment(kernel, kernel_at),
		segment(initrd, INITRD_AT),
		segment("/sys/firmware/fdt", TREE_AT),
		{ &entry, sizeof(entry), (void *)ENTRY_AT, PAGE },
	};

	/* image_size: what is zero at its end is no part of the file */
	s[0].memsz = (((const uint64_t *)s[0].buf)[2] + PAGE - 1) & ~(PAGE - 1);
	change_tree((char *)s[2].buf, words, &s[1]);
	check(!syscall(SYS_kexec_load, ENTRY_AT, 4L, s, (long)KEXEC_ARCH_AARCH64), "kexec_load");
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	if (syscall(SYS_kexec_file_load, open_file(argv[1]), open_file(argv[2]),
	            strlen(argv[3]) + 1, argv[3], 0L)) {
		check(errno == ENOSYS, "kexec_file_load");
		load(argv[1], argv[2], argv[3]);
	}
	reboot(REBOOT_KEXEC);
	perror("reboot");
	return 1;
}

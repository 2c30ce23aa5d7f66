// SPDX-License-Identifier: GPL-2.0-only
/* Kernel, initrd and FDT into RAM (Linux, Documentation/arch/arm64/booting.rst). */
#include "machine/boot.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdt/fdt.h"
#include "machine/image.h"
#include "machine/status.h"
#include "vmm/log.h"

/* booting.rst: 8-byte aligned, at most 2 MiB; in 2 MiB of its own, so that one block maps it. */
#define FDT_SIZE  0x200000ULL
#define ALIGNMENT 0x200000ULL
/* The initrd and the kernel lie in one window of 32 GiB. */
#define BOOT_WINDOW (31ULL << 30)

/* A regular file or block device that can be read; its size. */
static int open_file(const char *option, const char *path, int *fd, u64 *size)
{
	struct stat st;
	off_t end;

	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0) {
		log_error("%s %s: %s: expected a readable file", option, path, strerror(errno));
		return STATUS_USAGE;
	}
	if (fstat(*fd, &st) || S_ISDIR(st.st_mode)) {
		log_error("%s %s: a directory: expected a file", option, path);
		return STATUS_USAGE;
	}
	end = lseek(*fd, 0, SEEK_END);
	if (end < 0) {
		log_error("%s %s: %s: expected a file of known size", option, path,
		          strerror(errno));
		return STATUS_USAGE;
	}
	if (!end) {
		log_error("%s %s: an empty file", option, path);
		return STATUS_USAGE;
	}
	*size = end;
	return 0;
}

static int check_kernel(struct boot *b, const char *path)
{
	struct image image;
	char why[128];

	if (!image_probe(b->kernel, b->kernel_size, &image, why, sizeof(why))) {
		log_error("--kernel %s: %s: expected an arm64 Image", path, why);
		return STATUS_USAGE;
	}
	b->text_offset = image.text_offset;
	b->image_size = image.image_size;
	return 0;
}

int boot_open(struct boot *b, const struct options *o)
{
	int status;

	*b = (struct boot){ .kernel = -1, .initrd = -1 };
	status = open_file("--kernel", o->kernel, &b->kernel, &b->kernel_size);
	if (!status)
		status = check_kernel(b, o->kernel);
	if (!status && o->initrd)
		status = open_file("--initrd", o->initrd, &b->initrd, &b->initrd_size);
	if (!status &&
	    b->text_offset + b->image_size + b->initrd_size + FDT_SIZE + ALIGNMENT > o->mem) {
		log_error(
			"--mem %lluM: expected at least %lluM: the kernel takes %lluM, the initrd %lluM",
			(unsigned long long)o->mem >> 20,
			(unsigned long long)(ALIGN_UP(b->text_offset + b->image_size +
		                                              b->initrd_size + FDT_SIZE + ALIGNMENT,
		                                      1 << 20) >>
		                             20),
			(unsigned long long)(b->image_size + (1 << 20) - 1) >> 20,
			(unsigned long long)(b->initrd_size + (1 << 20) - 1) >> 20);
		status = STATUS_USAGE;
	}
	if (status)
		boot_close(b);
	return status;
}

void boot_close(struct boot *b)
{
	if (b->kernel >= 0)
		close(b->kernel);
	if (b->initrd >= 0)
		close(b->initrd);
	b->kernel = b->initrd = -1;
}

static int load(const char *option, const char *path, int fd, u64 size, void *to)
{
	u64 done = 0;

	while (done < size) {
		ssize_t n = pread(fd, (char *)to + done, size - done, done);

		if (n > 0) {
			done += n;
			continue;
		}
		log_error("%s %s: %s after %llu of %llu bytes", option, path,
		          n ? strerror(errno) : "ends", (unsigned long long)done,
		          (unsigned long long)size);
		return STATUS_HOST_FAILED;
	}
	return 0;
}

/* Kernel at the bottom of RAM; FDT, and the initrd below it, at the top. */
int boot_load(struct boot *b, const struct options *o, const struct guest_mem *mem,
              struct platform *p)
{
	u64 top = mem->size < BOOT_WINDOW ? mem->size : BOOT_WINDOW;
	gpa_t fdt = ALIGN_DOWN(mem->base + top - FDT_SIZE, ALIGNMENT);
	gpa_t initrd = ALIGN_DOWN(fdt - b->initrd_size, 4096);
	int status;

	b->entry = mem->base + b->text_offset;
	b->fdt = fdt;
	status = load("--kernel", o->kernel, b->kernel, b->kernel_size,
	              guest_ptr(mem, b->entry, b->kernel_size));
	if (!status && b->initrd_size)
		status = load("--initrd", o->initrd, b->initrd, b->initrd_size,
		              guest_ptr(mem, initrd, b->initrd_size));
	p->chosen.bootargs = o->params;
	p->chosen.initrd = initrd;
	p->chosen.initrd_size = b->initrd_size;
	if (getrandom(&p->chosen.kaslr_seed, sizeof(p->chosen.kaslr_seed), 0) < 0 ||
	    getrandom(p->chosen.rng_seed, sizeof(p->chosen.rng_seed), 0) < 0) {
		log_error("getrandom: %s", strerror(errno));
		return STATUS_HOST_FAILED;
	}
	return status;
}

static int dump(const char *path, const void *fdt)
{
	FILE *f = fopen(path, "we");
	bool ok = f && fwrite(fdt, fdt_totalsize(fdt), 1, f) == 1;

	if (f && fclose(f))
		ok = false;
	if (ok)
		return 0;
	log_error("--dump-dtb %s: %s", path, strerror(errno));
	return STATUS_USAGE;
}

int boot_describe(const struct boot *b, const struct options *o, const struct guest_mem *mem,
                  const struct platform *p)
{
	void *fdt = guest_ptr(mem, b->fdt, FDT_SIZE);
	int err = fdt_build(p, fdt, FDT_SIZE);

	if (err) {
		log_error("device tree: %s", strerror(-err));
		return STATUS_HOST_FAILED;
	}
	return o->dump_dtb ? dump(o->dump_dtb, fdt) : 0;
}

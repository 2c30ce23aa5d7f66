// SPDX-License-Identifier: GPL-2.0-only
/* Kernel, initrd and FDT into RAM (Linux, Documentation/arch/arm64/booting.rst). */
#include "machine/boot.h"

#include <assert.h>
#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <libfdt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acpi/acpi.h"
#include "fdt/fdt.h"
#include "machine/file.h"
#include "machine/status.h"
#include "vmm/log.h"

/* booting.rst: 8-byte aligned, at most 2 MiB; in 2 MiB of its own, so that one block maps it. */
#define FDT_SIZE  0x200000ULL
#define ALIGNMENT 0x200000ULL
#define ACPI_SIZE 0x100000ULL /* of these */
#define PAGE      0x1000ULL
/* Where lkvm has them, and kernels before 4.2 look for an FDT: in the first 512 MiB. */
#define LOW_WINDOW (256ULL << 20)
/* The initrd and the kernel lie in one window of 32 GiB. */
#define BOOT_WINDOW (31ULL << 30)

static int open_file(const char *option, const char *path, int *fd, u64 *size)
{
	int err = file_open(path, O_RDONLY, fd, size);

	if (!err && *size)
		return 0;
	if (err == -EISDIR)
		log_error("%s %s: a directory: expected a file", option, path);
	else if (err == -ESPIPE)
		log_error("%s %s: expected a file, not a pipe or a device", option, path);
	else if (err)
		log_error("%s %s: %s: expected a readable file", option, path, strerror(-err));
	else
		log_error("%s %s: an empty file: expected one with contents", option, path);
	return STATUS_USAGE;
}

/* Opened before anything is started, and emptied only when there is something to write. */
static int open_dump(struct boot *b, const char *path)
{
	b->dump = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
	if (b->dump >= 0)
		return 0;
	log_error("%s %s: %s: expected a file that can be written", b->dtb_option, path,
	          strerror(errno));
	return STATUS_USAGE;
}

static int check_acpi_dump(const struct boot *b, const struct options *o)
{
	struct stat st;
	int err = 0;

	if (!o->acpi)
		log_error("--dump-acpi %s: expected --acpi with it", o->dump_acpi);
	else if (stat(o->dump_acpi, &st))
		err = errno;
	else if (!S_ISDIR(st.st_mode))
		err = ENOTDIR;
	else if (access(o->dump_acpi, W_OK | X_OK))
		err = errno;
	else
		return 0;
	if (err)
		log_error("%s %s: %s: expected a folder to write to", b->acpi_option, o->dump_acpi,
		          strerror(err));
	return STATUS_USAGE;
}

static int open_dumps(struct boot *b, const struct options *o)
{
	int status = o->dump_dtb ? open_dump(b, o->dump_dtb) : 0;

	return status || !o->dump_acpi ? status : check_acpi_dump(b, o);
}

static int check_kernel(struct boot *b, const char *path)
{
	char why[128];

	if (image_probe(b->kernel, b->kernel_size, &b->image, why, sizeof(why)))
		return 0;
	log_error("--kernel %s: %s: expected an arm64 Image", path, why);
	return STATUS_USAGE;
}

/* The FDT, and the initrd below it, up to @top; false: the kernel has no room below them. */
static bool place_below(struct boot *b, u64 top)
{
	const u64 kernel_end = b->image.text_offset + b->image.image_size;

	b->fdt_at = ALIGN_DOWN(top - FDT_SIZE, ALIGNMENT);
	if (b->initrd_size > b->fdt_at)
		return false;
	b->initrd_at = ALIGN_DOWN(b->fdt_at - b->initrd_size, PAGE);
	return kernel_end <= b->initrd_at;
}

/* As lkvm does it; what is too large for that goes as high as it may. */
static bool place(struct boot *b, u64 mem)
{
	return place_below(b, mem < LOW_WINDOW ? mem : LOW_WINDOW) ||
	       place_below(b, mem < BOOT_WINDOW ? mem : BOOT_WINDOW);
}

static unsigned long long in_mib(u64 bytes)
{
	return ALIGN_UP(bytes, 1 << 20) >> 20;
}

static int no_place(const struct boot *b, const struct options *o)
{
	const u64 kernel_end = b->image.text_offset + b->image.image_size;
	const u64 need =
		ALIGN_UP(kernel_end + ALIGN_UP(b->initrd_size, PAGE), ALIGNMENT) + FDT_SIZE;

	if (need > BOOT_WINDOW)
		log_error("--%s %s: expected kernel and initrd to fit into 31G: the kernel takes "
		          "%lluM, the initrd %lluM",
		          o->initrd ? "initrd" : "kernel", o->initrd ? o->initrd : o->kernel,
		          in_mib(b->image.image_size), in_mib(b->initrd_size));
	else
		log_error("--mem %lluM: expected at least %lluM: the kernel takes %lluM, the "
		          "initrd %lluM",
		          in_mib(o->mem), in_mib(need), in_mib(b->image.image_size),
		          in_mib(b->initrd_size));
	return STATUS_USAGE;
}

int boot_open(struct boot *b, const struct options *o)
{
	int status;

	*b = (struct boot){ .kernel = -1,
		            .initrd = -1,
		            .dump = -1,
		            .dtb_option = "--dump-dtb",
		            .acpi_option = "--dump-acpi" };
	status = open_file("--kernel", o->kernel, &b->kernel, &b->kernel_size);
	if (!status)
		status = check_kernel(b, o->kernel);
	if (!status && o->initrd)
		status = open_file("--initrd", o->initrd, &b->initrd, &b->initrd_size);
	if (!status && !place(b, o->mem))
		status = no_place(b, o);
	if (!status)
		status = open_dumps(b, o);
	if (status)
		boot_close(b);
	return status;
}

int boot_open_dump(struct boot *b, const struct options *o)
{
	*b = (struct boot){ .kernel = -1,
		            .initrd = -1,
		            .dump = -1,
		            .dtb_option = "--dtb-out",
		            .acpi_option = "--acpi-out" };
	return open_dumps(b, o);
}

void boot_without_kernel(struct boot *b, const struct options *o, const struct guest_mem *mem,
                         struct platform *p)
{
	const bool fits = place(b, mem->size);

	assert(fits); /* the least --mem has room for an FDT */
	b->fdt = mem->base + b->fdt_at;
	p->chosen = (typeof(p->chosen)){ .bootargs = o->params };
}

void boot_close(struct boot *b)
{
	if (b->kernel >= 0)
		close(b->kernel);
	if (b->initrd >= 0)
		close(b->initrd);
	if (b->dump >= 0)
		close(b->dump);
	b->kernel = b->initrd = b->dump = -1;
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

/* Up to @end, where something else begins. */
static int load_packed(const struct boot *b, const char *path, const struct guest_mem *mem,
                       gpa_t end)
{
	u64 room = end - b->entry, done;
	int err = unpack(b->kernel, &b->image.packed, guest_ptr(mem, b->entry, room), room, &done);

	if (!err && done >= b->image.whole)
		return 0;
	if (err == -EFBIG)
		log_error("--kernel %s: it unpacks to more than the %lluM there is room for: "
		          "expected an arm64 Image, or more --mem",
		          path, (unsigned long long)room >> 20);
	else if (err)
		log_error("--kernel %s: %s: expected an arm64 Image", path, unpack_why(err));
	else
		log_error("--kernel %s: cut short at %llu bytes: expected an arm64 Image", path,
		          (unsigned long long)done);
	return err == -ENOMEM || err == -EIO ? STATUS_HOST_FAILED : STATUS_USAGE;
}

static int load_files(struct boot *b, const struct options *o, const struct guest_mem *mem,
                      gpa_t initrd)
{
	int status;

	if (b->image.packed.packing)
		status = load_packed(b, o->kernel, mem, initrd);
	else
		status = load("--kernel", o->kernel, b->kernel, b->kernel_size,
		              guest_ptr(mem, b->entry, b->kernel_size));
	if (!status && b->initrd_size)
		status = load("--initrd", o->initrd, b->initrd, b->initrd_size,
		              guest_ptr(mem, initrd, b->initrd_size));
	return status;
}

int boot_load(struct boot *b, const struct options *o, const struct guest_mem *mem, struct log *log,
              struct platform *p)
{
	const gpa_t initrd = mem->base + b->initrd_at;
	int status;

	b->entry = mem->base + b->image.text_offset;
	b->fdt = mem->base + b->fdt_at;
	trace(log, TRACE_BOOT, "kernel %#llx + %#llx, initrd %#llx + %#llx, device tree %#llx",
	      (unsigned long long)b->entry, (unsigned long long)b->image.image_size,
	      (unsigned long long)initrd, (unsigned long long)b->initrd_size,
	      (unsigned long long)b->fdt);
	status = load_files(b, o, mem, initrd);
	p->chosen.bootargs = o->params;
	p->chosen.initrd = initrd;
	p->chosen.initrd_size = b->initrd_size;
	if (getrandom(&p->chosen.kaslr_seed, sizeof(p->chosen.kaslr_seed), 0) < 0 ||
	    getrandom(p->chosen.rng_seed, sizeof(p->chosen.rng_seed), 0) < 0) {
		log_error("getrandom: %s", strerror(errno));
		return STATUS_HOST_FAILED;
	}
	if (o->kaslr_seed)
		p->chosen.kaslr_seed = o->kaslr_seed;
	return status;
}

static int dump(const struct boot *b, const char *path, const void *fdt)
{
	const int fd = b->dump;
	ssize_t size = fdt_totalsize(fdt);

	/* A device that cannot be cut short (/dev/stdout) is written all the same. */
	if ((!ftruncate(fd, 0) || errno == EINVAL) && write(fd, fdt, size) == size)
		return 0;
	log_error("%s %s: cannot write %zd bytes: %s", b->dtb_option, path, size, strerror(errno));
	return STATUS_HOST_FAILED;
}

struct acpi_dump {
	const char *option, *dir;
};

/* The file is named as acpixtract would. The RSDP's signature is no name: "RSD PTR ". */
static int dump_table(void *ctx, const void *bytes, u32 size)
{
	const struct acpi_dump *d = ctx;
	const char *const name = memcmp(bytes, "RSD ", 4) ? bytes : "RSDP";
	char path[PATH_MAX];
	int fd, err = 0;

	errno = 0;
	snprintf(path, sizeof(path), "%s/%c%c%c%c.dat", d->dir, tolower(name[0]), tolower(name[1]),
	         tolower(name[2]), tolower(name[3]));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		err = errno ? -errno : -ENOSPC;
	if (fd >= 0)
		close(fd);
	if (err)
		log_error("%s %s: %s: expected a file that can be written", d->option, path,
		          strerror(-err));
	return err;
}

/* Behind the FDT, in the room that is its. */
static int build_acpi(const struct boot *b, const struct options *o, const struct guest_mem *mem,
                      struct platform *p)
{
	const gpa_t at = b->fdt + FDT_SIZE - ACPI_SIZE;
	struct acpi_dump dump = { b->acpi_option, o->dump_acpi };
	struct acpi_efi efi;
	void *tables = guest_ptr(mem, at, ACPI_SIZE);
	int err = acpi_build(p, at, tables, ACPI_SIZE, &efi);

	p->chosen.efi_system_table = efi.system_table;
	p->chosen.efi_memory_map = efi.memory_map;
	p->chosen.efi_memory_map_size = efi.memory_map_size;
	p->chosen.efi_descriptor_size = efi.descriptor_size;
	if (err)
		log_error("ACPI tables: %s", strerror(-err));
	else if (o->dump_acpi)
		err = acpi_for_each(tables, dump_table, &dump);
	return err ? STATUS_HOST_FAILED : 0;
}

int boot_describe(const struct boot *b, const struct options *o, const struct guest_mem *mem,
                  struct platform *p)
{
	void *fdt = guest_ptr(mem, b->fdt, FDT_SIZE);
	int err;

	if (o->acpi && build_acpi(b, o, mem, p))
		return STATUS_HOST_FAILED;
	err = fdt_build(p, fdt, FDT_SIZE - (o->acpi ? ACPI_SIZE : 0));
	if (err) {
		log_error("device tree: %s", strerror(-err));
		return STATUS_HOST_FAILED;
	}
	return b->dump < 0 ? 0 : dump(b, o->dump_dtb, fdt);
}

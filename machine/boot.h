/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_BOOT_H
#define MACHINE_BOOT_H

#include "machine/image.h"
#include "machine/options.h"
#include "vmm/log.h"
#include "vmm/mem.h"
#include "vmm/platform.h"

/* What is loaded into RAM before the guest runs. Files are open, checked, not yet read. */
struct boot {
	int kernel, initrd;                   /* -1: none */
	int dump;                             /* where the FDT is written too; -1: nowhere */
	const char *dtb_option, *acpi_option; /* that ask for it, and for the tables */
	u64 kernel_size, initrd_size;
	struct image image;
	u64 fdt_at, initrd_at; /* from the start of RAM */
	gpa_t entry, fdt;
};

/* Exit code 0, or an error line was printed and it is what Nestor ends with. */
int boot_open(struct boot *b, const struct options *o);
void boot_close(struct boot *b);

/*
 * The same without a kernel: room for what tells of the machine, as boot_load() makes it, and a
 * p->chosen of the command line alone. Only what --dump-* name is opened.
 */
int boot_open_dump(struct boot *b, const struct options *o);
void boot_without_kernel(struct boot *b, const struct options *o, const struct guest_mem *mem,
                         struct platform *p);

/* Reads kernel and initrd into RAM and sets p->chosen; then the FDT can be built. */
int boot_load(struct boot *b, const struct options *o, const struct guest_mem *mem, struct log *log,
              struct platform *p);
/* Writes the FDT where boot_load made room, and to --dump-dtb; with --acpi the tables, and where
 * p->chosen has them. */
int boot_describe(const struct boot *b, const struct options *o, const struct guest_mem *mem,
                  struct platform *p);

#endif

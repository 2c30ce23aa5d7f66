/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACPI_PRIVATE_H
#define ACPI_PRIVATE_H

#include <stdio.h>

#include "acpi/out.h"
#include "vmm/platform.h"

/* What the files that print the tables share: numbers, names, and the tables themselves. */

/* INTIDs: what a GSI is. */
static inline u32 gsi(u32 spi)
{
	return 32 + spi;
}

/* KVM gives vCPU n the affinity n % 16 at level 0, n / 16 above (arch/arm64/kvm/sys_regs.c). */
static inline u32 acpi_mpidr(unsigned int cpu)
{
	return cpu % 16 | cpu / 16 << 8;
}

/* Four characters and a NUL: one or two letters, and a number. */
struct acpi_name {
	char text[16];
};
static inline struct acpi_name acpi_name(const char *format, unsigned int nr)
{
	struct acpi_name n;

	snprintf(n.text, sizeof(n.text), format, nr);
	return n;
}
#define NAME_SLOT     "VR%02X" /* of virtio_mmio */
#define NAME_HOST     "PC%02X" /* of PCI */
#define NAME_BRIDGE   "BR%02X" /* by its place on its bus, as a function */
#define NAME_FUNCTION "FN%02X"

/* Each writes a whole table, and says whether there is one. */
bool acpi_dsdt(struct out *o, const struct platform *p);
bool acpi_madt(struct out *o, const struct platform *p);
bool acpi_gtdt(struct out *o, const struct platform *p);
bool acpi_mcfg(struct out *o, const struct platform *p);
bool acpi_spcr(struct out *o, const struct platform *p);
bool acpi_dbg2(struct out *o, const struct platform *p);
bool acpi_pptt(struct out *o, const struct platform *p);
bool acpi_iort(struct out *o, const struct platform *p);
bool acpi_viot(struct out *o, const struct platform *p);
void acpi_fadt(struct out *o, const struct platform *p, gpa_t dsdt);

/* efi.c: what is behind the tables. */
struct acpi_efi;
void acpi_efi(struct out *o, const struct platform *p, gpa_t rsdp, struct acpi_efi *efi);

#endif

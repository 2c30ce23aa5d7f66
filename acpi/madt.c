// SPDX-License-Identifier: GPL-2.0-only
/* The MADT: CPUs, the GIC and who takes messages (ACPI 6.5, 5.2.12). */
#include "acpi/private.h"

enum { GICC = 0x0b, GICD, MSI_FRAME, GICR, ITS };
#define PMU_INTID         23
#define MAINTENANCE_INTID 25

static void structure(struct out *o, u8 type, u8 len)
{
	out8(o, type);
	out8(o, len);
	out16(o, 0);
}

/* struct acpi_madt_generic_interrupt */
static void cpu(struct out *o, const struct platform *p, unsigned int i)
{
	structure(o, GICC, 82);
	out32(o, i);
	out32(o, i);
	out32(o, 1); /* enabled */
	out32(o, 0);
	out32(o, p->pmu ? PMU_INTID : 0);
	out64(o, 0);
	out64(o, p->gic.version == 2 ? p->gic.cpu : 0);
	out64(o, 0);
	out64(o, 0);
	out32(o, p->el2 ? MAINTENANCE_INTID : 0);
	out64(o, 0); /* its redistributor is in the range of them all */
	out64(o, acpi_mpidr(i));
	out8(o, 0);
	out8(o, 0);
	out16(o, 0);
	out16(o, 0);
}

static void distributor(struct out *o, const struct platform *p)
{
	structure(o, GICD, 24);
	out32(o, 0);
	out64(o, p->gic.dist);
	out32(o, 0);
	out8(o, p->gic.version);
	out_zeros(o, 3);
}

static void redistributors(struct out *o, const struct platform *p)
{
	structure(o, GICR, 16);
	out64(o, p->gic.redist);
	out32(o, p->gic.redist_size);
}

static void its(struct out *o, const struct platform_msi_frame *f, unsigned int i)
{
	structure(o, ITS, 20);
	out32(o, i);
	out64(o, f->base);
	out32(o, 0);
}

static void v2m(struct out *o, const struct platform_msi_frame *f, unsigned int i)
{
	structure(o, MSI_FRAME, 24);
	out32(o, i);
	out64(o, f->base);
	out32(o, 1); /* the SPIs are these, whatever its register says */
	out16(o, f->nr_spis);
	out16(o, gsi(f->first_spi));
}

static void (*const frames[])(struct out *o, const struct platform_msi_frame *f, unsigned int i) = {
	[PLATFORM_MSI_ITS] = its,
	[PLATFORM_MSI_V2M] = v2m,
};

bool acpi_madt(struct out *o, const struct platform *p)
{
	const size_t begin = table_begin(o, "APIC", 6);

	out32(o, 0);
	out32(o, 0);
	distributor(o, p);
	for (unsigned int i = 0; i < p->nr_cpus; i++)
		cpu(o, p, i);
	if (p->gic.version != 2)
		redistributors(o, p);
	for (unsigned int i = 0; i < p->nr_msi_frames; i++)
		frames[p->msi_frames[i].kind](o, &p->msi_frames[i], i);
	table_end(o, begin);
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_ARM64_GIC_H
#define VMM_ARM64_GIC_H

#include "vmm/arch.h"

struct kvm_ops;
struct platform;
struct v2m;
struct vm;

/*
 * Where interrupt controllers stand, as lkvm places them: below the distributor
 * the redistributors of a GICv3, 128 KiB for each vCPU, or the CPU interface of a
 * GICv2. What takes messages is at 0x0800_0000: the ITS's doorbell, or the v2m frame.
 */
#define GIC_DIST_BASE    0x3fff0000ULL
#define GIC_DIST_SIZE    0x10000ULL
#define GIC_REDIST_SIZE  0x20000ULL
#define GIC_ITS_BASE     0x07ff0000ULL
#define GIC_ITS_SIZE     0x20000ULL
#define GIC_ITS_DOORBELL (GIC_ITS_BASE + 0x10040) /* GITS_TRANSLATER */
#define GICV2_DIST_SIZE  0x1000ULL
#define GICV2_CPU_BASE   (GIC_DIST_BASE - 0x20000)
#define GICV2_CPU_SIZE   0x2000ULL
#define GIC_V2M_BASE     0x08000000ULL
#define GIC_V2M_SIZE     0x1000ULL
#define GIC_V2M_DOORBELL (GIC_V2M_BASE + 0x40) /* MSI_SETSPI_NS */

static inline gpa_t gic_redist_base(unsigned int nr_cpus)
{
	return GIC_DIST_BASE - nr_cpus * GIC_REDIST_SIZE;
}

/* The interrupt controllers, by lkvm's names for them; NULL: no such. */
const struct irqchip *irqchip_find(const char *name);
const char *irqchip_name(const struct irqchip *chip);
/* How many vCPUs it can serve. */
unsigned int irqchip_max_cpus(const struct irqchip *chip);
/* Whether its vCPUs may start at EL2 (arm64/cpu.h). */
bool irqchip_serves_el2(const struct irqchip *chip);
/* Whether it has an ITS, which knows who sends by DeviceIDs. */
bool irqchip_has_its(const struct irqchip *chip);
/* Whether it needs the block of SPIs for messages that irqchip_config names. */
bool irqchip_takes_spis(const struct irqchip *chip);
/* Its part of the description. */
void irqchip_describe(const struct irqchip_config *c, struct platform *p);
/* The names of those that this host's KVM can make, separated by commas; "none". */
void irqchip_offered(const struct kvm_ops *ops, char *text, size_t len);

/* v2m.c: the frame that makes SPIs of messages. 0 or -errno. */
int v2m_create(struct v2m **v2m, struct vm *vm, const struct irqchip_config *c);
void v2m_destroy(struct v2m *v2m);

#endif

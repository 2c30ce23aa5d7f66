/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_IOMMU_H
#define MACHINE_IOMMU_H

#include "machine/options.h"

struct dma_space;
struct machine;
struct pci_func;

/* A device behind an IOMMU, as the guest is told of it. */
struct endpoint {
	const struct place *place; /* whose it is */
	unsigned int iommu;        /* index in the options */
	void *behind;              /* the IOMMU's own */
	struct pci_func *func;     /* NULL: it is over MMIO */
	unsigned int segment;      /* index */
	unsigned int slot;         /* over MMIO */
	u32 mmio_id;
	struct by_hand *by_hand; /* fault_control.c's; NULL: nothing yet */
	bool stalls;             /* as was found out of a function of the host's */
};

const char *iommu_option_take(struct options *o, char *val);

/* No endpoint has a larger ID. */
u32 iommus_last_id(const struct options *o);

/* When all options are there. False: a line was printed. */
bool iommus_check(struct options *o);

/* And all are known: a device that is to stall is behind what lets it. False: a line was printed.
 */
bool iommus_check_stalls(const struct options *o);

/*
 * When places are known to be there: buses= is of what there is, and nobody says otherwise. False:
 * a line was printed.
 */
bool iommus_check_buses(const struct options *o);

/* What a device there is behind: an index in o->iommus; -1: nothing. */
int iommu_of(const struct options *o, const struct place *p);

/* The index in o->iommus; -1: there is none of that ID. */
int iommu_index(const struct options *o, const char *id);
/* Whether devices of the host's can be behind that. */
bool iommu_can_assign(const struct options *o, unsigned int i);

/*
 * How the device that goes to @place reaches memory: its endpoint's space, or
 * everyone's. 0 or -errno. Afterwards it is said where the device is.
 */
int machine_dma(struct machine *m, const struct place *place, struct dma_space **dma);
/* fault-timeout= of what is behind an IOMMU: ms. Nothing of what is not. */
void machine_set_patience(struct machine *m, const struct place *place, u64 ms);
/* What that has of it; NULL: it is behind nothing. */
void *machine_behind(struct machine *m, const struct place *place);
/* It is behind something, and can stall: the guest is told so. */
void machine_stalls(struct machine *m, const struct place *place);
void machine_endpoint_is_pci(struct machine *m, const struct place *place, struct pci_func *f,
                             unsigned int segment);
void machine_endpoint_is_mmio(struct machine *m, const struct place *place, unsigned int slot);

/*
 * When all devices are there: the platform's endpoints. 0, or an exit code: an IOMMU cannot know a
 * device, and that was said in one line.
 */
int iommus_describe(struct machine *m);

#endif

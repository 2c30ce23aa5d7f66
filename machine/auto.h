/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_AUTO_H
#define MACHINE_AUTO_H

#include "machine/options.h"

struct uapi;

/*
 * --vfio-pci with iommu=auto, which is the default: where the host's SMMU in front of a function
 * can nest, the function goes behind an SMMUv3 of the guest's that is for that one, which is made,
 * on a PCI segment of its own, if there is none yet; else behind nothing. @sys is a sysfs; by @u
 * is found out what an SMMU can, on a function that is ready: that is reset. 0, or an exit code: a
 * line was printed.
 */
int vfio_place_all(struct options *o, const char *sys, const struct uapi *u);

/* The same, of this host. */
int vfio_place_here(struct options *o);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VFIO_FUNCTION_H
#define VFIO_FUNCTION_H

#include "vmm/types.h"

#define HOST_NAME 64

/* A PCI function of the host, as sysfs tells of it (Documentation/ABI/testing/sysfs-bus-pci). Texts
 * are empty where there is no such. */
struct host_function {
	char at[HOST_NAME]; /* DOMAIN:BUS:DEVICE.FUNCTION */
	u16 vendor, device;
	u32 class;
	char driver[HOST_NAME];
	int group;               /* of IOMMUs; -1: behind none */
	char iommu[HOST_NAME];   /* as in /sys/class/iommu */
	char other[HOST_NAME];   /* in its group, with a driver, and no PCI function */
	char *members;           /* the rest of its group, split by spaces */
	char resets[HOST_NAME];  /* the kernel's words for its ways of reset, likewise */
	char cdev[HOST_NAME];    /* in /dev/vfio/devices; empty: no vfio driver has it */
	u64 msi_first, msi_last; /* where the kernel maps doorbells for it; first > last: nowhere */
	bool is_bridge;          /* vfio-pci takes none */
	bool caps_known;         /* config space could be read beyond its first part: by root */
	bool ats, pri, pasid;
	unsigned int pasid_bits;
	bool can_stall; /* its device tree says so */
};

struct host_functions {
	const char *sys; /* the caller's */
	struct host_function *list;
	size_t nr;
	bool by_tree; /* the host is told by a device tree, and not by ACPI */
};

/* All that @sys, a sysfs, has; in order. -errno: there is no such folder. */
int host_functions_read(struct host_functions *h, const char *sys);
void host_functions_free(struct host_functions *h);

const struct host_function *host_function_find(const struct host_functions *h, const char *at,
                                               size_t len);

/* What has to be bound to vfio-pci before it can be assigned: itself, and what else in its group a
 * driver has. NULL after the last; @prev NULL begins. */
const struct host_function *host_function_taken(const struct host_functions *h,
                                                const struct host_function *f,
                                                const struct host_function *prev);

/* A range of IOVAs that the kernel keeps for itself, both ends included, and its word for it. */
struct host_region {
	u64 first, last;
	char type[32];
};
/* The first that has part of [@first, @last], but for where doorbells are; false: none has. */
bool host_function_reserves(const struct host_functions *h, const struct host_function *f,
                            u64 first, u64 last, struct host_region *found);

/* It can be assigned as it is. */
bool host_function_ready(const struct host_functions *h, const struct host_function *f);

#endif

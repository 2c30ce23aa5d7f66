/* SPDX-License-Identifier: GPL-2.0-only */
/* The DMA endpoint with a page table whose faults come to the program, through iommufd's fault
 * queue. */
#ifndef GUESTS_LINUX_FAULTS_H
#define GUESTS_LINUX_FAULTS_H

#include <poll.h>

#include "guests/linux/endpoint.h"

static uint32_t ioas, hwpt;
static int faults;

static inline void open_with_faults(const char *path)
{
	struct iommu_fault_alloc queue = { .size = sizeof(queue) };
	struct iommu_hwpt_alloc alloc = { .size = sizeof(alloc),
		                          .flags = IOMMU_HWPT_FAULT_ID_VALID };

	open_endpoint(path);
	ioas = alloc_ioas();
	check(!ioctl(iommu, IOMMU_FAULT_QUEUE_ALLOC, &queue), "fault queue");
	faults = queue.out_fault_fd;
	alloc.dev_id = devid;
	alloc.pt_id = ioas;
	alloc.fault_id = queue.out_fault_id;
	check(!ioctl(iommu, IOMMU_HWPT_ALLOC, &alloc), "page table with a fault queue");
	hwpt = alloc.out_hwpt_id;
	check(!attach(hwpt), "attach");
}

static inline void answer_fault(const struct iommu_hwpt_page_response *r)
{
	check(write(faults, r, sizeof(*r)) == sizeof(*r), "response");
}

/* For ever. */
static inline void __attribute__((noreturn))
serve_faults(void (*respond)(const struct iommu_hwpt_pgfault *))
{
	struct iommu_hwpt_pgfault f[8];

	for (;;) {
		struct pollfd p = { .fd = faults, .events = POLLIN };
		ssize_t n;

		check(poll(&p, 1, -1) == 1, "poll");
		n = read(faults, f, sizeof(f));
		check(n > 0 && n % sizeof(*f) == 0, "read of faults");
		for (unsigned int i = 0; i < n / sizeof(*f); i++)
			respond(&f[i]);
	}
}

#endif

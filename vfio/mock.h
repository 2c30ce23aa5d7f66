/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VFIO_MOCK_H
#define VFIO_MOCK_H

#include "fault/bridge.h"
#include "fault/relay.h"
#include "vfio/uapi.h"

struct vm;

/*
 * The mock device of a kernel with CONFIG_IOMMUFD_TEST (drivers/iommu/iommufd/selftest.c), as what
 * an emulated function's faults arise in: an access that its IOMMU would not let pass, or a page
 * request, is raised as the mock's. It comes back by the kernel's own fault queue; only then is
 * the guest asked, and the kernel has the answer before the function goes on.
 */
struct mock;

/* What of it is no uAPI: NULL in a program that was built without that kernel's header
 * (vfio/selftest/). */
struct mock_wire {
	/* A mock device in @ioas; with a table whose faults, of any PASID, go to the queue
	 * @faultq. Its ID, or -errno. */
	int (*create)(struct uapi *u, u32 ioas, u32 faultq);
	/* One page request, the last of its group. 0 or -errno. */
	int (*raise)(struct uapi *u, u32 dev, const struct fault_request *rq, u32 group);
};
extern const struct mock_wire *const mock_wire;

struct mock_config {
	struct vm *vm;
	const struct mock_wire *wire;
	const struct uapi_ops *ops;
	const char *name;        /* the function's; it outlives the mock, as @under and @hub do */
	struct dma_space *under; /* its IOMMU's for it */
	struct fault_hub *hub;
	bool stalls; /* its accesses; its page requests do in any case */
	u32 timeout; /* ms that the guest has for an access; 0: no limit */
};

/* Before the guest runs. 0 or -errno: -ENOTTY, the kernel has none. */
int mock_create(struct mock **m, const struct mock_config *c);
/* After the function. */
void mock_destroy(struct mock *m);
/* What the function has in place of @under. */
struct dma_space *mock_space(struct mock *m);
struct fault_relay *mock_relay(struct mock *m);
/* The function is there: what is called back in its space is so in @under. */
void mock_settle(struct mock *m);

#endif

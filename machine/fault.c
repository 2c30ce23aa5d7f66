// SPDX-License-Identifier: GPL-2.0-only
/* Page faults of the host's functions: which of them can stall, and who is asked. */
#include "machine/fault.h"

#include <string.h>

#include "devices/smmuv3/fields.h"
#include "devices/smmuv3/smmuv3.h"
#include "machine/accel.h"
#include "machine/iommu.h"
#include "machine/keys.h"
#include "machine/machine.h"
#include "machine/place.h"
#include "machine/status.h"
#include "vfio/vsmmu.h"
#include "vmm/log.h"

static const char *const routes[] = {
	[FAULT_ROUTE_AUTO] = "auto",       [FAULT_ROUTE_STALL] = "stall",
	[FAULT_ROUTE_MAILBOX] = "mailbox", [FAULT_ROUTE_OFF] = "off",
	[FAULT_ROUTE_PRIQ] = "priq",       [FAULT_ROUTE_VIRTIO] = "virtio",
};

static bool asks_by_name(enum fault_route route)
{
	return route == FAULT_ROUTE_STALL || route == FAULT_ROUTE_MAILBOX;
}

const char *fault_option_take(struct fault_option *f)
{
	static const char *const stalls[] = { "auto", "on", "off" };
	unsigned int stall = FAULT_STALL_AUTO, route = FAULT_ROUTE_AUTO;

	if (!keys_word(f->stall_said, stalls, ARRAY_SIZE(stalls), &stall))
		return "stall=auto, stall=on or stall=off";
	if (!keys_word(f->route_said, routes, ARRAY_SIZE(routes), &route))
		return "fault=auto, fault=stall, fault=mailbox or fault=off";
	if (route == FAULT_ROUTE_PRIQ || route == FAULT_ROUTE_VIRTIO)
		return "fault=stall or fault=mailbox: a PRI queue, or a virtio-iommu's requests, "
		       "are of emulated functions alone";
	if (stall == FAULT_STALL_OFF && asks_by_name(route))
		return route == FAULT_ROUTE_STALL ? "fault=stall without stall=off"
		                                  : "fault=mailbox without stall=off";
	f->stall = stall;
	f->route = route;
	return NULL;
}

/* Nothing else than an SMMUv3 that one of the host's translates for has such faults. */
bool fault_check(const struct options *o)
{
	for (unsigned int i = 0; i < o->nr_vfio; i++) {
		const struct vfio_option *v = &o->vfio[i];
		const struct fault_option *f = &v->fault;
		const bool asks = f->stall == FAULT_STALL_ON || asks_by_name(f->route) ||
		                  f->timeout;

		if (!asks || accel_is_on(o, iommu_of(o, &v->place)))
			continue;
		log_error("--vfio-pci %s,%s%s: expected it behind an --iommu of type=smmuv3, for "
		          "which one of the host's translates",
		          v->said,
		          f->timeout                   ? "fault-timeout"
		          : f->stall == FAULT_STALL_ON ? "stall=on"
		                                       : "fault=",
		          f->timeout || f->stall == FAULT_STALL_ON ? "" : routes[f->route]);
		return false;
	}
	return true;
}

bool fault_may_stall(const struct fault_option *f)
{
	return f->stall == FAULT_STALL_ON || (f->stall == FAULT_STALL_AUTO && f->host_can_stall);
}

/* 5.5: with a model of no choice the option has none either. */
static const char *contradiction(const struct fault_option *f, u64 model)
{
	const bool on = f->stall == FAULT_STALL_ON || asks_by_name(f->route);

	if (model == STALL_NEVER && on)
		return "no stall=on, fault=stall or fault=mailbox: its SMMU cannot stall "
		       "(SMMU_IDR0.STALL_MODEL is 1)";
	if (model == STALL_ALWAYS && f->stall == FAULT_STALL_OFF)
		return "no stall=off: all that is behind its SMMU stalls (SMMU_IDR0.STALL_MODEL "
		       "is 2)";
	if (model == STALL_CHOICE && asks_by_name(f->route) && !fault_may_stall(f))
		return "stall=on: that it can stall is not known";
	/* Linux would resume none of its accesses, and warn of each. */
	if (model == STALL_CHOICE && f->stall == FAULT_STALL_ON && f->host_by_tree &&
	    !f->host_can_stall)
		return "no stall=on: the host's device tree does not say dma-can-stall of it";
	return NULL;
}

/* Those of one group have one page table, and one name for their faults. */
static const char *shares(const struct machine *m, unsigned int i)
{
	for (unsigned int other = 0; other < m->options->nr_vfio; other++)
		if (other != i && m->vfio[other].group == m->vfio[i].group)
			return m->options->vfio[other].said;
	return NULL;
}

static int failed(const struct vfio_option *v, int err)
{
	log_error("--vfio-pci %s: its page faults: %s%s", v->said, strerror(-err),
	          err == -EOPNOTSUPP ? ": expected a host kernel with CONFIG_ARM_SMMU_V3_SVA" : "");
	return STATUS_HOST_LACKS;
}

int fault_serve(struct machine *m, unsigned int i, struct smmu_endpoint *e, struct vsmmu_stream *st)
{
	const struct vfio_option *v = &m->options->vfio[i];
	const struct fault_option *f = &v->fault;
	const int n = iommu_of(m->options, &v->place);
	const u64 model = smmu_id_get(&m->iommu_options[n].registers, "idr0.stall_model");
	const char *expected = contradiction(f, model);
	const struct vsmmu_faults c = {
		.name = v->at,
		.hub = &m->faults,
		.space = smmu_endpoint_dma(e),
		.timeout = f->timeout,
	};
	const char *other = shares(m, i);
	int err;

	if (expected) {
		log_error("--vfio-pci %s: expected %s", v->said, expected);
		return STATUS_HOST_LACKS;
	}
	if (model == STALL_NEVER || (model == STALL_CHOICE && !fault_may_stall(f)) ||
	    f->route == FAULT_ROUTE_OFF)
		return 0;
	if (other) {
		log_error("--vfio-pci %s: expected a function that stalls to be alone in its IOMMU "
		          "group, not with %s, or fault=off",
		          v->said, other);
		return STATUS_HOST_LACKS;
	}
	err = vsmmu_stream_stalls(st, &c);
	if (err)
		return failed(v, err);
	machine_stalls(m, &v->place);
	return 0;
}

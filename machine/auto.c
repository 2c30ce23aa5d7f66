// SPDX-License-Identifier: GPL-2.0-only
/* iommu=auto: each function of the host's behind an SMMUv3 of the guest's that is its own SMMU's.
 */
#include "machine/auto.h"

#include <stdio.h>
#include <string.h>

#include "machine/accel.h"
#include "machine/fault.h"
#include "machine/iommu.h"
#include "machine/iommu_kind.h"
#include "machine/place.h"
#include "machine/status.h"
#include "vfio/function.h"
#include "vfio/probe.h"

/* What is known of the host while functions are placed. */
struct placing {
	struct options *o;
	struct host_functions functions;
	const struct uapi *uapi;
};

static const struct host_function *function_of(const struct placing *p, const struct vfio_option *v)
{
	return host_function_find(&p->functions, v->at, strlen(v->at));
}

/* Of those that are there or were made: the one for @host, which it may say, or a function behind
 * it. -1: none. */
static int find_iommu(const struct placing *p, const char *host)
{
	const struct options *o = p->o;

	for (unsigned int i = 0; i < o->nr_iommus; i++) {
		const struct iommu_option *iommu = &o->iommus[i];

		if (iommu->kind == &iommu_smmuv3 && iommu->accel != ACCEL_OFF && iommu->host &&
		    !strcmp(iommu->host, host))
			return i;
	}
	for (unsigned int i = 0; i < o->nr_vfio; i++) {
		const struct host_function *f = function_of(p, &o->vfio[i]);
		const int n = iommu_of(o, &o->vfio[i].place);

		if (f && !strcmp(f->iommu, host) && accel_is_on(o, n))
			return n;
	}
	return -1;
}

/* By trying it: no file says so. */
static bool can_nest(const struct placing *p, const struct host_function *f, const u8 *token)
{
	struct vfio_probe probe;

	return host_function_ready(&p->functions, f) &&
	       !vfio_probe(&probe, p->uapi, f->cdev, token) && vfio_probe_two_stages(&probe) &&
	       !probe.result[VFIO_STEP_VIOMMU];
}

static u16 free_segment(const struct options *o)
{
	u16 n = 1;

	while (segment_index(o, n) < o->nr_segments)
		n++;
	return n;
}

/* With a segment of its own, so that nobody else is behind it. */
static int make_iommu(struct options *o, const struct vfio_option *v, const char *host)
{
	struct iommu_option *i = &o->iommus[o->nr_iommus];

	if (o->nr_iommus == PLATFORM_IOMMUS || o->nr_segments == PLATFORM_SEGMENTS) {
		log_error("--vfio-pci %s: expected iommu=none, or fewer of others: it would take "
		          "one more than the 16 IOMMUs or the 64 segments there can be",
		          v->said);
		return STATUS_USAGE;
	}
	*i = (struct iommu_option){ .kind = &iommu_smmuv3 };
	i->kind->init(i);
	snprintf(i->made_for, sizeof(i->made_for), "%s", host);
	i->id = i->host = i->made_for;
	i->segment = free_segment(o);
	o->segments[o->nr_segments++] = i->segment;
	o->nr_iommus++;
	return 0;
}

/* A place that was said is kept: any segment's functions can be behind it. */
static void put_behind(struct options *o, struct vfio_option *v, unsigned int n)
{
	v->place.iommu = o->iommus[n].id;
	if (*o->iommus[n].made_for && !v->place.bus && !v->place.segment)
		v->place.segment = o->iommus[n].segment;
}

static int place(struct placing *p, struct vfio_option *v)
{
	const struct host_function *f = function_of(p, v);
	int n, status = 0;

	v->fault.host_can_stall = f && f->can_stall;
	v->fault.host_by_tree = p->functions.by_tree;
	if (!v->finds_iommu || iommu_of(p->o, &v->place) >= 0 || !f || !*f->iommu || f->members)
		return 0;
	n = find_iommu(p, f->iommu);
	if (n < 0 && !can_nest(p, f, v->token_said ? v->token : NULL))
		return 0;
	if (n < 0) {
		n = p->o->nr_iommus;
		status = make_iommu(p->o, v, f->iommu);
	}
	if (!status)
		put_behind(p->o, v, n);
	return status;
}

int vfio_place_all(struct options *o, const char *sys, const struct uapi *u)
{
	struct placing p = { .o = o, .uapi = u };
	int status = 0;

	if (o->nr_vfio && !host_functions_read(&p.functions, sys)) {
		for (unsigned int i = 0; i < o->nr_vfio && !status; i++)
			status = place(&p, &o->vfio[i]);
		host_functions_free(&p.functions);
	}
	if (!status && (!options_check(o) || !accel_check_all_used(o) || !fault_check(o)))
		status = STATUS_USAGE;
	return status;
}

int vfio_place_here(struct options *o)
{
	struct log log = { .topics = o->trace };
	const struct uapi u = { .ops = &uapi_host, .log = &log, .iommufd = -1 };

	return vfio_place_all(o, "/sys", &u);
}

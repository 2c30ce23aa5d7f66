// SPDX-License-Identifier: GPL-2.0-only
/* --msi-window: the IOVAs where doorbells are: which they may be, and how the guest is told. */
#include "machine/msi_window.h"

#include <stdio.h>
#include <string.h>

#include "machine/keys.h"
#include "machine/layout.h"
#include "machine/machine.h"
#include "machine/status.h"
#include "vfio/function.h"
#include "vmm/arm64/gic.h"
#include "vmm/log.h"

/* What an RMR has (Arm DEN 0049, E.d and later), and any granule divides. */
#define UNIT 0x10000
#define END  (1ULL << 48) /* of what arm64's IOMMUs translate */

static u64 size_of(const struct iommu_range *w)
{
	return w->last - w->first + 1;
}

const char *msi_window_take(struct options *o, char *val)
{
	u64 base, size;
	const char *rest;

	if (o->msi_window_said)
		return "one window, not two";
	if (!parse_number(val, &base, &rest) || *rest != ',' ||
	    !parse_number(rest + 1, &size, &rest) || *rest)
		return "BASE,SIZE, as in 0x8000000,0x100000";
	if (!size || (base | size) & (UNIT - 1))
		return "multiples of 64 KiB, and at least one";
	if (size > END || base > END - size)
		return "addresses of 48 bits";
	o->msi_window = (struct iommu_range){ base, base + (size - 1) };
	o->msi_window_said = true;
	return NULL;
}

/* What is at @base is called @what. */
static bool is_beside(const struct options *o, const char *what, gpa_t base, u64 size)
{
	const struct iommu_range *w = &o->msi_window;

	if (!size || w->last < base || w->first > base + (size - 1))
		return true;
	log_error("--msi-window 0x%llx,0x%llx: expected addresses beside %s, which is at "
	          "0x%llx-0x%llx",
	          (unsigned long long)w->first, (unsigned long long)size_of(w), what,
	          (unsigned long long)base, (unsigned long long)(base + (size - 1)));
	return false;
}

/* Doorbells are elsewhere than the guest's own is where something translates. */
static bool has_doorbells(const struct options *o)
{
	const struct iommu_range *w = &o->msi_window;
	const bool messages = irqchip_has_its(o->irqchip) || irqchip_takes_spis(o->irqchip);

	if (!o->msi_window_said || (messages && o->nr_iommus + o->nr_vfio))
		return true;
	log_error("--msi-window 0x%llx,0x%llx: expected %s: nothing has a doorbell there",
	          (unsigned long long)w->first, (unsigned long long)size_of(w),
	          messages ? "an --iommu or a --vfio-pci with it"
	                   : "--irqchip gicv3-its or gicv2m");
	return false;
}

bool msi_window_check(const struct options *o)
{
	bool is_well = is_beside(o, "RAM", RAM_BASE, o->mem);

	for (unsigned int i = 0; i < o->nr_segments && is_well; i++) {
		struct platform_pci pci;
		char what[48];

		board_describe_segment(&pci, o, i);
		snprintf(what, sizeof(what), "segment %u's window for BARs", pci.segment);
		is_well = is_beside(o, what, pci.mem32.cpu, pci.mem32.size) &&
		          is_beside(o, what, pci.mem64.cpu, pci.mem64.size);
	}
	return is_well && has_doorbells(o);
}

int msi_window_host(struct machine *m, unsigned int i, const struct host_functions *h,
                    const struct host_function *f)
{
	const struct iommu_range *w = &m->msi_window;
	struct vfio_range *host = &m->vfio[i].msi;
	struct host_region r;

	*host = (struct vfio_range){ f->msi_first, f->msi_last };
	if (!m->options->msi_window_said && host->first <= host->last)
		m->msi_window = (struct iommu_range){ host->first, host->last };
	if (!m->options->msi_window_said)
		return 0;
	if (host->first <= host->last)
		m->vfio[i].moves_msis = host->first != w->first || host->last > w->last;
	if (!host_function_reserves(h, f, w->first, w->last, &r))
		return 0;
	log_error("--msi-window 0x%llx,0x%llx: expected addresses beside 0x%llx-0x%llx, which this "
	          "host reserves (%s) for --vfio-pci %s",
	          (unsigned long long)w->first, (unsigned long long)size_of(w),
	          (unsigned long long)r.first, (unsigned long long)r.last, r.type,
	          m->options->vfio[i].said);
	return STATUS_HOST_LACKS;
}

int msi_window_move(struct machine *m, unsigned int i)
{
	const struct iommu_range *w = &m->msi_window;
	struct machine_vfio *v = &m->vfio[i];
	int err = v->moves_msis ? vfio_device_move_doorbells(&v->dev, w->first, size_of(w)) : 0;

	if (err) {
		log_error("--msi-window 0x%llx,0x%llx: expected 0x%llx,0x%llx, where this host's "
		          "kernel has doorbells for --vfio-pci %s, and does not move them: %s",
		          (unsigned long long)w->first, (unsigned long long)size_of(w),
		          (unsigned long long)v->msi.first,
		          (unsigned long long)(v->msi.last - v->msi.first + 1),
		          m->options->vfio[i].said, strerror(-err));
		return STATUS_HOST_LACKS;
	}
	if (v->moves_msis)
		v->msi = (struct vfio_range){ w->first, w->last };
	return 0;
}

u32 msi_window_reserved(struct machine *m)
{
	const struct iommu_range *w = &m->msi_window;
	struct platform *p = &m->platform;
	unsigned int i = 0;

	if (!p->nr_msi_frames)
		return 0;
	while (i < p->nr_reserved && p->reserved[i].base != w->first)
		i++;
	if (i == p->nr_reserved)
		p->reserved[p->nr_reserved++] =
			(struct platform_reserved){ w->first, size_of(w), PLATFORM_RESERVED_MSI };
	return 1u << i;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * ATS and PASID of an assigned function, behind an SMMU of the host's that translates for the
 * guest's. The host has enabled PASIDs, and enables ATS by the STE that the guest writes: what the
 * guest's driver sets in these capabilities is kept, and goes no further.
 */
#include <linux/iommufd.h>
#include <linux/pci_regs.h>

#include "vfio/pci_private.h"
#include "vfio/vsmmu.h"

#define ONE_PREFIX FIELD_LOW(PCI_EXP_DEVCAP2_EE_PREFIX_MAX)
#define LAST       (PCI_CONFIG_SIZE - PCI_EXT_CAP_PASID_SIZEOF)

int vfio_ats_read(struct vfio_pci *p, const struct vfio_pci_config *c)
{
	struct uapi *u = vfio_uapi_of(p);
	struct iommu_hw_info arg = { .dev_id = p->dev->id };
	int err = c->ats || c->pasid_bits ? u->ops->get_hw_info(u, &arg) : 0;

	if (err)
		return err;
	p->shows_ats = c->ats && !(arg.out_capabilities & IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED);
	p->pasid_bits = arg.out_max_pasid_log2 < c->pasid_bits ? arg.out_max_pasid_log2
	                                                       : c->pasid_bits;
	if (arg.out_capabilities & IOMMU_HW_CAP_PCI_PASID_EXEC)
		p->pasid_cap |= PCI_PASID_CAP_EXEC;
	if (arg.out_capabilities & IOMMU_HW_CAP_PCI_PASID_PRIV)
		p->pasid_cap |= PCI_PASID_CAP_PRIV;
	return 0;
}

void vfio_ats_take(struct vfio_pci *p, unsigned int at)
{
	struct pci_func *f = &p->func;

	if (p->stream)
		vsmmu_stream_has_ats(p->stream);
	vfio_config_keep(p, at, PCI_EXT_CAP_ATS_SIZEOF);
	pci_set16(f, at + PCI_ATS_CTRL, 0);
	pci_allow16(f, at + PCI_ATS_CTRL, PCI_ATS_CTRL_ENABLE | PCI_ATS_CTRL_STU(~0));
}

/* Where nothing is, as far as can be seen: VFIO passes what no capability claims, and says not how
 * long those are that it does not know. 0: there is no such place. */
static unsigned int place_for_pasid(const struct vfio_pci *p, unsigned int last)
{
	const struct pci_func *f = &p->func;

	if (!last)
		return PCI_CFG_SPACE_SIZE;
	if ((last > LAST - 64 && last != p->pages.at) || pci_get32(f, LAST) ||
	    pci_get32(f, LAST + 4))
		return 0;
	return LAST;
}

/* VFIO hides the function's own. A PASID is an end-end TLP prefix, of which one is needed. */
void vfio_pasid_init(struct vfio_pci *p, unsigned int last)
{
	struct pci_func *f = &p->func;
	const unsigned int devcap2 = f->express + PCI_EXP_DEVCAP2;
	const unsigned int version = pci_get16(f, f->express + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_VERS;
	const unsigned int at = p->pasid_bits && version > 1 ? place_for_pasid(p, last) : 0;

	if (!at)
		return;
	f->ats.pasid = at;
	vfio_config_keep(p, at, PCI_EXT_CAP_PASID_SIZEOF);
	pci_set32(f, at, PCI_EXT_CAP_ID_PASID | 1u << 16);
	pci_set16(f, at + PCI_PASID_CAP,
	          p->pasid_cap | FIELD_PREP(PCI_PASID_CAP_WIDTH, (u64)p->pasid_bits));
	pci_set16(f, at + PCI_PASID_CTRL, 0);
	pci_allow16(f, at + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE | p->pasid_cap);
	if (last)
		pci_set32(f, last, (pci_get32(f, last) & 0xfffff) | at << 20);
	if (f->ats.pri)
		pci_set16(f, f->ats.pri + PCI_PRI_STATUS,
		          pci_get16(f, f->ats.pri + PCI_PRI_STATUS) | PCI_PRI_STATUS_PASID);
	vfio_config_keep(p, devcap2, 4);
	pci_set32(f, devcap2, pci_get32(f, devcap2) | PCI_EXP_DEVCAP2_EE_PREFIX | ONE_PREFIX);
}

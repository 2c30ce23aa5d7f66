// SPDX-License-Identifier: GPL-2.0-only
/* ATS and PASIDs of an assigned function: shown as far as the guest's SMMU and the host have them,
 * and shadows. */
#include <linux/iommufd.h>
#include <stdio.h>

#include "tests/unit/fake_assigned.h"

#define F     (&fake_functions[0])
#define PASID 0xff8

TestSuite(vfio_ats, .init = fake_assigned_prepare, .fini = fake_assigned_unmake, .timeout = 20);

static void make(bool ats, unsigned int pasid_bits)
{
	fake_at.ats = ats;
	fake_at.pasid_bits = pasid_bits;
	cr_assert(zero(int, fake_assigned_create(NULL, NULL)), "step %u", fake_at.step);
	fake_noted();
}

Test(vfio_ats, translation_requests_are_shown_and_their_control_goes_no_further)
{
	make(true, 0);
	cr_assert(fake_assigned_shows(FAKE_EXT_ATS, PCI_EXT_CAP_ID_ATS));
	cr_assert(zero(u64, cfg_read(FAKE_EXT_ATS + PCI_ATS_CTRL, 2)), "the host's is not seen");
	cfg_write(FAKE_EXT_ATS + PCI_ATS_CTRL, 2, 0xffff);
	cr_assert(eq(u64, cfg_read(FAKE_EXT_ATS + PCI_ATS_CTRL, 2), PCI_ATS_CTRL_ENABLE | 0x1f));
	cr_assert(eq(str, fake_noted(), ""));
	cr_assert(zero(u64, cfg_read(FAKE_EXT_PRI, 4)), "page requests are not shown");
	cr_assert(not(fake_assigned_shows(PASID, PCI_EXT_CAP_ID_PASID)));
}

Test(vfio_ats, a_host_without_them_shows_none)
{
	fake_iommufd.abilities = IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED;
	make(true, 8);
	cr_assert(not(fake_assigned_shows(FAKE_EXT_ATS, PCI_EXT_CAP_ID_ATS)));
	cr_assert(not(fake_assigned_shows(PASID, PCI_EXT_CAP_ID_PASID)), "no PASIDs are enabled");
}

Test(vfio_ats, an_smmu_without_them_is_not_asked_for_any)
{
	fake_iommufd.pasid_bits = 16;
	make(false, 0);
	cr_assert(not(fake_assigned_shows(FAKE_EXT_ATS, PCI_EXT_CAP_ID_ATS)));
	cr_assert(not(fake_assigned_shows(PASID, PCI_EXT_CAP_ID_PASID)));
}

Test(vfio_ats, pasids_are_of_as_many_bits_as_both_know)
{
	fake_iommufd.abilities = IOMMU_HW_CAP_PCI_PASID_EXEC;
	fake_iommufd.pasid_bits = 16;
	make(false, 10);
	cr_assert(fake_assigned_shows(PASID, PCI_EXT_CAP_ID_PASID));
	cr_assert(eq(u64, cfg_read(PASID + PCI_PASID_CAP, 2), PCI_PASID_CAP_EXEC | 10 << 8));
	cfg_write(PASID + PCI_PASID_CTRL, 2, 0xffff);
	cr_assert(eq(u64, cfg_read(PASID + PCI_PASID_CTRL, 2),
	             PCI_PASID_CTRL_ENABLE | PCI_PASID_CTRL_EXEC));
	cr_assert(eq(str, fake_noted(), ""));
	cr_assert(ne(u64, cfg_read(FAKE_CAP_EXP + PCI_EXP_DEVCAP2, 4) & PCI_EXP_DEVCAP2_EE_PREFIX,
	             0));
}

Test(vfio_ats, a_reset_disables_both)
{
	fake_iommufd.pasid_bits = 4;
	make(true, 20);
	cr_assert(eq(u64, cfg_read(PASID + PCI_PASID_CAP, 2) >> 8, 4));
	cfg_write(PASID + PCI_PASID_CTRL, 2, PCI_PASID_CTRL_ENABLE);
	cfg_write(FAKE_EXT_ATS + PCI_ATS_CTRL, 2, PCI_ATS_CTRL_ENABLE);
	cfg_write(FAKE_CAP_EXP + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR);
	until(!fake_at.pci->resetting);
	cr_assert(zero(u64, cfg_read(PASID + PCI_PASID_CTRL, 2)));
	cr_assert(zero(u64, cfg_read(FAKE_EXT_ATS + PCI_ATS_CTRL, 2)));
}

Test(vfio_ats, where_something_is_at_the_end_no_pasids_are_shown)
{
	fake_put32(F, PASID, 0x12345678);
	fake_iommufd.pasid_bits = 4;
	make(false, 4);
	cr_assert(eq(u64, cfg_read(PASID, 4), 0x12345678));
	cr_assert(eq(u64, cfg_read(FAKE_EXT_DSN, 4) >> 20, 0));
}

Test(vfio_ats, a_function_with_no_other_extended_capability_has_pasids_first)
{
	fake_put32(F, 0x100, 0);
	fake_iommufd.pasid_bits = 4;
	make(false, 4);
	cr_assert(fake_assigned_shows(0x100, PCI_EXT_CAP_ID_PASID));
	cr_assert(eq(u64, cfg_read(0x104, 2), 4 << 8));
}

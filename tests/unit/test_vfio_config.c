// SPDX-License-Identifier: GPL-2.0-only
/* Config space of an assigned function: what is passed, what is ours, what is hidden. */
#include <stdio.h>

#include "tests/unit/fake_assigned.h"

#define F (&fake_functions[0])

TestSuite(vfio_config, .init = fake_assigned_make, .fini = fake_assigned_unmake);

/* Before it is opened a test can change what the function is. */
static void make(void)
{
	cr_assert(zero(int, fake_assigned_create(NULL, NULL)), "step %u", fake_at.step);
	fake_noted();
}

TestSuite(vfio_config_of, .init = fake_assigned_prepare, .fini = fake_assigned_unmake);

Test(vfio_config, identity_is_the_functions)
{
	cr_assert(eq(u64, cfg_read(PCI_VENDOR_ID, 4), 0x10d38086));
	cr_assert(eq(u64, cfg_read(PCI_CLASS_REVISION, 4), 0x02000003));
	cfg_write(PCI_VENDOR_ID, 4, 0);
	cr_assert(eq(u64, cfg_read(PCI_VENDOR_ID, 4), 0x10d38086));
	cr_assert(eq(str, fake_noted(), ""));
}

Test(vfio_config, it_is_one_function_with_inta)
{
	cr_assert(zero(u64, cfg_read(PCI_HEADER_TYPE, 1)));
	cr_assert(eq(u64, cfg_read(PCI_INTERRUPT_PIN, 1), 1));
	cfg_write(PCI_INTERRUPT_LINE, 1, 77);
	cr_assert(eq(u64, cfg_read(PCI_INTERRUPT_LINE, 1), 77));
	cr_assert(eq(u32, F->config[PCI_INTERRUPT_LINE], 11), "which is nothing to the host");
}

Test(vfio_config_of, one_without_a_pin_has_no_intx)
{
	F->config[PCI_INTERRUPT_PIN] = 0;
	make();
	cr_assert(zero(u64, cfg_read(PCI_INTERRUPT_PIN, 1)));
	cr_assert(eq(int, F->mode, -1));
}

Test(vfio_config, status_is_the_functions_own_now)
{
	fake_put16(F, PCI_STATUS, 0x2810);
	cr_assert(eq(u64, cfg_read(PCI_STATUS, 2), 0x2810));
	cfg_write(PCI_STATUS, 2, 0x2000); /* the guest clears what it is told */
	cr_assert(eq(str, fake_noted(), "config 0x6/2=0x2000;"));
}

Test(vfio_config, capabilities_pass_but_for_their_chain)
{
	F->config[FAKE_CAP_VPD + PCI_VPD_DATA] = 0x5a;
	cr_assert(eq(u64, cfg_read(FAKE_CAP_VPD + PCI_VPD_DATA, 1), 0x5a));
	cfg_write(FAKE_CAP_VPD + PCI_VPD_ADDR, 2, 0x8004);
	cr_assert(eq(str, fake_noted(), "config 0xd2/2=0x8004;"));
	F->config[FAKE_CAP_VPD + 1] = 0x40; /* where it leads does not change any more */
	cr_assert(eq(u64, cfg_read(FAKE_CAP_VPD, 2), PCI_CAP_ID_VPD));
	cr_assert(zero(u32, fake_cap(&fake_at.vm, 0, 0x55, 0)), "the list has an end");
}

Test(vfio_config, message_controls_are_ours)
{
	cfg_write(FAKE_CAP_MSI + PCI_MSI_ADDRESS_LO, 4, 0x8000040);
	cfg_write(FAKE_CAP_MSI + PCI_MSI_ADDRESS_HI, 4, 1);
	cfg_write(FAKE_CAP_MSI + PCI_MSI_DATA_64, 2, 7);
	cfg_write(FAKE_CAP_MSI + PCI_MSI_MASK_64, 4, ~0u);
	cfg_write(FAKE_CAP_MSIX + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_MASKALL);
	cr_assert(eq(str, fake_noted(), ""));
	cr_assert(eq(u64, cfg_read(FAKE_CAP_MSI + PCI_MSI_ADDRESS_LO, 4), 0x8000040));
	cr_assert(eq(u64, cfg_read(FAKE_CAP_MSI + PCI_MSI_MASK_64, 4), 0xff), "of 8 vectors");
	cr_assert(eq(u64, cfg_read(FAKE_CAP_MSIX + PCI_MSIX_FLAGS, 2),
	             PCI_MSIX_FLAGS_MASKALL | (FAKE_NR_MSIX - 1)));
	cr_assert(eq(u64, cfg_read(FAKE_CAP_MSIX + PCI_MSIX_TABLE, 4), 5));
}

Test(vfio_config_of, what_another_driver_left_enabled_is_off)
{
	F->config[FAKE_CAP_MSI + PCI_MSI_FLAGS] |= PCI_MSI_FLAGS_ENABLE | 3 << 4;
	fake_put16(F, FAKE_CAP_MSIX + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE | 2);
	fake_put16(F, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	make();
	cr_assert(zero(u32, pci_msi_enabled(&fake_at.pci->func)));
	cr_assert(not(pci_msix_enabled(&fake_at.pci->func)));
	cr_assert(zero(u64, cfg_read(PCI_COMMAND, 2)));
	cr_assert(eq(int, F->mode, VFIO_PCI_INTX_IRQ_INDEX));
}

Test(vfio_config, on_a_root_bus_an_endpoint_is_integrated_and_has_no_link)
{
	const u16 flags = cfg_read(FAKE_CAP_EXP + PCI_EXP_FLAGS, 2);

	cr_assert(eq(u32, FIELD_GET(PCI_EXP_FLAGS_TYPE, flags), PCI_EXP_TYPE_RC_END));
	cr_assert(eq(u32, flags & PCI_EXP_FLAGS_VERS, 2));
	cr_assert(zero(u64, cfg_read(FAKE_CAP_EXP + PCI_EXP_LNKCAP, 4)));
	cr_assert(zero(u64, cfg_read(FAKE_CAP_EXP + PCI_EXP_LNKCTL, 4)));
	cr_assert(zero(u64, cfg_read(FAKE_CAP_EXP + PCI_EXP_LNKCAP2, 4)));
	cr_assert(eq(u64, cfg_read(FAKE_CAP_EXP + PCI_EXP_DEVCAP, 4), PCI_EXP_DEVCAP_FLR));
	cfg_write(FAKE_CAP_EXP + PCI_EXP_LNKCTL, 2, 0x3);
	cr_assert(eq(str, fake_noted(), ""));
}

Test(vfio_config_of, behind_a_port_it_is_an_endpoint_with_a_link)
{
	struct pci_func *port;
	const gpa_t on_1 = ECAM + (1 << 20) + FAKE_CAP_EXP;

	cr_assert(zero(int, pci_port_create(&port, fake_at.host, 1)));
	cr_assert(zero(int, fake_assigned_create(port->secondary, NULL)));
	cfg_write(PCI_PRIMARY_BUS, 4, 0x010100);
	cr_assert(eq(u64, fake_read(&fake_at.vm, on_1 + PCI_EXP_FLAGS, 2), 2));
	cr_assert(eq(u64, fake_read(&fake_at.vm, on_1 + PCI_EXP_LNKCAP, 4), 0x12345678));
	fake_noted();
	fake_write(&fake_at.vm, on_1 + PCI_EXP_LNKCTL, 2, 3);
	cr_assert(eq(str, fake_noted(), "config 0x80/2=0x3;"));
	fake_assigned_destroy();
	pci_port_destroy(port);
	fake_at.dev = (struct vfio_device){ .context = &fake_at.context, .fd = -1 };
	make();
}

/* Extended capabilities that the guest finds, in order. */
static const char *chain(void)
{
	static char text[400];
	unsigned int at = 0x100, steps = 0;
	size_t len = 0;

	*text = 0;
	while (at && steps++ < 20) {
		const u32 header = cfg_read(at, 4);

		len += snprintf(text + len, sizeof(text) - len, "%x:%x ", at, header & 0xffff);
		at = header >> 20;
	}
	return text;
}

Test(vfio_config, the_extended_chain_leads_past_what_is_hidden)
{
	cr_assert(eq(str, (char *)chain(), "100:1 1c0:3 "));
	for (unsigned int at = FAKE_EXT_ATS; at < FAKE_EXT_DSN; at += 4)
		cr_assert(zero(u64, cfg_read(at, 4)), "%#x", at);
	cfg_write(FAKE_EXT_ATS + PCI_ATS_CTRL, 2, PCI_ATS_CTRL_ENABLE);
	cfg_write(FAKE_EXT_IOV + PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_VFE);
	cr_assert(eq(str, fake_noted(), ""));
	cr_assert(eq(u64, cfg_read(FAKE_EXT_DSN + 4, 4), 0xabcdef01));
}

Test(vfio_config_of, a_first_one_that_is_hidden_is_of_no_kind_and_leads_on)
{
	fake_put_ext(F, FAKE_EXT_AER, PCI_EXT_CAP_ID_PASID, FAKE_EXT_ATS);
	make();
	cr_assert(eq(str, (char *)chain(), "100:0 150:0 160:0 180:0 1c0:3 "));
}

Test(vfio_config_of, the_only_one_can_be_hidden)
{
	fake_put_ext(F, FAKE_EXT_AER, PCI_EXT_CAP_ID_ATS, 0);
	make();
	cr_assert(eq(str, (char *)chain(), "100:0 "));
}

Test(vfio_config_of, resizable_bars_hide_no_more_than_themselves)
{
	fake_put_ext(F, FAKE_EXT_AER, PCI_EXT_CAP_ID_ERR, 0x200);
	fake_put_ext(F, 0x200, PCI_EXT_CAP_ID_REBAR, 0x20c);
	fake_put32(F, 0x200 + PCI_REBAR_CTRL, 1 << 5);
	fake_put_ext(F, 0x20c, PCI_EXT_CAP_ID_DSN, 0x300);
	fake_put32(F, 0x210, 0x11223344);
	fake_put_ext(F, 0x300, PCI_EXT_CAP_ID_VNDR, 0);
	make();
	cr_assert(eq(str, (char *)chain(), "100:1 20c:3 300:b "));
	cr_assert(eq(u64, cfg_read(0x210, 4), 0x11223344));
}

Test(vfio_config_of, lists_that_lead_back_end)
{
	F->config[FAKE_CAP_VPD + 1] = FAKE_CAP_PM;
	fake_put_ext(F, FAKE_EXT_DSN, PCI_EXT_CAP_ID_DSN, FAKE_EXT_ATS);
	make();
	cr_assert(eq(u64, cfg_read(FAKE_EXT_DSN + 4, 4), 0xabcdef01));
	F->config[FAKE_CAP_VPD + 1] = 0;
}

Test(vfio_config_of, a_list_that_leads_to_itself_ends)
{
	fake_put_ext(F, FAKE_EXT_AER, PCI_EXT_CAP_ID_ATS, FAKE_EXT_AER);
	F->config[PCI_CAPABILITY_LIST] = 0xfc;
	fake_put_cap(F, 0xfc, PCI_CAP_ID_EXP, 0xfc);
	make();
	cr_assert(eq(u64, cfg_read(PCI_VENDOR_ID, 4), 0x10d38086));
}

Test(vfio_config_of, one_of_256_bytes_has_none_of_the_rest)
{
	F->regions[VFIO_PCI_CONFIG_REGION_INDEX].size = 256;
	make();
	cr_assert(zero(u64, cfg_read(0x100, 4)));
	cfg_write(0x104, 4, ~0u);
	cr_assert(zero(u64, cfg_read(0x104, 4)));
	cr_assert(eq(str, fake_noted(), ""));
	cr_assert(eq(u64, cfg_read(PCI_VENDOR_ID, 4), 0x10d38086));
}

Test(vfio_config_of, one_that_is_shorter_is_no_pci_function)
{
	F->regions[VFIO_PCI_CONFIG_REGION_INDEX].size = 64;
	cr_assert(eq(int, fake_assigned_create(NULL, NULL), -EINVAL));
	cr_assert(eq(u32, fake_at.step, VFIO_PCI_STEP_CONFIG));
}

Test(vfio_config_of, what_is_no_pci_function_is_refused)
{
	F->flags = VFIO_DEVICE_FLAGS_PLATFORM;
	cr_assert(eq(int, fake_assigned_create(NULL, NULL), -EINVAL));
	cr_assert(eq(u32, fake_at.step, VFIO_PCI_STEP_INFO));
}

Test(vfio_config, one_that_is_gone_reads_as_ones_where_it_is_asked)
{
	F->gone = true;
	cr_assert(eq(u64, cfg_read(PCI_STATUS, 2), 0xffff));
	cr_assert(eq(u64, cfg_read(FAKE_CAP_VPD + PCI_VPD_DATA, 4), 0xffffffff));
}

Test(vfio_config, accesses_of_8_bytes_are_two)
{
	cr_assert(eq(u64, cfg_read(FAKE_CAP_EXP, 8),
	             2ULL << 16 | PCI_EXP_TYPE_RC_END << 20 | PCI_CAP_ID_EXP | FAKE_CAP_MSIX << 8 |
	                     (u64)PCI_EXP_DEVCAP_FLR << 32));
}

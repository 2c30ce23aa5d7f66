// SPDX-License-Identifier: GPL-2.0-only
/* IOMMUs in the device tree, and what is behind them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/tree.h"

TestSuite(fdt_iommu, .init = build_tree);

/* IOMMU 0 is function 3 of the segment, 1 a slot of virtio-mmio; behind them are functions of
 * that segment and of another, and a slot. */
static struct platform with_iommus(void)
{
	struct platform p = platform;

	p.nr_pci = 2;
	p.pci[1] = p.pci[0];
	p.pci[1].segment = 5;
	p.pci[1].ecam = 0x900000000;
	p.nr_virtio_mmio = 3;
	for (unsigned int i = 0; i < 3; i++)
		p.virtio_mmio[i] = (struct platform_device){ 0x3000000 + i * 0x200, 0x200, 64 + i };
	p.nr_iommus = 2;
	p.iommus[0] = (struct platform_iommu){ .is_pci = true, .pci = 0, .rid = 0x18 };
	p.iommus[1] = (struct platform_iommu){ .mmio = 1 };
	p.nr_endpoints = 4;
	p.endpoints[0] = (struct platform_endpoint){ .id = 0x20, .is_pci = true, .rid = 0x20 };
	p.endpoints[1] = (struct platform_endpoint){
		.iommu = 1, .id = 0x10008, .is_pci = true, .pci = 1, .rid = 0x8
	};
	p.endpoints[2] = (struct platform_endpoint){ .id = 0x100, .is_pci = true, .rid = 0x100 };
	p.endpoints[3] = (struct platform_endpoint){ .iommu = 1, .id = 0x80002, .mmio = 2 };
	return p;
}

Test(fdt_iommu, a_segments_iommu_map_has_a_row_a_requester)
{
	struct platform p = with_iommus();
	u32 first, second;

	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	first = cell("/pcie@40000000/iommu@3,0", "phandle", 0);
	second = cell("/virtio@3000200", "phandle", 0);
	cr_assert(ne(u32, first, second));
	expect_cells("/pcie@40000000", "iommu-map",
	             (u32[]){ 0x20, first, 0x20, 1, 0x100, first, 0x100, 1 }, 8);
	expect_cells("/pcie@900000000", "iommu-map", (u32[]){ 8, second, 0x10008, 1 }, 4);
	check_with_dtc();
}

Test(fdt_iommu, an_iommu_that_is_a_function_is_a_node_of_its_host)
{
	static const char compatible[] = "virtio,pci-iommu\0pci1af4,1057";
	static const char node[] = "/pcie@40000000/iommu@3,0";
	struct platform p = with_iommus();

	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	cr_assert(zero(int, memcmp(prop(node, "compatible", sizeof(compatible)), compatible,
	                           sizeof(compatible))));
	expect_cells(node, "reg", (u32[]){ 0x1800, 0, 0, 0, 0 }, 5);
	cr_assert(eq(u32, cell(node, "#iommu-cells", 0), 1));
	cr_assert(lt(int, fdt_path_offset(blob, "/pcie@900000000/iommu@3,0"), 0));
}

Test(fdt_iommu, an_iommu_over_mmio_and_what_is_behind_it_are_slots)
{
	struct platform p = with_iommus();

	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	cr_assert(eq(u32, cell("/virtio@3000200", "#iommu-cells", 0), 1));
	expect_cells("/virtio@3000400", "iommus",
	             (u32[]){ cell("/virtio@3000200", "phandle", 0), 0x80002 }, 2);
	cr_assert(not(has_prop("/virtio@3000000", "iommus")));
	cr_assert(not(has_prop("/virtio@3000000", "#iommu-cells")));
	cr_assert(not(has_prop("/virtio@3000200", "iommus")));
	cr_assert(not(has_prop("/virtio@3000400", "#iommu-cells")));
}

/* Two SMMUs beside a virtio-iommu over MMIO; functions of two segments and a slot are behind them.
 */
static struct platform with_smmus(void)
{
	struct platform p = with_iommus();

	p.nr_iommus = 3;
	p.iommus[0] = (struct platform_iommu){ .kind = PLATFORM_IOMMU_SMMUV3,
		                               .base = 0x9000000,
		                               .size = 0x20000,
		                               .eventq_spi = 96,
		                               .priq_spi = 97,
		                               .sync_spi = 98,
		                               .gerror_spi = 99 };
	p.iommus[2] = (struct platform_iommu){ .kind = PLATFORM_IOMMU_SMMUV3,
		                               .base = 0x9020000,
		                               .size = 0x20000,
		                               .eventq_spi = 100,
		                               .priq_spi = 101,
		                               .sync_spi = 102,
		                               .gerror_spi = 103,
		                               .sends_msis = true,
		                               .devid = 0xff88 };
	p.endpoints[1].iommu = 2;
	p.endpoints[3].iommu = 0;
	return p;
}

Test(fdt_iommu, an_smmu_is_a_node_of_the_board_with_four_edges)
{
	static const char names[] = "eventq\0gerror\0priq\0cmdq-sync";
	static const char node[] = "/iommu@9000000";
	struct platform p = with_smmus();

	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	expect_text(node, "compatible", "arm,smmu-v3");
	expect_cells(node, "reg", (u32[]){ 0, 0x9000000, 0, 0x20000 }, 4);
	expect_cells(node, "interrupts", (u32[]){ 0, 96, 1, 0, 99, 1, 0, 97, 1, 0, 98, 1 }, 12);
	cr_assert(zero(int,
	               memcmp(prop(node, "interrupt-names", sizeof(names)), names, sizeof(names))));
	prop(node, "dma-coherent", 0);
	cr_assert(eq(u32, cell(node, "#iommu-cells", 0), 1));
	cr_assert(not(has_prop(node, "msi-parent")));
	check_with_dtc();
}

Test(fdt_iommu, an_smmu_whose_accesses_are_not_coherent_does_not_say_so)
{
	struct platform p = with_smmus();

	p.iommus[0].noncoherent = true;
	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	cr_assert(not(has_prop("/iommu@9000000", "dma-coherent")));
	prop("/iommu@9020000", "dma-coherent", 0);
	check_with_dtc();
}

Test(fdt_iommu, an_smmu_that_sends_messages_has_a_device_id)
{
	struct platform p = with_smmus();

	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	expect_cells("/iommu@9020000", "msi-parent",
	             (u32[]){ cell("/interrupt-controller/msi-controller", "phandle", 0), 0xff88 },
	             2);
	expect_cells("/iommu@9020000", "interrupts",
	             (u32[]){ 0, 100, 1, 0, 103, 1, 0, 101, 1, 0, 102, 1 }, 12);
}

Test(fdt_iommu, what_is_behind_an_smmu_names_it)
{
	struct platform p = with_smmus();
	u32 first, last;

	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	first = cell("/iommu@9000000", "phandle", 0);
	last = cell("/iommu@9020000", "phandle", 0);
	cr_assert(ne(u32, first, last));
	cr_assert(ne(u32, first, cell("/virtio@3000200", "phandle", 0)));
	expect_cells("/pcie@40000000", "iommu-map",
	             (u32[]){ 0x20, first, 0x20, 1, 0x100, first, 0x100, 1 }, 8);
	expect_cells("/pcie@900000000", "iommu-map", (u32[]){ 8, last, 0x10008, 1 }, 4);
	expect_cells("/virtio@3000400", "iommus", (u32[]){ first, 0x80002 }, 2);
	cr_assert(not(has_prop("/virtio@3000000", "#iommu-cells")), "the slot 0 is no SMMU");
	cr_assert(lt(int, fdt_path_offset(blob, "/pcie@40000000/iommu@0,0"), 0));
}

Test(fdt_iommu, as_many_smmus_as_there_can_be_are_told)
{
	struct platform p = platform;
	char node[32];

	p.nr_iommus = PLATFORM_IOMMUS;
	for (unsigned int i = 0; i < PLATFORM_IOMMUS; i++)
		p.iommus[i] = (struct platform_iommu){ .kind = PLATFORM_IOMMU_SMMUV3,
			                               .base = 0x9000000 + i * 0x20000,
			                               .size = 0x20000,
			                               .sends_msis = true,
			                               .devid = 0xff80 + i * 8 };
	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	for (unsigned int i = 0; i < PLATFORM_IOMMUS; i++) {
		snprintf(node, sizeof(node), "/iommu@%x", 0x9000000 + i * 0x20000);
		cr_assert(eq(u32, cell(node, "msi-parent", 1), 0xff80 + i * 8));
	}
	check_with_dtc();
}

Test(fdt_iommu, without_iommus_nothing_speaks_of_them)
{
	cr_assert(not(has_prop("/pcie@40000000", "iommu-map")));
	cr_assert(lt(int, fdt_node_offset_by_compatible(blob, -1, "virtio,pci-iommu"), 0));
	cr_assert(lt(int, fdt_node_offset_by_compatible(blob, -1, "arm,smmu-v3"), 0));
}

Test(fdt_iommu, as_many_iommus_and_endpoints_as_there_can_be_are_told)
{
	struct platform p = platform;

	p.nr_iommus = PLATFORM_IOMMUS;
	for (unsigned int i = 0; i < PLATFORM_IOMMUS; i++)
		p.iommus[i] = (struct platform_iommu){ .is_pci = true, .rid = i << 3 };
	p.nr_endpoints = PLATFORM_ENDPOINTS;
	for (unsigned int i = 0; i < PLATFORM_ENDPOINTS; i++)
		p.endpoints[i] = (struct platform_endpoint){ .iommu = i % PLATFORM_IOMMUS,
			                                     .id = 0x100 + i,
			                                     .is_pci = true,
			                                     .rid = 0x100 + i };
	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	prop("/pcie@40000000", "iommu-map", PLATFORM_ENDPOINTS * 16);
	for (unsigned int i = 0; i < PLATFORM_ENDPOINTS; i++) {
		char node[64];

		snprintf(node, sizeof(node), "/pcie@40000000/iommu@%x,0", i % PLATFORM_IOMMUS);
		cr_assert(eq(u32, cell("/pcie@40000000", "iommu-map", i * 4 + 1),
		             cell(node, "phandle", 0)));
	}
	check_with_dtc();
}

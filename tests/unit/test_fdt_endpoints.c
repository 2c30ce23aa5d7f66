// SPDX-License-Identifier: GPL-2.0-only
/* What root complexes and endpoints can do, and reserved ranges, in the device tree. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/unit/endpoints.h"

#define HOST "/pcie@40000000"

static struct platform p;

static void build(void)
{
	p = with_endpoints();
	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
}

TestSuite(fdt_endpoints, .init = build);

static void rebuild(void)
{
	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
}

static bool has_node(const char *path)
{
	return fdt_path_offset(blob, path) >= 0;
}

Test(fdt_endpoints, dtc_has_no_remark)
{
	check_with_dtc();
}

Test(fdt_endpoints, a_host_bridge_says_what_it_passes_on_and_whether_it_is_coherent)
{
	cr_assert(not(has_prop(HOST, "ats-supported")));
	prop(HOST, "dma-coherent", 0);
	p.pci[0].ats = p.pci[0].noncoherent = true;
	rebuild();
	prop(HOST, "ats-supported", 0);
	cr_assert(not(has_prop(HOST, "dma-coherent")));
	cr_assert(not(has_prop("/pcie@900000000", "ats-supported")));
	prop("/pcie@900000000", "dma-coherent", 0);
}

Test(fdt_endpoints, a_function_that_stalls_is_a_node_of_its_host)
{
	static const char node[] = HOST "/function@1,0";

	expect_cells(node, "reg", (u32[]){ 0x800, 0, 0, 0, 0 }, 5);
	prop(node, "dma-can-stall", 0);
	cr_assert(not(has_prop(node, "iommus")), "that is the host's iommu-map");
	cr_assert(not(has_prop(node, "pasid-num-bits")));
	cr_assert(not(has_prop(node, "memory-region")));
	cr_assert(not(has_prop(node, "phandle")));
}

Test(fdt_endpoints, a_function_is_within_the_bridges_that_it_is_behind)
{
	static const char port[] = HOST "/pci@2,0", bridge[] = HOST "/pci@2,0/pci@4,0";

	expect_cells(port, "reg", (u32[]){ 0x1000, 0, 0, 0, 0 }, 5);
	expect_cells(port, "bus-range", (u32[]){ 1, 3 }, 2);
	expect_cells(bridge, "reg", (u32[]){ 0x12000, 0, 0, 0, 0 }, 5);
	expect_cells(bridge, "bus-range", (u32[]){ 2, 2 }, 2);
	prop(HOST "/pci@2,0/pci@4,0/function@0,0", "dma-can-stall", 0);
	cr_assert(not(has_node(HOST "/pci@2,0/function@0,0")));
	cr_assert(not(has_node(HOST "/pci@4,0")));
	cr_assert(eq(u32, cell(HOST "/pci@3,0/function@0,1", "pasid-num-bits", 0), 20));
}

Test(fdt_endpoints, a_function_with_nothing_more_to_tell_has_no_node)
{
	cr_assert(not(has_node("/pcie@900000000/function@3,0")));
	p.endpoints[BEHIND_TWO].can_stall = false;
	p.endpoints[BEHIND_TWO].reserved = 0;
	rebuild();
	cr_assert(not(has_node(HOST "/pci@2,0")), "nor bridges before it");
}

/* As of_irq_parse_raw() looks: the SPI of a device's pin on the bus below a node. */
static u32 spi_of(const char *node, u32 dev, u32 pin)
{
	for (unsigned int row = 0; row < 16; row++)
		if (cell(node, "interrupt-map", row * 10) ==
		            (dev << 11 & cell(node, "interrupt-map-mask", 0)) &&
		    cell(node, "interrupt-map", row * 10 + 3) == pin)
			return cell(node, "interrupt-map", row * 10 + 8);
	return ~0u;
}

Test(fdt_endpoints, interrupt_pins_behind_bridges_are_swizzled)
{
	for (u32 dev = 0; dev < 32; dev++) {
		for (u32 pin = 1; pin <= 4; pin++) {
			const u32 bridges = (dev + pin - 1) % 4 + 1;

			cr_assert(eq(u32, spi_of(HOST "/pci@2,0", dev, pin),
			             spi_of(HOST, 2, bridges)));
			cr_assert(eq(u32, spi_of(HOST "/pci@2,0/pci@4,0", dev, pin),
			             spi_of(HOST "/pci@2,0", 4, bridges)));
			cr_assert(eq(u32, spi_of(HOST "/pci@3,0", dev, pin),
			             spi_of(HOST, 3, bridges)));
		}
	}
}

/* Its own pin is one of the bus that it is on. */
Test(fdt_endpoints, a_bridge_has_a_pin_of_its_own)
{
	cr_assert(eq(u32, cell(HOST "/pci@3,0", "interrupts", 0), 1));
	cr_assert(eq(u32, cell(HOST "/pci@3,0", "#interrupt-cells", 0), 1));
}

Test(fdt_endpoints, a_slot_says_what_it_can_do)
{
	static const char node[] = "/virtio@3000000";

	prop(node, "dma-can-stall", 0);
	cr_assert(eq(u32, cell(node, "pasid-num-bits", 0), 8));
}

/* As of_iommu_get_resv_regions() looks at a device's ranges: whether one of them is mapped at
 * itself. */
static bool is_mapped(const char *device, const char *range, u64 base, u64 size)
{
	const u32 phandle = cell(device, "phandle", 0);
	const unsigned int skip = !strncmp(device, "/pcie", 5);
	int len;

	fdt_getprop(blob, fdt_path_offset(blob, range), "iommu-addresses", &len);
	for (int i = 0; i < len / 4; i++)
		if (cell(range, "iommu-addresses", i) == phandle)
			return (!skip || cell(range, "iommu-addresses", i + 1) == 0x02000000) &&
			       cells(range, "iommu-addresses", i + 1 + skip) == base &&
			       cells(range, "iommu-addresses", i + 3 + skip) == size &&
			       cells(range, "reg", 0) == base && cells(range, "reg", 2) == size;
	return false;
}

Test(fdt_endpoints, a_reserved_range_is_mapped_for_its_endpoints)
{
	static const char msi[] = "/reserved-memory/msi@8000000";
	static const char memory[] = "/reserved-memory/memory@810000000";
	static const char *const devices[] = { HOST "/pci@2,0/pci@4,0/function@0,0",
		                               HOST "/pci@3,0/function@0,1",
		                               HOST "/pci@3,0/function@0,0",
		                               "/pcie@900000000/function@2,0", "/virtio@3000000" };

	prop(msi, "no-map", 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(devices); i++) {
		cr_assert(eq(u32, cell(devices[i], "memory-region", 0), cell(msi, "phandle", 0)));
		cr_assert(is_mapped(devices[i], msi, 0x8000000, 0x100000), "%s", devices[i]);
		cr_assert(eq(int, is_mapped(devices[i], memory, 0x810000000, 0x20000), i == 1));
	}
	expect_cells(devices[1], "memory-region",
	             (u32[]){ cell(msi, "phandle", 0), cell(memory, "phandle", 0) }, 2);
	prop(devices[0], "memory-region", 4);
}

/* Linux looks at each cell of the others as if it were a phandle; addresses have 52 bits and are of
 * whole pages, as sizes are. */
Test(fdt_endpoints, no_half_of_an_address_is_an_endpoints_phandle)
{
	static const char *const devices[] = { HOST "/pci@2,0/pci@4,0/function@0,0",
		                               "/virtio@3000000" };

	for (unsigned int i = 0; i < ARRAY_SIZE(devices); i++) {
		cr_assert(ge(u32, cell(devices[i], "phandle", 0), 1 << 20));
		cr_assert(ne(u32, cell(devices[i], "phandle", 0) % 4096, 0));
	}
}

Test(fdt_endpoints, without_reserved_ranges_nothing_speaks_of_them)
{
	p = platform;
	rebuild();
	cr_assert(not(has_node("/reserved-memory")));
}

Test(fdt_endpoints, as_many_endpoints_as_there_can_be_have_as_many_ranges_as_there_can_be)
{
	const u32 all = (1u << PLATFORM_RESERVED) - 1;
	char node[64];

	p.nr_reserved = PLATFORM_RESERVED;
	for (unsigned int i = 0; i < PLATFORM_RESERVED; i++)
		p.reserved[i] = (struct platform_reserved){ 0x8000000 + i * 0x100000, 0x100000,
			                                    PLATFORM_RESERVED_MSI };
	p.nr_endpoints = PLATFORM_ENDPOINTS;
	for (unsigned int i = 0; i < PLATFORM_ENDPOINTS; i++)
		p.endpoints[i] =
			(struct platform_endpoint){ .id = i,
			                            .is_pci = true,
			                            .rid = (i & 1 ? 0x400 : 0x200) | i >> 1,
			                            .reserved = all };
	rebuild();
	for (unsigned int i = 0; i < PLATFORM_RESERVED; i++) {
		snprintf(node, sizeof(node), "/reserved-memory/msi@%x", 0x8000000 + i * 0x100000);
		prop(node, "iommu-addresses", PLATFORM_ENDPOINTS * 6 * 4);
	}
	prop(HOST "/pci@3,0/function@1f,0", "memory-region", PLATFORM_RESERVED * 4);
	check_with_dtc();
}

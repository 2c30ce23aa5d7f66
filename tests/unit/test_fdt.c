// SPDX-License-Identifier: GPL-2.0-only
/* The device tree, read back by libfdt and by dtc. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/unit/tree.h"

TestSuite(fdt, .init = build_tree);

Test(fdt, dtc_has_no_remark)
{
	check_with_dtc();
}

Test(fdt, the_root_says_how_addresses_are_written)
{
	expect_text("/", "compatible", "linux,dummy-virt");
	cr_assert(eq(u32, cell("/", "#address-cells", 0), 2));
	cr_assert(eq(u32, cell("/", "#size-cells", 0), 2));
	cr_assert(eq(u32, cell("/", "interrupt-parent", 0),
	             cell("/interrupt-controller", "phandle", 0)));
}

Test(fdt, chosen_has_what_the_kernel_is_told)
{
	expect_text("/chosen", "bootargs", "console=ttyS0");
	expect_text("/chosen", "stdout-path", "/serial@1000000");
	cr_assert(eq(u64, cells("/chosen", "linux,initrd-start", 0), 0x8f000000));
	cr_assert(eq(u64, cells("/chosen", "linux,initrd-end", 0), 0x8f001234));
	cr_assert(eq(u64, cells("/chosen", "kaslr-seed", 0), 0x1122334455667788));
	cr_assert(zero(int, memcmp(prop("/chosen", "rng-seed", 64), platform.chosen.rng_seed, 64)));
}

Test(fdt, without_an_initrd_chosen_names_none)
{
	struct platform p = platform;

	p.chosen.initrd_size = 0;
	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	cr_assert(zero(ptr, (void *)fdt_getprop(blob, fdt_path_offset(blob, "/chosen"),
	                                        "linux,initrd-start", NULL)));
}

Test(fdt, memory_is_all_of_ram)
{
	cr_assert(eq(u64, cells("/memory@80000000", "reg", 0), 0x80000000));
	cr_assert(eq(u64, cells("/memory@80000000", "reg", 2), 0x140000000));
	expect_text("/memory@80000000", "device_type", "memory");
}

Test(fdt, cpus_are_named_by_affinity_as_kvm_gives_it)
{
	int cpus = fdt_path_offset(blob, "/cpus"), node, nr = 0;

	fdt_for_each_subnode(node, blob, cpus) nr++;
	cr_assert(eq(int, nr, 18));
	cr_assert(eq(u32, cell("/cpus/cpu@f", "reg", 0), 15));
	cr_assert(eq(u32, cell("/cpus/cpu@100", "reg", 0), 0x100));
	cr_assert(eq(u32, cell("/cpus/cpu@101", "reg", 0), 0x101));
	expect_text("/cpus/cpu@0", "enable-method", "psci");
	expect_text("/psci", "method", "hvc");
}

Test(fdt, the_gic_has_its_frames_and_its_its)
{
	static const char gic[] = "/interrupt-controller@3fff0000";
	static const char its[] = "/interrupt-controller@3fff0000/msi-controller@7ff0000";

	expect_text(gic, "compatible", "arm,gic-v3");
	cr_assert(eq(u64, cells(gic, "reg", 0), 0x3fff0000));
	cr_assert(eq(u64, cells(gic, "reg", 4), 0x3fdb0000));
	cr_assert(eq(u64, cells(gic, "reg", 6), 0x240000));
	cr_assert(eq(u64, cells(its, "reg", 0), 0x7ff0000));
	cr_assert(eq(u32, cell(its, "#msi-cells", 0), 1));
}

Test(fdt, without_an_its_nothing_speaks_of_msis)
{
	struct platform p = platform;

	p.nr_msi_frames = 0;
	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	cr_assert(lt(int, fdt_node_offset_by_compatible(blob, -1, "arm,gic-v3-its"), 0));
	cr_assert(zero(ptr,
	               (void *)fdt_getprop(blob, fdt_path_offset(blob, "/pcie"), "msi-map", NULL)));
}

static struct platform with_gicv2m(void)
{
	struct platform p = platform;

	p.nr_cpus = 3;
	p.gic.version = 2;
	p.gic.dist_size = 0x1000;
	p.gic.cpu = 0x3ffd0000;
	p.gic.cpu_size = 0x2000;
	p.msi_frames[0] = (struct platform_msi_frame){
		.kind = PLATFORM_MSI_V2M,
		.base = 0x8000000,
		.size = 0x1000,
		.first_spi = 96,
		.nr_spis = 128,
	};
	return p;
}

Test(fdt, a_gicv2_has_a_cpu_interface_and_tells_who_a_ppi_is_wired_to)
{
	static const char gic[] = "/interrupt-controller@3fff0000";
	struct platform p = with_gicv2m();

	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	expect_text(gic, "compatible", "arm,cortex-a15-gic");
	cr_assert(eq(u64, cells(gic, "reg", 2), 0x1000));
	cr_assert(eq(u64, cells(gic, "reg", 4), 0x3ffd0000));
	cr_assert(eq(u64, cells(gic, "reg", 6), 0x2000));
	for (unsigned int i = 0; i < 4; i++)
		cr_assert(eq(u32, cell("/timer", "interrupts", 3 * i + 2), 0x708));
	check_with_dtc();
}

Test(fdt, a_v2m_frame_has_its_interrupts_and_the_pci_host_names_it)
{
	static const char v2m[] = "/interrupt-controller@3fff0000/v2m@8000000";
	struct platform p = with_gicv2m();

	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	expect_text(v2m, "compatible", "arm,gic-v2m-frame");
	prop(v2m, "msi-controller", 0);
	cr_assert(eq(u64, cells(v2m, "reg", 0), 0x8000000));
	cr_assert(eq(u32, cell(v2m, "arm,msi-base-spi", 0), 128), "an INTID");
	cr_assert(eq(u32, cell(v2m, "arm,msi-num-spis", 0), 128));
	cr_assert(eq(u32, cell("/pcie", "msi-parent", 0), cell(v2m, "phandle", 0)));
	cr_assert(zero(ptr,
	               (void *)fdt_getprop(blob, fdt_path_offset(blob, "/pcie"), "msi-map", NULL)));
}

Test(fdt, every_uart_has_its_spi)
{
	cr_assert(eq(u64, cells("/serial@1003000", "reg", 0), 0x1003000));
	cr_assert(zero(u32, cell("/serial@1003000", "interrupts", 0)), "an SPI");
	cr_assert(eq(u32, cell("/serial@1003000", "interrupts", 1), 3));
	cr_assert(eq(u32, cell("/serial@1003000", "interrupts", 2), 4), "level, high");
}

Test(fdt, the_clock_is_a_primecell_with_a_clock_of_its_own)
{
	expect_text("/rtc@1010000", "compatible", "arm,pl031"); /* and arm,primecell */
	prop("/rtc@1010000", "compatible", 24);
	cr_assert(eq(u64, cells("/rtc@1010000", "reg", 0), 0x1010000));
	cr_assert(eq(u32, cell("/rtc@1010000", "interrupts", 1), 36));
	expect_text("/rtc@1010000", "clock-names", "apb_pclk");
	cr_assert(
		eq(u32, cell("/rtc@1010000", "clocks", 0), cell("/clock-24000000", "phandle", 0)));
}

Test(fdt, pvpanic_is_qemu_s)
{
	expect_text("/pvpanic@1011000", "compatible", "qemu,pvpanic-mmio");
	cr_assert(eq(u64, cells("/pvpanic@1011000", "reg", 2), 2));
}

Test(fdt, the_power_button_is_a_pin_of_the_gpio)
{
	static const char button[] = "/gpio-keys/power-button";

	expect_text("/gpio@1030000", "compatible", "arm,pl061");
	cr_assert(eq(u32, cell("/gpio@1030000", "interrupts", 1), 37));
	cr_assert(eq(u32, cell(button, "linux,code", 0), 116));
	cr_assert(eq(u32, cell(button, "gpios", 0), cell("/gpio@1030000", "phandle", 0)));
	cr_assert(eq(u32, cell(button, "gpios", 1), 3));
}

Test(fdt, what_the_board_does_not_have_is_not_told)
{
	struct platform p = platform;

	p.rtc.size = p.pvpanic.size = p.gpio.size = 0;
	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	cr_assert(lt(int, fdt_path_offset(blob, "/rtc"), 0));
	cr_assert(lt(int, fdt_path_offset(blob, "/pvpanic"), 0));
	cr_assert(lt(int, fdt_path_offset(blob, "/gpio"), 0));
	cr_assert(lt(int, fdt_path_offset(blob, "/gpio-keys"), 0));
}

Test(fdt, the_pci_host_has_its_windows)
{
	expect_text("/pcie", "compatible", "pci-host-ecam-generic");
	cr_assert(eq(u64, cells("/pcie", "reg", 0), 0x40000000));
	cr_assert(eq(u64, cells("/pcie", "reg", 2), 256 << 20));
	cr_assert(eq(u32, cell("/pcie", "linux,pci-domain", 0), 1));
	cr_assert(eq(u32, cell("/pcie", "ranges", 0), 0x01000000));
	cr_assert(eq(u32, cell("/pcie", "ranges", 7), 0x02000000));
	cr_assert(eq(u64, cells("/pcie", "ranges", 8), 0x10000000), "on the bus");
	cr_assert(eq(u64, cells("/pcie", "ranges", 10), 0x50000000), "for the CPU");
	cr_assert(eq(u64, cells("/pcie", "ranges", 12), 0x30000000));
	cr_assert(zero(u32, cell("/pcie", "msi-map", 0)));
	cr_assert(eq(u32, cell("/pcie", "msi-map", 1),
	             cell("/interrupt-controller/msi-controller", "phandle", 0)));
	cr_assert(eq(u32, cell("/pcie", "msi-map", 2), 0x10000));
	cr_assert(eq(u32, cell("/pcie", "msi-map", 3), 0x10000));
}

Test(fdt, the_interrupt_map_swizzles_as_the_host_does)
{
	prop("/pcie", "interrupt-map", 16 * 10 * 4);
	cr_assert(eq(u32, cell("/pcie", "interrupt-map-mask", 0), 3 << 11));
	cr_assert(eq(u32, cell("/pcie", "interrupt-map-mask", 3), 7));
	for (u32 row = 0; row < 16; row++) {
		u32 dev = row / 4, pin = row % 4;

		cr_assert(eq(u32, cell("/pcie", "interrupt-map", row * 10), dev << 11));
		cr_assert(eq(u32, cell("/pcie", "interrupt-map", row * 10 + 3), pin + 1));
		cr_assert(
			eq(u32, cell("/pcie", "interrupt-map", row * 10 + 8), 4 + (dev + pin) % 4));
	}
}

Test(fdt, a_blob_too_small_is_refused_at_any_size)
{
	size_t need = fdt_totalsize(blob);

	for (size_t size = need + 0x8000; size >= 0x100; size -= 0x80) {
		u8 *small = malloc(size); /* so that a byte too many is seen */
		int err = fdt_build(&platform, small, size);

		if (err)
			cr_assert(eq(int, err, -ENOSPC));
		else
			cr_assert(zero(int, memcmp(small + 8, blob + 8, need - 8)));
		if (size < need)
			cr_assert(ne(int, err, 0), "%zu of %zu", size, need);
		free(small);
	}
}

Test(fdt, virtio_devices_over_mmio_are_nodes)
{
	struct platform p = platform;

	p.nr_virtio_mmio = 2;
	p.virtio_mmio[1].base = 0x3000200;
	p.virtio_mmio[1].size = 0x200;
	p.virtio_mmio[1].spi = 33;
	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	cr_assert(eq(str, (char *)prop("/virtio@3000200", "compatible", -1), "virtio,mmio"));
	cr_assert(eq(u64, cells("/virtio@3000200", "reg", 0), 0x3000200));
	cr_assert(eq(u32, cell("/virtio@3000200", "interrupts", 1), 33));
	cr_assert(eq(u32, cell("/virtio@3000200", "interrupts", 2), 4), "a level");
}

Test(fdt, a_console_that_is_no_uart_is_not_told_as_one)
{
	struct platform p = platform;

	p.no_uart_console = true;
	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	cr_assert(
		eq(ptr,
	           (void *)fdt_getprop(blob, fdt_path_offset(blob, "/chosen"), "stdout-path", NULL),
	           NULL));
}

Test(fdt, a_pmu_is_there_where_the_platform_has_one)
{
	struct platform p = platform;

	cr_assert(eq(int, fdt_path_offset(blob, "/pmu"), -FDT_ERR_NOTFOUND));
	p.pmu = true;
	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	expect_text("/pmu", "compatible", "arm,armv8-pmuv3");
	expect_cells("/pmu", "interrupts", (u32[]){ 1, 7, 4 }, 3);
}

Test(fdt, cpus_that_start_at_el2_have_its_interrupts_and_call_by_smc)
{
	struct platform p = platform;
	static const u32 timer[] = { 1, 13, 8, 1, 14, 8, 1, 11, 8, 1, 10, 8, 1, 12, 8 };

	expect_cells("/timer", "interrupts", timer, 12);
	p.el2 = true;
	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	expect_text("/psci", "method", "smc");
	expect_cells("/timer", "interrupts", timer, 15);
	expect_cells("/interrupt-controller@3fff0000", "interrupts", (u32[]){ 1, 9, 4 }, 3);
}

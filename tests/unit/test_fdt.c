// SPDX-License-Identifier: GPL-2.0-only
/* The device tree, read back by libfdt and by dtc. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fdt/fdt.h"
#include "vmm/platform.h"

static const struct platform platform = {
	.nr_cpus = 18,
	.ram = { 0x80000000, 0x140000000 },
	.gic = { .version = 3,
	         .dist = 0x3fff0000,
	         .dist_size = 0x10000,
	         .redist = 0x3fdb0000,
	         .redist_size = 0x240000 },
	.msi_frames = { { .kind = PLATFORM_MSI_ITS, .base = 0x7ff0000, .size = 0x20000 } },
	.nr_msi_frames = 1,
	.uarts = { { 0x1000000, 0x1000, 0 },
	           { 0x1001000, 0x1000, 1 },
	           { 0x1002000, 0x1000, 2 },
	           { 0x1003000, 0x1000, 3 } },
	.rtc = { 0x1010000, 0x1000, 36 },
	.pvpanic = { 0x1011000, 2, 0 },
	.gpio = { 0x1030000, 0x1000, 37 },
	.power_pin = 3,
	.nr_pci = 1,
	.pci = { { .segment = 1,
	           .last_bus = 255,
	           .ecam = 0x40000000,
	           .io = { 0x0, 0x0, 0x10000 },
	           .mem32 = { 0x50000000, 0x10000000, 0x30000000 },
	           .intx_spi = { 4, 5, 6, 7 },
	           .devid_base = 0x10000 } },
	.chosen = { .bootargs = "console=ttyS0",
	            .initrd = 0x8f000000,
	            .initrd_size = 0x1234,
	            .kaslr_seed = 0x1122334455667788,
	            .rng_seed = { 1, 2, 3 } },
};

static u8 blob[0x20000];

static void make(void)
{
	cr_assert(zero(int, fdt_build(&platform, blob, sizeof(blob))));
}

TestSuite(fdt, .init = make);

static const void *prop(const char *path, const char *name, int len)
{
	int node = fdt_path_offset(blob, path), got = -1;
	const void *val;

	cr_assert(ge(int, node, 0), "%s: %s", path, fdt_strerror(node));
	val = fdt_getprop(blob, node, name, &got);
	cr_assert(ge(int, got, 0), "%s/%s", path, name);
	if (len >= 0)
		cr_assert(eq(int, got, len), "%s/%s", path, name);
	return val;
}

static u32 cell(const char *path, const char *name, unsigned int at)
{
	return fdt32_ld((const fdt32_t *)prop(path, name, -1) + at);
}

static u64 cells(const char *path, const char *name, unsigned int at)
{
	return (u64)cell(path, name, at) << 32 | cell(path, name, at + 1);
}

static void expect_text(const char *path, const char *name, const char *text)
{
	cr_assert(eq(str, (char *)prop(path, name, -1), (char *)text), "%s/%s", path, name);
}

static void expect_cells(const char *path, const char *name, const u32 *want, unsigned int nr)
{
	prop(path, name, nr * sizeof(u32));
	for (unsigned int i = 0; i < nr; i++)
		cr_assert(eq(u32, cell(path, name, i), want[i]), "%s/%s[%u]", path, name, i);
}

/* dtc also checks what a tree means; it is no part of a machine that only builds. */
static void check_with_dtc(void)
{
	char path[] = "/tmp/nestor-fdt-XXXXXX", command[128], line[256] = "";
	int fd = mkstemp(path);
	FILE *dtc;

	cr_assert(eq(sz, write(fd, blob, fdt_totalsize(blob)), fdt_totalsize(blob)));
	close(fd);
	snprintf(command, sizeof(command), "%s -I dtb -O dts -o /dev/null %s 2>&1",
	         getenv("LAB_DTC") ? getenv("LAB_DTC") : "dtc", path);
	dtc = popen(command, "r");
	if (!fgets(line, sizeof(line), dtc))
		*line = 0;
	unlink(path);
	if (WEXITSTATUS(pclose(dtc)) == 127)
		cr_skip("no dtc");
	cr_assert(eq(str, line, ""));
}

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

static bool has_prop(const char *path, const char *name)
{
	return fdt_getprop(blob, fdt_path_offset(blob, path), name, NULL);
}

Test(fdt, a_segments_iommu_map_has_a_row_a_requester)
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

Test(fdt, an_iommu_that_is_a_function_is_a_node_of_its_host)
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

Test(fdt, an_iommu_over_mmio_and_what_is_behind_it_are_slots)
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

Test(fdt, an_smmu_is_a_node_of_the_board_with_four_edges)
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

Test(fdt, an_smmu_that_sends_messages_has_a_device_id)
{
	struct platform p = with_smmus();

	cr_assert(zero(int, fdt_build(&p, blob, sizeof(blob))));
	expect_cells("/iommu@9020000", "msi-parent",
	             (u32[]){ cell("/interrupt-controller/msi-controller", "phandle", 0), 0xff88 },
	             2);
	expect_cells("/iommu@9020000", "interrupts",
	             (u32[]){ 0, 100, 1, 0, 103, 1, 0, 101, 1, 0, 102, 1 }, 12);
}

Test(fdt, what_is_behind_an_smmu_names_it)
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

Test(fdt, as_many_smmus_as_there_can_be_are_told)
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

Test(fdt, without_iommus_nothing_speaks_of_them)
{
	cr_assert(not(has_prop("/pcie@40000000", "iommu-map")));
	cr_assert(lt(int, fdt_node_offset_by_compatible(blob, -1, "virtio,pci-iommu"), 0));
	cr_assert(lt(int, fdt_node_offset_by_compatible(blob, -1, "arm,smmu-v3"), 0));
}

Test(fdt, as_many_iommus_and_endpoints_as_there_can_be_are_told)
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

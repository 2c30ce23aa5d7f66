// SPDX-License-Identifier: GPL-2.0-only
/* The device tree, in the tree's order. Bindings: Linux, Documentation/devicetree/bindings. */
#include "fdt/fdt.h"

#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include "fdt/private.h"
#include "vmm/platform.h"

/* More than any one property or node name takes. */
#define LARGEST_ITEM 0x4000

#define ADDRESS_CELLS 2
#define SIZE_CELLS    2
#define SERIAL_CLOCK  1843200

void fdt_prop_cells(void *fdt, const char *name, const u32 *cells, size_t nr)
{
	fdt32_t be[FDT_CELLS];

	for (size_t i = 0; i < nr; i++)
		be[i] = cpu_to_fdt32(cells[i]);
	fdt_property(fdt, name, be, nr * sizeof(be[0]));
}

void fdt_begin_at(void *fdt, const char *name, u64 unit)
{
	char full[64];

	snprintf(full, sizeof(full), "%s@%llx", name, (unsigned long long)unit);
	fdt_begin_node(fdt, full);
}

#define SECURE_BOOT_DISABLED 2

/* What the EFI stub would say (Linux, Documentation/arch/arm/uefi.rst); all of it or nothing. */
static void efi(void *fdt, const struct platform *p)
{
	if (!p->chosen.efi_system_table)
		return;
	fdt_property_u64(fdt, "linux,uefi-system-table", p->chosen.efi_system_table);
	fdt_property_u64(fdt, "linux,uefi-mmap-start", p->chosen.efi_memory_map);
	fdt_property_u32(fdt, "linux,uefi-mmap-size", p->chosen.efi_memory_map_size);
	fdt_property_u32(fdt, "linux,uefi-mmap-desc-size", p->chosen.efi_descriptor_size);
	fdt_property_u32(fdt, "linux,uefi-mmap-desc-ver", 1);
	fdt_property_u32(fdt, "linux,uefi-secure-boot", SECURE_BOOT_DISABLED);
}

static void stdout_path(void *fdt, const struct platform *p)
{
	char path[64];

	if (p->no_uart_console || p->chosen.efi_system_table)
		return;
	snprintf(path, sizeof(path), "/serial@%llx", (unsigned long long)p->uarts[0].base);
	fdt_property_string(fdt, "stdout-path", path);
}

static void chosen(void *fdt, const struct platform *p)
{
	fdt_begin_node(fdt, "chosen");
	fdt_property_string(fdt, "bootargs", p->chosen.bootargs);
	stdout_path(fdt, p);
	if (p->chosen.initrd_size) {
		fdt_property_u64(fdt, "linux,initrd-start", p->chosen.initrd);
		fdt_property_u64(fdt, "linux,initrd-end", p->chosen.initrd + p->chosen.initrd_size);
	}
	if (p->chosen.kaslr_seed) {
		fdt_property_u64(fdt, "kaslr-seed", p->chosen.kaslr_seed);
		fdt_property(fdt, "rng-seed", p->chosen.rng_seed, sizeof(p->chosen.rng_seed));
	}
	efi(fdt, p);
	fdt_end_node(fdt);
}

static void memory(void *fdt, const struct platform *p)
{
	fdt_begin_at(fdt, "memory", p->ram.base);
	fdt_property_string(fdt, "device_type", "memory");
	CELLS(fdt, "reg", REG(p->ram.base, p->ram.size));
	fdt_end_node(fdt);
}

/* KVM gives vCPU n the affinity n % 16 at level 0, n / 16 above (arch/arm64/kvm/sys_regs.c). */
static u32 mpidr(unsigned int cpu)
{
	return cpu % 16 | cpu / 16 << 8;
}

static void cpus(void *fdt, const struct platform *p)
{
	fdt_begin_node(fdt, "cpus");
	fdt_property_u32(fdt, "#address-cells", 1);
	fdt_property_u32(fdt, "#size-cells", 0);
	for (unsigned int i = 0; i < p->nr_cpus; i++) {
		fdt_begin_at(fdt, "cpu", mpidr(i));
		fdt_property_string(fdt, "device_type", "cpu");
		fdt_property_string(fdt, "compatible", "arm,armv8");
		fdt_property_string(fdt, "enable-method", "psci");
		fdt_property_u32(fdt, "reg", mpidr(i));
		fdt_end_node(fdt);
	}
	fdt_end_node(fdt);
}

/* A GICv2's specifier of a PPI names the CPUs it is wired to (arm,gic.yaml). */
static u32 ppi_cpus(const struct platform *p)
{
	return p->gic.version == 2 ? ((1u << p->nr_cpus) - 1) << 8 : 0;
}

static void pmu(void *fdt, const struct platform *p)
{
	if (!p->pmu)
		return;
	fdt_begin_node(fdt, "pmu");
	fdt_property_string(fdt, "compatible", "arm,armv8-pmuv3");
	CELLS(fdt, "interrupts", GIC_PPI, 7, IRQ_LEVEL_HIGH | ppi_cpus(p));
	fdt_end_node(fdt);
}

/* With EL2 in the guest, HVC is the guest's own (SMCCC, DEN0028, 2.9). */
static void psci(void *fdt, const struct platform *p)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2";

	fdt_begin_node(fdt, "psci");
	fdt_property(fdt, "compatible", compatible, sizeof(compatible));
	fdt_property_string(fdt, "method", p->el2 ? "smc" : "hvc");
	fdt_end_node(fdt);
}

static void timer(void *fdt, const struct platform *p)
{
	const u32 flags = IRQ_LEVEL_LOW | ppi_cpus(p);
	/* secure, non-secure, virtual, hypervisor: what KVM wires (PPI n is INTID 16 + n); then the
	 * virtual one of EL2 */
	const u32 interrupts[] = { GIC_PPI, 13,      flags, GIC_PPI, 14,      flags, GIC_PPI, 11,
		                   flags,   GIC_PPI, 10,    flags,   GIC_PPI, 12,    flags };

	fdt_begin_node(fdt, "timer");
	fdt_property_string(fdt, "compatible", "arm,armv8-timer");
	fdt_prop_cells(fdt, "interrupts", interrupts, p->el2 ? 15 : 12);
	fdt_property(fdt, "always-on", NULL, 0);
	fdt_end_node(fdt);
}

/* What a frame of each kind says beyond where it is, and how a PCI host names it. */
static void its_node(void *fdt, const struct platform_msi_frame *f)
{
	(void)f;
	fdt_property_u32(fdt, "#msi-cells", 1);
}

static void its_user(void *fdt, const struct platform_pci *pci)
{
	CELLS(fdt, "msi-map", 0, PHANDLE_MSI, pci->devid_base, (pci->last_bus + 1) << 8);
}

static void v2m_node(void *fdt, const struct platform_msi_frame *f)
{
	fdt_property_u32(fdt, "arm,msi-base-spi", f->first_spi + 32); /* an INTID */
	fdt_property_u32(fdt, "arm,msi-num-spis", f->nr_spis);
}

static void v2m_user(void *fdt, const struct platform_pci *pci)
{
	(void)pci; /* no DeviceIDs */
	fdt_property_u32(fdt, "msi-parent", PHANDLE_MSI);
}

static const struct {
	const char *name, *compatible;
	void (*node)(void *fdt, const struct platform_msi_frame *f);
	void (*user)(void *fdt, const struct platform_pci *pci);
} msi_kinds[] = {
	[PLATFORM_MSI_ITS] = { "msi-controller", "arm,gic-v3-its", its_node, its_user },
	[PLATFORM_MSI_V2M] = { "v2m", "arm,gic-v2m-frame", v2m_node, v2m_user },
};

static void msi_frame(void *fdt, const struct platform_msi_frame *f)
{
	fdt_begin_at(fdt, msi_kinds[f->kind].name, f->base);
	fdt_property_string(fdt, "compatible", msi_kinds[f->kind].compatible);
	fdt_property(fdt, "msi-controller", NULL, 0);
	msi_kinds[f->kind].node(fdt, f);
	CELLS(fdt, "reg", REG(f->base, f->size));
	fdt_property_u32(fdt, "phandle", PHANDLE_MSI);
	fdt_end_node(fdt);
}

static void gic(void *fdt, const struct platform *p)
{
	const bool v2 = p->gic.version == 2;

	fdt_begin_at(fdt, "interrupt-controller", p->gic.dist);
	fdt_property_string(fdt, "compatible", v2 ? "arm,cortex-a15-gic" : "arm,gic-v3");
	fdt_property(fdt, "interrupt-controller", NULL, 0);
	fdt_property_u32(fdt, "#interrupt-cells", 3);
	fdt_property_u32(fdt, "#address-cells", ADDRESS_CELLS);
	fdt_property_u32(fdt, "#size-cells", SIZE_CELLS);
	fdt_property(fdt, "ranges", NULL, 0);
	CELLS(fdt, "reg", REG(p->gic.dist, p->gic.dist_size),
	      REG(v2 ? p->gic.cpu : p->gic.redist, v2 ? p->gic.cpu_size : p->gic.redist_size));
	fdt_property_u32(fdt, "phandle", PHANDLE_GIC);
	if (p->el2) /* the maintenance interrupt, for the guest's own guests */
		CELLS(fdt, "interrupts", GIC_PPI, 9, IRQ_LEVEL_HIGH);
	for (unsigned int i = 0; i < p->nr_msi_frames; i++)
		msi_frame(fdt, &p->msi_frames[i]);
	fdt_end_node(fdt);
}

static void uarts(void *fdt, const struct platform *p)
{
	for (unsigned int i = 0; i < PLATFORM_UARTS; i++) {
		fdt_begin_at(fdt, "serial", p->uarts[i].base);
		fdt_property_string(fdt, "compatible", "ns16550a");
		CELLS(fdt, "reg", REG(p->uarts[i].base, p->uarts[i].size));
		CELLS(fdt, "interrupts", GIC_SPI, p->uarts[i].spi, IRQ_LEVEL_HIGH);
		fdt_property_u32(fdt, "clock-frequency", SERIAL_CLOCK);
		fdt_end_node(fdt);
	}
}

#define APB_CLOCK 24000000
#define KEY_POWER 116 /* linux/input-event-codes.h */

/* What drivers of PrimeCells ask for, and no device of ours runs at. */
static void clock(void *fdt)
{
	fdt_begin_node(fdt, "clock-24000000");
	fdt_property_string(fdt, "compatible", "fixed-clock");
	fdt_property_u32(fdt, "#clock-cells", 0);
	fdt_property_u32(fdt, "clock-frequency", APB_CLOCK);
	fdt_property_string(fdt, "clock-output-names", "apb_pclk");
	fdt_property_u32(fdt, "phandle", PHANDLE_CLOCK);
	fdt_end_node(fdt);
}

static void begin_primecell(void *fdt, const char *name, const struct platform_device *d,
                            const char *compatible, size_t len)
{
	fdt_begin_at(fdt, name, d->base);
	fdt_property(fdt, "compatible", compatible, len);
	CELLS(fdt, "reg", REG(d->base, d->size));
	CELLS(fdt, "interrupts", GIC_SPI, d->spi, IRQ_LEVEL_HIGH);
	fdt_property_u32(fdt, "clocks", PHANDLE_CLOCK);
	fdt_property_string(fdt, "clock-names", "apb_pclk");
}

static void rtc(void *fdt, const struct platform *p)
{
	static const char compatible[] = "arm,pl031\0arm,primecell";

	if (!p->rtc.size)
		return;
	begin_primecell(fdt, "rtc", &p->rtc, compatible, sizeof(compatible));
	fdt_end_node(fdt);
}

static void pvpanic(void *fdt, const struct platform *p)
{
	if (!p->pvpanic.size)
		return;
	fdt_begin_at(fdt, "pvpanic", p->pvpanic.base);
	fdt_property_string(fdt, "compatible", "qemu,pvpanic-mmio");
	CELLS(fdt, "reg", REG(p->pvpanic.base, p->pvpanic.size));
	fdt_end_node(fdt);
}

static void power_button(void *fdt, const struct platform *p)
{
	fdt_begin_node(fdt, "gpio-keys");
	fdt_property_string(fdt, "compatible", "gpio-keys");
	fdt_begin_node(fdt, "power-button");
	fdt_property_string(fdt, "label", "Power Button");
	fdt_property_u32(fdt, "linux,code", KEY_POWER);
	CELLS(fdt, "gpios", PHANDLE_GPIO, p->power_pin, 0); /* active high */
	fdt_end_node(fdt);
	fdt_end_node(fdt);
}

static void gpio(void *fdt, const struct platform *p)
{
	static const char compatible[] = "arm,pl061\0arm,primecell";

	if (!p->gpio.size)
		return;
	begin_primecell(fdt, "gpio", &p->gpio, compatible, sizeof(compatible));
	fdt_property(fdt, "gpio-controller", NULL, 0);
	fdt_property_u32(fdt, "#gpio-cells", 2);
	fdt_property(fdt, "interrupt-controller", NULL, 0);
	fdt_property_u32(fdt, "#interrupt-cells", 2);
	fdt_property_u32(fdt, "phandle", PHANDLE_GPIO);
	fdt_end_node(fdt);
	power_button(fdt, p);
}

static void virtio_mmio(void *fdt, const struct platform *p)
{
	for (unsigned int i = 0; i < p->nr_virtio_mmio; i++) {
		fdt_begin_at(fdt, "virtio", p->virtio_mmio[i].base);
		fdt_property_string(fdt, "compatible", "virtio,mmio");
		CELLS(fdt, "reg", REG(p->virtio_mmio[i].base, p->virtio_mmio[i].size));
		CELLS(fdt, "interrupts", GIC_SPI, p->virtio_mmio[i].spi, IRQ_LEVEL_HIGH);
		fdt_property(fdt, "dma-coherent", NULL, 0);
		fdt_slot_iommu(fdt, p, i);
		fdt_end_node(fdt);
	}
}

/* INTA to INTD of the devices 0 to 3; the mask makes the rest repeat them, as the swizzle does. */
void fdt_interrupt_map(void *fdt, const struct platform_pci *pci, u32 shift)
{
	u32 map[4 * 4 * 10], *cell = map;

	for (u32 dev = 0; dev < 4; dev++) {
		for (u32 pin = 0; pin < 4; pin++) {
			const u32 row[10] = {
				dev << 11,
				0,
				0,
				pin + 1,
				PHANDLE_GIC,
				0,
				0,
				GIC_SPI,
				pci->intx_spi[(shift + dev + pin) % 4],
				IRQ_LEVEL_HIGH,
			};

			for (unsigned int i = 0; i < 10; i++)
				*cell++ = cpu_to_fdt32(row[i]);
		}
	}
	fdt_property(fdt, "interrupt-map", map, sizeof(map));
	CELLS(fdt, "interrupt-map-mask", 3 << 11, 0, 0, 7);
}

/* IEEE 1275 PCI binding: phys.hi says which space. */
enum { PCI_IO = 0x01000000, PCI_MEM32 = 0x02000000, PCI_MEM64 = 0x43000000 /* prefetchable */ };

static void ranges(void *fdt, const struct platform_pci *pci)
{
	const struct {
		u32 space;
		const struct platform_window *w;
	} spaces[] = { { PCI_IO, &pci->io },
		       { PCI_MEM32, &pci->mem32 },
		       { PCI_MEM64, &pci->mem64 } };
	u32 cells[3 * 7], nr = 0;

	for (unsigned int i = 0; i < 3; i++) {
		const struct platform_window *w = spaces[i].w;
		const u32 row[7] = {
			spaces[i].space, HI(w->bus),  LO(w->bus),  HI(w->cpu),
			LO(w->cpu),      HI(w->size), LO(w->size),
		};

		if (!w->size)
			continue;
		memcpy(&cells[nr], row, sizeof(row));
		nr += 7;
	}
	fdt_prop_cells(fdt, "ranges", cells, nr);
}

static void pci(void *fdt, const struct platform *p, const struct platform_pci *pci)
{
	fdt_begin_at(fdt, "pcie", pci->ecam);
	fdt_property_string(fdt, "compatible", "pci-host-ecam-generic");
	fdt_property_string(fdt, "device_type", "pci");
	fdt_property_u32(fdt, "#address-cells", 3);
	fdt_property_u32(fdt, "#size-cells", 2);
	fdt_property_u32(fdt, "#interrupt-cells", 1);
	fdt_property_u32(fdt, "linux,pci-domain", pci->segment);
	CELLS(fdt, "bus-range", 0, pci->last_bus);
	CELLS(fdt, "reg", REG(pci->ecam, (pci->last_bus + 1ULL) << 20));
	ranges(fdt, pci);
	fdt_interrupt_map(fdt, pci, 0);
	if (p->nr_msi_frames)
		msi_kinds[p->msi_frames[0].kind].user(fdt, pci);
	fdt_prop_flag(fdt, "dma-coherent", !pci->noncoherent);
	fdt_prop_flag(fdt, "ats-supported", pci->ats);
	fdt_segment_iommus(fdt, p, pci - p->pci);
	fdt_functions(fdt, p, pci - p->pci);
	fdt_end_node(fdt);
}

/* All but /chosen, which is all that a kernel with ACPI may see (arch/arm64/kernel/acpi.c). */
static void machine(void *fdt, const struct platform *p)
{
	memory(fdt, p);
	fdt_reserved(fdt, p);
	cpus(fdt, p);
	pmu(fdt, p);
	psci(fdt, p);
	timer(fdt, p);
	gic(fdt, p);
	clock(fdt);
	uarts(fdt, p);
	rtc(fdt, p);
	pvpanic(fdt, p);
	gpio(fdt, p);
	virtio_mmio(fdt, p);
	fdt_smmus(fdt, p);
	for (unsigned int i = 0; i < p->nr_pci; i++)
		pci(fdt, p, &p->pci[i]);
}

int fdt_build(const struct platform *p, void *fdt, size_t size)
{
	const bool by_acpi = p->chosen.efi_system_table;

	fdt_create(fdt, size);
	fdt_finish_reservemap(fdt);
	fdt_begin_node(fdt, "");
	fdt_property_string(fdt, "compatible", "linux,dummy-virt");
	fdt_property_string(fdt, "model", "Nestor");
	if (!by_acpi)
		fdt_property_u32(fdt, "interrupt-parent", PHANDLE_GIC);
	fdt_property_u32(fdt, "#address-cells", ADDRESS_CELLS);
	fdt_property_u32(fdt, "#size-cells", SIZE_CELLS);
	chosen(fdt, p);
	if (!by_acpi)
		machine(fdt, p);
	fdt_end_node(fdt);
	/*
	 * The only failure is a full blob, and with room for the largest item left
	 * at the end no call can have met one: so the tree reads as a tree.
	 */
	return fdt_finish(fdt) || fdt_totalsize(fdt) + LARGEST_ITEM > size ? -ENOSPC : 0;
}

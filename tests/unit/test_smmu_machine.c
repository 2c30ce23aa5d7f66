// SPDX-License-Identifier: GPL-2.0-only
/* SMMUv3s on the board: where each is, by what the ITS knows it, and their counters. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "control/control.h"
#include "machine/iommu.h"
#include "machine/layout.h"
#include "machine/machine.h"
#include "machine/place.h"
#include "machine/status.h"
#include "tests/unit/fake_pci.h"
#include "tests/unit/leak.h"
#include "tests/unit/said.h"
#include "tests/unit/schema.h"
#include "vmm/arm64/gic.h"

static struct options o;
static struct machine m;

static void make(void)
{
	o.nr_segments = 1;
	o.mem = 256 << 20;
	o.irqchip = irqchip_find("gicv3-its");
	fake_vm(&m.vm, 1);
	m.options = &o;
	m.platform.nr_pci = 1;
	m.platform.pci[0] = (struct platform_pci){ .last_bus = 127 };
}

static void destroy(void)
{
	while (m.nr_owned) {
		struct owned *last = &m.owned[--m.nr_owned];

		last->destroy(last->object);
	}
	fake_vm_destroy(&m.vm);
	expect_no_leak();
}

TestSuite(smmu_machine, .init = make, .fini = destroy);

static void create(const char *words)
{
	static char texts[PLATFORM_IOMMUS][80];
	const char *expected = iommu_option_take(&o, strcpy(texts[o.nr_iommus], words));

	cr_assert(zero(ptr, (void *)expected), "%s: %s", words, expected);
}

Test(smmu_machine, each_has_two_pages_four_interrupts_and_a_device_id)
{
	char words[64];

	for (unsigned int i = 0; i < PLATFORM_IOMMUS; i++) {
		snprintf(words, sizeof(words), "s%u,type=smmuv3%s", i,
		         i % 2 ? ",interrupts=msi" : "");
		create(words);
	}
	cr_assert(iommus_check(&o));
	cr_assert(zero(int, iommus_create(&m)));
	cr_assert(eq(u32, m.platform.nr_iommus, PLATFORM_IOMMUS));
	for (u32 i = 0; i < PLATFORM_IOMMUS; i++) {
		const struct platform_iommu *p = &m.platform.iommus[i];

		cr_assert(eq(int, p->kind, PLATFORM_IOMMU_SMMUV3));
		cr_assert(eq(u64, p->base, 0x9000000 + i * 0x20000));
		cr_assert(eq(u64, p->size, 0x20000));
		cr_assert(eq(u32, p->eventq_spi, 96 + 4 * i));
		cr_assert(eq(u32, p->priq_spi, 97 + 4 * i));
		cr_assert(eq(u32, p->sync_spi, 98 + 4 * i));
		cr_assert(eq(u32, p->gerror_spi, 99 + 4 * i));
		cr_assert(lt(u32, p->gerror_spi, NR_SPIS));
		cr_assert(eq(int, p->sends_msis, i % 2));
		cr_assert(eq(u32, p->devid, 0x7f80 + 8 * i), "device 16 and up of bus 127");
	}
	cr_assert(eq(u32, SPI_V2M0, 160), "what the documents say");
}

Test(smmu_machine, a_device_behind_one_has_its_endpoint)
{
	static const struct place behind = { .iommu = "b" }, none = { .iommu = "none" }, any;
	struct dma_space *dma;

	create("a,type=smmuv3");
	create("b,type=smmuv3");
	cr_assert(zero(int, iommus_create(&m)));
	cr_assert(zero(int, machine_dma(&m, &none, &dma)));
	cr_assert(eq(ptr, dma, &m.vm.dma));
	cr_assert(zero(int, machine_dma(&m, &any, &dma)));
	cr_assert(eq(ptr, dma, &m.vm.dma));
	cr_assert(zero(u32, m.nr_endpoints));
	cr_assert(zero(int, machine_dma(&m, &behind, &dma)));
	cr_assert(eq(u32, m.nr_endpoints, 1));
	cr_assert(eq(ptr, dma, smmu_endpoint_dma(m.endpoints[0].behind)));
	machine_endpoint_is_mmio(&m, &behind, 3);
	cr_assert(zero(int, iommus_describe(&m)));
	cr_assert(eq(u32, m.platform.nr_endpoints, 1));
	cr_assert(eq(u32, m.platform.endpoints[0].iommu, 1));
	cr_assert(eq(u32, m.platform.endpoints[0].id, 0x80003));
}

Test(smmu_machine, a_host_bridge_passes_on_what_its_iommus_take_and_an_endpoint_has_its_own_pasids)
{
	static const struct place behind = { .iommu = "a" };
	static const struct place other = { .iommu = "b", .pasid = 8 };
	struct pci_func f = { .name = "f" }, g = { .name = "g" };
	struct dma_space *dma;
	struct pci_host *host;

	create("a,type=smmuv3,idr0.ats=1,idr0.pri=1,idr1.ssidsize=6");
	create("b,type=smmuv3");
	cr_assert(zero(int, iommus_create(&m)));
	cr_assert(zero(int, pci_host_create(&host, &m.vm, &fake_pci)));
	cr_assert(zero(int, pci_func_add(pci_host_bus(host), &f, &fake_pci_id)));
	cr_assert(zero(int, pci_func_add(pci_host_bus(host), &g, &fake_pci_id)));
	cr_assert(zero(int, machine_dma(&m, &behind, &dma)));
	cr_assert(zero(int, machine_dma(&m, &other, &dma)));
	m.platform.nr_pci = 2;
	machine_endpoint_is_pci(&m, &behind, &f, 1);
	machine_endpoint_is_pci(&m, &other, &g, 0);
	cr_assert(zero(int, iommus_describe(&m)));
	cr_assert(not(m.platform.pci[0].pri));
	cr_assert(m.platform.pci[1].pri);
	cr_assert(eq(u32, m.platform.pci[0].pasid_bits, 20));
	cr_assert(eq(u32, m.platform.pci[1].pasid_bits, 6));
	cr_assert(zero(u32, m.platform.endpoints[0].pasid_bits));
	cr_assert(eq(u32, m.platform.endpoints[1].pasid_bits, 8));
	pci_func_remove(&g);
	pci_func_remove(&f);
	pci_host_destroy(host);
}

/* A host bridge of two behind an SMMU, the other not; functions of a host's on both, or on none. */
static void describe_one_behind(bool assigned, bool host_canwbs)
{
	static const struct place behind = { .iommu = "a", .segment = 1 };
	struct pci_func f = { .name = "f" };
	struct dma_space *dma;
	struct pci_host *host;

	o.nr_segments = 2;
	o.segments[1] = 1;
	create("a,type=smmuv3");
	cr_assert(zero(int, iommus_create(&m)));
	cr_assert(zero(int, pci_host_create(&host, &m.vm, &fake_pci)));
	cr_assert(zero(int, pci_func_add(pci_host_bus(host), &f, &fake_pci_id)));
	cr_assert(zero(int, machine_dma(&m, &behind, &dma)));
	m.platform.nr_pci = 2;
	machine_endpoint_is_pci(&m, &behind, &f, 1);
	o.nr_vfio = assigned ? 2 : 0;
	o.vfio[1].place.segment = 1;
	m.host_canwbs = host_canwbs;
	cr_assert(zero(int, iommus_describe(&m)));
	cr_assert(not(m.platform.pci[0].canwbs), "nothing there is behind an SMMU");
	pci_func_remove(&f);
	pci_host_destroy(host);
	o.nr_vfio = 0;
}

Test(smmu_machine, dma_of_emulated_functions_is_coherent_whatever_it_asks_for)
{
	describe_one_behind(false, false);
	cr_assert(m.platform.pci[1].canwbs);
}

Test(smmu_machine, beside_an_assigned_function_it_is_so_only_if_the_host_says_so)
{
	describe_one_behind(true, false);
	cr_assert(not(m.platform.pci[1].canwbs));
}

Test(smmu_machine, an_assigned_functions_dma_is_coherent_where_the_host_says_so)
{
	describe_one_behind(true, true);
	cr_assert(m.platform.pci[1].canwbs);
}

static u64 sidsize(unsigned int i)
{
	return smmu_id_get(&o.iommus[i].registers, "idr1.sidsize");
}

/* 0x80000 is what drivers of up to eight segments have known. */
Test(smmu_machine, every_device_has_a_stream_id_unless_that_is_said_otherwise)
{
	static const struct place behind = { .iommu = "a" };
	struct dma_space *dma;

	create("a,type=smmuv3");
	create("b,type=smmuv3,idr1.sidsize=20");
	cr_assert(iommus_check(&o));
	cr_assert(eq(u64, sidsize(0), 20));
	o.nr_segments = PLATFORM_SEGMENTS;
	cr_assert(iommus_check(&o));
	cr_assert(eq(u64, sidsize(0), 23));
	cr_assert(eq(u64, sidsize(1), 20));
	cr_assert(zero(int, iommus_create(&m)));
	cr_assert(zero(int, machine_dma(&m, &behind, &dma)));
	machine_endpoint_is_mmio(&m, &behind, 3);
	cr_assert(zero(int, iommus_describe(&m)));
	cr_assert(eq(u32, m.platform.endpoints[0].id, 0x400003));
}

Test(smmu_machine, one_that_knows_too_few_stream_ids_is_named_with_the_device)
{
	static const struct place behind = { .iommu = "b" };
	struct dma_space *dma;

	listen_to(stderr);
	o.nr_segments = PLATFORM_SEGMENTS;
	create("b,type=smmuv3,idr1.sidsize=20");
	place_claim(&o, "disk", "d", &behind);
	cr_assert(iommus_check(&o));
	cr_assert(zero(int, iommus_create(&m)));
	cr_assert(zero(int, machine_dma(&m, &behind, &dma)));
	machine_endpoint_is_mmio(&m, &behind, 3);
	cr_assert(eq(int, iommus_describe(&m), STATUS_USAGE));
	cr_assert(eq(str, said(stderr),
	             "nestor: --iommu b,idr1.sidsize=20: expected at least 23, for the StreamID "
	             "0x400003 of --disk d\n"));
}

Test(smmu_machine, its_counters_are_as_documented)
{
	json_t *schema = schema_load("stat"), *list, *devices;
	char why[256] = "";

	create("a,type=smmuv3");
	create("b,type=smmuv3");
	cr_assert(zero(int, iommus_create(&m)));
	list = machine_control_ops.stat(&m);
	cr_assert(eq(sz, json_array_size(list), 2));
	devices = json_object_get(json_object_get(schema, "properties"), "devices");
	cr_assert(schema_check(devices, list, why, sizeof(why)), "%s", why);
	cr_assert(eq(str, (char *)json_string_value(json_object_get(json_array_get(list, 1), "id")),
	             "b"));
	json_decref(list);
	json_decref(schema);
}

Test(smmu_machine, only_smmus_have_walks_and_errors)
{
	static const char *const others[] = { "v", "x", "" };
	json_t *steps = json_array();

	create("a,type=smmuv3");
	cr_assert(zero(int, iommus_create(&m)));
	create("v,type=virtio"); /* what is there of it is not looked at */
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		const struct control_walk w = { .iommu = others[i] };

		cr_assert(eq(str, (char *)machine_control_ops.walk(&m, &w, steps),
		             "the ID of an SMMUv3 of this guest"));
		cr_assert(eq(str, (char *)machine_control_ops.inject(&m, others[i], "sfm"),
		             "the ID of an SMMUv3 of this guest as iommu"));
	}
	cr_assert(zero(sz, json_array_size(steps)));
	cr_assert(zero(ptr, (void *)machine_control_ops.walk(
				    &m,
				    &(struct control_walk){
					    .iommu = "a", .ssid = CONTROL_NO_SSID, .iova = 0x1000 },
				    steps)));
	cr_assert(eq(str, (char *)json_string_value(json_array_get(steps, 2)), "bypasses: 0x1000"));
	cr_assert(zero(ptr, (void *)machine_control_ops.inject(&m, "a", "sfm")));
	json_decref(steps);
}

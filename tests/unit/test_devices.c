// SPDX-License-Identifier: GPL-2.0-only
/* nestor devices and nestor check, of a host that is a folder and a fake table of calls. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine/check.h"
#include "machine/devices.h"
#include "machine/status.h"
#include "tests/unit/fake_iommufd.h"
#include "tests/unit/fake_kvm.h"
#include "tests/unit/fake_sysfs.h"
#include "tests/unit/leak.h"
#include "tests/unit/said.h"
#include "tests/unit/schema.h"
#include "vfio/iort.h"
#include "vmm/log.h"

static char *text;
static size_t text_len;

static const char *devices(bool json)
{
	FILE *to;

	free(text);
	to = open_memstream(&text, &text_len);
	cr_assert(zero(int, devices_show(sys, json, to)));
	fclose(to);
	return text;
}

static void begin(void)
{
	listen_to_errors();
	fake_sysfs_make();
}

static void end(void)
{
	fake_sysfs_unmake();
	free(text);
	text = NULL;
	expect_no_leak();
}

TestSuite(devices, .init = begin, .fini = end);
TestSuite(check, .init = begin, .fini = end);

#define SAYS(what)     cr_assert(ne(ptr, strstr(text, what), NULL), "%s", text)
#define NOT_SAID(what) cr_assert(eq(ptr, strstr(text, what), NULL), "%s", text)

Test(devices, a_function_is_told_with_its_driver_group_iommu_and_the_command_that_frees_it)
{
	char free_it[400];

	function("0000:01:00.0", "0x020000\n", E1000E, "7");
	put_of("0000:01:00.0", "reset_method", "flr bus\n");
	devices(false);
	SAYS("0000:01:00.0  8086:10d3  class 020000  e1000e  group 7  smmu3.one  reset: flr bus\n");
	snprintf(free_it, sizeof(free_it),
	         "  echo vfio-pci >%s/bus/pci/devices/0000:01:00.0/driver_override && echo "
	         "0000:01:00.0 >'%s/bus/pci/drivers/e1000e/unbind' && echo 0000:01:00.0 "
	         ">%s/bus/pci/drivers_probe\n",
	         sys, sys, sys);
	SAYS(free_it);
}

Test(devices, with_a_cdev_it_is_ready_and_there_is_nothing_to_do)
{
	function("0000:01:00.0", "0x020000\n", "../vfio-pci", "7");
	bound("0000:01:00.0", "vfio12");
	devices(false);
	SAYS("  ready: /dev/vfio/devices/vfio12\n");
	NOT_SAID("echo");
}

Test(devices, vfio_pci_without_cdevs_is_a_kernel_that_lacks_them)
{
	function("0000:01:00.0", "0x020000\n", "../vfio-pci", "7");
	cr_assert(zero(int, mkdir(below("bus/pci/devices/0000:01:00.0/vfio-dev"), 0755)));
	put_of("0000:01:00.0", "vfio-dev/vfio0/power", "");
	devices(false);
	SAYS("never: the kernel has no CONFIG_VFIO_DEVICE_CDEV");
}

Test(devices, a_module_that_is_not_there_is_loaded_first)
{
	unlink(below("bus/pci/drivers/vfio-pci/unbind"));
	rmdir(below("bus/pci/drivers/vfio-pci"));
	function("0000:01:00.0", "0x020000\n", "", "7");
	devices(false);
	SAYS("  modprobe vfio-pci && echo vfio-pci >");
	NOT_SAID("unbind");
}

Test(devices, what_else_a_driver_has_in_its_group_is_freed_too_but_no_bridge)
{
	function("0000:00:01.0", "0x060400\n", "../pcieport", "7");
	as_bridge("0000:00:01.0");
	function("0000:01:00.0", "0x020000\n", E1000E, "7");
	function("0000:01:00.1", "0x020000\n", E1000E, "7");
	function("0000:01:00.2", "0x020000\n", "", "7");
	function("0000:02:00.0", "0x020000\n", E1000E, "8");
	devices(false);
	NOT_SAID("0000:00:01.0  ");
	SAYS("  its group has ");
	SAYS("devices/0000:01:00.1/driver_override");
	NOT_SAID("devices/0000:00:01.0/driver_override");
	*strstr(text, "0000:01:00.1  ") = 0; /* only what is said of the first */
	NOT_SAID("0000:01:00.2/driver_override");
	NOT_SAID("0000:02:00.0/driver_override");
	SAYS(" && echo vfio-pci >");
}

Test(devices, the_rest_of_a_group_keeps_a_function_with_a_cdev_from_being_ready)
{
	function("0000:01:00.0", "0x020000\n", "../vfio-pci", "7");
	bound("0000:01:00.0", "vfio0");
	function("0000:01:00.1", "0x020000\n", E1000E, "7");
	devices(false);
	NOT_SAID("ready:");
	unlink(below("bus/pci/devices/0000:01:00.1/driver"));
	devices(false);
	SAYS("ready: /dev/vfio/devices/vfio0");
	link_of("0000:01:00.1", "driver", "../pci-stub");
	devices(false);
	SAYS("ready: /dev/vfio/devices/vfio0");
}

Test(devices, a_driver_of_another_bus_in_the_group_is_in_the_way_for_ever)
{
	function("0000:01:00.0", "0x020000\n", "../vfio-pci", "7");
	bound("0000:01:00.0", "vfio0");
	put("kernel/iommu_groups/7/devices/9000000.dma/uevent", "", 0);
	devices(false);
	SAYS("  its group has 9000000.dma too\n  ready: ");
	put("kernel/iommu_groups/7/devices/9000000.dma/driver/bind", "", 0);
	devices(false);
	SAYS("never: its group has a device with a driver that is no PCI function's");
	devices(true);
	SAYS("\"ready\": false");
}

Test(devices, behind_no_iommu_there_is_no_way)
{
	function("0000:01:00.0", "0x020000\n", E1000E, "");
	devices(false);
	SAYS("never: behind no IOMMU: ");
	NOT_SAID("echo");
}

/* A list of extended capabilities, as 16-bit pairs of ID and place. */
static void capabilities(u8 config[4096], const u16 (*list)[2], unsigned int nr)
{
	memset(config, 0, 4096);
	for (unsigned int i = 0; i < nr; i++) {
		const u32 next = i + 1 < nr ? list[i + 1][1] : 0;
		const u32 header = list[i][0] | 1 << 16 | next << 20;

		memcpy(config + list[i][1], &header, 4);
	}
}

Test(devices, abilities_are_those_of_its_extended_capabilities)
{
	static const u16 all[][2] = { { PCI_EXT_CAP_ID_ATS, 0x100 },
		                      { PCI_EXT_CAP_ID_PASID, 0x200 },
		                      { PCI_EXT_CAP_ID_PRI, 0xff0 } };
	u8 config[4096];

	function("0000:01:00.0", "0x020000\n", E1000E, "7");
	capabilities(config, all, 3);
	config[0x204 + 1] = 20;
	set_config("0000:01:00.0", config, sizeof(config));
	devices(false);
	SAYS("  ats  pri  pasid=20");
	set_config("0000:01:00.0", config, 64);
	devices(false);
	SAYS("  (root sees its abilities)");
}

Test(devices, a_list_of_capabilities_that_does_not_end_or_leaves_is_no_harm)
{
	static const u16 round[][2] = { { PCI_EXT_CAP_ID_ATS, 0x100 },
		                        { PCI_EXT_CAP_ID_PRI, 0x140 },
		                        { 0xffff, 0x100 } };
	static const u16 low[][2] = { { 1, 0x100 }, { PCI_EXT_CAP_ID_PASID, 0x40 } };
	static const u16 edge[][2] = { { 1, 0x100 }, { PCI_EXT_CAP_ID_PASID, 0xffc } };
	u8 config[4096];

	function("0000:01:00.0", "0x020000\n", E1000E, "7");
	capabilities(config, round, 3);
	set_config("0000:01:00.0", config, sizeof(config));
	devices(false);
	capabilities(config, low, 2);
	set_config("0000:01:00.0", config, sizeof(config));
	devices(false);
	NOT_SAID("pasid");
	capabilities(config, edge, 2);
	set_config("0000:01:00.0", config, sizeof(config));
	devices(false);
	SAYS("pasid=0");
	memset(config, 0xff, sizeof(config)); /* it does not answer, and is what it was */
	set_config("0000:01:00.0", config, sizeof(config));
	devices(false);
	SAYS("0000:01:00.0  8086:10d3  class 020000");
}

/* What is printed is as the schema has it. */
static void follows(const char *name)
{
	json_t *schema = schema_load(name), *value = json_loads(text, 0, NULL);
	char why[256] = "";

	cr_assert(ne(ptr, value, NULL), "%s", text);
	cr_assert(schema_check(schema, value, why, sizeof(why)), "%s", why);
	json_decref(schema);
	json_decref(value);
}

Test(devices, json_is_as_documented)
{
	function("0000:00:01.0", "0x060400\n", "../pcieport", "7");
	function("0000:01:00.0", "0x020000\n", E1000E, "7");
	put_of("0000:01:00.0", "reset_method", "flr bus\n");
	function("0000:02:00.0", "0x020000\n", "", "");
	function("10000:02:00.0", "0x020000\n", "../vfio-pci", "9");
	bound("10000:02:00.0", "vfio3");
	devices(true);
	follows("devices");
	SAYS("\"free\": \"echo vfio-pci >");
	SAYS("\"never\": \"behind no IOMMU");
	SAYS("\"cdev\": \"/dev/vfio/devices/vfio3\"");
}

Test(devices, a_host_without_pci_has_none)
{
	nftw(below("bus"), remove_one, 16, FTW_DEPTH | FTW_PHYS);
	devices(true);
	follows("devices");
}

static int check(bool json)
{
	static struct log quiet;
	static char config[64];
	const struct check_host host = { sys, config, &fake_kvm_ops, &fake_iommufd_ops };
	FILE *to;
	int status;

	snprintf(config, sizeof(config), "%s/config", sys);
	free(text);
	to = open_memstream(&text, &text_len);
	status = check_show(&host, &quiet, json, to);
	fclose(to);
	return status;
}

static void a_ready_function(void)
{
	function("0000:01:00.0", "0x020000\n", "../vfio-pci", "7");
	bound("0000:01:00.0", "vfio0");
}
Test(check, a_host_that_has_all_can_do_all)
{
	a_ready_function();
	cr_assert(zero(int, check(false)), "%s", text);
	SAYS("run: ok\nassign: ok\nnest: ok\nfaults: ok\n");
	cr_assert(zero(int, check(true)));
	follows("check");
	cr_assert(zero(u32, fake_iommufd.live + fake_iommufd.left + fake_iommufd.refused));
}

Test(check, without_kvm_nothing_runs)
{
	fake.fail_at = 1;
	fake.fail_err = -ENOENT;
	a_ready_function();
	cr_assert(eq(int, check(false), STATUS_HOST_LACKS));
	SAYS("run     kvm       lacks    /dev/kvm: CONFIG_KVM");
	fake.fail_at = fake.calls + 1;
	fake.fail_err = -EACCES;
	cr_assert(eq(int, check(false), STATUS_HOST_LACKS));
	SAYS("/dev/kvm: permission");
	SAYS("run: lacks\nassign: ok\n");
}

Test(check, without_an_its_it_says_which_other_there_is)
{
	fake.lacks = BIT(KVM_DEV_TYPE_ARM_VGIC_ITS);
	cr_assert(zero(int, check(false)));
	SAYS("irqchip   ok       no ITS: --irqchip gicv3, gicv2m, gicv2");
}

Test(check, without_a_function_that_is_ready_the_rest_is_not_known)
{
	function("0000:01:00.0", "0x020000\n", E1000E, "7");
	cr_assert(zero(int, check(false)));
	SAYS("assign  vfio      lacks    a function of vfio-pci's: `nestor devices`");
	SAYS("run: ok\nassign: lacks\nnest: unknown\nfaults: unknown\n");
	cr_assert(zero(int, check(true)));
	follows("check");
}

Test(check, what_the_kernel_was_not_built_with_is_missing_whatever_is_ready)
{
	static const char none[] = "# CONFIG_ARM_SMMU_V3_IOMMUFD is not set\n"
				   "CONFIG_ARM_SMMU_V3_SVA_TOO=y\n";
	static const char all[] = "CONFIG_ARM_SMMU_V3_IOMMUFD=y\nCONFIG_ARM_SMMU_V3_SVA=m\n";

	put("config", none, strlen(none));
	check(false);
	SAYS("nest    kernel    lacks    CONFIG_ARM_SMMU_V3_IOMMUFD\n");
	SAYS("faults  queue     lacks    CONFIG_ARM_SMMU_V3_SVA\n");
	put("config", all, strlen(all));
	check(false);
	SAYS("nest    kernel    unknown  no function is ready");
	SAYS("faults  queue     unknown  no function is ready");
}

/* A root complex, and before it a node of something else. */
static void put_iort(u8 flags)
{
	u8 table[48 + 20 + 36] = { [36] = 2, [40] = 48 };

	table[48 + 1] = 20;
	table[68] = 2;
	table[68 + 1] = 36;
	table[68 + 23] = flags;
	put("firmware/acpi/tables/IORT", table, sizeof(table));
	for (size_t len = 0; len < sizeof(table); len++)
		cr_assert(eq(int, iort_canwbs(table, len), CANWBS_UNKNOWN), "cut at %zu", len);
	table[68 + 1] = 0;
	cr_assert(eq(int, iort_canwbs(table, sizeof(table)), CANWBS_UNKNOWN));
}

Test(check, what_the_iort_says_of_canwbs_is_known_with_no_function)
{
	put_iort(3);
	check(false);
	SAYS("try it on; the IORT does not say CANWBS of every root complex");
	put_iort(7);
	check(false);
	NOT_SAID("CANWBS");
}

/* What is missing, one at a time, by the line that names it. */
Test(check, each_thing_that_is_missing_is_named_with_where_it_comes_from)
{
	static const struct {
		struct fake_iommufd lack;
		const char *says;
	} cases[] = {
		{ { .no_iommu = -ENOENT }, "/dev/iommu: CONFIG_IOMMUFD" },
		{ { .no_iommu = -EACCES }, "/dev/iommu: permission" },
		{ { .no_bind = -EPERM },
		  "bind      unknown  smmu3.one: 0000:01:00.0: not permitted: something else has its group, or" },
		{ { .no_bind = -EBUSY }, "Device or resource busy: something else may have it" },
		{ { .hw_type = 0 },
		  "kernel    lacks    smmu3.one: an SMMUv3, and "
		  "CONFIG_ARM_SMMU_V3_IOMMUFD" },
		{ { .hw_type = 2, .idr = { 2 }, .no_parent = -EOPNOTSUPP },
		  "both stages (SMMU_IDR0.S1P and S2P)" },
		{ { .hw_type = 2, .idr = { 3 }, .no_viommu = -EOPNOTSUPP },
		  "viommu    lacks    smmu3.one: CANWBS from the firmware" },
		{ { .hw_type = 2, .idr = { 3, [3] = 0x100 }, .no_viommu = -EOPNOTSUPP },
		  "a vIOMMU: Operation not supported" },
		{ { .hw_type = 2, .idr = { 3 } },
		  "queue     ok       smmu3.one: a page table with a fault queue (made, not attached)\n" },
		{ { .hw_type = 2, .idr = { 1 << 24 | 3 } },
		  "queue     ok       smmu3.one: a page table with a fault queue\n" },
		{ { .hw_type = 2, .idr = { 1 << 24 | 3 }, .no_faults = -EOPNOTSUPP },
		  "CONFIG_ARM_SMMU_V3_SVA" },
		{ { .hw_type = 2, .idr = { 1 << 24 | 3 } }, "SMMU_IDR0.STALL_MODEL is 1" },
	};

	a_ready_function();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fake_iommufd = cases[i].lack;
		cr_assert(zero(int, check(false)));
		SAYS(cases[i].says);
		cr_assert(zero(u32, fake_iommufd.live + fake_iommufd.left + fake_iommufd.refused));
	}
}

Test(check, one_function_of_each_iommu_is_tried)
{
	a_ready_function();
	function("0000:01:00.1", "0x020000\n", "../vfio-pci", "8");
	bound("0000:01:00.1", "vfio1");
	function("0000:02:00.0", "0x020000\n", "../vfio-pci", "9");
	bound("0000:02:00.0", "vfio2");
	unlink(below("bus/pci/devices/0000:02:00.0/iommu"));
	link_of("0000:02:00.0", "iommu", "../smmu3.two");
	cr_assert(zero(int, check(false)));
	SAYS("smmu3.one: 0000:01:00.0 can be bound");
	NOT_SAID("0000:01:00.1 can be bound");
	SAYS("smmu3.two: 0000:02:00.0 can be bound");
}

Test(check, where_one_function_cannot_be_bound_another_of_its_iommu_is_tried)
{
	a_ready_function();
	function("0000:01:00.1", "0x020000\n", "../vfio-pci", "8");
	bound("0000:01:00.1", "vfio1");
	fake_iommufd.no_bind = -EBUSY;
	fake_iommufd.busy = 1;
	cr_assert(zero(int, check(false)));
	SAYS("smmu3.one: 0000:01:00.1 can be bound");
	NOT_SAID("0000:01:00.0: Device or resource busy");
	SAYS("assign: ok\n");
}

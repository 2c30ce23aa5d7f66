// SPDX-License-Identifier: GPL-2.0-only
/* --vfio-pci: functions are looked for in a sysfs, and what lacks is said with what helps. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "machine/iommu_kind.h"
#include "machine/machine.h"
#include "machine/status.h"
#include "machine/vfio.h"
#include "tests/unit/fake_sysfs.h"
#include "tests/unit/leak.h"
#include "tests/unit/room.h"
#include "tests/unit/said.h"

#define AT "0000:01:00.0"

static struct machine *m;
static struct options *o;

static void ask_for(const char *at)
{
	o->vfio[o->nr_vfio].said = at;
	strcpy(o->vfio[o->nr_vfio++].at, at);
}

static void make(void)
{
	m = (void *)room_of(sizeof(*m));
	o = (void *)room_of(sizeof(*o));
	m->options = o;
	ask_for(AT);
	fake_sysfs_make();
	listen_to_errors();
}

static void unmake(void)
{
	fake_sysfs_unmake();
	expect_no_leak();
}

TestSuite(vfio_find, .init = make, .fini = unmake);

static void expect_refused(int status, const char *line)
{
	const char *text;

	cr_assert(eq(int, vfio_find(m, sys), status));
	text = said(stderr);
	cr_assert(zero(int, strncmp(text, line, strlen(line))), "%s", text);
}

/* What frees it is behind the text. */
#define FREE ": echo vfio-pci >"

Test(vfio_find, one_that_is_ready_is_known_by_its_cdev_and_its_window)
{
	function(AT, "0x020000\n", "../vfio-pci", "7");
	bound(AT, "vfio3");
	put_of(AT, "iommu_group/reserved_regions", "0x0000000008000000 0x00000000080fffff msi\n");
	cr_assert(zero(int, vfio_find(m, sys)));
	cr_assert(eq(str, said(stderr), ""));
	cr_assert(eq(str, m->vfio[0].cdev, "vfio3"));
	cr_assert(eq(u64, m->vfio[0].msi.first, 0x8000000));
	cr_assert(eq(u64, m->vfio[0].msi.last, 0x80fffff));
}

Test(vfio_find, one_that_there_is_not_is_refused)
{
	function("0000:02:00.0", "0x020000\n", E1000E, "8");
	expect_refused(STATUS_USAGE, "nestor: --vfio-pci " AT ": expected a PCI function of this "
	                             "host; `nestor devices` lists them\n");
}

Test(vfio_find, a_bridge_is_nobodys)
{
	function(AT, "0x060400\n", "../pcieport", "7");
	as_bridge(AT);
	expect_refused(STATUS_USAGE, "nestor: --vfio-pci " AT ": expected a PCI function of this "
	                             "host, not a bridge; `nestor devices` lists them\n");
}

Test(vfio_find, one_that_a_driver_has_is_told_with_its_driver)
{
	function(AT, "0x020000\n", E1000E, "7");
	expect_refused(STATUS_HOST_LACKS,
	               "nestor: --vfio-pci " AT ": expected it to be vfio-pci's, "
	               "not e1000e's" FREE);
}

Test(vfio_find, one_that_no_driver_has_is_told_so)
{
	function(AT, "0x020000\n", "", "7");
	expect_refused(STATUS_HOST_LACKS,
	               "nestor: --vfio-pci " AT ": expected it to be vfio-pci's, "
	               "and no driver has it" FREE);
}

Test(vfio_find, one_whose_group_a_driver_has_is_told_with_that_function)
{
	function(AT, "0x020000\n", "../vfio-pci", "7");
	bound(AT, "vfio3");
	function("0000:01:00.1", "0x020000\n", E1000E, "7");
	expect_refused(STATUS_HOST_LACKS,
	               "nestor: --vfio-pci " AT ": expected 0000:01:00.1, of the "
	               "same group, to be vfio-pci's too, not e1000e's" FREE);
}

Test(vfio_find, one_that_never_will_be_is_told_why)
{
	function(AT, "0x020000\n", E1000E, "");
	expect_refused(STATUS_HOST_LACKS, "nestor: --vfio-pci " AT ": behind no IOMMU: ");
}

/* The host would attach the other one to what is this one's, too. */
Test(vfio_find, behind_an_smmu_of_the_hosts_one_is_alone_in_its_group)
{
	function(AT, "0x020000\n", "../vfio-pci", "7");
	bound(AT, "vfio3");
	function("0000:01:00.1", "0x020000\n", "", "7");
	o->iommus[0] = (struct iommu_option){ .id = "s", .kind = &iommu_smmuv3, .accel = ACCEL_ON };
	o->nr_iommus = 1;
	o->vfio[0].place.iommu = "s";
	expect_refused(STATUS_HOST_LACKS,
	               "nestor: --vfio-pci " AT ",iommu=s: expected it to be alone in its IOMMU "
	               "group, which has 0000:01:00.1 too; or iommu=none\n");
}

Test(vfio_find, the_first_that_lacks_something_is_the_one_that_is_said)
{
	function(AT, "0x020000\n", "../vfio-pci", "7");
	bound(AT, "vfio3");
	ask_for("0000:02:00.0");
	ask_for("0000:03:00.0");
	expect_refused(STATUS_USAGE, "nestor: --vfio-pci 0000:02:00.0: expected a PCI function of "
	                             "this host; `nestor devices` lists them\n");
}

Test(vfio_find, a_host_without_pci_is_told)
{
	fake_sysfs_unmake();
	expect_refused(STATUS_HOST_LACKS, "nestor: --vfio-pci " AT ": ");
	cr_assert(zero(int, mkdir(sys, 0755)));
}

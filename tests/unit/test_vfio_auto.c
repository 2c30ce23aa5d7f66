// SPDX-License-Identifier: GPL-2.0-only
/* iommu=auto: behind which SMMU a function of the host's goes by itself, of a host that is a folder
 * and a fake table of calls. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/accel.h"
#include "machine/auto.h"
#include "machine/iommu.h"
#include "machine/place.h"
#include "machine/status.h"
#include "tests/unit/fake_iommufd.h"
#include "tests/unit/said.h"

#define ONE "smmu3.one"
#define TWO "smmu3.two"

static char sys[] = "/tmp/nestor-auto-XXXXXX";
static char line[2048]; /* what options keep pointers into */
static struct options o;
static struct log quiet;

static void put(const char *at, const char *name, const char *val)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/%s", sys, at, name);
	for (char *slash = path + strlen(sys); (slash = strchr(slash + 1, '/'));) {
		*slash = 0;
		mkdir(path, 0755);
		*slash = '/';
	}
	f = fopen(path, "w");
	cr_assert(ne(ptr, f, NULL));
	fputs(val, f);
	fclose(f);
}

static void link_of(const char *at, const char *name, const char *to)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/%s", sys, at, name);
	cr_assert(zero(int, symlink(to, path)));
}

/* vfio-pci has it, as vfio@nr; @nr 9: a driver has it. */
static void function(const char *at, unsigned int nr, const char *smmu)
{
	char path[100];

	put(at, "vendor", "0x8086\n");
	put(at, "device", "0x10d3\n");
	put(at, "class", "0x020000\n");
	put(at, "config", "");
	link_of(at, "driver", nr == 9 ? "../e1000e" : "../vfio-pci");
	snprintf(path, sizeof(path), "../../../../kernel/iommu_groups/%u", nr);
	link_of(at, "iommu_group", path);
	snprintf(path, sizeof(path), "../../../../class/iommu/%s", smmu);
	link_of(at, "iommu", path);
	snprintf(path, sizeof(path), "vfio-dev/vfio%u/dev", nr);
	if (nr != 9)
		put(at, path, "234:0\n");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void make(void)
{
	listen_to(stderr);
	cr_assert(ne(ptr, mkdtemp(sys), NULL));
	function("0000:01:00.0", 0, ONE);
	function("0000:02:00.0", 1, TWO);
	function("0000:03:00.0", 2, TWO);
	function("0000:04:00.0", 9, ONE);
}

static void unmake(void)
{
	nftw(sys, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	cr_assert(zero(u32, fake_iommufd.live + fake_iommufd.left + fake_iommufd.refused));
}

TestSuite(vfio_auto, .init = make, .fini = unmake);

static int placed(const char *words)
{
	const struct uapi u = { .ops = &fake_iommufd_ops, .log = &quiet, .iommufd = -1 };
	char *argv[64];
	int argc = 0;

	for (char *w = strtok(strcpy(line, words), " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	cr_assert(options_parse(&o, argc, argv), "%s", words);
	return vfio_place_all(&o, sys, &u);
}

static void expect(unsigned int vfio, const char *iommu, u64 segment)
{
	const char *has = o.vfio[vfio].place.iommu;

	cr_assert(eq(str, (char *)(has ? has : "nothing"), (char *)iommu));
	cr_assert(eq(u64, o.vfio[vfio].place.segment, segment));
	cr_assert(eq(int, accel_is_on(&o, iommu_of(&o, &o.vfio[vfio].place)), !!has));
}

Test(vfio_auto, each_is_behind_one_for_its_own_on_a_segment_of_that)
{
	cr_assert(zero(int, placed("--vfio-pci 01:00.0 --vfio-pci 02:00.0,iommu=auto "
	                           "--vfio-pci 03:00.0")));
	cr_assert(eq(u32, o.nr_iommus, 2));
	cr_assert(eq(u32, o.nr_segments, 3));
	expect(0, ONE, 1);
	expect(1, TWO, 2);
	expect(2, TWO, 2);
	cr_assert(eq(str, (char *)o.iommus[1].host, TWO));
}

Test(vfio_auto, one_that_shares_its_group_is_behind_nothing)
{
	put("../../../kernel/iommu_groups/1/devices", "0000:02:00.0", "");
	put("../../../kernel/iommu_groups/1/devices", "0000:02:00.1", "");
	cr_assert(zero(int, placed("--vfio-pci 02:00.0 --vfio-pci 03:00.0")));
	expect(0, "nothing", 0);
	expect(1, TWO, 1);
}

Test(vfio_auto, one_that_wants_a_token_is_tried_with_it)
{
	static const u8 token[VFIO_TOKEN_SIZE] = { [15] = 7 };

	fake_iommufd.tokens[0] = token;
	cr_assert(zero(int, placed("--vfio-pci "
	                           "01:00.0,token=00000000-0000-0000-0000-000000000007")));
	expect(0, ONE, 1);
}

Test(vfio_auto, a_segments_number_that_is_taken_is_not_taken_again)
{
	cr_assert(zero(int, placed("--segment 1 --segment 2 --vfio-pci 01:00.0")));
	expect(0, ONE, 3);
}

Test(vfio_auto, a_place_that_was_said_is_kept)
{
	cr_assert(zero(int, placed("--segment 7 --root-port p,segment=7 --vfio-pci 01:00.0,bus=p "
	                           "--vfio-pci 02:00.0,segment=7")));
	cr_assert(eq(str, (char *)o.vfio[0].place.iommu, ONE));
	cr_assert(zero(u64, o.vfio[0].place.segment));
	expect(1, TWO, 7);
}

Test(vfio_auto, one_that_is_there_for_that_smmu_is_taken)
{
	cr_assert(zero(int, placed("--iommu a,type=smmuv3,host=" TWO " --iommu b,type=smmuv3 "
	                           "--vfio-pci 01:00.0,iommu=b --vfio-pci 02:00.0")));
	cr_assert(eq(u32, o.nr_iommus, 2));
	expect(0, "b", 0);
	expect(1, "a", 0);
}

Test(vfio_auto, or_one_that_another_function_of_that_smmu_is_behind)
{
	cr_assert(zero(int, placed("--iommu b,type=smmuv3 --vfio-pci 02:00.0 "
	                           "--vfio-pci 03:00.0,iommu=b")));
	cr_assert(eq(u32, o.nr_iommus, 1));
	expect(0, "b", 0);
}

Test(vfio_auto, none_and_what_a_bus_is_behind_stay_so)
{
	cr_assert(zero(int, placed("--vfio-pci 01:00.0,iommu=none --iommu v,type=virtio,buses=7 "
	                           "--segment 7 --vfio-pci 02:00.0,segment=7")));
	cr_assert(eq(u32, o.nr_iommus, 1));
	cr_assert(eq(u32, o.nr_segments, 2));
	cr_assert(eq(str, (char *)o.vfio[0].place.iommu, "none"));
	cr_assert(zero(ptr, (void *)o.vfio[1].place.iommu));
}

static void expect_nothing(void)
{
	cr_assert(zero(int, placed("--vfio-pci 01:00.0")));
	cr_assert(zero(u32, o.nr_iommus));
	expect(0, "nothing", 0);
}

Test(vfio_auto, where_the_smmu_cannot_nest_it_is_behind_nothing)
{
	fake_iommufd.no_viommu = -EOPNOTSUPP;
	expect_nothing();
	fake_iommufd.no_viommu = 0;
	fake_iommufd.no_parent = -EOPNOTSUPP;
	expect_nothing();
	fake_iommufd.no_parent = 0;
	fake_iommufd.hw_type = 1;
	expect_nothing();
}

Test(vfio_auto, where_it_cannot_be_tried_it_is_behind_nothing)
{
	cr_assert(zero(int, placed("--vfio-pci 04:00.0 --vfio-pci 05:00.0")));
	expect(0, "nothing", 0);
	expect(1, "nothing", 0);
	fake_iommufd.no_iommu = -ENOENT;
	expect_nothing();
}

Test(vfio_auto, one_for_an_smmu_that_nothing_is_behind_in_the_end_is_refused)
{
	cr_assert(eq(int, placed("--iommu a,type=smmuv3,host=" TWO " --vfio-pci 01:00.0"),
	             STATUS_USAGE));
	cr_assert(eq(str, said(stderr),
	             "nestor: --iommu a,host=" TWO ": expected a --vfio-pci with iommu=a\n"));
}

static int check_hosts(const char *first, const char *second)
{
	static struct machine m;

	m.options = &o;
	strcpy(m.vfio[0].host, first);
	strcpy(m.vfio[1].host, second);
	return accel_check_hosts(&m);
}

Test(vfio_auto, functions_of_two_smmus_are_not_behind_the_same)
{
	cr_assert(zero(int, placed("--iommu a,type=smmuv3 --vfio-pci 01:00.0,iommu=a "
	                           "--vfio-pci 02:00.0,iommu=a")));
	cr_assert(zero(int, check_hosts(ONE, ONE)));
	cr_assert(eq(int, check_hosts(ONE, TWO), STATUS_USAGE));
	cr_assert(eq(str, said(stderr),
	             "nestor: --vfio-pci 02:00.0,iommu=a: expected a function behind " ONE
	             ", as --iommu a is for --vfio-pci 01:00.0; this one is behind " TWO "\n"));
}

Test(vfio_auto, nor_behind_one_that_is_for_another)
{
	cr_assert(
		zero(int, placed("--iommu a,type=smmuv3,host=" TWO " --vfio-pci 01:00.0,iommu=a")));
	cr_assert(eq(int, check_hosts(ONE, ONE), STATUS_USAGE));
	cr_assert(eq(str, said(stderr),
	             "nestor: --vfio-pci 01:00.0,iommu=a: expected a function behind " TWO
	             ", as --iommu a is; this one is behind " ONE "\n"));
}

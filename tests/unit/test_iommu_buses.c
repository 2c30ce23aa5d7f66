// SPDX-License-Identifier: GPL-2.0-only
/* --iommu buses=: who is behind an IOMMU by where it is, and what contradicts that. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "machine/machine.h"
#include "tests/unit/args.h"
#include "tests/unit/leak.h"
#include "tests/unit/said.h"

TestSuite(iommu_buses, .init = listen_to_errors, .fini = expect_no_leak);

static struct options options;

/* What each function is behind, in their order: an IOMMU's name each, or "-". */
static int behind(struct machine *m, void *ctx)
{
	const struct platform *p = &m->platform;
	char *text = ctx;

	for (unsigned int i = 0; i < p->nr_functions; i++) {
		const char *name = "-";

		for (unsigned int e = 0; e < p->nr_endpoints; e++)
			if (p->endpoints[e].is_pci == p->functions[i].is_pci &&
			    p->endpoints[e].pci == p->functions[i].pci &&
			    p->endpoints[e].rid == p->functions[i].rid &&
			    p->endpoints[e].mmio == p->functions[i].mmio)
				name = p->iommus[p->endpoints[e].iommu].name;
		strcat(strcat(text, *text ? " " : ""), name);
	}
	return 0;
}

static void expect_behind(const char *const *args, const char *expected)
{
	char text[256] = "";

	cr_assert(options_of(&options, args), "%s", said(stderr));
	cr_assert(zero(int, machine_describe(&options, behind, text)));
	cr_assert(eq(str, text, (char *)expected));
}

/* Ports, then the virtio-iommu of the root bus, then disks. */
Test(iommu_buses, a_device_is_behind_the_one_that_has_its_bus)
{
	static const char *const args[MAX_ARGS] = {
		"--root-port=a",
		"--root-port=b",
		"--root-port=c",
		"--iommu=s,type=smmuv3,buses=0/0-1",
		"--iommu=t,type=smmuv3,buses=0/3",
		"--iommu=v,type=virtio,buses=0/2",
		"--disk=w",
		"--disk=x,bus=a",
		"--disk=y,bus=b",
		"--disk=z,bus=c,iommu=t",
	};

	expect_behind(args, "- - - - s s v t");
}

Test(iommu_buses, a_segment_without_buses_is_all_of_it)
{
	static const char *const args[MAX_ARGS] = {
		"--segment=4",
		"--segment=9",
		"--root-port=a,segment=9",
		"--iommu=s,type=smmuv3,buses=9:0x4",
		"--disk=w",
		"--disk=x,bus=a",
		"--disk=y,segment=9",
		"--disk=z,segment=4",
	};

	expect_behind(args, "- - s s s");
}

/* A port of another segment between them has no bus of this one. */
Test(iommu_buses, buses_are_counted_on_each_segment)
{
	static const char *const args[MAX_ARGS] = {
		"--segment=1",
		"--root-port=a",
		"--root-port=b,segment=1",
		"--root-port=c",
		"--iommu=s,type=smmuv3,buses=0/2",
		"--iommu=t,type=smmuv3,buses=1/1",
		"--disk=x,bus=a",
		"--disk=y,bus=b",
		"--disk=z,bus=c",
	};

	expect_behind(args, "- - - - t s");
}

Test(iommu_buses, slots_have_no_bus)
{
	static const char *const args[MAX_ARGS] = { "--virtio-transport=mmio",
		                                    "--iommu=s,type=smmuv3,buses=0", "--disk=x",
		                                    "--dma-test" };

	expect_behind(args, "- s");
}

Test(iommu_buses, what_stalls_may_be_on_them)
{
	static const char *const args[MAX_ARGS] = { "--iommu=s,type=smmuv3,buses=0",
		                                    "--dma-test=stall" };

	expect_behind(args, "s");
}

static void expect_refused(const char *expected, const char *const *args)
{
	cr_assert(not(options_of(&options, args)));
	cr_assert(eq(str, said(stderr), (char *)expected));
}

#define REFUSED(expected, ...) \
	expect_refused(expected, (const char *const[MAX_ARGS]){ __VA_ARGS__ })

Test(iommu_buses, what_is_no_range_is_refused)
{
	static const char *const words[] = { "x",       "0/",      "0/2-1", "0/1-256", "0/1-",
		                             "0x10000", "0/1-2-3", "0:",    "0/1,1/2/" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		char arg[64] = "--iommu=s,type=smmuv3,buses=";
		const char *const args[MAX_ARGS] = { strcat(arg, words[i]) };

		cr_assert(not(options_of(&options, args)), "%s", words[i]);
		cr_assert(strstr(said(stderr), "expected ") != NULL, "%s", words[i]);
	}
}

Test(iommu_buses, a_range_is_of_a_segment_that_there_is)
{
	REFUSED("nestor: --iommu s,buses=7: expected segment 0 or the number of a --segment\n",
	        "--iommu=s,type=smmuv3,buses=7");
	REFUSED("nestor: --iommu s,buses=0/1-128: expected buses below 128, which each of 2 "
	        "segments has\n",
	        "--segment=1", "--iommu=s,type=smmuv3,buses=0/1-128");
}

Test(iommu_buses, a_bus_is_behind_one)
{
	REFUSED("nestor: --iommu t,buses=0/3-4: expected buses that are not behind --iommu "
	        "s,buses=0/4-9 too\n",
	        "--iommu=s,type=smmuv3,buses=0/4-9", "--iommu=t,type=virtio,buses=0/3-4");
	REFUSED("nestor: --iommu s,buses=0/1: expected buses that are not behind --iommu s,buses=0 "
	        "too\n",
	        "--iommu=s,type=smmuv3,buses=0:0/1");
}

Test(iommu_buses, a_device_says_nothing_else)
{
	REFUSED("nestor: --disk x,iommu=none: expected no other iommu=, as its bus is behind "
	        "--iommu s,buses=0\n",
	        "--iommu=s,type=smmuv3,buses=0", "--disk=x,iommu=none");
	REFUSED("nestor: --disk x,iommu=t: expected no other iommu=, as its bus is behind --iommu "
	        "s,buses=0/1\n",
	        "--root-port=a", "--iommu=s,type=smmuv3,buses=0/1", "--iommu=t,type=smmuv3",
	        "--disk=x,bus=a,iommu=t");
}

Test(iommu_buses, what_vhost_works_is_not_on_them)
{
	REFUSED("nestor: --vsock 4: expected another bus for a device that vhost works, as its bus "
	        "is behind --iommu s,buses=0\n",
	        "--iommu=s,type=smmuv3,buses=0", "--vsock=4");
	REFUSED("nestor: --fs d: expected another bus for a device that vhost works, as its bus is "
	        "behind --iommu s,buses=0\n",
	        "--iommu=s,type=smmuv3,buses=0", "--fs=d,tag=t");
}

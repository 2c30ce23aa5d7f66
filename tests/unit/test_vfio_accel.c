// SPDX-License-Identifier: GPL-2.0-only
/* --vfio-pci behind an SMMU of the host's: what is refused once it is behind it is not behind it
 * any more. */
#include <string.h>

#include "machine/accel.h"
#include "machine/iommu.h"
#include "machine/machine.h"
#include "machine/status.h"
#include "tests/unit/fake_vsmmu.h"
#include "tests/unit/said.h"

static char line[256]; /* what options keep pointers into */
static struct options o;
static struct machine m;

/* The second endpoint is free for it. */
static void make(void)
{
	listen_to(stderr);
	fake_vsmmu_make(NULL);
	vsmmu_stream_destroy(fake_v.streams[1]);
	fake_v.streams[1] = NULL;
}

TestSuite(vfio_accel, .init = make, .fini = fake_vsmmu_unmake);

static void parse(const char *words)
{
	char *argv[16];
	int argc = 0;

	for (char *w = strtok(strcpy(line, words), " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	cr_assert(options_parse(&o, argc, argv), "%s", words);
}

/* As much of a machine as a function needs that goes behind its SMMU, of that stall model. */
static void build(const char *words, u64 model)
{
	parse(words);
	m.options = &o;
	m.vsmmus[0] = fake_v.vsmmu;
	smmu_id_default(&m.iommu_options[0].registers, 44);
	cr_assert(zero(ptr, (void *)smmu_id_set(&m.iommu_options[0].registers, "idr0.stall_model",
	                                        model)));
	m.endpoints[0] =
		(struct endpoint){ .place = &o.vfio[0].place, .behind = fake_v.smmu.endpoints[1] };
	m.nr_endpoints = 1;
	m.vfio[0].dev = fake_v.devs[1];
}

static void expect_refused(const char *words, u64 model, const char *expected)
{
	struct vsmmu_stream *st;
	const char *text;

	build(words, model);
	cr_assert(eq(int, accel_add(&m, 0, &st), STATUS_HOST_LACKS), "%s", words);
	text = said(stderr);
	cr_assert(ne(ptr, strstr(text, expected), NULL), "%s", text);
	cr_assert(zero(ptr, st));
	cr_assert(zero(u32, m.vfio[0].dev.hwpt), "it is attached to nothing");
}

Test(vfio_accel, a_function_that_cannot_stall_is_behind_nothing_when_that_is_asked_for)
{
	expect_refused("-k K --iommu s,type=smmuv3 --vfio-pci 1:0.0,iommu=s,stall=on", 1,
	               "cannot stall");
}

Test(vfio_accel, nor_is_one_that_shares_its_group)
{
	expect_refused("-k K --iommu s,type=smmuv3 --vfio-pci 1:0.0,iommu=s,stall=on --vfio-pci "
	               "2:0.0,iommu=s",
	               0, "to be alone in its IOMMU group");
}

Test(vfio_accel, one_that_is_well_is_behind_it)
{
	struct vsmmu_stream *st;

	build("-k K --iommu s,type=smmuv3 --vfio-pci 1:0.0,iommu=s", 1);
	cr_assert(zero(int, accel_add(&m, 0, &st)));
	cr_assert(ne(ptr, st, NULL));
	cr_assert(ne(u32, m.vfio[0].dev.hwpt, 0));
	vsmmu_stream_destroy(st);
}

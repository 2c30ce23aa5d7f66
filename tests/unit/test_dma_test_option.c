// SPDX-License-Identifier: GPL-2.0-only
/* --dma-test: its keys, and that it is on PCI whatever virtio devices are on. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "machine/dma_test.h"
#include "machine/place.h"
#include "tests/unit/said.h"

static struct options o = { .nr_segments = 1 };
static char texts[MAX_DMA_TESTS + 2][64];
static unsigned int nr;

TestSuite(dma_test_option, .init = listen_to_errors);

static const char *take(const char *val)
{
	return dma_test_option_take(&o, val ? strcpy(texts[nr++], val) : NULL);
}

Test(dma_test_option, it_is_plain_unless_keys_say_otherwise)
{
	cr_assert(zero(ptr, (void *)take(NULL)));
	cr_assert(zero(ptr, (void *)take("ats,pri,pasid=20,bus=a,segment=3")));
	cr_assert(eq(u32, o.nr_dma_tests, 2));
	cr_assert(not(o.dma_tests[0].ats || o.dma_tests[0].pri || o.dma_tests[0].place.pasid));
	cr_assert(o.dma_tests[1].ats && o.dma_tests[1].pri);
	cr_assert(eq(u64, o.dma_tests[1].place.pasid, 20));
	cr_assert(eq(str, (char *)o.dma_tests[1].place.bus, "a"));
	cr_assert(eq(u64, o.dma_tests[1].place.segment, 3));
	cr_assert(eq(u32, o.nr_claims, 2));
}

Test(dma_test_option, mistakes_are_answered_by_what_was_expected)
{
	cr_assert(eq(str, (char *)take("pri"), "ats beside pri"));
	cr_assert(eq(str, (char *)take("pasid=0"), "pasid=N, 1 to 20"));
	cr_assert(eq(str, (char *)take("pasid=21"), "pasid=N, 1 to 20"));
	cr_assert(eq(str, (char *)take("ats=1"), "ats without a value"));
	cr_assert(eq(str, (char *)take("stalls"),
	             "a key out of bus=, iommu=, segment=, ats, pri, stall, pasid=, fault=, "
	             "backend=, fault-timeout="));
	cr_assert(zero(u32, o.nr_dma_tests));
	cr_assert(zero(u32, o.nr_claims));
}

Test(dma_test_option, who_takes_page_requests_is_said)
{
	cr_assert(zero(ptr, (void *)take("ats,pri,fault=mailbox,fault-timeout=100")));
	cr_assert(eq(u64, o.dma_tests[0].fault_timeout, 100));
	cr_assert(zero(ptr, (void *)take("ats,pri,fault=off")));
	cr_assert(zero(ptr, (void *)take("ats,pri,fault=auto")));
	cr_assert(dma_tests_check(&o), "%s", said(stderr));
	cr_assert(
		eq(str, (char *)take("ats,pri,fault=none"), "fault=auto|mailbox|priq|virtio|off"));
	cr_assert(eq(str, (char *)take("fault=off"), "pri beside fault="));
	cr_assert(eq(str, (char *)take("ats,pri,fault=mailbox,fault-timeout=0"),
	             "fault-timeout=N, 1 to 3600000"));
}

Test(dma_test_option, where_nobody_could_wait_there_is_no_timeout)
{
	cr_assert(zero(ptr, (void *)take("ats,pri,fault=off,fault-timeout=1")));
	cr_assert(not(dma_tests_check(&o)));
	cr_assert(eq(str, said(stderr),
	             "nestor: --dma-test fault-timeout=: expected fault=mailbox, backend=mock, or "
	             "an --iommu that stalls or takes page requests\n"));
}

Test(dma_test_option, an_iommu_that_is_to_take_page_requests_has_to)
{
	cr_assert(zero(ptr, (void *)take("ats,pri,fault=priq")));
	cr_assert(not(dma_tests_check(&o)));
	cr_assert(eq(str, said(stderr),
	             "nestor: --dma-test fault=priq,iommu=none: expected an --iommu of type=smmuv3 "
	             "with idr0.pri=1\n"));
}

Test(dma_test_option, there_are_at_most_256)
{
	for (unsigned int i = 0; i < MAX_DMA_TESTS; i++)
		cr_assert(zero(ptr, (void *)take("ats")));
	cr_assert(eq(str, (char *)take("ats"), "at most 256 DMA endpoints"));
}

Test(dma_test_option, it_is_on_pci_though_virtio_devices_are_not)
{
	o.virtio_mmio = true;
	port_option_take(&o, strcpy(texts[nr++], "a"));
	take("bus=a");
	cr_assert(places_check(&o), "%s", said(stderr));
	take("bus=a");
	cr_assert(not(places_check(&o)));
	cr_assert(eq(str, said(stderr),
	             "nestor: --dma-test ,bus=a: expected a root port with no other device, which "
	             "--dma-test is\n"));
}

Test(dma_test_option, it_has_a_place_on_the_root_bus_though_virtio_devices_have_not)
{
	o.virtio_mmio = true;
	for (unsigned int i = 0; i < 31; i++) {
		static char ids[31][4];

		ids[i][0] = 'a' + i / 26;
		ids[i][1] = 'a' + i % 26;
		port_option_take(&o, ids[i]);
	}
	take(NULL);
	cr_assert(places_check(&o), "%s", said(stderr));
	take(NULL);
	cr_assert(not(places_check(&o)));
}

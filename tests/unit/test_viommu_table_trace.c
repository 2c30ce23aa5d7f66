// SPDX-License-Identifier: GPL-2.0-only
/* Tables that the driver owns: what a trace tells of them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/unit/fake_guest_table.h"
#include "vmm/log.h"

static struct fake_viommu f;
static char lines[4096]; /* all of them */

static void line(struct log_sink *sink, enum log_topic topic, const char *text)
{
	(void)sink;
	(void)topic;
	strncat(lines, text, sizeof(lines) - strlen(lines) - 1);
}

static struct log_sink sink = { .line = line };
static struct log traced = { .topics = BIT(TRACE_IOMMU), .sink = &sink };

static void make(void)
{
	struct viommu_config config = fake_viommu_config();

	config.attach_table = true;
	fake_viommu_make(&f, &config, BIT(VIRTIO_RING_F_EVENT_IDX));
	guest_clear();
	f.dev->log = &traced;
}

static void unmake(void)
{
	fake_viommu_unmake(&f);
}

TestSuite(viommu_table_trace, .init = make, .fini = unmake);

Test(viommu_table_trace, a_table_is_told_when_it_is_attached)
{
	struct guest_attach a = GUEST_ATTACH;

	cr_assert(zero(u8, fake_viommu_attach(&f, 1, 0x10, 0)));
	cr_assert(ne(u8, guest_attach(&f, a), 0), "a domain of mappings");
	cr_assert(zero(ptr, strstr(lines, "TTBR")));
	a.domain = 2;
	cr_assert(zero(u8, guest_attach(&f, a)));
	cr_assert(not(zero(ptr, strstr(lines, "domain 2: table, TCR"))));
}

Test(viommu_table_trace, a_fault_of_an_execute_access_is_told_as_one)
{
	cr_assert(zero(u8, guest_attach(&f, GUEST_ATTACH)));
	cr_assert(zero(u64, fake_viommu_reach(&f, 0, IOVA, DMA_READ | DMA_EXEC)));
	cr_assert(not(zero(ptr, strstr(lines, "fault at 0x1234567000, rx: "))));
}

// SPDX-License-Identifier: GPL-2.0-only
/* The DMA endpoint behind what all vIOMMUs are made of: to the byte, and until it lets go. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "tests/unit/fake_dma_test.h"
#include "tests/unit/space.h"
#include "vmm/iommu.h"

#define IOVA 0x10000ULL
#define GPA  (FAKE_RAM_BASE + 0x4000)

static struct iova_space space;
static struct iommu_endpoint requester;
static u64 faulted;
static enum dma_reason why;
static struct dma_wait taken;
static bool gone;

static void note_fault(struct iommu_endpoint *e, const struct dma_access *a)
{
	(void)e;
	faulted = a->iova + a->done;
	why = a->reason;
}

static const struct iommu_ops ops = { .fault = note_fault };

static void note_gone(struct dma_wait *w)
{
	(void)w;
	gone = true;
}

static void map(u64 iova, u64 len, gpa_t gpa, u32 perm)
{
	space_map(&space, iova, iova + len - 1, gpa, perm);
}

static void unmap(u64 iova, u64 len)
{
	space_unmap(&space, iova, iova + len - 1, &taken);
}

/* Three pages in the reverse order, the last one read-only; its messages are not translated. */
static void make(void)
{
	iommu_endpoint_init(&requester, &ops, &vm.mem);
	requester.msi_first = 0;
	requester.msi_last = ~0ULL;
	iova_init(&space);
	cr_assert(zero(int, iommu_attach(&requester, &space, NULL)));
	map(IOVA, 0x1000, GPA + 0x2000, DMA_READ | DMA_WRITE);
	map(IOVA + 0x1000, 0x1000, GPA + 0x1000, DMA_READ | DMA_WRITE);
	map(IOVA + 0x2000, 0x1000, GPA, DMA_READ);
	taken = (struct dma_wait){ .done = note_gone };
	fake_endpoint(&requester.dma, (struct dma_test_config){ 0 });
	fake_endpoint_enable();
}

static void unmake(void)
{
	iommu_attach(&requester, NULL, NULL);
	iova_clear(&space);
	fake_endpoint_end();
}

TestSuite(dma_iommu, .init = make, .fini = unmake, .timeout = 60);

Test(dma_iommu, a_transfer_goes_where_its_pages_are)
{
	u8 want[0x3000];

	for (unsigned int i = 0; i < sizeof(want); i++)
		want[i] = i >> 4;
	memcpy(ram(GPA + 0x2000), want, 0x1000);
	memcpy(ram(GPA + 0x1000), want + 0x1000, 0x1000);
	memcpy(ram(GPA), want + 0x2000, 0x1000);
	memcpy(ram(GPA + 0x8000), want, sizeof(want));
	start(0, (struct slot){ .op = CHECK, .iova = IOVA, .len = 0x3000 });
	cr_assert(eq(u32, status(0), DONE));
	cr_assert(eq(u64, result(0), crc(GPA + 0x8000, 0x3000)));
}

struct fault_case {
	u64 iova, len;
	u32 op;
	u64 at;
	enum dma_reason why;
};

ParameterizedTestParameters(dma_iommu, a_fault_is_named_to_the_byte)
{
	static struct fault_case cases[] = {
		{ IOVA, 0x3001, CHECK, IOVA + 0x3000, DMA_NOT_MAPPED },
		{ IOVA + 0x2fff, 2, CHECK, IOVA + 0x3000, DMA_NOT_MAPPED },
		{ IOVA + 0x3000, 1, CHECK, IOVA + 0x3000, DMA_NOT_MAPPED },
		{ IOVA - 1, 2, CHECK, IOVA - 1, DMA_NOT_MAPPED },
		{ IOVA, 0x3000, FILL, IOVA + 0x2000, DMA_NOT_PERMITTED },
		{ IOVA + 0x1fff, 2, WRITE, IOVA + 0x2000, DMA_NOT_PERMITTED },
		{ 0, 1ULL << 32, CHECK, 0, DMA_NOT_MAPPED },
	};

	return cr_make_param_array(struct fault_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct fault_case *c, dma_iommu, a_fault_is_named_to_the_byte)
{
	start(0, (struct slot){ .op = c->op, .iova = c->iova, .len = c->len });
	cr_assert(eq(u32, status(0), FAULT));
	cr_assert(eq(u64, fault(0), c->at));
	cr_assert(eq(u64, done(0), c->at - c->iova));
	cr_assert(eq(u64, faulted, c->at), "and the IOMMU says the same");
	cr_assert(eq(int, why, c->why));
	cr_assert(eq(u32, reason(0), c->why));
	start(0, (struct slot){ .op = CHECK, .iova = IOVA, .len = 1 });
	cr_assert(eq(u32, status(0), DONE));
	cr_assert(zero(u32, reason(0)), "that was the one before");
}

Test(dma_iommu, an_unmap_waits_for_what_is_held)
{
	start(0, (struct slot){ .op = FILL, .flags = HOLD, .iova = IOVA + 0x800, .len = 0x1000 });
	cr_assert(eq(u32, status(0), HELD));
	unmap(IOVA, 0x1000);
	cr_assert(eq(u32, taken.left, 1));
	cr_assert(not(gone));
	start(1, (struct slot){ .op = CHECK, .iova = IOVA, .len = 1 });
	cr_assert(eq(u32, status(1), FAULT), "it is gone for new ones");
	control(0, 2);
	cr_assert(eq(u32, status(0), DONE));
	cr_assert(gone);
	cr_assert(eq(u64, *(u64 *)ram(GPA + 0x2800), 0xe220a8397b1dcdafULL), "it had its page");
}

Test(dma_iommu, an_unmap_waits_for_both_sides_of_a_copy)
{
	start(0,
	      (struct slot){
		      .op = COPY, .flags = HOLD, .iova = IOVA + 0x2000, .iova2 = IOVA, .len = 8 });
	unmap(IOVA, 0x3000);
	cr_assert(eq(u32, taken.left, 2));
	control(0, 4);
	cr_assert(eq(u32, status(0), ABORTED));
	cr_assert(gone);
}

Test(dma_iommu, an_attach_waits_for_what_is_held)
{
	start(0, (struct slot){ .op = FILL, .flags = HOLD, .iova = IOVA, .len = 8 });
	cr_assert(zero(int, iommu_attach(&requester, NULL, &taken)));
	cr_assert(eq(u32, taken.left, 1));
	start(1, (struct slot){ .op = CHECK, .iova = IOVA, .len = 1 });
	cr_assert(eq(u32, status(1), FAULT));
	cr_assert(eq(int, why, DMA_NOT_ATTACHED));
	cr_assert(eq(u32, reason(1), 1));
	control(0, 2);
	cr_assert(eq(u32, status(0), DONE));
	cr_assert(gone);
}

Test(dma_iommu, an_unmap_does_not_wait_for_what_waits_for_its_turn)
{
	map(0x100000, 0x80000, FAKE_RAM_BASE + 0x10000, DMA_READ);
	start(0, (struct slot){ .op = CHECK, .iova = 0x100000, .len = 0x80000 });
	cr_assert(eq(u32, status(0), RUNNING));
	unmap(0x100000, 0x80000);
	cr_assert(zero(u32, taken.left));
	cr_assert(eq(u32, wait_for(0), FAULT));
	cr_assert(eq(u64, done(0), 0x10000));
	cr_assert(eq(u64, fault(0), 0x110000));
}

Test(dma_iommu, a_function_reset_forgets_where_and_why)
{
	start(3, (struct slot){ .op = CHECK, .iova = IOVA + 0x3000, .len = 1 });
	cr_assert(eq(u32, reason(3), 2));
	fake_endpoint_reset();
	cr_assert(zero(u64, status(3) | fault(3) | reason(3)));
}

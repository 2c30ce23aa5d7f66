/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtio-iommu and transfers in flight: what takes memory away waits for them. The DMA endpoint
 * is behind it. */
#include "lib/viommu_endpoint.h"

/* In slot 0: IOVA's first two pages, mapped and not yet written. */
static void hold(void)
{
	struct dma_op op = fill(IOVA, 2 * PAGE, DMA_F_HELD);

	dma_start(&d, 0, &op);
	check(wait_for(dma_state(&d, 0) == DMA_HOLDS, LONG), "nothing is held");
}

static void waits_for_release(const char *what)
{
	check(!wait_for(device_done(&v.dev, REQUESTQ), 50), "%s: does not wait", what);
	check(!memory[0] && !memory[2 * PAGE - 1], "%s: written before its time", what);
	dma_control(&d, 0, DMA_RELEASE);
	check(wait_for(device_done(&v.dev, REQUESTQ), LONG), "%s: does not end", what);
	check(!*(volatile u8 *)v.answer, "%s: status %u", what, v.answer[0]);
	check(wait_for(dma_state(&d, 0) == DMA_ENDED, LONG) && dma_outcome(&d, 0) == DMA_DONE,
	      "%s: outcome %u", what, dma_outcome(&d, 0));
	check(memory[8] | memory[9], "%s: nothing was written", what);
}

static void unmap(void)
{
	const struct dma_op look = { .op = DMA_CHECK, .iova = IOVA, .length = PAGE };

	find(VIOMMU_FEATURES);
	attach();
	hold();
	check(!viommu_unmap(&v, DOMAIN, IOVA + 2 * PAGE, IOVA + 4 * PAGE - 1),
	      "an unmap of other pages");
	memset(&v.request, 0, sizeof(v.request));
	v.request.type = T_UNMAP;
	v.request.unmap_domain = DOMAIN;
	v.request.unmap_start = IOVA;
	v.request.unmap_end = IOVA + 2 * PAGE - 1;
	viommu_offer(&v, 28, 4);
	/* The request is taken in its own time; from then on there is nothing for new accesses. */
	check(wait_for(dma_run(&d, 1, &look) == DMA_FAULT, LONG) && dma_fault_at(&d, 1) == IOVA,
	      "a new access while the unmap waits");
	waits_for_release("an unmap");
}

static void detach(void)
{
	find(VIOMMU_FEATURES);
	attach();
	hold();
	memset(&v.request, 0, sizeof(v.request));
	v.request.type = T_DETACH;
	v.request.domain = DOMAIN;
	v.request.endpoint = ep;
	viommu_offer(&v, 20, 4);
	waits_for_release("a detach");
	attach();
	hold();
	memset(&v.request, 0, sizeof(v.request));
	v.request.type = T_ATTACH;
	v.request.domain = DOMAIN + 1;
	v.request.endpoint = ep;
	viommu_offer(&v, 20, 4);
	waits_for_release("an attach elsewhere");
}

/* A table of the driver's: what it takes from endpoints is INVALIDATE's to take. */
static void invalidate(void)
{
	const struct dma_op look = { .op = DMA_CHECK, .iova = IOVA, .length = 8 };

	find(VIOMMU_FEATURES | F_ATTACH_TABLE);
	attach_table();
	hold();
	check(!viommu_invalidate(&v, DOMAIN, IOVA + 2 * PAGE, 2), "other pages");
	*(volatile u64 *)tables_entry(&owned, IOVA, 3) = (u64)(memory + 3 * PAGE) | S1_OWN;
	*(volatile u64 *)(memory + 3 * PAGE) = 99;
	barrier();
	viommu_make_invalidate(&v, DOMAIN, IOVA, 1);
	viommu_offer(&v, 60, 4);
	/* The request is taken in its own time; from then on new accesses go elsewhere. */
	check(wait_for(dma_run(&d, 1, &look) == DMA_DONE && dma_result(&d, 1) == dma_checksum(99),
	               LONG),
	      "a new access while the invalidation waits");
	waits_for_release("an invalidation");
}

static void reset(void)
{
	find(VIOMMU_FEATURES);
	attach();
	hold();
	where_set_status(&v.dev.where, 0);
	check(!wait_for(!where_status(&v.dev.where), 50), "the reset does not wait");
	dma_control(&d, 0, DMA_RELEASE);
	check(wait_for(!where_status(&v.dev.where), LONG), "the reset does not end");
	check(memory[8] | memory[9], "nothing was written");
	viommu_start(&v, VIOMMU_FEATURES);
	attach();
}

/* Where an access ends, exactly; and an atomic one. */
static void edges(void)
{
	struct dma_op op = fill(IOVA + 100, 4 * PAGE, 0);

	find(VIOMMU_FEATURES);
	attach();
	check(dma_run(&d, 0, &op) == DMA_FAULT, "outcome %u", dma_outcome(&d, 0));
	check(dma_reason(&d, 0) == DMA_NOT_MAPPED, "reason %u", dma_reason(&d, 0));
	check(dma_fault_at(&d, 0) == IOVA + 4 * PAGE && dma_done(&d, 0) == 4 * PAGE - 100,
	      "fault at %lx, %lu bytes done", dma_fault_at(&d, 0), dma_done(&d, 0));
	check(!memory[99] && (memory[4 * PAGE - 1] | memory[4 * PAGE - 2]), "not what was said");
	op = (struct dma_op){
		.op = DMA_CAS, .iova = IOVA + PAGE, .length = 8, .arg1 = 0x1122334455667788
	};
	*(volatile u64 *)(memory + PAGE) = 0;
	check(dma_run(&d, 0, &op) == DMA_REFUSED, "an atomic operation that nobody enabled");
}

/* In bypass mode what a process reads, or executes, is where it says. */
static void bypass_pasid(void)
{
	struct dma_op op = { .op = DMA_CHECK,
		             .flags = DMA_F_PASID | DMA_F_EXEC,
		             .iova = (u64)memory,
		             .length = 8,
		             .pasid = 7 };
	u64 at;

	find(VIOMMU_FEATURES);
	at = pci_ext_capability(d.rid, EXT_PASID);
	check(at, "no PASIDs");
	write16(at + 6, 3); /* with execute permission */
	check(!viommu_attach(&v, DOMAIN, ep, ATTACH_BYPASS), "attach");
	check(dma_run(&d, 0, &op) == DMA_DONE, "in a bypass domain: outcome %u, reason %u",
	      dma_outcome(&d, 0), dma_reason(&d, 0));
	check(!viommu_detach(&v, DOMAIN, ep), "detach");
	check(dma_run(&d, 0, &op) == DMA_DONE, "in none: outcome %u, reason %u", dma_outcome(&d, 0),
	      dma_reason(&d, 0));
	write8(v.dev.where.config + CONFIG_BYPASS, 0);
	check(dma_run(&d, 0, &op) == DMA_FAULT && dma_reason(&d, 0) == DMA_NOT_ATTACHED,
	      "without bypass: outcome %u, reason %u", dma_outcome(&d, 0), dma_reason(&d, 0));
}

static const struct test tests[] = {
	{ "unmap", unmap }, { "detach", detach }, { "invalidate", invalidate },
	{ "reset", reset }, { "edges", edges },   { "bypass-pasid", bypass_pasid },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

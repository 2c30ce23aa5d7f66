/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GUESTS_BARE_LIB_VIOMMU_ENDPOINT_H
#define GUESTS_BARE_LIB_VIOMMU_ENDPOINT_H

/* The DMA endpoint behind a virtio-iommu: what is mapped for it, or in a table of the driver's. */
#include "lib/dmatest.h"
#include "lib/tables.h"
#include "lib/viommu.h"

#define DOMAIN 3
#define IOVA   0x40000000UL

static struct viommu v;
static struct dma_test d;
static u32 ep;
static u8 memory[4 * PAGE] __attribute__((aligned(4096)));

static inline void find(u64 features)
{
	viommu_find(&v);
	dma_test_find(&d);
	ep = d.rid;
	viommu_start(&v, features);
}

static inline void attach(void)
{
	check(!viommu_attach(&v, DOMAIN, ep, 0), "attach");
	for (u64 i = 0; i < 4; i++)
		check(!viommu_map(&v, DOMAIN, IOVA + i * PAGE, IOVA + (i + 1) * PAGE - 1,
		                  (u64)memory + i * PAGE, MAP_READ | MAP_WRITE),
		      "map");
	memset(memory, 0, sizeof(memory));
}

/* The lower half's, with pages of 4 KiB, addresses of 39 bits and outputs of 40. */
#define TCR    (T0SZ | 0x35UL << 8 | 1UL << 23 | 2UL << 32)
#define S1_OWN (S1_PAGE | ENTRY_NG)

static struct tables owned;

/* A table of the driver's, with pages 0 to 3. */
static inline void attach_table(void)
{
	tables_clear(&owned);
	tables_map(&owned, IOVA, (u64)memory, 4, S1_OWN);
	check(!viommu_attach_table(&v, DOMAIN, ep, TCR, (u64)owned.table[0], 0), "attach");
	memset(memory, 0, sizeof(memory));
}

static inline struct dma_op fill(u64 iova, u64 length, u32 flags)
{
	return (struct dma_op){
		.op = DMA_FILL, .flags = flags, .iova = iova, .length = length, .arg0 = 1
	};
}

#endif

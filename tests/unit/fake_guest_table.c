// SPDX-License-Identifier: GPL-2.0-only
/* The driver of a fake IOMMU device that owns its tables. */
#include "tests/unit/fake_guest_table.h"

#include <criterion/criterion.h>
#include <string.h>

#include "vmm/mem.h"

#define ATTACH_SIZE 124
#define INVAL_SIZE  60

static unsigned int used; /* tables */

u8 guest_attach(struct fake_viommu *f, struct guest_attach a)
{
	u8 rq[ATTACH_SIZE] = { 0x81 };

	memcpy(rq + 4, &a.domain, 4);
	memcpy(rq + 8, &a.endpoint, 4);
	rq[12] = a.format;
	rq[13] = a.flags;
	memcpy(rq + 14, &a.asid, 2);
	memcpy(rq + 16, &a.tcr, 8);
	memcpy(rq + 24, a.ttbr, 16);
	memcpy(rq + 40, &a.mair, 8);
	memcpy(rq + 48, &a.pasid, 4);
	memcpy(rq + 52, a.reserved, sizeof(a.reserved));
	return fake_viommu_send(f, rq, sizeof(rq));
}

static void encode(u8 *rq, const struct guest_inval *i)
{
	memset(rq, 0, INVAL_SIZE);
	rq[0] = 0x82;
	rq[4] = i->scope;
	rq[5] = i->caches;
	memcpy(rq + 6, &i->flags, 2);
	memcpy(rq + 8, &i->domain, 4);
	memcpy(rq + 12, &i->pasid, 4);
	memcpy(rq + 16, &i->id, 8);
	memcpy(rq + 24, &i->address, 8);
	memcpy(rq + 32, &i->nr_pages, 8);
	rq[40] = i->page_size;
	memcpy(rq + 41, i->reserved, sizeof(i->reserved));
}

u8 guest_invalidate(struct fake_viommu *f, struct guest_inval i)
{
	u8 rq[INVAL_SIZE];

	encode(rq, &i);
	return fake_viommu_send(f, rq, sizeof(rq));
}

void guest_begin_invalidate(struct fake_viommu *f, unsigned int slot, struct guest_inval i)
{
	u8 rq[INVAL_SIZE];

	encode(rq, &i);
	fake_viommu_queue(f, slot, rq, sizeof(rq), 4);
	fake_viommu_kick(f);
}

struct guest_inval guest_pages(u64 first, u64 nr)
{
	return (struct guest_inval){ .scope = S_ADDRESS,
		                     .caches = C_TLB,
		                     .domain = 1,
		                     .address = IOVA + first * GUEST_PAGE,
		                     .nr_pages = nr,
		                     .page_size = 12 };
}

u8 guest_invalidate_page(struct fake_viommu *f, u64 iova)
{
	struct guest_inval i = guest_pages(0, 1);

	i.address = iova;
	return guest_invalidate(f, i);
}

u8 guest_invalidate_all(struct fake_viommu *f)
{
	return guest_invalidate(
		f, (struct guest_inval){ .scope = S_DOMAIN, .caches = C_TLB, .domain = 1 });
}

static u64 *word(gpa_t at)
{
	u64 *p = guest_ptr(&fake_viommu_mem, at, 8);

	cr_assert(p);
	return p;
}

void guest_clear(void)
{
	memset(word(GUEST_TABLE), 0, VIOMMU_BASE + VIOMMU_RAM - GUEST_TABLE);
	used = 1;
}

u64 *guest_entry(u64 iova, int level)
{
	gpa_t table = GUEST_TABLE;

	for (int at = 1;; at++) {
		u64 *entry = word(table + (iova >> (12 + (3 - at) * 9) & 511) * 8);

		if (at == level)
			return entry;
		if (!*entry) {
			*entry = (GUEST_TABLE + used++ * GUEST_PAGE) | G_TABLE;
			cr_assert(used <= 16);
		}
		table = *entry & GENMASK(47, 12);
	}
}

void guest_map(u64 iova, gpa_t to, u64 attributes)
{
	*guest_entry(iova, 3) = to | attributes;
}

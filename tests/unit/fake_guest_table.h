/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_GUEST_TABLE_H
#define TESTS_UNIT_FAKE_GUEST_TABLE_H

#include "tests/unit/fake_viommu.h"

/*
 * A fake IOMMU device's driver that owns the tables: pages of 4 KiB, addresses of 39 bits, in
 * memory at GUEST_TABLE, and its requests, byte by byte (docs/virtio-iommu-experimental.md).
 */
#define GUEST_TABLE (VIOMMU_BASE + 0x30000) /* up to the end of RAM: the first is level 1's */
#define GUEST_PAGE  0x1000ULL
#define GUEST_DATA  VIOMMU_DATA /* pages up to GUEST_TABLE */
#define IOVA        0x1234567000ULL
#define UPPER       0xffffff8000000000ULL

/* Entries. */
#define G_TABLE  3ULL
#define G_BLOCK  1ULL
#define G_PAGE   3ULL
#define G_USER   BIT(6)
#define G_RO     BIT(7)
#define G_AF     BIT(10)
#define G_NG     BIT(11)
#define G_DBM    BIT(51)
#define G_RW     (G_PAGE | G_USER | G_AF | G_NG)
#define G_RDONLY (G_RW | G_RO)

/* Of TCR_EL1: 25, 4 KiB, 48 bits, 16-bit ASIDs, the upper half disabled. */
#define TCR_EPD1 BIT(23)
#define TCR_HA   BIT(39)
#define TCR_HD   BIT(40)
#define TCR_USUAL \
	(25ULL | 0x35ULL << 8 | 25ULL << 16 | TCR_EPD1 | 2ULL << 30 | 5ULL << 32 | BIT(36))

struct guest_attach {
	u32 domain, endpoint;
	u8 format, flags;
	u16 asid;
	u64 tcr, ttbr[2], mair;
	u32 pasid;
	u8 reserved[72];
};
#define ATTACH_PASID 1
#define GUEST_ATTACH            \
	((struct guest_attach){ \
		1, 0x10, 0x80, 0, 5, TCR_USUAL, { GUEST_TABLE, GUEST_TABLE }, 0xff04, 0, { 0 } })

/* Scopes, caches and flags of an INVALIDATE. */
enum { S_DOMAIN = 1, S_PASID, S_ADDRESS };
enum { C_PASID = 1, C_TLB };
enum { F_LEAF = 1, F_PASID = 2, F_ID = 4, F_GLOBAL = 8 };
struct guest_inval {
	u8 scope, caches;
	u16 flags;
	u32 domain, pasid;
	u64 id, address, nr_pages;
	u8 page_size, reserved[19];
};

/* Statuses. */
u8 guest_attach(struct fake_viommu *f, struct guest_attach a);
u8 guest_invalidate(struct fake_viommu *f, struct guest_inval i);
u8 guest_invalidate_page(struct fake_viommu *f, u64 iova); /* of domain 1 */
u8 guest_invalidate_all(struct fake_viommu *f);
/* Of so many pages from IOVA on, in domain 1. */
struct guest_inval guest_pages(u64 first, u64 nr);
/* Without waiting for it. */
void guest_begin_invalidate(struct fake_viommu *f, unsigned int slot, struct guest_inval i);

/* No tables. */
void guest_clear(void);
/* The entry of @iova at that level, 1 to 3, with tables above it. */
u64 *guest_entry(u64 iova, int level);
void guest_map(u64 iova, gpa_t to, u64 attributes);

#endif

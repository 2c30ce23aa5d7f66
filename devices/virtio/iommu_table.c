// SPDX-License-Identifier: GPL-2.0-only
/* The IOMMU device's requests about tables that the driver owns: which are legal, and what they say
 * (docs/virtio-iommu-experimental.md). */
#include <endian.h>

#include "devices/virtio/iommu_private.h"

/* TCR_EL1 (Arm DDI 0487): what is not here has to be 0. */
#define TCR_T0SZ   GENMASK(5, 0)
#define TCR_EPD0   BIT(7)
#define TCR_WALKS0 GENMASK(13, 8) /* how walks are cached and shared: they are coherent */
#define TCR_TG0    GENMASK(15, 14)
#define TCR_T1SZ   GENMASK(21, 16)
#define TCR_EPD1   BIT(23)
#define TCR_WALKS1 GENMASK(29, 24)
#define TCR_TG1    GENMASK(31, 30)
#define TCR_IPS    GENMASK(34, 32)
#define TCR_AS     BIT(36)
#define TCR_HA     BIT(39)
#define TCR_HD     BIT(40)
#define TCR_HPD0   BIT(41)
#define TCR_HPD1   BIT(42)
#define TCR_HWU    GENMASK(50, 43) /* bits of entries that hardware may use: none does */
#define TCR_OFFERED                                                                                \
	(TCR_T0SZ | TCR_EPD0 | TCR_WALKS0 | TCR_TG0 | TCR_T1SZ | TCR_EPD1 | TCR_WALKS1 | TCR_TG1 | \
	 TCR_IPS | TCR_AS | TCR_HA | TCR_HD | TCR_HPD0 | TCR_HPD1 | TCR_HWU)

#define OUTPUT_BITS 48
#define PASID_BITS  20
#define TTBR_BASE   GENMASK(47, 4)
#define LEAST_TSZ   16
#define MOST_TSZ    39 /* without FEAT_TTST */

static struct virtio_iommu_probe_property property(u16 type, size_t size)
{
	return (struct virtio_iommu_probe_property){
		.type = htole16(type),
		.length = htole16(size - sizeof(struct virtio_iommu_probe_property)),
	};
}

struct viommu_probe_tables viommu_table_properties(void)
{
	const u32 flags = VIOMMU_ARM64_F_HW_ACCESS | VIOMMU_ARM64_F_HW_DIRTY | VIOMMU_ARM64_F_HPD;
	struct viommu_probe_tables p = {
		.page_sizes.mask = htole64(4 << 10 | 16 << 10 | 64 << 10 | 2 << 20 | 32 << 20 |
		                           512 << 20 | 1 << 30),
		.output.bits = OUTPUT_BITS,
		.pasids.bits = PASID_BITS,
		.arm64.format = htole16(VIOMMU_FORMAT_ARM64),
		.arm64.asid_bits = 16,
		.arm64.flags = htole64(flags),
	};

	p.page_sizes.head = property(VIOMMU_PROBE_T_PAGE_SIZE_MASK, sizeof(p.page_sizes));
	p.output.head = property(VIOMMU_PROBE_T_OUTPUT_SIZE, sizeof(p.output));
	p.pasids.head = property(VIOMMU_PROBE_T_PASID_SIZE, sizeof(p.pasids));
	p.arm64.head = property(VIOMMU_PROBE_T_TABLE_FORMAT, sizeof(p.arm64));
	return p;
}

/* log2 of bytes; 0: reserved. The two are encoded otherwise. */
static unsigned int granule_of(unsigned int half, u64 tcr)
{
	static const u8 granules[2][4] = { { 12, 16, 14, 0 }, { 0, 14, 12, 16 } };

	return granules[half][FIELD_GET(half ? TCR_TG1 : TCR_TG0, tcr)];
}

/* 0: reserved. What is beyond what the device puts out is cut off, as a CPU does it. */
static unsigned int output_of(u64 tcr)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48, OUTPUT_BITS, 0 };

	return bits[FIELD_GET(TCR_IPS, tcr)];
}

static bool decode_half(struct viommu_table *t, unsigned int half, u64 tcr, u64 ttbr)
{
	const unsigned int tsz = half ? FIELD_GET(TCR_T1SZ, tcr) : FIELD_GET(TCR_T0SZ, tcr);
	const unsigned int granule = granule_of(half, tcr);

	t->disabled[half] = tcr & (half ? TCR_EPD1 : TCR_EPD0);
	if (t->disabled[half])
		return true;
	if (!granule || tsz < LEAST_TSZ || tsz > MOST_TSZ || ttbr & ~TTBR_BASE ||
	    ttbr >> output_of(tcr))
		return false;
	t->half[half] = (struct pgtable){
		.space = t->viommu->dev.dma,
		.base = ttbr,
		.stage = 1,
		.granule = granule,
		.input = 64 - tsz,
		.output = output_of(tcr),
		.start = pgtable_start1(granule, 64 - tsz),
		.ha = tcr & TCR_HA,
		.hd = tcr & TCR_HD && tcr & TCR_HA,
		.upper = half,
		.had = tcr & (half ? TCR_HPD1 : TCR_HPD0),
	};
	return true;
}

static bool decode(struct viommu_table *t)
{
	const struct viommu_pgt_arm64 *b = &t->given;
	const u64 tcr = le64toh(b->tcr);

	t->asid = le16toh(b->asid);
	if (tcr & ~TCR_OFFERED || !output_of(tcr) || (!(tcr & TCR_AS) && t->asid >> 8))
		return false;
	return decode_half(t, 0, tcr, le64toh(b->ttbr[0])) &&
	       decode_half(t, 1, tcr, le64toh(b->ttbr[1]));
}

/* Nothing that is reserved, and a PASID that can be one. */
static bool is_whole(const struct viommu_req_attach_table *b)
{
	const bool process = b->flags & VIOMMU_TABLE_F_PASID;

	return !(b->flags & ~VIOMMU_TABLE_F_PASID) &&
	       le32toh(b->pasid) <= (process ? VIOMMU_MAX_PASID : 0) &&
	       viommu_is_zero(b->reserved, sizeof(b->reserved));
}

u8 viommu_attach_table(struct viommu_request *rq, const struct viommu_req_attach_table *b)
{
	struct viommu *v = rq->viommu;
	struct viommu_table t = { .viommu = v, .given = b->arm64 };
	struct viommu_endpoint *e = viommu_find_endpoint(v, le32toh(b->endpoint));
	const u32 pasid = b->flags & VIOMMU_TABLE_F_PASID ? le32toh(b->pasid) : DMA_NO_PASID;
	const u32 domain = le32toh(b->domain);
	u8 status;

	if (b->format != VIOMMU_FORMAT_ARM64)
		return VIRTIO_IOMMU_S_UNSUPP;
	if (!is_whole(b) || !decode(&t))
		return VIRTIO_IOMMU_S_INVAL;
	if (!e)
		return VIRTIO_IOMMU_S_NOENT;
	if (!viommu_in_domain_range(v, domain))
		return VIRTIO_IOMMU_S_RANGE;
	status = viommu_attach(v, e, pasid, domain, false, &t, &rq->wait);
	if (status == VIRTIO_IOMMU_S_OK)
		trace(v->dev.log, TRACE_IOMMU,
		      "domain %u: table, TCR %#llx, TTBR %#llx %#llx, ASID %u", domain,
		      (unsigned long long)le64toh(b->arm64.tcr),
		      (unsigned long long)le64toh(b->arm64.ttbr[0]),
		      (unsigned long long)le64toh(b->arm64.ttbr[1]), t.asid);
	return status;
}

/* Nothing that is undefined; and there are no PASIDs. */
static bool is_known(const struct viommu_req_invalidate *b)
{
	const u16 flags = le16toh(b->flags);

	return b->scope >= VIOMMU_INVAL_S_DOMAIN && b->scope <= VIOMMU_INVAL_S_ADDRESS &&
	       !(b->caches & ~(VIOMMU_INVAL_C_PASID | VIOMMU_INVAL_C_TLB)) &&
	       !(flags & ~(VIOMMU_INVAL_F_LEAF | VIOMMU_INVAL_F_ID | VIOMMU_INVAL_F_GLOBAL)) &&
	       viommu_is_zero(b->reserved, sizeof(b->reserved));
}

/* False: no such addresses. Where the first page begins is for its size to say. */
static bool range_of(const struct viommu_req_invalidate *b, u64 *first, u64 *last)
{
	const u64 nr = le64toh(b->nr_pages);

	*first = 0;
	*last = ~0ULL;
	if (b->scope != VIOMMU_INVAL_S_ADDRESS)
		return true;
	if (b->page_size > 63 || !nr || nr - 1 > ~0ULL >> b->page_size)
		return false;
	*first = ALIGN_DOWN(le64toh(b->address), BIT(b->page_size));
	*last = *first + ((nr - 1) << b->page_size) + (BIT(b->page_size) - 1);
	return *last >= *first;
}

/*
 * As TLBI has it (DDI 0487): an ASID's are those that are not global, and an address takes those
 * too; without an ASID it is all.
 */
static u32 kinds_of(const struct viommu_req_invalidate *b, const struct viommu_table *t)
{
	const u16 flags = le16toh(b->flags);
	u32 kinds = 0;

	if (b->scope == VIOMMU_INVAL_S_DOMAIN || !(flags & VIOMMU_INVAL_F_ID))
		return IOVA_ALL;
	if (le64toh(b->id) == t->asid)
		kinds |= IOVA_OWN;
	if (flags & VIOMMU_INVAL_F_GLOBAL || b->scope == VIOMMU_INVAL_S_ADDRESS)
		kinds |= IOVA_GLOBAL;
	return kinds;
}

/*
 * The domain's INVALIDATEs end in their order: what one does not find, that before it may have
 * taken, and waits for. To be called last: from here on others may be behind @rq.
 */
static void follow(struct viommu_domain *d, struct viommu_request *rq)
{
	if (d->pending) {
		d->pending->last_of = NULL;
		d->pending->behind = rq;
		rq->wait.left++;
	}
	if (rq->wait.left == 1) /* its own */
		return;
	d->pending = rq;
	rq->last_of = d;
}

u8 viommu_invalidate(struct viommu_request *rq, const struct viommu_req_invalidate *b)
{
	struct viommu *v = rq->viommu;
	struct viommu_domain *d = viommu_find_domain(v, le32toh(b->domain));
	u64 first, last;

	if (!is_known(b))
		return VIRTIO_IOMMU_S_INVAL;
	if (!range_of(b, &first, &last))
		return VIRTIO_IOMMU_S_RANGE;
	if (!d)
		return VIRTIO_IOMMU_S_NOENT;
	if (!d->table.viommu)
		return VIRTIO_IOMMU_S_INVAL;
	if (!(b->caches & VIOMMU_INVAL_C_TLB))
		return VIRTIO_IOMMU_S_OK;
	viommu_forget(v, d, first, last, kinds_of(b, &d->table), &rq->wait);
	follow(d, rq);
	return VIRTIO_IOMMU_S_OK;
}

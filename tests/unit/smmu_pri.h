/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_SMMU_PRI_H
#define TESTS_UNIT_SMMU_PRI_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/unit/smmu_expect.h"

/* Page requests of an SMMU's tests: the driver's side of the PRI queue, and the endpoints'. */
#define STREAM 0x10
#define PRI_ON (CR0_SMMUEN | CR0_PRIQEN | CR0_EVENTQEN | CR0_CMDQEN)
#define NONE   DMA_NO_PASID

static struct fake_smmu f;
static unsigned int size; /* log2 of the PRI queue's entries */
static unsigned int edges[64];

/* What endpoint 0 was answered. */
static struct {
	unsigned int nr;
	struct dma_page_response last;
	u32 prod; /* the register, then */
} got;

static inline struct smmu_id pri_id(void)
{
	struct smmu_id id = fake_smmu_id("idr0.ats", 1);

	cr_assert(zero(ptr, (void *)smmu_id_set(&id, "idr0.pri", 1)));
	return id;
}

/* As fake_smmu_enable(), with a PRI queue of 2^@log2size entries, empty. */
static inline void pri_enable(unsigned int log2size)
{
	fake_smmu_enable(&f);
	fake_smmu_write64(&f, PRIQ_BASE, FAKE_SMMU_PRIQ | log2size);
	fake_smmu_write32(&f, PRIQ_PROD, 0);
	fake_smmu_write32(&f, PRIQ_CONS, 0);
	fake_smmu_write32(&f, CR0, PRI_ON);
}

static inline bool pri_ask(unsigned int endpoint, u32 pasid, u16 group, bool last)
{
	const struct dma_page_request rq = { 0x5000, DMA_READ, pasid, group, last };

	return dma_request_page(fake_smmu_dma(&f, endpoint), &rq);
}

/* The oldest record, taken from the queue; false: there is none. */
static inline bool pri_take(u64 w[2])
{
	const u32 cons = fake_smmu_read32(&f, PRIQ_CONS);
	const gpa_t at = FAKE_SMMU_PRIQ + (cons & (BIT(size) - 1)) * 16;

	if (!((fake_smmu_read32(&f, PRIQ_PROD) ^ cons) & QUEUE_INDEX))
		return false;
	w[0] = fake_smmu_get(&f, at);
	w[1] = fake_smmu_get(&f, at + 8);
	fake_smmu_write32(&f, PRIQ_CONS,
	                  (cons & QUEUE_OVERFLOW) | ((cons + 1) & (u32)GENMASK(size, 0)));
	return true;
}

/* CMD_PRI_RESP; whether it was consumed. @resp: 0 failure, 1 invalid, 2 success. */
static inline bool pri_respond(u32 sid, u32 pasid, u16 group, u64 resp)
{
	return fake_smmu_command(&f, PRI_RESP | SID(sid) | (pasid == NONE ? 0 : SSID(pasid)),
	                         group | resp << 12);
}

static inline void response(struct dma_device *d, const struct dma_page_response *r)
{
	(void)d;
	got.nr++;
	got.last = *r;
	got.prod = fake_smmu_read32(&f, PRIQ_PROD);
}

static struct dma_device device = { .page_response = response };

static inline void line_changed(unsigned int spi, bool level)
{
	edges[spi] += level;
}

static inline void make_with(const struct smmu_id *id, unsigned int log2size)
{
	make_afresh(&f, id);
	fake.line_changed = line_changed;
	memset(&got, 0, sizeof(got));
	memset(edges, 0, sizeof(edges));
	fake_smmu_dma(&f, 0)->device = &device;
	size = log2size;
	pri_enable(size);
}

static inline void make(void)
{
	const struct smmu_id id = pri_id();

	make_with(&id, 3);
}

static inline void unmake(void)
{
	fake_smmu_unmake(&f);
}

static inline void remake(const char *field, u64 value, unsigned int log2size)
{
	struct smmu_id id = pri_id();

	cr_assert(zero(ptr, (void *)smmu_id_set(&id, field, value)));
	unmake();
	make_with(&id, log2size);
}

static inline bool ask(u32 pasid, u16 group, bool last)
{
	return pri_ask(0, pasid, group, last);
}

static inline void expect_record(u64 w0, u64 w1)
{
	u64 w[2];

	cr_assert(pri_take(w), "there is none");
	cr_assert(eq(u64, w[0], w0));
	cr_assert(eq(u64, w[1], w1));
}

static inline void expect_empty(void)
{
	u64 w[2];

	cr_assert(not(pri_take(w)));
}

/* The only answer so far. */
static inline void expect_answer(u32 pasid, u16 group, enum dma_page_code code)
{
	cr_assert(eq(u32, got.nr, 1));
	cr_assert(eq(u32, got.last.pasid, pasid));
	cr_assert(eq(u16, got.last.group, group));
	cr_assert(eq(int, got.last.code, code));
	got.nr = 0;
}

static inline u32 prod(void)
{
	return fake_smmu_read32(&f, PRIQ_PROD);
}

static inline u32 active(void)
{
	return fake_smmu_read32(&f, GERROR) ^ fake_smmu_read32(&f, GERRORN);
}

static inline struct fault_counts counts(void)
{
	return fake_smmu_counts(&f).pages;
}

/* Requests until there is no room. */
static inline void fill(void)
{
	for (u32 i = 0; i < BIT(size); i++)
		cr_assert(ask(NONE, 0x100 + i, false));
}

static inline void acknowledge_overflow(void)
{
	fake_smmu_write32(&f, PRIQ_CONS, prod());
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_SMMU_EXPECT_H
#define TESTS_UNIT_SMMU_EXPECT_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/fake_smmu.h"

/* Events of the SMMU's tests: all four words, and what endpoints reach. */
#define SID(sid)   ((u64)(sid) << 32)
#define SSID(ssid) (EVT0_SSV | (u64)(ssid) << 12)
#define CLASS(c)   ((u64)(c) << 40)

/* One VM of several in a test: the fake KVM has room for what one has made. */
static inline void make_afresh(struct fake_smmu *f, const struct smmu_id *id)
{
	fake.nr_devices = fake.nr_vcpu_fds = fake.nr_vcpus = 0;
	fake.nr_attrs = 0;
	fake_smmu_make(f, id);
}

static inline void expect_event(struct fake_smmu *f, u64 w0, u64 w1, u64 w2, u64 w3)
{
	u64 w[4];

	cr_assert(fake_smmu_event(f, w), "event %#llx is not there", (unsigned long long)w0);
	cr_assert(eq(u64, w[0], w0));
	cr_assert(eq(u64, w[1], w1));
	cr_assert(eq(u64, w[2], w2));
	cr_assert(eq(u64, w[3], w3));
}

static inline void expect_no_event(struct fake_smmu *f)
{
	u64 w[4];

	cr_assert(not(fake_smmu_event(f, w)), "%#llx %#llx %#llx %#llx", (unsigned long long)w[0],
	          (unsigned long long)w[1], (unsigned long long)w[2], (unsigned long long)w[3]);
}

/* The ID of the oldest event, or 0. */
static inline u32 event_id(struct fake_smmu *f)
{
	u64 w[4];

	return fake_smmu_event(f, w) ? FIELD_GET(EVT0_ID, w[0]) : 0;
}

/* Endpoint 0 reaches @gpa, without a word. */
static inline void expect_reached(struct fake_smmu *f, u64 iova, u32 perm, gpa_t gpa)
{
	cr_assert(eq(u64, fake_smmu_gpa(f, iova, perm), gpa));
	expect_no_event(f);
}

/* It does not, with that reason. */
static inline void expect_fault(struct fake_smmu *f, u64 iova, u32 perm, enum dma_reason reason)
{
	const struct fake_smmu_reached got = fake_smmu_reach(f, 0, iova, perm, DMA_NO_PASID);

	cr_assert(eq(int, got.status, DMA_FAULT));
	cr_assert(eq(int, got.reason, reason), "%s", dma_reason_words(got.reason));
}

#endif

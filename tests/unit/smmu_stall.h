/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_SMMU_STALL_H
#define TESTS_UNIT_SMMU_STALL_H

#include "tests/unit/smmu_expect.h"

/* Stalls of an SMMU's tests: two streams of which all that can stalls, and accesses to it. */
#define AT     0x1000ULL
#define PAGE   0x1000ULL
#define IN     CLASS(2)
#define TT     CLASS(1)
#define STREAM 0x10
#define RETRY  BIT(12)
#define ABORT  BIT(13)

static struct fake_smmu f;
static gpa_t ttb0, s2ttb;
static u64 ste[8], cd[8];

/* A device's accesses: each runs again when it is resumed. */
struct access {
	struct dma_token token;
	unsigned int endpoint;
	u64 iova, len;
	u32 perm;
	enum dma_status status;
	u64 done;
	unsigned int resumed;
};
static struct access a, b;

static inline enum dma_status run(struct access *x)
{
	struct dma_space *dma = fake_smmu_dma(&f, x->endpoint);
	struct iovec iov[8];
	struct dma_use *uses[8];
	struct dma_sg sg = { .iov = iov, .uses = uses, .max = 8 };
	struct dma_access access = dma_access_to(x->iova, x->len, x->perm);

	access.partial = true;
	x->status = dma_map(dma, &access, &sg, &x->token);
	x->done = x->status == DMA_PENDING ? 0 : access.done;
	if (x->status == DMA_PENDING)
		cr_assert(zero(u32, sg.nr), "it has nothing");
	dma_unmap(dma, &sg);
	return x->status;
}

static inline void resumed(struct dma_token *token)
{
	struct access *x = container_of(token, struct access, token);

	x->resumed++;
	run(x);
}

static inline enum dma_status start(struct access *x, unsigned int endpoint, u64 iova, u32 perm)
{
	*x = (struct access){ { .resume = resumed }, endpoint, iova, 8, perm, 0, 0, 0 };
	return run(x);
}

static inline void put(void)
{
	fake_smmu_ste(&f, STREAM, ste);
	fake_smmu_cd(&f, 0, cd);
	fake_smmu_forget(&f);
}

/* Stages 1, 2 or both, all that can stalls; nothing is mapped of stage 1. */
static inline void make(const struct smmu_id *id, unsigned int config)
{
	make_afresh(&f, id);
	f.eventq_log2size = 2;
	fake_smmu_enable(&f);
	ttb0 = fake_smmu_table(&f);
	s2ttb = fake_smmu_table(&f);
	fake_smmu_cd_words(&f, cd, 1, ttb0);
	fake_smmu_ste_words(&f, ste, config, 0, 1, s2ttb);
	cd[0] |= CD0_S;
	ste[2] |= STE2_S2S;
	put();
	fake_smmu_ste(&f, STREAM + 1, ste);
	fake_smmu_forget(&f);
}

static inline void begin(void)
{
	make(NULL, 5);
}

static inline void end(void)
{
	fake_smmu_unmake(&f);
}

static inline void remake(const struct smmu_id *id, unsigned int config)
{
	end();
	make(id, config);
}

/* The STAG of the oldest event, which is a stall of @sid at @iova. */
static inline u64 stag(u32 sid, u64 iova, u64 w1, u64 ipa)
{
	u64 w[4];

	cr_assert(fake_smmu_event(&f, w));
	cr_assert(eq(u64, w[0], F_TRANSLATION | SID(sid)));
	cr_assert(eq(u64, w[1] & ~EVT1_STAG, w1 | EVT1_STALL));
	cr_assert(eq(u64, w[2], iova));
	cr_assert(eq(u64, w[3], ipa));
	return FIELD_GET(EVT1_STAG, w[1]);
}

static inline void answer(u32 sid, u64 tag, u64 action)
{
	cr_assert(fake_smmu_command(&f, RESUME | action | SID(sid), tag));
}

static inline void map(u64 iova)
{
	fake_smmu_map(&f, ttb0, iova, FAKE_SMMU_DATA, FAKE_S1_RW);
}

#endif

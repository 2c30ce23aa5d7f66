// SPDX-License-Identifier: GPL-2.0-only
/* Guest memory by address: guest_ptr() and the identity DMA space. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <unistd.h>

#include "vmm/dma.h"
#include "vmm/mem.h"

#define BASE 0x80000000ULL
#define SIZE 0x2000ULL

static u8 ram[SIZE] __attribute__((aligned(8)));
static struct guest_mem mem = { .base = BASE, .size = SIZE, .host = ram };

struct range_case {
	gpa_t gpa;
	u64 len;
	bool ok;
};

ParameterizedTestParameters(mem, only_ranges_wholly_in_ram_have_a_pointer)
{
	static struct range_case cases[] = {
		{ BASE, SIZE, true },
		{ BASE, SIZE + 1, false },
		{ BASE + SIZE - 1, 1, true },
		{ BASE + SIZE - 1, 2, false },
		{ BASE + SIZE, 0, true },
		{ BASE + SIZE, 1, false },
		{ BASE - 1, 1, false },
		{ BASE - 1, 2, false },
		{ 0, 1, false },
		{ BASE, ~0ULL, false },
		{ ~0ULL, 1, false },
		{ BASE + 1, ~0ULL, false },
	};

	return cr_make_param_array(struct range_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct range_case *c, mem, only_ranges_wholly_in_ram_have_a_pointer)
{
	void *want = c->ok ? ram + (c->gpa - BASE) : NULL;

	cr_assert(eq(ptr, guest_ptr(&mem, c->gpa, c->len), want), "%#llx+%#llx",
	          (unsigned long long)c->gpa, (unsigned long long)c->len);
}

Test(mem, copies_go_in_and_out_or_fail_whole)
{
	u32 val = 0xdeadbeef, got = 0;

	cr_assert(zero(int, guest_write(&mem, BASE + 8, &val, 4)));
	cr_assert(zero(int, guest_read(&mem, BASE + 8, &got, 4)));
	cr_assert(eq(u32, got, val));
	cr_assert(eq(int, guest_write(&mem, BASE + SIZE - 2, &val, 4), -EFAULT));
	cr_assert(eq(int, guest_read(&mem, BASE + SIZE - 2, &got, 4), -EFAULT));
	cr_assert(zero(u32, ram[SIZE - 2]));
}

static int create(struct guest_mem *m, u64 size, bool shared)
{
	return mem_create(m, &(struct mem_config){ .base = BASE, .size = size, .shared = shared });
}

Test(mem, ram_starts_zeroed_and_counts_what_is_touched)
{
	struct guest_mem m;
	u32 val = 0x5a5a5a5a, got = 1;

	for (int shared = 0; shared <= 1; shared++) {
		cr_assert(zero(int, create(&m, 8 << 20, shared)));
		cr_assert(zero(u64, (unsigned long)m.host % (2 << 20)));
		cr_assert(zero(u64, mem_resident(&m)));
		cr_assert(zero(int, guest_read(&m, BASE + 0x3ffc, &got, 4)));
		cr_assert(zero(u32, got));
		guest_write(&m, BASE + 0x1000, &val, 4);
		cr_assert(ge(u64, mem_resident(&m), 0x1000));
		cr_assert(le(u64, mem_resident(&m), 4 << 20));
		mem_destroy(&m);
	}
}

Test(mem, shared_ram_is_a_memfd)
{
	struct guest_mem m;
	u32 val = 0x5a5a5a5a, got = 0;

	cr_assert(zero(int, create(&m, 0x4000, true)));
	guest_write(&m, BASE + 0x1000, &val, 4);
	cr_assert(eq(int, pread(m.fd, &got, 4, 0x1000), 4));
	cr_assert(eq(u32, got, val));
	mem_destroy(&m);
}

Test(mem, ram_the_host_has_no_room_for_is_refused)
{
	struct guest_mem m;

	cr_assert(lt(int, create(&m, 1ULL << 62, false), 0));
}

/* Pages are taken from the pool by the mapping, not by the first touch. */
Test(mem, huge_pages_that_the_pool_does_not_have_are_refused_at_once)
{
	struct guest_mem m;
	const struct mem_config c = { .base = BASE, .size = 1ULL << 44, .huge_page = 2 << 20 };
	int err = mem_create(&m, &c);

	cr_assert(eq(int, err, -ENOMEM));
}

static struct dma_space identity(void)
{
	struct dma_space s;

	dma_identity(&s, &mem);
	return s;
}

Test(dma, an_access_becomes_host_memory)
{
	struct dma_space s = identity();
	struct iovec iov[2];
	struct dma_sg sg = { .iov = iov, .nr = 1, .max = 2 };
	struct dma_access a = dma_access_to(BASE + 0x100, 0x80, DMA_WRITE);

	cr_assert(eq(int, dma_map(&s, &a, &sg, NULL), DMA_OK));
	cr_assert(eq(u32, sg.nr, 2));
	cr_assert(eq(ptr, iov[1].iov_base, ram + 0x100));
	cr_assert(eq(sz, iov[1].iov_len, 0x80));
	cr_assert(eq(int, dma_map(&s, &a, &sg, NULL), DMA_FAULT));
	cr_assert(eq(int, a.reason, DMA_NO_ROOM));
	cr_assert(eq(u32, sg.nr, 2));
	dma_unmap(&s, &sg);
	cr_assert(zero(u32, sg.nr));
}

struct reason_case {
	u64 at;
	u32 len;
	enum dma_reason reason;
};

ParameterizedTestParameters(dma, a_fault_says_why)
{
	static struct reason_case cases[] = {
		{ BASE, 8, DMA_NO_REASON },        { BASE - 8, 8, DMA_NO_MEMORY },
		{ BASE + SIZE, 4, DMA_NO_MEMORY }, { BASE + SIZE - 4, 4, DMA_NO_REASON },
		{ BASE + 4, 8, DMA_MISALIGNED },   { BASE + 2, 2, DMA_MISALIGNED },
	};

	return cr_make_param_array(struct reason_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct reason_case *c, dma, a_fault_says_why)
{
	struct dma_space s = identity();
	struct dma_access a = dma_access_to(c->at, c->len, 0);
	const enum dma_status want = c->reason ? DMA_FAULT : DMA_OK;
	u64 old;

	a.reason = DMA_NOT_ATTACHED; /* of another access */
	cr_assert(eq(int, dma_cas(&s, &a, 0, 0, &old, NULL), want));
	cr_assert(eq(int, a.reason, c->reason));
	cr_assert(ne(ptr, (void *)dma_reason_words(a.reason), NULL));
}

Test(dma, outside_ram_faults_and_nothing_maps_nothing)
{
	struct dma_space s = identity();
	struct iovec iov[1];
	struct dma_sg sg = { .iov = iov, .max = 1 };
	struct dma_access out = dma_access_to(BASE + SIZE - 1, 2, DMA_READ);
	struct dma_access none = dma_access_to(0x10, 0, DMA_READ);

	cr_assert(eq(int, dma_map(&s, &out, &sg, NULL), DMA_FAULT));
	cr_assert(eq(int, dma_map(&s, &none, &sg, NULL), DMA_OK));
	cr_assert(zero(u32, sg.nr));
}

Test(dma, copies_and_words_reach_ram)
{
	struct dma_space s = identity();
	u64 val = 0x1122334455667788, got = 0;
	u16 word = 0;

	cr_assert(eq(int, dma_write(&s, BASE + 0x11, &val, 8, NULL), DMA_OK));
	cr_assert(eq(int, dma_read(&s, BASE + 0x11, &got, 8, NULL), DMA_OK));
	cr_assert(eq(u64, got, val));
	cr_assert(eq(int, dma_store16(&s, BASE + 0x20, 0xbeef, NULL), DMA_OK));
	cr_assert(eq(u32, ram[0x20], 0xef));
	cr_assert(eq(int, dma_load16(&s, BASE + 0x20, &word, NULL), DMA_OK));
	cr_assert(eq(u32, word, 0xbeef));
}

Test(dma, a_misaligned_word_and_what_is_not_ram_fault)
{
	struct dma_space s = identity();
	u64 val = 0;
	u16 word;

	cr_assert(eq(int, dma_load16(&s, BASE + 1, &word, NULL), DMA_FAULT));
	cr_assert(eq(int, dma_store16(&s, BASE + 1, 1, NULL), DMA_FAULT));
	cr_assert(eq(int, dma_load16(&s, BASE + SIZE, &word, NULL), DMA_FAULT));
	cr_assert(eq(int, dma_store16(&s, 0, 1, NULL), DMA_FAULT));
	cr_assert(eq(int, dma_write(&s, BASE + SIZE - 4, &val, 8, NULL), DMA_FAULT));
	cr_assert(eq(int, dma_read(&s, BASE - 8, &val, 8, NULL), DMA_FAULT));
}

/* A space where every byte is a piece of its own, as pages of an IOMMU may be. */
static enum dma_status bytes_map(struct dma_space *s, struct dma_access *a, struct dma_sg *sg,
                                 struct dma_token *token)
{
	(void)token;
	for (u64 i = 0; i < a->len; i++)
		sg->iov[sg->nr++] = (struct iovec){ ram + 0x100 - i, 1 };
	(void)s;
	return DMA_OK;
}

Test(dma, a_copy_crosses_pieces_in_order)
{
	static const struct dma_ops ops = { .map = bytes_map };
	struct dma_space s = { .ops = &ops, .mem = &mem };
	u32 val = 0x04030201, got = 0;

	cr_assert(eq(int, dma_write(&s, 0, &val, 4, NULL), DMA_OK));
	cr_assert(eq(u32, ram[0x100], 1));
	cr_assert(eq(u32, ram[0xfd], 4));
	cr_assert(eq(int, dma_read(&s, 0, &got, 4, NULL), DMA_OK));
	cr_assert(eq(u32, got, val));
}

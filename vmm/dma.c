// SPDX-License-Identifier: GPL-2.0-only
/* The identity DMA space, and the copies and words that every space is used through. */
#include "vmm/dma.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/mem.h"

const char *dma_reason_words(enum dma_reason reason)
{
	static const char *const words[] = {
		[DMA_NO_REASON] = "no fault",      [DMA_NOT_ATTACHED] = "not attached",
		[DMA_NOT_MAPPED] = "not mapped",   [DMA_NOT_PERMITTED] = "not permitted",
		[DMA_NO_MEMORY] = "no memory",     [DMA_NO_ROOM] = "in too many pieces",
		[DMA_MISALIGNED] = "misaligned",   [DMA_UNSUPPORTED] = "unsupported request",
		[DMA_ABORTED] = "completer abort", [DMA_NO_TRANSLATION] = "no cached translation",
	};

	return words[reason];
}

static enum dma_status fail(struct dma_access *a, enum dma_reason reason)
{
	a->reason = reason;
	return DMA_FAULT;
}

static enum dma_status identity_map(struct dma_space *s, struct dma_access *a, struct dma_sg *sg,
                                    struct dma_token *token)
{
	u64 offset = a->iova - s->mem->base, room = s->mem->size - offset;
	bool all;

	(void)token;
	a->done = 0;
	a->reason = DMA_NO_REASON;
	if (!a->len)
		return DMA_OK;
	if (offset >= s->mem->size)
		return fail(a, DMA_NO_MEMORY);
	if (sg->nr == sg->max)
		return a->partial ? DMA_OK : fail(a, DMA_NO_ROOM);
	all = a->len <= room;
	a->done = all ? a->len : room;
	if (!all && !a->partial)
		return fail(a, DMA_NO_MEMORY);
	if (sg->uses)
		sg->uses[sg->nr] = NULL;
	sg->iov[sg->nr++] = (struct iovec){ s->mem->host + offset, a->done };
	return all ? DMA_OK : fail(a, DMA_NO_MEMORY);
}

static enum dma_status identity_doorbell(struct dma_space *s, u64 iova, gpa_t *gpa, bool look)
{
	(void)s, (void)look;
	*gpa = iova;
	return DMA_OK;
}

static const struct dma_ops identity_ops = {
	.map = identity_map,
	.doorbell = identity_doorbell,
};

void dma_identity(struct dma_space *s, const struct guest_mem *mem)
{
	*s = (struct dma_space){ .ops = &identity_ops, .mem = mem };
}

static void woken(struct dma_wait *wait)
{
	if (wait && !--wait->left)
		wait->done(wait);
}

void dma_use_put(struct dma_use *u)
{
	struct dma_wait *wait = u->wait;

	if (--u->users || !u->gone)
		return;
	free(u);
	woken(wait);
}

void dma_use_end(struct dma_use *u, struct dma_wait *wait)
{
	u->gone = true;
	if (!u->users) {
		free(u);
		return;
	}
	u->wait = wait;
	if (wait)
		wait->left++;
}

void dma_unmap(struct dma_space *s, struct dma_sg *sg)
{
	(void)s;
	for (unsigned int i = 0; i < sg->nr && sg->uses; i++)
		if (sg->uses[i])
			dma_use_put(sg->uses[i]);
	if (sg->attachment)
		dma_use_put(sg->attachment);
	sg->attachment = NULL;
	sg->nr = 0;
}

/* Copies between @buf and the pieces of @sg, as its reader or writer. */
static void copy(const struct dma_sg *sg, void *to, const void *from)
{
	for (unsigned int i = 0; i < sg->nr; i++) {
		const struct iovec *v = &sg->iov[i];

		if (to)
			to = (char *)memcpy(to, v->iov_base, v->iov_len) + v->iov_len;
		else
			from = (const char *)from +
			       (memcpy(v->iov_base, from, v->iov_len), v->iov_len);
	}
}

static enum dma_status transfer(struct dma_space *s, struct dma_access *a, void *to,
                                const void *from, struct dma_token *token)
{
	struct iovec iov[DMA_COPY_SEGMENTS];
	struct dma_sg sg = { .iov = iov, .max = ARRAY_SIZE(iov) };
	enum dma_status status = dma_map(s, a, &sg, token);

	if (status != DMA_OK)
		return status;
	copy(&sg, to, from);
	dma_unmap(s, &sg);
	return DMA_OK;
}

enum dma_status dma_read(struct dma_space *s, u64 iova, void *to, u64 len, struct dma_token *token)
{
	struct dma_access a = dma_access_to(iova, len, DMA_READ);

	return transfer(s, &a, to, NULL, token);
}

enum dma_status dma_write(struct dma_space *s, u64 iova, const void *from, u64 len,
                          struct dma_token *token)
{
	struct dma_access a = dma_access_to(iova, len, DMA_WRITE);

	return transfer(s, &a, NULL, from, token);
}

/* What CPUs access at once is aligned there too: an IOMMU whose granule is a byte need not see to
 * it. */
static enum dma_status map_aligned(struct dma_space *s, struct dma_access *a, struct dma_sg *sg,
                                   struct dma_token *token)
{
	enum dma_status status;

	if (a->iova % a->len)
		return fail(a, DMA_MISALIGNED);
	status = dma_map(s, a, sg, token);
	if (status != DMA_OK || !((uintptr_t)sg->iov[0].iov_base % a->len))
		return status;
	dma_unmap(s, sg);
	a->done = 0;
	return fail(a, DMA_MISALIGNED);
}

/* The one host word behind @iova. */
static enum dma_status map_word(struct dma_space *s, u64 iova, u64 size, enum dma_perm perm,
                                struct dma_sg *sg, struct dma_token *token)
{
	struct dma_access a = dma_access_to(iova, size, perm);

	return map_aligned(s, &a, sg, token);
}

enum dma_status dma_load16(struct dma_space *s, u64 iova, u16 *val, struct dma_token *token)
{
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	enum dma_status status = map_word(s, iova, sizeof(*val), DMA_READ, &sg, token);

	if (status != DMA_OK)
		return status;
	*val = le16toh(__atomic_load_n((u16 *)iov.iov_base, __ATOMIC_ACQUIRE));
	dma_unmap(s, &sg);
	return DMA_OK;
}

enum dma_status dma_load64(struct dma_space *s, u64 iova, u64 *val, struct dma_token *token)
{
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	enum dma_status status = map_word(s, iova, sizeof(*val), DMA_READ, &sg, token);

	if (status != DMA_OK)
		return status;
	*val = __atomic_load_n((u64 *)iov.iov_base, __ATOMIC_ACQUIRE);
	dma_unmap(s, &sg);
	return DMA_OK;
}

enum dma_status dma_store16(struct dma_space *s, u64 iova, u16 val, struct dma_token *token)
{
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	enum dma_status status = map_word(s, iova, sizeof(val), DMA_WRITE, &sg, token);

	if (status != DMA_OK)
		return status;
	__atomic_store_n((u16 *)iov.iov_base, htole16(val), __ATOMIC_RELEASE);
	dma_unmap(s, &sg);
	return DMA_OK;
}

static u64 cas32(u32 *at, u64 expected, u64 desired)
{
	u32 old = htole32(expected);

	__atomic_compare_exchange_n(at, &old, htole32(desired), false, __ATOMIC_SEQ_CST,
	                            __ATOMIC_SEQ_CST);
	return le32toh(old);
}

static u64 cas64(u64 *at, u64 expected, u64 desired)
{
	u64 old = htole64(expected);

	__atomic_compare_exchange_n(at, &old, htole64(desired), false, __ATOMIC_SEQ_CST,
	                            __ATOMIC_SEQ_CST);
	return le64toh(old);
}

enum dma_status dma_cas(struct dma_space *s, struct dma_access *a, u64 expected, u64 desired,
                        u64 *old, struct dma_token *token)
{
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	enum dma_status status;

	a->perm = DMA_READ | DMA_WRITE;
	a->done = 0;
	if (a->len != 4 && a->len != 8)
		return fail(a, DMA_MISALIGNED);
	status = map_aligned(s, a, &sg, token);
	if (status != DMA_OK)
		return status;
	*old = a->len == 4 ? cas32(iov.iov_base, expected, desired)
	                   : cas64(iov.iov_base, expected, desired);
	dma_unmap(s, &sg);
	return DMA_OK;
}

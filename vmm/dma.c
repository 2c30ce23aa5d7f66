// SPDX-License-Identifier: GPL-2.0-only
/* The identity DMA space, and the copies and words that every space is used through. */
#include "vmm/dma.h"

#include <endian.h>
#include <string.h>

#include "vmm/mem.h"

static enum dma_status identity_map(struct dma_space *s, const struct dma_access *a,
                                    struct dma_sg *sg, struct dma_token *token)
{
	void *host = guest_ptr(s->mem, a->iova, a->len);

	(void)token;
	if (!a->len)
		return DMA_OK;
	if (!host || sg->nr == sg->max)
		return DMA_FAULT;
	sg->iov[sg->nr++] = (struct iovec){ .iov_base = host, .iov_len = a->len };
	return DMA_OK;
}

static void identity_unmap(struct dma_space *s, struct dma_sg *sg)
{
	(void)s;
	sg->nr = 0;
}

static const struct dma_ops identity_ops = {
	.map = identity_map,
	.unmap = identity_unmap,
};

void dma_identity(struct dma_space *s, const struct guest_mem *mem)
{
	*s = (struct dma_space){ .ops = &identity_ops, .mem = mem };
}

enum dma_status dma_read(struct dma_space *s, u64 iova, void *to, u64 len, struct dma_token *token)
{
	struct iovec iov[DMA_COPY_SEGMENTS];
	struct dma_sg sg = { .iov = iov, .max = ARRAY_SIZE(iov) };
	struct dma_access a = { iova, len, DMA_READ, DMA_NO_PASID };
	enum dma_status status = dma_map(s, &a, &sg, token);

	if (status != DMA_OK)
		return status;
	for (unsigned int i = 0; i < sg.nr; i++) {
		memcpy(to, iov[i].iov_base, iov[i].iov_len);
		to = (char *)to + iov[i].iov_len;
	}
	dma_unmap(s, &sg);
	return DMA_OK;
}

enum dma_status dma_write(struct dma_space *s, u64 iova, const void *from, u64 len,
                          struct dma_token *token)
{
	struct iovec iov[DMA_COPY_SEGMENTS];
	struct dma_sg sg = { .iov = iov, .max = ARRAY_SIZE(iov) };
	struct dma_access a = { iova, len, DMA_WRITE, DMA_NO_PASID };
	enum dma_status status = dma_map(s, &a, &sg, token);

	if (status != DMA_OK)
		return status;
	for (unsigned int i = 0; i < sg.nr; i++) {
		memcpy(iov[i].iov_base, from, iov[i].iov_len);
		from = (const char *)from + iov[i].iov_len;
	}
	dma_unmap(s, &sg);
	return DMA_OK;
}

/* The one host word behind @iova; an aligned word never straddles a page. */
static enum dma_status map_word(struct dma_space *s, u64 iova, enum dma_perm perm,
                                struct dma_sg *sg, struct dma_token *token)
{
	struct dma_access a = { iova, sizeof(u16), perm, DMA_NO_PASID };

	if (iova % sizeof(u16))
		return DMA_FAULT;
	return dma_map(s, &a, sg, token);
}

enum dma_status dma_load16(struct dma_space *s, u64 iova, u16 *val, struct dma_token *token)
{
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	enum dma_status status = map_word(s, iova, DMA_READ, &sg, token);

	if (status != DMA_OK)
		return status;
	*val = le16toh(__atomic_load_n((u16 *)iov.iov_base, __ATOMIC_ACQUIRE));
	dma_unmap(s, &sg);
	return DMA_OK;
}

enum dma_status dma_store16(struct dma_space *s, u64 iova, u16 val, struct dma_token *token)
{
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	enum dma_status status = map_word(s, iova, DMA_WRITE, &sg, token);

	if (status != DMA_OK)
		return status;
	__atomic_store_n((u16 *)iov.iov_base, htole16(val), __ATOMIC_RELEASE);
	dma_unmap(s, &sg);
	return DMA_OK;
}

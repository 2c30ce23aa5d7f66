/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_DMA_H
#define VMM_DMA_H

#include <sys/uio.h>

#include "vmm/types.h"

struct guest_mem;

/*
 * How a device reaches memory. Identity here; a vIOMMU supplies another, and a
 * device never sees which. Every function is called under the device lock.
 *
 * An operation ends OK, FAULT (nothing behind that address, or not with that
 * permission) or PENDING: the access is stalled, the device gives its request
 * up without side effects and runs it again when @token is resumed.
 */
enum dma_status { DMA_OK, DMA_FAULT, DMA_PENDING };

/* What the device does to memory. */
enum dma_perm { DMA_READ = 1, DMA_WRITE = 2 };

#define DMA_NO_PASID (~0u)

struct dma_access {
	u64 iova;
	u64 len; /* bytes; 0 is OK and maps nothing */
	enum dma_perm perm;
	u32 pasid; /* or DMA_NO_PASID */
};

/* Owned by the device, one for each thing that can wait; resume is called under the lock. */
struct dma_token {
	void (*resume)(struct dma_token *token);
	struct dma_token *next;
};

/* Host memory a device may touch until dma_unmap(): map appends up to @max entries. */
struct dma_sg {
	struct iovec *iov;
	unsigned int nr, max;
};

struct dma_space;

struct dma_ops {
	enum dma_status (*map)(struct dma_space *s, const struct dma_access *a, struct dma_sg *sg,
	                       struct dma_token *token);
	void (*unmap)(struct dma_space *s, struct dma_sg *sg);
};

struct dma_space {
	const struct dma_ops *ops;
	const struct guest_mem *mem;
};

/* IOVA is GPA; whatever is not RAM faults. */
void dma_identity(struct dma_space *s, const struct guest_mem *mem);

/*
 * Appends the access to @sg. FAULT also where @sg has no room left: the caller
 * sized it for what its specification allows. On FAULT or PENDING @sg is as it was.
 */
static inline enum dma_status dma_map(struct dma_space *s, const struct dma_access *a,
                                      struct dma_sg *sg, struct dma_token *token)
{
	return s->ops->map(s, a, sg, token);
}

/* Ends the use of all that @sg maps; an UNMAP or a sync that took it away can then complete. */
static inline void dma_unmap(struct dma_space *s, struct dma_sg *sg)
{
	s->ops->unmap(s, sg);
}

/* A private copy of @len bytes, at most DMA_COPY_SEGMENTS pieces. Without PASID, as are the rest.
 */
#define DMA_COPY_SEGMENTS 16
enum dma_status dma_read(struct dma_space *s, u64 iova, void *to, u64 len, struct dma_token *token);
enum dma_status dma_write(struct dma_space *s, u64 iova, const void *from, u64 len,
                          struct dma_token *token);

/*
 * A naturally aligned little-endian 16-bit word that the guest's CPUs look at
 * too: one access, acquire on load, release on store. Misaligned: FAULT.
 */
enum dma_status dma_load16(struct dma_space *s, u64 iova, u16 *val, struct dma_token *token);
enum dma_status dma_store16(struct dma_space *s, u64 iova, u16 val, struct dma_token *token);

#endif

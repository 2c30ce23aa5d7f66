// SPDX-License-Identifier: GPL-2.0-only
/* The DMA endpoint's transfers: a piece of memory is mapped, moved through the device, let go. */
#include "devices/dma_test_private.h"

#include <assert.h>
#include <endian.h>
#include <string.h>
#include <zlib.h>

/* splitmix64, by number: any part of the pattern can be made alone. */
static u64 pattern_word(u64 seed, u64 nr)
{
	u64 z = seed + (nr + 1) * 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return htole64(z ^ z >> 31);
}

void dt_from_pattern(struct dt_job *job, u64 len)
{
	u8 *to = job->d->piece;
	u64 at = job->done, n;

	for (; len; len -= n, at += n, to += n) {
		u64 word = pattern_word(job->arg[0], at / 8);
		u64 skip = at % 8;

		n = len < 8 - skip ? len : 8 - skip;
		memcpy(to, (u8 *)&word + skip, n);
	}
}

/* So many of @len bytes are in one run of the buffer, at *@at. */
static u64 buffer_run(struct dt_job *job, u64 from, u64 len, u8 **at)
{
	u64 offset = (job->arg[0] + from) % DT_BUFFER;

	*at = job->d->buffer + offset;
	return len < DT_BUFFER - offset ? len : DT_BUFFER - offset;
}

void dt_from_buffer(struct dt_job *job, u64 len)
{
	u8 *at;

	for (u64 i = 0, n; i < len; i += n) {
		n = buffer_run(job, job->done + i, len - i, &at);
		memcpy(job->d->piece + i, at, n);
	}
}

void dt_to_buffer(struct dt_job *job, u64 len)
{
	u8 *at;

	for (u64 i = 0, n; i < len; i += n) {
		n = buffer_run(job, job->done + i, len - i, &at);
		memcpy(at, job->d->piece + i, n);
	}
}

void dt_to_nowhere(struct dt_job *job, u64 len)
{
	(void)job, (void)len;
}

static void from_memory(struct dt_job *job, u64 len)
{
	const struct iovec *v = job->room[0].iov;

	for (u64 i = 0, n; i < len; i += n, v++) {
		n = v->iov_len < len - i ? v->iov_len : len - i;
		memcpy(job->d->piece + i, v->iov_base, n);
	}
}

static void to_memory(struct dt_job *job, u64 len)
{
	const struct iovec *v = job->room[job->op->perm[1] ? 1 : 0].iov;

	for (u64 i = 0, n; i < len; i += n, v++) {
		n = v->iov_len < len - i ? v->iov_len : len - i;
		memcpy(v->iov_base, job->d->piece + i, n);
	}
}

void dt_unmap(struct dt_job *job)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(job->side); i++)
		dma_unmap(job->d->func.dma, &job->side[i].sg);
	dt_atc_answer(job->d);
}

/* By what is cached, translation by translation: nothing of it stalls. */
static enum dma_status map_translated(struct dt_job *job, struct dma_access *a, struct dma_sg *sg)
{
	enum dma_status status = DMA_OK;

	a->done = 0;
	while (a->done < a->len && sg->nr < sg->max && status == DMA_OK) {
		struct dma_access part = *a;
		u64 len;

		part.iova += a->done;
		part.len -= a->done;
		status = DMA_FAULT;
		if (dt_atc_find(job->d, &part, &len)) {
			part.len = len;
			status = dma_map(job->d->func.dma, &part, sg, NULL);
			a->done += part.done;
		}
		a->reason = part.reason;
	}
	return status;
}

static enum dma_status map_side(struct dt_job *job, unsigned int i, u64 len)
{
	struct dt_side *side = &job->side[i];
	struct dma_access a = {
		.iova = job->iova[i] + job->done,
		.len = len,
		.perm = job->op->perm[i] | (i ? 0 : job->flags & DT_PERM),
		.pasid = dt_pasid(job),
		.partial = true,
	};
	enum dma_status status;

	side->sg = (struct dma_sg){ .iov = job->room[i].iov, .max = DT_SEGMENTS };
	if (job->flags & DT_HELD)
		side->sg.uses = job->room[i].uses;
	status = job->flags & DT_TRANSLATED ? map_translated(job, &a, &side->sg)
	                                    : dma_map(job->d->func.dma, &a, &side->sg, &job->token);
	side->mapped = a.done;
	side->fault = status == DMA_FAULT ? a.reason : DMA_NO_REASON;
	assert(status == DMA_FAULT ? a.reason : status == DMA_PENDING || a.done || !len);
	return status;
}

/* So many bytes of it are in memory that is mapped, on both sides. */
static u64 common(const struct dt_job *job)
{
	u64 len = job->side[0].mapped;

	return job->op->perm[1] && job->side[1].mapped < len ? job->side[1].mapped : len;
}

/* False: stalled, and nothing is mapped. Of the second range, only what is mapped of the first. */
static bool map(struct dt_job *job)
{
	u64 len = job->len - job->done;
	enum dma_status status = map_side(job, 0, len < DT_PIECE ? len : DT_PIECE);

	if (status != DMA_PENDING && job->op->perm[1])
		status = map_side(job, 1, job->side[0].mapped);
	if (status != DMA_PENDING)
		return true;
	dt_unmap(job);
	dt_set_state(job, DT_STALLED);
	return false;
}

/* Why one side's access to the byte behind what was moved failed; and which: 0 or 1. */
static enum dma_reason look_for_fault(const struct dt_job *job, u64 len, unsigned int *side)
{
	for (*side = job->op->perm[1] ? 1 : 0;; --*side)
		if (job->side[*side].fault && job->side[*side].mapped == len)
			return job->side[*side].fault;
		else if (!*side)
			return DMA_NO_REASON;
}

void dt_move(struct dt_job *job)
{
	const struct dt_op *op = job->op;
	const u64 len = common(job);
	enum dma_reason reason;
	unsigned int side;

	(op->produce ? op->produce : from_memory)(job, len);
	job->crc = crc32(job->crc, job->d->piece, len);
	(op->consume ? op->consume : to_memory)(job, len);
	dt_unmap(job);
	job->done += len;
	dt_set_state(job, DT_RUNNING);
	reason = look_for_fault(job, len, &side);
	if (reason)
		dt_fault(job, side, job->done, reason);
	else if (job->done == job->len)
		dt_end(job, DT_DONE);
}

void dt_transfer(struct dt_job *job)
{
	if (!map(job))
		return;
	if (job->flags & DT_HELD && common(job))
		dt_set_state(job, DT_IS_HELD);
	else
		dt_move(job);
}

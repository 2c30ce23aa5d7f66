// SPDX-License-Identifier: GPL-2.0-only
/* The DMA endpoint's BAR 1: what it is, its cached translations, its slots, its buffer. */
#include "devices/dma_test_private.h"

#include <endian.h>
#include <string.h>

#define CACHED_OFFSET 0x100
#define CACHED_SIZE   0x20
#define SLOTS_OFFSET  0x1000
#define SLOT_SIZE     0x80
#define BUFFER_OFFSET 0x2000

/* W1C. */
static void ended_written(void *dev, u64 old)
{
	struct dma_test *d = dev;

	d->ended = old & ~(u64)d->ended;
}

static void control_written(void *slot, u64 old)
{
	struct dt_job *job = slot;
	const u32 control = job->control;

	(void)old;
	job->control = 0;
	if (control & DT_ABORT)
		dt_abort(job);
	if (control & DT_RELEASE)
		dt_release(job);
	if (control & DT_START && !dt_is_busy(job))
		dt_start(job);
}

#define REG(type, off, member, ...)                                                     \
	{                                                                               \
		.name = #member, .offset = off, .field = offsetof(struct type, member), \
		.size = sizeof(((struct type *)0)->member), __VA_ARGS__                 \
	}
#define WRITABLE .writable = ~0ULL
#define IDLE     .guard = 1, WRITABLE /* lost while the slot is busy */

static const struct reg device_regs[] = {
	REG(dma_test, 0x00, id),
	REG(dma_test, 0x04, version),
	REG(dma_test, 0x08, nr_slots),
	REG(dma_test, 0x0c, buffer_size),
	REG(dma_test, 0x10, caps),
	REG(dma_test, 0x14, ended, WRITABLE, .written = ended_written),
	REG(dma_test, 0x18, seed, WRITABLE),
	REG(dma_test, 0x20, func.ats.outstanding),
	REG(dma_test, 0x24, invalidations),
};
static const struct reg_bank device_bank = {
	.regs = device_regs,
	.nr = ARRAY_SIZE(device_regs),
};

static const struct reg cached_regs[] = {
	REG(dt_cached, 0x00, iova),  REG(dt_cached, 0x08, len),  REG(dt_cached, 0x10, gpa),
	REG(dt_cached, 0x18, pasid), REG(dt_cached, 0x1c, perm),
};
static const struct reg_bank cached_bank = {
	.regs = cached_regs,
	.nr = ARRAY_SIZE(cached_regs),
};

static const struct reg slot_regs[] = {
	REG(dt_job, 0x00, opcode, IDLE),
	REG(dt_job, 0x04, flags, IDLE),
	REG(dt_job, 0x08, iova[0], IDLE),
	REG(dt_job, 0x10, iova[1], IDLE),
	REG(dt_job, 0x18, len, IDLE),
	REG(dt_job, 0x20, pasid, IDLE),
	REG(dt_job, 0x24, vector, IDLE),
	REG(dt_job, 0x28, arg[0], IDLE),
	REG(dt_job, 0x30, arg[1], IDLE),
	REG(dt_job, 0x38, control, WRITABLE, .written = control_written),
	REG(dt_job, 0x3c, status),
	REG(dt_job, 0x40, done),
	REG(dt_job, 0x48, fault),
	REG(dt_job, 0x50, result[0]),
	REG(dt_job, 0x58, result[1]),
	REG(dt_job, 0x60, result_perm),
	REG(dt_job, 0x64, reason),
};
static bool slot_guarded(const void *slot, u32 guard)
{
	(void)guard;
	return dt_is_busy(slot);
}
static const struct reg_bank slot_bank = {
	.regs = slot_regs,
	.nr = ARRAY_SIZE(slot_regs),
	.guarded = slot_guarded,
};

static void slot_ended(struct dt_job *job)
{
	struct dma_test *d = job->d;

	d->ended |= BIT(job - d->slots);
	if (job->flags & DT_INTERRUPT && pci_msix_enabled(&d->func))
		pci_msix_raise(&d->func, job->vector);
}

/* One that no driver has looked at is all zeroes, and takes no memory. */
static struct dt_job *slot_of(struct dma_test *d, unsigned int i)
{
	if (!d->slots[i].d)
		dt_job_init(d, i, slot_ended);
	return &d->slots[i];
}

/* Which registers are there, of what; *@offset: in them. NULL: none. */
static const struct reg_bank *find_bank(struct dma_test *d, u64 *offset, void **of)
{
	const u64 cached = *offset - CACHED_OFFSET, slot = *offset - SLOTS_OFFSET;

	if (cached < DT_CACHED * CACHED_SIZE) {
		*of = &d->cached[cached / CACHED_SIZE];
		*offset = cached % CACHED_SIZE;
		return &cached_bank;
	}
	if (slot < DT_SLOTS * SLOT_SIZE) {
		*of = slot_of(d, slot / SLOT_SIZE);
		*offset = slot % SLOT_SIZE;
		return &slot_bank;
	}
	*of = d;
	return &device_bank;
}

static u64 regs_read(void *dev, u64 offset, unsigned int size)
{
	struct dma_test *d = dev;
	const u64 at = offset - BUFFER_OFFSET;
	const struct reg_bank *bank;
	u64 val = 0;
	void *of;

	if (at < DT_BUFFER) {
		memcpy(&val, d->buffer + at, size);
		return le64toh(val);
	}
	bank = find_bank(d, &offset, &of);
	return reg_read(bank, of, offset, size);
}

static void regs_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	struct dma_test *d = dev;
	const u64 at = offset - BUFFER_OFFSET;
	const struct reg_bank *bank;
	void *of;

	if (at < DT_BUFFER) {
		val = htole64(val);
		memcpy(d->buffer + at, &val, size);
		return;
	}
	bank = find_bank(d, &offset, &of);
	reg_write(bank, of, offset, size, val);
}

const struct mmio_ops dt_regs_ops = {
	.name = "dma-test",
	.read = regs_read,
	.write = regs_write,
};

static void clear_slot(struct dt_job *job)
{
	job->opcode = job->flags = job->pasid = job->vector = job->result_perm = 0;
	job->iova[0] = job->iova[1] = job->len = job->arg[0] = job->arg[1] = 0;
	job->done = job->fault = job->result[0] = job->result[1] = 0;
	job->reason = DMA_NO_REASON;
}

/* What was ended by it says so, and how far it had come. */
void dt_regs_reset(struct dma_test *d)
{
	for (unsigned int i = 0; i < DT_SLOTS; i++) {
		struct dt_job *job = &d->slots[i];
		const u64 done = job->done;
		const bool busy = dt_is_busy(job);

		job->flags = 0; /* it ends without an interrupt */
		dt_abort(job);
		clear_slot(job);
		if (busy)
			job->done = done;
		else
			job->status = 0;
	}
	d->ended = 0;
	d->seed = 0;
}

void dt_regs_init(struct dma_test *d)
{
	const struct dma_test_config *c = &d->config;

	d->id = 0x54414d44; /* "DMAT" */
	d->version = 1;
	d->nr_slots = DT_SLOTS;
	d->buffer_size = DT_BUFFER;
	d->caps = c->ats | c->pri << 1 | c->pasid_bits << 8;
}

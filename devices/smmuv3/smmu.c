// SPDX-License-Identifier: GPL-2.0-only
/* An SMMUv3: made and unmade, its endpoints, what it counts. */
#include <errno.h>
#include <stdlib.h>

#include "devices/smmuv3/private.h"

unsigned int smmu_queue_log2size(u64 base, u32 largest)
{
	const unsigned int n = FIELD_GET(QUEUE_LOG2SIZE, base);

	return n < largest ? n : largest;
}

gpa_t smmu_queue_entry(const struct smmu *s, u64 base, unsigned int log2size, u32 index,
                       unsigned int entry)
{
	const u64 size = (u64)entry << log2size;
	const gpa_t at = ALIGN_DOWN(base & QUEUE_ADDR, size > 32 ? size : 32);

	return smmu_pa(s, at) + (index & (BIT(log2size) - 1)) * entry;
}

int smmu_create(struct smmu **smmu, struct vm *vm, const struct smmu_config *c)
{
	struct smmu *s = calloc(1, sizeof(*s));
	const struct mmio_region region = {
		.base = c->base, .size = SMMU_SIZE, .ops = &smmu_mmio_ops, .dev = s
	};
	int err;

	if (!s)
		return -ENOMEM;
	s->vm = vm;
	s->config = *c;
	s->physical = &vm->dma;
	s->oas = smmu_address_bits(FIELD_GET(IDR5_OAS, c->id.idr[5]));
	smmu_regs_reset(s);
	smmu_tlb_init(&s->tlb);
	smmu_commands_init(s);
	smmu_stalls_init(s);
	smmu_poll_init(s);
	smmu_inject_init(s);
	smmu_atc_init(s);
	err = mmio_add(&vm->mmio, &region);
	if (err) {
		free(s);
		return err;
	}
	if (c->backend)
		c->backend->smmu = s;
	*smmu = s;
	return 0;
}

void smmu_destroy(struct smmu *s)
{
	struct smmu_endpoint *e;

	smmu_poll_end(s);
	smmu_stalls_init(s); /* nobody is there any more who would run anything */
	s->cr0ack = 0;       /* nothing runs on when the last transfers end */
	smmu_tlb_clear(s);
	smmu_config_clear(s);
	while ((e = s->endpoints)) {
		s->endpoints = e->next;
		free(e);
	}
	free(s);
}

int smmu_add_endpoint(struct smmu *s, struct smmu_endpoint **endpoint)
{
	struct smmu_endpoint *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->dma = (struct dma_space){ .ops = &smmu_endpoint_ops,
		                     .mem = s->physical->mem,
		                     .translated = true };
	e->smmu = s;
	fault_port_init(&e->port, &e->dma, &e->patience);
	e->port.see = smmu_see_group;
	smmu_patience_init(e);
	e->next = s->endpoints;
	s->endpoints = e;
	*endpoint = e;
	return 0;
}

struct dma_space *smmu_endpoint_dma(struct smmu_endpoint *e)
{
	return &e->dma;
}

void smmu_identify(struct smmu_endpoint *e, u32 (*sid)(const void *ctx), const void *ctx)
{
	e->sid = sid;
	e->ctx = ctx;
}

/* Without a device it may have no requester any more, either: nobody is asked for its StreamID. */
struct smmu_endpoint *smmu_find_device(const struct smmu *s, u32 sid)
{
	struct smmu_endpoint *e = s->endpoints;

	while (e && !(e->dma.device && e->sid && e->sid(e->ctx) == sid))
		e = e->next;
	return e;
}

void smmu_count(const struct smmu *s, struct smmu_counts *c)
{
	*c = s->counts;
	c->cached = s->tlb.nr;
	c->waiting = smmu_stalls_waiting(s);
	for (const struct smmu_endpoint *e = s->endpoints; e; e = e->next) {
		c->faults += e->faults;
		fault_count(&e->port, &c->pages);
	}
}

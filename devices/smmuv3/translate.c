// SPDX-License-Identifier: GPL-2.0-only
/* A transaction through the SMMU (Arm IHI 0070, chapter 15): configuration, TLB, walks of both
 * stages, what is reported if it ends there. */
#include <assert.h>

#include "devices/smmuv3/transaction.h"

/* 7.2: a walk's fault, as an event of stage 1. */
void smmu_fault_event(const struct pgtable_walk *w, struct smmu_event *e)
{
	static const enum smmu_event_id ids[] = {
		[PGTABLE_TRANSLATION] = F_TRANSLATION, [PGTABLE_ADDRESS_SIZE] = F_ADDR_SIZE,
		[PGTABLE_ACCESS_FLAG] = F_ACCESS,      [PGTABLE_PERMISSION] = F_PERMISSION,
		[PGTABLE_ABORT] = F_WALK_EABT,
	};

	e->id = ids[w->fault];
	e->s2 = false;
	e->class = w->fault == PGTABLE_ABORT ? CLASS_TT : CLASS_IN;
	e->ipa = w->fault == PGTABLE_ABORT ? w->entry_addr : 0;
}

static enum dma_reason reason_of(enum smmu_event_id id)
{
	switch (id) {
	case F_TRANSLATION:
	case F_ADDR_SIZE:
	case F_WALK_EABT: return DMA_NOT_MAPPED;
	case F_ACCESS:
	case F_PERMISSION: return DMA_NOT_PERMITTED;
	default: return DMA_NOT_ATTACHED;
	}
}

/* 13.1.1: of an atomic access RnW is 0, but where it may write and not read. */
static bool read_not_write(u32 perm, enum smmu_event_id id, u32 allowed)
{
	if (!(perm & DMA_WRITE))
		return true;
	return id == F_PERMISSION && perm & DMA_READ && allowed & DMA_WRITE;
}

/* What a debug walk comes to, if it is no address. */
static void say_event(const struct smmu_transaction *t, bool record)
{
	u64 w[4];

	smmu_event_encode(&t->event, w);
	smmu_see_event(t->smmu, w, record ? "aborts; event" : "aborts; not recorded");
}

/* 4.7.1: it stalled, and was ended: with an abort, and (3.12.2.2) no other record, whatever else
 * would be wrong with it by now. */
static enum dma_status terminated(struct smmu_transaction *t, struct dma_access *a)
{
	t->token->refused = false;
	t->endpoint->faults++;
	a->reason = DMA_NOT_MAPPED;
	return DMA_FAULT;
}

enum dma_status smmu_fails(struct smmu_transaction *t, struct dma_access *a, bool record,
                           u32 allowed)
{
	struct smmu_event *e = &t->event;
	const bool stalls = e->stalls && t->token;

	if (t->request) {
		t->allowed = e->id == F_PERMISSION ? allowed : 0;
		return DMA_FAULT;
	}
	a->reason = reason_of(e->id);
	e->addr = a->iova + a->done;
	e->rnw = read_not_write(t->perm, e->id, allowed);
	e->ind = e->rnw && t->perm & DMA_EXEC;
	e->pnu = t->privileged;
	if (smmu_refused(t->token, a))
		return terminated(t, a);
	if (stalls)
		return smmu_stall(t->endpoint, a, e, t->token);
	if (a->silent)
		return DMA_FAULT;
	t->endpoint->faults++;
	if (t->look)
		say_event(t, record || e->stalls);
	else if (record || e->stalls)
		smmu_record(t->smmu, e);
	return DMA_FAULT;
}

enum dma_status smmu_aborts(struct smmu_transaction *t, struct dma_access *a)
{
	if (t->look)
		smmu_say(t->smmu, "aborts, without an event");
	t->endpoint->faults += !a->silent;
	a->reason = DMA_NOT_ATTACHED;
	return DMA_FAULT;
}

/*
 * 5.2, PRIVCFG and INSTCFG: what they override. A write is data; an instruction fetch is a read
 * that needs nothing but to be executable.
 */
void smmu_attributes(struct smmu_transaction *t, u8 privcfg, u8 instcfg)
{
	t->privileged = privcfg == CFG_YES || (privcfg < CFG_NO && t->privileged);
	if (t->perm & DMA_WRITE)
		t->perm &= ~(u32)DMA_EXEC;
	else if (instcfg == CFG_YES || (instcfg < CFG_NO && t->perm & DMA_EXEC))
		t->perm = DMA_EXEC;
	else
		t->perm = DMA_READ;
}

/* Which configuration it has. */
static enum dma_status begin(struct smmu_transaction *t, struct dma_access *a)
{
	struct smmu *s = t->smmu;
	struct smmu_endpoint *e = t->endpoint;
	enum smmu_fetch got;

	s->counts.accesses++;
	t->perm = a->perm;
	t->privileged = a->privileged;
	if (s->injected.failed)
		return smmu_aborts(t, a);
	if (a->translated)
		return smmu_translated(t, a);
	if (!(s->cr0ack & CR0_SMMUEN))
		return s->gbpa & GBPA_ABORT ? smmu_aborts(t, a) : DMA_OK;
	if (!e->sid)
		return smmu_aborts(t, a);
	t->event = (struct smmu_event){ .sid = e->sid(e->ctx), .ssid = a->pasid };
	t->config = t->look;
	got = t->look ? smmu_config_fetch(s, t->look, &t->event)
	              : smmu_config(s, e, t->event.sid, a->pasid, &t->config, &t->event);
	if (got != FETCHED) {
		smmu_attributes(t, t->event.privcfg, t->event.instcfg);
		return smmu_fails(t, a, got == FETCH_EVENT, 0);
	}
	if (t->config->abort)
		return smmu_aborts(t, a);
	t->event.merges = t->config->merges;
	smmu_attributes(t, t->config->privcfg, t->config->instcfg);
	return DMA_OK;
}

/* Input addresses that TBI ignores the top byte of, are one: as bit 55 extended. */
static u64 canonical(const struct smmu_config_entry *c, u64 addr)
{
	const bool upper = addr & BIT(55);

	if (!c->s1 || c->epd[upper] || !c->ttb[upper].tbi)
		return addr;
	return upper ? addr | GENMASK(63, 56) : addr & GENMASK(55, 0);
}

/* Stage 1 of @at: its walk, or the event that it ends with. */
static enum dma_status walk1(struct smmu_transaction *t, struct dma_access *a, u64 at,
                             struct pgtable_walk *w)
{
	struct smmu_config_entry *c = t->config;
	const bool upper = at & BIT(55);
	struct pgtable table = c->ttb[upper];
	struct smmu_ipa_space ipa;
	const struct pgtable_access access = { .addr = at,
		                               .perm = t->perm,
		                               .privileged = t->privileged,
		                               .step = smmu_see_steps(t->smmu, 1),
		                               .ctx = t->smmu };

	t->smmu->counts.walks++;
	smmu_ipa_space(&ipa, t->smmu, c);
	table.space = c->s2 ? &ipa.dma : t->smmu->physical;
	*w = (struct pgtable_walk){ .fault = PGTABLE_TRANSLATION };
	if (!c->epd[upper]) /* 5.4.1.1 */
		pgtable_walk(&table, &access, w);
	smmu_see_walk(t->smmu, 1, at, w);
	if (w->fault == PGTABLE_OK)
		return DMA_OK;
	if (w->fault == PGTABLE_ABORT && c->s2 && ipa.faulted) {
		smmu_stage2_event(&ipa.walk, ipa.ipa, CLASS_TT, ipa.wrote, &t->event);
		t->event.stalls = c->s2_stalls && t->event.id != F_WALK_EABT;
		return smmu_fails(t, a, c->s2_records || t->event.id == F_WALK_EABT, 0);
	}
	smmu_fault_event(w, &t->event);
	t->event.stalls = c->s1_stalls && w->fault != PGTABLE_ABORT;
	if (w->fault == PGTABLE_ABORT && c->s2)
		t->event.ipa = ipa.pa;
	return smmu_fails(t, a, c->s1_records || w->fault == PGTABLE_ABORT,
	                  w->allowed[t->privileged]);
}

static enum dma_status walk2(struct smmu_transaction *t, struct dma_access *a, u64 ipa,
                             struct pgtable_walk *w)
{
	const struct pgtable_access access = { .addr = ipa,
		                               .perm = t->perm,
		                               .privileged = t->privileged };
	const bool s1 = t->config->s1;

	/* 3.4: what bypasses stage 1 has to be an IPA. */
	if (!s1 && ipa >> t->smmu->oas) {
		t->event.id = F_ADDR_SIZE;
		t->event.class = CLASS_IN;
		return smmu_fails(t, a, true, 0);
	}
	smmu_stage2(t->smmu, t->config, &access, w);
	if (w->fault == PGTABLE_OK)
		return DMA_OK;
	smmu_stage2_event(w, ipa, CLASS_IN, false, &t->event);
	t->event.stalls = t->config->s2_stalls && t->event.id != F_WALK_EABT;
	return smmu_fails(t, a, t->config->s2_records || t->event.id == F_WALK_EABT,
	                  w->allowed[t->privileged]);
}

enum dma_status smmu_walk(struct smmu_transaction *t, struct dma_access *a, u64 at,
                          struct smmu_translation *n)
{
	struct smmu_config_entry *c = t->config;
	struct pgtable_walk w1 = { .output = at, .shift = 63 }, w2;
	enum dma_status status;

	*n = (struct smmu_translation){
		.is_ipa = !c->s1,
		.world = c->world,
		.asid = c->s1 ? c->asid : 0,
		.vmid = c->vmid,
		.aset = c->s1 && c->aset,
		.allowed = { ~0u, ~0u },
	};
	if (c->s1) {
		status = walk1(t, a, at, &w1);
		if (status != DMA_OK)
			return status;
		n->global = w1.global && c->world != NS_EL2;
		n->allowed[0] = w1.allowed[0];
		n->allowed[1] = w1.allowed[1];
	}
	t->ipa = w1.output;
	n->output = w1.output;
	n->shift = w1.shift;
	n->span = w1.shift;
	if (c->s2) {
		status = walk2(t, a, w1.output, &w2);
		if (status != DMA_OK)
			return status;
		n->output = w2.output;
		n->shift = w2.shift < n->shift ? w2.shift : n->shift;
		n->allowed[0] &= w2.allowed[0];
		n->allowed[1] &= w2.allowed[1];
	}
	if (!c->s1)
		n->span = n->shift;
	n->input = ALIGN_DOWN(at, BIT(n->shift));
	n->output = ALIGN_DOWN(n->output, BIT(n->shift));
	return DMA_OK;
}

struct smmu_tlb_key smmu_key(const struct smmu_config_entry *c, u64 addr)
{
	return (struct smmu_tlb_key){
		.input = canonical(c, addr),
		.is_ipa = !c->s1,
		.aset = c->s1 && c->aset,
		.world = c->world,
		.asid = c->s1 ? c->asid : 0,
		.vmid = c->vmid,
	};
}

/* The translation of the next byte of @a; not OK: it has none, and what has to be reported is. */
static enum dma_status translate(struct smmu_transaction *t, struct dma_access *a,
                                 struct smmu_translation **by)
{
	const struct smmu_config_entry *c = t->config;
	const struct smmu_tlb_key key = smmu_key(c, a->iova + a->done);
	struct smmu_translation new;
	enum dma_status status;

	/* Of what somebody else translates only a fault comes here: the tables say why, as they
	 * are. */
	*by = t->endpoint->stream ? NULL : smmu_tlb_find(t->smmu, &key);
	/* What it does not allow is for a walk to say: tables may have changed, or be to be
	 * changed. */
	if (*by && !(t->perm & ~(*by)->allowed[t->privileged])) {
		t->smmu->counts.hits++;
		return DMA_OK;
	}
	status = smmu_walk(t, a, key.input, &new);
	if (status != DMA_OK)
		return status;
	*by = smmu_tlb_insert(t->smmu, &new);
	if (*by)
		return DMA_OK;
	a->reason = DMA_NOT_MAPPED;
	return DMA_FAULT;
}

/* 3.4: without a stage that translates, what is beyond OAS is no address. */
static enum dma_status bypass(struct smmu_transaction *t, struct dma_access *a, gpa_t *pa)
{
	*pa = a->iova + a->done;
	if (!(*pa >> t->smmu->oas))
		return DMA_OK;
	if (!t->config || a->translated) /* 3.9.1.1 */
		return smmu_aborts(t, a);
	t->event.id = F_ADDR_SIZE;
	t->event.class = CLASS_IN;
	return smmu_fails(t, a, true, 0);
}

/* Where the next byte is, how many bytes are together with it, and whose that is. */
static enum dma_status locate(struct smmu_transaction *t, struct dma_access *a, gpa_t *pa, u64 *len,
                              struct smmu_translation **by)
{
	const u64 at = a->iova + a->done;
	enum dma_status status;

	*by = NULL;
	*len = smmu_until_refused(t->token, a);
	if (!*len)
		return terminated(t, a);
	if (!t->config || (!t->config->s1 && !t->config->s2))
		return bypass(t, a, pa);
	status = translate(t, a, by);
	if (status != DMA_OK)
		return status;
	*pa = (*by)->output + (at & (BIT((*by)->shift) - 1));
	if (*len > BIT((*by)->shift) - (at & (BIT((*by)->shift) - 1)))
		*len = BIT((*by)->shift) - (at & (BIT((*by)->shift) - 1));
	return DMA_OK;
}

static enum dma_status map_piece(struct smmu_transaction *t, struct dma_access *a,
                                 struct dma_sg *sg)
{
	struct smmu_translation *by;
	struct dma_access part = { .pasid = DMA_NO_PASID, .partial = true };
	const unsigned int at = sg->nr;
	enum dma_status status;

	if (a->iova + a->done < a->iova) { /* what follows the last address is not the first */
		a->reason = DMA_NOT_MAPPED;
		return DMA_FAULT;
	}
	status = locate(t, a, &part.iova, &part.len, &by);
	if (status != DMA_OK)
		return status;
	status = dma_map(t->smmu->physical, &part, sg, NULL);
	if (part.done && sg->uses && by)
		sg->uses[at] = dma_use_get(&by->use);
	a->done += part.done;
	a->reason = part.reason;
	t->endpoint->faults += status != DMA_OK;
	return status;
}

static void undo(struct dma_sg *sg, unsigned int nr)
{
	while (sg->nr > nr)
		if (sg->nr-- && sg->uses && sg->uses[sg->nr])
			dma_use_put(sg->uses[sg->nr]);
}

static enum dma_status endpoint_map(struct dma_space *space, struct dma_access *a,
                                    struct dma_sg *sg, struct dma_token *token)
{
	struct smmu_endpoint *e = container_of(space, struct smmu_endpoint, dma);
	struct smmu_transaction t = { .smmu = e->smmu, .endpoint = e, .token = token };
	const unsigned int before = sg->nr;
	enum dma_status status;

	a->done = 0;
	a->reason = DMA_NO_REASON;
	if (!a->len)
		return DMA_OK;
	status = begin(&t, a);
	while (status == DMA_OK && a->done < a->len && sg->nr < sg->max)
		status = map_piece(&t, a, sg);
	if (status == DMA_OK && a->done < a->len && !a->partial) {
		a->reason = DMA_NO_ROOM;
		status = DMA_FAULT;
	}
	if (status == DMA_PENDING || (status != DMA_OK && !a->partial))
		undo(sg, before);
	if (token && status == DMA_FAULT)
		token->refused = false; /* it has ended */
	if (token && status != DMA_PENDING)
		token->unasked = false;
	if (sg->uses && sg->nr > before && t.config && !sg->attachment)
		sg->attachment = dma_use_get(&t.config->use);
	return status;
}

/* A message is one write, to one place; what is there is not the SMMU's to know. */
static enum dma_status endpoint_doorbell(struct dma_space *space, u64 iova, gpa_t *gpa, bool look)
{
	struct smmu_endpoint *e = container_of(space, struct smmu_endpoint, dma);
	struct smmu_transaction t = { .smmu = e->smmu, .endpoint = e };
	struct dma_access a = dma_access_to(iova, sizeof(u32), DMA_WRITE);
	struct smmu_translation *by;
	enum dma_status status;
	u64 len;

	a.silent = look;
	status = begin(&t, &a);
	if (status == DMA_OK)
		status = locate(&t, &a, gpa, &len, &by);
	if (status == DMA_OK && by)
		by->doorbell = true;
	return status;
}

static void endpoint_cancel(struct dma_space *space, struct dma_token *token)
{
	smmu_stall_cancel(container_of(space, struct smmu_endpoint, dma)->smmu, token);
	token->unasked = false;
}

const struct dma_ops smmu_endpoint_ops = {
	.map = endpoint_map,
	.doorbell = endpoint_doorbell,
	.page_request = smmu_page_request,
	.takes_pages = smmu_takes_pages,
	.forget_pages = smmu_forget_pages,
	.cancel = endpoint_cancel,
	.translate = smmu_translate,
	.invalidated = smmu_invalidated,
};

static u32 sid_of(const void *ctx)
{
	return *(const u32 *)ctx;
}

bool smmu_look(struct smmu *s, u32 sid, u32 ssid, u64 iova, struct smmu_config_entry *c)
{
	struct smmu_endpoint nobody = { .smmu = s, .sid = sid_of, .ctx = &sid };
	struct smmu_transaction t = { .smmu = s, .endpoint = &nobody, .look = c };
	struct dma_access a = { .iova = iova, .len = 1, .perm = DMA_READ, .pasid = ssid };
	const struct smmu_counts counts = s->counts;
	struct smmu_translation n;
	enum dma_status status;
	gpa_t pa;

	*c = (struct smmu_config_entry){
		.sid = sid, .ssid = ssid, .cd_index = NO_SSID, .passive = true
	};
	status = begin(&t, &a);
	if (status == DMA_OK && t.config && (c->s1 || c->s2)) {
		if (smmu_walk(&t, &a, smmu_key(c, iova).input, &n) == DMA_OK)
			smmu_see_translation(s, "translates", iova, &n);
	} else if (status == DMA_OK && bypass(&t, &a, &pa) == DMA_OK) {
		smmu_say(s, "bypasses: 0x%llx", (unsigned long long)pa);
	}
	s->counts = counts;
	return status == DMA_OK && t.config;
}

void smmu_messages_changed(struct smmu *s)
{
	s->messages_moved = false;
	for (struct smmu_endpoint *e = s->endpoints; e; e = e->next)
		if (e->dma.messages)
			e->dma.messages->changed(e->dma.messages);
}

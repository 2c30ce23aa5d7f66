// SPDX-License-Identifier: GPL-2.0-only
/* The SMMU's Event queue (Arm IHI 0070, 7.2 to 7.4): records, overflow, merging. */
#include <endian.h>
#include <string.h>

#include "devices/smmuv3/private.h"

/* What a record has beyond the stream that it is of (7.3). */
enum fields {
	SSID = BIT(0),   /* SubstreamID and SSV */
	ACCESS = BIT(1), /* RnW, InD, PnU, InputAddr */
	STAGE = BIT(2),  /* S2, CLASS */
	IPA = BIT(3),    /* where S2 */
	FETCH = BIT(4),
	/* Without SSV: the SubstreamID is always valid. */
	NO_SSV = BIT(5),
	REQUEST = BIT(6), /* of a translation: Span, R, W, X, PRIV, InputAddr */
};

static const u8 kinds[] = {
	[C_BAD_STREAMID] = SSID,
	[F_STE_FETCH] = SSID | FETCH,
	[C_BAD_STE] = SSID,
	[F_BAD_ATS_TREQ] = SSID | REQUEST,
	[F_STREAM_DISABLED] = 0,
	[F_TRANSL_FORBIDDEN] = ACCESS, /* 3.9.1.3: unprivileged data, without a SubstreamID */
	[C_BAD_SUBSTREAMID] = SSID | NO_SSV,
	[F_CD_FETCH] = SSID | FETCH,
	[C_BAD_CD] = SSID,
	[F_WALK_EABT] = SSID | ACCESS | STAGE | FETCH,
	[F_TRANSLATION] = SSID | ACCESS | STAGE | IPA,
	[F_ADDR_SIZE] = SSID | ACCESS | STAGE | IPA,
	[F_ACCESS] = SSID | ACCESS | STAGE | IPA,
	[F_PERMISSION] = SSID | ACCESS | STAGE | IPA,
};

/* 7.3.6: what was asked for, of one smallest translation unit; a request reads at least. */
static void encode_request(const struct smmu_event *e, u64 *w)
{
	w[1] = EVT1_SPAN | EVT1_R | (e->asked & DMA_WRITE ? EVT1_W : 0) |
	       (e->asked & DMA_EXEC ? EVT1_X : 0);
	w[2] = e->addr;
}

void smmu_event_encode(const struct smmu_event *e, u64 *w)
{
	const u32 has = kinds[e->id];
	const bool ssv = has & SSID && e->ssid != NO_SSID;

	memset(w, 0, 4 * sizeof(*w));
	w[0] = FIELD_PREP(EVT0_ID, (u64)e->id) | FIELD_PREP(EVT0_SID, (u64)e->sid);
	if (ssv)
		w[0] |= (has & NO_SSV ? 0 : EVT0_SSV) | FIELD_PREP(EVT0_SSID, (u64)e->ssid);
	if (has & ACCESS) {
		w[1] = (e->rnw ? EVT1_RNW : 0) | (e->ind ? EVT1_IND : 0) | (e->pnu ? EVT1_PNU : 0);
		w[2] = e->addr;
	}
	if (has & REQUEST)
		encode_request(e, w);
	if (has & STAGE)
		w[1] |= (e->s2 ? EVT1_S2 : 0) | FIELD_PREP(EVT1_CLASS, (u64)e->class);
	if (e->stall)
		w[1] |= EVT1_STALL | FIELD_PREP(EVT1_STAG, (u64)e->stag);
	if (e->id == F_PERMISSION && e->ttrnw)
		w[1] |= EVT1_TTRNW;
	if (has & FETCH)
		w[3] = e->ipa & EVT3_FETCH;
	else if (has & IPA && e->s2)
		w[3] = e->ipa & EVT3_IPA;
}

static bool full(const struct smmu *s, unsigned int log2size)
{
	return smmu_queue_full(s->eventq_prod, s->eventq_cons, log2size);
}

static bool empty(const struct smmu *s, unsigned int log2size)
{
	return smmu_queue_empty(s->eventq_prod, s->eventq_cons, log2size);
}

/* 7.3.1: identical but for the page's offset, and the one before it has not been taken yet. */
static bool merge(const struct smmu *s, unsigned int log2size, const u64 *w)
{
	const u64 *last = s->last_event;

	return !empty(s, log2size) && w[0] == last[0] && w[1] == last[1] &&
	       (w[2] ^ last[2]) < 0x1000 && w[3] == last[3];
}

/* 7.4: that records were lost is told once, until the driver has acknowledged it. */
static void lose(struct smmu *s, bool overflow)
{
	trace(s->vm->log, TRACE_SMMU, "%s: the event is lost", s->config.name);
	s->counts.lost++;
	if (overflow && !((s->eventq_prod ^ s->eventq_cons) & QUEUE_OVERFLOW))
		s->eventq_prod ^= QUEUE_OVERFLOW;
}

static void write_record(struct smmu *s, unsigned int log2size, const u64 *w)
{
	const u32 index = smmu_queue_index(s->eventq_prod, log2size);
	const gpa_t at = smmu_queue_entry(s, s->eventq_base, log2size, index, 32);
	const bool was_empty = empty(s, log2size);
	u64 le[4];

	for (unsigned int i = 0; i < 4; i++)
		le[i] = htole64(w[i]);
	if (guest_write(&s->vm->mem, at, le, sizeof(le))) {
		s->counts.lost++;
		smmu_error(s, GERROR_EVENTQ_ABT); /* 7.2.2: PROD stays */
		return;
	}
	memcpy(s->last_event, w, sizeof(s->last_event));
	s->eventq_prod = (s->eventq_prod & QUEUE_OVERFLOW) | smmu_queue_index(index + 1, log2size);
	s->counts.events++;
	if (was_empty && s->irq_ctrlack & IRQ_EVENTQ)
		smmu_interrupt(s, &s->eventq_msi, s->config.eventq_spi, GERROR_MSI_EVENTQ_ABT);
}

static bool enabled(const struct smmu *s)
{
	return s->cr0ack & CR0_EVENTQEN && !smmu_error_active(s, GERROR_EVENTQ_ABT) &&
	       !s->injected.failed;
}

bool smmu_events_writable(const struct smmu *s)
{
	return enabled(s) &&
	       !full(s, smmu_queue_log2size(s->eventq_base, smmu_idr(s, 1, IDR1_EVENTQS)));
}

static void record(struct smmu *s, const u64 *w, bool merges)
{
	const unsigned int log2size =
		smmu_queue_log2size(s->eventq_base, smmu_idr(s, 1, IDR1_EVENTQS));

	smmu_see_event(s, w, "event");
	if (!enabled(s))
		lose(s, false);
	else if (merges && merge(s, log2size, w)) /* 7.3.1 */
		return;
	else if (full(s, log2size))
		lose(s, true);
	else
		write_record(s, log2size, w);
}

void smmu_record(struct smmu *s, const struct smmu_event *e)
{
	u64 w[4];

	smmu_event_encode(e, w);
	record(s, w, e->merges && !e->stall);
}

void smmu_forward(struct smmu *s, const u64 *w)
{
	record(s, w, false);
}

/* The driver is told as if its queue had had no room. */
void smmu_lost(struct smmu *s, u64 nr)
{
	if (!nr)
		return;
	lose(s, enabled(s));
	s->counts.lost += nr - 1;
}

// SPDX-License-Identifier: GPL-2.0-only
/* An SMMU whose streams somebody else translates for: what that is told of tables, registers and
 * commands (Arm IHI 0070, 4.3 to 4.5, 5.2, 6.3.9.6, 6.3.14). */
#include "devices/smmuv3/backend.h"

#include <assert.h>

#include "devices/smmuv3/private.h"

/* Of an STE, what stage 1 goes by; the rest is another stage's, or of attributes that are the
 * device's own. */
#define STE0_STAGE1 (STE0_V | STE0_CONFIG | STE0_S1CONTEXTPTR)
#define STE0_CDS    (STE0_S1FMT | STE0_S1CDMAX)
#define STE1_STAGE1 (STE1_S1CIR | STE1_S1COR | STE1_S1CSH | STE1_S1STALLD)

static void stage1(const struct smmu *s, bool stalls, const u64 *ste,
                   const struct smmu_config_entry *e, struct smmu_stream_config *c)
{
	const bool substreams = smmu_idr(s, 1, IDR1_SSIDSIZE);

	c->route = SMMU_STAGE1;
	c->ste[0] = ste[0] & (STE0_STAGE1 | (substreams ? STE0_CDS : 0));
	c->ste[1] = ste[1] & (STE1_STAGE1 | (substreams ? STE1_S1DSS : 0));
	if (e->eats == EATS_FULL)
		c->ste[1] |= FIELD_PREP(STE1_EATS, (u64)EATS_FULL);
	/* A device of the host's that is not known to be able to stall may not: nobody would answer
	 * it. With another model the bit makes an STE ILLEGAL (5.5). */
	if (!stalls && smmu_idr(s, 0, IDR0_STALL_MODEL) == STALL_CHOICE)
		c->ste[1] |= STE1_S1STALLD;
}

/* No transaction has met it yet; but nobody else will say why those that come abort. */
static void say_bad(struct smmu *s, struct smmu_event *event, enum smmu_event_id id)
{
	event->id = id;
	smmu_record(s, event);
}

static void by_table(struct smmu *s, bool stalls, struct smmu_stream_config *c)
{
	struct smmu_config_entry e = { .sid = c->sid, .ssid = NO_SSID, .cd_index = NO_SSID };
	struct smmu_event event = { .sid = c->sid, .ssid = NO_SSID };
	u64 ste[8];
	const enum smmu_fetch got = smmu_fetch_ste(s, c->sid, ste, &event);

	if (got == FETCHED && smmu_ste_decode(s, ste, &e)) {
		if (e.s1)
			stage1(s, stalls, ste, &e, c);
		else if (!e.abort)
			c->route = SMMU_BYPASS;
	} else if (got == FETCHED && ste[0] & STE0_V) {
		say_bad(s, &event, C_BAD_STE);
	} else if (got == FETCH_EVENT && event.id == F_STE_FETCH) {
		say_bad(s, &event, F_STE_FETCH);
	}
}

static void route(struct smmu *s, struct smmu_endpoint *e)
{
	struct smmu_stream *st = e->stream;
	struct smmu_stream_config c = { .route = SMMU_ABORT };

	c.has_sid = e->sid;
	c.sid = e->sid ? e->sid(e->ctx) : 0;
	if (s->injected.failed) /* 12.3: whatever SMMUEN is */
		c.route = SMMU_ABORT;
	else if (!(s->cr0 & CR0_SMMUEN))
		c.route = s->gbpa & GBPA_ABORT ? SMMU_ABORT : SMMU_BYPASS;
	else if (e->sid)
		by_table(s, st->stalls, &c);
	if (!st->installing) {
		st->installing = true;
		s->installing++;
	}
	s->config.backend->ops->install(s->config.backend, st, &c);
}

static void route_range(struct smmu *s, u32 sid, u32 last)
{
	for (struct smmu_endpoint *e = s->endpoints; e; e = e->next)
		if (e->stream && e->sid && e->sid(e->ctx) >= sid && e->sid(e->ctx) <= last)
			route(s, e);
}

void smmu_route_all(struct smmu *s)
{
	s->routes_by_table = s->cr0 & CR0_SMMUEN;
	for (struct smmu_endpoint *e = s->endpoints; e; e = e->next)
		if (e->stream)
			route(s, e);
}

void smmu_install_again(struct smmu_stream *st)
{
	route(st->endpoint->smmu, st->endpoint);
}

u32 smmu_stream_sid(const struct smmu_stream *st)
{
	return st->endpoint->sid(st->endpoint->ctx);
}

static void no_longer_installing(struct smmu_stream *st)
{
	st->installing = false;
	st->endpoint->smmu->installing--;
}

void smmu_installed(struct smmu_stream *st, bool illegal)
{
	struct smmu *s = st->endpoint->smmu;
	struct smmu_event event = { .ssid = NO_SSID };

	assert(st->installing);
	no_longer_installing(st);
	if (illegal && st->endpoint->sid) {
		event.sid = st->endpoint->sid(st->endpoint->ctx);
		say_bad(s, &event, C_BAD_STE);
	}
	if (!s->installing)
		smmu_update(s);
}

void smmu_assign(struct smmu_endpoint *e, struct smmu_stream *st)
{
	if (e->stream) {
		if (e->stream->installing)
			no_longer_installing(e->stream);
		e->stream->endpoint = NULL;
	}
	e->stream = st;
	if (st)
		*st = (struct smmu_stream){ .endpoint = e };
	if (!st && !e->smmu->installing)
		smmu_update(e->smmu);
}

/* Of a stream that there is. */
static bool has_stream(const struct smmu *s, const u64 *cmd)
{
	const u32 sid = FIELD_GET(CMD0_SID, cmd[0]);
	const struct smmu_endpoint *e = s->endpoints;

	while (e && !(e->stream && e->sid && e->sid(e->ctx) == sid))
		e = e->next;
	return e;
}

/* What is passed on, and of it the fields that there are (chapter 4). */
#define RANGE0 (CMD0_NUM | GENMASK(24, 20))
#define RANGE1 (CMD1_TTL | CMD1_TG)
static const struct passed {
	u64 word[2]; /* beside the opcode */
	bool is, of_stream, by_asid, by_address;
	u64 substream; /* of word 0, where there are SubstreamIDs */
} passed[] = {
	[CMD_CFGI_CD] = { { CMD0_SID, CMD1_LEAF },
	                  true,
	                  .of_stream = true,
	                  .substream = CMD0_SSID },
	[CMD_CFGI_CD_ALL] = { { CMD0_SID }, true, .of_stream = true },
	[CMD_TLBI_NH_ALL] = { { 0 }, true },
	[CMD_TLBI_NH_ASID] = { { 0 }, true, .by_asid = true },
	[CMD_TLBI_NH_VA] = { { 0, CMD1_LEAF | CMD1_ADDR },
	                     true,
	                     .by_asid = true,
	                     .by_address = true },
	[CMD_TLBI_NH_VAA] = { { 0, CMD1_LEAF | CMD1_ADDR }, true, .by_address = true },
	[CMD_TLBI_NSNH_ALL] = { { 0 }, true },
	[CMD_ATC_INV] = { { CMD0_SID | ATC0_GLOBAL, ATC1_SIZE | CMD1_ADDR },
	                  true,
	                  .of_stream = true,
	                  .substream = CMD0_SSV | CMD0_SSID },
};

/* 4.4.1.1: without a granule it is of one page, and what else a range has is reserved. Without
 * SubstreamIDs CMD_ATC_INV is as though SSV were 0 (4.5.1), and CMD_CFGI_CD of the one CD (4.3.3).
 */
static struct smmu_words trim(const struct smmu *s, const struct passed *p, const u64 *cmd)
{
	u64 word0 = CMD0_OPCODE | p->word[0], word1 = p->word[1];

	if (smmu_idr(s, 1, IDR1_SSIDSIZE))
		word0 |= p->substream;
	if (p->by_asid)
		word0 |= smmu_idr(s, 0, IDR0_ASID16) ? CMD0_ASID : GENMASK(55, 48);
	if (p->by_address && smmu_idr(s, 3, IDR3_RIL) && FIELD_GET(CMD1_TG, cmd[1])) {
		word0 |= RANGE0;
		word1 |= RANGE1;
	}
	return (struct smmu_words){ { cmd[0] & word0, cmd[1] & word1 } };
}

bool smmu_is_of_stream(const struct smmu_words *w)
{
	return passed[FIELD_GET(CMD0_OPCODE, w->word[0])].of_stream;
}

static bool issue(struct smmu *s)
{
	struct smmu_backend *b = s->config.backend;
	const unsigned int nr = s->nr_batch;

	s->nr_batch = 0;
	return !nr || b->ops->invalidate(b, s->batch, nr);
}

static void add(struct smmu *s, u64 word0, u64 word1)
{
	s->batch[s->nr_batch++] = (struct smmu_words){ { word0, word1 } };
}

/* In place of all that may not have been invalidated. 4.5.1: without SSV by any PASID. */
static bool issue_for_all(struct smmu *s)
{
	bool done = true;

	s->nr_batch = 0;
	add(s, CMD_TLBI_NSNH_ALL, 0);
	for (const struct smmu_endpoint *e = s->endpoints; e; e = e->next) {
		if (!e->stream || !e->sid)
			continue;
		if (s->nr_batch + 2 > SMMU_BATCH)
			done &= issue(s);
		add(s, CMD_CFGI_CD_ALL | FIELD_PREP(CMD0_SID, (u64)e->sid(e->ctx)), 0);
		add(s, CMD_ATC_INV | FIELD_PREP(CMD0_SID, (u64)e->sid(e->ctx)),
		    FIELD_PREP(ATC1_SIZE, ATC_SIZE_ALL));
	}
	return issue(s) && done;
}

/* CERROR_ATC_INV_SYNC is of CMD_ATC_INV (7.1): that anything else may still be used, no other word
 * says to a driver. It repeats its CMD_SYNC, which has the error until everything is invalidated.
 */
static void flush(struct smmu *s)
{
	s->stale = s->stale ? !issue_for_all(s) : !issue(s);
	if (s->stale)
		s->atc.failed = true;
}

bool smmu_backend_full(const struct smmu *s)
{
	return s->installing && s->nr_batch == SMMU_BATCH;
}

/* Together, and no later than CMD_SYNC. */
static void pass(struct smmu *s, const u64 *cmd)
{
	const u32 opcode = FIELD_GET(CMD0_OPCODE, cmd[0]);
	const struct passed *p = opcode < ARRAY_SIZE(passed) ? &passed[opcode] : NULL;

	if (!p || !p->is || (p->of_stream && !has_stream(s, cmd)))
		return;
	if (s->nr_batch == SMMU_BATCH)
		flush(s);
	s->batch[s->nr_batch++] = trim(s, p, cmd);
}

void smmu_pass_on(struct smmu *s, const u64 *cmd)
{
	u32 sid = FIELD_GET(CMD0_SID, cmd[0]), last = sid;

	if (!s->config.backend)
		return;
	switch (FIELD_GET(CMD0_OPCODE, cmd[0])) {
	case CMD_CFGI_STE_RANGE: smmu_ste_range(cmd, &sid, &last); /* fall through */
	case CMD_CFGI_STE:
		if (s->routes_by_table)
			route_range(s, sid, last);
		break;
	default: pass(s, cmd);
	}
}

bool smmu_backend_waits(struct smmu *s)
{
	if (s->installing)
		return true;
	flush(s);
	return false;
}

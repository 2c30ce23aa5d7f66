// SPDX-License-Identifier: GPL-2.0-only
/* A DMA space that stalls, for tests. */
#include "tests/unit/fake_stalls.h"

static struct dma_use *use_of(struct fake_stalls *s)
{
	static struct dma_use use;

	s->users++;
	use.users = 2; /* never freed */
	return &use;
}

static enum dma_status map(struct dma_space *space, struct dma_access *a, struct dma_sg *sg,
                           struct dma_token *token)
{
	struct fake_stalls *s = container_of(space, struct fake_stalls, dma);
	static u8 byte;

	s->last = *a;
	if (token && token->refused) {
		token->refused = false;
		return DMA_FAULT;
	}
	switch (s->pages[a->iova / 4096 % FAKE_PAGES]) {
	case FAKE_MAPPED:
		sg->iov[sg->nr++] = (struct iovec){ &byte, a->len };
		if (sg->uses)
			sg->uses[0] = use_of(s);
		return DMA_OK;
	case FAKE_NOWHERE: a->reason = DMA_NO_MEMORY; return DMA_FAULT;
	default:
		a->reason = DMA_NOT_MAPPED;
		if (!token)
			return DMA_FAULT;
		TAILQ_INSERT_TAIL(&s->waiting, token, next);
		return DMA_PENDING;
	}
}

static void cancel(struct dma_space *space, struct dma_token *token)
{
	struct fake_stalls *s = container_of(space, struct fake_stalls, dma);
	struct dma_token *t;

	TAILQ_FOREACH(t, &s->waiting, next)
	{
		if (t == token) {
			TAILQ_REMOVE(&s->waiting, t, next);
			return;
		}
	}
}

void fake_stalls_init(struct fake_stalls *s)
{
	static const struct dma_ops ops = { .map = map, .cancel = cancel };

	*s = (struct fake_stalls){ .dma.ops = &ops };
	TAILQ_INIT(&s->waiting);
}

static bool let_go(struct fake_stalls *s, unsigned int nth, bool refused)
{
	struct dma_token *t = TAILQ_FIRST(&s->waiting);

	while (t && nth--)
		t = TAILQ_NEXT(t, next);
	if (!t)
		return false;
	TAILQ_REMOVE(&s->waiting, t, next);
	t->refused = refused;
	t->resume(t);
	return true;
}

bool fake_stalls_answer(struct fake_stalls *s, unsigned int nth, bool retry)
{
	return let_go(s, nth, !retry);
}

bool fake_stalls_room(struct fake_stalls *s)
{
	return let_go(s, 0, false);
}

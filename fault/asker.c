// SPDX-License-Identifier: GPL-2.0-only
/* A function that asks for pages: in whose name it does, and who of them is told. */
#include "fault/asker.h"

void fault_asker_add(struct fault_asker *a, struct fault_taker *t)
{
	t->next = a->takers;
	a->takers = t;
}

void fault_asker_remove(struct fault_asker *a, struct fault_taker *t)
{
	struct fault_taker **at = &a->takers;

	while (*at && *at != t)
		at = &(*at)->next;
	if (*at)
		*at = t->next;
}

bool fault_asker_answered(struct fault_asker *a, const struct dma_page_response *r)
{
	struct fault_taker *t = a->takers;

	while (t && !t->answered(t, r))
		t = t->next;
	return t;
}

void fault_asker_hold(struct fault_asker *a)
{
	a->held++;
}

/* Answers that come at once, to what is asked here, make room again: it is no reason to go deeper.
 */
void fault_asker_let_go(struct fault_asker *a)
{
	while (a->held == 1 && a->room) {
		a->room = false;
		for (struct fault_taker *t = a->takers; t; t = t->next)
			t->room(t);
	}
	a->held--;
}

void fault_asker_room(struct fault_asker *a)
{
	a->room = true;
	fault_asker_hold(a);
	fault_asker_let_go(a);
}

void fault_asker_forget(struct fault_asker *a)
{
	for (struct fault_taker *t = a->takers; t; t = t->next)
		t->forgotten(t);
}

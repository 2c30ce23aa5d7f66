/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_ORDERS_H
#define TESTS_UNIT_ORDERS_H

#include <stdlib.h>

#include "vmm/types.h"

/* Every order of a few steps, for tests against a model. */

struct order_step {
	const char *name;
	void (*run)(unsigned int n);
	unsigned int of; /* as many steps: @run with 0 up to that */
};

struct orders {
	const struct order_step *steps;
	size_t nr_steps;
	unsigned int length;
	void (*agree)(const char *step, unsigned int n); /* after each step */
	void (*finish)(void);                            /* after each order: all is as it was */
};

static inline unsigned int orders_choices(const struct orders *o)
{
	unsigned int n = 0;

	for (size_t s = 0; s < o->nr_steps; s++)
		n += o->steps[s].of;
	return n;
}

static inline void orders_choose(const struct orders *o, unsigned int n)
{
	const struct order_step *s = o->steps;

	while (n >= s->of)
		n -= s++->of;
	s->run(n);
	o->agree(s->name, n);
}

static inline void orders_try(const struct orders *o)
{
	const unsigned int choices = orders_choices(o);
	u64 all = 1;

	for (unsigned int i = 0; i < o->length; i++)
		all *= choices;
	for (u64 order = 0; order < all; order++) {
		u64 left = order;

		for (unsigned int i = 0; i < o->length; i++, left /= choices)
			orders_choose(o, left % choices);
		o->finish();
	}
}

/* How long they are: what the environment says by that name, or @otherwise. */
static inline unsigned int orders_length(const char *name, unsigned int otherwise)
{
	const char *said = getenv(name);

	return said ? atoi(said) : (int)otherwise;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_BRIDGE_H
#define TESTS_UNIT_FAKE_BRIDGE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "fault/bridge.h"
#include "tests/unit/fake_stalls.h"

/* A fault bridge with two sources of faults, a space of eight pages, and time that the test lets
 * pass; and models of it, of whose events any may come at any time. */
#define PAGE 4096ULL
#define MS   1000000ULL
#define MOST 4096 /* cookies of a test */

struct fake_source {
	struct fault_source source;
	bool deaf;                   /* what it is told had ended already */
	bool raises_again;           /* with each answer, at once */
	u8 raised[MOST], told[MOST]; /* by cookie: how often */
	bool retry[MOST];            /* what it was told last */
	u64 addr[MOST], since[MOST]; /* the latter: when it was raised */
	const char *wrong;           /* an outcome that it was told, and that is not so; or NULL */
	unsigned int next;
};

/* What the guest says in a model right now. */
enum fake_says { SAYS_NOTHING, SAYS_SUCCESS, SAYS_NO };

struct fake_bridge {
	struct fault_hub hub;
	struct fault_bridge bridge; /* a limit of 5 ms */
	struct fake_stalls space;   /* its page 1 is mapped, its page 2 leads nowhere */
	struct fake_source a, b;
	u64 ns;
	enum fake_says says;
	bool takes_none; /* the guest, of page requests */
	bool ends;       /* what is outstanding is ended right now */
	unsigned int spurious[FAKE_PAGES];
};
extern struct fake_bridge faults;

/* For a suite's .init, with what follows; and for its .fini: the bridge has been removed, or has
 * nothing outstanding. */
void fake_bridge_open(void);
void fake_bridge_close(void);
/* All of it anew, whatever was. @asker: NULL where the space stalls. */
void fake_bridge_begin(struct fault_asker *asker);

u64 raise_at(struct fake_source *s, u64 addr);
/* Once, and that. */
void is_told(const struct fake_source *s, u64 cookie, bool retry);

/* Events of either route's model. */
void raise_a(void);
void raise_b(void);
void raise_mapped(void);
void mend(void);
void take_away(void);
void a_forgets(void);
void is_reset(void);
void time_passes(void);
void raises_again(void);

struct fake_model {
	void (*begin)(void);
	void (*const *events)(void);
	unsigned int nr;
	/* NULL, or what else is to hold after each event, and once the bridge is gone. */
	void (*holds)(const char *what), (*ended)(const char *what);
};
/* Every order of five events; and many of a thousand. Nothing is answered twice or lost. */
void fake_bridge_every_order(const struct fake_model *m);
void fake_bridge_random_orders(const struct fake_model *m);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the CPU makes of an access in a regime, and of its tables. */
#include "oracle.h"

bool oracle_owns(u64 pa)
{
	return pa - (u64)arena < ARENA_SIZE;
}

void oracle_fill(void)
{
	for (u64 pa = (u64)arena; pa < (u64)arena + ARENA_SIZE; pa += 8)
		*(u64 *)pa = ORACLE_WORD(pa);
}

struct path path_look(const struct regime *r)
{
	struct path p = { { 0 } };

	for (int level = r->start; level <= r->leaf; level++)
		p.entry[level] = *(volatile u64 *)r->entry[level];
	return p;
}

void path_restore(const struct regime *r, const struct path *p)
{
	for (int level = r->start; level <= r->leaf; level++)
		*(volatile u64 *)r->entry[level] = p->entry[level];
	barrier();
}

bool path_is(const struct regime *r, const struct path *p)
{
	const struct path is = path_look(r);

	return !memcmp(&is, p, sizeof(is));
}

static bool cleans(const struct regime *r, struct access a)
{
	return r->hd && a.write && *r->entry[regime_end(r)] & ENTRY_DBM;
}

/*
 * Whether an AT of a write makes a clean page dirty, or says of it that it is read-only, CPUs do
 * not agree: then the access itself is asked.
 */
static void ask_by_access(const struct regime *r, struct access a, struct oracle *o)
{
	const u64 output = regime_output(r);

	if (!oracle_owns(output)) {
		o->answer = NR_ANSWERS;
	} else if (regime_access(r, a) == A_OK) {
		o->cleaned = true;
		o->pa = output;
		o->answer = A_OK;
	}
}

/*
 * What users may write is not executed with privilege, and with WXN nothing is that may be written:
 * a clean page included (D8.5.2: DBM clears AP[2] in effect); CPUs that are emulated look at AP[2]
 * alone.
 */
static enum answer ask_by_fetch(const struct regime *r, bool privileged, u64 *pa)
{
	const u64 clean_page = ENTRY_RO | ENTRY_DBM | (r->wxn ? 0 : ENTRY_USER);
	enum answer cpu = regime_fetch(r, privileged, pa);

	if (cpu == A_OK && r->hd && (r->wxn || privileged) &&
	    !(~*r->entry[regime_end(r)] & clean_page))
		return NR_ANSWERS;
	return cpu;
}

/*
 * The CPU's own access, where it has an effect on nobody, and what it leaves of the entries. AT of
 * a page that becomes dirty has been asked by the access already.
 */
static void access(const struct regime *r, struct access a, struct oracle *o)
{
	o->access = NR_ANSWERS;
	o->updated = o->answer == A_OK && oracle_owns(o->pa);
	if (!a.fetch && (o->updated || (o->answer != A_OK && o->answer != NR_ANSWERS)))
		o->access = regime_access(r, a);
	o->contradicts = o->access != NR_ANSWERS && o->access != o->answer;
	o->after = path_look(r);
	if (o->updated && a.write && !o->contradicts)
		*(volatile u64 *)o->pa = ORACLE_WORD(o->pa);
}

/* The entries are as they were, and TLBs know nothing else. */
static void take_back(const struct regime *r, const struct path *before)
{
	if (path_is(r, before))
		return;
	path_restore(r, before);
	regime_forget_tlb();
}

struct oracle oracle_ask(const struct regime *r, struct access a)
{
	const struct path before = path_look(r);
	struct oracle o = { 0 };

	o.answer = a.fetch ? ask_by_fetch(r, a.privileged, &o.pa) : regime_ask(r, a, &o.pa);
	if (o.answer == A_PERMISSION && cleans(r, a))
		ask_by_access(r, a, &o);
	if (!a.fetch)
		path_restore(r, &before);
	regime_forget_tlb();
	access(r, a, &o);
	take_back(r, &before);
	return o;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Who may do what with a page: truth tables. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "tests/unit/fake_tables.h"

#define R DMA_READ
#define W DMA_WRITE
#define X DMA_EXEC

#define ADDR 0x123456789000ULL

static void init(void)
{
	tables_init(TABLES_BASE);
}

TestSuite(pgtable_perm, .init = init);

/* A page at ADDR below tables that have @limits in their entries. */
static struct pgtable make(int stage, u64 entry, u64 limits)
{
	struct pgtable t = tables_stage1(12, 48);

	t.stage = stage;
	tables_map(&t, ADDR, 3, PAGE | AF | entry);
	if (limits)
		tables_limit(&t, ADDR, 1, limits);
	return t;
}

/* Every combination of accesses is allowed, or a fault, as @user and @privileged have it. */
static void check(const struct pgtable *t, u32 user, u32 privileged)
{
	struct pgtable_walk w = tables_walk(t, ADDR, 0);

	cr_assert(eq(int, w.fault, PGTABLE_OK));
	cr_assert(eq(u32, w.allowed[0], user));
	cr_assert(eq(u32, w.allowed[1], privileged));
	for (u32 perm = 0; perm < 16; perm++) {
		const struct pgtable_access a = { .addr = ADDR,
			                          .perm = perm & 7,
			                          .privileged = perm & 8 };
		const u32 may = perm & 8 ? privileged : user;

		pgtable_walk(t, &a, &w);
		cr_assert(eq(int, w.fault, a.perm & ~may ? PGTABLE_PERMISSION : PGTABLE_OK), "%x",
		          perm);
		cr_assert(eq(int, w.level, 3));
	}
	cr_assert(zero(u32, tables.swaps));
}

struct perm_case {
	u64 entry;
	u32 user, privileged;
};

/* Summary of direct permissions, D8.4.1. */
static const struct perm_case direct[] = {
	/* AP = 00: nothing for users */
	{ 0, X, R | W | X },
	{ PXN, X, R | W },
	{ UXN, 0, R | W | X },
	{ UXN | PXN, 0, R | W },
	/* 01: what users write is not executed by others */
	{ USER, R | W | X, R | W },
	{ USER | PXN, R | W | X, R | W },
	{ USER | UXN, R | W, R | W },
	{ USER | UXN | PXN, R | W, R | W },
	/* 10 */
	{ RO, X, R | X },
	{ RO | PXN, X, R },
	{ RO | UXN, 0, R | X },
	{ RO | UXN | PXN, 0, R },
	/* 11 */
	{ RO | USER, R | X, R | X },
	{ RO | USER | PXN, R | X, R },
	{ RO | USER | UXN, R, R | X },
	{ RO | USER | UXN | PXN, R, R },
};

Test(pgtable_perm, a_page_allows_by_ap_uxn_and_pxn)
{
	for (size_t i = 0; i < ARRAY_SIZE(direct); i++) {
		struct pgtable t;

		init();
		t = make(1, direct[i].entry, 0);
		check(&t, direct[i].user, direct[i].privileged);
	}
}

static u32 without_written(u32 may)
{
	return may & W ? may & ~X : may;
}

Test(pgtable_perm, with_wxn_what_is_writable_is_not_executed)
{
	for (size_t i = 0; i < ARRAY_SIZE(direct); i++) {
		struct pgtable t;

		init();
		t = make(1, direct[i].entry, 0);
		t.wxn = true;
		check(&t, without_written(direct[i].user), without_written(direct[i].privileged));
	}
}

Test(pgtable_perm, with_pan_privileged_data_accesses_do_not_reach_what_users_do)
{
	for (size_t i = 0; i < ARRAY_SIZE(direct); i++) {
		const u32 user = direct[i].user, privileged = direct[i].privileged;
		struct pgtable t;

		init();
		t = make(1, direct[i].entry, 0);
		t.pan = true;
		check(&t, user, user & (R | W) ? privileged & X : privileged);
	}
}

/* XN only, and AP[1] is taken as 1. */
Test(pgtable_perm, with_one_privilege_there_is_read_only_and_xn)
{
	for (unsigned int i = 0; i < 64; i++) {
		const u64 entry = (i & 1 ? USER : 0) | (i & 2 ? RO : 0) | (i & 4 ? UXN : 0) |
		                  (i & 8 ? PXN : 0);
		const u32 may = R | (i & 2 ? 0 : W) | (i & 4 ? 0 : X);
		struct pgtable t;

		init();
		t = make(1, entry, i & 32 ? NO_USER | PXNT : 0);
		t.one_privilege = true;
		t.pan = t.e0pd = i & 16;
		check(&t, may, may);
		t.wxn = true;
		check(&t, without_written(may), without_written(may));
	}
}

Test(pgtable_perm, with_one_privilege_tables_limit_writes_and_execution)
{
	struct pgtable t = make(1, 0, ALL_RO);

	t.one_privilege = true;
	check(&t, R | X, R | X);
	t.had = true;
	check(&t, R | W | X, R | W | X);
	init();
	t = make(1, 0, UXNT);
	t.one_privilege = true;
	check(&t, R | W, R | W);
}

/* D8.4.1's table of APTable and the two XNs, for a page that allows the most and one of EL1's. */
static u32 limited(u32 may, u64 limits, bool user)
{
	if (user && limits & NO_USER)
		may &= ~(R | W);
	if (limits & ALL_RO)
		may &= ~W;
	return limits & (user ? UXNT : PXNT) ? may & ~X : may;
}

Test(pgtable_perm, tables_limit_what_is_below_them)
{
	for (size_t i = 0; i < ARRAY_SIZE(direct); i++) {
		for (u64 limits = 0; limits < 16; limits++) {
			const bool pxn = direct[i].entry & PXN;
			struct pgtable t;
			u32 user, privileged = direct[i].privileged | (pxn ? 0 : X);

			init();
			t = make(1, direct[i].entry, limits << 59);
			user = limited(direct[i].user, limits << 59, true);
			privileged = limited(privileged, limits << 59, false);
			if (user & W)
				privileged &= ~X;
			check(&t, user, privileged);
			t.had = true;
			check(&t, direct[i].user, direct[i].privileged);
		}
	}
}

Test(pgtable_perm, limits_of_several_tables_add_up)
{
	struct pgtable t = make(1, USER, 0);

	tables_limit(&t, ADDR, 0, UXNT);
	tables_limit(&t, ADDR, 1, ALL_RO);
	tables_limit(&t, ADDR, 2, PXNT);
	check(&t, R, R);
	tables_limit(&t, ADDR, 2, NO_USER);
	check(&t, 0, R);
}

/* FEAT_XNX: XN[1:0], by UXN's and PXN's bits. */
Test(pgtable_perm, a_stage_2_allows_by_s2ap_and_xn)
{
	static const struct perm_case xn[] = {
		{ 0, X, X },
		{ PXN, X, 0 },
		{ UXN, 0, 0 },
		{ UXN | PXN, 0, X },
	};

	for (u32 i = 0; i < 16; i++) {
		const struct perm_case *c = &xn[i % 4];
		const u32 rw = (i & 4 ? R : 0) | (i & 8 ? W : 0);
		struct pgtable t;

		init();
		t = make(2, c->entry | (i & 4 ? S2R : 0) | (i & 8 ? S2W : 0), 15ULL << 59);
		check(&t, rw | c->user, rw | c->privileged);
		t.wxn = t.pan = t.e0pd = t.one_privilege = true; /* stage 1's */
		check(&t, rw | c->user, rw | c->privileged);
	}
}

Test(pgtable_perm, with_e0pd_half_of_the_addresses_is_not_for_users)
{
	struct pgtable t = make(1, USER, 0);
	struct pgtable_access a = { .addr = ADDR, .perm = R };
	struct pgtable_walk w;

	t.e0pd = true;
	pgtable_walk(&t, &a, &w);
	cr_assert(eq(int, w.fault, PGTABLE_TRANSLATION));
	cr_assert(eq(int, w.level, 0));
	cr_assert(zero(u32, tables.reads));
	a.privileged = true;
	pgtable_walk(&t, &a, &w);
	cr_assert(eq(int, w.fault, PGTABLE_OK));
}

Test(pgtable_perm, attributes_are_where_each_stage_has_them)
{
	struct pgtable t = make(1, NG | 0x3f << 2, 0);
	struct pgtable_walk w = tables_walk(&t, ADDR, 0);

	cr_assert(not(w.global));
	cr_assert(eq(u32, w.attr, 7));
	t.stage = 2;
	w = tables_walk(&t, ADDR, 0);
	cr_assert(eq(u32, w.attr, 15));
	cr_assert(not(w.global), "it has no ASIDs");
	for (u32 sh = 0; sh < 4; sh++) {
		tables_map(&t, ADDR, 3, PAGE | AF | sh << 8 | sh << 3);
		for (t.stage = 1; t.stage <= 2; t.stage++) {
			w = tables_walk(&t, ADDR, 0);
			cr_assert(eq(u32, w.sh, sh));
			cr_assert(eq(u32, w.attr, sh << 1));
			t.fwb = !t.fwb;
		}
	}
}

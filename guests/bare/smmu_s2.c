/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage 2 of an SMMUv3, alone and below stage 1, against that of EL1, whose hypervisor this is: the
 * same tables, made by chance, the same access, and AT instructions, the access itself by EL1 or
 * EL0, and the SMMU have to say the same. Stage 2 of a guest's guest is KVM's: a walk by its code,
 * and shadow tables by that. "seed=N" repeats them, "count=N" of them. The DMA endpoint is behind
 * the SMMU. */
#include "lib/dmatest.h"
#include "lib/stages.h"

#define IPA_BITS 0x000ffffffffff000UL

static struct entries before, after_access, after_smmu;
static struct smmu s;
static struct dma_test d;
static struct cd cd;
static struct ste ste;
static struct stages c;
static u64 nr;

/* What of a case cannot be asked, by the function of Linux that answers otherwise. */
enum rule {
	/* walk_nested_s2_pgd(): of an IPA it does not see the bits above the input's. */
	BEYOND_INPUT,
	/* __kvm_at_s12(): where a table of stage 2 cannot be read it fails, and so the instruction
	 * is executed again, for ever; kvm_handle_guest_abort() gives the vCPU up. */
	WITHOUT_TABLE,
	ACCESS_WITHOUT_TABLE, /* of a walk of stage 1: the latter alone */
	/* setup_s1_walk(): of an address whose bits 63 to 55 are not the same it says that its
	 * size is wrong; what EL1 has there is a translation fault. */
	AT_TOP_BYTE,
	/* walk_s1(): it sets the access flag before it looks at permissions; there the flag's
	 * table may not be written. */
	AT_FLAG_FIRST,
	/* kvm_is_write_fault(): what a walk of stage 1 is not permitted it takes for a write; where
	 * that is permitted and a read is not, the access is tried again for ever. */
	ACCESS_WRITE_ONLY,
	/* kvm_s2_handle_perm_fault(): of a fetch it looks whether it may execute, in a walk too. */
	FETCH_DENIED_TABLE,
	/* kvm_handle_guest_abort(): where no memory is it does not look at what is permitted. */
	ACCESS_TO_DEVICE,
	/* None of Linux's: an access there would have an effect. */
	NO_PLACE,
	/* user_mem_abort(), it seems: one of some ten thousand is tried again for ever, by an
	   access. */
	ENDLESS,
	NR_RULES
};
static const char *const rules[] = {
	"an IPA beyond the input (walk_nested_s2_pgd): cases",
	"a table of stage 2 where no memory is (__kvm_at_s12): cases",
	"such a table below a table of stage 1 (kvm_handle_guest_abort): not by an access",
	"a top byte that is no sign (setup_s1_walk): not by AT",
	"an access flag in a table that may not be written (walk_s1): not by AT",
	"a table of stage 1 that may be written alone (kvm_is_write_fault): not by an access",
	"a table of stage 1 with less than all allowed (kvm_s2_handle_perm_fault): no fetch",
	"no memory there, and not all is permitted (kvm_handle_guest_abort): not by an access",
	"no place for an access: by AT alone",
	"tried again for ever, and given up: not by an access",
};
static u64 left_out[NR_RULES], counts[2][2][NR_ANSWERS], asked_at, asked_access, nobody;

static const char *const names[] = { "ok",         "translation", "address size", "access flag",
	                             "permission", "abort",       "not asked" };

static bool in(u64 pa, u64 base, u64 size)
{
	return pa - base < size;
}

static void say(const char *who, const struct verdict *v)
{
	print("%s: %s%s%s, PA %lx, IPA %lx\n", who, names[v->answer], v->stage2 ? ", stage 2" : "",
	      v->walk ? " in a walk" : "", v->pa, v->ipa);
}

static _Noreturn void differs(struct access a, const struct verdict *v, const char *what)
{
	if (c.both) {
		regime_print(&c.r);
		for (int level = c.r.start; level <= c.r.leaf; level++)
			stage2_print(&c.s2, &c.paths[TABLES + level]);
	}
	stage2_print(&c.s2, &c.paths[OUTPUT]);
	say("CPU", v);
	fail("case %lu: %s by %s of %lx: %s", nr,
	     a.fetch   ? "fetch"
	     : a.write ? "write"
	               : "read",
	     a.privileged ? "privileged" : "nobody", c.va, what);
}

/* What AT says; the tables are then as they were. */
static struct verdict ask_at(struct access a)
{
	struct verdict v = { .answer = NR_ANSWERS };

	if (stages_top_byte(&c) || stages_deny_flag(&c)) {
		left_out[stages_top_byte(&c) ? AT_TOP_BYTE : AT_FLAG_FIRST]++;
		return v;
	}
	v = el1_at(a, c.va);
	stages_restore(&c, &before);
	asked_at++;
	return v;
}

/* Whether an access may be, where @at said what it says of a read, or of this access. */
static bool has_place(struct access a, const struct verdict *at)
{
	if (at->answer == NR_ANSWERS)
		return !a.fetch;
	if (at->answer != A_OK)
		return true;
	if (a.fetch)
		return at->pa == c.r.target;
	return in(at->pa, (u64)arena, ARENA_SIZE) || (!a.write && in(at->pa, RAM_BASE, RAM_SIZE));
}

/* Why an access cannot be asked; NR_RULES: it can. */
static enum rule rule_of(struct access a, const struct verdict *at)
{
	if (stages_nowhere_in_walk(&c))
		return ACCESS_WITHOUT_TABLE;
	if (stages_table_permits(&c, 1 << 2))
		return ACCESS_WRITE_ONLY;
	if (a.fetch && stages_table_permits(&c, 1 << 0 | 1 << 1))
		return FETCH_DENIED_TABLE;
	if (stages_deny_device(&c))
		return ACCESS_TO_DEVICE;
	return has_place(a, at) ? NR_RULES : NO_PLACE;
}

static void expect_same(struct access a, const struct verdict *at, const struct verdict *real)
{
	if (at->answer == NR_ANSWERS || a.fetch)
		return;
	if (at->answer != real->answer || at->stage2 != real->stage2 || at->walk != real->walk) {
		say("AT", at);
		differs(a, real, "AT and the access are not the same");
	}
	if (at->answer == A_OK && in(at->pa, (u64)arena, ARENA_SIZE) &&
	    real->value != (a.write ? 0x0123456789abcdef : at->pa * 3))
		differs(a, at, "the access is elsewhere");
}

/* An AT, of a fetch that of a read; then the access itself. */
static struct verdict ask_cpu(struct access a)
{
	const struct access data = { .write = a.write, .privileged = a.privileged };
	struct verdict at = ask_at(data), real;
	const enum rule rule = rule_of(a, &at);

	if (rule != NR_RULES) {
		left_out[rule]++;
		if (a.fetch)
			at.answer = NR_ANSWERS;
		return at;
	}
	if (a.fetch)
		el1_plant(c.r.target);
	real = el1_access(a, c.va);
	if (real.answer == NR_ANSWERS) {
		left_out[ENDLESS]++;
		stages_restore(&c, &before);
		return real;
	}
	asked_access++;
	expect_same(a, &at, &real);
	stages_look(&c, &after_access);
	stages_restore(&c, &before);
	if (a.fetch && real.answer == A_OK)
		real.pa = c.r.target;
	if (!a.fetch)
		real.pa = at.pa;
	if (in(c.r.target, (u64)arena, ARENA_SIZE))
		*(volatile u64 *)(c.r.target & ~7UL) = (c.r.target & ~7UL) * 3;
	if (real.pa && a.write)
		*(volatile u64 *)real.pa = real.pa * 3;
	return real;
}

static void configure(struct access a, bool lower)
{
	ste = (struct ste){ { STE0(STE_S2) } };
	if (c.both) {
		cd = regime_cd(&c.r, lower);
		ste.w[0] = STE0(STE_NESTED) | c.paths[CD].ipa;
	}
	ste.w[1] = (a.privileged ? STE1_PRIV : STE1_UNPRIV) | (a.fetch ? STE1_INST : 0);
	stage2_ste(&c.s2, &ste);
	smmu_push(&s, CMD_TLBI_NSNH_ALL, 0);
	smmu_set_ste(&s, d.rid, &ste);
}

/* 7.3.13: of which IPA. */
static u64 ipa_of(const struct verdict *v, u64 event)
{
	if (v->has_ipa)
		return v->ipa;
	if (!c.both)
		return c.va & IPA_BITS;
	if (v->walk)
		return regime_table(&c.r, v->level, c.paths[TABLES + c.r.start].ipa) & IPA_BITS;
	return event; /* of stage 1, which AT does not tell */
}

/* 7.3.12 to 7.3.16: a fault's event. */
static void expect_event(struct access a, const struct verdict *v, u64 iova)
{
	static const u8 ids[] = {
		0, F_TRANSLATION, F_ADDR_SIZE, F_ACCESS, F_PERMISSION, F_WALK_EABT
	};
	const bool walk = v->walk || (v->answer == A_ABORT && !v->stage2);
	u64 flags = (a.write ? 0 : EVENT1_RNW) | (a.privileged ? EVENT1_PNU : 0) |
	            (a.fetch ? EVENT1_IND : 0) | (walk ? EVENT1_TT : EVENT1_IN) |
	            (v->stage2 ? EVENT1_S2 : 0);
	struct smmu_event e;

	if (!smmu_event(&s, &e))
		differs(a, v, "the SMMU has no event");
	/* 7.3.16: it was a read, but where stage 2 permits those of all tables. */
	if (v->walk && v->answer == A_PERMISSION && stages_table_permits(&c, 1 << 0 | 1 << 2))
		flags |= EVENT1_TTRNW;
	if (e.w[0] != EVENT0(ids[v->answer], d.rid) || e.w[1] != flags || e.w[2] != iova ||
	    (v->stage2 && v->answer != A_ABORT && e.w[3] != ipa_of(v, e.w[3]))) {
		print("event %lx %lx %lx %lx\n", e.w[0], e.w[1], e.w[2], e.w[3]);
		differs(a, v, "the SMMU has another event");
	}
}

static void expect_bytes(struct access a, const struct verdict *v)
{
	volatile u64 *word = (u64 *)v->pa;

	if (a.write && *word != dma_pattern(nr))
		differs(a, v, "the SMMU's is elsewhere");
	if (!a.write && dma_result(&d, 0) != dma_checksum(*word))
		differs(a, v, "the SMMU reads elsewhere");
	if (a.write)
		*word = v->pa * 3;
}

static void ask_smmu(struct access a, const struct verdict *v, u64 iova)
{
	const struct dma_op op = {
		.op = a.write ? DMA_FILL : DMA_CHECK, .iova = iova, .length = 8, .arg0 = nr
	};
	const unsigned int outcome = dma_run(&d, 0, &op);
	struct smmu_event e;

	if (v->answer != A_OK) {
		if (outcome != DMA_FAULT)
			differs(a, v, "the SMMU lets it pass");
		expect_event(a, v, iova);
		return;
	}
	if (smmu_event(&s, &e)) {
		print("event %lx %lx %lx %lx\n", e.w[0], e.w[1], e.w[2], e.w[3]);
		differs(a, v, "the SMMU has an event");
	}
	if (in(v->pa, RAM_BASE, RAM_SIZE)) {
		if (outcome != DMA_DONE)
			differs(a, v, "the SMMU lets it not pass");
		expect_bytes(a, v);
	} else if (outcome != DMA_FAULT || dma_reason(&d, 0) != DMA_NO_MEMORY) {
		differs(a, v, "the SMMU finds memory");
	}
}

static void compare(struct access a, const struct verdict *v)
{
	const u64 place = v->pa;
	bool lower, updated;

	counts[c.both][v->stage2][v->answer]++;
	lower = c.both && c.r.in_reach && one_in(3);
	updated = v->answer == A_OK && (in(place, (u64)arena, ARENA_SIZE));
	/* What would be written over is no one's to lose. */
	if (a.write && v->answer == A_OK && !updated && in(place, RAM_BASE, RAM_SIZE))
		return;
	configure(a, lower);
	ask_smmu(a, v, lower ? regime_lower(&c.r) : c.va);
	if (updated) {
		stages_look(&c, &after_smmu);
		if (!stages_same(&c, &after_smmu, &after_access)) {
			stages_restore(&c, &after_access);
			differs(a, v, "the SMMU leaves other entries than these");
		}
	}
}

static void step(const struct regime_ability *can1, const struct stage2_ability *can2)
{
	struct access a = { .write = one_in(2), .privileged = one_in(2) };
	struct verdict v;

	a.fetch = !a.write && one_in(3);
	while (!stages_make(&c, a.fetch, can1, can2))
		stages_forget(&c);
	stages_spoil(&c, a.fetch);
	stages_look(&c, &before);
	if (stages_beyond(&c)) {
		left_out[BEYOND_INPUT]++;
	} else if (stage2_is_nowhere(&c.s2, &c.paths[OUTPUT])) {
		left_out[WITHOUT_TABLE]++;
	} else {
		el1_enter(&c.s2, c.both ? &c.r : NULL, c.paths[PROGRAM].ipa);
		v = ask_cpu(a);
		stages_leave(&c);
		if (v.answer == NR_ANSWERS)
			nobody++;
		else
			compare(a, &v);
	}
	stages_forget(&c);
}

static void print_counts(void)
{
	for (unsigned int i = 0; i < 4; i++) {
		print("%s, by stage %u:", i & 2 ? "both stages" : "stage 2", (i & 1) + 1);
		for (unsigned int j = 0; j < NR_ANSWERS; j++)
			print(" %s %lu", names[j], counts[i >> 1][i & 1][j]);
		print("\n");
	}
	print("AT instructions %lu, accesses %lu, not known %lu; left out:\n", asked_at,
	      asked_access, nobody);
	for (unsigned int i = 0; i < NR_RULES; i++)
		print("  %s: %lu\n", rules[i], left_out[i]);
}

static void s12(void)
{
	const u64 count = parameter_after("count=", 300), seed = parameter_after("seed=", 1);
	struct regime_ability can1 = regime_ability();
	const struct stage2_ability can2 = stage2_ability();

	can1.pan = false; /* AT S12 does not know of it */
	check(read_sysreg(CurrentEL) == 2 << 2, "CurrentEL is %lx", read_sysreg(CurrentEL));
	print("seed=%lu count=%lu\n", seed, count);
	print("granules %u%u%u, of stage 2 %u%u%u, HA %u %u, small %u, address size %u\n",
	      can1.granules[0], can1.granules[1], can1.granules[2], can2.granules[0],
	      can2.granules[1], can2.granules[2], can1.ha, can2.ha, can2.small, can2.address_size);
	random_seed(seed);
	c.cd = (u64)&cd;
	dma_test_find(&d);
	smmu_start(&s);
	el1_init();
	for (u64 pa = (u64)arena; pa < (u64)arena + ARENA_SIZE; pa += 8)
		*(u64 *)pa = pa * 3;
	for (nr = 1; nr <= count; nr++)
		step(&can1, &can2);
	print_counts();
}

static const struct test tests[] = { { "s12", s12 } };

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Every ID register that has a name, and every field of it (DDI 0487, D24.2). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_kvm.h"
#include "tests/unit/leak.h"
#include "vmm/arm64/id_regs.h"

struct reg {
	char name[24];
	u8 op1, crm, op2; /* op0 is 3, CRn 0 */
};

static struct reg regs[] = {
	{ "ctr_el0", 3, 0, 1 },          { "id_pfr0_el1", 0, 1, 0 },
	{ "id_pfr1_el1", 0, 1, 1 },      { "id_dfr0_el1", 0, 1, 2 },
	{ "id_mmfr0_el1", 0, 1, 4 },     { "id_mmfr1_el1", 0, 1, 5 },
	{ "id_mmfr2_el1", 0, 1, 6 },     { "id_mmfr3_el1", 0, 1, 7 },
	{ "id_isar0_el1", 0, 2, 0 },     { "id_isar1_el1", 0, 2, 1 },
	{ "id_isar2_el1", 0, 2, 2 },     { "id_isar3_el1", 0, 2, 3 },
	{ "id_isar4_el1", 0, 2, 4 },     { "id_isar5_el1", 0, 2, 5 },
	{ "id_mmfr4_el1", 0, 2, 6 },     { "id_isar6_el1", 0, 2, 7 },
	{ "id_pfr2_el1", 0, 3, 4 },      { "id_dfr1_el1", 0, 3, 5 },
	{ "id_mmfr5_el1", 0, 3, 6 },     { "id_aa64pfr0_el1", 0, 4, 0 },
	{ "id_aa64pfr1_el1", 0, 4, 1 },  { "id_aa64pfr2_el1", 0, 4, 2 },
	{ "id_aa64zfr0_el1", 0, 4, 4 },  { "id_aa64smfr0_el1", 0, 4, 5 },
	{ "id_aa64fpfr0_el1", 0, 4, 7 }, { "id_aa64dfr0_el1", 0, 5, 0 },
	{ "id_aa64dfr1_el1", 0, 5, 1 },  { "id_aa64dfr2_el1", 0, 5, 2 },
	{ "id_aa64isar0_el1", 0, 6, 0 }, { "id_aa64isar1_el1", 0, 6, 1 },
	{ "id_aa64isar2_el1", 0, 6, 2 }, { "id_aa64isar3_el1", 0, 6, 3 },
	{ "id_aa64mmfr0_el1", 0, 7, 0 }, { "id_aa64mmfr1_el1", 0, 7, 1 },
	{ "id_aa64mmfr2_el1", 0, 7, 2 }, { "id_aa64mmfr3_el1", 0, 7, 3 },
	{ "id_aa64mmfr4_el1", 0, 7, 4 },
};

TestSuite(id_regs, .timeout = 20);

/* The fields of a register, as a name that is none is answered: "NAME NAME:WIDTH -". */
static char *fields_of(const struct reg *r, char why[400])
{
	struct id_change c;
	char name[40];
	const char *expected;

	snprintf(name, sizeof(name), "%s.?", r->name);
	expected = id_change_parse(name, 0, &c, why, 400);
	cr_assert(eq(ptr, (void *)expected, why), "%s", r->name);
	cr_assert(lt(sz, strlen(why), 399), "%s: all of them", r->name);
	expected = strchr(why, ':');
	cr_assert(ne(ptr, (void *)expected, NULL), "%s", why);
	return why + (expected - why) + 2;
}

/* The bits of a field; at most its greatest value is taken. */
static u64 mask_of(const struct reg *r, const char *field, unsigned int width)
{
	u64 most = GENMASK(width - 1, 0);
	struct id_change c;
	char name[64], why[400];

	snprintf(name, sizeof(name), "%s.%s", r->name, field);
	cr_assert(zero(ptr, (void *)id_change_parse(name, most, &c, why, sizeof(why))), "%s", name);
	cr_assert(eq(u64, c.val, c.mask), "%s", name);
	cr_assert(eq(u64, c.reg, ARM64_SYS_REG(3, r->op1, 0, r->crm, r->op2)), "%s", name);
	cr_assert(ne(ptr, (void *)id_change_parse(name, most + 1, &c, why, sizeof(why)), NULL),
	          "%s", name);
	return c.mask;
}

ParameterizedTestParameters(id_regs, every_field_is_found_where_its_row_has_it)
{
	return cr_make_param_array(struct reg, regs, ARRAY_SIZE(regs));
}

ParameterizedTest(struct reg *r, id_regs, every_field_is_found_where_its_row_has_it)
{
	char why[400], *field;
	unsigned int at = 0;
	u64 taken = 0;

	for (field = strtok(fields_of(r, why), " "); field; field = strtok(NULL, " ")) {
		char *colon = strchr(field, ':');
		unsigned int width = colon ? atoi(colon + 1) : 4;
		u64 mask;

		if (colon)
			*colon = 0;
		cr_assert(ge(u32, width, 1), "%s.%s", r->name, field);
		cr_assert(le(u32, at + width, 64), "%s.%s", r->name, field);
		if (strcmp(field, "-")) {
			mask = mask_of(r, field, width);
			cr_assert(eq(u64, mask, GENMASK(at + width - 1, at)), "%s.%s", r->name,
			          field);
			cr_assert(zero(u64, mask & taken), "%s.%s", r->name, field);
			taken |= mask;
		}
		at += width;
	}
}

Test(id_regs, a_register_is_its_name_in_either_case_and_its_encoding)
{
	struct id_change by_name, by_case, by_encoding;
	char text[32], why[400];

	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		const struct reg *r = &regs[i];

		cr_assert(zero(ptr, (void *)id_change_parse(r->name, 7, &by_name, why, 400)));
		for (size_t c = 0; c <= strlen(r->name); c++)
			text[c] = r->name[c] >= 'a' ? r->name[c] - 0x20 : r->name[c];
		cr_assert(zero(ptr, (void *)id_change_parse(text, 7, &by_case, why, 400)));
		snprintf(text, sizeof(text), "s3_%u_c0_c%u_%u", r->op1, r->crm, r->op2);
		cr_assert(zero(ptr, (void *)id_change_parse(text, 7, &by_encoding, why, 400)));
		cr_assert(eq(u64, by_name.reg, by_encoding.reg), "%s", r->name);
		cr_assert(eq(u64, by_case.reg, by_encoding.reg), "%s", r->name);
		cr_assert(eq(u64, by_name.mask, ~0ULL), "%s", r->name);
	}
}

Test(id_regs, a_register_without_a_name_has_its_encoding_alone)
{
	struct id_change c;
	char text[32], why[400];
	unsigned int op1s[] = { 0, 1, 3 };

	for (unsigned int i = 0; i < 3 * 8 * 8; i++) {
		unsigned int op1 = op1s[i / 64], crm = i / 8 % 8, op2 = i % 8;

		if (!op1 && !crm && op2 == 5)
			continue; /* MPIDR_EL1: each CPU's own */
		snprintf(text, sizeof(text), "s3_%u_c0_c%u_%u", op1, crm, op2);
		cr_assert(zero(ptr, (void *)id_change_parse(text, i, &c, why, 400)), "%s", text);
		cr_assert(eq(u64, c.reg, ARM64_SYS_REG(3, op1, 0, crm, op2)), "%s", text);
		cr_assert(eq(u64, c.val, i));
	}
}

/* What KVM refuses is named as it would be given. */
Test(id_regs, a_refusal_names_the_register)
{
	static struct vm vm;
	struct id_change c;
	char why[400], want[80];

	fake_vm(&vm, 1);
	fake.regs_fail = true;
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		id_change_parse(regs[i].name, 0, &c, why, sizeof(why));
		cr_assert(lt(int, id_changes_apply(&vm, &c, 1, why, sizeof(why)), 0));
		snprintf(want, sizeof(want), "--cpu %s: ", regs[i].name);
		cr_assert(zero(int, strncmp(why, want, strlen(want))), "%s", why);
	}
	fake.regs_fail = false;
	fake_vm_destroy(&vm);
}

Test(id_regs, a_long_answer_is_cut)
{
	struct id_change c;
	char why[16];

	cr_assert(eq(str, (char *)id_change_parse("ctr_el0.x", 0, &c, why, sizeof(why)),
	             "a field of ctr_"));
}

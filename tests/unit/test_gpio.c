// SPDX-License-Identifier: GPL-2.0-only
/* The PL061: pins, directions, and interrupts by level and by edge. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>

#include "devices/gpio.h"
#include "tests/unit/fake_kvm.h"

#define BASE 0x1030000
#define SPI  11

enum {
	ALL = 0x3fc,
	DIR = 0x400,
	IS = 0x404,
	IBE = 0x408,
	IEV = 0x40c,
	IE = 0x410,
	RIS = 0x414,
	MIS = 0x418,
	IC = 0x41c,
	AFSEL = 0x420
};

static struct vm vm;
static struct gpio *gpio;

static void make(void)
{
	fake_vm(&vm, 1);
	cr_assert(zero(int, gpio_create(&gpio, &vm, BASE, SPI)));
}

static void unmake(void)
{
	gpio_destroy(gpio);
	fake_vm_destroy(&vm);
}

TestSuite(gpio, .init = make, .fini = unmake);

static u32 in(unsigned int reg)
{
	return fake_read(&vm, BASE + reg, 4);
}

static void out(unsigned int reg, u32 val)
{
	fake_write(&vm, BASE + reg, 4, val);
}

Test(gpio, an_input_is_what_is_driven)
{
	cr_assert(zero(u32, in(ALL)));
	gpio_drive(gpio, 3, true);
	gpio_drive(gpio, 7, true);
	cr_assert(eq(u32, in(ALL), 0x88));
	out(ALL, 0);
	cr_assert(eq(u32, in(ALL), 0x88), "it is not the guest's to write");
	gpio_drive(gpio, 3, false);
	cr_assert(eq(u32, in(ALL), 0x80));
}

Test(gpio, the_address_says_which_pins)
{
	gpio_drive(gpio, 3, true);
	gpio_drive(gpio, 0, true);
	cr_assert(eq(u32, in(1 << 5), 8));
	cr_assert(eq(u32, in(1 << 2), 1));
	cr_assert(zero(u32, in(0)));
	out(DIR, 0xf0);
	out(0x30 << 2, 0xff);
	cr_assert(eq(u32, in(ALL), 0x39));
	out(0x10 << 2, 0);
	cr_assert(eq(u32, in(ALL), 0x29), "the others stay");
}

Test(gpio, an_output_is_what_was_written)
{
	out(DIR, 1);
	out(ALL, 0xff);
	cr_assert(eq(u32, in(ALL), 1));
	gpio_drive(gpio, 0, false);
	cr_assert(eq(u32, in(ALL), 1));
	out(DIR, 0);
	cr_assert(zero(u32, in(ALL)), "an input again");
}

struct edge_case {
	u32 is, ibe, iev;
	bool on_rise, on_fall, stays; /* stays: after it was cleared, while the pin is high */
};

ParameterizedTestParameters(gpio, an_interrupt_comes_as_it_was_asked_for)
{
	static struct edge_case cases[] = {
		{ 0, 0, 8, true, false, false },                                 /* rising */
		{ 0, 0, 0, false, true, false },                                 /* falling */
		{ 0, 8, 0, true, true, false },                                  /* both */
		{ 0, 8, 8, true, true, false },  { 8, 0, 8, true, false, true }, /* high */
		{ 8, 0, 0, false, true, false },                                 /* low */
	};

	return cr_make_param_array(struct edge_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct edge_case *c, gpio, an_interrupt_comes_as_it_was_asked_for)
{
	out(IS, c->is);
	out(IBE, c->ibe);
	out(IEV, c->iev);
	out(IC, 0xff);
	out(IE, 8);
	gpio_drive(gpio, 3, true);
	cr_assert(eq(int, fake.lines[SPI], c->on_rise));
	cr_assert(eq(u32, in(MIS), c->on_rise ? 8 : 0));
	out(IC, 8);
	cr_assert(eq(int, fake.lines[SPI], c->stays));
	gpio_drive(gpio, 3, false);
	cr_assert(eq(int, fake.lines[SPI], c->on_fall));
	cr_assert(eq(u32, in(RIS)&8, c->on_fall ? 8 : 0));
}

Test(gpio, an_interrupt_that_is_masked_waits)
{
	out(IEV, 8);
	gpio_drive(gpio, 3, true);
	cr_assert(eq(u32, in(RIS), 8));
	cr_assert(zero(u32, in(MIS)));
	cr_assert(zero(u32, fake.line_changes));
	out(IE, 8);
	cr_assert(fake.lines[SPI]);
	out(IE, 0);
	cr_assert(not(fake.lines[SPI]));
}

Test(gpio, an_output_interrupts_as_an_input_does)
{
	out(IEV, 1);
	out(IE, 1);
	out(DIR, 1);
	out(ALL, 1);
	cr_assert(fake.lines[SPI]);
}

Test(gpio, linux_knows_it_by_its_numbers)
{
	static const u32 ids[] = { 0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++)
		cr_assert(eq(u32, in(0xfe0 + 4 * i), ids[i]), "%#x", 0xfe0 + 4 * i);
}

Test(gpio, accesses_of_any_size_anywhere_do_no_harm)
{
	for (unsigned int size = 1; size <= 8; size *= 2) {
		for (u64 at = 0; at < GPIO_SIZE; at += size) {
			fake_write(&vm, BASE + at, size, ~0ULL);
			fake_read(&vm, BASE + at, size);
		}
	}
	cr_assert(eq(u32, in(AFSEL), 0xff), "eight pins");
	cr_assert(zero(u32, in(0x424)));
}

Test(gpio, an_address_taken_is_refused)
{
	struct gpio *other;

	cr_assert(eq(int, gpio_create(&other, &vm, BASE, SPI), -EEXIST));
}

// SPDX-License-Identifier: GPL-2.0-only
/* The PL031: its counter, its match interrupt, what it is identified by. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <time.h>

#include "devices/rtc.h"
#include "tests/unit/fake_kvm.h"

#define BASE 0x1010000
#define SPI  9

enum {
	DR = 0x00,
	MR = 0x04,
	LR = 0x08,
	CR = 0x0c,
	IMSC = 0x10,
	RIS = 0x14,
	MIS = 0x18,
	ICR = 0x1c
};

static struct vm vm;
static struct rtc *rtc;

static void make(void)
{
	fake_vm(&vm, 1);
	cr_assert(zero(int, rtc_create(&rtc, &vm, BASE, SPI)));
}

static void unmake(void)
{
	loop_drain(vm.loop);
	rtc_destroy(rtc);
	fake_vm_destroy(&vm);
}

TestSuite(rtc, .init = make, .fini = unmake, .timeout = 20);

static u32 in(unsigned int reg)
{
	return fake_read(&vm, BASE + reg, 4);
}

static void out(unsigned int reg, u32 val)
{
	fake_write(&vm, BASE + reg, 4, val);
}

/* The second may change between two looks, once. */
static bool is_or_was(u32 got, u32 want)
{
	return got == want || got == want + 1;
}

Test(rtc, it_has_the_host_s_time_and_runs)
{
	u32 now = time(NULL);

	cr_assert(is_or_was(in(DR), now));
	cr_assert(eq(u32, in(CR), 1));
	out(CR, 0);
	cr_assert(eq(u32, in(CR), 1), "no write stops it");
	cr_assert(zero(u32, in(RIS) | in(MIS) | in(IMSC)));
}

Test(rtc, what_is_loaded_goes_on_from_there)
{
	out(LR, 0x12345678);
	cr_assert(is_or_was(in(DR), 0x12345678));
	cr_assert(eq(u32, in(LR), 0x12345678));
	out(DR, 1);
	cr_assert(is_or_was(in(DR), 0x12345678), "the counter itself is read-only");
}

Test(rtc, a_match_interrupts_until_it_is_cleared)
{
	out(LR, 1000);
	out(IMSC, 1);
	out(MR, in(DR));
	if (!in(RIS))
		out(MR, in(DR)); /* it had just gone on */
	cr_assert(eq(u32, in(RIS), 1));
	cr_assert(eq(u32, in(MIS), 1));
	cr_assert(fake.lines[SPI]);
	out(ICR, 0);
	cr_assert(fake.lines[SPI]);
	out(ICR, 1);
	cr_assert(zero(u32, in(RIS) | in(MIS)));
	cr_assert(not(fake.lines[SPI]));
	cr_assert(zero(u32, in(ICR)));
}

Test(rtc, a_masked_match_is_raw_only)
{
	out(MR, in(DR));
	if (!in(RIS))
		out(MR, in(DR));
	cr_assert(eq(u32, in(RIS), 1));
	cr_assert(zero(u32, in(MIS)));
	cr_assert(zero(u32, fake.line_changes));
	out(IMSC, 1);
	cr_assert(fake.lines[SPI]);
	out(IMSC, 0);
	cr_assert(not(fake.lines[SPI]));
	cr_assert(eq(u32, in(RIS), 1));
}

static void stop(unsigned int spi, bool level)
{
	cr_assert(eq(u32, spi, SPI));
	if (level)
		loop_stop(vm.loop);
}

/* The next second, by the host's clock; and by one that the guest has set. */
ParameterizedTestParameters(rtc, the_alarm_comes_when_the_counter_is_there)
{
	static u32 loaded[] = { 0, 77, ~0u };

	return cr_make_param_array(u32, loaded, ARRAY_SIZE(loaded));
}

ParameterizedTest(u32 *loaded, rtc, the_alarm_comes_when_the_counter_is_there)
{
	u32 alarm;

	fake.line_changed = stop;
	if (*loaded)
		out(LR, *loaded);
	out(IMSC, 1);
	alarm = in(DR) + 2;
	out(MR, alarm);
	cr_assert(not(fake.lines[SPI]));
	cr_assert(zero(int, loop_run(vm.loop)));
	cr_assert(is_or_was(in(DR), alarm));
	cr_assert(eq(u32, in(MIS), 1));
}

Test(rtc, an_alarm_that_is_put_off_does_not_come)
{
	fake.line_changed = stop;
	out(IMSC, 1);
	out(MR, in(DR) + 1);
	out(MR, in(DR) + 3);
	cr_assert(zero(int, loop_run(vm.loop)));
	cr_assert(ge(u32, in(DR), in(MR)));
}

Test(rtc, linux_knows_it_by_its_numbers)
{
	static const u32 ids[] = { 0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++)
		cr_assert(eq(u32, in(0xfe0 + 4 * i), ids[i]), "%#x", 0xfe0 + 4 * i);
}

Test(rtc, accesses_of_any_size_anywhere_do_no_harm)
{
	for (unsigned int size = 1; size <= 8; size *= 2) {
		for (u64 at = 0; at < RTC_SIZE; at += size) {
			fake_write(&vm, BASE + at, size, ~0ULL);
			fake_read(&vm, BASE + at, size);
		}
	}
	cr_assert(eq(u32, in(IMSC), 1), "one bit is there");
	cr_assert(zero(u32, in(0x20)));
}

Test(rtc, an_address_taken_is_refused)
{
	struct rtc *other;
	unsigned int fds = open_fds();

	cr_assert(eq(int, rtc_create(&other, &vm, BASE, SPI), -EEXIST));
	cr_assert(eq(u32, open_fds(), fds));
}

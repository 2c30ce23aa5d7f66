/* SPDX-License-Identifier: GPL-2.0-only */
/* The board's small devices: the PL031 (Arm DDI 0224), pvpanic, the PL061 (Arm DDI 0190). */
#include "lib/gic.h"

#define RTC     0x01010000UL
#define PVPANIC 0x01011000UL
#define GPIO    0x01030000UL

enum { RTC_DR = 0, RTC_MR = 4, RTC_LR = 8, RTC_IMSC = 0x10, RTC_RIS = 0x14, RTC_ICR = 0x1c };
enum {
	GPIO_ALL = 0x3fc,
	GPIO_DIR = 0x400,
	GPIO_IBE = 0x408,
	GPIO_IE = 0x410,
	GPIO_MIS = 0x418,
	GPIO_IC = 0x41c
};
enum { SPI_RTC = 32 + 36, SPI_GPIO = 32 + 37 };
enum { PANICKED = 1, CRASH_LOADED = 2 };

static volatile unsigned int interrupts;

/* The counter goes on by one a second, as the virtual counter has it. */
static void clock(void)
{
	u32 first = read32(RTC + RTC_DR), second;
	u64 start;

	check(first > 1700000000, "it is %u seconds since 1970", first);
	check(wait_for(read32(RTC + RTC_DR) != first, 3000), "the clock stands still");
	second = read32(RTC + RTC_DR);
	check(second == first + 1, "from %u to %u", first, second);
	start = now();
	check(wait_for(read32(RTC + RTC_DR) != second, 3000), "the clock stands still");
	check(now() - start > ms(500), "a second takes %lu ticks", now() - start);
}

static void took_alarm(u32 intid)
{
	check(intid == SPI_RTC, "interrupt %u", intid);
	check(read32(RTC + RTC_DR) >= read32(RTC + RTC_MR), "the alarm is early");
	interrupts++;
	write32(RTC + RTC_ICR, 1);
}

static void alarm(void)
{
	gic_init();
	gic_enable(SPI_RTC);
	irq_handler = took_alarm;
	irqs_on();
	write32(RTC + RTC_LR, 5000);
	write32(RTC + RTC_IMSC, 1);
	write32(RTC + RTC_MR, 5002);
	check(wait_for(interrupts, LONG), "no alarm");
	check(!read32(RTC + RTC_RIS), "the alarm stays");
	wait_for(false, 20);
	check(interrupts == 1, "%u interrupts", interrupts);
	check(!gic_pending(SPI_RTC), "the line is high");
}

static void took_edge(u32 intid)
{
	check(intid == SPI_GPIO, "interrupt %u", intid);
	check(read32(GPIO + GPIO_MIS) == 1, "MIS %x", read32(GPIO + GPIO_MIS));
	interrupts++;
	write32(GPIO + GPIO_IC, 1);
}

/* An output of the guest's own, which interrupts as an input does. */
static void gpio(void)
{
	gic_init();
	gic_enable(SPI_GPIO);
	irq_handler = took_edge;
	write32(GPIO + GPIO_IBE, 1);
	write32(GPIO + GPIO_DIR, 1);
	write32(GPIO + GPIO_IE, 1);
	irqs_on();
	for (unsigned int i = 1; i <= 20; i++) {
		write32(GPIO + GPIO_ALL, i & 1);
		check(read32(GPIO + GPIO_ALL) == (i & 1), "the pin is %x", read32(GPIO + GPIO_ALL));
		check(wait_for(interrupts == i, LONG), "edge %u does not interrupt", i);
	}
}

static void supported(void)
{
	check(read8(PVPANIC) == (PANICKED | CRASH_LOADED), "events %x", read8(PVPANIC));
	check(read16(PVPANIC) == (PANICKED | CRASH_LOADED), "events %x", read16(PVPANIC));
}

static void panicked(void)
{
	write8(PVPANIC, PANICKED);
	fail("a panic, and the guest goes on");
}

static void panicked_wide(void)
{
	write16(PVPANIC, PANICKED);
	fail("a panic, and the guest goes on");
}

static void crash_loaded(void)
{
	for (unsigned int i = 0; i < 1000; i++)
		write8(PVPANIC, CRASH_LOADED);
}

/* Any size, any value, anywhere in them; but nothing that is a panic. */
static void access_all(u64 page, unsigned int size, u64 value)
{
	for (u64 at = 0; at < 0x1000; at += size) {
		if (at == 0x500) /* there is no register between */
			at = 0xf00;
		write_sized(page + at, size, value);
		read_sized(page + at, size);
	}
}

static void hostile(void)
{
	static const u64 pages[] = { RTC, GPIO };
	static const u64 values[] = { 0, ~0UL, 0x8080808080808081 };

	for (unsigned int page = 0; page < ARRAY_SIZE(pages); page++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(values); i++)
			access_all(pages[page], 4, values[i]);
		for (unsigned int size = 1; size <= 8; size *= 2)
			access_all(pages[page], size, values[2]);
	}
	for (u32 val = 0; val < 0x10000; val += 258) { /* every low byte that is even */
		write8(PVPANIC, val);
		write16(PVPANIC, val);
		write8(PVPANIC + 1, val >> 8);
	}
	expect_aborts();
	read32(PVPANIC);
	write32(PVPANIC, PANICKED);
	read64(PVPANIC);
	read8(PVPANIC + 2);
	check(expected_aborts().count == 4, "accesses past pvpanic are answered");
	write32(RTC + RTC_ICR, 1);
	write32(RTC + RTC_IMSC, 0);
	write32(GPIO + GPIO_IE, 0);
	write32(GPIO + GPIO_DIR, 0);
	write32(RTC + RTC_LR, 1800000000);
	clock();
}

static const struct test tests[] = {
	{ "clock", clock },
	{ "alarm", alarm },
	{ "gpio", gpio },
	{ "supported", supported },
	{ "panicked", panicked },
	{ "panicked-wide", panicked_wide },
	{ "crash-loaded", crash_loaded },
	{ "hostile", hostile },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* The v2m frame itself (Arm DEN 0029): its registers, and a CPU that writes its doorbell. */
#include "lib/gic.h"

static volatile unsigned int interrupts;
static volatile u32 last;

static void took(u32 intid)
{
	last = intid;
	interrupts++;
}

static u32 first_spi(void)
{
	return read32(V2M_TYPER) >> 16 & 0x3ff;
}

static u32 nr_spis(void)
{
	return read32(V2M_TYPER) & 0x3ff;
}

static void start(void)
{
	gic_init();
	irq_handler = took;
	for (u32 i = 0; i < nr_spis(); i++)
		gic_enable_edge(first_spi() + i);
	irqs_on();
}

static void registers(void)
{
	const u32 typer = read32(V2M_TYPER);

	check(first_spi() >= 32 && nr_spis() && first_spi() + nr_spis() <= 1020, "TYPER %x", typer);
	check(!read32(V2M_SETSPI), "SETSPI reads %x", read32(V2M_SETSPI));
	write32(V2M_TYPER, ~typer);
	check(read32(V2M_TYPER) == typer, "TYPER can be written");
	for (unsigned int size = 1; size <= 8; size *= 2)
		for (u32 at = 0; at < 0x1000; at += size) {
			read_sized(V2M_BASE + at, size);
			if (at / 8 != 0x40 / 8)
				write_sized(V2M_BASE + at, size, first_spi());
		}
	check(read32(V2M_TYPER) == typer, "TYPER changes");
}

/* Each is an edge: one write, one interrupt, and the line is low again. */
static void doorbell(void)
{
	start();
	for (u32 i = 0; i < nr_spis(); i++) {
		u32 spi = first_spi() + i;

		write32(V2M_SETSPI, spi);
		check(wait_for(interrupts == i + 1, LONG), "SPI %u: no interrupt", spi);
		check(last == spi, "SPI %u is %u", spi, last);
		check(!gic_pending(spi), "SPI %u stays pending", spi);
	}
	wait_for(false, 20);
	check(interrupts == nr_spis(), "%u interrupts of %u", interrupts, nr_spis());
}

/* What is not the frame's to raise: SGIs, PPIs, the UART's, the next after its own. */
static void others(void)
{
	const u32 values[] = { 0,
		               1,
		               15,
		               PPI_VTIMER,
		               SPI_UART0,
		               SPI_INTX0,
		               first_spi() - 1,
		               first_spi() + nr_spis(),
		               1019,
		               1023,
		               ~0u };

	start();
	gic_enable(SPI_UART0);
	gic_enable(PPI_VTIMER);
	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++)
		write32(V2M_SETSPI, values[i]);
	write64(V2M_SETSPI, first_spi());
	wait_for(false, 50);
	check(!interrupts, "interrupt %u", last);
}

/* While its interrupt is disabled a message waits, and only one. */
static void waits(void)
{
	start();
	gic_disable(first_spi());
	write32(V2M_SETSPI, first_spi());
	write32(V2M_SETSPI, first_spi());
	wait_for(false, 20);
	check(!interrupts, "a disabled interrupt is taken");
	check(gic_pending(first_spi()), "a message is lost");
	gic_enable_edge(first_spi());
	check(wait_for(interrupts, LONG), "no interrupt once it is enabled");
	wait_for(false, 20);
	check(interrupts == 1, "%u interrupts", interrupts);
}

static const struct test tests[] = {
	{ "registers", registers },
	{ "doorbell", doorbell },
	{ "others", others },
	{ "waits", waits },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

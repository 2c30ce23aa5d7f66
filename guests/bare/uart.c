/* SPDX-License-Identifier: GPL-2.0-only */
/* The first UART as a 16550A: registers, loopback, interrupts, input (National PC16550D, 8). */
#include "lib/gic.h"

enum {
	RBR = 0,
	THR = 0,
	DLL = 0,
	IER = 1,
	DLM = 1,
	IIR = 2,
	FCR = 2,
	LCR = 3,
	MCR = 4,
	LSR = 5,
	MSR = 6,
	SCR = 7
};
enum { IER_RX = 1, IER_THRE = 2, IIR_NONE = 1, IIR_THRE = 2, IIR_RX = 4, IIR_FIFO = 0xc0 };
enum { LCR_8N1 = 3, LCR_DLAB = 0x80, LSR_DR = 1, LSR_THRE = 0x20, LSR_TEMT = 0x40 };
enum { MCR_LOOP = 0x10, BULK = 4096 };

static volatile unsigned int interrupts, received;
static volatile u8 ids[4];
static u8 input[BULK];

static u8 get(unsigned int reg)
{
	return read8(UART_BASE + reg);
}

static void put(unsigned int reg, u8 val)
{
	write8(UART_BASE + reg, val);
}

static void registers(void)
{
	for (unsigned int val = 0; val < 256; val += 51) {
		put(SCR, val);
		check(get(SCR) == val, "scratch is %x, not %x", get(SCR), val);
	}
	put(FCR, 1);
	check((get(IIR) & IIR_FIFO) == IIR_FIFO, "no FIFO: IIR %x", get(IIR));
	put(FCR, 0);
	check((get(IIR) & IIR_FIFO) == 0, "the FIFO stays on: IIR %x", get(IIR));
	put(IER, 0);
	put(LCR, LCR_8N1 | LCR_DLAB);
	put(DLL, 0x12);
	put(DLM, 0x34);
	check(get(DLL) == 0x12 && get(DLM) == 0x34, "the divisor does not hold");
	put(LCR, LCR_8N1);
	check(get(IER) == 0, "the divisor is in IER: %x", get(IER));
	check(get(LSR) == (LSR_THRE | LSR_TEMT), "LSR %x", get(LSR));
}

/* What is sent comes back, and nowhere else; the modem's inputs are its outputs. */
static void loopback(void)
{
	static const struct {
		u8 mcr, msr;
	} lines[] = { { 1, 0x20 }, { 2, 0x10 }, { 4, 0x40 }, { 8, 0x80 }, { 0, 0 }, { 15, 0xf0 } };
	static const char text[] = "looped";

	put(FCR, 7);
	put(MCR, MCR_LOOP);
	for (const char *c = text; *c; c++)
		put(THR, *c);
	for (const char *c = text; *c; c++) {
		check(get(LSR) & LSR_DR, "nothing comes back");
		check(get(RBR) == *c, "something else comes back");
	}
	check(!(get(LSR) & LSR_DR), "more comes back");
	for (unsigned int i = 0; i < ARRAY_SIZE(lines); i++) {
		u8 msr;

		put(MCR, MCR_LOOP | lines[i].mcr);
		msr = get(MSR) & 0xf0;
		put(MCR, 0);
		check(msr == lines[i].msr, "MCR %x: MSR %x", lines[i].mcr, msr);
	}
}

static void took_thre(u32 intid)
{
	check(intid == SPI_UART0, "interrupt %u", intid);
	check(interrupts < ARRAY_SIZE(ids), "the interrupt does not end");
	ids[interrupts++] = get(IIR) & 0xf;
}

/* An empty THR interrupts once it is enabled; reading IIR takes that back, and
 * so the line falls. */
static void thre(void)
{
	gic_init();
	gic_enable(SPI_UART0);
	irq_handler = took_thre;
	check(!gic_pending(SPI_UART0), "the line is high and nothing is enabled");
	put(IER, IER_THRE);
	check(gic_pending(SPI_UART0), "the line is low and THR is empty");
	check((get(IIR) & 0xf) == IIR_THRE, "IIR does not say THRE");
	check(!gic_pending(SPI_UART0), "the line is high after IIR was read");
	check((get(IIR) & 0xf) == IIR_NONE, "IIR still says THRE");
	irqs_on();
	put(THR, '\n');
	check(wait_for(interrupts, LONG), "no interrupt after a byte was sent");
	check(ids[0] == IIR_THRE, "IIR said %x", ids[0]);
	wait_for(false, 5);
	check(interrupts == 1, "%u interrupts", interrupts);
	irqs_off();
	put(IER, 0);
	put(IER, IER_THRE);
	check(gic_pending(SPI_UART0), "enabling again does not interrupt again");
	put(IER, 0);
	check(!gic_pending(SPI_UART0), "the line is high and the interrupt off");
}

static void took_rx(u32 intid)
{
	check(intid == SPI_UART0, "interrupt %u", intid);
	check((get(IIR) & 0xf) == IIR_RX, "IIR does not say that there is input");
	while (get(LSR) & LSR_DR) {
		u8 byte = get(RBR);

		if (received < BULK)
			input[received] = byte;
		received++;
	}
	interrupts++;
}

static void receive(void)
{
	gic_init();
	gic_enable(SPI_UART0);
	irq_handler = took_rx;
	put(IER, IER_RX); /* FCR stays: switching the FIFO would empty it (8.4) */
	irqs_on();
}

static bool line_is_in(void)
{
	return received && input[received - 1] == '\n';
}

static void echo(void)
{
	receive();
	check(wait_for(line_is_in(), LONG), "no input");
	irqs_off();
	check(!gic_pending(SPI_UART0), "the line is high and nothing is there");
	check(interrupts, "no interrupt");
	print("echo: ");
	for (unsigned int i = 0; i < received; i++)
		print_char(input[i]);
}

/* More than any FIFO holds, to a guest that is late: the host waits, and nothing is lost. */
static void bulk(void)
{
	wait_for(false, 200);
	receive();
	check(wait_for(received >= BULK, LONG), "%u bytes of %u", received, BULK);
	wait_for(false, 20);
	irqs_off();
	for (unsigned int i = 0; i < BULK; i++)
		print_char(input[i]);
	check(received == BULK, "%u bytes of %u", received, BULK);
}

/* More than the host's buffers take while nobody reads: 16 bytes (8.4.1) whenever THR is empty. */
static void flood(void)
{
	u64 lines = parameter_after("lines=", 1);

	put(FCR, 1);
	for (u64 line = 0; line < lines; line++) {
		while (!(get(LSR) & LSR_THRE))
			;
		for (unsigned int i = 0; i < 15; i++)
			put(THR, 'a' + (line + i) % 26);
		put(THR, '\n');
	}
}

/* A line, without its end, to an idle CPU. */
static void take_line(void)
{
	while (!received || (input[received - 1] != '\n' && input[received - 1] != '\r')) {
		asm volatile("wfi"); /* for what is pending too */
		irqs_on();
		irqs_off();
	}
	received--;
}

/* Somebody to talk to: whatever is said, until that is "exit". */
static void prompt(void)
{
	receive();
	do {
		irqs_off(); /* who sees the prompt may answer at once */
		received = 0;
		print("/ # ");
		take_line();
	} while (received != 4 || memcmp(input, "exit", 4));
}

/* Counts until something ends it, ten times a second. */
static void ticks(void)
{
	for (unsigned int i = 1;; i++) {
		print("tick %u\n", i);
		wait_for(false, 100);
	}
}

static const struct test tests[] = {
	{ "registers", registers }, { "loopback", loopback }, { "thre", thre },
	{ "echo", echo },           { "bulk", bulk },         { "flood", flood },
	{ "prompt", prompt },       { "ticks", ticks },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

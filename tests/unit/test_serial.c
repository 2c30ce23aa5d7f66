// SPDX-License-Identifier: GPL-2.0-only
/* The UART: registers, its FIFOs, its interrupts and the line. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <linux/serial_reg.h>
#include <string.h>

#include "devices/serial.h"
#include "tests/unit/fake_kvm.h"

#define BASE 0x1000000
#define SPI  2

/* The other end: takes as much as it has room for. */
static struct line {
	struct line_user backend;
	char out[256];
	size_t nr, room;
	unsigned int readable;
} line;

static size_t line_write(struct line_user *b, const u8 *bytes, size_t len)
{
	size_t n = len < line.room ? len : line.room;

	(void)b;
	memcpy(line.out + line.nr, bytes, n);
	line.nr += n;
	line.room -= n;
	return n;
}

static void line_readable(struct line_user *b)
{
	(void)b;
	line.readable++;
}

static struct vm vm;
static struct serial *serial;

static void make(void)
{
	const struct serial_config c = { .base = BASE, .spi = SPI, .backend = &line.backend };

	line = (struct line){ .backend = { line_write, line_readable }, .room = 200 };
	fake_vm(&vm, 1);
	cr_assert(zero(int, serial_create(&serial, &vm, &c)));
}

static void unmake(void)
{
	serial_destroy(serial);
	fake_vm_destroy(&vm);
}

TestSuite(serial, .init = make, .fini = unmake, .timeout = 20);

static u32 in(unsigned int reg)
{
	return fake_read(&vm, BASE + reg, 1);
}

static void out(unsigned int reg, u8 val)
{
	fake_write(&vm, BASE + reg, 1, val);
}

static bool raised(void)
{
	return fake.lines[SPI];
}

Test(serial, it_starts_idle)
{
	cr_assert(eq(u32, in(UART_LSR), UART_LSR_THRE | UART_LSR_TEMT));
	cr_assert(eq(u32, in(UART_IIR), UART_IIR_NO_INT));
	cr_assert(eq(u32, in(UART_MSR), UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS));
	cr_assert(zero(u32, in(UART_IER) | in(UART_LCR) | in(UART_MCR) | in(UART_SCR)));
	cr_assert(zero(u32, fake.line_changes));
}

struct register_case {
	unsigned int reg;
	u8 write, read;
};

ParameterizedTestParameters(serial, a_register_keeps_the_bits_it_has)
{
	static struct register_case cases[] = {
		{ UART_IER, 0xff, 0x0f }, { UART_LCR, 0x7f, 0x7f }, { UART_MCR, 0xef, 0x0f },
		{ UART_SCR, 0xa5, 0xa5 }, { UART_LSR, 0x00, 0x60 }, { UART_MSR, 0x00, 0xb0 },
	};

	return cr_make_param_array(struct register_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct register_case *c, serial, a_register_keeps_the_bits_it_has)
{
	out(c->reg, c->write);
	cr_assert(eq(u32, in(c->reg), c->read), "register %u", c->reg);
}

Test(serial, dlab_puts_the_divisor_in_front)
{
	out(UART_IER, UART_IER_RDI);
	out(UART_LCR, UART_LCR_DLAB);
	out(UART_DLL, 0x12);
	out(UART_DLM, 0x34);
	cr_assert(eq(u32, in(UART_DLL), 0x12));
	cr_assert(eq(u32, in(UART_DLM), 0x34));
	out(UART_LCR, 0);
	cr_assert(eq(u32, in(UART_IER), UART_IER_RDI));
	cr_assert(zero(u32, in(UART_RX)));
	cr_assert(zero(sz, line.nr), "a divisor is not output");
}

Test(serial, beyond_its_registers_there_is_nothing)
{
	out(8, 0xff);
	cr_assert(zero(u64, fake_read(&vm, BASE + 8, 1)));
	cr_assert(zero(u64, fake_read(&vm, BASE + SERIAL_SIZE - 4, 4)));
}

Test(serial, what_is_written_goes_out_at_once)
{
	out(UART_TX, 'h');
	out(UART_TX, 'i');
	cr_assert(eq(str, line.out, "hi"));
	cr_assert(eq(u32, in(UART_LSR), UART_LSR_THRE | UART_LSR_TEMT));
}

Test(serial, a_full_line_holds_thre_back_until_it_has_room)
{
	line.room = 1;
	for (const char *c = "abc"; *c; c++)
		out(UART_TX, *c);
	cr_assert(eq(str, line.out, "a"));
	cr_assert(zero(u32, in(UART_LSR) & (UART_LSR_THRE | UART_LSR_TEMT)));
	line.room = 1;
	serial_writable(serial);
	cr_assert(zero(u32, in(UART_LSR)&UART_LSR_THRE));
	line.room = 10;
	serial_writable(serial);
	cr_assert(eq(str, line.out, "abc"));
	cr_assert(eq(u32, in(UART_LSR)&UART_LSR_THRE, UART_LSR_THRE));
}

Test(serial, output_keeps_its_order_around_the_fifo)
{
	char want[130];

	for (int i = 0; i < 129; i++) {
		want[i] = 'a' + i % 26;
		line.room = i % 3 == 2 ? 3 : 0;
		out(UART_TX, want[i]);
	}
	want[129] = 0;
	cr_assert(eq(str, line.out, want));
}

Test(serial, without_a_backend_output_is_lost_and_the_line_is_free)
{
	const struct serial_config c = { .base = BASE + SERIAL_SIZE, .spi = SPI + 1 };
	struct serial *other;

	cr_assert(zero(int, serial_create(&other, &vm, &c)));
	fake_write(&vm, c.base, 1, 'x');
	cr_assert(eq(u64, fake_read(&vm, c.base + UART_LSR, 1), UART_LSR_THRE | UART_LSR_TEMT));
	serial_destroy(other);
}

Test(serial, the_thr_interrupt_comes_when_enabled_and_goes_when_read)
{
	out(UART_IER, UART_IER_THRI);
	cr_assert(raised());
	cr_assert(eq(u32, in(UART_IIR), UART_IIR_THRI));
	cr_assert(not(raised()));
	cr_assert(eq(u32, in(UART_IIR), UART_IIR_NO_INT));
	out(UART_TX, 'x');
	cr_assert(raised());
	out(UART_IER, 0);
	cr_assert(not(raised()));
}

Test(serial, the_thr_interrupt_waits_for_a_full_line)
{
	out(UART_IER, UART_IER_THRI);
	in(UART_IIR);
	line.room = 0;
	out(UART_TX, 'x');
	cr_assert(not(raised()));
	line.room = 1;
	serial_writable(serial);
	cr_assert(raised());
	cr_assert(eq(u32, in(UART_IIR), UART_IIR_THRI));
}

Test(serial, input_raises_the_line_until_it_is_read)
{
	out(UART_IER, UART_IER_RDI);
	cr_assert(eq(sz, serial_receive(serial, (const u8 *)"ok", 2), 2));
	cr_assert(raised());
	cr_assert(eq(u32, in(UART_IIR), UART_IIR_RDI));
	cr_assert(eq(u32, in(UART_LSR)&UART_LSR_DR, UART_LSR_DR));
	cr_assert(eq(u32, in(UART_RX), 'o'));
	cr_assert(raised());
	cr_assert(eq(u32, in(UART_RX), 'k'));
	cr_assert(not(raised()));
	cr_assert(zero(u32, in(UART_LSR)&UART_LSR_DR));
}

Test(serial, input_comes_before_thr_in_iir)
{
	out(UART_IER, UART_IER_RDI | UART_IER_THRI);
	serial_receive(serial, (const u8 *)"x", 1);
	cr_assert(eq(u32, in(UART_IIR), UART_IIR_RDI));
	in(UART_RX);
	cr_assert(eq(u32, in(UART_IIR), UART_IIR_THRI), "reading RDI did not take it back");
}

Test(serial, a_full_fifo_takes_no_more_and_says_when_it_does)
{
	u8 bytes[100] = { 0 };
	size_t n = serial_receive(serial, bytes, sizeof(bytes));

	cr_assert(ge(sz, n, 16));
	cr_assert(lt(sz, n, 100));
	cr_assert(zero(sz, serial_receive(serial, bytes, 1)));
	in(UART_RX);
	cr_assert(eq(u32, line.readable, 1));
	in(UART_RX);
	cr_assert(eq(u32, line.readable, 1));
	serial_receive(serial, bytes, 2);
	out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	cr_assert(eq(u32, line.readable, 2));
	cr_assert(zero(u32, in(UART_LSR)&UART_LSR_DR));
}

Test(serial, the_fifos_show_in_iir_while_enabled)
{
	out(UART_FCR, UART_FCR_ENABLE_FIFO);
	cr_assert(eq(u32, in(UART_IIR), 0xc0 | UART_IIR_NO_INT));
	out(UART_FCR, 0);
	cr_assert(eq(u32, in(UART_IIR), UART_IIR_NO_INT));
}

Test(serial, clearing_the_transmit_fifo_makes_thr_empty)
{
	out(UART_IER, UART_IER_THRI);
	in(UART_IIR);
	line.room = 0;
	out(UART_TX, 'x');
	out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_XMIT);
	cr_assert(eq(u32, in(UART_LSR)&UART_LSR_THRE, UART_LSR_THRE));
	cr_assert(raised(), "who waits for the interrupt gets it");
}

Test(serial, loopback_sends_to_itself_alone)
{
	out(UART_MCR, UART_MCR_LOOP);
	out(UART_TX, 'x');
	cr_assert(zero(sz, line.nr));
	cr_assert(eq(u32, in(UART_RX), 'x'));
	cr_assert(eq(sz, serial_receive(serial, (const u8 *)"y", 1), 1));
	cr_assert(zero(u32, in(UART_LSR)&UART_LSR_DR), "the line is disconnected");
}

struct modem_case {
	u8 out, in;
};

ParameterizedTestParameters(serial, loopback_connects_the_modem_lines)
{
	static struct modem_case cases[] = {
		{ UART_MCR_RTS, UART_MSR_CTS },
		{ UART_MCR_DTR, UART_MSR_DSR },
		{ UART_MCR_OUT1, UART_MSR_RI },
		{ UART_MCR_OUT2, UART_MSR_DCD },
		{ 0, 0 },
	};

	return cr_make_param_array(struct modem_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct modem_case *c, serial, loopback_connects_the_modem_lines)
{
	out(UART_MCR, UART_MCR_LOOP | c->out);
	cr_assert(eq(u32, in(UART_MSR), c->in));
}

Test(serial, an_address_taken_is_refused)
{
	const struct serial_config c = { .base = BASE, .spi = SPI };
	struct serial *other;

	cr_assert(eq(int, serial_create(&other, &vm, &c), -EEXIST));
}

// SPDX-License-Identifier: GPL-2.0-only
/* The console: pipes as standard input and output, a real UART and loop between. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <linux/serial_reg.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "devices/serial.h"
#include "machine/console.h"
#include "tests/unit/fake_kvm.h"
#include "vmm/vcpu.h"

#define BASE 0x1000000

static struct vm vm;
static struct console *console;
static struct serial *serial;
static int in, out; /* the user's ends */
static int stdio[2];

static void make(void)
{
	struct serial_config c = { .base = BASE, .spi = 0 };
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	stdio[0] = dup(STDIN_FILENO);
	stdio[1] = dup(STDOUT_FILENO);
	cr_assert(zero(int, pipe2(ends, O_CLOEXEC)));
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	in = ends[1];
	cr_assert(zero(int, pipe2(ends, O_CLOEXEC)));
	dup2(ends[1], STDOUT_FILENO);
	close(ends[1]);
	out = ends[0];
	fake_vm(&vm, 1);
	cr_assert(zero(int, console_create(&console, &vm)));
	c.backend = console_user(console);
	cr_assert(zero(int, serial_create(&serial, &vm, &c)));
	console_connect(console, serial_line(serial));
	fake_write(&vm, BASE + UART_IER, 1, UART_IER_RDI);
}

static void unmake(void)
{
	loop_drain(vm.loop);
	serial_destroy(serial);
	console_destroy(console);
	fake_vm_destroy(&vm);
	dup2(stdio[0], STDIN_FILENO);
	dup2(stdio[1], STDOUT_FILENO);
}

TestSuite(console, .init = make, .fini = unmake, .timeout = 20);

static u32 lsr(void)
{
	return fake_read(&vm, BASE + UART_LSR, 1);
}

static void put(const char *text)
{
	for (; *text; text++)
		fake_write(&vm, BASE + UART_TX, 1, *text);
}

/* Reads all that comes until the writer has no more. */
static size_t get(char *text, size_t want)
{
	size_t n = 0;

	while (n < want) {
		ssize_t got = read(out, text + n, want - n);

		if (got <= 0)
			break;
		n += got;
	}
	return n;
}

static void stop_when_raised(unsigned int spi, bool level)
{
	(void)spi;
	if (level)
		loop_stop(vm.loop);
}

static void *read_5_and_stop(void *text)
{
	get(text, 5);
	loop_stop(vm.loop);
	return NULL;
}

Test(console, what_the_guest_writes_comes_out)
{
	char text[8] = "";
	pthread_t thread;

	put("hello");
	pthread_create(&thread, NULL, read_5_and_stop, text);
	cr_assert(zero(int, loop_run(vm.loop)));
	pthread_join(thread, NULL);
	cr_assert(eq(str, text, "hello"));
}

Test(console, what_is_not_out_at_the_end_is_flushed)
{
	char text[8] = "";

	put("bye");
	loop_drain(vm.loop); /* before the loop had given it to the kernel */
	console_flush(console);
	cr_assert(eq(sz, get(text, 3), 3));
	cr_assert(eq(str, text, "bye"));
}

Test(console, a_reader_that_has_gone_does_not_hold_up_the_guest)
{
	close(out);
	fake_write(&vm, BASE + UART_IER, 1, UART_IER_THRI);
	while (lsr() & UART_LSR_THRE)
		fake_write(&vm, BASE + UART_TX, 1, 'x');
	fake.line_changed = stop_when_raised;
	cr_assert(zero(int, loop_run(vm.loop)));
	for (int i = 0; i < 200 * 1024; i++)
		fake_write(&vm, BASE + UART_TX, 1, 'x');
	cr_assert(eq(u32, lsr() & UART_LSR_THRE, UART_LSR_THRE));
}

static void *reader(void *arg)
{
	return (void *)get(arg, 1 << 17);
}

Test(console, a_full_buffer_holds_the_guest_back_until_someone_reads)
{
	static char text[1 << 17];
	size_t written = 0;
	pthread_t thread;
	void *got;

	while (lsr() & UART_LSR_THRE) {
		fake_write(&vm, BASE + UART_TX, 1, 'a' + written % 26);
		cr_assert(lt(sz, ++written, sizeof(text)));
	}
	cr_assert(ge(sz, written, 1 << 16));
	fake_write(&vm, BASE + UART_IER, 1, UART_IER_THRI);
	fake.line_changed = stop_when_raised;
	pthread_create(&thread, NULL, reader, text);
	cr_assert(zero(int, loop_run(vm.loop)));
	cr_assert(eq(u32, lsr() & UART_LSR_THRE, UART_LSR_THRE));
	loop_drain(vm.loop);
	console_flush(console);
	dup2(stdio[1], STDOUT_FILENO); /* the last writer of the pipe: its end */
	pthread_join(thread, &got);
	cr_assert(eq(sz, (size_t)got, written));
	for (size_t i = 0; i < written; i++)
		cr_assert(eq(chr, text[i], 'a' + i % 26), "byte %zu", i);
}

static unsigned int told_writable;

static size_t take_nothing(struct line_device *d, const u8 *bytes, size_t len)
{
	(void)d, (void)bytes, (void)len;
	return 0;
}

static void note_writable(struct line_device *d)
{
	(void)d;
	told_writable++;
}

static void *drop_all(void *arg)
{
	static char text[1 << 17];

	get(text, sizeof(text));
	return arg;
}

static void time_passed(struct loop_op *op, int res)
{
	(void)op, (void)res;
	loop_stop(vm.loop);
}

/* As an emergency write is, between what waits for room. */
Test(console, a_byte_that_has_room_does_not_make_another_forget_that_it_waits)
{
	static struct line_device device = { take_nothing, note_writable, NULL };
	static const u8 bytes[1 << 17];
	struct __kernel_timespec time = { .tv_nsec = 300 * 1000 * 1000 };
	struct loop_op op = { .done = time_passed };
	struct line_user *user = console_user(console);
	pthread_t thread;

	console_connect(console, &device);
	cr_assert(lt(sz, user->write(user, bytes, sizeof(bytes)), sizeof(bytes)));
	cr_assert(zero(sz, user->write(user, bytes, 0)));
	pthread_create(&thread, NULL, drop_all, NULL);
	loop_timeout(vm.loop, &op, &time);
	cr_assert(zero(int, loop_run(vm.loop)));
	cr_assert(eq(u32, told_writable, 1));
	dup2(stdio[1], STDOUT_FILENO);
	pthread_join(thread, NULL);
}

struct input_case {
	char typed[16], guest[16];
	int status;
};

ParameterizedTestParameters(console, what_is_typed_goes_in_but_for_the_escape)
{
	static struct input_case cases[] = {
		{ "hello", "hello", VM_RUNNING },        { "a\001ab", "a\001b", VM_RUNNING },
		{ "\001\001z", "\001z", VM_RUNNING },    { "\001bz", "bz", VM_RUNNING },
		{ "\003\004", "\003\004", VM_RUNNING },  { "\001x", "", STATUS_POWERED_OFF },
		{ "xa\001x", "xa", STATUS_POWERED_OFF },
	};

	return cr_make_param_array(struct input_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct input_case *c, console, what_is_typed_goes_in_but_for_the_escape)
{
	char guest[16] = "";

	fake.line_changed = stop_when_raised;
	cr_assert(eq(sz, write(in, c->typed, strlen(c->typed)), strlen(c->typed)));
	cr_assert(zero(int, loop_run(vm.loop)));
	for (char *at = guest; lsr() & UART_LSR_DR; at++)
		*at = fake_read(&vm, BASE + UART_RX, 1);
	cr_assert(eq(str, guest, c->guest));
	cr_assert(eq(int, vm.status, c->status));
}

Test(console, more_input_than_the_uart_holds_waits_for_room)
{
	char typed[200], guest[200];

	for (int i = 0; i < 200; i++)
		typed[i] = ' ' + i % 90;
	fake.line_changed = stop_when_raised;
	cr_assert(eq(sz, write(in, typed, 200), 200));
	cr_assert(zero(int, loop_run(vm.loop)));
	for (int i = 0; i < 200; i++)
		guest[i] = fake_read(&vm, BASE + UART_RX, 1);
	cr_assert(zero(int, memcmp(guest, typed, 200)));
	cr_assert(zero(u32, lsr() & UART_LSR_DR));
}

// SPDX-License-Identifier: GPL-2.0-only
/* A 16550A UART (National PC16550D data sheet, section 8). */
#include "devices/serial.h"

#include <errno.h>
#include <linux/serial_reg.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/vm.h"

#define FIFO_SIZE   64 /* a 16550A has 16; more input is lost less, and no driver can tell */
#define IIR_FIFO_ON 0xc0
#define LCR_DLAB    UART_LCR_DLAB
#define MSR_READY   (UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS)

struct fifo {
	u8 bytes[FIFO_SIZE];
	unsigned int head, nr;
};

struct serial {
	struct vm *vm;
	struct line_device line;
	struct line_user *backend;
	u32 spi;
	struct fifo rx, tx;
	bool thr_pending; /* THR became empty, and IIR has not said so yet */
	bool level;
	u8 ier, fcr, lcr, mcr, scr, dll, dlm;
};

static void fifo_put(struct fifo *f, u8 byte)
{
	if (f->nr == FIFO_SIZE)
		return;
	f->bytes[(f->head + f->nr++) % FIFO_SIZE] = byte;
}

static u8 fifo_get(struct fifo *f)
{
	u8 byte = f->bytes[f->head];

	if (!f->nr)
		return 0;
	f->head = (f->head + 1) % FIFO_SIZE;
	f->nr--;
	return byte;
}

/* The highest-priority interrupt that is enabled and pending (8.5, table III). */
static u8 interrupt_id(const struct serial *s)
{
	if (s->ier & UART_IER_RDI && s->rx.nr)
		return UART_IIR_RDI;
	if (s->ier & UART_IER_THRI && s->thr_pending)
		return UART_IIR_THRI;
	return UART_IIR_NO_INT;
}

static void update_line(struct serial *s)
{
	bool level = interrupt_id(s) != UART_IIR_NO_INT;

	if (level == s->level)
		return;
	s->level = level;
	irq_set_line(s->vm->irq, s->spi, level);
}

/* Moves what the transmit FIFO holds to the line; THR is empty when all of it has gone. */
static void transmit(struct serial *s)
{
	while (s->tx.nr) {
		size_t run = FIFO_SIZE - s->tx.head < s->tx.nr ? FIFO_SIZE - s->tx.head : s->tx.nr;
		size_t n = run;

		if (s->backend)
			n = s->backend->write(s->backend, &s->tx.bytes[s->tx.head], run);
		s->tx.head = (s->tx.head + n) % FIFO_SIZE;
		s->tx.nr -= n;
		if (n < run)
			return;
	}
	s->thr_pending = true;
}

void serial_writable(struct serial *s)
{
	if (s->tx.nr)
		transmit(s);
	update_line(s);
}

size_t serial_receive(struct serial *s, const u8 *bytes, size_t len)
{
	size_t n = 0;

	if (s->mcr & UART_MCR_LOOP)
		return len; /* 8.6: the line is disconnected */
	while (n < len && s->rx.nr < FIFO_SIZE)
		fifo_put(&s->rx, bytes[n++]);
	update_line(s);
	return n;
}

static size_t line_receive(struct line_device *d, const u8 *bytes, size_t len)
{
	return serial_receive(container_of(d, struct serial, line), bytes, len);
}

static void line_writable(struct line_device *d)
{
	serial_writable(container_of(d, struct serial, line));
}

struct line_device *serial_line(struct serial *s)
{
	return &s->line;
}

static u64 read_rbr(struct serial *s)
{
	bool was_full = s->rx.nr == FIFO_SIZE;
	u8 byte;

	if (s->lcr & LCR_DLAB)
		return s->dll;
	byte = fifo_get(&s->rx);
	if (was_full && s->backend)
		s->backend->readable(s->backend);
	return byte;
}

static u64 read_ier(struct serial *s)
{
	return s->lcr & LCR_DLAB ? s->dlm : s->ier;
}

/* Reading IIR takes back the THR interrupt, if that is the one it names. */
static u64 read_iir(struct serial *s)
{
	u8 id = interrupt_id(s);

	if (id == UART_IIR_THRI)
		s->thr_pending = false;
	return id | (s->fcr & UART_FCR_ENABLE_FIFO ? IIR_FIFO_ON : 0);
}

static u64 read_lcr(struct serial *s)
{
	return s->lcr;
}

static u64 read_mcr(struct serial *s)
{
	return s->mcr;
}

static u64 read_lsr(struct serial *s)
{
	return (s->rx.nr ? UART_LSR_DR : 0) | (s->tx.nr ? 0 : UART_LSR_THRE | UART_LSR_TEMT);
}

/* 8.6: in loopback the four modem inputs are the four outputs. */
static u64 read_msr(struct serial *s)
{
	if (!(s->mcr & UART_MCR_LOOP))
		return MSR_READY;
	return (s->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0) |
	       (s->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0) |
	       (s->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0) |
	       (s->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0);
}

static u64 read_scr(struct serial *s)
{
	return s->scr;
}

static void write_thr(struct serial *s, u8 val)
{
	if (s->lcr & LCR_DLAB) {
		s->dll = val;
		return;
	}
	if (s->mcr & UART_MCR_LOOP) {
		fifo_put(&s->rx, val);
		s->thr_pending = true;
		return;
	}
	s->thr_pending = false;
	fifo_put(&s->tx, val);
	transmit(s);
}

static void write_ier(struct serial *s, u8 val)
{
	if (s->lcr & LCR_DLAB) {
		s->dlm = val;
		return;
	}
	if (val & ~s->ier & UART_IER_THRI && !s->tx.nr)
		s->thr_pending = true;
	s->ier = val & 0xf;
}

static void write_fcr(struct serial *s, u8 val)
{
	bool toggled = (val ^ s->fcr) & UART_FCR_ENABLE_FIFO;
	bool was_full = s->rx.nr == FIFO_SIZE;

	s->fcr = val & UART_FCR_ENABLE_FIFO;
	if (toggled || val & UART_FCR_CLEAR_RCVR)
		s->rx.nr = 0;
	if (s->tx.nr && (toggled || val & UART_FCR_CLEAR_XMIT)) {
		s->tx.nr = 0;
		s->thr_pending = true;
	}
	if (was_full && !s->rx.nr && s->backend)
		s->backend->readable(s->backend);
}

static void write_lcr(struct serial *s, u8 val)
{
	s->lcr = val;
}

static void write_mcr(struct serial *s, u8 val)
{
	s->mcr = val & 0x1f;
}

static void write_scr(struct serial *s, u8 val)
{
	s->scr = val;
}

/* LSR and MSR are read-only; IIR and FCR share an address. */
static const struct {
	u64 (*read)(struct serial *s);
	void (*write)(struct serial *s, u8 val);
} registers[8] = {
	[UART_RX] = { read_rbr, write_thr },  [UART_IER] = { read_ier, write_ier },
	[UART_IIR] = { read_iir, write_fcr }, [UART_LCR] = { read_lcr, write_lcr },
	[UART_MCR] = { read_mcr, write_mcr }, [UART_LSR] = { .read = read_lsr },
	[UART_MSR] = { .read = read_msr },    [UART_SCR] = { read_scr, write_scr },
};

static u64 serial_read(void *dev, u64 offset, unsigned int size)
{
	struct serial *s = dev;
	u64 val;

	(void)size;
	if (offset >= ARRAY_SIZE(registers))
		return 0;
	val = registers[offset].read(s);
	update_line(s);
	return val;
}

static void serial_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	struct serial *s = dev;

	(void)size;
	if (offset >= ARRAY_SIZE(registers) || !registers[offset].write)
		return;
	registers[offset].write(s, val);
	update_line(s);
}

static const struct mmio_ops serial_ops = {
	.name = "serial",
	.read = serial_read,
	.write = serial_write,
};

int serial_create(struct serial **serial, struct vm *vm, const struct serial_config *c)
{
	struct serial *s = calloc(1, sizeof(*s));
	struct mmio_region region = {
		.base = c->base,
		.size = SERIAL_SIZE,
		.ops = &serial_ops,
		.dev = s,
	};
	int err;

	if (!s)
		return -ENOMEM;
	s->vm = vm;
	s->line = (struct line_device){ .receive = line_receive, .writable = line_writable };
	s->backend = c->backend;
	s->spi = c->spi;
	s->thr_pending = true;
	err = mmio_add(&vm->mmio, &region);
	if (err) {
		free(s);
		return err;
	}
	*serial = s;
	return 0;
}

void serial_destroy(struct serial *s)
{
	free(s);
}

// SPDX-License-Identifier: GPL-2.0-only
/* Standard input and output as a device's line: buffered output, input with an escape key. */
#include "machine/console.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "vmm/vm.h"
#include "vmm/vcpu.h"

#define OUT_SIZE   (64u << 10)
#define IN_SIZE    256
#define ESCAPE     0x01 /* Ctrl-a */
#define FLUSH_WAIT 2000 /* ms without progress, after which nobody reads any more */

struct console {
	struct line_user user;
	struct vm *vm;
	struct line_device *device;
	struct loop_op out_op, out_poll_op, in_op, in_poll_op;
	u8 out[OUT_SIZE];         /* a ring */
	unsigned int head, nr;    /* what is in it */
	bool writing, full, lost; /* lost: nobody reads, nobody will */
	u8 in[IN_SIZE];
	unsigned int in_at, in_nr; /* read, and not yet taken by the device */
	bool escaped, reading;
	int size_fd; /* SIGWINCH; -1: nobody asks */
	struct signalfd_siginfo size_info;
	struct loop_op size_op;
};

static void start_write(struct console *c)
{
	unsigned int run = OUT_SIZE - c->head < c->nr ? OUT_SIZE - c->head : c->nr;

	if (c->writing || !c->nr)
		return;
	c->writing = true;
	loop_write(c->vm->loop, &c->out_op, STDOUT_FILENO, c->out + c->head, run);
}

static void consumed(struct console *c, unsigned int n)
{
	c->head = (c->head + n) % OUT_SIZE;
	c->nr -= n;
}

static void written(struct loop_op *op, int res)
{
	struct console *c = container_of(op, struct console, out_op);

	c->writing = false;
	if (res == -EAGAIN) { /* a non-blocking descriptor that somebody gave us */
		c->writing = true;
		loop_poll(c->vm->loop, &c->out_poll_op, STDOUT_FILENO, POLLOUT);
		return;
	}
	if (res < 0 && res != -EINTR && res != -ECANCELED) {
		c->lost = true;
		consumed(c, c->nr);
	} else if (res > 0) {
		consumed(c, res);
	}
	start_write(c);
	if (c->full && c->nr < OUT_SIZE / 2) {
		c->full = false;
		c->device->writable(c->device);
	}
}

static void out_ready(struct loop_op *op, int res)
{
	struct console *c = container_of(op, struct console, out_poll_op);

	(void)res;
	c->writing = false;
	start_write(c);
}

static size_t console_write(struct line_user *b, const u8 *bytes, size_t len)
{
	struct console *c = container_of(b, struct console, user);
	size_t n = 0;

	if (c->lost)
		return len;
	while (n < len && c->nr < OUT_SIZE)
		c->out[(c->head + c->nr++) % OUT_SIZE] = bytes[n++];
	c->full |= n < len; /* or another still waits */
	start_write(c);
	return n;
}

/* Takes the escape and what it introduces out of the input; how much is left for the guest. */
static unsigned int filter(struct console *c, u8 *bytes, unsigned int nr)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < nr; i++) {
		bool escaped = c->escaped;

		c->escaped = !escaped && bytes[i] == ESCAPE;
		if (escaped && bytes[i] == 'x')
			vm_end_by(c->vm, STATUS_POWERED_OFF, VM_CAUSE_CONSOLE);
		else if (escaped && bytes[i] == 'a')
			bytes[kept++] = ESCAPE;
		else if (!c->escaped)
			bytes[kept++] = bytes[i];
	}
	return kept;
}

/* Gives the device what it has room for; waits for more only when all of it is gone. */
static void feed(struct console *c)
{
	c->in_at += c->device->receive(c->device, c->in + c->in_at, c->in_nr - c->in_at);
	if (c->in_at < c->in_nr || c->reading)
		return;
	c->reading = true;
	loop_read(c->vm->loop, &c->in_op, STDIN_FILENO, c->in, sizeof(c->in));
}

/* Nothing: the end of the input; we stop asking. */
static void have_read(struct loop_op *op, int res)
{
	struct console *c = container_of(op, struct console, in_op);

	if (res == -EAGAIN) { /* a non-blocking descriptor that somebody gave us */
		loop_poll(c->vm->loop, &c->in_poll_op, STDIN_FILENO, POLLIN);
		return;
	}
	if (!res || (res < 0 && res != -EINTR))
		return; /* still "reading": never again */
	c->reading = false;
	c->in_at = 0;
	c->in_nr = res > 0 ? filter(c, c->in, res) : 0;
	feed(c);
}

static void in_ready(struct loop_op *op, int res)
{
	struct console *c = container_of(op, struct console, in_poll_op);

	if (res < 0)
		return;
	loop_read(c->vm->loop, &c->in_op, STDIN_FILENO, c->in, sizeof(c->in));
}

static void console_readable(struct line_user *b)
{
	feed(container_of(b, struct console, user));
}

int console_create(struct console **console, struct vm *vm)
{
	struct console *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->vm = vm;
	c->size_fd = -1;
	c->user = (struct line_user){ console_write, console_readable };
	c->out_op.done = written;
	c->out_op.endless = true; /* console_flush writes what is left */
	c->out_poll_op = (struct loop_op){ .done = out_ready, .endless = true };
	c->in_poll_op = (struct loop_op){ .done = in_ready, .endless = true };
	c->in_op = (struct loop_op){ .done = have_read, .endless = true };
	*console = c;
	return 0;
}

struct line_user *console_user(struct console *c)
{
	return &c->user;
}

static void tell_size(struct console *c)
{
	struct winsize size;

	if (!ioctl(STDIN_FILENO, TIOCGWINSZ, &size))
		c->device->resized(c->device, size.ws_col, size.ws_row);
}

static void size_changed(struct loop_op *op, int res)
{
	struct console *c = container_of(op, struct console, size_op);

	if (res < 0)
		return;
	tell_size(c);
	loop_read(c->vm->loop, &c->size_op, c->size_fd, &c->size_info, sizeof(c->size_info));
}

/* A line without its size is still a line: no signalfd is no failure. */
static void watch_size(struct console *c)
{
	sigset_t winch;

	sigemptyset(&winch);
	sigaddset(&winch, SIGWINCH);
	c->size_fd = signalfd(-1, &winch, SFD_CLOEXEC);
	if (c->size_fd < 0)
		return;
	c->size_op = (struct loop_op){ .done = size_changed, .endless = true };
	loop_read(c->vm->loop, &c->size_op, c->size_fd, &c->size_info, sizeof(c->size_info));
	tell_size(c);
}

void console_connect(struct console *c, struct line_device *device)
{
	c->device = device;
	if (device->resized && isatty(STDIN_FILENO))
		watch_size(c);
	feed(c);
}

void console_flush(struct console *c)
{
	struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };

	while (c->nr && poll(&fd, 1, FLUSH_WAIT) > 0) {
		unsigned int run = OUT_SIZE - c->head < c->nr ? OUT_SIZE - c->head : c->nr;
		ssize_t n = write(STDOUT_FILENO, c->out + c->head, run < 512 ? run : 512);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (n > 0)
			consumed(c, n);
	}
}

void console_destroy(struct console *c)
{
	if (c->size_fd >= 0)
		close(c->size_fd);
	free(c);
}

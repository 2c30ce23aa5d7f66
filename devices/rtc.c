// SPDX-License-Identifier: GPL-2.0-only
/* A PL031 real-time clock: a counter of seconds, and an interrupt when it reaches a match value
 * (Arm DDI 0224, chapter 3). */
#include "devices/rtc.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "devices/primecell.h"
#include "vmm/reg.h"
#include "vmm/vm.h"

#define PART 0x031
#define LATE (~0u / 2) /* a match so many seconds ago is one; more is one to come */

struct rtc {
	struct vm *vm;
	u32 spi;
	u32 dr, mr, lr, cr, imsc, ris, mis, icr; /* as the guest sees them */
	u32 offset;                              /* what the counter is ahead of the host's clock */
	bool level;
	int timer; /* of the host's clock, so that it goes along where that is set */
	u64 expirations;
	struct loop_op op;
};

/* The very clock that the timer goes by: time(2)'s can be a tick behind it. */
static time_t host_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

static u32 counter(const struct rtc *r)
{
	return host_seconds() + r->offset;
}

static void update_line(struct rtc *r)
{
	bool level;

	r->mis = r->ris & r->imsc;
	level = r->mis;
	if (level == r->level)
		return;
	r->level = level;
	irq_set_line(r->vm->irq, r->spi, level);
}

/* The next time that the counter reaches the match value: now, or within 2^32 seconds. */
static void arm(struct rtc *r)
{
	const time_t now = host_seconds();
	const u32 left = r->mr - ((u32)now + r->offset);
	const struct itimerspec at = { .it_value.tv_sec = left ? now + left : 0 }; /* 0: never */

	timerfd_settime(r->timer, TFD_TIMER_ABSTIME, &at, NULL);
	if (!left)
		r->ris = 1;
	update_line(r);
}

static void wait_for_match(struct rtc *r)
{
	loop_read(r->vm->loop, &r->op, r->timer, &r->expirations, sizeof(r->expirations));
}

static void matched(struct loop_op *op, int res)
{
	struct rtc *r = container_of(op, struct rtc, op);

	if (res != sizeof(r->expirations))
		return;
	if ((u32)(counter(r) - r->mr) <= LATE) { /* else it was set anew meanwhile */
		r->ris = 1;
		update_line(r);
	}
	wait_for_match(r);
}

static void match_written(void *dev, u64 old)
{
	(void)old;
	arm(dev);
}

static void load_written(void *dev, u64 old)
{
	struct rtc *r = dev;

	(void)old;
	r->offset = r->lr - (u32)host_seconds();
	arm(r);
}

static void mask_written(void *dev, u64 old)
{
	(void)old;
	update_line(dev);
}

static void clear_written(void *dev, u64 old)
{
	struct rtc *r = dev;

	(void)old;
	r->ris &= ~r->icr;
	r->icr = 0; /* write-only */
	update_line(r);
}

#define REG(at, reg, ...)                                                               \
	{                                                                               \
		.name = "rtc" #reg, .offset = (at), .field = offsetof(struct rtc, reg), \
		.size = sizeof(u32), ##__VA_ARGS__                                      \
	}
#define WORD GENMASK(31, 0)
/* Control: the board starts the clock, and once it is started no write stops it (3.3.4). */
static const struct reg regs[] = {
	REG(0x00, dr),
	REG(0x04, mr, .writable = WORD, .written = match_written),
	REG(0x08, lr, .writable = WORD, .written = load_written),
	REG(0x0c, cr),
	REG(0x10, imsc, .writable = BIT(0), .written = mask_written),
	REG(0x14, ris),
	REG(0x18, mis),
	REG(0x1c, icr, .writable = BIT(0), .written = clear_written),
};
static const struct reg_bank bank = { .regs = regs, .nr = ARRAY_SIZE(regs) };

static u64 rtc_read(void *dev, u64 offset, unsigned int size)
{
	struct rtc *r = dev;

	if (offset >= PRIMECELL_IDS)
		return primecell_read(PART, offset);
	r->dr = counter(r);
	return reg_read(&bank, r, offset, size);
}

static void rtc_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	reg_write(&bank, dev, offset, size, val);
}

static const struct mmio_ops rtc_ops = {
	.name = "rtc",
	.read = rtc_read,
	.write = rtc_write,
};

int rtc_create(struct rtc **rtc, struct vm *vm, gpa_t base, u32 spi)
{
	struct rtc *r = malloc(sizeof(*r));
	const struct mmio_region region = {
		.base = base, .size = RTC_SIZE, .ops = &rtc_ops, .dev = r
	};
	int err;

	if (!r)
		return -ENOMEM;
	*r = (struct rtc){
		.vm = vm,
		.spi = spi,
		.cr = 1,
		.timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC),
		.op = { .done = matched, .endless = true },
	};
	err = r->timer < 0 ? -errno : mmio_add(&vm->mmio, &region);
	if (err) {
		rtc_destroy(r);
		return err;
	}
	wait_for_match(r);
	*rtc = r;
	return 0;
}

void rtc_destroy(struct rtc *r)
{
	if (r->timer >= 0)
		close(r->timer);
	free(r);
}

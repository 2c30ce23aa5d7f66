// SPDX-License-Identifier: GPL-2.0-only
/* The board's small devices: the clock, the panic device, and a power button on a GPIO pin. */
#include <errno.h>
#include <stdlib.h>

#include "control/control.h"
#include "devices/gpio.h"
#include "devices/pvpanic.h"
#include "devices/rtc.h"
#include "machine/layout.h"
#include "machine/machine.h"
#include "machine/session.h"
#include "vmm/pause.h"

/* Longer than a driver debounces, and no long press: so many ticks in which the guest runs. */
#define PRESS_TICKS 3
#define TICK_NS     50000000

struct button {
	struct vm *vm;
	struct gpio *gpio;
	unsigned int ticks; /* that it is still pressed; 0: it is not */
	struct __kernel_timespec tick;
	struct loop_op op;
};

static void destroy_rtc(void *rtc)
{
	rtc_destroy(rtc);
}

static void destroy_pvpanic(void *pvpanic)
{
	pvpanic_destroy(pvpanic);
}

static void destroy_gpio(void *gpio)
{
	gpio_destroy(gpio);
}

static int create_rtc(struct machine *m)
{
	const struct platform_device *d = &m->platform.rtc;
	struct rtc *rtc;
	int err = rtc_create(&rtc, &m->vm, d->base, d->spi);

	return err ? err : machine_own(m, destroy_rtc, rtc);
}

static void crash_loaded(void *ctx)
{
	struct machine *m = ctx;

	control_crash_loaded(m->session->control);
}

static int create_pvpanic(struct machine *m)
{
	const struct pvpanic_config c = {
		.base = m->platform.pvpanic.base,
		.crash_loaded = crash_loaded,
		.ctx = m,
	};
	struct pvpanic *pvpanic;
	int err = pvpanic_create(&pvpanic, &m->vm, &c);

	return err ? err : machine_own(m, destroy_pvpanic, pvpanic);
}

/* A paused guest sees nothing: for it, no time passes. */
static void ticked(struct loop_op *op, int res)
{
	struct button *b = container_of(op, struct button, op);

	if (res == -ETIME) {
		b->ticks -= !vcpus_are_held(b->vm);
		if (b->ticks) {
			loop_timeout(b->vm->loop, &b->op, &b->tick);
			return;
		}
	}
	b->ticks = 0; /* its time, or the machine's end */
	gpio_drive(b->gpio, POWER_PIN, false);
}

/* A press while it is pressed is the same one. */
static int press(struct machine *m)
{
	struct button *b = m->button;

	if (b->ticks)
		return 0;
	b->ticks = PRESS_TICKS;
	gpio_drive(b->gpio, POWER_PIN, true);
	b->tick = (struct __kernel_timespec){ .tv_nsec = TICK_NS };
	loop_timeout(b->vm->loop, &b->op, &b->tick);
	return 0;
}

static int create_button(struct machine *m)
{
	const struct platform_device *d = &m->platform.gpio;
	struct button *b = malloc(sizeof(*b));
	int err;

	if (!b)
		return -ENOMEM;
	*b = (struct button){ .vm = &m->vm, .op = { .done = ticked, .endless = true } };
	machine_own(m, free, b);
	err = gpio_create(&b->gpio, &m->vm, d->base, d->spi);
	if (err)
		return err;
	m->button = b;
	m->press_power = press;
	return machine_own(m, destroy_gpio, b->gpio);
}

int onboard_create(struct machine *m)
{
	struct platform *p = &m->platform;
	int err;

	p->rtc = (struct platform_device){ RTC_BASE, RTC_SIZE, SPI_RTC };
	p->pvpanic = (struct platform_device){ PVPANIC_BASE, PVPANIC_SIZE, 0 };
	p->gpio = (struct platform_device){ GPIO_BASE, GPIO_SIZE, SPI_GPIO };
	p->power_pin = POWER_PIN;
	err = create_rtc(m);
	if (!err)
		err = create_pvpanic(m);
	return err ? err : create_button(m);
}

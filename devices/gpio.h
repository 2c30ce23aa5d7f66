/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_GPIO_H
#define DEVICES_GPIO_H

#include "vmm/types.h"

struct gpio;
struct vm;

#define GPIO_SIZE 0x1000 /* bytes of address space */
#define GPIO_PINS 8

/* A PL061 (Arm DDI 0190): eight pins, their interrupts together on SPI @spi. 0 or -errno. */
int gpio_create(struct gpio **g, struct vm *vm, gpa_t base, u32 spi);
void gpio_destroy(struct gpio *g);

/* What is connected to @pin, below GPIO_PINS, drives it; low at first. Under the device lock. */
void gpio_drive(struct gpio *g, unsigned int pin, bool level);

#endif

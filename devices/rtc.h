/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_RTC_H
#define DEVICES_RTC_H

#include "vmm/types.h"

struct rtc;
struct vm;

#define RTC_SIZE 0x1000 /* bytes of address space */

/*
 * A PL031 real-time clock (Arm DDI 0224): seconds since 1970 as the host has
 * them, until the guest loads others, and an alarm on SPI @spi. 0 or -errno.
 */
int rtc_create(struct rtc **rtc, struct vm *vm, gpa_t base, u32 spi);
void rtc_destroy(struct rtc *rtc);

#endif

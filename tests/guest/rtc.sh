#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the time, which the kernel has from the clock alone; and what the clock says, and its alarm, where the
# kernel has files for them.
rtc=/sys/class/rtc/rtc0
echo "date: $(date +%s)"
[ -e $rtc/name ] || exit 0
echo "rtc: $(cat $rtc/name)"
echo "since epoch: $(cat $rtc/since_epoch)"
alarms() { awk '/rtc-pl031/ { for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i } END { print n + 0 }' /proc/interrupts; }
before=$(alarms)
echo +2 >$rtc/wakealarm || exit 1
at=$(cat $rtc/wakealarm)
until [ "$(alarms)" -gt "$before" ]; do usleep 100000; done
[ "$(cat $rtc/since_epoch)" -ge "$at" ] || exit 2
echo "the alarm came"

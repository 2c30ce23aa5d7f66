#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the DMA endpoint's accesses stall, and a program serves its faults.
f=$(dirname "$(grep -l 0x002d /sys/bus/pci/devices/*/device)")
echo vfio-pci >"$f/driver_override"
echo "${f##*/}" >"$f/driver/unbind"
echo "${f##*/}" >/sys/bus/pci/drivers_probe
cdev=$(ls "$f/vfio-dev") || exit 1
! grep -q stall.serve /proc/cmdline || exec stall "/dev/vfio/devices/$cdev" 0 serve
stall "/dev/vfio/devices/$cdev" "$(sed -n 's/.*stall.count=\([0-9]*\).*/\1/p' /proc/cmdline)"
status=$?
dmesg | sed -n '/stall: detaches/,$s/event: F_TRANSLATION\|_event: [0-9]* callbacks//
	/event: \|overflow\|CMDQ\|CMD_SYNC timeout/s/^\[[^]]*\] /log: /p'
exit $status

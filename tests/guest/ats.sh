#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the DMA endpoint caches what its SMMU answers, and the kernel's unmaps invalidate that.
f=$(dirname "$(grep -l 0x002d /sys/bus/pci/devices/*/device)")
echo vfio-pci >"$f/driver_override"
echo "${f##*/}" >"$f/driver/unbind"
echo "${f##*/}" >/sys/bus/pci/drivers_probe
echo madvise >/sys/kernel/mm/transparent_hugepage/enabled
cdev=$(ls "$f/vfio-dev") || exit 1
ats "/dev/vfio/devices/$cdev" "$(sed -n 's/.*ats.count=\([0-9]*\).*/\1/p' /proc/cmdline)"
status=$?
dmesg | sed -n '/event: \|overflow\|CMDQ\|CMD_SYNC timeout/s/^\[[^]]*\] /log: /p'
exit $status

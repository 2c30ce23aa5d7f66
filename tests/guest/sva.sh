#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the DMA endpoint reaches processes' memory, some of which is on a disk.
f=$(dirname "$(grep -l 0x002d /sys/bus/pci/devices/*/device)")
echo dmatest_sva >"$f/driver_override"
echo "${f##*/}" >"$f/driver/unbind"
echo "${f##*/}" >/sys/bus/pci/drivers_probe
mkswap /dev/vda >/dev/null && swapon /dev/vda || exit 1
echo madvise >/sys/kernel/mm/transparent_hugepage/enabled
count=$(sed -n 's/.*sva.count=\([0-9]*\).*/\1/p' /proc/cmdline)
sva "/dev/sva-${f##*/}" "$count" &&
	churn "/dev/sva-${f##*/}" $((count / 20))
status=$?
dmesg | sed -n '/sva: leaves/,$s/event: \(C_BAD_CD\|F_TRANSLATION\)//
	s/_event: [0-9]* callbacks//
	/event: \|overflow\|CMDQ\|CMD_SYNC timeout\|iopf\|WARNING\|BUG/s/^\[[^]]*\] /log: /p'
exit $status

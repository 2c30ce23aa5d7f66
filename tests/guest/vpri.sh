#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the DMA endpoint asks for a process's pages by its own mailbox, in front of an IOMMU that has no page requests.
f=$(dirname "$(grep -l 0x002d /sys/bus/pci/devices/*/device)")
echo dmatest_vpri >"$f/driver_override"
echo "${f##*/}" >"$f/driver/unbind"
echo "${f##*/}" >/sys/bus/pci/drivers_probe
echo "group: $(cat "$f/iommu_group/type")"
! grep -q vpri.serve /proc/cmdline || exec vpri "/dev/vpri-${f##*/}" 0 serve
vpri "/dev/vpri-${f##*/}" "$(sed -n 's/.*vpri.count=\([0-9]*\).*/\1/p' /proc/cmdline)"
status=$?
grep ' vpri' /proc/interrupts | awk '{ print "messages: " ($2 + $3) }'
dmesg | sed -n '/iopf\|WARNING\|BUG\|Unable to handle\|virtio_iommu.*fault.*mailbox/s/^\[[^]]*\] /log: /p'
exit $status

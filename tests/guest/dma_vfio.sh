#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the DMA endpoint, behind an IOMMU, driven from user space.
f=$(dirname "$(grep -l 0x002d /sys/bus/pci/devices/*/device)")
echo vfio-pci >"$f/driver_override"
echo "${f##*/}" >"$f/driver/unbind"
echo "${f##*/}" >/sys/bus/pci/drivers_probe
cdev=$(ls "$f/vfio-dev") || exit 1
dma "/dev/vfio/devices/$cdev" || exit 1
# What the IOMMU's driver says of the three faults: it may still be at it
faults() {
	dmesg | sed -n -e 's/.*: \(.* fault from EP\)/Linux: \1/p' -e 's/.*: event: \(F_.* iova: [^ ]*\).*/Linux: \1/p'
}
tries=0
until [ "$(faults | wc -l)" -ge 3 ] || [ $((tries += 1)) = 500 ]; do usleep 20000; done
faults

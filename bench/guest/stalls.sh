#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: stalls of the DMA endpoint, served by the kernel for a process's memory, and by a program through
# iommufd's fault queue; "figure NAME UNIT VALUE" lines.
echo never >/sys/kernel/mm/transparent_hugepage/enabled
f=$(dirname "$(grep -l 0x002d /sys/bus/pci/devices/*/device)")
name=${f##*/}
# lend DRIVER: the endpoint is that one's
lend() {
	echo "$1" >"$f/driver_override"
	echo "$name" >"$f/driver/unbind"
	echo "$name" >/sys/bus/pci/drivers_probe
}
lend vfio-pci
/stalls queue "/dev/vfio/devices/$(ls "$f/vfio-dev")"
lend dmatest_sva
/stalls sva "/dev/sva-$name"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: an entropy device behind an IOMMU, or the network card that is the host's (map.e1000e), is lent to the kernel's dma_map_benchmark; "figure NAME VALUE"
# lines, by the domain's type, strict or lazy (DMA-FQ).
id="0x1af4 0x1044"
! grep -q map.e1000e /proc/cmdline || id="0x8086 0x10d3"
mount -t debugfs none /sys/kernel/debug
for f in /sys/bus/pci/devices/*; do
	[ "$(cat "$f/vendor") $(cat "$f/device")" != "$id" ] || f0=$f
done
name=${f0##*/}
echo "$name" >"$f0/driver/unbind"
echo dma_map_benchmark >"$f0/driver_override"
echo "$name" >/sys/bus/pci/drivers/dma_map_benchmark/bind
/dma_map 1 >/dev/null # warm
echo "map: begins"
set -- $(/dma_map 3)
if [ "$(cat "$f0/iommu_group/type")" = DMA ]; then
	echo "figure map_strict $1"
	echo "figure unmap_strict $2"
else
	echo "figure map_lazy $1"
	echo "figure unmap_lazy $2"
fi

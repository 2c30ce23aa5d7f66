#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: how many functions and segments there are, which have a driver, what is behind IOMMUs, and what is on the
# disks that segments.disks= names by their functions.
cd /sys/bus/pci/devices || exit 1
echo "functions: $(ls | wc -l)"
echo "segments: $(ls | cut -d: -f1 | sort -u | wc -l)"
for d in /sys/bus/pci/drivers/*; do
	echo "driver ${d##*/}: $(ls "$d" | grep -c :)"
done
echo "disks: $(ls /sys/block | grep -c ^vd)"
for d in *; do
	[ ! -e "$d/iommu_group" ] || echo "group: $(cat "$d/iommu_group/type") $d"
done
for d in /sys/class/iommu/smmu3.*; do
	[ ! -e "$d" ] || echo "smmu: ${d##*/}"
done
disks=$(sed -n 's/.*segments.disks=\([^ ]*\).*/\1/p' /proc/cmdline)
for d in $(echo "$disks" | tr , ' '); do
	block=$(echo "$d"/virtio*/block/*)
	echo "disk $d: $(sha256sum <"/dev/${block##*/}" | cut -d' ' -f1)"
done
# by a line of a GIC: its INTID
awk '$1 ~ /^[0-9]+:$/ && $0 ~ /GICv.*Level.*virtio/ { for (i = 2; i <= NF; i++) if ($i ~ /^GIC/) print "pin " $(i + 1) ":" }' /proc/interrupts

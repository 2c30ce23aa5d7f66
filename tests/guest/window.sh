#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the ranges that the kernel reserves for each device behind an IOMMU; every disk is read, and interrupts come.
for regions in /sys/kernel/iommu_groups/*/reserved_regions; do
	[ -e "$regions" ] || continue
	sed "s/^/reserved for $(ls "${regions%/*}/devices" | tr '\n' ' '): /" "$regions"
done
for disk in /dev/vd* /dev/nvme*n1; do
	[ -e "$disk" ] || continue
	dd if="$disk" of=/dev/null bs=4k count=64 iflag=direct 2>/dev/null || exit 1
	echo "disk ${disk##*/}: read"
done
awk 'NR == 1 { cpus = NF; next }
     $1 ~ /^[0-9]+:$/ && /virtio.*-req|nvme0q[1-9]/ { for (i = 2; i <= cpus + 1; i++) n += $i } END { if (n) print "disks interrupt" }' /proc/interrupts
dmesg | grep -E 'fault from EP|arm-smmu-v3.*event 0x|RMR|FIRMWARE|overlap|can.t (claim|assign)|initial BAR' | sed 's/^/kernel: /'
# Linux shuts a virtio-iommu down before what is behind it, and then the disk's last words are faults.
for nvme in /sys/bus/pci/drivers/nvme/*:*; do
	[ ! -e "$nvme" ] || echo "${nvme##*/}" >/sys/bus/pci/drivers/nvme/unbind
done

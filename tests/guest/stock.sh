#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest, of a distribution: a disk, a network and random numbers at work, its drivers, who is behind which IOMMU, and
# in whose group; then it starts anew, which is noted on a second disk, and is ended by its power button.
word() { sed -n "s/.*\bnet\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }

echo "console: $(cut -d ' ' -f 1 /proc/consoles | xargs)"
if [ "$(head -c 5 /dev/vdb)" != again ]; then
	sh /disk /dev/vda || exit 1
	ip addr add 10.9.0.2/24 dev eth0 && ip link set eth0 up || exit 2
	traffic run tcp:10.9.0.1:5001 16 "$(word bytes)" 1 || exit 3
	[ "$(dd if=/dev/hwrng bs=64 count=4 iflag=fullblock 2>/dev/null | wc -c)" = 256 ] || exit 4
	for driver in /sys/bus/virtio/devices/*/driver; do echo "driver: $(basename "$(readlink "$driver")")"; done
	for iommu in /sys/bus/pci/devices/*/iommu; do # which is named by its address, of whichever kind
		echo "behind: $(basename "${iommu%/iommu}") $(basename "$(readlink "$iommu")")," \
			"with $(ls "${iommu%/iommu}/iommu_group/devices" | xargs)"
	done
	printf again | dd of=/dev/vdb conv=notrunc,fsync 2>/dev/null || exit 5
	echo "it starts anew"
	ip link set eth0 down
	reboot -f
fi
sh /button

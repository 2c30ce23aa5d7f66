#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: each network card that has a driver talks to the lab's echo; what is written to an NVMe disk is what is
# read.
. /talk

disk() {
	size=$(($(cat /sys/block/nvme0n1/size) * 512))
	head -c $((size / 4)) /dev/urandom >/tmp/data
	for part in 0 1 2 3; do
		dd if=/tmp/data of=/dev/nvme0n1 bs=64k count=16 skip=$((part * 16)) seek=$((part * size / 4 / 65536 + part)) \
			oflag=direct conv=notrunc 2>/dev/null &
	done
	wait
	for part in 0 1 2 3; do
		dd if=/dev/nvme0n1 bs=64k count=16 skip=$((part * size / 4 / 65536 + part)) iflag=direct 2>/dev/null
	done | cmp -n $((64 * 65536)) - /tmp/data
}

n=0
for net in /sys/class/net/eth*; do
	[ -e "$net" ] || continue
	name=${net##*/}
	talk "$name" || exit 1
	driver=$(readlink "$net/device/driver") || driver=$(readlink "$net/device/../driver")
	echo "$name: ${driver##*/}: what was sent came back"
	n=$((n + 1))
done
echo "cards: $n"
[ ! -e /dev/nvme0n1 ] || { disk && echo "nvme: what was written is read" || exit 1; }
for function in /sys/bus/pci/devices/*; do
	[ -n "$(word assigned.rom)" ] && [ -e "$function/rom" ] && echo 1 >"$function/rom" || continue
	echo "rom of $(cut -c 3- "$function/vendor"):$(cut -c 3- "$function/device"): $(dd if="$function/rom" bs=4096 count=1 2>/dev/null | md5sum | cut -d ' ' -f 1)"
	echo 0 >"$function/rom"
done
awk '/eth|nvme|virtio/ && !/Edge|MSI/ { print "by wire: " $0 }' /proc/interrupts
# Linux shuts a virtio-iommu down before what is behind it (virtio_dev_shutdown), and then a disk waits a minute for an answer.
for nvme in /sys/bus/pci/drivers/nvme/*:*; do
	[ ! -e "$nvme" ] || echo "${nvme##*/}" >/sys/bus/pci/drivers/nvme/unbind
done

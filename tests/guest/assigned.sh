#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: each network card that has a driver talks to the lab's echo; what is written to an NVMe disk is what is
# read. With assigned.again the machine is reset then.
. /talk

# Sixteen pieces of 256 KiB, each at some place of its sixteenth of the disk, four at a time, in any order; read in another
disk() {
	blocks=$(($(cat /sys/block/nvme0n1/size) / 128 / 16)) # of 64 KiB, in a sixteenth
	head -c $((16 * 4 * 65536)) /dev/urandom >/tmp/data
	for piece in $(seq 0 15); do
		echo $((piece * blocks + $(od -An -N2 -tu2 /dev/urandom) % (blocks - 3))) >/tmp/at$piece
	done
	seq 0 15 | shuf | xargs -n 1 -P 4 sh -c 'dd if=/tmp/data of=/dev/nvme0n1 bs=64k count=4 skip=$(($0 * 4)) seek="$(cat /tmp/at$0)" oflag=direct conv=notrunc 2>/dev/null'
	for piece in $(seq 0 15 | shuf); do
		dd if=/dev/nvme0n1 of=/tmp/read bs=64k count=4 skip="$(cat /tmp/at$piece)" seek=$((piece * 4)) iflag=direct conv=notrunc 2>/dev/null
	done
	cmp /tmp/read /tmp/data
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
# The DMA endpoint's FILL (docs/dma-test.md) by its BAR 1 ($1), of memory that is not the kernel's (mem=)
fill() {
	put() { devmem $(($1 + 0x1000 + $2)) "$3" "$4"; }
	put "$1" 0x00 32 3
	put "$1" 0x08 64 "$2"
	put "$1" 0x18 64 1048576
	put "$1" 0x28 64 7
	put "$1" 0x38 32 1
	for i in $(seq 200); do
		[ $(($(devmem $(($1 + 0x103c)) 32) & 15)) = 5 ] || break
		sleep 0.05
	done
	echo "endpoint: filled $(($(devmem $(($1 + 0x1040)) 64))): $(devmem "$2" 64)"
}
endpoint=$(grep -l 0x002d /sys/bus/pci/devices/*/device)
[ -z "$(word assigned.fill)" ] || fill "$(sed -n '2s/ .*//p' "${endpoint%/*}/resource")" "$(word assigned.fill)"
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
[ -z "$(word assigned.again)" ] || reboot -f

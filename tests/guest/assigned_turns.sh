#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: functions on segments of their own work, one after another: in a function's turn, which
# begins with a line of input, no other has a driver. An emulated disk, /dev/vda, is read all the while.
. /talk
pci=/sys/bus/pci/devices

# give FUNCTION, take FUNCTION: to and from its driver
give() { echo "$1" >"/sys/bus/pci/drivers/$(cat "/tmp/driver-$1")/bind"; }
take() { echo "$1" >"$pci/$1/driver/unbind"; }
# works FUNCTION: whatever it is
works() {
	if [ "$(cat "/tmp/driver-$1")" = nvme ]; then
		until [ -b /dev/nvme0n1 ]; do usleep 10000; done
		dd if=/tmp/sent of=/dev/nvme0n1 bs=64k oflag=direct 2>/dev/null
		dd if=/dev/nvme0n1 bs=64k count=1 iflag=direct 2>/dev/null | cmp - /tmp/sent
	else
		until [ -e /sys/class/net/eth0 ]; do usleep 10000; done
		talk eth0
	fi
}

functions=
for f in "$pci"/*; do
	name=${f##*/}
	case $name in 0000:*) continue ;; esac
	[ -e "$f/driver" ] || continue
	functions="$functions $name"
	basename "$(readlink "$f/driver")" >"/tmp/driver-$name"
	take "$name"
done
cat /dev/vda >/tmp/disk
# it is not cached, and the functions need the CPUs as well
while dd if=/dev/vda bs=64k iflag=direct 2>/dev/null | cmp - /tmp/disk && echo >>/tmp/reads; do usleep 100000; done &
reads=$!
for f in $functions; do
	echo "turn of $f by $(basename "$(readlink "$pci/$f/iommu")")"
	read -r _
	give "$f"
	works "$f" || exit 1
	take "$f"
done
kill $reads 2>/dev/null || { echo "the disk is not what it was"; exit 1; }
[ "$(wc -l </tmp/reads)" -gt 3 ] && echo "the disk was read all the while"
echo "turns end"
read -r _

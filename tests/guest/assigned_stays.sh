#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: an NVMe disk is read, and data flows by a card, over and over, until the disk is gone and what was sent has come back as it
# was four times more.
. /talk
disk=/sys/block/nvme0n1
while [ -e $disk ]; do dd if=/dev/nvme0n1 of=/dev/null bs=64k iflag=direct 2>/dev/null || usleep 10000; done &
talk eth0 || exit 1
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
after=0
for n in $(seq 1000); do
	nc -w 60 10.0.2.100 7 </tmp/sent >/tmp/back
	cmp /tmp/sent /tmp/back || { echo "eth0: $(wc -c </tmp/back) bytes came back"; exit 1; }
	[ $n != 1 ] || echo "it flows"
	[ -e $disk ] || : $((after += 1))
	[ $after != 5 ] || break # the first has begun before
done
[ $after = 5 ] && echo "eth0: flows on without the disk"

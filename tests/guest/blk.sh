#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: what vda offers, and its driver unbound, bound and its queues reset under I/O.
queue=/sys/block/vda/queue
driver=/sys/bus/virtio/drivers/virtio_blk
name=$(basename "$(readlink /sys/block/vda/device)")

echo "serial: $(cat /sys/block/vda/serial)"
echo "queues: $(ls /sys/block/vda/mq | wc -l)"
echo "block: $(cat $queue/logical_block_size) in $(cat $queue/physical_block_size)"
echo "discard: $(cat $queue/discard_granularity) $(($(cat $queue/discard_max_bytes) > 0))"
echo "zeroes: $(($(cat $queue/write_zeroes_max_bytes) > 0))"
echo "cache: $(cat /sys/block/vda/cache_type)"

# Everything is ones; then a part goes, another is zeroed.
tr '\0' '\377' </dev/zero | dd of=/dev/vda bs=1M count=5 iflag=fullblock oflag=direct conv=notrunc 2>/dev/null || exit 1
if [ "$(cat $queue/discard_max_bytes)" != 0 ]; then
	blkdiscard -o 1048576 -l 2097152 /dev/vda || exit 2
fi

# Through to stable storage, and back again.
echo "write through" >/sys/block/vda/cache_type || exit 3
[ "$(cat /sys/block/vda/cache_type)" = "write through" ] || exit 4
dd if=/dev/zero of=/dev/vda bs=64k seek=64 count=16 oflag=direct conv=notrunc 2>/dev/null || exit 5
echo "write back" >/sys/block/vda/cache_type || exit 6

# The driver goes and comes while readers and writers are at work.
for round in 1 2 3 4 5; do
	for i in 0 1 2 3; do
		dd if=/dev/vda of=/dev/null bs=4k skip=$((i * 512)) count=512 iflag=direct 2>/dev/null &
	done
	echo "$name" >$driver/unbind || exit 7
	wait
	echo "$name" >$driver/bind || exit 8
	[ -b /dev/vda ] || exit 9
done
dd if=/dev/vda bs=64k iflag=direct 2>/dev/null | sha256sum | sed 's/ .*//; s/^/after: /'

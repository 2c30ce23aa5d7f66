#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: reads the whole disk (or the one that is named), then rewrites it, 16 writers at once past the page cache.
disk=${1:-/dev/vda}
size=$(($(cat /sys/block/${disk#/dev/}/size) * 512))
part=$((size / 16))

echo "before: $(sha256sum <$disk | cut -d' ' -f1)"
for i in $(seq 0 15); do
	head -c $part /dev/urandom >/tmp/part$i
	sha256sum </tmp/part$i >/tmp/sum$i
done
for i in $(seq 0 15); do
	dd if=/tmp/part$i of=$disk bs=64k seek=$((i * part / 65536)) oflag=direct conv=notrunc 2>/dev/null &
done
wait
sync
echo 3 >/proc/sys/vm/drop_caches
for i in $(seq 0 15); do
	dd if=$disk bs=64k skip=$((i * part / 65536)) count=$((part / 65536)) iflag=direct 2>/dev/null |
		sha256sum | cmp -s - /tmp/sum$i || exit 1
done
echo "after: $(sha256sum <$disk | cut -d' ' -f1)"

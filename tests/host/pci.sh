#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# PCI as Linux finds it: segments, root ports, windows above RAM.
. "$SHARE/tests/host/lib.sh"

places() {
	set --
	for i in 1 2 3 4; do
		head -c 65536 /dev/urandom >"$WORK/disk$i"
	done
	run 0 -k "$IMAGE" -i "$INITRD" -p "console=ttyS0 quiet" --segment 1 --segment 4 \
		--root-port a --root-port b,segment=1 --root-port empty \
		-d "$WORK/disk1,bus=a" -d "$WORK/disk2,bus=b" -d "$WORK/disk3,segment=4" -d "$WORK/disk4" || return 1
	for line in "pci 0000:00:00.0 1b36:000c pcieport" "pci 0000:01:00.0 1af4:1042 virtio_blk" \
		"pci 0001:01:00.0 1af4:1042 virtio_blk" "pci 0004:00:00.0 1af4:1042 virtio_blk" \
		"pci 0000:00:02.0 1af4:1042 virtio_blk"; do
		said "$line" || return 1
	done
	for i in 1 2 3 4; do
		said "$(sha256sum <"$WORK/disk$i" | cut -d' ' -f1)" || return 1
	done
	rm -f "$WORK"/disk?
}
case_of "pci: disks on root buses and behind root ports of three segments" places

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Virtio under Linux's drivers: both transports, both consoles, what a disk offers, entropy.
. "$SHARE/tests/host/lib.sh"
QUIET="quiet nestor.tag=virtio"

sum() { sha256sum <"$1" | cut -d' ' -f1; }

# features FILE KEYS ARG...: the guest's view of a disk, and its driver's comings and goings
features() {
	file=$1 keys=$2
	shift 2
	run 0 -k "$IMAGE" -i "$SHARE/initrd-blk" -d "$file,serial=nestor-1$keys" -m 512 -p "console=ttyS0 $QUIET" "$@" || return 1
	said "serial: nestor-1" && said "cache: write back"
}

# what is where the guest put it: ones, a hole, ones, zeroes
contents() {
	WHY="the disk's contents"
	said "after: $(sum "$1")" || return 1
	[ "$(dd if="$1" bs=1M skip=1 count=2 2>/dev/null | tr -d '\0' | wc -c)" = 0 ] || return 1
	[ "$(dd if="$1" bs=1M skip=3 count=1 2>/dev/null | tr -d '\377' | wc -c)" = 0 ] || return 1
	[ "$(dd if="$1" bs=1M skip=4 count=1 2>/dev/null | tr -d '\0' | wc -c)" = 0 ]
}

# blk TRANSPORT KEYS QUEUES
blk() {
	truncate -s 8M "$WORK/disk"
	features "$WORK/disk" "$2" -c 3 --virtio-transport "$1" || return 1
	said "queues: $3" && said "discard: 4096 1" && said "zeroes: 1" && contents "$WORK/disk"
}
case_of "virtio: pci: serial, a queue each vCPU, discard, cache mode; unbound and bound under I/O" blk pci "" 3
long_case "virtio: mmio: serial, queues=2, discard, cache mode; unbound and bound under I/O" blk mmio ",queues=2" 2

# A file system with direct I/O, on a loop device of its own.
direct() {
	rm -f "$WORK/fs" && truncate -s 64M "$WORK/fs" && mkdir -p "$WORK/mnt" || return 1
	loop=$(losetup -f) && losetup "$loop" "$WORK/fs" || return 1
	WHY="no file system"
	mke2fs -F "$loop" >/dev/null 2>&1 && mount "$loop" "$WORK/mnt" || return 1
	truncate -s 8M "$WORK/mnt/disk"
	features "$WORK/mnt/disk" ",direct" -c 2 && said "block: 512 in" && contents "$WORK/mnt/disk"
	status=$?
	umount "$WORK/mnt"
	losetup -d "$loop"
	return $status
}
case_of "virtio: direct: a file on ext4, past the host's page cache" direct

# device KEYS BLOCK: a block device with blocks of that size; discard is the device's own.
device() {
	rm -f "$WORK/fs" && truncate -s 8M "$WORK/fs" || return 1
	loop=$(losetup -f) && losetup "$loop" "$WORK/fs" && "$SHARE/blocks" "$loop" "$2" || return 1
	features "$loop" "$1" -c 2 && said "block: $2 in" && said "zeroes: 1" && contents "$loop"
	status=$?
	losetup -d "$loop"
	return $status
}
case_of "virtio: a block device with direct I/O, its discards too" device ",direct" 512
case_of "virtio: a block device of 4 KiB blocks: what is discarded and zeroed is whole ones" device "" 4096
long_case "virtio: a block device" device "" 512

entropy() {
	run 0 -k "$IMAGE" -i "$SHARE/initrd-rng" --rng -p "console=ttyS0 $QUIET" --virtio-transport "$1"
}
case_of "virtio: pci: /dev/hwrng gives random numbers" entropy pci

# hvc TRANSPORT: a shell on hvc0 takes input and answers
hvc() {
	rm -f "$WORK/in"
	mkfifo "$WORK/in"
	: >"$OUT" # the one before's is not this one's
	"$NESTOR" run --timeout 180 -k "$IMAGE" -i "$INITRD" --console virtio --virtio-transport "$1" \
		-p "console=hvc0 $QUIET nestor.run=shell" >"$OUT" 2>&1 <"$WORK/in" &
	pid=$!
	exec 5>"$WORK/in"
	until grep -q '# ' "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 20000; done # the prompt
	printf 'echo "<$((6 * 7))>"; seq 20000 | tail -n 2; exit\r' >&5
	wait $pid
	got=$?
	exec 5>&-
	WHY="exit code $got"
	[ $got = 0 ] && said "<42>" && said 20000
}
case_of "virtio: mmio: a shell on the virtio console takes input and answers" hvc mmio

# A terminal of 30 lines gets 43; the guest's driver is told.
size() {
	"$SHARE/pty" '/ # ' "$(printf 'stty size\r')" '30 100' =43 '/ # ' \
		"$(printf 'until [ "$(stty size)" = "43 100" ]; do usleep 10000; done; exit\r')" -- \
		"$NESTOR" run --timeout 180 -k "$IMAGE" -i "$INITRD" --console virtio \
		-p "console=hvc0 $QUIET nestor.run=shell" >"$OUT" 2>&1
	got=$?
	WHY="exit code $got"
	[ $got = 0 ]
}
case_of "virtio: pci: the virtio console has its terminal's size, and follows it" size

# Everything at once, on MMIO: nothing is left on PCI.
mmio_only() {
	truncate -s 1M "$WORK/disk"
	run 0 -k "$IMAGE" -i "$INITRD" -d "$WORK/disk" -d "$WORK/disk,ro" --rng --console virtio --virtio-transport mmio \
		-c 2 -p "console=hvc0 $QUIET" || return 1
	said "disk vda: 1048576" && said "disk vdb: 1048576" || return 1
	WHY="there is a PCI function"
	! said "pci 0"
}
case_of "virtio: mmio: disks, console and entropy, and no PCI function" mmio_only

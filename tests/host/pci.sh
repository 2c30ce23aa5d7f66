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

# Eight, with buses of the last one up to its last.
segments() {
	set --
	for i in 1 2 3 4 5 6 7; do
		head -c 65536 /dev/urandom >"$WORK/disk$i"
		set -- "$@" --segment $((i * 9)) -d "$WORK/disk$i,segment=$((i * 9))"
	done
	head -c 65536 /dev/urandom >"$WORK/disk8"
	for i in $(seq 31); do
		set -- "$@" --root-port "p$i,segment=63"
	done
	run 0 -k "$IMAGE" -i "$INITRD" -p "console=ttyS0 quiet" -m 512 "$@" -d "$WORK/disk8,bus=p31" || return 1
	for line in "pci 0009:00:00.0 1af4:1042 virtio_blk" "pci 003f:00:1f.0 1af4:1042 virtio_blk" \
		"pci 003f:00:1e.0 1b36:000c pcieport" "pci 003f:1f:00.0 1af4:1042 virtio_blk"; do
		said "$line" || return 1
	done
	for i in 1 2 3 4 5 6 7 8; do
		said "$(sha256sum <"$WORK/disk$i" | cut -d' ' -f1)" || return 1
	done
	rm -f "$WORK"/disk?
}
long_case "pci: eight segments, and 31 root ports on one" segments

# lspci ARG...: Debian's lspci decodes a guest's functions: two root ports, a disk behind one, a disk and an RNG beside them
lspci() {
	cat "$INITRD" "$SHARE/lspci.cpio" "$SHARE/test-lspci.cpio" >"$WORK/lspci.initrd"
	head -c 65536 /dev/urandom >"$WORK/disk"
	run 0 -k "$IMAGE" -i "$WORK/lspci.initrd" -m 512 -p "console=ttyS0 quiet" --root-port a --root-port b \
		-d "$WORK/disk,bus=a" -d "$WORK/disk,ro" --rng "$@"
}

# What lspci marks as broken, cannot read or does not know; but for virtio's window (1.3, 4.1.4.9), which it has no name for
clean() {
	lspci || return 1
	remarks=$(grep -i -e '!!!' -e 'access denied' -e unknown -e '^pcilib' -e '^lspci:' -e 'chain looped' "$OUT" |
		grep -v -e 'VirtIO: <unknown>' -e 'libkmod')
	WHY="$(echo "$remarks" | head -n 1)"
	[ -z "$remarks" ]
}

# decoded NUMBER TEXT: so many lines have TEXT
decoded() {
	WHY="$(grep -cF -- "$2" "$OUT") times '$2', expected $1"
	[ "$(grep -cF -- "$2" "$OUT")" = "$1" ]
}

sensible() {
	decoded 2 "PCI bridge [0604]" && decoded 2 "Express (v2) Root Port (Slot+)" && decoded 2 "Access Control Services" &&
		decoded 2 "HotPlug+ Surprise-" && decoded 2 "MaxEETLPPrefixes 4" &&
		decoded 1 "DLActive+" && decoded 1 "PresDet+ Interlock-" && decoded 2 "AttnInd Off, PwrInd Off" &&
		decoded 1 "Express (v2) Endpoint" && decoded 2 "Express (v2) Root Complex Integrated Endpoint" &&
		decoded 2 "Virtio 1.0 block device [1af4:1042] (rev 01)" && decoded 1 "Virtio 1.0 RNG [1af4:1044] (rev 01)" &&
		decoded 3 "VirtIO: CommonCfg" && decoded 3 "VirtIO: Notify" && decoded 3 "VirtIO: ISR" &&
		decoded 2 "VirtIO: DeviceCfg" && decoded 5 "MSI-X: Enable+" && decoded 3 "TimeoutDis+" &&
		decoded 3 "Power Management version 3" && decoded 3 "Status: D0 NoSoftRst+" &&
		decoded 2 "Kernel driver in use: pcieport" && decoded 3 "Kernel driver in use: virtio-pci"
}

# in_window NUMBER TEXT: so many of lspci's lines with TEXT name an address in the window above RAM
in_window() {
	n=$(grep -cE "$2 800[0-9a-f]{6}" "$OUT")
	WHY="$n times '$2' in the window above RAM, expected $1"
	[ "$n" = "$1" ]
}
high() {
	decoded 3 "(64-bit, prefetchable) [size=16K]" && in_window 3 "Region 0: Memory at" &&
		in_window 2 "Prefetchable memory behind bridge:" && decoded 5 "(32-bit, non-prefetchable) [size=64K]"
}

no_msis() { lspci --irqchip gicv3 && decoded 5 "MSI-X: Enable-" && decoded 5 "DisINTx-"; }

if [ -e "$SHARE/lspci.cpio" ]; then
	case_of "pci: lspci finds nothing broken, and nothing it does not know" clean
	case_of "pci: lspci decodes ports, endpoints, MSI-X and virtio's capabilities" sensible
	case_of "pci: 64-bit BARs and prefetchable windows are above RAM" high
	long_case "pci: lspci without anyone to take messages: MSI-X is there, and off" no_msis
else
	skip "pci: lspci" "the lab is not set up"
fi

# Without the reset the function would keep its addresses, and answer while it is held.
bus_reset() {
	head -c 65536 /dev/urandom >"$WORK/disk"
	run 0 -k "$IMAGE" -i "$SHARE/initrd-busreset" -m 512 -p "console=ttyS0 quiet" --root-port a -d "$WORK/disk,bus=a" &&
		said "held: ffffffff" && said "let go: 10421af4 bars 0000000c00000000" || return 1
	WHY="not four times the disk's contents"
	[ "$(contents)" = 4 ]
}
contents() { grep -v "^found again" "$OUT" | grep -c "$(sha256sum <"$WORK/disk" | cut -d' ' -f1)"; }
case_of "pci: a disk is used after resets of the bus behind its port" bus_reset

# Its BARs and the port's windows are written anew.
rescan() {
	WHY="not twice the disk's contents"
	[ "$(grep -c "^found again: $(sha256sum <"$WORK/disk" | cut -d' ' -f1)" "$OUT")" = 2 ]
}
case_of "pci: a disk is removed and found again, its port too, by the same guest" rescan

vsock_reset() {
	cp "$SHARE/traffic" "$WORK"
	"$WORK/traffic" serve vsock:5001 2>/dev/null &
	server=$!
	run 0 -k "$IMAGE" -i "$SHARE/initrd-busvsock" -m 512 -p "console=ttyS0 quiet" --root-port a --vsock 42,bus=a
	status=$?
	kill $server
	wait $server 2>/dev/null # its port is free for the next
	return $status
}
if [ -c /dev/vhost-vsock ]; then
	case_of "pci: a reset of the bus ends what vhost does with a device" vsock_reset
else
	skip "pci: a reset of the bus ends what vhost does" "this host has no vhost-vsock"
fi

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Guests that do to functions of the host's whatever they can: Nestor ends as it was asked to, and the host's kernel has
# nothing to say but that it resets them.
# host: -d nest
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"
. "$SHARE/tests/host/vfio-lib.sh"
for at in $CARD $IGB $DISK $VIRTIO; do free $at; done
# The disk and the first card share a line of the host's (docs/vfio.md, Traps): never in one guest here.
CARDS="--vfio-pci $CARD,iommu=none --vfio-pci $IGB,iommu=none --vfio-pci $VIRTIO,iommu=none" DISKS="--vfio-pci $DISK,iommu=none"
COUNT=300 MIXED=600 ROUNDS=1
[ -z "${SOAK:-}" ] || COUNT=2000 MIXED=10000 ROUNDS=10

# bare TEST: of cards, and then of the disk
bare() {
	for assigned in "$CARDS" "$DISKS"; do guest assigned "$1" $assigned --timeout 600 || return; done
}
# linux ROUNDS SEED CARDS ARG...
linux() {
	rounds=$1 seed=$2 cards=$3
	shift 3
	run 0 --timeout $((120 + rounds * 60)) -k "$IMAGE" -i "$SHARE/initrd-assigned_hostile" -m 256 $HUGE -c 2 -p "console=ttyS0 loglevel=1 hostile.rounds=$rounds hostile.seed=$seed" "$@" || return
	for card in $cards; do said "eth$card: talks again" || return; done
}
with_disk() { linux "$@" && said "nvme: it is read"; }

# hostile LABEL SEED...
hostile() {
	label=$1
	shift
	for seed; do
		case_of "$label: configuration space takes every pattern, seed $seed" harmless "$SAYS" bare "config seed=$seed all=${SOAK:+1}"
		case_of "$label: vectors and pending bits take every pattern, and send messages then, seed $seed" harmless "$SAYS" bare "table seed=$seed"
		case_of "$label: BARs are put anywhere, and resets come in between, seed $seed" harmless "$SAYS" bare "bars seed=$seed count=$COUNT"
		case_of "$label: all of that mixed, seed $seed" harmless "$SAYS" bare "mixed seed=$seed count=$MIXED"
		case_of "$label: DMA to anywhere is a fault, seed $seed" harmless "$SAYS|$FAULTS" bare "dma seed=$seed"
	done
}
case_of "vfio: hostile: a Linux guest writes every pattern under traffic, and finds its functions anew" harmless "$SAYS" linux $ROUNDS 1 "0 1 2" $CARDS
long_case "vfio: hostile: the same beside a disk" harmless "$SAYS" with_disk $ROUNDS 2 0 --vfio-pci $IGB,iommu=none $DISKS
[ -z "${SOAK:-}" ] || hostile "vfio: hostile" 1 2 3

cp -r "$SHARE/asan" "$WORK"
NESTOR=$WORK/asan/run
export ASAN_OPTIONS=exitcode=99:detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
hostile "vfio: hostile: sanitizers" 1
long_case "vfio: hostile: sanitizers: a Linux guest writes every pattern under traffic" harmless "$SAYS" linux 2 3 "0 1 2" $CARDS

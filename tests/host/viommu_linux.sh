#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# virtio-iommu under Linux's driver: disks and networks behind it, with traffic; several of them, and devices behind none.
. "$SHARE/tests/host/lib.sh"
LABEL=viommu
. "$SHARE/tests/host/traffic-lib.sh"

# busy: the IOMMUs have translated that much, and nothing went wrong
busy() {
	WHY="$(counted map) maps, $(counted unmap) unmaps, $(counted accesses) accesses, $(counted faults) faults"
	[ "$(counted accesses)" -gt $((BYTES / 2000)) ] && [ "$(counted map)" -ge "${maps:-100}" ] && [ "$(counted faults)" = 0 ]
}

one() { # KEYS WORDS TYPE ARG...
	keys=$1 words=$2 type=$3
	shift 3
	traffic "$words" --iommu "v,type=virtio$keys" -d "$WORK/disk,serial=data,iommu=v" -n tap=tap0,iommu=v "$@" && busy && said "group: $type"
}
case_of "viommu: Linux: strict: random data over disk and network at once; drivers come and go under load" \
	one "" "iommu.strict=1 viommu.rounds=$ROUNDS" "DMA 0000:00:01.0" || :
said "rounds: $ROUNDS, disk $(sum "$WORK/disk")" || fail "viommu: Linux: the disk after that" "$WHY"
long_case "viommu: Linux: strict, on one vCPU that spins with interrupts off; messages are translated" \
	one ",msi=translate" iommu.strict=1 "DMA 0000:00:01.0" -c 1
long_case "viommu: Linux: lazy: the same data" one "" "iommu.strict=0" "DMA-FQ 0000:00:01.0"
long_case "viommu: Linux: strict, over MMIO" one "" iommu.strict=1 "DMA" --virtio-transport mmio

# Two of them, one on another segment, one over MMIO; devices behind each, behind ports, and behind none.
several() {
	head -c 1048576 /dev/urandom >"$WORK/disk2"
	head -c 1048576 /dev/urandom >"$WORK/disk3"
	head -c 1048576 /dev/urandom >"$WORK/disk4"
	traffic "iommu.strict=1" --segment 1 --root-port a --root-port b,segment=1 --root-port c \
		--iommu "v,type=virtio" --iommu "w,type=virtio,segment=1" --iommu "x,type=virtio,transport=mmio" \
		-d "$WORK/disk,serial=data,iommu=v,bus=a" -n tap=tap0,iommu=w -d "$WORK/disk2,bus=b,iommu=x" -d "$WORK/disk3,segment=1,iommu=w" \
		-d "$WORK/disk4,bus=c" && busy || return 1
	for group in "DMA 0000:01:00.0" "DMA 0000:00:03.0" "DMA 0001:01:00.0" "DMA 0001:00:02.0"; do said "group: $group" || return 1; done
	WHY="a group of a device that is behind none: $(grep -a '^group' "$OUT" | tr -d '\r' | tr '\n' ' ')"
	[ "$(grep -ac ^group: "$OUT")" = 4 ]
}
case_of "viommu: Linux: three of them, with devices on segments, behind ports and behind none" several

shared() { on_buses virtio "$@" && busy; }
long_case "viommu: Linux: two of them share a segment by its buses" shared # by a device tree: of two SMMUs, smmu_linux.sh has it in every run
case_of "viommu: Linux: two of them share a segment by its buses, by ACPI" shared --acpi

# What an identity domain reaches is not mapped one by one.
identity() {
	maps=0
	one "" "iommu.passthrough=1" identity
}
long_case "viommu: Linux: identity domains" identity

IMAGE=$SHARE/Image-64k
case_of "viommu: Linux: strict: a guest of 64 KiB pages" one ",msi=translate" iommu.strict=1 "DMA 0000:00:01.0"
IMAGE=$WORK/Image
case_of "viommu: Linux: a guest that resets starts with an IOMMU as new" resets_twice --iommu v,type=virtio --rng=iommu=v
traffic_ends

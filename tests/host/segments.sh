#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# As many PCI segments as there can be, with hundreds of functions, by either description; an SMMUv3 for each of sixteen.
. "$SHARE/tests/host/lib.sh"
QUIET="console=ttyS0 loglevel=4 iommu.strict=1"
FOUND=$SHARE/initrd-segments
for i in 1 2 3; do head -c 1048576 /dev/urandom >"$WORK/disk$i"; done
sum() { sha256sum <"$1" | cut -d' ' -f1; }

# all_said LINE...: each is one that the guest has printed
all_said() {
	for line; do
		said "$line" || return 1
	done
}

# A disk on each segment, behind a root port on every fourth, and DMA endpoints beside it; four SMMUv3s and a virtio-iommu.
many() {
	set -- "$@" --iommu v,type=virtio,segment=40
	for i in 1 2 3 4; do set -- "$@" --iommu "s$i,type=smmuv3"; done
	for i in $(seq 0 63); do
		[ "$i" = 0 ] || set -- "$@" --segment "$i"
		case $i in
			5) disk="$WORK/disk1,iommu=s1" ;;
			17) disk="$WORK/disk2,iommu=v" ;;
			63) disk="$WORK/disk3,iommu=s4" ;;
			6 | 31) disk="$WORK/disk1,ro,iommu=s$((i % 4))" ;;
			*) disk="$WORK/disk1,ro" ;;
		esac
		if [ $((i % 4)) = 3 ]; then
			set -- "$@" --root-port "p$i,segment=$i" -d "$disk,bus=p$i"
		else
			set -- "$@" -d "$disk,segment=$i" --dma-test="segment=$i"
		fi
		set -- "$@" --dma-test="segment=$i" --dma-test="segment=$i"
	done
	run 0 -k "$IMAGE" -i "$FOUND" -c 2 -m 1G -p "$QUIET segments.disks=0000:00:00.0,0005:00:00.0,0011:00:00.0,003f:01:00.0" "$@" &&
		all_said "functions: 257" "segments: 64" "disks: 64" "driver pcieport: 16" "driver pci-endpoint-test: 176" \
			"group: DMA 0005:00:00.0" "group: DMA 0006:00:00.0" "group: DMA 0011:00:00.0" "group: DMA 001f:01:00.0" \
			"group: DMA 003f:01:00.0" "disk 0000:00:00.0: $(sum "$WORK/disk1")" "disk 0005:00:00.0: $(sum "$WORK/disk1")" \
			"disk 0011:00:00.0: $(sum "$WORK/disk2")" "disk 003f:01:00.0: $(sum "$WORK/disk3")" || return 1
	WHY="$(grep -ac ^group: "$OUT") groups"
	[ "$(grep -ac ^group: "$OUT")" = 5 ]
}
long_case "segments: linux: 64 of them with 257 functions, by a device tree" many --fdt
case_of "segments: linux: 64 of them with 257 functions, by ACPI" many --acpi

# Nobody takes messages: each function interrupts by its pin, those of segments 8 and on by lines of their own.
pins() {
	for i in $(seq 63); do set -- "$@" --segment "$i"; done
	run 0 --irqchip gicv3 -k "$IMAGE" -i "$FOUND" -m 512 -p "$QUIET segments.disks=0007:00:00.0,0008:00:00.0,003f:00:00.0" \
		-d "$WORK/disk1,ro,segment=7" -d "$WORK/disk2,ro,segment=8" -d "$WORK/disk3,ro,segment=63" "$@" &&
		all_said "disk 0007:00:00.0: $(sum "$WORK/disk1")" "disk 0008:00:00.0: $(sum "$WORK/disk2")" \
			"disk 003f:00:00.0: $(sum "$WORK/disk3")" "pin 64:" "pin 320:" "pin 540:"
}
case_of "segments: linux: 64 of them, whose functions interrupt by pins" pins

# Each segment's disk behind an SMMUv3 of its own.
smmus() {
	disks=
	for i in $(seq 0 15); do
		[ "$i" = 0 ] || set -- "$@" --segment "$i"
		set -- "$@" --iommu "s$i,type=smmuv3" -d "$WORK/disk2,ro,segment=$i,iommu=s$i"
		disks=$disks,$(printf '%04x:00:00.0' "$i")
	done
	run 0 -k "$IMAGE" -i "$FOUND" -c 2 -m 1G -p "$QUIET segments.disks=${disks#,}" "$@" && said "functions: 16" || return 1
	for i in $(seq 0 15); do
		all_said "group: DMA $(printf '%04x:00:00.0' "$i")" "disk $(printf '%04x:00:00.0' "$i"): $(sum "$WORK/disk2")" || return 1
	done
	WHY="$(grep -ac '^smmu: ' "$OUT") SMMUs"
	[ "$(grep -ac '^smmu: ' "$OUT")" = 16 ]
}
long_case "segments: linux: sixteen SMMUv3s on sixteen segments, by ACPI" smmus --acpi
long_case "segments: linux: sixteen SMMUv3s on sixteen segments, by a device tree" smmus --fdt

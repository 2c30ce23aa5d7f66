#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Linux by ACPI, with no firmware: what it finds, its ways out, its devices behind IOMMUs. The tables are kept in
# $SHARE/acpi, and read outside (tests/host.sh).
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/onboard-lib.sh"
LABEL=acpi
. "$SHARE/tests/host/traffic-lib.sh"
QUIET="console=ttyS0 loglevel=5"

# kept NAME: the folder for tables under that name
kept() { mkdir -p "$SHARE/acpi/$1" && echo "$SHARE/acpi/$1"; }

# reports NAME ARG...: a guest whose tables are kept under that name, and that has no complaint
reports() {
	dump=$(kept "$1")
	shift
	run 0 --acpi --dump-acpi "$dump" -k "$IMAGE" -i "$INITRD" -p "$QUIET" "$@" || return 1
	WHY="it complains: $(complaints | head -n 1)"
	[ -z "$(complaints)" ]
}
complaints() { grep -aE '^\[ *[0-9.]*\] ' "$OUT" | grep -v "reboot: Power down"; }
head -c 1048576 /dev/urandom >"$WORK/disk"
found() {
	reports one -c 4 -m 512 --rng -d "$WORK/disk" && said "cpus: 4" && said "virtio_blk" && said "virtio_rng" &&
		said "sha256 $(sum "$WORK/disk")" && said "ITS-PCI-MSIX"
}
case_of "acpi: linux: CPUs, PCI, disks and messages by an ITS; and no complaint" found
long_case "acpi: linux: without an ITS" reports no-its --irqchip gicv3 -c 2 -m 256 -d "$WORK/disk"
long_case "acpi: linux: virtio over MMIO" reports mmio --virtio-transport mmio -c 1 -m 256 --rng -d "$WORK/disk"
long_case "acpi: linux: segments and root ports" reports segments --segment 1 --segment 5 --root-port a --root-port b,segment=5 \
	-c 2 -m 256 -d "$WORK/disk,bus=a" -d "$WORK/disk,ro,bus=b" -d "$WORK/disk,ro,segment=1"
long_case "acpi: power button: linux: system_powerdown is a press of KEY_POWER" \
	presses_power --acpi -k "$IMAGE" -i "$SHARE/initrd-button" -p "console=ttyS0 quiet"
long_case "acpi: pvpanic: linux: a panicked kernel is exit code 34 and an event" \
	panics --acpi -k "$IMAGE" -p "console=ttyS0 quiet panic=-1"
long_case "acpi: linux: a reset starts it again" resets_twice --acpi

# behind WORDS TYPE ARG...
behind() {
	words=$1 type=$2
	shift 2
	traffic "$words" --acpi "$@" && said "group: $type"
}
long_case "acpi: an SMMUv3: random data over disk and network at once" behind iommu.strict=1 "DMA 0000:00:00.0" \
	--iommu s,type=smmuv3,interrupts=msi -d "$WORK/disk,serial=data,iommu=s" -n tap=tap0,iommu=s
long_case "acpi: a virtio-iommu: random data over disk and network at once" behind iommu.strict=1 "DMA 0000:00:01.0" \
	--iommu v,type=virtio -d "$WORK/disk,serial=data,iommu=v" -n tap=tap0,iommu=v
long_case "acpi: an SMMUv3 and virtio over MMIO: the same" behind iommu.strict=1 "DMA LNRO0005" --virtio-transport mmio \
	--dump-acpi "$(kept smmu-mmio)" --iommu s,type=smmuv3 -d "$WORK/disk,serial=data,iommu=s" -n tap=tap0,iommu=s
long_case "acpi: a virtio-iommu over MMIO: the same" behind iommu.strict=1 "DMA LNRO0005" --virtio-transport mmio \
	--dump-acpi "$(kept viommu-mmio)" --iommu v,type=virtio -d "$WORK/disk,serial=data,iommu=v" -n tap=tap0,iommu=v
several() { on_segments --acpi --dump-acpi "$(kept several)"; }
long_case "acpi: two SMMUv3s and a virtio-iommu, devices on segments, behind ports and behind none" several
traffic_ends

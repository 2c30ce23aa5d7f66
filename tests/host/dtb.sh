#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Device trees of many machines, as their guests were given them: read outside, by dtc and dt-validate (check_trees in
# tests/host.sh).
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"
fresh_disk

case_of "dtb: a disk and entropy" tree plain -c 2 -d "$DISK" --rng
case_of "dtb: no messages" tree gicv3 --irqchip gicv3 --console virtio -c 1 -d "$DISK"
case_of "dtb: virtio over MMIO" tree mmio --virtio-transport mmio -c 1 -d "$DISK" --rng --cpu pmu=off
case_of "dtb: segments and root ports" tree segments --segment 1 --segment 5 --root-port a --root-port b,segment=5 \
	-d "$DISK,bus=a" -d "$DISK,ro,bus=b" -d "$DISK,ro,segment=1"
case_of "dtb: SMMUv3s and a virtio-iommu" tree iommus --segment 1 --root-port a --iommu s,type=smmuv3,interrupts=msi \
	--iommu w,type=smmuv3 --iommu v,type=virtio,segment=1 -d "$DISK,iommu=s,bus=a" -d "$DISK,ro,iommu=w" -d "$DISK,ro,iommu=v,segment=1"
case_of "dtb: an SMMUv3, virtio over MMIO" tree smmu-mmio --virtio-transport mmio --iommu s,type=smmuv3 -d "$DISK,iommu=s" --rng
case_of "dtb: a virtio-iommu over MMIO, virtio over MMIO" tree viommu-mmio --virtio-transport mmio \
	--iommu v,type=virtio -d "$DISK,iommu=v" --rng
case_of "dtb: endpoints that stall, with PASIDs, with ATS and PRI" tree endpoints --root-port a --iommu s,type=smmuv3,idr0.pri=1 \
	--dma-test=stall,pasid=8,iommu=s,bus=a --dma-test=ats,pri,pasid=20,iommu=s
case_of "dtb: by ACPI, /chosen alone" tree acpi --acpi -d "$DISK"

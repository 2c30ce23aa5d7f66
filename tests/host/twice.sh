#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The same machine told by a device tree and by ACPI: with an ITS, and with a GICv3 alone.
. "$SHARE/tests/host/lib.sh"
LABEL=twice
. "$SHARE/tests/host/twice-lib.sh"

case_of "twice: every kind of IOMMU at once, devices behind each and behind none, on segments and behind ports" \
	twice 4 4 --segment 1 --root-port a --root-port b,segment=1 --root-port c --iommu s,type=smmuv3 \
	--iommu t,type=smmuv3,interrupts=msi --iommu v,type=virtio --iommu w,type=virtio,transport=mmio,msi=translate \
	-d "${d}1,iommu=s,bus=a" -d "${d}2,iommu=v,bus=b" -d "${d}3,iommu=t,segment=1" -d "${d}4,bus=c" -n tap=tap0,iommu=w --rng=iommu=t
case_of "twice: virtio over MMIO, behind an SMMUv3, behind a virtio-iommu and behind none" \
	twice 1 3 --virtio-transport mmio --iommu s,type=smmuv3 --iommu v,type=virtio \
	-d "${d}1,iommu=s" -d "${d}2,iommu=v" -d "${d}3" -n tap=tap0 --rng=iommu=s
case_of "twice: a GICv3 without an ITS: INTx of two segments and behind ports, an SMMUv3 that is wired" \
	twice 2 3 --irqchip gicv3 --segment 5 --root-port a --root-port b,segment=5 --iommu s,type=smmuv3 --iommu v,type=virtio \
	-d "${d}1,iommu=s,bus=a" -d "${d}2,iommu=v,bus=b" -d "${d}3,segment=5" -n tap=tap0,iommu=s --rng
[ -z "${SOAK:-}" ] || for chip in gicv3-its gicv3; do every_way $chip; done
every_difference
twice_ends

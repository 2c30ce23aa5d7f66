#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The same machine told by a device tree and by ACPI: with a GICv2, and with a v2m frame for messages.
# host: -M gic-version=2
. "$SHARE/tests/host/lib.sh"
LABEL=twice
. "$SHARE/tests/host/twice-lib.sh"

case_of "twice: a GICv2 with a v2m frame: messages from two segments, behind an SMMUv3, a virtio-iommu and none" \
	twice 4 3 --irqchip gicv2m --segment 1 --root-port a --iommu s,type=smmuv3 --iommu v,type=virtio \
	-d "${d}1,iommu=s,bus=a" -d "${d}2,iommu=v" -d "${d}3,segment=1" -n tap=tap0,iommu=s --rng
long_case "twice: a GICv2 alone: INTx, an SMMUv3 that is wired, virtio over MMIO beside" \
	twice 1 2 --irqchip gicv2 --iommu s,type=smmuv3 --iommu v,type=virtio,transport=mmio \
	-d "${d}1,iommu=s" -d "${d}2,iommu=v" -n tap=tap0 --rng
[ -z "${SOAK:-}" ] || for chip in gicv2m gicv2; do every_way $chip; done
twice_ends

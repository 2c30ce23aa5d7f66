#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Devices of a host with a GICv2, whose MSIs nothing isolates: a guest has a GICv2m.
# host: -d nest -M gic-version=2 -a iommufd.allow_unsafe_interrupts=1
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/vfio-lib.sh"

for at in $CARD $IGB $DISK $VIRTIO; do free $at; done
v2m() {
	run 0 -k "$IMAGE" -i "$SHARE/initrd-assigned" -c 2 $HUGE --irqchip gicv2m -p "console=ttyS0 loglevel=1" "$@" &&
		said ": e1000e: what was sent came back"
}
all() {
	v2m --vfio-pci $CARD,iommu=none --vfio-pci $IGB,iommu=none --vfio-pci $DISK,iommu=none --vfio-pci $VIRTIO,iommu=none &&
		said "cards: 3" && said "nvme: what was written is read"
}
case_of "vfio: with a GICv2m, behind nothing" v2m --vfio-pci $CARD,iommu=none
long_case "vfio: with a GICv2m, behind nothing: two cards, virtio-net and a disk" all
behind() {
	v2m --acpi -c 4 --iommu v,type=virtio --vfio-pci $CARD,iommu=v --vfio-pci $IGB,iommu=v --vfio-pci $DISK,iommu=v --vfio-pci $VIRTIO,iommu=v &&
		said "cards: 3" && said "nvme: what was written is read"
}
long_case "vfio: with a GICv2m, by ACPI, 4 vCPUs: all of them behind a virtio-iommu that lets messages bypass" behind
case_of "vfio: with a GICv2m, behind an SMMUv3 that is the host's" v2m --iommu s,type=smmuv3,accel=on --vfio-pci $CARD,iommu=s
case_of "vfio: with a GICv2m, behind a virtio-iommu that translates messages" v2m --iommu v,type=virtio,msi=translate --vfio-pci $CARD,iommu=v
echo 0 >/sys/module/iommufd/parameters/allow_unsafe_interrupts
refused() {
	run 3 -k "$IMAGE" --irqchip gicv2m --vfio-pci $CARD
	got=$?
	said "nestor: --vfio-pci $CARD: bind: Operation not permitted: the host's interrupts are not isolated" || return 1
	return $got
}
case_of "vfio: where interrupts are not isolated, and that is not allowed, it is refused" refused

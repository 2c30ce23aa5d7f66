#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A device of the host's that a guest gives to a guest of its own.
# host: -d nest -P max,pauth=off,sve=off,sme=off,lpa2=off -a kvm-arm.mode=nested
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/vfio-lib.sh"

free $CARD
free $DISK
# onward ARG...: with an IOMMU i
onward() {
	run 0 -k "$IMAGE" -i "$SHARE/initrd-nestor-onward" --nested -c 2 -m 768 $HUGE -p "console=ttyS0 loglevel=1" \
		--root-port rp --vfio-pci $CARD,iommu=i,bus=rp "$@" || return 1
	said "eth0: e1000e: what was sent came back" && said "its guest ended with 0" || return 1
	WHY="a complaint: $(grep -a -m 1 '^complaint' "$OUT")"
	! grep -q '^complaint' "$OUT"
}
# together: and a disk of the host's and the DMA endpoint, all by one page table of the guest's kernel: one domain
together() {
	onward --iommu i,type=virtio --vfio-pci $DISK,iommu=i --dma-test=iommu=i -p "console=ttyS0 loglevel=1 onward.fill=0x8a000000" || return 1
	said "nvme: what was written is read" && said "endpoint: filled 1048576: 0x63CBE1E459320DD7" || return 1
	WHY="not three, to one page table: $(grep -a '^ATTACH' "$OUT" | tr '\n' ' ')"
	[ "$(grep -ac '^ATTACH' "$OUT")" = 3 ] && [ "$(grep -a '^ATTACH' "$OUT" | sed 's/.*=>//' | sort -u | wc -l)" = 1 ]
}
case_of "vfio: behind a virtio-iommu: the guest gives a card, a disk and the DMA endpoint to a guest of its own: one domain" together
# By ACPI: a device tree has no word for addresses that a program may do without.
case_of "vsmmu: behind an SMMUv3 that is the host's: the same, by ACPI" onward --acpi --iommu i,type=smmuv3,accel=on
case_of "vfio: onward: the host's kernel has no complaint" quiet

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# --msi-window: what Linux makes of what it is told, of emulated devices and of the host's.
# host: -d nest
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/vfio-lib.sh"
INITRD=$SHARE/initrd-window
head -c 1048576 /dev/urandom >"$WORK/disk"

# window REGION ARG...: the guest has that region for its function 0000:00:SLOT, whose disk works
window() {
	region=$1
	shift
	run 0 -k "$IMAGE" -i "$INITRD" -c 2 -p "console=ttyS0 loglevel=1 iommu.strict=1" "$@" && said "$region" && said "disks interrupt" || return 1
	WHY=$(grep -a -m 1 '^kernel:' "$OUT")
	[ -z "$WHY" ]
}
emulated() {
	region=$1
	shift
	window "$region" --msi-window 0x20000000,0x200000 "$@" && said "disk vda: read"
}
OWN="0x0000000020000000 0x00000000201fffff"
SMMU="--iommu s,type=smmuv3 -d $WORK/disk,iommu=s"
VIRTIO_IOMMU="-d $WORK/disk,iommu=v --iommu v,type=virtio"
case_of "msi-window: an emulated disk behind an SMMU, by ACPI: it finds it at itself, and a VFIO of the guest's would do without" \
	emulated "reserved for 0000:00:00.0 : $OWN direct-relaxable" --acpi $SMMU
case_of "msi-window: the same by FDT, which has no word for that" emulated "reserved for 0000:00:00.0 : $OWN direct" --fdt $SMMU
case_of "msi-window: an emulated disk behind a port, whose bus the guest keeps" \
	emulated "reserved for 0000:01:00.0 : $OWN direct-relaxable" --acpi --root-port p $SMMU,bus=p
case_of "msi-window: an emulated disk behind a virtio-iommu, by ACPI: messages are not translated there" \
	emulated "reserved for 0000:00:01.0 : $OWN msi" --acpi $VIRTIO_IOMMU
case_of "msi-window: the same by FDT" emulated "reserved for 0000:00:01.0 : $OWN msi" --fdt $VIRTIO_IOMMU
case_of "msi-window: where messages are translated the guest has its own" \
	emulated "0x0000000008000000 0x00000000080fffff msi" --fdt $VIRTIO_IOMMU,msi=translate

free $DISK
free $CARD
assigned() { window "$1" --fdt --iommu "v,type=virtio$2" --vfio-pci "$DISK,iommu=v" $3 && said "disk nvme0n1: read"; }
case_of "msi-window: a disk of the host's where the host's window is" \
	assigned "0x0000000008000000 0x00000000080fffff msi" "" "--msi-window 0x8000000,0x100000"
case_of "msi-window: a disk of the host's where the host's window is, and messages are translated" \
	assigned "0x0000000008000000 0x00000000080fffff msi" ,msi=translate "--msi-window 0x8000000,0x100000"
card() {
	run 0 -k "$IMAGE" -i "$SHARE/initrd-assigned" -p "console=ttyS0 loglevel=1 iommu.strict=1" --iommu v,type=virtio,msi=translate \
		--vfio-pci $CARD,iommu=v --msi-window 0x8000000,0x100000 && said "eth0: e1000e: what was sent came back"
}
long_case "msi-window: a card of the host's where the host's window is, and messages are translated" card
elsewhere() {
	run 3 -k "$IMAGE" -i "$INITRD" --msi-window 0x9000000,0x100000 "$@" &&
		said "nestor: --msi-window 0x9000000,0x100000: expected 0x8000000,0x100000, where this host's kernel has doorbells for --vfio-pci $CARD, and does not move them: "
}
case_of "msi-window: elsewhere, a device of the host's lacks it" elsewhere --vfio-pci $CARD
case_of "msi-window: the same behind a virtio-iommu" elsewhere --iommu v,type=virtio --vfio-pci $CARD,iommu=v
case_of "msi-window: the host's kernel has no complaint" quiet

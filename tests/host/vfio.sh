#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Devices of the host's that are a guest's: behind nothing and behind a virtio-iommu, with their stock drivers.
# host: -d nest
. "$SHARE/tests/host/lib.sh"
INITRD=$SHARE/initrd-assigned
CARD=0000:01:00.0 IGB=0000:21:00.0 DISK=0000:22:00.0 VIRTIO=0000:23:00.0

# free AT: by the command that `nestor devices` prints
free() {
	"$NESTOR" devices | awk -v at="$1" '/^[0-9a-f]/ { on = $1 == at } on' | sed -n 2p >"$WORK/free"
	! grep -q '^  echo' "$WORK/free" || sh "$WORK/free"
}

# guest WORDS ARG...: one with what is assigned; WORDS are the kernel's
guest() {
	words=$1
	shift
	run 0 -k "$IMAGE" -i "$INITRD" -m 256 -p "console=ttyS0 loglevel=1 $words" "$@"
}
# works N WORDS ARG...: the same, and N cards and the disk did
works() {
	cards=$1
	shift
	guest "$@" && said "cards: $cards" && said "nvme: what was written is read"
}
four() {
	works 3 "$WORDS" -c 4 --vfio-pci $CARD"$1" --vfio-pci $IGB"$1" --vfio-pci $DISK"$1" --vfio-pci $VIRTIO"$1" "$2" ${3:+"$3" "$4"}
}

refused() {
	text=$1 status=$2
	shift 2
	run "$status" -k "$IMAGE" -i "$INITRD" "$@"
	got=$?
	said "$text" || return 1
	return $got
}
quiet() {
	WHY=$(dmesg | grep -E 'WARNING|BUG|Oops|event 0x|unexpected|vfio.*(error|fail)' | head -n 1)
	[ -z "$WHY" ]
}

[ -n "$(readlink /sys/bus/pci/devices/$CARD/driver | grep vfio-pci)" ] ||
	case_of "vfio: a function that its driver has is refused, with the command that frees it" refused "--vfio-pci 01:00.0: expected it to be vfio-pci's, not e1000e's: echo vfio-pci >/sys/" 3 --vfio-pci 01:00.0
case_of "vfio: a function that there is not is refused" refused "--vfio-pci 01:1f.0: expected a PCI function of this host" 2 --vfio-pci 01:1f.0
for at in $CARD $IGB $DISK $VIRTIO; do free $at; done
WORDS=
case_of "vfio: behind nothing: two cards, virtio-net and an NVMe disk, 4 vCPUs, by FDT" four "" --fdt
WORDS=iommu.strict=1
case_of "vfio: behind a virtio-iommu that translates messages, strict, by FDT" four ,iommu=v --fdt --iommu v,type=virtio,msi=translate
WORDS=
case_of "vfio: behind a virtio-iommu, lazy, by ACPI" four ,iommu=v --acpi --iommu v,type=virtio
case_of "vfio: the host's kernel has no complaint" quiet

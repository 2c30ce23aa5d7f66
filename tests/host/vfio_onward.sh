#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A device of the host's that a guest gives to a guest of its own.
# host: -d nest -P max,pauth=off,sve=off,sme=off,lpa2=off -a kvm-arm.mode=nested
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/vfio-lib.sh"

free $CARD
onward() {
	run 0 -k "$IMAGE" -i "$SHARE/initrd-nestor-onward" --nested -c 2 -m 768 $HUGE -p "console=ttyS0 loglevel=1" \
		--iommu v,type=virtio --root-port rp --vfio-pci $CARD,iommu=v,bus=rp || return 1
	said "eth0: e1000e: what was sent came back" && said "its guest ended with 0" || return 1
	WHY="a complaint: $(grep -a -m 1 '^complaint' "$OUT")"
	! grep -q '^complaint' "$OUT"
}
case_of "vfio: behind a virtio-iommu: the guest gives its card to a guest of its own, through its own VFIO" onward
case_of "vfio: onward: the host's kernel has no complaint" quiet

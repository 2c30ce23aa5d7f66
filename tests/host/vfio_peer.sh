#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Two functions of the host's, of which one reaches the other's BAR.
# host: -d nest
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"
. "$SHARE/tests/host/vfio-lib.sh"

free $DISK
free $CARD
case_of "vfio: peer: a disk writes into a card's BAR, where the guest has that, and where it moves it" \
	guest peer peer --vfio-pci $DISK,iommu=none --vfio-pci $CARD,iommu=none
case_of "vfio: peer: the same behind a virtio-iommu in bypass mode" \
	guest peer peer --iommu v,type=virtio --vfio-pci $DISK,iommu=v --vfio-pci $CARD,iommu=v
case_of "vfio: peer: the host's kernel has no complaint" quiet

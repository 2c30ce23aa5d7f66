#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A virtual function whose physical one is vfio-pci's too: who has one shows by a token that the other lets them.
# host: -d nest
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/vfio-lib.sh"
TOKEN=bd8d9d2b-5a5f-4f5a-a211-f591514ba1f3

# guest AT[,KEY] ID: one with that function boots, and finds it
guest() {
	run 0 -k "$IMAGE" -i "$INITRD" -p "console=ttyS0 quiet" --trace uapi --vfio-pci "$1,iommu=none" && said "pci 0000:00:00.0 $2"
}
virtual() { # the guest knows it by its ID, which is in no register of its own
	guest "$VF,token=$TOKEN" "8086:10ca" && said "VFIO_DEVICE_BIND_IOMMUFD, {flags=TOKEN, iommufd="
}
# refused REASON AT[,KEY]
refused() {
	run 3 -k "$IMAGE" -i "$INITRD" --vfio-pci "$2" && said "nestor: --vfio-pci ${2%%,*}: bind: $1: expected "
}

free $IGB
echo Y >/sys/module/vfio_pci/parameters/enable_sriov
case_of "vfio: token: a physical function is a guest's, and has one from then on" guest "$IGB,token=$TOKEN" 8086:10c9
echo 1 >/sys/bus/pci/devices/$IGB/sriov_numvfs
free $VF
case_of "vfio: token: without it a virtual function is refused" refused "Permission denied" $VF
case_of "vfio: token: with another it is refused too" refused "Permission denied" $VF,token=00000000-0000-4000-8000-000000000000
case_of "vfio: token: with it, it is a guest's" virtual
free $DISK
case_of "vfio: token: a function that asks for none takes none" refused "Invalid argument" $DISK,token=$TOKEN
echo 0 >/sys/bus/pci/devices/$IGB/sriov_numvfs
echo N >/sys/module/vfio_pci/parameters/enable_sriov
case_of "vfio: token: the host's kernel has no complaint" quiet

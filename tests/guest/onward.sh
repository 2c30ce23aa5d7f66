#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: its network card, which is the host's, goes on to a guest of its own, through its own VFIO; and so do the
# disk and the DMA endpoint that it may have besides. All of them reach that guest's memory by one domain of the guest's.
[ -c /dev/kvm ] || exit 2
assigned=
for at in "$(basename "$(readlink /sys/class/net/eth0/device)")" /sys/bus/pci/drivers/nvme/*:* /sys/bus/pci/drivers/pci-endpoint-test/*:*; do
	at=${at##*/}
	[ "$at" != "*:*" ] || continue
	/nestor devices | awk -v at="$at" '/^[0-9a-f]/ { on = $1 == at } on' | sed -n 2p >/tmp/free
	sh /tmp/free
	assigned="$assigned --vfio-pci $at"
done
echo 110 >/proc/sys/vm/nr_hugepages # why: tests/host/vfio-lib.sh
/nestor run --timeout 150 --hugetlb 2M -k /Image -i /guest-initrd -m 192 --trace uapi \
	-p "console=ttyS0 loglevel=1 mem=160M assigned.fill=$(sed -n 's/.*onward.fill=\([^ ]*\).*/\1/p' /proc/cmdline)" $assigned 2>/tmp/said
echo "its guest ended with $?"
grep '^nestor' /tmp/said
sed -n 's/.*\(ATTACH_IOMMUFD_PT.* => .*\) = 0 <.*/\1/p' /tmp/said
dmesg | grep -E 'WARNING|Call trace|virtio_iommu.*fault' | sed 's/^\[[^]]*\] /complaint: /'

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: its network card, which is the host's, goes on to a guest of its own, through its own VFIO.
[ -c /dev/kvm ] || exit 2
card=$(basename "$(readlink /sys/class/net/eth0/device)")
/nestor devices | awk -v at="$card" '/^[0-9a-f]/ { on = $1 == at } on' | sed -n 2p >/tmp/free
sh /tmp/free
echo 100 >/proc/sys/vm/nr_hugepages # why: tests/host/vfio-lib.sh
/nestor run --timeout 150 --hugetlb 2M -k /Image -i /guest-initrd -m 192 -p "console=ttyS0 loglevel=1" --vfio-pci "$card"
echo "its guest ended with $?"
dmesg | grep -E 'WARNING|Call trace|virtio_iommu.*fault' | sed 's/^\[[^]]*\] /complaint: /'

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest, which is a host: the DMA endpoint goes on to a guest of its own behind an SMMUv3 that this host's translates for, and its
# accesses stall; "figure NAME UNIT VALUE" lines, of the guest's and of this host's Nestor.
cd / && . /calls.sh
echo 100 >/proc/sys/vm/nr_hugepages # why: tests/host/vfio-lib.sh
f=$(dirname "$(grep -l 0x002d /sys/bus/pci/devices/*/device)")
echo vfio-pci >"$f/driver_override"
echo "${f##*/}" >"$f/driver/unbind"
echo "${f##*/}" >/sys/bus/pci/drivers_probe
calls_a_fault bridge_calls_assigned_stall ./nestor run --name faults --hugetlb 2M -k Image -i guest-initrd -c 1 -m 192 --acpi \
	--iommu s,type=smmuv3,accel=on --vfio-pci "${f##*/},iommu=s,stall=on" -p "console=ttyS0 quiet" | sed 's/^/figure /'
tr -d '\r' <stalls.log

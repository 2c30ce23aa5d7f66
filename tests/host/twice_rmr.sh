#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The same machine told by a device tree and by ACPI: with reserved memory, for which an IORT has RMRs, and with endpoints
# that stall or have page requests.
. "$SHARE/tests/host/lib.sh"
LABEL=twice
. "$SHARE/tests/host/twice-lib.sh"

case_of "twice: IOVAs reserved for doorbells: behind an SMMUv3, a port, a virtio-iommu and on another segment" \
	twice 2 4 --msi-window 0x20000000,0x200000 --segment 1 --root-port a --root-port b --iommu s,type=smmuv3 \
	--iommu t,type=smmuv3 --iommu v,type=virtio -d "${d}1,iommu=s,bus=a" -d "${d}2,iommu=s" -d "${d}3,iommu=v" \
	-d "${d}4,iommu=t,segment=1"
case_of "twice: endpoints that stall, and one with ATS, page requests and PASIDs behind a port" \
	twice 1 1 --root-port a --root-port b --iommu s,type=smmuv3 --dma-test=iommu=s,stall,pasid=8 \
	--dma-test=iommu=s,bus=a,stall,pasid=8 --dma-test=iommu=s,bus=b,ats,pri,pasid=8 -d "${d}1,iommu=s"
every_difference relaxable
twice_ends

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# CLOCK NESTOR DIR: the largest machine there is, told both ways into DIR: all CPUs, segments, SMMUs, disks and DMA
# endpoints, and a port for each bus that a segment has. How long it took in milliseconds, and the most it had resident in
# MiB.
clock=$1 nestor=$2 dir=$3
set -- -c 64
for i in $(seq 16); do set -- "$@" --iommu "s$i,type=smmuv3"; done
for i in $(seq 0 63); do
	s=s$((i % 16 + 1))
	[ "$i" = 0 ] || set -- "$@" --segment "$i"
	set -- "$@" -d "x,segment=$i,iommu=$s"
	for j in 1 2 3; do set -- "$@" --root-port "p$i.$j,segment=$i" -d "x,bus=p$i.$j,iommu=$s"; done
	for j in 1 2 3 4; do set -- "$@" "--dma-test=segment=$i,ats,pri,pasid=20,stall,iommu=$s"; done
done
set -- "$nestor" dump --acpi-out "$dir" --dtb-out "$dir/tree.dtb" "$@"
mkdir -p "$dir"
"$clock" "" "$@"

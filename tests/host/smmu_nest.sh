#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Nesting on SMMUv3: a program in a Linux guest is the VMM, and has a stage 1 of its own over the kernel's stage 2.
. "$SHARE/tests/host/lib.sh"

nests() { # KEYS ARG...
	keys=$1
	shift
	run 0 -k "$IMAGE" -i "$SHARE/initrd-nest" -c 2 -m 512 -p "console=ttyS0 loglevel=1" --iommu "s,type=smmuv3$keys" "$@" || return 1
	for test in objects translation "stage-1 faults" "stage-2 faults" invalidation batches "context descriptors" \
		"stage-2 unmap" held bypass abort "bad STEs" "stalls disabled" substreams ATS detach again; do
		said "nest: $test: ok" || return 1
	done
}

# What its vEVENTQ does not have is in the driver's log: faults of stage 2 for each class of access, and only they.
logged() {
	said 's2 "Input address caused fault"' && said 's2 "Stage 1 translation table fetch"' && said 's2 "CD fetch"' || return 1
	WHY=$(grep -aE '^log: .*(priv .* s1 |C_BAD_|EVTQ overflow)' "$OUT")
	[ -z "$WHY" ]
}

wired() { nests "" --dma-test=ats,pasid=8,iommu=s && logged && ! said "nest: no ATS"; }
messages() {
	nests ",interrupts=msi,idr3.ril=0,idr0.st_level=0,idr1.sidsize=6" --dma-test=iommu=s && logged && said "nest: no PASIDs"
}

case_of "smmu: nested: DMA goes through both stages, each fault to whom it belongs; with PASIDs and ATS" wired
case_of "smmu: nested: the same with messages, a linear table, no ranges and no PASIDs" messages

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# SMMUv3 under Linux's driver: disks and networks behind it, with traffic; several of them, beside a virtio-iommu and devices behind none.
. "$SHARE/tests/host/lib.sh"
LABEL=smmu
. "$SHARE/tests/host/traffic-lib.sh"

one() { # KEYS WORDS TYPE ARG...
	keys=$1 words=$2 type=$3
	shift 3
	traffic "$words" --iommu "s,type=smmuv3$keys" -d "$WORK/disk,serial=data,iommu=s" -n tap=tap0,iommu=s "$@" && busy && said "group: $type"
}
case_of "smmu: Linux: strict: random data over disk and network at once; drivers come and go under load" \
	one "" "iommu.strict=1 viommu.rounds=$ROUNDS" "DMA 0000:00:00.0" || :
said "rounds: $ROUNDS, disk $(sum "$WORK/disk")" || fail "smmu: Linux: the disk after that" "$WHY"
long_case "smmu: Linux: strict, on one vCPU that spins with interrupts off" one "" iommu.strict=1 "DMA 0000:00:00.0" -c 1
lazy() {
	invalidations=1
	one "" iommu.strict=0 "DMA-FQ 0000:00:00.0"
}
case_of "smmu: Linux: lazy: the same data" lazy
invalidations=
messages() { one ",interrupts=msi" iommu.strict=1 "DMA 0000:00:00.0" && said "ITS-pMSI" && said "arm-smmu-v3-evtq"; }
long_case "smmu: Linux: strict: its own interrupts are messages" messages
linear() { one ",idr0.st_level=0,idr0.cd2l=0,idr1.sidsize=6" iommu.strict=1 "DMA 0000:00:00.0"; }
stage1() { one ",idr0.s2p=0" iommu.strict=1 "DMA 0000:00:00.0"; }
stage2() { one ",idr0.s1p=0" iommu.strict=1 "DMA 0000:00:00.0"; }
long_case "smmu: Linux: strict: stage 1 alone" stage1
long_case "smmu: Linux: strict: stage 2 alone" stage2 # smmu_ats.sh has it in every run
case_of "smmu: Linux: strict: tables of one level, which is all there is" linear
# pages64 KEYS: a kernel whose pages, tables and doorbells are of 64 KiB, with addresses of 52 bits where there are some
pages64() {
	IMAGE=$SHARE/Image-64k
	one "$1" iommu.strict=1 "DMA 0000:00:00.0"
	got=$?
	IMAGE=$WORK/Image
	return $got
}
messages64() { pages64 ,interrupts=msi && said "ITS-pMSI" && said "arm-smmu-v3-evtq"; }
case_of "smmu: Linux: strict: a guest of 64 KiB pages; its SMMU's interrupts are messages" messages64
long_case "smmu: Linux: strict: a guest of 64 KiB pages, and of 52 bits" pages64 ,idr5.oas=6
long_case "smmu: Linux: strict: a guest of 64 KiB pages, and stage 2 alone" pages64 ,idr0.s1p=0
# The driver then keeps queues and tables out of the caches; it warns where what it is told is not what IDR0 says.
noncoherent() {
	one ",idr0.cohacc=0" iommu.strict=1 "DMA 0000:00:00.0" "$@" || return 1
	WHY=$(grep -a -m 1 COHACC "$OUT")
	! grep -qa COHACC "$OUT"
}
case_of "smmu: Linux: strict: one whose accesses are not coherent" noncoherent
case_of "smmu: Linux: strict: one whose accesses are not coherent, by ACPI" noncoherent --acpi
long_case "smmu: Linux: strict, devices over MMIO" one "" iommu.strict=1 "DMA" --virtio-transport mmio

several() { on_segments && busy; }
case_of "smmu: Linux: two of them, of which one sends messages, beside a virtio-iommu, with devices on segments, behind ports and behind none" several

shared() { on_buses smmuv3 "$@" && busy; }
case_of "smmu: Linux: two of them share a segment by its buses" shared
case_of "smmu: Linux: two of them share a segment by its buses, by ACPI" shared --acpi

# 16 of them, each with a device: the disk and the network with traffic, 14 disks whose partitions are looked for.
sixteen() {
	disks $(seq 3 16)
	set -- --iommu s1,type=smmuv3 --iommu s2,type=smmuv3,interrupts=msi
	for i in $(seq 3 16); do set -- "$@" --iommu "s$i,type=smmuv3" -d "$WORK/disk$i,iommu=s$i"; done
	traffic "iommu.strict=1" -d "$WORK/disk,serial=data,iommu=s1" -n tap=tap0,iommu=s2 "$@" && busy || return 1
	WHY="$(grep -ac ^group: "$OUT") groups"
	[ "$(grep -ac ^group: "$OUT")" = 16 ] || return 1
	WHY="one of them has translated nothing, or is not there"
	[ "$(grep -c '"kind": "smmuv3"' "$WORK/stat")" = 16 ] && ! grep -q '"accesses": 0[^0-9]*$' "$WORK/stat"
}
case_of "smmu: Linux: sixteen of them, each with a device" sixteen

# What an identity domain reaches is not translated, and so nothing is invalidated but at the beginning.
identity() {
	invalidations=1
	one "" "iommu.passthrough=1" identity
}
long_case "smmu: Linux: identity domains" identity
invalidations=

case_of "smmu: Linux: a guest that resets starts with an SMMU as new" resets_twice --iommu s,type=smmuv3 --rng=iommu=s
traffic_ends

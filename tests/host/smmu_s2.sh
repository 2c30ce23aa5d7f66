#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# SMMUv3: its stage 2 against that of a guest's guest, whose hypervisor is a bare-metal guest.
# host: -P max,pauth=off,sve=off,sme=off,lpa2=off -a kvm-arm.mode=nested
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"

# s12 SEED COUNT PARANGE
s12() {
	guest smmu_s2 "s12 seed=$1 count=$2" --nested --cpu "id_aa64mmfr0_el1.parange=$3" --iommu v,type=smmuv3 --rng \
		--dma-test=iommu=v --timeout 3000 && cat "$OUT"
}
if [ -n "${SOAK:-}" ]; then count=10000 seeds="1 2 3 4 11 12"; else count=150 seeds=1; fi
for seed in $seeds; do
	case_of "smmu: stage 2, and both, are the CPU's: tables by chance, seed $seed" s12 "$seed" $count 5
	case_of "smmu: stage 2, and both, are the CPU's: with addresses of 40 bits, seed $seed" s12 "$seed" $count 2
done

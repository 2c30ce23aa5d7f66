#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# An SMMUv3 and a driver that misbehaves, under the program as it is; then all of its bare-metal guests under one with
# ASan and UBSan, whose every report is a failure.
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"

# endpoint GUEST TEST [KEYS]: the DMA endpoint behind one; its StreamID is not 0
endpoint() { guest "$1" "$2" --iommu "v,type=smmuv3$3" --rng --dma-test=iommu=v,ats,pasid=20 -m 256 -c 2 --timeout 900; }

# hostile LABEL COUNT SEED...
hostile() {
	label="smmu: $1" count=$2
	shift 2
	case_of "$label: queues of all sizes, with any index, and told while they are enabled" endpoint smmu_hostile sizes
	case_of "$label: tables in a ring end" endpoint smmu_hostile rings
	for seed; do
		for shape in "" ",idr0.s2p=0" ",idr5.oas=6" ",idr0.msi=0,idr3.ril=0,idr0.ats=0"; do
			case_of "$label: registers, commands and tables of chance under transfers do no harm, seed $seed$shape" \
				endpoint smmu_hostile "fuzz seed=$seed count=$count" "$shape"
		done
	done
}
# stalls LABEL COUNT SEED...
stalls() {
	label="smmu: $1" count=$2
	shift 2
	for seed; do
		case_of "$label: stalls, answers, resets and tables of chance, seed $seed" endpoint smmu_stall "chance seed=$seed count=$count"
	done
}
# In every run all of it goes under sanitizers
if [ -n "${SOAK:-}" ]; then stalls plain 200000 1 2 3 4; hostile plain 200000 1 2 3 4; fi

cp -r "$SHARE/asan" "$WORK"
NESTOR=$WORK/asan/run
export ASAN_OPTIONS=exitcode=99:detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
if [ -n "${SOAK:-}" ]; then stalls sanitizers 50000 5 6; else stalls sanitizers 2000 2; fi
if [ -n "${SOAK:-}" ]; then hostile sanitizers 100000 5 6; else hostile sanitizers 4000 2; fi
for test in "smmu nested" "smmu two-level" "smmu pasid" "smmu hold" "smmu_fault each" "smmu_fault silent" "smmu_queue overflow" "smmu_queue command" \
	"smmu_ats full" "smmu_ats split" "smmu_ats answers" "smmu_ats checked" "smmu_ats hold" "smmu_ats pasid" "smmu_ats churn" \
	"smmu_stall retried" "smmu_stall terminated" "smmu_stall full" "smmu_stall wrong" "smmu_stall torn" "smmu_stall moved" \
	"smmu_stall reset" "smmu_stall never"; do
	case_of "smmu: sanitizers: $test" endpoint ${test% *} ${test#* }
done

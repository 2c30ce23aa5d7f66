#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Page requests of an SMMUv3: a bare-metal driver of its PRI queue, well-behaved and not; then under the program with
# sanitizers; and stock Linux, which denies what comes there.
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"

# asks TEST: the DMA endpoint behind one; its StreamID is not 0
asks() {
	guest smmu_pri "$1" --iommu v,type=smmuv3,idr0.ats=1,idr0.pri=1 --rng --dma-test=iommu=v,ats,pri,pasid=20
}

case_of "smmu: pri: groups are served, each with its own answer" asks served
case_of "smmu: pri: an overflow is answered in the driver's stead, until it is acknowledged" asks overflow
case_of "smmu: pri: without a queue, without translation and with an abort the interface fails" asks denied
case_of "smmu: pri: the queue's wire, for any request and for the last of a group" asks wired
case_of "smmu: pri: the queue's message" asks message
case_of "smmu: pri: answers to what nobody asked, twice, and for other streams" asks wrong
case_of "smmu: pri: an endpoint that gives up or begins anew, with groups outstanding" asks reset
case_of "smmu: pri: queues of all sizes, with any index, and told while they are enabled" asks sizes
case_of "smmu: pri: a guest that never answers ends" asks never

cp -r "$SHARE/asan" "$WORK"
plain=$NESTOR
NESTOR=$WORK/asan/run
export ASAN_OPTIONS=exitcode=99:detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
for test in served overflow denied wrong reset sizes never; do
	case_of "smmu: pri: sanitizers: $test" asks $test
done
NESTOR=$plain

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# SMMUv3: bare-metal guests that drive it, and look at what endpoints reach.
# host: -P max,pauth=off,sve=off,sme=off,lpa2=off
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"

# endpoint GUEST TEST [KEYS]: the DMA endpoint (with these keys besides) behind one; its StreamID is not 0
endpoint() { guest "$1" "$2" --iommu v,type=smmuv3 --rng "--dma-test=iommu=v$3"; }
# behind TEST ARG...: an entropy device behind one
behind() {
	test=$1
	shift
	guest smmu_devices "$test" --iommu v,type=smmuv3 --rng=iommu=v "$@"
}

case_of "smmu: before it is enabled GBPA says what happens" endpoint smmu disabled
case_of "smmu: streams that abort and bypass; an STE is cached until it is told" endpoint smmu streams
case_of "smmu: stage 1" endpoint smmu stage1
case_of "smmu: stage 2" endpoint smmu stage2
case_of "smmu: both stages" endpoint smmu nested
case_of "smmu: a Stream table of two levels" endpoint smmu two-level
case_of "smmu: each PASID has a CD, in tables of one and two levels" endpoint smmu pasid ,pasid=20
case_of "smmu: CMD_SYNC waits for transfers whose memory was taken away, and for no other" endpoint smmu hold
event() { guest smmu event --iommu v,type=smmuv3 --rng --dma-test=iommu=v -c 2; }
case_of "smmu: who waits for an event (WFE) goes on when CMD_SYNC is complete" event
case_of "smmu: each kind of fault is recorded, to the bit" endpoint smmu_fault each ,pasid=20
case_of "smmu: faults that CD.R and STE.S2R keep silent" endpoint smmu_fault silent
case_of "smmu: no Stream table, or one that is too small" endpoint smmu_fault stream-table
case_of "smmu: events that there is no room for are lost, and that is told once" endpoint smmu_queue overflow
strictly() { run 37 -k "$SHARE/guests/smmu_queue.bin" -p overflow --strict-io --iommu s,type=smmuv3 --dma-test=iommu=s && said "page faults and events were lost, 0 had no answer"; }
case_of "smmu: events that are lost are exit code 37, if that is asked for" strictly
case_of "smmu: events are merged where an STE says so" endpoint smmu_queue merged
case_of "smmu: the Event queue's wire" endpoint smmu_queue wired
case_of "smmu: the Event queue's message" endpoint smmu_queue message
case_of "smmu: a command that is none stops the queue until that is acknowledged" endpoint smmu_queue command
case_of "smmu: stalled transfers go on when their page is there and that is said" endpoint smmu_stall retried
case_of "smmu: stalled transfers are terminated one by one, by their stream, and with translation" endpoint smmu_stall terminated
case_of "smmu: stalls that there is no room for are held back, and none is lost" endpoint smmu_stall full
case_of "smmu: answers to what is not stalled, twice, and for another stream do nothing" endpoint smmu_stall wrong
case_of "smmu: two devices that stall are answered each by its own name" \
	guest smmu_stall others --iommu v,type=smmuv3 --rng --dma-test=iommu=v --dma-test=iommu=v
case_of "smmu: what stalls has its tables taken away" endpoint smmu_stall torn
case_of "smmu: what stalls is recorded in one Event queue or the other" endpoint smmu_stall moved
case_of "smmu: a function's reset ends what stalls, and old answers do nothing" endpoint smmu_stall reset
case_of "smmu: a guest that never answers a stall ends" endpoint smmu_stall never
case_of "smmu: a guest that answers stalls too late" endpoint smmu_stall late ,fault-timeout=50
late() { run 37 -k "$SHARE/guests/smmu_stall.bin" -p "$1" --strict-io --iommu v,type=smmuv3 --rng "--dma-test=iommu=v$2" && said "were lost, $3 had no answer"; }
case_of "smmu: stalls that timed out are exit code 37, if that is asked for" late late ,fault-timeout=50 24
case_of "smmu: stalls that wait at the end are, too" late never "" 8
# told: whoever has its events knows of each before the end
told() {
	run 0 -k "$SHARE/guests/smmu_stall.bin" -p late --iommu v,type=smmuv3 --rng --dma-test=iommu=v,fault-timeout=50 --log-json "$WORK/late.log" --trace fault || return 1
	said ": v: StreamID 0x8: 0x" && said ": stalls, STAG 0x" && said ": nobody answers" && said ": too late" || return 1
	WHY=$(grep -E 'FAULTS|SHUTDOWN' "$WORK/late.log" | tail -n 2)
	case $WHY in *x-nestor-FAULTS*'"timed-out":24'*SHUTDOWN*) ;; *) return 1 ;; esac
}
case_of "smmu: stalls that timed out are events, and are traced" told
case_of "smmu: an entropy device waits for a page, and is told that there is none" behind stalled
case_of "smmu: an entropy device reaches what is mapped, and faults otherwise" behind entropy
case_of "smmu: messages go where their doorbell is mapped" behind messages
# at SEED COUNT [FIELD]: an endpoint for each kind of access; 50,000 take 40 s, or as much longer as the machine has other work
at() {
	guest smmu_at "at seed=$1 count=$2" --iommu "v,type=smmuv3$3" --rng --dma-test=iommu=v --dma-test=iommu=v --dma-test=iommu=v \
		--dma-test=iommu=v --timeout 2000
}
if [ -n "${SOAK:-}" ]; then count=50000 seeds="1 2 3 4 5 6 7 8 9 10"; else count=2000 seeds=1; fi
for seed in $seeds; do
	case_of "smmu: stage 1 is the CPU's: tables by chance, seed $seed" at "$seed" $count
	case_of "smmu: stage 1 is the CPU's: with addresses of 52 bits, seed $seed" at "$seed" $count ,idr5.oas=6
done

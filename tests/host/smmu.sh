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
case_of "smmu: each kind of fault is recorded, to the bit" endpoint smmu_fault each ,pasid=20
case_of "smmu: faults that CD.R and STE.S2R keep silent" endpoint smmu_fault silent
case_of "smmu: no Stream table, or one that is too small" endpoint smmu_fault stream-table
case_of "smmu: events that there is no room for are lost, and that is told once" endpoint smmu_queue overflow
case_of "smmu: events are merged where an STE says so" endpoint smmu_queue merged
case_of "smmu: the Event queue's wire" endpoint smmu_queue wired
case_of "smmu: the Event queue's message" endpoint smmu_queue message
case_of "smmu: a command that is none stops the queue until that is acknowledged" endpoint smmu_queue command
case_of "smmu: stalled transfers go on when their page is there and that is said" endpoint smmu_stall retried
case_of "smmu: stalled transfers are terminated one by one, by their stream, and with translation" endpoint smmu_stall terminated
case_of "smmu: stalls that there is no room for are held back, and none is lost" endpoint smmu_stall full
case_of "smmu: answers to what is not stalled, twice, and for another stream do nothing" endpoint smmu_stall wrong
case_of "smmu: what stalls has its tables taken away" endpoint smmu_stall torn
case_of "smmu: what stalls is recorded in one Event queue or the other" endpoint smmu_stall moved
case_of "smmu: a function's reset ends what stalls, and old answers do nothing" endpoint smmu_stall reset
case_of "smmu: a guest that never answers a stall ends" endpoint smmu_stall never
times_out() { ends 35 smmu_stall waits --iommu v,type=smmuv3 --rng --dma-test=iommu=v --timeout 5 && said "it waits"; }
case_of "smmu: one that never answers a stall is ended by --timeout" times_out
is_stopped() {
	: >"$OUT"
	"$NESTOR" run --timeout 180 --name stalls -k "$GUESTS/smmu_stall.bin" -p waits \
		--iommu v,type=smmuv3 --rng --dma-test=iommu=v >"$OUT" 2>&1 </dev/null &
	pid=$!
	until grep -q "it waits" "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 20000; done
	"$NESTOR" stop stalls
	wait $pid
	got=$?
	WHY="exit code $got, expected 0"
	[ $got = 0 ]
}
case_of "smmu: one that never answers a stall is stopped" is_stopped
boots_again() {
	ends 35 smmu_stall again --iommu v,type=smmuv3 --rng --dma-test=iommu=v --reboot --timeout 5 || return 1
	WHY="$(grep -ac '^boot' "$OUT") boots, at least 2 expected; $(grep -am 1 FAIL "$OUT")"
	[ "$(grep -ac '^boot' "$OUT")" -ge 2 ] && ! grep -qa FAIL "$OUT"
}
case_of "smmu: a reset of the machine while transfers stall leaves nothing of them" boots_again
case_of "smmu: an entropy device waits for a page, and is told that there is none" behind stalled
case_of "smmu: an entropy device reaches what is mapped, and faults otherwise" behind entropy
case_of "smmu: messages go where their doorbell is mapped" behind messages
# at SEED COUNT [FIELD]; 50,000 take three minutes, or as much longer as the machine has other work
at() { guest smmu_at "at seed=$1 count=$2" --iommu "v,type=smmuv3$3" --rng --dma-test=iommu=v --timeout 2000; }
if [ -n "${SOAK:-}" ]; then count=50000 seeds="1 2 3 4 5 6 7 8 9 10"; else count=300 seeds=1; fi
for seed in $seeds; do
	case_of "smmu: stage 1 is the CPU's: tables by chance, seed $seed" at "$seed" $count
	case_of "smmu: stage 1 is the CPU's: with addresses of 52 bits, seed $seed" at "$seed" $count ,idr5.oas=6
done

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ATS: bare-metal guests whose DMA endpoint caches what an SMMU answers; and stock Linux, which is told of ATS by FDT and by
# ACPI, and invalidates what it unmaps.
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"

# endpoint TEST [KEYS]: the DMA endpoint (with these keys besides) behind an SMMU; its StreamID is not 0
endpoint() { guest smmu_ats "$1" --iommu v,type=smmuv3 --rng "--dma-test=ats,iommu=v$2"; }

case_of "smmu: ATS: a device keeps what it has cached until it is told" endpoint full
case_of "smmu: ATS: split stages: the device has IPAs, and stage 2 comes after" endpoint split
case_of "smmu: ATS: what requests are answered, and what is recorded of them" endpoint answers
case_of "smmu: ATS: translated transactions are checked where that is asked for" endpoint checked
case_of "smmu: ATS: an invalidation is complete when what it took is no longer used" endpoint hold
case_of "smmu: ATS: a translation, and an invalidation, is of a PASID or of none" endpoint pasid ,pasid=20
case_of "smmu: ATS: pages come and go under transfers" endpoint "churn count=${SOAK:+100}500"
case_of "smmu: ATS: pages go while transfers to them are under way" endpoint "in-flight count=${SOAK:+1}10"
long_case "smmu: ATS: an invalidation without an answer for a minute is CMD_SYNC's error" endpoint late

export XDG_RUNTIME_DIR=$WORK/runtime
mkdir -p "$XDG_RUNTIME_DIR"
# late: the same when devices have less; the guest goes on when another error, which it waits for, is there
late() {
	: >"$OUT"
	"$NESTOR" run --timeout 180 --name ats -k "$GUESTS/smmu_ats.bin" -p "late by-hand=1" --iommu v,type=smmuv3 --rng \
		--dma-test=ats,iommu=v >"$OUT" 2>&1 </dev/null &
	pid=$!
	until grep -qa "^how long" "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 20000; done
	for error in atc-inv-limit=300 gerror=eventq-abt; do
		WHY="nestor inject $error: $("$NESTOR" inject ats --iommu v $error 2>&1)" || { kill $pid; return 1; }
	done
	wait $pid
	got=$?
	WHY="exit code $got: $(grep -am 1 ^FAIL "$OUT")"
	[ $got = 0 ] && said PASS
}
case_of "smmu: ATS: an invalidation without an answer in time is CMD_SYNC's error, and what comes later is nothing" late

COUNT=300
[ -z "${SOAK:-}" ] || COUNT=50000
# linux SMMU ENDPOINT ARG...: keys of either
linux() {
	smmu=$1 where=$2
	shift 2
	run 0 --timeout "${SOAK:+3}600" -k "$IMAGE" -i "$SHARE/initrd-ats" -c 2 -m 512 -p "console=ttyS0 loglevel=1 ats.count=$COUNT" \
		--iommu "s,type=smmuv3$smmu" "--dma-test=ats,iommu=s$where" "$@" || return 1
	for test in translated read-only churn "in flight" held detached; do
		said "ats: $test: ok" || return 1
	done
	WHY=$(grep -a '^log: ' "$OUT")
	[ -z "$WHY" ]
}
case_of "smmu: ATS: Linux: by the tree; $COUNT unmaps are each an invalidation, and no page is reached after its own" linux "" ""
case_of "smmu: ATS: Linux: by ACPI, behind a root port, of stage 2 alone" linux ,idr0.s1p=0 ,bus=r --acpi --root-port r

# says TEXT: within two minutes
says() {
	left=1200
	until grep -qaF -- "$1" "$OUT"; do
		left=$((left - 1))
		WHY="not said: $1"
		kill -0 $pid 2>/dev/null && [ $left -gt 0 ] || return 1
		usleep 100000
	done
}
# inject ERROR: as soon as there can be one
inject() {
	left=1200
	until WHY="nestor inject $1: $("$NESTOR" inject ats --iommu s "$1" 2>&1)"; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		usleep 100000
	done
}
# unanswered ERROR...: injected once it runs
unanswered() {
	"$NESTOR" run --timeout 600 --name ats -k "$IMAGE" -i "$SHARE/initrd-ats" -c 2 -m 512 \
		-p "console=ttyS0 quiet ats.count=$COUNT" --iommu s,type=smmuv3 --dma-test=ats,iommu=s >"$OUT" 2>&1 </dev/null &
	pid=$!
	says "ats: read-only: ok" || { kill $pid; return 1; }
	for error; do inject "$error" || { kill $pid; return 1; }; done
	wait $pid
	got=$?
	WHY="exit code $got"
	[ $got = 0 ] && said "ats: detached: ok" && said "ATC invalidate timeout"
}
case_of "smmu: ATS: Linux: an invalidation whose answer is late, or never comes, is waited for, or reported" \
	unanswered atc-inv-slow=100 atc-inv-lost atc-inv-timeout
case_of "smmu: ATS: Linux: an answer that never comes is waited for as long as devices have" unanswered atc-inv-limit=300 atc-inv-lost

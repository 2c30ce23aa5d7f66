#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Disks and networks behind an SMMUv3 that stalls: rings, headers and data whose pages come when they are asked for; and
# guests that end, panic or begin anew while a device waits: for a stall's answer, a PRI queue's, a virtio-iommu's, or a
# mailbox's. Plain, then under the program with sanitizers.
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"
"$SHARE/tap" waits && ip addr add 10.9.0.1/24 dev waits && ip link set waits up
fresh_disk

# disk TEST [KEYS]: behind one, with these keys; its StreamID is not 0
disk() { guest smmu_waits "$1" --iommu "v,type=smmuv3$2" --rng -d "$DISK,iommu=v"; }
network() { guest smmu_waits "$1" --iommu "v,type=smmuv3$2" --rng -n tap=waits,iommu=v; }

iommu=type=smmuv3,idr0.pri=1
# Each: GUEST ARG..., of a guest that waits for ever
times_out() {
	bin=$1
	shift
	ends 35 "$bin" waits --iommu "v,$iommu" --rng --timeout 8 "$@" && said "it waits"
}
panics() {
	bin=$1
	shift
	ends 34 "$bin" panics --iommu "v,$iommu" --rng "$@"
}
is_stopped() { stopped_after 1 "it waits" waits "$@"; }
boots_again() { stopped_after 3 boot again "$@" --reboot; }
# stopped_after N TEXT TEST GUEST ARG...: when it has said that so many times, and nothing went wrong
stopped_after() {
	times=$1 text=$2 test=$3 bin=$4
	shift 4
	: >"$OUT"
	"$NESTOR" run --timeout 180 --name waits -k "$GUESTS/$bin.bin" -p "$test" --iommu "v,$iommu" --rng "$@" >"$OUT" 2>&1 </dev/null &
	pid=$!
	until [ "$(grep -ac "^$text" "$OUT")" -ge "$times" ] || ! kill -0 $pid 2>/dev/null; do usleep 20000; done
	"$NESTOR" stop waits
	wait $pid
	got=$?
	WHY="exit code $got, expected 0; $(grep -am 1 FAIL "$OUT")"
	[ $got = 0 ] && ! grep -qa FAIL "$OUT"
}

# all LABEL COUNT
all() {
	label="smmu: waits: $1" count=$2
	case_of "$label: a disk's rings, headers, data and status come when they are asked for" disk "disk count=$count"
	case_of "$label: the same where all faults stall, one at a time" disk "disk count=$count" ,idr0.stall_model=2,idr5.stall_max=1
	case_of "$label: a network's rings and frames come when they are asked for" network "network count=$count"
	case_of "$label: a disk that is reset while it waits works again" disk "reset count=$count"
	for end in "ended by --timeout|times_out" "stopped|is_stopped" "reset, and comes up again|boots_again"; do
		case_of "$label: a guest whose disk waits is ${end%|*}" "${end#*|}" smmu_waits -d "$DISK,iommu=v"
		case_of "$label: a guest whose DMA endpoint waits is ${end%|*}" "${end#*|}" smmu_stall --dma-test=iommu=v
	done
	for end in "stopped|is_stopped" "reset, and comes up again|boots_again" "in panic|panics"; do
		case_of "$label: a guest of whose PRI queue an answer is wanted is ${end%|*}" \
			"${end#*|}" smmu_pri --dma-test=iommu=v,ats,pri,pasid=20
		case_of "$label: a guest that a mailbox waits for is ${end%|*}" "${end#*|}" vpri --dma-test=ats,pri,pasid=20,fault=mailbox
		iommu=type=virtio,experimental=page-request
		case_of "$label: a guest that a virtio-iommu wants an answer of is ${end%|*}" "${end#*|}" viommu_pages --dma-test=iommu=v,ats,pri
		iommu=type=smmuv3,idr0.pri=1
	done
	case_of "$label: a guest whose DMA endpoint waits is in panic" panics smmu_stall --dma-test=iommu=v
}
if [ -n "${SOAK:-}" ]; then all plain 10000; else all plain 200; fi

cp -r "$SHARE/asan" "$WORK"
NESTOR=$WORK/asan/run
export ASAN_OPTIONS=exitcode=99:detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
if [ -n "${SOAK:-}" ]; then all sanitizers 1000; else all sanitizers 30; fi
ip link del waits

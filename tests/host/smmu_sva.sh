#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# SVA under stock Linux: the DMA endpoint reaches the memory of processes by PASIDs, and what it faults on is brought: what
# nobody has touched yet, what is swapped out to a disk behind the same SMMU, what is shared since a fork.
. "$SHARE/tests/host/lib.sh"
COUNT=1000
[ -z "${SOAK:-}" ] || COUNT=100000

# reaches KEYS ENDPOINT ARG...: of the SMMU, of the endpoint
reaches() {
	keys=$1 endpoint=$2
	shift 2
	rm -f "$WORK/swap"
	truncate -s 64M "$WORK/swap"
	run 0 --timeout "${SOAK:+3}600" -k "$IMAGE" -i "$SHARE/initrd-sva" -c 2 -m 512 -p "console=ttyS0 loglevel=1 sva.count=$COUNT" \
		--iommu "s,type=smmuv3,idr5.oas=6$keys" -d "$WORK/swap,iommu=s" "--dma-test=pasid=8,iommu=s$endpoint" "$@" || return 1
	for test in untouched "given up" "swapped out" forked unmapped protected moved file huge collapsed \
		"shared with a CPU" "under load" processes "memory is gone" "process is gone" reset; do
		said "sva: $test: ok" || return 1
	done
	said "churn: ok" || return 1
	WHY=$(grep -a '^log: ' "$OUT")
	[ -z "$WHY" ]
}
case_of "smmu: SVA: Linux: the memory of processes, by $COUNT faults; told by the tree" reaches "" ,stall
long_case "smmu: SVA: Linux: the same behind a root port, told by ACPI" reaches "" ,stall,bus=r --acpi --root-port r
# What a program of a guest's has at the beginning of its code, as the SMMU would find it: by its PASID's CD
walked() {
	: >"$OUT" # what the guest before said is not this one's
	"$NESTOR" run --name sva --timeout 300 -k "$IMAGE" -i "$SHARE/initrd-sva" -c 2 -m 512 -p "console=ttyS0 loglevel=1 sva.count=$COUNT" \
		--iommu s,type=smmuv3,idr5.oas=6 -d "$WORK/swap,iommu=s" --dma-test=pasid=8,stall,iommu=s >"$OUT" 2>&1 </dev/null &
	pid=$!
	until grep -aq "sva: untouched: ok" "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 50000; done
	"$NESTOR" debug sva --iommu s --sid 8 --ssid 1 --iova 0x400000 >"$WORK/walk" 2>&1
	"$NESTOR" stop sva && wait $pid
	WHY="$(tr '\n' ';' <"$WORK/walk")"
	grep -q "^CD 1 at .*: V=1 " "$WORK/walk" && grep -q "^stage 1 level 3 at " "$WORK/walk" &&
		grep -q "^translates: .* from 0x400000 to .*, r-x/r--$" "$WORK/walk"
}
case_of "smmu: SVA: debug: the walk of an address of a process's, by its SubstreamID" walked
# Through the fault queue of this host's kernel, whose mock device faults in the endpoint's place (docs/faults.md)
mocked() {
	reaches "" ,stall,backend=mock && through_queue $((COUNT * 2))
}
with_mock "smmu: SVA: Linux: each fault by a real kernel's fault queue, and its answer back" mocked
long_case "smmu: SVA: Linux: the same where all faults stall, and three at once" reaches ,idr0.stall_model=2,idr5.stall_max=3 ""

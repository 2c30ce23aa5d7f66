#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Stalls under stock Linux: I/O page faults of the DMA endpoint, told by FDT and by ACPI that it can stall, come to a
# program through iommufd's fault queue, and its answers go back. And an SMMU whose faults all stall, with traffic.
. "$SHARE/tests/host/lib.sh"
LABEL="smmu: stalls"
. "$SHARE/tests/host/traffic-lib.sh"
JSON=$SHARE/json XDG_RUNTIME_DIR=$WORK/run
export XDG_RUNTIME_DIR
mkdir -p "$XDG_RUNTIME_DIR" "$JSON"
COUNT=1000
[ -z "${SOAK:-}" ] || COUNT=100000

# serves KEYS ENDPOINT ARG...: of the SMMU, of the endpoint. Linux 7.2 has its queue of I/O page faults only where SVA is
# possible, for which the SMMU has to reach as far as the CPUs.
serves() {
	keys=$1 endpoint=$2
	shift 2
	run 0 --timeout "${SOAK:+3}600" -k "$IMAGE" -i "$SHARE/initrd-stall" -c 2 -m 512 -p "console=ttyS0 loglevel=1 stall.count=$COUNT" \
		--iommu "s,type=smmuv3,idr5.oas=6$keys" "--dma-test=${endpoint}iommu=s" "$@" || return 1
	for test in "each is served" "page by page" refused "answered twice" detached reset "in any order"; do
		said "stall: $test: ok" || return 1
	done
	WHY=$(grep -a '^log: ' "$OUT")
	[ -z "$WHY" ]
}
case_of "smmu: stalls: Linux: $COUNT faults of a device that is told to stall by the tree are each served once" serves "" stall,
case_of "smmu: stalls: Linux: $COUNT faults of one that is told so by ACPI, behind a root port" \
	serves "" stall,bus=r, --acpi --root-port r
long_case "smmu: stalls: Linux: $COUNT faults of one that nobody asked, where all stall" serves ,idr0.stall_model=2 ""

# by_hand: pages that nobody has mapped, those that somebody has by then, one that the program does not know, and what is behind nothing
by_hand() {
	: >"$OUT"
	"$NESTOR" run --name hands --timeout 180 -k "$IMAGE" -i "$SHARE/initrd-stall" -m 512 -p "console=ttyS0 loglevel=1 stall.serve" \
		--iommu s,type=smmuv3,idr5.oas=6 --dma-test=stall,iommu=s --rng --log-json "$WORK/faults.log" >"$OUT" 2>&1 </dev/null &
	pid=$!
	until grep -q "stall: serves" "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 100000; done
	ended() { "$NESTOR" fault hands "$@" --json >"$WORK/fault" 2>"$WORK/why" && cp "$WORK/fault" "$JSON/fault.json"; }
	is() { WHY="$1: $(cat "$WORK/why" "$JSON/fault.json" | tr -d ' \n')" && tr -d ' \n' <"$JSON/fault.json" | grep -q "$1"; }
	ended --device "$1" --addr 0x10000000 --perm w --count 64 && is '"ended":{"retried":64}' &&
		ended --device "$1" --addr 0x10000123 --perm rw --count 64 && is '"ended":{"spurious":64}' &&
		ended --device "$1" --addr 0x20000000 && is '"ended":{"aborted":1}' &&
		"$NESTOR" stat hands --json >"$JSON/stat.json" && tr -d ' \n' <"$JSON/stat.json" |
		grep -q '"received":129,"shown":65,"outstanding":0,"ended":{"retried":64,"aborted":1,"spurious":64' &&
		grep -q '"x-nestor-FAULTS","data":{"aborted":1' "$WORK/faults.log" &&
		! ended --device "$2" --addr 0x1000 && WHY=$(cat "$WORK/why") &&
		[ "$WHY" = "nestor: fault: hands: expected a function behind an IOMMU of this guest, as in 0000:00:01.0, as device" ]
	got=$?
	"$NESTOR" stop hands
	wait $pid
	cat "$WORK/faults.log" >>"$JSON/log.json"
	return $got
}
case_of "smmu: stalls: Linux: faults that are raised by hand are served, or refused, by its program" by_hand 0000:00:01.0 0:0.0

# forced: disk and network behind an SMMU where all faults stall; there are none, and all is translated
[ -n "${SOAK:-}" ] || ROUNDS=1 BYTES=671088
forced() {
	traffic "iommu.strict=1 viommu.rounds=$ROUNDS" --iommu s,type=smmuv3,idr0.stall_model=2,idr5.oas=6 \
		-d "$WORK/disk,serial=data,iommu=s" -n tap=tap0,iommu=s && busy &&
		said "group: DMA 0000:00:00.0" && said "rounds: $ROUNDS, disk $(sum "$WORK/disk")"
}
case_of "smmu: stalls: Linux: random data over disk and network where all faults stall; drivers come and go under load" forced
traffic_ends

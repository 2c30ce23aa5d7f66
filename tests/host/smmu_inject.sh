#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Errors of an SMMU that are asked for, under Linux's driver: each is survived or reported; and what a debug walk shows.
. "$SHARE/tests/host/lib.sh"
export XDG_RUNTIME_DIR=$WORK/runtime
JSON=$SHARE/json
mkdir -p "$XDG_RUNTIME_DIR" "$JSON"

# boots ARG...: a guest that reads a disk behind the SMMU s all the time, as $pid
boots() {
	head -c 1048576 /dev/urandom >"$WORK/disk"
	: >"$OUT"
	"$NESTOR" run --timeout 600 --name inject -k "$IMAGE" -i "$SHARE/initrd-inject" -c 2 -m 512 \
		-p "console=ttyS0 loglevel=5 iommu.strict=1" --iommu "s,type=smmuv3$1" -d "$WORK/disk,iommu=s" >"$OUT" 2>&1 </dev/null &
	pid=$!
	seen=0
	happens 3 "read well"
}

# happens N TEXT: N lines behind the first $seen have it, within two minutes
happens() {
	left=1200
	until [ "$(tail -n +$((seen + 1)) "$OUT" | grep -acF -- "$2")" -ge "$1" ]; do
		left=$((left - 1))
		if ! kill -0 $pid 2>/dev/null || [ $left = 0 ]; then
			WHY="not said $1 times: $2"
			return 1
		fi
		usleep 100000
	done
}

inject() {
	seen=$(wc -l <"$OUT")
	WHY="nestor inject $1: $("$NESTOR" inject inject --iommu s "$1" 2>&1)" || return 1
}

# survives ERROR [TEXT]...: the driver says each, and the disk is read as before
survives() {
	inject "$1" || return 1
	shift
	for text; do happens 1 "$text" || return 1; done
	seen=$(wc -l <"$OUT")
	happens 3 "read well" || return 1
	WHY="other data: $(grep -a "other data" "$OUT" | head -n 1)"
	! grep -qa "other data" "$OUT"
}

case_of "smmu: inject: a guest reads a disk behind it" boots ",idr0.pri=1"

walk() {
	iova=$("$NESTOR" debug --json | sed -n 's/.*"desc": "\(0x[0-9a-f]*\)".*/\1/p' | head -n 1)
	"$NESTOR" debug inject --iommu s --sid 0 --iova "$iova" --json >"$JSON/walk.json"
	"$NESTOR" debug inject --iommu s --sid 0 --iova "$iova" >"$WORK/walk" 2>&1
	WHY="of the queue at $iova: $(tr '\n' ';' <"$WORK/walk")"
	grep -q "^STE of StreamID 0x0 at 0x.* Config=5 .*S1ContextPtr=0x" "$WORK/walk" && grep -q "^CD 0 at 0x.* TTB0=0x" "$WORK/walk" &&
		grep -q "^stage 1 level 3 at 0x.*: 0x.* page$" "$WORK/walk" && grep -q "^translates: 0x" "$WORK/walk" &&
		grep -q "^cached configuration: stage 1 translates" "$WORK/walk"
}
case_of "smmu: debug: the walk of a queue's address, by memory and by the caches" walk
nowhere() {
	"$NESTOR" debug inject --iommu s --sid 0 --iova 0x1000 >"$WORK/walk" 2>&1
	WHY="$(tr '\n' ';' <"$WORK/walk")"
	grep -q "^aborts; event F_TRANSLATION: StreamID=0x0 .*InputAddr=0x1000" "$WORK/walk" &&
		"$NESTOR" stat inject --json | tr ',{}' '\n\n\n' | grep -q '"events": 0$'
}
case_of "smmu: debug: of an address that is not mapped, the event, and none is recorded" nowhere

# Linux gives a device without PASIDs one CD: there is no substream, and so says the walk of one.
substream() {
	"$NESTOR" debug inject --iommu s --sid 0 --ssid 1 --iova 0x1000 >"$WORK/walk" 2>&1
	WHY="$(tr '\n' ';' <"$WORK/walk")"
	grep -q "^aborts; event C_BAD_SUBSTREAMID: StreamID=0x0 SubstreamID=0x1$" "$WORK/walk"
}
case_of "smmu: debug: of a substream, by its own CD" substream

for error in "cerror-ill|Illegal command" "cerror-abt|Abort on command fetch" "cerror-atc-inv-sync|ATC invalidate timeout" \
	"gerror=eventq-abt|EVTQ write aborted" "gerror=msi-cmdq-abt|CMDQ MSI write aborted" \
	"gerror=priq-abt|PRIQ write aborted" "gerror=msi-priq-abt|PRIQ MSI write aborted" \
	"gerror=msi-eventq-abt|EVTQ MSI write aborted" "msi-abort|CMDQ MSI write aborted" "sync-slow=200" "sync-slow=2500|CMD_SYNC timeout"; do
	said=${error#*|}
	[ "$said" != "$error" ] || said=
	case_of "smmu: inject: ${error%%|*}: Linux reports it, or not, and goes on" survives "${error%%|*}" ${said:+"$said"}
done

# It does not interrupt (7.5.1), so it is seen with the next error that does.
gerror_abt() { inject gerror=msi-gerror-abt && survives gerror=eventq-abt "GERROR MSI write aborted"; }
case_of "smmu: inject: gerror=msi-gerror-abt: Linux reports it with the next, and goes on" gerror_abt

lost() {
	inject sync-lost && happens 1 "CMD_SYNC timeout" && survives sync-resume
}
case_of "smmu: inject: sync-lost: Linux reports a timeout, and goes on with sync-resume" lost

wrong() {
	WHY="it was taken"
	! "$NESTOR" inject inject --iommu s nothing 2>"$WORK/said" && ! "$NESTOR" inject inject --iommu t sfm 2>>"$WORK/said" || return 1
	WHY="it said: $(tr '\n' ';' <"$WORK/said")"
	grep -q "inject: inject: expected cerror-ill, " "$WORK/said" && grep -q "inject: inject: expected the ID of an SMMUv3" "$WORK/said"
}
case_of "smmu: inject: what is no error, or of no SMMU, is refused with what there is" wrong

# The driver gives the SMMU up: the disk is gone, the guest is not.
failure() { inject sfm && happens 1 "device has entered Service Failure Mode!" && seen=$(wc -l <"$OUT") && happens 10 "alive"; }
case_of "smmu: inject: sfm: Linux reports it, and lives" failure
ends() {
	"$NESTOR" inject inject --iommu s sfm-end && "$NESTOR" stop inject
	wait $pid
	got=$?
	WHY="exit code $got"
	[ $got = 0 ]
}
case_of "smmu: inject: sfm-end, and the guest is stopped" ends

# What is done from the first register to the disk's last block is said by name.
traced() {
	OUT=$WORK/trace
	run 0 -k "$IMAGE" -i "$INITRD" -p "console=ttyS0 quiet iommu.strict=1" --trace smmu --iommu s,type=smmuv3 -d "$WORK/disk,iommu=s" || return 1
	for text in "s: SMMU_CR0 = " "s: CMD_CFGI_STE: StreamID=0x0 SSec=0 Leaf=1" "s: STE of StreamID 0x0 at 0x" "s: CD 0 at 0x" \
		"s: CMD_TLBI_NH_VA: VMID=0x0 ASID=0x" "s: CMD_SYNC: CS=1 MSH=3 MSIAttr=" "s: stage 1 level 3 at 0x" "s: stage 1 of 0x"; do
		said "$text" || return 1
	done
}
case_of "smmu: trace: Linux's commands, tables and walks by name" traced

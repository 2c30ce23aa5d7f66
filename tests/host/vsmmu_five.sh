#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Functions of three SMMUs of the host's, and of five, in one guest: each is behind one of the guest's that is for its own.
# host: -d five
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/vfio-lib.sh"
THREE="0000:01:00.0 0000:41:00.0 0000:81:00.0"
FIVE="0000:01:00.0 0000:21:00.0 0000:41:00.0 0000:61:00.0 0000:81:00.0"
# iommu_of AT: which SMMU of the host's a function is behind
iommu_of() { basename "$(readlink "/sys/bus/pci/devices/$1/iommu")"; }
# calls: a line for each SMMU: its ID, and the calls that have passed something on for it
calls() {
	"$NESTOR" stat turns --json | tr ',{}' '\n\n\n' | tr -d ' "' | awk -F : '$1 == "id" { id = $2 } $1 == "calls" { print id, $2 }'
}
# turns FUNCTIONS: each has its turn, in which invalidations reach its own SMMU, and no other
turns() {
	segment=0 calls=
	for at in $1 end; do
		line="turns end" was=$calls
		[ "$at" = end ] || line=$(printf "turn of %04x:00:00.0 by smmu3.0x%016x" $((segment + 1)) $((0x9000000 + segment * 0x20000)))
		until grep -qF "$line" "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 50000; done
		calls=$(calls)
		wrong=$(printf '%s\n' "$was" "$calls" | awk -v own="$own" '
			!($1 in before) { before[$1] = $2; next }
			($2 > before[$1]) != ($1 == own) { print $1 ": " $2 - before[$1] " calls" }')
		[ $segment = 0 ] || [ -z "$wrong" ] || WHY="in the turn of $own: $wrong"
		echo >&5
		own=$(iommu_of "$at") segment=$((segment + 1))
	done
}
# each FUNCTIONS ARG...: they work, each in its turn, beside a disk of the guest's own
each() {
	functions=$1 assigned=
	shift
	for at in $functions; do assigned="$assigned --vfio-pci $at"; done
	head -c 65536 /dev/urandom >"$WORK/disk"
	rm -f "$WORK/in" && mkfifo "$WORK/in"
	: >"$OUT"
	"$NESTOR" run --timeout 180 --name turns -k "$IMAGE" -i "$SHARE/initrd-assigned_turns" -m 256 $HUGE -c 2 \
		-p "console=ttyS0 loglevel=1 iommu.strict=1" --iommu v,type=virtio -d "$WORK/disk,iommu=v" $assigned "$@" >"$OUT" 2>&1 <"$WORK/in" &
	pid=$!
	exec 5>"$WORK/in"
	turns "$functions" 2>/dev/null
	wait $pid
	got=$?
	exec 5>&-
	[ -z "$WHY" ] || return 1
	WHY="exit code $got"
	[ $got = 0 ] && said "turns end" && said "the disk was read all the while"
}
shown() {
	"$NESTOR" topology $(for at in $FIVE; do echo --vfio-pci "$at"; done) >"$OUT" 2>&1 || return
	for at in $FIVE; do said "by the host's $(iommu_of "$at"); 1 behind it" || return; done
}

for at in $FIVE; do free "$at"; done
case_of "vsmmu: five: each of five functions is behind an SMMU for its own host's" shown
case_of "vsmmu: five: a function of each works by ACPI, invalidations reach its own SMMU, and a disk is behind a virtio-iommu" each "$FIVE" --acpi
case_of "vsmmu: five: the same of three, by FDT" each "$THREE" --fdt
case_of "vsmmu: five: the host's kernel has no complaint" quiet

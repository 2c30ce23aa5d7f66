#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Faults that are raised by hand (nestor fault) at a function that asks for pages: by its mailbox, which a driver of this
# repository's serves under Linux; and by a PRI queue, which Linux denies. By stalls: smmu_stall.sh.
. "$SHARE/tests/host/lib.sh"
JSON=$SHARE/json XDG_RUNTIME_DIR=$WORK/run
export XDG_RUNTIME_DIR
mkdir -p "$XDG_RUNTIME_DIR" "$JSON"

# begins SAID ARG...: a guest, until it has said so
begins() {
	until=$1
	shift
	: >"$OUT"
	"$NESTOR" run --name hands --timeout 180 -k "$IMAGE" -m 512 "$@" >"$OUT" 2>&1 </dev/null &
	pid=$!
	until grep -aq "$until" "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 100000; done
	WHY="it has not said: $until"
	kill -0 $pid 2>/dev/null
}
ends() {
	got=$?
	"$WORK/nestor" stop hands
	wait $pid
	return $got
}
# is TEXT ARG...: what has become of faults
is() {
	text=$1
	shift
	"$WORK/nestor" fault hands --device 0:1.0 "$@" --json >"$JSON/fault.json" 2>"$WORK/why"
	WHY="nestor fault $*: expected $text: $(cat "$WORK/why" "$JSON/fault.json" | tr -d ' \n')"
	tr -d ' \n' <"$JSON/fault.json" | grep -q "$text"
}
# shows TEXT: among the counts
shows() {
	"$WORK/nestor" stat hands --json >"$JSON/stat.json"
	WHY="stat: expected $1: $(tr -d ' \n' <"$JSON/stat.json" | grep -o '"kind":"faults".*')"
	tr -d ' \n' <"$JSON/stat.json" | grep -q "$1"
}
more=
by_mailbox() {
	begins "vpri: serves" -i "$SHARE/initrd-vpri" -p "console=ttyS0 loglevel=1 vpri.serve" --iommu=v,type=virtio \
		--dma-test=ats,pri,fault=mailbox,iommu=v$more &&
		is '"count":1,"ended":{"retried":1}' --addr 0x10000123 --perm w &&
		is '"ended":{"spurious":1}' --addr 0x10000fff --perm rw &&
		is '"count":16,"ended":{"retried":16}' --addr 0x10001000 --perm w --count 16 --rate 200 &&
		is '"ended":{"aborted":4}' --addr 0x20000000 --count 4 --rate 100000 &&
		is '"count":0,"ended":{},.*"requests":3' --addr 0x10020000 --count 3 --group 7 &&
		is '"count":1,"ended":{"success":1},.*"requests":2' --addr 0x10023000 --count 2 --group 7 --last &&
		is '"ended":{"spurious":5}' --addr 0x10020000 --count 5 &&
		is '"ended":{"invalid":1}' --addr 0x1003f000 --count 2 --group 511 --last &&
		shows '"received":27,"shown":21,"outstanding":0,"ended":{"retried":17,"aborted":4,"spurious":6'
	ends
}
# exceeds: more than there are credits for; a group that never ends keeps them, and others wait for long
exceeds() {
	begins "vpri: serves" -i "$SHARE/initrd-vpri" -p "console=ttyS0 loglevel=1 vpri.serve" --iommu=v,type=virtio \
		--dma-test=ats,pri,fault=mailbox,iommu=v &&
		is '"ended":{"no-room":1},.*"requests":32' --addr 0x10000000 --count 40 --group 9 &&
		is '"ended":{"no-room":1},.*"requests":0' --addr 0x10000000 --group 10 --last &&
		is '"count":1,"ended":{"timed-out":1}' --addr 0x10000000 --count 2
	ends
}
refused() {
	begins "vpri: serves" -i "$SHARE/initrd-vpri" -p "console=ttyS0 loglevel=1 vpri.serve" --iommu=v,type=virtio \
		--dma-test=ats,pri,fault=mailbox,iommu=v || return 1
	for bad in "--group 512 --last|expected 0 to 511 as group" "--last|expected a group beside last" \
		"--group 1 --rate 5|expected no rate beside group" "--rate 100001|expected at most 100000 as rate"; do
		! is . --addr 0 ${bad%%|*} && grep -qF "${bad#*|}" "$WORK/why" || break
		WHY=
	done
	[ -z "$WHY" ]
	ends
}
by_queue() {
	begins "PRI is enabled" -i "$SHARE/initrd-pri" -p "console=ttyS0 loglevel=1 pri.hold" --iommu s,type=smmuv3,idr0.pri=1 \
		--rng --dma-test=iommu=s,ats,pri &&
		is '"ended":{"failure":1},.*"requests":2' --addr 0x123000 --count 2 --group 5 --last &&
		is '"ended":{"refused":1},.*"requests":0' --addr 0x123000 --group 5 --last &&
		is '"ended":{"refused":3}' --addr 0x123000 --count 3
	ends
}
# by_nobody: a virtio-iommu's driver has not asked for page requests, and none is lost: it says so at once
by_nobody() {
	begins "PRI is enabled" -i "$SHARE/initrd-pri" -p "console=ttyS0 loglevel=1 pri.hold" --iommu v,type=virtio,experimental=page-request \
		--dma-test=iommu=v,ats,pri &&
		is '"ended":{"refused":3}' --addr 0x123000 --count 3 && is '"ended":{"refused":1}' --addr 0x123000 --group 5 --last &&
		shows '"received":3,"shown":0,"outstanding":0,"ended":{"retried":0,"aborted":0,"spurious":0,"refused":3'
	ends
}
# stands: nobody answers while the guest is paused, and time stands; then its answer comes
stands() {
	begins "vpri: serves" -i "$SHARE/initrd-vpri" -p "console=ttyS0 loglevel=1 vpri.serve" --iommu=v,type=virtio \
		--dma-test=ats,pri,fault=mailbox,iommu=v && "$WORK/nestor" pause hands || return 1
	"$WORK/nestor" fault hands --device 0:1.0 --addr 0x10000000 --group 1 --last --json >"$WORK/paused" 2>&1 &
	asks=$!
	until "$WORK/nestor" stat hands --json | tr -d ' \n' | grep -q '"waiting":1' || ! kill -0 $asks 2>/dev/null; do usleep 20000; done
	"$WORK/nestor" debug hands --json >"$JSON/debug.json"
	WHY="debug: $(tr -d ' \n' <"$JSON/debug.json" | grep -o '"kind":"faults".*')"
	tr -d ' \n' <"$JSON/debug.json" | grep -q '"device":"dma-test","waiting":\[{"ns":[0-9]*,"requester":0,"group":1}\]' || ends || return 1
	"$WORK/nestor" resume hands && wait $asks
	WHY=$(tr -d ' \n' <"$WORK/paused")
	grep -q success "$WORK/paused"
	ends
}
# goes: with one of a group that waits, and many that are still to come, the machine goes, or starts anew
goes() {
	begins "vpri: serves" -i "$SHARE/initrd-vpri" -p "console=ttyS0 loglevel=1 vpri.serve" --iommu=v,type=virtio \
		--dma-test=ats,pri,fault=mailbox,iommu=v && "$WORK/nestor" pause hands || return 1
	"$WORK/nestor" fault hands --device 0:1.0 --addr 0x10000000 "$@" --json >"$WORK/going" 2>&1 &
	asks=$!
	until "$WORK/nestor" stat hands --json | tr -d ' \n' | grep -q "\"waiting\":1\|\"outstanding\":[1-9]" || ! kill -0 $asks 2>/dev/null; do usleep 20000; done
	"$WORK/nestor" stop hands
	wait $pid
	WHY="exit code $?, and the answer: $(tr -d ' \n' <"$WORK/going")"
	wait $asks
	case $WHY in "exit code 0, and"*) ;; *) false ;; esac
}
case_of "faults by hand: by a mailbox: each is served, at any rate, and groups of pages have one answer" by_mailbox
mocked() {
	more=,backend=mock
	by_mailbox
	got=$?
	more=
	[ $got = 0 ] && through_queue 28
}
with_mock "faults by hand: the same, each by a real kernel's fault queue, and its answer back" mocked
case_of "faults by hand: a group that never ends keeps all credits; a fault beside it ends by time" exceeds
case_of "faults by hand: what makes no sense is refused by name" refused
case_of "faults by hand: by a PRI queue of Linux's, which denies them" by_queue
case_of "faults by hand: by a virtio-iommu whose driver takes none" by_nobody
case_of "faults by hand: one that is raised while the guest is paused has its answer later" stands
cp -r "$SHARE/asan" "$WORK"
NESTOR=$WORK/asan/run
export ASAN_OPTIONS=exitcode=99:detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
case_of "faults by hand: sanitizers: by a mailbox" by_mailbox
case_of "faults by hand: sanitizers: a group that waits as the machine goes" goes --group 1 --last
case_of "faults by hand: sanitizers: faults at a rate as the machine goes" goes --count 1000 --rate 1
NESTOR=$WORK/nestor

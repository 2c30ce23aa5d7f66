#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The tower: Nestor's own SMMUv3, of two stages, is the hardware of a host, whose Nestor gives devices to a guest behind an SMMUv3
# that this one translates for.
# host: -P max,pauth=off,sve=off,sme=off,lpa2=off -a kvm-arm.mode=nested
. "$SHARE/tests/host/lib.sh"
LONG=560
[ -z "${SOAK:-}" ] || LONG=12000
cp "$SHARE/tap" "$WORK"
"$WORK/tap" tap0 && ip addr add 10.9.0.1/24 dev tap0 && ip link set tap0 up
nc -ll -p 7 -e cat &
echo=$!

# built WORDS ARG...: WORDS are the host's kernel's; it has done what they say. What Nestor has counted by then is in $WORK/counts.
built() {
	words=$1
	shift
	: >"$OUT"
	counts &
	counter=$!
	run 0 --name tower --timeout $LONG -k "$IMAGE" -i "$SHARE/initrd-nestor-tower" --nested -c 2 -m 768 \
		-p "console=ttyS0 loglevel=1 tower.seconds=$((LONG - 60)) $words" --iommu s,type=smmuv3 "$@"
	ran=$?
	kill $counter 2>/dev/null
	[ $ran = 0 ]
}
# no_complaint: by any kernel of it
no_complaint() {
	WHY="a complaint: $(grep -a -m 1 'complaint' "$OUT")"
	! grep -qa 'complaint' "$OUT"
}
# tower WORDS ARG...: its guest has done what they say, and nobody complains
tower() { built "$@" && said "its guest ended with 0" && said "inner: DMA" && no_complaint; }
# attacked TESTS COUNT: by guests in place of that one, through an SMMU of PASIDs and tables of CDs of two levels, with a function of
# ATS and one that stalls: each Nestor ends with 0, and the host's kernel says nothing
attacked() {
	built "tower.hostile=$1 tower.count=$2" --dma-test=ats,pasid=8,iommu=s --dma-test=stall,pasid=8,iommu=s || return 1
	for test in $(echo "$1" | tr , ' '); do
		WHY="$test: $(grep -ac "^hostile: $test: .*: 0" "$OUT") of 2 ended with 0"
		[ "$(grep -ac "^hostile: $test: .*: 0" "$OUT")" = 2 ] || return 1
	done
	WHY="substreams: $(grep -a 'ATS, ' "$OUT" | tr -d '\r' | tr '\n' ' ')"
	[ -z "${1##*substreams*}" ] && grep -qa '^ATS, ' "$OUT" && grep -qa '^no ATS, [1-9]' "$OUT" && no_complaint
}
counts() {
	until grep -qa '^tower: over' "$OUT"; do usleep 200000; done
	"$WORK/nestor" stat tower --json >"$WORK/counts"
	"$WORK/nestor" stop tower
}
flows() {
	tower "inner.do=net,ats,pasid inner.count=20 $1" --dma-test=ats,pasid=8,iommu=s -n tap=tap0,iommu=s && said "inner: what was sent came back" &&
		said "ats: detached: ok" && said "sva: present: ok"
}
# traced CALL...: with the STEs of the bottom's in $WORK/traced: not between letters of the console's
traced() {
	mkfifo "$WORK/fifo" || return 1
	printf '#!/bin/sh\nexec "%s" "$@" --trace smmu 2>"%s"\n' "$WORK/nestor" "$WORK/fifo" >"$WORK/tracing"
	chmod 755 "$WORK/tracing"
	grep -E 'S2FWB=|^nestor' <"$WORK/fifo" >"$WORK/traced" &
	sieve=$!
	NESTOR=$WORK/tracing
	"$@"
	got=$?
	NESTOR=$WORK/nestor
	wait $sieve
	rm "$WORK/fifo"
	grep '^nestor' "$WORK/traced" >>"$OUT"
	return $got
}
# all_answered LEAST: each stall of the bottom's SMMU, and there were so many, had one CMD_RESUME of the host in between (late: of what the
# endpoint had given up), and none waits for it
all_answered() {
	WHY=$(tr -d ' \n"' <"$WORK/counts" | sed -n 's/.*kind:smmuv3.*,\(stalls:[0-9]*,resumed:[0-9]*,terminated:[0-9]*,timed-out:[0-9]*,late:[0-9]*\),.*/\1/p')
	echo "tower: $WHY"
	echo "$WHY" | awk -F '[:,]' -v least="$1" '{ exit !($2 >= least && $2 > 0 && $2 == $4 + $10 && !$6 && !$8) }'
}
# served TESTS COUNT LEAST KEYS WORDS: faults that the bottom's SMMU stalls, of many kinds, in the memory of processes of the inner guest: what
# the endpoint did is right, and each that the host in between was told of has had one answer
served() {
	tests=$1 count=$2 least=$3 keys=$4 words=$5
	shift 5
	tower "inner.do=stall,sva inner.count=$count inner.tests=$tests tower.keys=$keys $words" --dma-test=pasid=8,stall,iommu=s "$@" || return 1
	for test in untouched "given up" "swapped out" forked "under load" processes "memory is gone" "process is gone"; do
		said "sva: $test: ok" || return 1
	done
	for test in "each is served" "page by page" refused "answered twice" detached reset "in any order"; do
		said "stall: $test: ok" || return 1
	done
	said "churn: ok" || return 1
	said "killed: 137 with 8 faults that wait" || return 1
	WHY=$(grep -a '^bridge:' "$OUT")
	grep -qa 'bridge: retried: [1-9][0-9][0-9]' "$OUT" && said "bridge: nothing is lost" && all_answered $least
}
# mailed COUNT LEAST KEYS WORDS: the same faults are page requests of the endpoint's own, in a mailbox, and a driver of the inner guest's answers
mailed() {
	count=$1 least=$2 keys=$3 words=$4
	tower "inner.do=vpri inner.count=$count tower.keys=$keys,fault=mailbox $words" --dma-test=stall,iommu=s || return 1
	for test in untouched written "given back" nothing read-only "at once" killed; do said "vpri: $test: ok" || return 1; done
	WHY=$(grep -a '^bridge:' "$OUT")
	grep -qa 'bridge: retried: [1-9][0-9][0-9]' "$OUT" && said "bridge: nothing is lost" && all_answered $least
}
by_tree() { tower "inner.do=net $1" --dma-test=iommu=s -n tap=tap0,iommu=s && said "inner: what was sent came back"; }
kselftest() { tower "inner.do=test $1" --dma-test=iommu=s && said "inner: kselftest: 0"; }
# two_levels PASIDS: the inner guest has a table of CDs of two levels, as Linux has it for more than 10 bits of PASIDs, and a stage 2 that is
# the host's, by S2FWB: what the bottom's SMMU reads in one STE
two_levels() {
	traced tower "inner.do=pasid inner.count=20 tower.args=--acpi" --dma-test=ats,pasid=$1,iommu=s && said "sva: present: ok" || return 1
	WHY="an STE of it: $(grep -o 'S1Fmt=.*S2FWB=.' "$WORK/traced" | tail -n 1)"
	grep -q 'Config=7 .*S1Fmt=2 .*S2FWB=1' "$WORK/traced"
}
# A device tree says that the window of doorbells is mapped in any case, and then Linux gives no function to a program: by ACPI it does.
case_of "tower: a network card and a DMA endpoint, with translations that it caches and PASIDs, behind both stages, by ACPI, strict" \
	flows "tower.args=--acpi tower.words=iommu.strict=1"
long_case "tower: a network card behind both stages, by FDT, lazy" by_tree ""
case_of "tower: more than a thousand faults that stall at the bottom are served by the inner guest, told by ACPI" served some 400 1000 ,stall=on "tower.args=--acpi tower.kills=1"
case_of "tower: hundreds of faults are asked for in the endpoint's own mailbox, and answered by RESPONSE; and what ends early ends" \
	mailed 16 320 ,stall=on tower.args=--acpi
long_case "tower: more than ten thousand are, told by the tree all the way up" mailed 5000 10000 "" ""
long_case "tower: a hundred thousand, and every kind, and its Nestor is killed five times before" served "" 27000 100000 "" "tower.args=--acpi tower.kills=5"
[ ! -e "$SHARE/kselftest.cpio" ] || long_case "tower: the kernel's own test of the DMA endpoint behind both stages" kselftest tower.words=iommu.strict=1
case_of "tower: a process's memory by a table of CDs of two levels, and a stage 2 with S2FWB" two_levels 12
case_of "tower: hostile: PASIDs, ATS and stalls by STEs, tables of CDs and commands of any kind do the host no harm" attacked substreams 40
long_case "tower: hostile: all that is tried on the lab's SMMUs, and more of these" attacked stes,contexts,commands,flood,moves,substreams 1000
kill $echo
ip link del tap0

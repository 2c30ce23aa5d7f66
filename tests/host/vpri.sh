#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A function's own mailbox for its page requests (docs/vpri.md): a bare-metal driver of it, well-behaved and not, in front of
# each kind of IOMMU and of none; the same under the program with sanitizers; and Linux, by a driver of this repository's.
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"
COUNT=256
[ -z "${SOAK:-}" ] || COUNT=20000
keys=ats,pri,pasid=20,fault=mailbox

# posts TEST KEYS ARG...: of the endpoint
posts() {
	test=$1 more=$2
	shift 2
	guest vpri "$test" --dma-test="$keys$more" "$@"
}
v=--iommu=v,type=virtio
case_of "vpri: groups are served, each with its own answer; behind no IOMMU" posts served ""
case_of "vpri: the same behind a virtio-iommu" posts served ,iommu=v $v
case_of "vpri: the same behind an SMMUv3" posts served ,iommu=v --iommu=v,type=smmuv3
case_of "vpri: a virtio-iommu's mappings follow what the mailbox asks for; then its ring is gone" posts faults ,iommu=v $v
case_of "vpri: rings of any size, full and wrapped" posts full ""
case_of "vpri: its own message is an interrupt, as it is programmed" posts message ,iommu=v $v
case_of "vpri: answers to what nobody asked, twice, and in parts" posts wrong ""
case_of "vpri: without a mailbox and without a ring the interface fails, and begins anew" posts denied ""
case_of "vpri: a reset of the interface with requests outstanding" posts reset ""
case_of "vpri: a guest that is late" posts late ,fault-timeout=50
case_of "vpri: a guest that never answers ends" posts never ""
# strictly TEST KEYS: what had no answer, or too late, is another exit code
strictly() { run 37 -k "$GUESTS/vpri.bin" -p "$1" --strict-io --dma-test="$keys$2" && said "0 page faults and events were lost, $3 had no answer"; }
case_of "vpri: --strict-io: groups that wait at the end" strictly never "" 8
case_of "vpri: --strict-io: groups that timed out" strictly late ,fault-timeout=50 3
case_of "vpri: --strict-io: a guest that answers in time" posts full "" --strict-io
long_case "vpri: what a round trip takes" posts speed ""
case_of "vpri: fault=off is an answer at once" guest vpri off --dma-test=ats,pri,pasid=20,fault=off
case_of "vpri: writes of chance to registers and ring do no harm" posts "chance seed=1 count=$((COUNT * 40))" ,fault-timeout=1,iommu=v $v --timeout 900

cp -r "$SHARE/asan" "$WORK"
plain=$NESTOR
NESTOR=$WORK/asan/run
export ASAN_OPTIONS=exitcode=99:detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
for test in full wrong denied reset never; do
	case_of "vpri: sanitizers: $test" posts $test ,iommu=v $v
done
case_of "vpri: sanitizers: late" posts late ,fault-timeout=50
case_of "vpri: sanitizers: chance" posts "chance seed=2 count=$((COUNT * 20))" ,fault-timeout=1,iommu=v $v --timeout 900
NESTOR=$plain

# brings ARG...: Linux's virtio-iommu has no page requests, and its driver no SVA
more=
brings() {
	run 0 --timeout "${SOAK:+1}300" -k "$IMAGE" -i "$SHARE/initrd-vpri" -c 2 -m 512 -p "console=ttyS0 loglevel=1 vpri.count=$COUNT" \
		$v --rng "--dma-test=ats,pri,fault=mailbox,iommu=v$more" "$@" || return 1
	for test in untouched written "given back" nothing read-only groups "at once" reset; do said "vpri: $test: ok" || return 1; done
	WHY=$(grep -a '^log: ' "$OUT")
	[ -z "$WHY" ] || return 1
	WHY="$(grep -a '^vpri: [0-9]' "$OUT"); $(grep -a '^messages: ' "$OUT")"
	brought=$(sed -n 's/^vpri: .* groups, \([0-9]*\) pages brought.*/\1/p' "$OUT")
	[ "${brought:-0}" -ge $((2 * COUNT + 150)) ] && grep -aq '^messages: [1-9]' "$OUT"
}
case_of "vpri: Linux: the memory of a process in front of a virtio-iommu, by $COUNT faults and more" brings
long_case "vpri: Linux: the same, told by ACPI" brings --acpi
mocked() {
	more=,backend=mock
	brings
	got=$?
	more=
	[ $got = 0 ] && through_queue $((2 * COUNT + 150))
}
with_mock "vpri: Linux: the same, each request by a real kernel's fault queue, and its answer back" mocked

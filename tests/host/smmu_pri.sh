#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Page requests of an SMMUv3: a bare-metal driver of its PRI queue, well-behaved and not; then under the program with
# sanitizers; and stock Linux, which denies what comes there.
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"

# asks TEST: the DMA endpoint behind one; its StreamID is not 0
asks() {
	guest smmu_pri "$1" --iommu v,type=smmuv3,idr0.pri=1 --rng --dma-test=iommu=v,ats,pri,pasid=20$more
}
more=

# chance SEED COUNT
chance() {
	guest smmu_hostile "fuzz seed=$1 count=$2" --iommu v,type=smmuv3,idr0.pri=1 --rng --dma-test=iommu=v,ats,pri,pasid=20 \
		-m 256 -c 2 --timeout 900
}

case_of "smmu: pri: groups are served, each with its own answer" asks served
case_of "smmu: pri: an overflow is answered in the driver's stead, until it is acknowledged" asks overflow
case_of "smmu: pri: without a queue, without translation and with an abort the interface fails" asks denied
case_of "smmu: pri: the queue's wire, for any request and for the last of a group" asks wired
case_of "smmu: pri: the queue's message" asks message
case_of "smmu: pri: answers to what nobody asked, twice, and for other streams" asks wrong
case_of "smmu: pri: an endpoint that gives up or begins anew, with groups outstanding" asks reset
case_of "smmu: pri: queues of all sizes, with any index, and told while they are enabled" asks sizes
case_of "smmu: pri: a guest that never answers ends" asks never
more=,fault-timeout=50
case_of "smmu: pri: a guest that is late" asks late
more=,backend=mock
mocked() { asks "$1" && through_queue "$2"; }
with_mock "smmu: pri: groups whose requests come by a real kernel's fault queue" mocked served 8
with_mock "smmu: pri: the same, answered wrongly" mocked wrong 1
more=,backend=mock,fault-timeout=50
with_mock "smmu: pri: the same, by a guest that is late" mocked late 6
more=
if [ -n "${SOAK:-}" ]; then count=200000; else count=10000; fi
long_case "smmu: pri: registers, commands and tables of chance under page requests do no harm" chance 1 $count

cp -r "$SHARE/asan" "$WORK"
plain=$NESTOR
NESTOR=$WORK/asan/run
export ASAN_OPTIONS=exitcode=99:detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
for test in served overflow denied wrong reset sizes never; do
	case_of "smmu: pri: sanitizers: $test" asks $test
done
case_of "smmu: pri: sanitizers: chance" chance 2 $((count / 2))
NESTOR=$plain

# denies KEYS ARG...: Linux 7.2 says each and answers it with a failure; its CMD_PRI_RESP ends the endpoint's interface.
denies() {
	keys=$1
	shift
	run 0 -k "$IMAGE" -i "$SHARE/initrd-pri" -c 2 -m 256 -p "console=ttyS0 loglevel=1" \
		--iommu "s,type=smmuv3,idr0.pri=1$keys" --rng --dma-test=iommu=s,ats,pri "$@" || return 1
	said "arm-smmu-v3-priq" && said "asked: state 5, outcome 0, code 0" && said "asked: state 5, outcome 0, code 15" &&
		said "interface: control 0x0000, status 0x0101" && said "0x00000008.0x" && said "[5L] unprivileged R access at iova 0x0000000000123000" || return 1
	WHY="$(grep -ac 'asked: state 5, outcome 0, code 15' "$OUT") denied; $(grep -a '^error: ' "$OUT")"
	[ "$(grep -ac 'asked: state 5, outcome 0, code 15' "$OUT")" = 3 ] && [ "$(grep -ac 'log: .*unexpected PRI' "$OUT")" = 6 ] && ! grep -aq '^error: ' "$OUT"
}
case_of "smmu: pri: Linux denies what comes in the queue, and says so" denies ""
case_of "smmu: pri: Linux, told by ACPI; its interrupt is a message" denies ,interrupts=msi --acpi

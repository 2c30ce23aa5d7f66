#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Guests that do to an SMMUv3 of the host's whatever they can through one of their own: the host's kernel has nothing to say of
# it, and what another guest has behind the same SMMU works all the while.
# host: -d nest
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"
. "$SHARE/tests/host/vfio-lib.sh"
for at in $CARD $IGB $DISK; do free $at; done
COUNT=100
[ -z "${SOAK:-}" ] || COUNT=2000

# bare TEST AT: of a function behind an accelerated SMMU; what is faulty at stage 2 no guest's driver can be told
bare() { harmless "$SAYS|$FAULTS" guest vsmmu_hostile "$1" --iommu s,type=smmuv3,accel=on --vfio-pci "$2,iommu=s" --timeout 300; }
# begin: another guest has the igb, which talks
begin() {
	: >"$WORK/steady"
	"$NESTOR" run --name steady --timeout 900 -k "$IMAGE" -i "$SHARE/initrd-assigned_steady" $HUGE -p "console=ttyS0 loglevel=1" \
		--vfio-pci $IGB >"$WORK/steady" 2>&1 </dev/null &
	pid=$!
	talks_again
}
talked() { grep -c '^talked' "$WORK/steady"; }
# talks_again: all of what it says once from now on, begun after that
talks_again() {
	heard=$(talked)
	until [ "$(talked)" -ge $((heard + 2)) ] || ! kill -0 $pid 2>/dev/null; do usleep 50000; done
	WHY="it talks no more: $(tail -n 1 "$WORK/steady")"
	kill -0 $pid 2>/dev/null
}
# meanwhile TEST...: by a disk behind the same SMMU as the igb
meanwhile() {
	for test; do bare "$test seed=1" $DISK && talks_again || return; done
}

case_of "vsmmu: hostile: a guest has a card behind the SMMU that the next ones attack" begin
case_of "vsmmu: hostile: STEs, CDs, commands, a flood of them, and tables and queues elsewhere, beside another guest's card behind the same SMMU" \
	meanwhile stes contexts commands flood "moves count=$COUNT"
"$NESTOR" stop steady
wait
case_of "vsmmu: a card whose port numbers its bus anew has the StreamID of that, in the host's events too" \
	harmless "$SAYS|$FAULTS" guest vsmmu_hostile buses --iommu s,type=smmuv3,accel=on --root-port rp --vfio-pci "$CARD,bus=rp,iommu=s" --timeout 300
cp -r "$SHARE/asan" "$WORK"
NESTOR=$WORK/asan/run
export ASAN_OPTIONS=exitcode=99:detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
for test in stes contexts commands flood "moves count=$COUNT"; do
	case_of "vsmmu: hostile: sanitizers: $test" bare "$test seed=2" $CARD
done

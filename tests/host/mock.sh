#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Mirrors of a guest's address spaces, a fault queue, and calls that no hardware of the lab's answers, on this host's iommufd with its mock device.
. "$SHARE/tests/host/lib.sh"
cp "$SHARE/mock" "$WORK"
SEEDS=1
[ -z "${SOAK:-}" ] || SEEDS="1 2 3 4 5 6 7 8 9 10"

# steps WORDS STEP...: of ./mock WORDS
steps() {
	./mock $1 >"$OUT" 2>&1
	got=$?
	shift
	for step; do said "mock: $step: ok" || return 1; done
	WHY="exit code $got"
	[ $got = 0 ]
}
mock() { steps "$*" made fill identity chance refused permissions faults "taken down"; }
calls() { steps calls made processes anonymous dirty queues "taken down"; }
quiet() {
	WHY=$(dmesg | grep -E 'WARNING: .*iommu|BUG|Oops' | head -n 1)
	[ -z "$WHY" ]
}
if [ ! -e /sys/bus/iommufd_mock ]; then
	skip "mock: mirrors" "this host's kernel has no CONFIG_IOMMUFD_TEST"
	exit 0
fi
for seed in $SEEDS; do
	case_of "mock: memory that is a file: what is mapped is there, and what is not is not, seed $seed" mock file "$seed"
	case_of "mock: anonymous memory: the same, seed $seed" mock memory "$seed"
done
case_of "mock: calls: an account goes to another process, pages that were written are found, queues of hardware hold their memory" calls
COUNT=10000
[ -z "${SOAK:-}" ] || COUNT=1000000
cp "$SHARE/queue" "$WORK"
queue() {
	./queue $COUNT 1 >"$OUT" 2>&1 || return 1
	WHY="$(grep ns "$OUT"); $(grep mock: "$OUT")"
	said "mock: $COUNT faults, $COUNT by the kernel's queue, $COUNT answered" && grep -q "queue: $COUNT faults: retried .* other 0; wrong 0" "$OUT"
}
case_of "mock: $COUNT faults of many PASIDs come out of its queue once, and each has one answer" queue
case_of "mock: the host's kernel has no complaint" quiet

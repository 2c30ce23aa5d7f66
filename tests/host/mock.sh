#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Mirrors of a guest's address spaces, and a fault queue, on this host's iommufd with its mock device.
. "$SHARE/tests/host/lib.sh"
cp "$SHARE/mock" "$WORK"
SEEDS=1
[ -z "${SOAK:-}" ] || SEEDS="1 2 3 4 5 6 7 8 9 10"

mock() {
	./mock "$@" >"$OUT" 2>&1
	got=$?
	for step in made fill identity chance refused permissions faults "taken down"; do
		said "mock: $step: ok" || return 1
	done
	WHY="exit code $got"
	[ $got = 0 ]
}
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
case_of "mock: the host's kernel has no complaint" quiet

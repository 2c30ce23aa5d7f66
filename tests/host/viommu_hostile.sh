#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A virtio-iommu and a driver that misbehaves, under the program as it is; then all of its bare-metal guests under one
# with ASan and UBSan, whose every report is a failure.
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"
COUNT=1000
[ -z "${SOAK:-}" ] || COUNT=200000

# behind GUEST TEST ARG...: an entropy device behind one, with page requests for a TEST of "pages=1"
behind() {
	bin=$1 test=$2 keys=
	shift 2
	case $test in *pages=1*) keys=,experimental=page-request ;; esac
	guest "$bin" "$test" --iommu "v,type=virtio$keys" --rng=iommu=v --timeout 600 "$@"
}

# hostile LABEL COUNT TRANSPORTS
hostile() {
	for on in $3; do
		label="viommu: $1: $on"
		case_of "$label: malformed requests break the queue, and a reset mends it" behind viommu_hostile request-chains --virtio-transport $on
		case_of "$label: malformed event buffers break the queue when there is an event" behind viommu_hostile event-chains --virtio-transport $on
		case_of "$label: rings outside memory break the queue, and a reset mends it" behind viommu_hostile rings --virtio-transport $on
	done
	case_of "viommu: $1: requests that change while they are read do no harm" behind viommu_hostile "rewritten count=$2" -c 2
	case_of "viommu: $1: nor do answers to page requests that change" behind viommu_hostile "rewritten pages=1 count=$2" -c 2
	case_of "viommu: $1: malformed requests break the queue with page requests too" behind viommu_hostile "request-chains pages=1"
	case_of "viommu: $1: rings that change while they are read do no harm" behind viommu_hostile "scrambled count=$2" -c 2
	case_of "viommu: $1: rings in one another do no harm" behind viommu_hostile overlaps
	case_of "viommu: $1: many mappings go as they came" behind viommu_hostile "many count=$2"
}
hostile plain $COUNT "pci mmio"

cp -r "$SHARE/asan" "$WORK"
NESTOR=$WORK/asan/run
export ASAN_OPTIONS=exitcode=99:detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
hostile sanitizers $((COUNT / 4)) "pci${SOAK:+ mmio}"
for test in attach detach map unmap probe unparsed features; do
	case_of "viommu: sanitizers: $test" behind viommu $test
done
for test in translated scattered bypass flood reset msi-window; do
	case_of "viommu: sanitizers: endpoints: $test" behind viommu_dma $test
done

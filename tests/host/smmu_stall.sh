#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Stalls under stock Linux: I/O page faults of the DMA endpoint, told by FDT and by ACPI that it can stall, come to a
# program through iommufd's fault queue, and its answers go back.
. "$SHARE/tests/host/lib.sh"
COUNT=1000
[ -z "${SOAK:-}" ] || COUNT=100000

# serves KEYS ARG...: of the endpoint. Linux 7.2 has its queue of I/O page faults only where SVA is possible, for which the SMMU
# has to reach as far as the CPUs.
serves() {
	where=$1
	shift
	run 0 --timeout "${SOAK:+3}600" -k "$IMAGE" -i "$SHARE/initrd-stall" -c 2 -m 512 -p "console=ttyS0 quiet stall.count=$COUNT" \
		--iommu s,type=smmuv3,idr5.oas=6 --dma-test=stall,iommu=s$where "$@" || return 1
	for test in "each is served" "page by page" refused "answered twice" detached; do
		said "stall: $test: ok" || return 1
	done
	WHY=$(grep -a '^log: ' "$OUT")
	[ -z "$WHY" ]
}
case_of "smmu: stalls: Linux: $COUNT faults of a device that is told to stall by the tree are each served once" serves ""
case_of "smmu: stalls: Linux: $COUNT faults of one that is told so by ACPI, behind a root port" \
	serves ,bus=r --acpi --root-port r

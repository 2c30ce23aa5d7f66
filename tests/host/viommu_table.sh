#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A virtio-iommu whose driver owns the tables: endpoints and the CPU have to make the same of them. Then the same under a
# program with ASan and UBSan, whose every report is a failure.
# host: -P max,pauth=off,sve=off,sme=off,lpa2=off
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"

# endpoint GUEST TEST: the DMA endpoint behind one; its ID is not 0
endpoint() {
	guest "$1" "$2" --iommu v,type=virtio,experimental=page-request:attach-table --rng --dma-test=pri,ats,pasid=20,iommu=v -m 256 -c 2 \
		--timeout 2000
}

# all LABEL COUNT SEED...
all() {
	label="viommu table: $1" count=$2
	shift 2
	case_of "$label: the CPU and an endpoint have one table, and the same addresses" endpoint viommu_table shared
	case_of "$label: what an endpoint's accesses leave of entries" endpoint viommu_table updates
	case_of "$label: two processes with the same addresses have a table each" endpoint viommu_table processes
	for seed; do
		case_of "$label: an address is the CPU's: tables by chance, seed $seed" endpoint viommu_table "at seed=$seed count=$count"
	done
	case_of "$label: an INVALIDATE waits for transfers that use what it takes, and for no other" endpoint viommu_flight invalidate
	case_of "$label: what an endpoint asks for the driver maps in its table" endpoint viommu_pages pages-table
	case_of "$label: tables that lead to themselves end" endpoint viommu_table_hostile loops
	for seed; do
		case_of "$label: tables and requests of chance under transfers do no harm, seed $seed" \
			endpoint viommu_table_hostile "fuzz seed=$seed count=$((count * 2))"
	done
}
# A driver that knows of no experiment attaches and maps as ever, and finds no property that it does not know.
stock() {
	run 32 -k "$IMAGE" -i "$SHARE/initrd-reset" -p "console=ttyS0 quiet iommu.strict=1" --rng=iommu=v --trace iommu \
		--iommu v,type=virtio,bypass=off,experimental=page-request:attach-table || return 1
	for request in 5 1 3 4; do said "request $request: status 0" || return 1; done
	WHY="a fault, or a property that the driver does not know"
	! grep -aqE "viommu prop|fault at" "$OUT"
}
case_of "viommu table: Linux's driver leaves experiments alone" stock
if [ -n "${SOAK:-}" ]; then all plain 50000 1 2 3 4; else all plain 300 1; fi

cp -r "$SHARE/asan" "$WORK"
NESTOR=$WORK/asan/run
export ASAN_OPTIONS=exitcode=99:detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
if [ -n "${SOAK:-}" ]; then all sanitizers 10000 5 6; else all sanitizers 100 2; fi

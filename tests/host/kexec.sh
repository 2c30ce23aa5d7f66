#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Linux that starts itself anew by kexec: the second kernel finds what the first one did, and an ITS whose LPIs the first
# one has left enabled, with their tables in memory. Told by ACPI, EFI's table of reservations keeps these. A device tree
# has nothing for it (docs/told-twice.md), and so that is without an ITS.
. "$SHARE/tests/host/lib.sh"
ROUNDS=1
[ -z "${SOAK:-}" ] || ROUNDS=5

# anew KERNEL INITRD ARG...
anew() {
	kernel=$1 initrd=$2
	shift 2
	dd if="$kernel" of="$WORK/kexec" bs=1M 2>/dev/null && dd if="$initrd" of="$WORK/kexec" bs=1M seek=64 2>/dev/null || return 1
	sum=$(head -c 4194304 "$WORK/kexec" | sha256sum | cut -d' ' -f1)
	run 0 -k "$kernel" -i "$initrd" -c 2 -m 1G -d "$WORK/kexec,serial=kexec$iommu" "$@" \
		-p "console=ttyS0 loglevel=5 kexec.rounds=$ROUNDS kexec.kernel=$(stat -c %s "$kernel") kexec.initrd=$(stat -c %s "$initrd")" || return 1
	for left in $(seq 0 $ROUNDS); do said "rounds left: $left, cpus: 2, disk $sum" || return 1; done
	WHY="a complaint: $(grep -a -m 1 '^complaint' "$OUT")"
	! grep -q '^complaint' "$OUT"
}
# interrupts N TEXT: each kernel had N interrupts of its disk of that kind
interrupts() {
	WHY="$(grep -c "^irq .*$2" "$OUT") interrupts, expected $1 for each kernel"
	[ "$(grep -c "^irq .*$2" "$OUT")" = $(($1 * (ROUNDS + 1))) ]
}

# by_acpi KERNEL INITRD ARG...: each kernel finds the tables, and the memory that the LPIs' are in
by_acpi() {
	anew "$@" --acpi && interrupts 2 "-req\.[01] ITS-" || return 1
	WHY="$(grep -c '^told by: acpi .*APIC.*DSDT.*IORT' "$OUT") kernels with tables, $(grep -c '^lpi: .*using reserved' "$OUT") CPUs with reserved memory"
	[ "$(grep -c '^told by: acpi .*APIC.*DSDT.*IORT' "$OUT")" = $((ROUNDS + 1)) ] && [ "$(grep -c '^lpi: .*using reserved' "$OUT")" = $((2 * ROUNDS)) ]
}

long_case "kexec: linux: by ACPI: its tables, its ITS, its disk" by_acpi "$IMAGE" "$SHARE/initrd-kexec"
iommu=,iommu=s
case_of "kexec: linux: by ACPI, behind an SMMUv3" by_acpi "$IMAGE" "$SHARE/initrd-kexec" --iommu s,type=smmuv3,interrupts=msi
by_tree() { anew "$IMAGE" "$SHARE/initrd-kexec" --fdt --irqchip gicv3 --iommu s,type=smmuv3 && interrupts 1 GICv3; }
long_case "kexec: linux: by a device tree, without an ITS, behind an SMMUv3" by_tree
iommu=
for release in 12 13; do
	[ -n "${SOAK:-}" ] && [ -e "$SHARE/debian$release/vmlinuz" ] || continue
	cp "$SHARE/debian$release/vmlinuz" "$WORK"
	cat "$INITRD" "$SHARE/debian$release/modules.cpio" "$SHARE/test-kexec.cpio" >"$WORK/stock.initrd"
	long_case "kexec: debian $release: by ACPI: its stock kernel: its tables, its ITS, its disk" by_acpi "$WORK/vmlinuz" "$WORK/stock.initrd"
done
rm -f "$WORK/kexec" "$WORK/vmlinuz" "$WORK/stock.initrd"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The DMA endpoint under Linux: the kernel's driver and its own test, and the registers that are Nestor's own.
. "$SHARE/tests/host/lib.sh"

# endpoint ARG...: its guest, with the kernel's test where the lab has one; its output is looked at by others
# without ARG...: the same, without the kernel's test
endpoint() {
	cat "$SHARE/initrd-dma_test" "$SHARE/kselftest.cpio" >"$WORK/dma_test.initrd" 2>/dev/null
	without -i "$WORK/dma_test.initrd" "$@"
}
without() { run 0 -k "$IMAGE" -i "$SHARE/initrd-dma_test" -c 2 -m 256 -p "console=ttyS0 quiet mem=192M" "$@"; }

# The kernel's test passed; skipped was only what there is not to be tested, vectors beyond MSI-X's 32 among it.
kselftest() {
	WHY=$(grep -m 1 '^not ok' "$OUT")
	said "kselftest: 0" && said "SKIP      MSI-X33 is disabled" && said "# Totals: pass:11 fail:0 xfail:0 xpass:0 skip:12 error:0" || return 1
	skipped=$(grep '# SKIP' "$OUT" | grep -vE 'BAR is (reserved|disabled)|not supported|MSI-X33 is disabled')
	WHY="skipped: $(echo "$skipped" | head -n 1)"
	[ -z "$skipped" ]
}

own() {
	said "fill: done 30000001, done 10000000" && said "pattern: 0xE220A8397B1DCDAF 0x63CBE1E459320DD7" &&
		said "overlapping copy: done 30000001" && said "read: done 8, buffer 0xE220A839 0x7B1DCDAF" &&
		said "beyond RAM: fault 0x90000000 after 69632" && said "translate: refused" && said "not a master: aborted"
}

on_root_bus() { endpoint --dma-test && { [ ! -e "$SHARE/kselftest.cpio" ] || kselftest; }; }
behind_port() {
	without --root-port a --dma-test=ats,pri,pasid=20,bus=a --virtio-transport mmio && own
}
# behind_iommu STRICT TYPE
behind_iommu() {
	endpoint -p "console=ttyS0 loglevel=1 mem=192M iommu.strict=$1" --iommu "v,type=$2" --dma-test=iommu=v && said "endpoint: behind an IOMMU" &&
		said "not mapped: fault 0x1000 after 0" && { [ ! -e "$SHARE/kselftest.cpio" ] || kselftest; }
}

# Debian's lspci knows all that it says it has, and finds nothing broken.
lspci() {
	cat "$INITRD" "$SHARE/lspci.cpio" "$SHARE/test-lspci.cpio" >"$WORK/lspci.initrd"
	run 0 -k "$IMAGE" -i "$WORK/lspci.initrd" -p "console=ttyS0 quiet" --root-port a --dma-test=ats,pri,pasid=20,bus=a || return 1
	for line in "[1912:002d]" "MSI: Enable- Count=1/32 Maskable+ 64bit+" "MSI-X: Enable- Count=32 Masked-" \
		"FLReset+" "AtomicOpsCtl: ReqEn-" "MaxEETLPPrefixes 1" "Address Translation Service (ATS)" "Invalidate Queue Depth: 00" \
		"Page Request Interface (PRI)" "PRISta: RF- UPRGI- Stopped+ PASID+" "Page Request Capacity: 00000020" \
		"Process Address Space ID (PASID)" "PASIDCap: Exec+ Priv-, Max PASID Width: 14"; do
		said "$line" || return 1
	done
	WHY=$(grep -m 1 -i -e '!!!' -e 'access denied' -e unknown -e '^pcilib' -e 'chain looped' "$OUT")
	[ -z "$WHY" ]
}

case_of "dma-test: the kernel's test of PCI endpoints passes" on_root_bus
case_of "dma-test: its own registers, on the same run" own
case_of "dma-test: with ATS, PRI and PASIDs behind a root port" behind_port
long_case "dma-test: the kernel's test of PCI endpoints passes behind a virtio-iommu, strict" behind_iommu 1 virtio
long_case "dma-test: the kernel's test of PCI endpoints passes behind a virtio-iommu, lazy" behind_iommu 0 virtio
case_of "dma-test: the kernel's test of PCI endpoints passes behind an SMMUv3, strict" behind_iommu 1 smmuv3
case_of "dma-test: the kernel's test of PCI endpoints passes behind an SMMUv3, lazy" behind_iommu 0 smmuv3
# From user space, through VFIO and iommufd: faults to the byte, an interrupt, an unmap that waits for a transfer.
vfio() { # TYPE FAULT...: as Linux says them
	run 0 -k "$IMAGE" -i "$SHARE/initrd-dma_vfio" -c 2 -m 512 -p "console=ttyS0 loglevel=1" --iommu "v,type=$1" \
		--root-port a --dma-test=iommu=v,bus=a || return 1
	for test in transfers faults interrupt held; do
		said "dma: $test: ok" || return 1
	done
	shift
	for fault; do
		said "Linux: $fault" || return 1
	done
}
# A read beyond a mapping, a write of one that is read-only, and a read of one that has gone
case_of "dma-test: behind a virtio-iommu, an unmap waits for what is held" vfio virtio \
	"page fault from EP 256 at 0x10200000 [R]" "page fault from EP 256 at 0x20000007 [W]" "page fault from EP 256 at 0x10000000 [R]"
where="client: 0000:01:00.0 sid: 0x100 ssid: 0x0 iova:"
case_of "dma-test: behind an SMMUv3, an unmap waits for what is held" vfio smmuv3 \
	"F_TRANSLATION $where 0x10200000" "F_PERMISSION $where 0x20000007" "F_TRANSLATION $where 0x10000000"
case_of "dma-test: behind an SMMUv3 where all faults stall, those that Linux has nobody for end" vfio smmuv3,idr0.stall_model=2,idr5.oas=6 \
	"F_TRANSLATION $where 0x10200000" "F_PERMISSION $where 0x20000007" "F_TRANSLATION $where 0x10000000"

if [ -e "$SHARE/lspci.cpio" ]; then
	case_of "dma-test: lspci decodes its capabilities" lspci
else
	skip "dma-test: lspci decodes its capabilities" "the lab is not set up"
fi
[ -e "$SHARE/kselftest.cpio" ] || skip "dma-test: the kernel's test" "the lab is not set up"

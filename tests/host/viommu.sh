#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# virtio-iommu: bare-metal guests that send each request and look at what endpoints reach.
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"

# behind TEST IOMMU-KEYS ARG...: an entropy device behind one, in "GUEST TEST"
behind() {
	bin=$1 test=$2 keys=$3
	shift 3
	guest "$bin" "$test" --iommu "v,type=virtio$keys" --rng=iommu=v "$@"
}

for on in pci mmio; do
	label="viommu: $on"
	for test in attach detach map unmap probe unparsed features; do
		case_of "$label: $test: each status, and nothing written that should not be" behind viommu $test "" --virtio-transport $on
	done
	case_of "$label: limits: domains, addresses and mappings are as many as was said" behind viommu limits \
		",domains=2-5,input=0x1000-0xffffffff,mappings=4" --virtio-transport $on
	case_of "$label: an endpoint reaches what is mapped, and faults otherwise" behind viommu_dma translated "" --virtio-transport $on
	case_of "$label: pages of their own, and half an access" behind viommu_dma scattered "" --virtio-transport $on
	case_of "$label: bypass, before, between and after" behind viommu_dma bypass "" --virtio-transport $on
	case_of "$label: faults without buffers are lost, and nothing waits" behind viommu_dma flood "" --virtio-transport $on
	case_of "$label: the IOMMU is reset under a device at work" behind viommu_dma reset "" --virtio-transport $on
done
case_of "viommu: the host's own window is told beside the doorbell's page" behind viommu "probe-window windows=2" \
	",msi=bypass,host-msi=0x8000000-0x80fffff"
case_of "viommu: where doorbells are mapped there no window is told" behind viommu "probe-window windows=0" \
	",msi=translate,host-msi=0x8000000-0x80fffff"
case_of "viommu: messages in the window are not translated" behind viommu_dma msi-window ",msi=bypass"
case_of "viommu: messages in a window elsewhere go to the doorbell, and its own address is mapped as any" \
	behind viommu_dma "msi-window window=536870912" ",msi=bypass" --msi-window 0x20000000,0x100000
case_of "viommu: where messages are translated doorbells are mapped in --msi-window, and nothing else" \
	behind viommu_dma msi-host-window ",msi=translate" --msi-window 0x9000000,0x100000
case_of "viommu: messages go where their doorbell is mapped" behind viommu_dma msi-translated ",msi=translate"

case_of "viommu: in the host's own window doorbells are mapped, and nothing else" behind viommu_dma msi-host-window \
	",msi=translate,host-msi=0x9000000-0x90fffff"

# flight TEST KEYS [KEYS]: the DMA endpoint (with these keys besides) behind one
flight() { guest viommu_flight "$1" --iommu "v,type=virtio$2" "--dma-test=ats,pri,iommu=v$3"; }
case_of "viommu: an unmap waits for the transfers that it takes memory from, and for no other" flight unmap
case_of "viommu: a detach, and an attach elsewhere, wait for transfers" flight detach
case_of "viommu: a reset waits for transfers" flight reset
case_of "viommu: a transfer ends at the byte that is not mapped" flight edges
case_of "viommu: in bypass mode processes reach all memory too" flight bypass-pasid "" ",pasid=20"
# asks TEST [KEYS]: the DMA endpoint (with these keys besides) asks for pages
asks() { guest viommu_pages "$1" --iommu v,type=virtio,experimental=page-request "--dma-test=ats,pri,iommu=v$2"; }
case_of "viommu: page requests: in groups, each with one answer" asks pages
case_of "viommu: page requests: a detach and a reset answer them" asks pages-end
case_of "viommu: page requests: each PASID has groups of its own" asks pages-pasid ,pasid=20
case_of "viommu: page requests: a guest that is late" asks late ,fault-timeout=50
# strictly TEST KEYS N
strictly() {
	run 37 -k "$SHARE/guests/viommu_pages.bin" -p "$1" --strict-io --iommu v,type=virtio,experimental=page-request \
		"--dma-test=ats,pri,iommu=v$2" && said "0 page faults and events were lost, $3 had no answer"
}
case_of "viommu: page requests: --strict-io: groups that timed out" strictly late ,fault-timeout=50 3
case_of "viommu: page requests: --strict-io: one that waits at the end" strictly never "" 1

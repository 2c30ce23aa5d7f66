#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Interrupt controllers on a host with a GICv2.
# host: -M gic-version=2
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"
. "$SHARE/tests/host/irqchip-lib.sh"

linux_cases gicv2m "GICv2m-PCI-MSIX"
linux_cases gicv2 " GIC-0"
case_of "gicv2: linux: virtio over MMIO, 8 vCPUs" run 0 -k "$IMAGE" -i "$INITRD" -p "console=ttyS0 quiet" \
	--irqchip gicv2 -c 8 --virtio-transport mmio --rng
by_acpi() { # CHIP INTERRUPTS
	mkdir -p "$SHARE/acpi/$1"
	run 0 --acpi --dump-acpi "$SHARE/acpi/$1" -k "$IMAGE" -i "$INITRD" -p "console=ttyS0 quiet" --irqchip "$1" -c 8 --rng && said "$2"
}
case_of "gicv2m: linux: by ACPI, 8 vCPUs" by_acpi gicv2m GICv2m-PCI-MSIX
long_case "gicv2: linux: by ACPI, 8 vCPUs" by_acpi gicv2 " GIC-0"
for chip in gicv2m gicv2; do
	bare_irqs $chip
	case_of "dtb: a machine with a $chip" tree $chip --irqchip $chip -c 8 --rng
done

case_of "gicv2m: bare: virtio-blk's completions are SPIs" with_disk msi disk --irqchip gicv2m
case_of "gicv2m: bare: MSI-X: a masked vector is pending until it is unmasked" with_disk msi vector-mask --irqchip gicv2m
case_of "gicv2m: bare: MSI-X: a masked function's vectors are pending" with_disk msi function-mask --irqchip gicv2m
case_of "gicv2m: bare: MSI-X: a message goes where the table says now" with_disk msi retarget --irqchip gicv2m
case_of "gicv2m: bare: the frame has its registers, whatever is done to it" guest v2m registers --irqchip gicv2m
case_of "gicv2m: bare: a CPU's write to the doorbell is an edge" guest v2m doorbell --irqchip gicv2m
case_of "gicv2m: bare: the doorbell raises no interrupt but its own" guest v2m others --irqchip gicv2m
case_of "gicv2m: bare: a message waits while its interrupt is disabled" guest v2m waits --irqchip gicv2m
case_of "gicv2m: bare: a virtio-iommu's window for messages is where the frame is" \
	guest viommu_dma msi-window --iommu v,type=virtio,msi=bypass --rng=iommu=v --irqchip gicv2m
case_of "gicv2m: bare: behind a virtio-iommu messages go where their doorbell is mapped" \
	guest viommu_dma msi-translated --iommu v,type=virtio,msi=translate --rng=iommu=v --irqchip gicv2m
case_of "gicv2m: bare: random accesses do no harm" \
	with_disk fuzz "fuzz seed=7 count=5000 cpus=2" -c 2 --irqchip gicv2m --timeout 600
for chip in gicv3-its gicv3; do
	case_of "$chip: a host without is told of in a line" refused $chip "gicv2m, gicv2"
done

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Interrupt controllers on a host with a GICv3.
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"
. "$SHARE/tests/host/irqchip-lib.sh"

[ -z "${SOAK:-}" ] || linux_cases gicv3-its "ITS-PCI-MSIX" # every other Linux guest has one
linux_cases gicv3 " GICv3"
bare_irqs gicv3
for chip in gicv2m gicv2; do
	case_of "$chip: a host without is told of in a line" refused $chip "gicv3-its, gicv3"
done

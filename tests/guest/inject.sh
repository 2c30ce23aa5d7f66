#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: reads a disk behind an IOMMU again and again, and says when it was read with the data of the first
# time; and lives, whatever becomes of the disk. What the IOMMU's driver says is on the console, too.
# A CPU whose interrupts are off, since it ends a transfer and waits for the SMMU, does not see the SMMU's error: the two
# are on different ones.
irq=$(sed -n 's/^ *\([0-9]*\):.*arm-smmu-v3-gerror.*/\1/p' /proc/interrupts)
[ ! "$irq" ] || echo 2 >"/proc/irq/$irq/smp_affinity"
taskset -p 1 $$ >/dev/null
sum() { dd if=/dev/vda bs=64k iflag=direct 2>/dev/null | sha256sum; }
(while :; do
	echo "alive"
	usleep 500000
done) &
first=$(sum)
while :; do
	if [ "$(sum)" = "$first" ]; then echo "read well"; else echo "read other data"; fi
	usleep 100000
done

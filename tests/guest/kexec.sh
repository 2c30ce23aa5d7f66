#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the first disk begins with a kernel of kexec.kernel bytes and has an initrd of kexec.initrd bytes at
# 64 MiB. They are started in place of this kernel, kexec.rounds times one after the other; the last one says what it finds.
word() { sed -n "s/.*\bkexec\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
rounds=$(word rounds)

echo "rounds left: $rounds, cpus: $(nproc), disk $(head -c 4194304 /dev/vda | sha256sum | cut -d" " -f1)"
echo "told by: $(ls /sys/firmware | grep -E '^(acpi|devicetree)$' | tr '\n' ' ')$(ls /sys/firmware/acpi/tables 2>/dev/null | tr '\n' ' ')"
for group in /sys/kernel/iommu_groups/*; do
	[ ! -e "$group" ] || echo "group: $(cat "$group/type") $(ls "$group/devices")"
done
# each CPU's part of the ITS
for cpu in $(seq 0 $(($(nproc) - 1))); do
	taskset -c "$cpu" dd if=/dev/vda of=/dev/null bs=4k count=4 iflag=direct 2>/dev/null || exit 1
done
awk 'NR == 1 { cpus = NF; next }
     { n = 0; for (i = 2; i <= cpus + 1; i++) n += $i }
     /virtio0/ && n { print "irq", $NF, $(cpus + 2) }' /proc/interrupts
dmesg | sed -n 's/^\[[^]]*\] \(.*LPI.*\)/lpi: \1/p'
dmesg | grep -E 'WARNING|Call trace|corrupted|event 0x|CMDQ error|fault from EP' | sed 's/^\[[^]]*\] /complaint: /'

[ "$rounds" -gt 0 ] || exit 0
head -c "$(word kernel)" /dev/vda >/tmp/kernel || exit 2
dd if=/dev/vda bs=1M skip=64 2>/dev/null | head -c "$(word initrd)" >/tmp/initrd || exit 3
kexec /tmp/kernel /tmp/initrd "$(sed "s/kexec.rounds=$rounds/kexec.rounds=$((rounds - 1))/" /proc/cmdline)"

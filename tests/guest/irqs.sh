#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Every CPU reads every disk; then what interrupted, as "irq NAME CHIP", and whether each CPU took IPIs.
for cpu in $(seq 0 $(($(nproc) - 1))); do
	for disk in /dev/vd*; do
		taskset -c "$cpu" dd if="$disk" of=/dev/null bs=4k iflag=direct 2>/dev/null || exit 1
	done
done
for disk in /dev/vd*; do
	echo "disk ${disk##*/}: $(sha256sum <"$disk" | cut -d' ' -f1)"
done
awk 'NR == 1 { cpus = NF; next }
     { n = 0; for (i = 2; i <= cpus + 1; i++) n += $i }
     $1 ~ /^[0-9]+:$/ && n { print "irq", $NF, $(cpus + 2) }
     /^IPI/ { for (i = 2; i <= cpus + 1; i++) ipis[i] += $i }
     END { for (i = 2; i <= cpus + 1; i++) if (ipis[i]) took++; print "CPUs with IPIs:", took + 0 }' /proc/interrupts

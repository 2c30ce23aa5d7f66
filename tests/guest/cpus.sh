#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: every CPU runs, takes its timer and its share of IPIs, goes offline and comes back (unless cpus.stay is on
# the kernel's command line).
n=$(nproc)
echo "cpus: $n"
for i in $(seq 0 $((n - 1))); do
	taskset $(printf '%x' $((1 << i))) sh -c 'i=0; while [ $i -lt 200 ]; do i=$((i + 1)); done' || exit 1
done
for i in $(grep -qw cpus.stay /proc/cmdline || seq 1 $((n - 1))); do
	echo 0 >/sys/devices/system/cpu/cpu$i/online || exit 2
	echo 1 >/sys/devices/system/cpu/cpu$i/online || exit 3
done
[ "$(nproc)" = "$n" ] || exit 4
# Each CPU's column of the virtual timer has counted.
awk -v n="$n" '/arch_timer/ { for (i = 2; i <= n + 1; i++) if ($i == 0) exit 1 }' /proc/interrupts || exit 5

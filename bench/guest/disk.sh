#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: rates of the disk past the page cache, as "figure NAME VALUE" lines.
now() { awk '{ print $1 }' /proc/uptime; }

# rate NAME AMOUNT COMMAND...: AMOUNT a second
rate() {
	name=$1 amount=$2
	shift 2
	start=$(now)
	"$@" >/dev/null 2>&1
	wait
	echo "figure $name $(echo "$start $(now)" | awk -v n="$amount" '{ printf "%.1f", n / ($2 - $1) }')"
}

readers() {
	for i in $(seq 0 15); do
		dd if=/dev/vda of=/dev/null bs=4k count=256 skip=$((i * 1024)) iflag=direct &
	done
}
dd if=/dev/vda of=/dev/null bs=1M iflag=direct 2>/dev/null
rate disk-read 128 dd if=/dev/vda of=/dev/null bs=1M count=128 iflag=direct
rate disk-write 128 dd if=/dev/zero of=/dev/vda bs=1M count=128 oflag=direct
rate disk-read-4k-qd1 1024 dd if=/dev/vda of=/dev/null bs=4k count=1024 iflag=direct
rate disk-read-4k-qd16 4096 readers

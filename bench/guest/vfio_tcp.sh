#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: TCP's rates over eth0 to the lab and from it, 2 MiB each, as "figure NAME VALUE" lines: of three transfers
# one after the other the median.
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
head -c 2097152 /dev/zero >/tmp/sent
nc -w 30 10.0.2.100 9 </tmp/sent >/dev/null # warm
# rate NAME COMMAND...
rate() {
	name=$1
	shift
	for i in 1 2 3; do
		read -r since rest </proc/uptime
		"$@" || continue
		read -r now rest </proc/uptime
		echo "$since $now"
	done | awk '{ print 2.097152 / ($2 - $1) }' | sort -n | awk -v n="$name" '{ v[NR] = $1 } END { if (NR == 3) print "figure", n, v[2] }'
}
# What dd says at its end comes back.
away() { nc -w 30 10.0.2.100 9 </tmp/sent >/dev/null; }
here() { [ "$(nc -w 30 10.0.2.100 19 </dev/null | wc -c)" = 2097152 ]; }
rate vfio_tcp_tx away
rate vfio_tcp_rx here
ip link set eth0 down

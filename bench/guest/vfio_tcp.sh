#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: TCP's rate over eth0 to the lab's echo and back, as a "figure NAME VALUE" line: of three transfers one
# after the other the median.
head -c 4194304 /dev/urandom >/tmp/sent
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
nc -w 30 10.0.2.100 7 </tmp/sent >/dev/null # warm
for i in 1 2 3; do
	read -r since rest </proc/uptime
	nc -w 30 10.0.2.100 7 </tmp/sent | cmp - /tmp/sent || continue
	read -r now rest </proc/uptime
	echo "$since $now"
done | awk '{ print 4.194304 / ($2 - $1) }' | sort -n | awk '{ v[NR] = $1 } END { if (NR == 3) print "figure vfio_tcp", v[2] }'
ip link set eth0 down

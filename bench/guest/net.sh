#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: TCP's rates over eth0 to the host and from it, four streams at once, as "figure NAME VALUE" lines: of
# three transfers one after the other the median, since the first one after boot may be half or twice the rest.
ip addr add 10.9.0.2/24 dev eth0
ip link set eth0 up
traffic run tcp:10.9.0.1:5001 4 16777216 1 both plain >/dev/null # warm
for way in up down; do
	for i in 1 2 3; do
		traffic run tcp:10.9.0.1:5001 4 134217728 1 $way plain
	done | sort -n -k5 | sed -n 2p
done | awk '{ print "figure", $1 == "up" ? "net_tx" : "net_rx", $5 }'

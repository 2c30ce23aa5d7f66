#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: TCP's rates over eth0 to the host and from it, four streams at once, as "figure NAME VALUE" lines.
ip addr add 10.9.0.2/24 dev eth0
ip link set eth0 up
traffic run tcp:10.9.0.1:5001 4 16777216 1 both plain >/dev/null # warm
for way in up down; do
	traffic run tcp:10.9.0.1:5001 4 67108864 1 $way plain
done | awk '{ print "figure", $1 == "up" ? "net_tx" : "net_rx", $5 }'

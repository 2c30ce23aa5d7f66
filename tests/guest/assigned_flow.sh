#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: data flows by two cards, until one of them is gone; the other one talks then.
. /talk
n=15
for card in eth0 eth1; do
	ip link set $card up
	ip addr add 10.0.2.$n/24 dev $card
	n=$((n + 1))
done
while :; do nc -w 5 10.0.2.100 7 </tmp/sent >/dev/null 2>&1 || usleep 10000; done &
until [ "$(cat /sys/class/net/eth0/statistics/tx_packets)" -gt 50 ]; do usleep 10000; done
echo "it flows"
while [ -e /sys/class/net/eth0 ]; do usleep 10000; done
echo "gone: eth0"
kill $!
killall -q nc
ip addr flush dev eth1
ip link set eth1 down
talk eth1 && echo "eth1: still there"

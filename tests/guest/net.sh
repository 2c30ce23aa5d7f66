#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: eth0 is 10.9.N.2; streams to 10.9.N.1 both ways, by what net.* on the kernel's command line say.
word() { sed -n "s/.*\bnet\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
host=10.9.$(word subnet)

up() {
	ip addr add $host.2/24 dev eth0 2>/dev/null
	ip link set eth0 up || exit 2
}

echo "mac: $(cat /sys/class/net/eth0/address)"
echo "mtu: $(cat /sys/class/net/eth0/mtu)"
echo "queues: $(ls -d /sys/class/net/eth0/queues/rx-* | wc -l)"
up
traffic run tcp:$host.1:5001 "$(word streams)" "$(word bytes)" "$(word seed)" || exit 3
[ -n "$(word driver)" ] || exit 0

# The interface, then its driver, goes and comes while data flows; afterwards it still does.
name=$(basename "$(readlink /sys/class/net/eth0/device)")
driver=/sys/bus/virtio/drivers/virtio_net
for round in 1 2 3; do
	traffic run tcp:$host.1:5001 4 100000000 1 both plain >/dev/null 2>&1 &
	ip link set eth0 down || exit 4
	ip link set eth0 up || exit 4
	kill $! 2>/dev/null
	echo "$name" >$driver/unbind || exit 5
	echo "$name" >$driver/bind || exit 6
	killall -9 traffic 2>/dev/null
	up
done
traffic run tcp:$host.1:5001 4 100000 2 || exit 7

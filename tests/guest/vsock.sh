#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: streams over vsock to the host, then some that the host begins; by what net.* on the command line say.
word() { sed -n "s/.*\bnet\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }

traffic run vsock:2:5001 "$(word streams)" "$(word bytes)" "$(word seed)" || exit 1
traffic serve vsock:5002 &
server=$!
echo "the guest listens"
until traffic run "vsock:2:$(word port)" 1 8 1 2>/dev/null; do usleep 50000; done # the host has done its part
kill $server

# The driver goes and comes, and it still works.
driver=/sys/bus/virtio/drivers/vmw_vsock_virtio_transport
name=$(basename "$(ls -d $driver/virtio*)")
for round in 1 2 3; do
	echo "$name" >$driver/unbind || exit 3
	echo "$name" >$driver/bind || exit 4
done
traffic run vsock:2:5001 2 100000 3 || exit 5

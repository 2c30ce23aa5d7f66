#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the bus behind the port is reset under a vsock device, whose rings the host's kernel works; it comes back.
port=/sys/bus/pci/devices/0000:00:00.0
dev=/sys/bus/pci/devices/0000:01:00.0

# control BYTE: Bridge Control of the port
control() { printf "\\x$1" | dd of=$port/config bs=1 seek=62 conv=notrunc 2>/dev/null; }

traffic run vsock:2:5001 2 100000 1 || exit 1
for round in 1 2 3; do
	dd if=$dev/config of=/tmp/bars bs=4 skip=4 count=6 2>/dev/null
	control 40
	control 00
	until [ "$(od -An -tx4 -N4 $dev/config | tr -d ' ')" = 10531af4 ]; do usleep 10000; done
	# a driver that goes looks at the device once more
	dd if=/tmp/bars of=$dev/config bs=4 seek=4 conv=notrunc 2>/dev/null
	printf '\x06\x04' | dd of=$dev/config bs=2 seek=2 conv=notrunc 2>/dev/null
	echo 1 >$dev/remove
	echo 1 >/sys/bus/pci/rescan
	traffic run vsock:2:5001 2 100000 2 || exit 2
done

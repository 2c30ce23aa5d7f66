#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the disk behind the port, after it was removed and found again, and after the port was.
sum() {
	until [ -b /dev/vda ]; do usleep 10000; done
	sha256sum </dev/vda
}
sum
for function in 0000:01:00.0 0000:00:00.0; do
	echo 1 >/sys/bus/pci/devices/$function/remove || exit 1
	[ ! -e /sys/bus/pci/devices/$function ] || exit 2
	echo 1 >/sys/bus/pci/rescan
	sum
done

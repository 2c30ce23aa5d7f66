#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the bus behind the port is reset with the disk's driver bound, without one, and by hand; then the disk, and then
# the port with it, is removed and found again.
port=/sys/bus/pci/devices/0000:00:00.0
dev=/sys/bus/pci/devices/0000:01:00.0
driver=/sys/bus/pci/drivers/virtio-pci

sum() {
	until [ -b /dev/vda ]; do usleep 10000; done
	sha256sum </dev/vda
}
unbind() {
	echo 0000:01:00.0 >$driver/unbind
	while [ -b /dev/vda ]; do usleep 10000; done
}
# write OFFSET BYTE: to the port's configuration space
write() { printf "\\x$2" | dd of=$port/config bs=1 seek=$1 conv=notrunc 2>/dev/null; }
words() { od -An -tx4 -v -j$1 -N$2 $dev/config | tr -d ' \n'; }

sum
echo bus >$dev/reset_method || exit 1
echo 1 >$dev/reset || exit 2
sum

unbind
saved=$(words 16 8)
echo 1 >$dev/reset || exit 3
[ "$(words 16 8)" = "$saved" ] || exit 4 # Linux wrote back what it had saved
echo 0000:01:00.0 >$driver/bind || exit 5
sum

# Bridge Control, Secondary Bus Reset
unbind
write 62 40
echo "held: $(words 0 4)"
write 62 00
usleep 100000
echo "let go: $(words 0 4) bars $(words 16 8)"
echo 1 >$dev/remove
echo 1 >/sys/bus/pci/rescan
sum

for function in 0000:01:00.0 0000:00:00.0; do
	echo 1 >/sys/bus/pci/devices/$function/remove || exit 6
	[ ! -e /sys/bus/pci/devices/$function ] || exit 7
	echo 1 >/sys/bus/pci/rescan
	echo "found again: $(sum)"
done

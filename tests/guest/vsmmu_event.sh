#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: an e1000e on segment 0's root bus is made to fetch a descriptor at event.at, with event.broken by tables
# that lead nowhere; what the SMMU's driver says of that. Afterwards it is given back to its driver, and talks.
. /talk
ecam=0x40000000 smmu=0x9000000
net=/sys/class/net/eth0
function=$(basename "$(readlink $net/device)")
driver=/sys/bus/pci/drivers/$(basename "$(readlink $net/device/driver)")
dev=${function##*:}
config=$((ecam + (0x${dev%.*} << 15)))
# fetch ADDRESS: the first descriptor of its transmit queue, there, of an 82574
fetch() {
	for write in "0x3804 0" "0x3800 $1" "0x3808 128" "0x3810 0" "0x400 2" "0x3818 1"; do
		set -- $write
		devmem $((bar + $1)) 32 "$2"
	done
	usleep 100000
	devmem $((bar + 0x3818)) 32 0
	devmem $((bar + 0x400)) 32 0
	echo 1 >"/sys/bus/pci/devices/$function/reset"
	devmem $((config + 4)) 16 6
}
# quad ADDRESS: 64 bits of RAM, or of a register
quad() { devmem "$1" 64; }

echo "$function" >"$driver/unbind"
devmem $((config + 4)) 16 6
bar=$(($(devmem $((config + 0x10)) 32) & ~15))
# Its stream table has two levels, of 8 bits (STRTAB_BASE, L1STD, STE, CD: IHI 0070, 5.1 to 5.4)
sid=$((0x${dev%.*} << 3))
l1=$(($(quad $((smmu + 0x80))) & 0xffffffffffffc0))
l2=$(($(quad $l1) & 0xffffffffffffc0))
cd=$(($(quad $((l2 + sid * 64))) & 0xffffffffffffc0))
table=$(($(quad $((cd + 8))) & 0xffffffffff000))
root=$(quad $table)
[ -z "$(word event.broken)" ] || devmem $table 64 0
fetch "$(word event.at)"
devmem $table 64 "$root"
dmesg | grep -E 'arm-smmu-v3.*event: ' | sed 's/^\[[^]]*\] //'
echo "$function" >"$driver/bind"
until [ -e $net ]; do usleep 10000; done
talk eth0 && echo "it talks"

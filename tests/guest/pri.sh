#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the DMA endpoint behind an SMMUv3 asks for a page, which the SMMU's driver denies. Its interface is enabled
# here, behind the kernel's back: Linux 7.2 does it for no device of an SMMUv3's.
f=$(dirname "$(grep -l 0x002d /sys/bus/pci/devices/*/device)")
regs=$(sed -n "2s/ .*//p" "$f/resource")
slot=${f##*:}
ecam=$((0x40000000 + (0x${slot%.*} << 15)))
[ "$(devmem $((regs)) 32)" = 0x54414D44 ] || exit 1
# cap ID: where that extended capability is
cap() {
	at=0x100
	while [ $((at)) != 0 ] && [ $((at)) != 4095 ]; do
		word=$(devmem $((ecam + at)) 32)
		[ $((word & 0xffff)) != $(($1)) ] || break
		at=$((word >> 20))
	done
	echo $((ecam + at))
}
pri=$(cap 0x13)
grep -H . /proc/interrupts | grep -o 'arm-smmu-v3-[a-z]*' | sort -u
# ask SLOT GROUP FLAGS: a request to read a page; its state, outcome and response
ask() {
	slot=$((regs + 0x1000 + 0x80 * $1))
	devmem $slot 32 7
	devmem $((slot + 0x04)) 32 $((1 | $3))
	devmem $((slot + 0x08)) 64 0x123000
	devmem $((slot + 0x28)) 64 "$2"
	devmem $((slot + 0x38)) 32 1
	for i in $(seq 200); do
		status=$(($(devmem $((slot + 0x3c)) 32)))
		[ $((status & 15)) != 5 ] || break
		sleep 0.05
	done
	echo "asked: state $((status & 15)), outcome $((status >> 4 & 15)), code $(($(devmem $((slot + 0x50)) 64)))"
}
if grep -q pri.hold /proc/cmdline; then
	devmem $((pri + 12)) 32 32
	devmem $((pri + 4)) 16 1
	echo "PRI is enabled"
	exec sleep 3600
fi
for i in 1 2 3; do
	devmem $((pri + 12)) 32 32
	devmem $((pri + 4)) 16 1
	ask 0 5 0x000
	ask 1 5 0x100
	echo "interface: control $(devmem $((pri + 4)) 16), status $(devmem $((pri + 6)) 16)"
done
dmesg | grep -A 1 'unexpected PRI request' | sed 's/^\[[^]]*\] /log: /'
dmesg | grep -iE 'smmu.*(err|fail|abort|overflow|broken)' | sed 's/^/error: /'

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the DMA endpoint under the kernel's driver and the kernel's own test of it, which is in /kselftest; then
# its own registers (docs/dma-test.md). RAM from 0x8c00_0000 on is not the kernel's (mem=), but for the initrd at its end.
free=0x8c000000
end=0x90000000

f=$(dirname "$(grep -l 0x002d /sys/bus/pci/devices/*/device)")
[ "$(basename "$(readlink "$f/driver")")" = pci-endpoint-test ] || exit 1
[ ! -e "$f/iommu_group" ] || echo "endpoint: behind an IOMMU"

if [ -e /kselftest/pci_endpoint_test ]; then
	/kselftest/pci_endpoint_test
	echo "kselftest: $?"
fi

bar() { sed -n "$(($1 + 1))s/ .*//p" "$f/resource"; }
regs=$(bar 1)
get() { devmem $((regs + $1)) "$2"; }
put() { devmem $((regs + $1)) "$2" "$3"; }
[ "$(get 0 32)" = 0x54414D44 ] || exit 2

# slot N OP IOVA LENGTH ARG0 FLAGS [IOVA2]: starts it
slot() {
	at=$((0x1000 + 0x80 * $1))
	put $at 32 "$2"
	put $((at + 0x04)) 32 "$6"
	put $((at + 0x08)) 64 "$3"
	put $((at + 0x10)) 64 "${7:-0}"
	put $((at + 0x18)) 64 "$4"
	put $((at + 0x28)) 64 "$5"
	put $((at + 0x38)) 32 1
}
# outcome N: waits for its end: "done", "fault IOVA", "refused" or "aborted", and the bytes
outcome() {
	at=$((0x1000 + 0x80 * $1))
	for i in $(seq 200); do
		status=$(($(get $((at + 0x3c)) 32)))
		[ $((status & 15)) != 5 ] || break
		sleep 0.05
	done
	case $((status >> 4 & 15)) in
	0) echo "done $(($(get $((at + 0x40)) 64)))" ;;
	1) printf 'fault %#x after %d\n' $(($(get $((at + 0x48)) 64))) $(($(get $((at + 0x40)) 64))) ;;
	2) echo refused ;;
	3) echo aborted ;;
	esac
}

if [ -e "$f/iommu_group" ]; then
	slot 0 8 0x1000 4096 0 0
	echo "not mapped: $(outcome 0)"
else
	slot 0 3 $free 30000001 0 0
	slot 1 3 $((free + 0x2000000)) 10000000 7 0
	echo "fill: $(outcome 0), $(outcome 1)"
	echo "pattern: $(devmem $free 64) $(devmem $((free + 0x2000000)) 64)"
	slot 2 4 $free 30000001 0 0 $((free + 0x200000))
	echo "overlapping copy: $(outcome 2)"
	slot 3 1 $free 8 4092 0
	echo "read: $(outcome 3), buffer $(get 0x2000 32) $(get 0x2ffc 32)"
	slot 4 8 $((end - 0x11000)) 0x13000 0 0
	echo "beyond RAM: $(outcome 4)"
	slot 5 6 $free 4096 0 1
	echo "translate: $(outcome 5)"
fi

# Without its driver it is no bus master.
echo "${f##*/}" >/sys/bus/pci/drivers/pci-endpoint-test/unbind
slot 6 8 $free 4096 0 0
echo "not a master: $(outcome 6)"

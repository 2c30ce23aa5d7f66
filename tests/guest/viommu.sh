#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: a disk and a network behind IOMMUs, by what viommu.* on the kernel's command line say: random
# data over both at once, every byte compared; with viommu.rounds=N their drivers come and go under load.
word() { sed -n "s/.*\bviommu\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
rounds=$(word rounds)
host=10.9.$(word subnet)

for group in /sys/kernel/iommu_groups/*; do
	[ -d "$group" ] || continue
	echo "group: $(cat "$group/type") $(ls "$group/devices" | tr '\n' ' ')"
done

up() {
	ip addr add $host.2/24 dev eth0 2>/dev/null
	ip link set eth0 up || exit 2
}
up
traffic run tcp:$host.1:5001 16 "$(word bytes)" "$(word seed)" >/tmp/net 2>&1 &
net=$!
for block in /sys/block/vd*; do
	[ "$(cat "$block/serial")" != data ] || disk=/dev/${block##*/}
done
sh /disk "$disk" || exit 3
wait $net || { cat /tmp/net; exit 4; }
cat /tmp/net

# rebind DEVICE DRIVER: of /sys/bus/virtio; what was under way ends as it may
rebind() {
	echo "$1" >"/sys/bus/virtio/drivers/$2/unbind" || exit 5
	echo "$1" >"/sys/bus/virtio/drivers/$2/bind" || exit 6
}
if [ "${rounds:-0}" -gt 0 ]; then
	name=$(basename "$(readlink "/sys/block/${disk#/dev/}/device")")
	card=$(basename "$(readlink /sys/class/net/eth0/device)")
	for round in $(seq "$rounds"); do
		dd if="$disk" of=/dev/null bs=64k iflag=direct 2>/dev/null &
		traffic run tcp:$host.1:5001 4 100000000 1 both plain >/dev/null 2>&1 &
		rebind "$name" virtio_blk
		rebind "$card" virtio_net
		killall -9 traffic dd 2>/dev/null
		wait
		up
	done
	traffic run tcp:$host.1:5001 4 100000 2 || exit 7
	echo "rounds: $rounds, disk $(dd if="$disk" bs=64k iflag=direct 2>/dev/null | sha256sum | cut -d' ' -f1)"
fi
grep arm-smmu-v3 /proc/interrupts | sed 's/^/irq: /'
dmesg | grep -E 'fault from EP|arm-smmu-v3 .*(event 0x|CMDQ error|timeout|aborted|lost|not be reported)' >/tmp/faults
head -n 8 /tmp/faults
echo "faults: $(wc -l </tmp/faults)"
echo "it may be counted"
read -r line

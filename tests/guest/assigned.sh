#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: each network card that has a driver gets a lease, and what is sent to the echo comes back as it was, so
# many KiB at a time (nic.kib, 256) and so many times (nic.rounds, 1); what is written to an NVMe disk is what is read.
word() { sed -n "s/.*\b$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
kib=$(word nic.kib) rounds=$(word nic.rounds)
cat >/tmp/lease <<'END'
#!/bin/sh
[ "$1" != bound ] || echo "$ip" >/tmp/address-$interface
END
chmod +x /tmp/lease
head -c $((${kib:-256} << 10)) /dev/urandom >/tmp/sent

# talk CARD: one lease, and there and back
talk() {
	ip link set "$1" up
	udhcpc -i "$1" -n -q -t 30 -T 1 -s /tmp/lease >/dev/null 2>&1 || { echo "$1: no lease"; return 1; }
	ip addr add "$(cat "/tmp/address-$1")/24" dev "$1"
	for round in $(seq "${rounds:-1}"); do
		nc -w 60 10.0.2.100 7 </tmp/sent >/tmp/back
		cmp /tmp/sent /tmp/back || { echo "$1: $(wc -c </tmp/back) bytes came back"; return 1; }
	done
	ip addr flush dev "$1"
	ip link set "$1" down
}

disk() {
	size=$(($(cat /sys/block/nvme0n1/size) * 512))
	head -c $((size / 4)) /dev/urandom >/tmp/data
	for part in 0 1 2 3; do
		dd if=/tmp/data of=/dev/nvme0n1 bs=64k count=16 skip=$((part * 16)) seek=$((part * size / 4 / 65536 + part)) \
			oflag=direct conv=notrunc 2>/dev/null &
	done
	wait
	for part in 0 1 2 3; do
		dd if=/dev/nvme0n1 bs=64k count=16 skip=$((part * size / 4 / 65536 + part)) iflag=direct 2>/dev/null
	done | cmp -n $((64 * 65536)) - /tmp/data
}

n=0
for net in /sys/class/net/eth*; do
	[ -e "$net" ] || continue
	name=${net##*/}
	talk "$name" || exit 1
	driver=$(readlink "$net/device/driver") || driver=$(readlink "$net/device/../driver")
	echo "$name: ${driver##*/}: what was sent came back"
	n=$((n + 1))
done
echo "cards: $n"
[ ! -e /dev/nvme0n1 ] || { disk && echo "nvme: what was written is read" || exit 1; }
awk '/eth|nvme|virtio/ && !/Edge|MSI/ { print "by wire: " $0 }' /proc/interrupts

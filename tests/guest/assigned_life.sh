#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: each network card, so many times (life.rounds): while data flows it is taken from its driver and given
# back, reset, and, while data flows by the other one, its BARs are elsewhere; afterwards it talks as before. In round life.types its IOMMU
# does not translate for a while, and is told of unmapping late, and at once; with life.off its SMMU is off for a while in each round.
# With kexec.rounds, then another kernel (kexec.kernel bytes
# of /dev/vda, its initrd at 64 MiB: kexec.initrd bytes) finds it and does the same.
. /talk
ecam=0x40000000

# register BUS:DEV.FN OFFSET: where it is in segment 0's ECAM
register() {
	dev=${1#*:}
	printf '0x%x' $((ecam + (0x${1%%:*} << 20) + (0x${dev%.*} << 15) + $2))
}

# flows CARD: what its echo can hold, over and over, until `still`
flow=
flows() {
	still
	ip link set "$1" up
	ip addr add 10.0.2.15/24 dev "$1" 2>/dev/null
	before=$(cat "/sys/class/net/$1/statistics/tx_packets")
	while :; do nc -w 5 10.0.2.100 7 </tmp/sent >/dev/null 2>&1 || usleep 10000; done &
	flow=$!
	until [ "$(cat "/sys/class/net/$1/statistics/tx_packets")" -gt $((before + 20)) ]; do usleep 10000; done
}
still() {
	[ -z "$flow" ] || kill "$flow"
	flow=
	killall -q nc
}
# beside CARD COMMAND...: while data flows by another card, if there is one
beside() {
	this=$1 other=
	shift
	for net in /sys/class/net/eth*; do [ "$net" = "/sys/class/net/$this" ] || [ ! -e "$net" ] || other=${net##*/}; done
	[ -n "$other" ] || { "$@"; return; }
	flows "$other"
	"$@" || return
	sent=$(cat "/sys/class/net/$other/statistics/tx_packets")
	until [ "$(cat "/sys/class/net/$other/statistics/tx_packets")" -gt $((sent + 20)) ]; do usleep 10000; done # or it never ends
	quiet "$other"
}
quiet() { still; ip addr flush dev "$1"; ip link set "$1" down; }

# elsewhere FUNCTION: BAR 0 answers where it is put, and where it was again: the card's address is at 0x5400
elsewhere() {
	command=$(register "$1" 4) bar=$(register "$1" 0x10)
	old=$(devmem "$bar" 32)
	devmem "$command" 16 2
	was=$(devmem "$(((old & ~15) + 0x5400))" 32)
	new=$(((old & ~15) + 0x8000000))
	for at in $new $((old & ~15)); do
		devmem "$command" 16 0
		devmem "$bar" 32 "$at"
		devmem "$command" 16 2
		is=$(devmem "$((at + 0x5400))" 32)
		[ "$is" = "$was" ] || { echo "$1: BAR 0 at $at: $is, not $was"; return 1; }
	done
}

# off FUNCTION: its SMMU is off and on again, and aborts what comes meanwhile (IHI 0070, 6.3: SMMU_CR0, CR0ACK, GBPA)
off() {
	smmu=$(basename "$(readlink "/sys/bus/pci/devices/$1/iommu")")
	smmu=${smmu#smmu3.}
	cr0=$(devmem $((smmu + 0x20)) 32) gbpa=$(devmem $((smmu + 0x44)) 32)
	update $((gbpa | 1 << 20))
	for value in $((cr0 & ~1)) $((cr0)); do
		devmem $((smmu + 0x20)) 32 "$value"
		until [ $(($(devmem $((smmu + 0x24)) 32))) = "$value" ]; do :; done
	done
	update $((gbpa))
}
# update GBPA: of $smmu
update() {
	devmem $((smmu + 0x44)) 32 $(($1 | 1 << 31))
	until [ $(($(devmem $((smmu + 0x44)) 32))) = "$1" ]; do :; done
}

# types CARD FUNCTION DRIVER: another domain for its group, while data flows by it until it is taken away
types() {
	group=$(readlink -f "/sys/bus/pci/devices/$2/iommu_group")
	for type in identity DMA-FQ DMA; do
		flows "$1"
		echo "$2" >"$3/unbind" || return
		echo $type >"$group/type" || return
		[ "$(cat "$group/type")" = $type ] || return
		echo "$2" >"$3/bind" || return
		until [ -e "/sys/class/net/$1" ]; do usleep 10000; done
		still
		talk "$1" || return
	done
	echo "types: $1"
}

for round in $(seq "$(word life.rounds)"); do
	for net in /sys/class/net/eth*; do
		card=${net##*/}
		function=$(basename "$(readlink "$net/device")")
		driver=/sys/bus/pci/drivers/$(basename "$(readlink "$net/device/driver")")
		[ -e "$driver/unbind" ] || continue
		flows "$card"
		[ -z "$(word life.off)" ] || off "$function"
		echo "$function" >"$driver/unbind" || exit 2
		still
		beside "$card" elsewhere "${function#*:}" || exit 3
		echo 1 >"/sys/bus/pci/devices/$function/reset" || exit 4
		echo "$function" >"$driver/bind" || exit 5
		until [ -e "/sys/class/net/$card" ]; do usleep 10000; done
		flows "$card"
		echo 1 >"/sys/bus/pci/devices/$function/reset" || exit 6
		quiet "$card"
		echo "$function" >"$driver/unbind" || exit 7
		echo "$function" >"$driver/bind" || exit 8
		until [ -e "/sys/class/net/$card" ]; do usleep 10000; done
		talk "$card" || exit 9
		[ "$round" != "$(word life.types)" ] || types "$card" "$function" "$driver" || exit 12
	done
	[ $((round % 10)) != 0 ] || echo "rounds: $round"
done
[ -z "$(word life.off)" ] || echo "was off: $round"
echo "lives: $round"
# The igb's driver goes on reading registers of a card that is being reset under it, every two seconds, and warns of all ones.
dmesg | awk '/WARNING/ { meant = / at igb_rd32\+/ } /Hardware Error|NETDEV WATCHDOG/ || (/WARNING|Call trace/ && !meant)' |
	sed 's/^\[[^]]*\] /complaint: /'
rounds=$(word kexec.rounds)
[ "${rounds:-0}" -gt 0 ] || exit 0
echo "another kernel"
head -c "$(word kexec.kernel)" /dev/vda >/tmp/kernel || exit 10
dd if=/dev/vda bs=1M skip=64 2>/dev/null | head -c "$(word kexec.initrd)" >/tmp/initrd || exit 11
kexec /tmp/kernel /tmp/initrd "$(sed "s/kexec.rounds=$rounds/kexec.rounds=$((rounds - 1))/" /proc/cmdline)"

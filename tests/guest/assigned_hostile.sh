#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: while data flows by its cards, every pattern is written to the configuration space and the vectors of each
# function, with resets in between (hostile.rounds; hostile.seed). Then each is found anew, and works as before.
. /talk
functions() { for f in /sys/bus/pci/devices/*; do case $(cat "$f/class") in 0x06*) ;; *) echo "$f" ;; esac; done; }
byte() { dd if="$1/config" bs=1 skip="$2" count=1 2>/dev/null | od -An -tu1 | tr -d ' '; }

# vectors FUNCTION: where its table is, if it has one
vectors() {
	at=$(byte "$1" 52)
	while [ "${at:-0}" -ge 64 ] && [ "$(byte "$1" "$at")" != 17 ]; do at=$(byte "$1" $((at + 1))); done
	[ "${at:-0}" -ge 64 ] || return
	low=$(byte "$1" $((at + 4)))
	base=$(sed -n "$(((low & 7) + 1))s/ .*//p" "$1/resource")
	printf '0x%x' $((base + (low & 0xf8) + ($(byte "$1" $((at + 5))) << 8) + ($(byte "$1" $((at + 6))) << 16)))
}

# Whatever becomes an address is not RAM's.
vectors_written() {
	table=$(vectors "$1")
	[ -n "$table" ] || return
	for pattern in 0xffffffff 0 0x55555555 0x08000040; do
		for at in 0 4 8 12 16 20 24 28 32 36 40 44; do devmem $((table + at)) 32 $pattern; done
	done
}

# fill FUNCTION OCTAL SIZE: all of its configuration space
fill() { head -c 4096 /dev/zero | tr '\0' "\\$2" | dd of="$1/config" bs="$3" 2>/dev/null; }
chance() {
	awk -v seed="$2" 'BEGIN { srand(seed); for (i = 0; i < 4096; i++) printf "\\%03o", int(rand() * 256) }' >/tmp/octal
	printf "$(cat /tmp/octal)" | dd of="$1/config" bs=4096 2>/dev/null
}

for f in $(functions); do cat "$f/config" >"/tmp/config-${f##*/}"; done
head -c 4000000 /dev/urandom >/tmp/flood
n=15
for net in /sys/class/net/eth*; do
	ip link set "${net##*/}" up
	ip addr add 10.0.2.$n/24 dev "${net##*/}"
	n=$((n + 1))
done
while :; do nc -w 2 10.0.2.100 7 </tmp/flood >/dev/null 2>&1; done &
flow=$!
until [ "$(cat /sys/class/net/eth0/statistics/tx_packets)" -gt 50 ]; do usleep 10000; done
seed=$(word hostile.seed)
echo "seed $seed"
for round in $(seq "$(word hostile.rounds)"); do
	for f in $(functions); do vectors_written "$f"; done
	for f in $(functions); do
		for pattern in 377 000 125 252 001 002 004 010 020 040 100 200; do fill "$f" $pattern 4096; done
		for pattern in 377 000; do fill "$f" $pattern 1; done
		[ ! -e "$f/reset" ] || echo 1 >"$f/reset"
		chance "$f" $((seed + round))
		[ ! -e "$f/reset" ] || echo 1 >"$f/reset"
		fill "$f" 000 2
	done
	# Linux waits for ever for the reset of a virtio device that has no BARs
	for f in $(functions); do dd if="/tmp/config-${f##*/}" of="$f/config" bs=4096; done
	echo "round $round"
done 2>/dev/null
kill $flow
killall -q nc
for f in $(functions); do echo 1 >"$f/remove"; done
echo 1 >/sys/bus/pci/rescan
for net in /sys/class/net/eth*; do talk "${net##*/}" && echo "${net##*/}: talks again"; done
if [ -e /sys/class/nvme/nvme0 ]; then [ "$(dd if=/dev/nvme0n1 bs=4096 count=64 iflag=direct 2>/dev/null | wc -c)" = 262144 ] && echo "nvme: it is read"; fi
exit 0

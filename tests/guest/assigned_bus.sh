#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: while data flows by the card behind the port, its bus is reset: by hand (Bridge Control), then as Linux does
# it (reset_method), bus.rounds times. Each time it is found as out of reset, and works as before.
. /talk
port=/sys/bus/pci/devices/0000:00:00.0
card=/sys/bus/pci/devices/0000:01:00.0
driver=$(readlink -f $card/driver)

# write OFFSET BYTE: to the port's configuration space; words OFFSET LEN: of the card's
write() { printf "\\x$2" | dd of=$port/config bs=1 seek="$1" conv=notrunc 2>/dev/null; }
words() { od -An -tx4 -v -j"$1" -N"$2" $card/config | tr -d ' \n'; }
flows() {
	ip link set eth0 up
	ip addr add 10.0.2.15/24 dev eth0
	before=$(cat /sys/class/net/eth0/statistics/tx_packets)
	nc -w 5 10.0.2.100 7 </tmp/flood >/dev/null 2>&1 &
	until [ "$(cat /sys/class/net/eth0/statistics/tx_packets)" -gt $((before + 20)) ]; do usleep 10000; done
}
talks_again() {
	killall -q nc
	ip addr flush dev eth0
	ip link set eth0 down
	talk eth0
}

head -c 4000000 /dev/urandom >/tmp/flood
id=$(words 0 4)
for round in $(seq "$(word bus.rounds)"); do
	cat $card/config >/tmp/config
	flows
	write 62 40
	[ "$(words 0 4)" = ffffffff ] || { echo "it answers in reset"; exit 1; }
	write 62 00
	until [ "$(words 0 4)" = "$id" ]; do usleep 10000; done
	[ "$(words 4 2)" = 00000000 ] || { echo "its command is $(words 4 2)"; exit 2; }
	dd if=/tmp/config of=$card/config bs=4096 2>/dev/null
	basename $card >"$driver/unbind"
	basename $card >"$driver/bind"
	until [ -e /sys/class/net/eth0 ]; do usleep 10000; done
	talks_again || exit 3

	flows
	echo bus >$card/reset_method || exit 4
	echo 1 >$card/reset || exit 5
	talks_again || exit 6
done
echo "buses were reset: $round"
dmesg | grep -E 'WARNING|Call trace|Hardware Error' | sed 's/^\[[^]]*\] /complaint: /'

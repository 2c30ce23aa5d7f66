#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# virtio-net on tap interfaces: data both ways, queues, addresses, an interface that goes.
. "$SHARE/tests/host/lib.sh"
SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "net: SEED=$SEED"
BYTES=2684360 # a hundredth of 256 MiB
[ -z "${SOAK:-}" ] || BYTES=268436000

cp "$SHARE/traffic" "$SHARE/tap" "$WORK"
"$WORK/traffic" serve tcp:5001 2>/dev/null &
server=$!

# tap N [multi_queue]: tapN, with 10.9.N.1
tap() {
	"$WORK/tap" "tap$1" $2 && ip addr add "10.9.$1.1/24" dev "tap$1" && ip link set "tap$1" up
}

# traffic SUBNET WORDS ARG...: a guest with eth0 in that subnet, and 16 streams each way
traffic() {
	subnet=$1 words=$2
	shift 2
	run 0 -k "$IMAGE" -i "$SHARE/initrd-net" -m 512 \
		-p "console=ttyS0 quiet net.subnet=$subnet net.streams=16 net.bytes=$BYTES net.seed=$SEED $words" "$@" &&
		said "up $((BYTES / 16 / 8 * 8 * 16)) bytes" && said "down $((BYTES / 16 / 8 * 8 * 16)) bytes"
}

one() {
	traffic 0 net.driver=1 -n tap=tap0 -c 2 && said "queues: 1" && said "mtu: 1500" || return 1
	mac=$(grep -a -m 1 ^mac: "$OUT")
	WHY="$mac is not locally administered"
	[ "${mac#mac: 02:}" != "$mac" ]
}
tap 0
case_of "net: tap: random data both ways over 32 streams; interface and driver come and go" one

again() {
	before=$mac
	traffic 0 "" -n tap=tap0 --virtio-transport mmio || return 1
	WHY="another address: $(grep -a -m 1 ^mac: "$OUT") after $before"
	said "$before"
}
long_case "net: tap: the same over MMIO, and the guest's address is the same" again


several() { traffic 1 "" -n tap=tap1,queues=4 -c 4 && said "queues: 4"; }
tap 1 multi_queue
case_of "net: tap: four queue pairs" several
single() { traffic 1 "" -n tap=tap1 && said "queues: 1"; }
long_case "net: tap: one pair of a tap that could have several" single

jumbo() { traffic 0 "" -n mode=tap,tapif=tap0,guest_mac=52:54:00:12:34:56 && said "mtu: 9000"; }
ip link set tap0 mtu 9000
case_of "net: tap: the interface's MTU is the guest's" jumbo
ip link set tap0 mtu 1500
case_of "net: tap: lkvm's words, an address of one's own, of the same guest" said "mac: 52:54:00:12:34:56"

case_of "net: several queues of a tap that has one: exit 2, one line" run 2 -k "$IMAGE" -n tap=tap0,queues=2
not_tap() { run 2 -k "$IMAGE" -n tap=lo && said "--network tap=lo: Invalid argument: expected a tap interface"; }
case_of "net: an interface that is no tap: exit 2, one line" not_tap

# A tap that another guest has, and then one that goes.
gone() {
	"$NESTOR" run --timeout 180 -k "$IMAGE" -i "$SHARE/initrd-link" -n tap=tap0 -p "console=ttyS0 quiet" >"$WORK/first" 2>&1 </dev/null &
	pid=$!
	until grep -q "the link is up" "$WORK/first" || ! kill -0 $pid 2>/dev/null; do usleep 20000; done
	run 2 -k "$IMAGE" -n tap=tap0 && said "expected a tap interface that nothing else has open"
	busy=$?
	ip link del tap0
	wait $pid
	got=$?
	cp "$WORK/first" "$OUT"
	[ $busy = 0 ] || return 1
	WHY="exit code $got"
	[ $got = 0 ] && said "nestor: --network tap=tap0: " && said "the guest's link is down"
}
case_of "net: a tap in use is refused; one that is deleted takes the link down, and the guest goes on" gone

kill $server
wait $server 2>/dev/null # its port is free for the next
ip link del tap1

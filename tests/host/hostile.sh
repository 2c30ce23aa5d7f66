#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Bare-metal guests that misbehave on purpose, under the program as it is and under one with ASan and UBSan, whose every
# report is a failure.
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"
with_helpers

RACES=100
[ -z "${SOAK:-}" ] || RACES=1000

refuses_long_requests() {
	with_disk hostile too-long || return
	WHY="the disk is now of $(wc -c <"$DISK") bytes"
	[ "$(wc -c <"$DISK")" = 1048576 ]
}

# behind_ports TEST ARG...: a guest with two root ports, and a disk behind each
behind_ports() {
	fresh_disk
	guest port "$@" --root-port a --root-port b -d "$DISK,bus=a" -d "$DISK,ro,bus=b"
}

fuzzes_port() {
	fresh_disk
	guest fuzz "$@" --root-port a -d "$DISK,bus=a"
}

# on_tap NAME TEST ARG...: a guest with a network
on_tap() { guest "$@" -n tap=hostile; }
"$SHARE/tap" hostile && ip link set hostile up

# fed NAME TEST ARG...: a guest whose console is a virtio device, with input without end
fed() {
	bin=$GUESTS/$1.bin params=$2
	shift 2
	yes | "$NESTOR" run --timeout 180 -k "$bin" -p "$params" --console virtio "$@" >"$OUT" 2>&1
	got=$?
	WHY="exit code $got"
	[ $got = 0 ] && said "the console works"
}

# quiet NAME TEST ARG...: Nestor has no remark about a guest's mistakes
quiet() {
	guest "$@" || return
	WHY=$(grep -a nestor: "$OUT")
	[ -z "$WHY" ]
}

# a device of each kind, on PCI or MMIO: others LABEL TRANSPORT
others() {
	label="$1: $2"
	on="--virtio-transport $2"
	case_of "$label: console: malformed buffers break their queue, and a reset mends it" fed others console-buffers $on
	case_of "$label: console: rings outside memory, and resets under way" fed others console-rings $on
	case_of "$label: entropy: malformed buffers break their queue, and a reset mends it" guest others rng-buffers --rng $on
	case_of "$label: entropy: rings outside memory, and resets under way" guest others rng-rings --rng $on
	if [ -c /dev/vhost-vsock ]; then
		case_of "$label: vsock: malformed buffers break their queue, and a reset mends it" quiet others vsock-buffers --vsock 78 $on
		case_of "$label: vsock: rings outside memory, and resets under way" quiet others vsock-rings --vsock 78 $on
		[ "$2" = mmio ] ||
			case_of "$label: vsock: no request is served without Bus Master Enable, and none is lost" quiet others vsock-master --vsock 78
		case_of "$label: vsock: one data queue alone, and a reset mends it" quiet others vsock-half --vsock 78 $on
	else
		skip "$label: vsock" "this host has no vhost-vsock"
	fi
	if command -v virtiofsd >/dev/null || [ -e /usr/libexec/virtiofsd ]; then
		case_of "$label: fs: malformed buffers do no harm, but to virtiofsd" guest others fs-buffers --fs "$WORK/dir,tag=x" $on
		[ "$2" = mmio ] ||
			case_of "$label: fs: no request is served without Bus Master Enable, and none is lost" quiet others fs-master --fs "$WORK/dir,tag=x"
		case_of "$label: fs: rings outside memory need a reset, and a reset mends it" quiet others fs-rings --fs "$WORK/dir,tag=x" $on
	else
		skip "$label: fs" "virtiofsd is not installed"
	fi
}
mkdir -p "$WORK/dir"

# over_mmio LABEL: what a disk and a network do wrong does not depend on where they are
over_mmio() {
	label="$1: mmio"
	on="--virtio-transport mmio"
	case_of "$label: a malformed request breaks the queue or fails, and a reset mends it" with_disk hostile requests $on
	case_of "$label: rings outside memory break the queue, and a reset mends it" with_disk hostile rings $on
	case_of "$label: the write that resets lasts as long as requests are in flight" with_disk hostile in-flight $on
	case_of "$label: a queue is reset with requests in flight, alone" with_disk hostile queue-reset $on
	case_of "$label: descriptors that change while they are read do no harm" with_disk hostile "race count=$RACES" -c 2 $on
	case_of "$label: net: malformed buffers break their queue, and a reset mends it" on_tap queues net-buffers $on
	case_of "$label: net: rings outside memory break the queue, and a reset mends it" on_tap queues net-rings $on
	case_of "$label: net: resets with buffers held" on_tap queues net-resets $on
}

# alone LABEL: what sanitizers see as well or better
alone() {
	label=$1
	case_of "$label: a malformed request breaks the queue or fails, and a reset mends it" with_disk hostile requests
	case_of "$label: requests of 4 GiB and more fail, and the disk stays as long as it is" refuses_long_requests
	case_of "$label: rings outside memory break the queue, and a reset mends it" with_disk hostile rings
	case_of "$label: a queue is not set up wrongly, nor while it runs" with_disk hostile set-up
	case_of "$label: a reset waits for requests in flight" with_disk hostile in-flight
	case_of "$label: a queue is reset with requests in flight, alone" with_disk hostile queue-reset
	case_of "$label: a BAR outside its window is decoded nowhere" with_disk bars misplaced
	case_of "$label: a BAR reaches to the window's edges" with_disk bars edges
	case_of "$label: BARs that overlap recover" with_disk bars overlaps -d "$DISK",ro
	case_of "$label: BARs follow memory decoding" with_disk bars toggled
	case_of "$label: the window into BAR 0 takes any value" with_disk bars window
	case_of "$label: root ports: bus numbers that are none, equal or out of order" behind_ports numbers
	case_of "$label: root ports: windows anywhere, and over one another" behind_ports windows
	case_of "$label: root ports: resets of the bus and of the link with requests in flight" behind_ports resets
	case_of "$label: root ports: no request without the port's Bus Master Enable" behind_ports master
	case_of "$label: MSI-X messages to anywhere do no harm" with_disk bars messages
	case_of "$label: the clock, the GPIO and pvpanic take any access" guest onboard hostile
	case_of "$label: net: malformed buffers break their queue, and a reset mends it" on_tap queues net-buffers
	case_of "$label: net: frames whose headers make no sense are lost" on_tap queues net-headers
	case_of "$label: net: each command has its answer" on_tap queues net-commands
	case_of "$label: net: rings outside memory break the queue, and a reset mends it" on_tap queues net-rings
	case_of "$label: net: resets with buffers held" on_tap queues net-resets
	others "$1" pci
}

# hostile LABEL COUNT SEED...: what goes by chance; COUNT random accesses from each seed. Without sanitizers in the soak only
hostile() {
	label=$1 count=$2
	case_of "$label: descriptors that change while they are read do no harm" with_disk hostile "race count=$RACES" -c 2
	case_of "$label: net: descriptors that change while they are read do no harm" on_tap queues "net-race count=$RACES" -c 2
	case_of "$label: root ports: a CPU resets the bus while another uses it" behind_ports race -c 2
	shift 2
	for seed; do
		case_of "$label: random accesses do no harm, seed $seed" \
			with_disk fuzz "fuzz seed=$seed count=$count cpus=$((1 + seed % 2))" -c 2 --timeout 600
		case_of "$label: random accesses behind a root port do no harm, seed $seed" \
			fuzzes_port "fuzz seed=$seed count=$count cpus=$((1 + seed % 2))" -c 2 --timeout 600
	done
}
others bare mmio
over_mmio bare
if [ -n "${SOAK:-}" ]; then
	alone bare
	hostile bare 200000 1 2 3 4 5 6
fi

# The program with sanitizers, from memory: over 9p its libraries would take seconds each time.
cp -r "$SHARE/asan" "$WORK"
NESTOR=$WORK/asan/run
export ASAN_OPTIONS=exitcode=99:detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
alone sanitizers
if [ -n "${SOAK:-}" ]; then
	others sanitizers mmio
	over_mmio sanitizers
	hostile sanitizers 100000 3 4
else
	hostile sanitizers 2000 3
fi
ip link del hostile

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# passt beside a guest: a lease, data both ways, and its end whichever way Nestor's or its own comes.
. "$SHARE/tests/host/lib.sh"
with_helpers
command -v passt >/dev/null || { skip "passt" "it is not installed"; exit 0; }
cp "$SHARE/traffic" "$WORK"
SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "passt: SEED=$SEED"
BYTES=2684360 # a hundredth of 256 MiB
[ -z "${SOAK:-}" ] || BYTES=268436000

# helpers: the processes of passt and its guardian
helpers() { ps -o pid,comm | awk '$2 ~ /^(passt|ld-linux|nestor-helper)/ { print $1 }'; }
gone() {
	i=0
	WHY="a helper is still there after 10 s"
	while [ -n "$(helpers)" ]; do
		[ $((i += 1)) -lt 500 ] || return 1
		usleep 20000
	done
}

# start CUE ARG...: a guest in the background, as $pid, until it has said that
start() {
	cue=$1
	shift
	: >"$OUT" # the one before's is not this one's
	"$NESTOR" run --timeout 180 "$@" -n passt >"$OUT" 2>&1 </dev/null &
	pid=$!
	until grep -q "$cue" "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 20000; done
	WHY="no helper runs"
	[ -n "$(helpers)" ]
}
# ended STATUS: with that exit code, and no helper stays
ended() {
	wait $pid
	got=$?
	WHY="exit code $got, expected $1"
	[ $got = "$1" ] && gone
}

streams() {
	run 0 -k "$IMAGE" -i "$SHARE/initrd-passt" -c 2 -m 512 -n passt \
		-p "console=ttyS0 quiet net.streams=16 net.bytes=$BYTES net.seed=$SEED"
}
lease() {
	"$WORK/traffic" serve tcp:5001 2>"$WORK/server" &
	server=$!
	until grep -q ":1389 .* 0A " /proc/net/tcp || ! kill -0 $server; do usleep 20000; done # port 5001 listens
	streams
	got=$?
	if grep -q "passt ended with exit code 139" "$OUT"; then # a crash of its own, seen now and then: not what is tested
		echo "passt: it crashed; once more"
		streams
		got=$?
	fi
	kill $server || WHY="$WHY; the server: $(cat "$WORK/server")"
	wait $server 2>/dev/null # its port is free for the next
	[ $got = 0 ] && said "lease: " && said ", mtu 1500" && said "up $((BYTES / 16 / 8 * 8 * 16)) bytes" &&
		said "down $((BYTES / 16 / 8 * 8 * 16)) bytes" && gone
}
case_of "passt: a lease by DHCP, random data both ways over 32 streams" lease

by_signal() {
	start "tick 1" -k "$SHARE/guests/uart.bin" -p ticks || return 1
	kill -$1 $pid
	ended $2
}
case_of "passt: it ends with Nestor: SIGHUP" by_signal HUP 129
case_of "passt: it ends with Nestor: SIGTERM" by_signal TERM 143
case_of "passt: it ends with Nestor: SIGKILL" by_signal KILL 137

dies() {
	start "the link is up" -k "$IMAGE" -i "$SHARE/initrd-link" -p "console=ttyS0 quiet" || return 1
	kill -9 $(helpers | tail -n 1)
	ended 0 && said "the link is down" &&
		said "nestor: --network passt: passt ended with exit code 137" && said ": the guest's link is down"
}
case_of "passt: its death takes the link down, and the guest goes on" dies

# Someone who cannot start: a host where it finds no program of its own to be.
refuses() {
	mkdir -p "$WORK/bad"
	printf '#!/bin/sh\necho "not today" >&2\nexit 4\n' >"$WORK/bad/passt"
	chmod +x "$WORK/bad/passt"
	PATH="$WORK/bad:$PATH" run 3 -k "$IMAGE" -n passt && said "--network passt: passt ended with exit code 4: not today" && gone
}
case_of "passt: one that ends at once is an error: exit 3" refuses

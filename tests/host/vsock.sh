#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# virtio-vsock over the host's vhost: streams that either side begins, and context IDs.
. "$SHARE/tests/host/lib.sh"
[ -c /dev/vhost-vsock ] || { skip "vsock" "this host has no vhost-vsock"; exit 0; }
SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "vsock: SEED=$SEED"
BYTES=2684360 # a hundredth of 256 MiB
[ -z "${SOAK:-}" ] || BYTES=268436000
cp "$SHARE/traffic" "$WORK"
"$WORK/traffic" serve vsock:5001 2>/dev/null &
server=$!

# both ARG...: a guest sends and receives, then the host does; meanwhile nobody else has its context ID
both() {
	: >"$OUT" # the one before's is not this one's
	"$NESTOR" run --timeout 180 -k "$IMAGE" -i "$SHARE/initrd-vsock" --vsock 77 -c 2 -m 512 "$@" \
		-p "console=ttyS0 quiet net.streams=16 net.bytes=$BYTES net.seed=$SEED net.port=5003" >"$OUT" 2>&1 </dev/null &
	pid=$!
	until grep -q "the guest listens" "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 20000; done
	"$NESTOR" run -k "$IMAGE" --vsock 77 >"$WORK/second" 2>&1 </dev/null
	second=$?
	"$WORK/traffic" run vsock:77:5002 16 $BYTES $SEED >"$WORK/streams" 2>&1
	streams=$?
	"$WORK/traffic" serve vsock:5003 2>/dev/null &
	last=$!
	wait $pid
	got=$?
	kill $last
	WHY="exit code $got; from the host: $(cat "$WORK/streams"); another guest: $second $(cat "$WORK/second")"
	[ $got = 0 ] && [ $streams = 0 ] && [ $second = 2 ] &&
		grep -q "^nestor: --vsock 77: in use: expected" "$WORK/second" || return 1
	said "up $((BYTES / 16 / 8 * 8 * 16)) bytes" && said "down $((BYTES / 16 / 8 * 8 * 16)) bytes"
}
case_of "vsock: pci: random data over streams from either side; a context ID is one guest's" both
long_case "vsock: mmio: the same" both --virtio-transport mmio

# A guest that resets and starts again keeps its context ID.
long_case "vsock: the context ID is there again after a reboot" resets_twice --vsock 77
kill $server

# SPDX-License-Identifier: GPL-2.0-only
# Traffic of a guest behind IOMMUs: random data over disk and network at once. Sourced after lib.sh by what has set $LABEL.
SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "$LABEL: SEED=$SEED"
# of 256 MiB each way a 200th; of a hundred rounds three
BYTES=1342180 DISK=1048576 ROUNDS=3 MEMORY=512
# the guest keeps what it writes to the disk, in half of its memory
[ -z "${SOAK:-}" ] || BYTES=268436000 DISK=268435456 ROUNDS=100 MEMORY=1536
cp "$SHARE/traffic" "$SHARE/tap" "$WORK"
"$WORK/traffic" serve tcp:5001 2>/dev/null &
server=$!
"$WORK/tap" tap0 && ip addr add 10.9.0.1/24 dev tap0 && ip link set tap0 up
sum() { sha256sum <"$1" | cut -d' ' -f1; }

# counted NAME: the number of that in the last `nestor stat`, of all IOMMUs together
counted() { tr ',{}' '\n\n\n' <"$WORK/stat" | sed -n "s/^ *\"$1\": *\([0-9]*\).*/\1/p" | awk '{ n += $1 } END { print n + 0 }'; }

# traffic WORDS ARG...: a guest with /dev/vda and eth0, and what its IOMMUs did, in $WORK/stat
traffic() {
	words=$1
	shift
	truncate -s 0 "$WORK/disk" && head -c $DISK /dev/urandom >"$WORK/disk"
	before=$(sum "$WORK/disk")
	rm -f "$WORK/in" && mkfifo "$WORK/in"
	: >"$OUT"
	"$NESTOR" run --timeout "${SOAK:+3}900" --name viommu -k "$IMAGE" -i "$SHARE/initrd-viommu" -c 2 -m $MEMORY \
		-p "console=ttyS0 loglevel=5 viommu.subnet=0 viommu.bytes=$BYTES viommu.seed=$SEED $words" "$@" >"$OUT" 2>&1 <"$WORK/in" &
	pid=$!
	exec 5>"$WORK/in"
	until grep -q "it may be counted" "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 50000; done
	"$NESTOR" stat viommu --json >"$WORK/stat" 2>/dev/null
	(echo >&5) 2>/dev/null
	wait $pid
	got=$?
	exec 5>&-
	WHY="exit code $got"
	[ $got = 0 ] && said "before: $before" && said "after: $(sum "$WORK/disk")" &&
		said "up $((BYTES / 16 / 8 * 8 * 16)) bytes" && said "down $((BYTES / 16 / 8 * 8 * 16)) bytes" && said "faults: 0"
}

# busy: the SMMUs have translated that much, by the last `nestor stat`, invalidated that much ($invalidations), and nothing went wrong
busy() {
	WHY="$(counted commands) commands, $(counted invalidations) invalidations, $(counted errors) errors, $(counted accesses) accesses, $(counted faults) faults, $(counted events) events, $(counted lost) lost"
	[ "$(counted accesses)" -gt $((BYTES / 2000)) ] && [ "$(counted invalidations)" -ge "${invalidations:-100}" ] &&
		[ "$(counted faults)" = 0 ] && [ "$(counted events)" = 0 ] && [ "$(counted errors)" = 0 ] && [ "$(counted lost)" = 0 ]
}

# disks N...: a small one for each
disks() { for i; do head -c 1048576 /dev/urandom >"$WORK/disk$i"; done; }

# on_segments ARG...: two SMMUv3s, of which one sends messages, and a virtio-iommu, with devices on segments behind each,
# behind ports, and behind none
on_segments() {
	disks 2 3 4
	traffic "iommu.strict=1" --segment 1 --root-port a --root-port b,segment=1 --root-port c \
		--iommu "s,type=smmuv3" --iommu "v,type=virtio,segment=1" --iommu "t,type=smmuv3,interrupts=msi" \
		-d "$WORK/disk,serial=data,iommu=s,bus=a" -n tap=tap0,segment=1,iommu=t -d "$WORK/disk2,bus=b,iommu=v" -d "$WORK/disk3,segment=1,iommu=s" \
		-d "$WORK/disk4,bus=c" "$@" || return 1
	for text in "group: DMA 0000:01:00.0" "group: DMA 0001:00:03.0" "group: DMA 0001:01:00.0" "group: DMA 0001:00:02.0" ITS-pMSI; do
		said "$text" || return 1
	done
	WHY="a group of a device that is behind none: $(grep -a '^group' "$OUT" | tr -d '\r' | tr '\n' ' ')"
	[ "$(grep -ac ^group: "$OUT")" = 4 ]
}

# on_buses TYPE: two IOMMUs of that kind share a segment: the root bus and one behind a port, and another port's
on_buses() {
	type=$1
	shift
	disks 2 3
	traffic "iommu.strict=1" --root-port a --root-port b --root-port c --iommu "s,type=$type,buses=0/0-1" \
		--iommu "t,type=$type,buses=0/2" -d "$WORK/disk,serial=data,bus=a" -n tap=tap0,bus=b -d "$WORK/disk2" \
		-d "$WORK/disk3,bus=c" "$@" || return 1
	WHY="groups: $(grep -a '^group' "$OUT" | tr -d '\r' | tr '\n' ' ')"
	[ "$(grep -ac ^group: "$OUT")" = 3 ] && grep -qa "^group: DMA 0000:01:00.0" "$OUT" && grep -qa "^group: DMA 0000:02:00.0" "$OUT" || return 1
	WHY="one of them has translated nothing"
	! grep -q '"accesses": 0[^0-9]*$' "$WORK/stat"
}

# traffic_ends: what traffic() has begun is over, and nothing is left
traffic_ends() {
	kill $server
	wait $server 2>/dev/null # its port is free for the next
	ip link del tap0
}

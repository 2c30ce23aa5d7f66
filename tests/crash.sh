#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The host of a guest that writes is killed: what the guest had flushed is on the disk when the host is back. The lab's
# host has a disk of its own for that, /dev/vda, a file out here; its page cache dies with it.
set -u
tests=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$tests")
BUILD=$(realpath "${BUILD:-$top/build}")
setting() { "$top/lab/setup.sh" env | sed -n "s/^$1 := //p"; }
share=$BUILD/test/crash

# host COMMAND: in the lab's host, with the disk
host() {
	"$top/lab/host.sh" -t 300 -s "$share" -q "-drive if=none,id=disk,file=$share/disk.img,format=raw,discard=unmap -device virtio-blk-pci,drive=disk" \
		-- sh -c "$1"
}

# What the guest's disk is, in the host: the device itself, or a file on its file system.
prepare_device() { disk=/dev/vda; mount=true; make=true; }
prepare_file() {
	disk=/tmp/mnt/disk
	mount="mkdir -p /tmp/mnt && mount -t ext4 /dev/vda /tmp/mnt 2>/dev/null || mount -t ext2 /dev/vda /tmp/mnt"
	make="mke2fs -F /dev/vda >/dev/null 2>&1; $mount; truncate -s 60M $disk"
}

# kill_at N: once the guest has flushed so many, its host is no more
kill_at() {
	until [ "$(grep -ac '^flushed' "$share/out")" -ge "$1" ] || ! kill -0 $run 2>/dev/null; do sleep 0.05; done
	grep -la "qemu-system-aarch64.*file=$share/disk.img" /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3 | xargs -r kill -KILL
	wait $run
	[ $? = 125 ] # the host failed: it did not end by itself
}

# crash NAME PREPARE KEYS ROUND...: each round kills the host after so many flushes
crash() {
	local name="crash: $1" keys=$3 flushed problem=
	"$2"
	shift 3
	for round; do
		truncate -s 0 "$share/disk.img"
		truncate -s 128M "$share/disk.img"
		: >"$share/out"
		host "$make; cp /share/Image /share/initrd /share/nestor /tmp; exec /tmp/nestor run --timeout 200 -k /tmp/Image -i /tmp/initrd \
			-c 2 -m 256 -d $disk$keys -p 'console=ttyS0 quiet'" >"$share/out" 2>"$share/err" &
		run=$!
		kill_at "$round" || problem="the host was not killed"
		flushed=$(tr -d '\r' <"$share/out" | sed -n 's/^flushed \([0-9]*\)$/\1/p' | tail -n 1)
		[ "${flushed:-0}" -gt 0 ] || problem="nothing was flushed"
		host "$mount; exec /share/crash check $disk ${flushed:-0}" >"$share/checked" 2>&1 || problem="$(tail -n 1 "$share/checked")"
		cat "$share/checked"
		[ -z "$problem" ] || break
	done
	if [ -z "$problem" ]; then
		echo "PASS $name"
	else
		echo "FAIL $name: $problem"
		tail -n 5 "$share/out" "$share/err" | sed 's/^/  | /'
	fi
}

if [ "$(uname -m)" = aarch64 ]; then
	echo "SKIP crash: what was flushed outlives the host: this machine is the host"
	exit
fi
rm -rf "$share"
mkdir -p "$share"
cp "$BUILD/nestor" "$BUILD/crash" "$share"
cp -L "$(setting LAB_KERNEL)" "$share/Image"
printf '#!/bin/sh\nexec /crash write /dev/vda\n' >"$share/test"
chmod +x "$share/test"
"$top/guests/linux/mkinitrd.sh" "$share/initrd" -b "$(setting LAB_BUSYBOX)" "$top/guests/linux/init" "$share/test" "$share/crash"
rounds="30"
[ -z "${SOAK:-}" ] || rounds="10 20 30 40 50 60 70 80 90 100 110 120"
crash "what was flushed to a block device outlives the host" prepare_device "" $rounds
crash "what was written past the host's page cache outlives it" prepare_device ",direct" $rounds
crash "what was flushed to a file outlives the host" prepare_file "" $rounds
rm -rf "$share"

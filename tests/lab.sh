#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The two commands and the set-up behind them, as a user has them: make run in all its forms, the
# lab's host, and what a broken download or a full disk is answered by.
set -u
tests=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$tests")
BUILD=$(realpath "${BUILD:-$top/build}")
export BUILD
unset MAKEFLAGS MFLAGS MAKELEVEL
setting() { "$top/lab/setup.sh" env | sed -n "s/^$1 := //p"; }
work=$(mktemp -d)
trap 'mountpoint -q "$work/small" && umount "$work/small"; rm -rf "$work"' EXIT
cd "$top" || exit 1

# check NAME STATUS COMMAND...: both outputs in $work/out; further conditions on it: see has, lines.
check() {
	name="lab: $1" want=$2
	shift 2
	"$@" >"$work/out" 2>&1 </dev/null
	got=$?
	problem=
	[ $got = "$want" ] || problem="exit code $got, expected $want"
}
has() { [ -n "$problem" ] || grep -qF -- "$1" "$work/out" || problem="no '$1' in the output"; }
one_line() { [ -n "$problem" ] || [ "$(wc -l <"$work/out")" = 1 ] || problem="more than one line"; }
result() {
	if [ -z "$problem" ]; then
		echo "PASS $name"
	else
		echo "FAIL $name: $problem"
		tail -n 20 "$work/out" | sed 's/^/  | /'
	fi
}

check "set-up that is done says nothing" 0 lab/setup.sh build lab
[ -s "$work/out" ] && problem="it printed something"
result

run() { make -s BUILD="$BUILD" "$@"; }
check "make run without a terminal: the guest reports and powers off" 0 run run
has "cpus: 2"
has "disk vda: 16777216 bytes sha256 $(sha256sum <"$BUILD/disk.img" | cut -d' ' -f1)"
has "virtio_blk"
result

cp -L "$(setting LAB_KERNEL)" "$work/Image"
"$top/guests/linux/mkinitrd.sh" "$work/initrd" -b "$(setting LAB_BUSYBOX)" "$top/guests/linux/init"
head -c 1M /dev/urandom >"$work/mine.img"
check "make run takes one's own kernels, initrd, disk, parameters and arguments" 0 \
	run run KERNEL="$work/Image" HOST_KERNEL="$work/Image" INITRD="$work/initrd" DISK="$work/mine.img" \
	PARAMS="mine=1" ARGS="-c 3"
has "cpus: 3"
has "$(sha256sum <"$work/mine.img" | cut -d' ' -f1)"
result
for setting in KERNEL INITRD HOST_KERNEL DISK; do
	check "make run $setting=nothing says so before anything starts" 2 run run $setting=/nothing
	one_line
	has "$setting=/nothing: no such file"
	result
done

mkdir "$work/uapi"
cp -r "$(setting UAPI_DIR)" "$work/uapi/include"
check "make UAPI=DIR builds against one's own headers" 0 make BUILD="$work/build" UAPI="$work/uapi" V=1 "$work/build/arm64/vmm/kvm.o"
has "$work/uapi/include"
result
check "make UAPI=DIR of something else says so" 2 run BUILD="$work/build2" UAPI="$work" all
has "expected a kernel's headers_install"
result
check "make install puts the program where it is told" 0 run install DESTDIR="$work/root" PREFIX=/usr
[ -x "$work/root/usr/bin/nestor" ] || problem="no program there"
result

if [ "$(uname -m)" != aarch64 ]; then
	check "the host hands back a command's exit code" 7 lab/host.sh -t 60 -- sh -c 'exit 7'
	result
	check "the host stops a command that takes too long" 124 lab/host.sh -t 4 -- sleep 100
	result
	head -c 1M /dev/urandom >"$work/data"
	check "the host's output is byte for byte the command's" 0 lab/host.sh -t 60 -s "$work" -- cat /share/data
	cmp -s "$work/data" "$work/out" || problem="the bytes differ"
	result
	gcc -O1 -o "$work/pty" -D_GNU_SOURCE tests/host/pty.c -lutil
	check "make run on a terminal: a shell that Ctrl-a x leaves" 0 \
		"$work/pty" '/ # ' "$(printf '\001x')" -- make -s run BUILD="$BUILD"
	result
	check "make shell: a shell in the host" 0 \
		"$work/pty" '# ' "$(printf 'nestor version; exit\r')" -- make -s shell BUILD="$BUILD"
	has "nestor 0."
	result
else
	echo "SKIP lab: the host under emulation: this machine is the host"
fi

# Set-up into an empty cache, from a mirror that is not there: the address is this machine's own, and closed.
cold() { env NESTOR_CACHE="$work/cache" NESTOR_MIRROR=http://127.0.0.1:9 lab/setup.sh build; }
check "a download that fails is one line, and leaves nothing half-made" 1 cold
[ "$(grep -c failed "$work/out")" = 1 ] || problem="it says so $(grep -c failed "$work/out") times"
has "uAPI headers failed: E: Failed to fetch"
[ -z "$(ls -A "$work/cache/tmp")" ] || problem="something half-made stays"
result

# Stopped as soon as the first entry is there; the second run makes only what lacks.
interrupted() {
	local pid first
	NESTOR_CACHE=$work/part lab/setup.sh build &
	pid=$!
	until ls -d "$work"/part/uapi-* 2>/dev/null || ! kill -0 $pid; do sleep 0.1; done
	first=$(stat -c %W "$work"/part/uapi-*)
	kill -TERM $pid
	wait $pid
	echo "stopped: $?, left: $(ls -A "$work/part/tmp")."
	NESTOR_CACHE=$work/part lab/setup.sh build || return
	[ "$first" = "$(stat -c %W "$work"/part/uapi-*)" ] && echo "the first entry is the old one"
}
check "a set-up that was interrupted goes on where it was" 0 interrupted
if grep -q 'Failed to fetch' "$work/out"; then
	echo "SKIP $name: no mirror can be reached"
else
	has "stopped: 130, left: ."
	has "the first entry is the old one"
	result
fi

if git -C "$top" rev-parse HEAD >/dev/null 2>&1; then
	git clone -q "$top" "$work/clone"
	check "a second clone has nothing to set up" 0 "$work/clone/lab/setup.sh" build lab
	[ -s "$work/out" ] && problem="it printed something"
	result
else
	echo "SKIP lab: a second clone has nothing to set up: this is no git checkout"
fi

# A disk of its own, of so many MB.
small_disk() {
	mkdir -p "$work/small"
	mount -t tmpfs -o "size=$1m" small "$work/small" 2>/dev/null
}
if small_disk 20; then
	full() { env NESTOR_CACHE="$work/small/cache" lab/setup.sh build lab; }
	check "a disk that is too small is one line" 1 full
	one_line
	has "not enough disk"
	result
	umount "$work/small"
else
	echo "SKIP lab: a disk that is too small is one line: no right to mount a small one"
fi

# Enough at first; another takes the rest as soon as the first step has begun.
filling() {
	local pid status
	env NESTOR_CACHE="$work/small/cache" lab/setup.sh build &
	pid=$!
	until [ -e "$work/small/cache/log/uAPI-headers" ] || ! kill -0 $pid; do sleep 0.1; done
	cat /dev/zero >"$work/small/other" 2>/dev/null
	wait $pid
	status=$?
	echo "left: $(ls -A "$work/small/cache/tmp")$(ls -d "$work"/small/cache/uapi-* 2>/dev/null)."
	return $status
}
if small_disk 300; then
	check "a disk that fills while set-up runs is one line, and leaves nothing half-made" 1 filling
	has "left: ."
	has "uAPI headers failed: disk full at $work/small/cache"
	[ "$(grep -c 'failed\|full\|rror' "$work/out")" = 1 ] || problem="more than one line says so"
	result
else
	echo "SKIP lab: a disk that fills while set-up runs is one line: no right to mount a small one"
fi

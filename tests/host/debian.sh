#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Debian's stock kernels with their own modules: a disk from both sides, a network, the virtio console, PCI and MMIO.
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/onboard-lib.sh"
sum() { sha256sum <"$1" | cut -d' ' -f1; }

# with TEST COMMAND...: COMMAND with the arguments of a guest of this $release; TEST is one of tests/guest, or "report";
# $words are parameters of it
words=
with() {
	test=$1
	shift
	cat "$INITRD" "$SHARE/debian$release/modules.cpio" >"$WORK/stock.initrd"
	[ "$test" = report ] || cat "$SHARE/test-$test.cpio" >>"$WORK/stock.initrd"
	"$@" -k "$WORK/vmlinuz" -i "$WORK/stock.initrd" -c 2 -m 512 -p "console=ttyS0 quiet $words"
}

# stock TEST ARG...: such a guest, which powers off
stock() {
	test=$1
	shift
	with "$test" run 0 "$@"
}

# found TEXT ARG...: the report has it
found() {
	text=$1
	shift
	stock report "$@" && said "$text" && said "cpus: 2"
}

disk() {
	head -c 8388608 /dev/urandom >"$WORK/disk"
	before=$(sum "$WORK/disk")
	stock disk -d "$WORK/disk" "$@" || return 1
	said "before: $before" && said "after: $(sum "$WORK/disk")"
}

# 16 streams each way, over a tap
BYTES=2684288
cp "$SHARE/traffic" "$SHARE/tap" "$WORK"
"$WORK/traffic" serve tcp:5001 2>/dev/null &
server=$!
"$WORK/tap" tap0 && ip addr add 10.9.0.1/24 dev tap0 && ip link set tap0 up
net() {
	words="net.subnet=0 net.streams=16 net.bytes=$BYTES net.seed=1"
	stock net -n tap=tap0 && said "up $BYTES bytes" && said "down $BYTES bytes"
}

hvc() { stock hvc --console virtio --virtio-transport mmio && said "over hvc0"; }

alarm() { with rtc has_the_time && said "rtc: rtc-pl031" && said "the alarm came"; }

for release in 12 13; do
	kernel="debian $release"
	if [ ! -e "$SHARE/debian$release/vmlinuz" ]; then
		skip "$kernel: its stock kernel boots" "the lab is not set up"
		continue
	fi
	cp "$SHARE/debian$release/vmlinuz" "$WORK"
	long_case "$kernel: its stock kernel boots, with its own modules for virtio-rng" found "1af4:1044 virtio_rng" --rng
	case_of "$kernel: by ACPI: its stock kernel boots, with its own modules for virtio-rng" found "1af4:1044 virtio_rng" --rng --acpi
	# What is the same driver in both is asked of the newer one only.
	if [ "$release" = 12 ] && [ -z "${SOAK:-}" ]; then continue; fi
	case_of "$kernel: a disk over PCI is rewritten by 16 writers, and is the same from both sides" disk
	long_case "$kernel: a disk over MMIO likewise" disk --virtio-transport mmio
	long_case "$kernel: a line over the virtio console, over MMIO" hvc
	long_case "$kernel: random data both ways over a tap" net
	words=
	long_case "$kernel: the clock has the host's time, and its alarm comes" alarm
	case_of "$kernel: system_powerdown is a press of KEY_POWER" with button presses_power
	rm "$WORK/vmlinuz"
done
kill $server
wait $server 2>/dev/null # its port is free for the next
ip link del tap0

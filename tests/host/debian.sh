#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Debian's stock kernels with their own modules: a disk from both sides, a network, the virtio console, PCI and MMIO.
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/onboard-lib.sh"
sum() { sha256sum <"$1" | cut -d' ' -f1; }

# with TEST COMMAND...: COMMAND with the arguments of a guest of this $release; TEST is one of tests/guest, or "report";
# $words are parameters of it, and $console
words= console=console=ttyS0
with() {
	test=$1
	shift
	cat "$INITRD" "$SHARE/debian$release/modules.cpio" >"$WORK/stock.initrd"
	[ "$test" = report ] || cat "$SHARE/test-$test.cpio" >>"$WORK/stock.initrd"
	"$@" -k "$WORK/vmlinuz" -i "$WORK/stock.initrd" -c 2 -m 512 -p "$console quiet $words"
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

# all: on two segments, behind an SMMUv3 and a virtio-iommu, which Debian 12 has no driver for: then that is as if it were not
# there; both at work, then it starts anew, and the power button ends it; by the console that SPCR names, and no other
all() {
	head -c 4194304 /dev/urandom >"$WORK/disk"
	head -c 4096 /dev/zero >"$WORK/again"
	before=$(sum "$WORK/disk")
	words=net.bytes=$BYTES console=
	with stock presses_power --acpi --reboot --timeout 600 --segment 1 --iommu s,type=smmuv3 --iommu v,type=virtio --rng=iommu=v \
		-d "$WORK/disk,iommu=s" -d "$WORK/again,iommu=s" -n tap=tap0,iommu=s,segment=1
	got=$?
	words= console=console=ttyS0
	[ $got = 0 ] || return 1
	for text in "before: $before" "after: $(sum "$WORK/disk")" "up $BYTES bytes" "down $BYTES bytes" "driver: virtio_rng" \
		"behind: 0000:00:01.0 smmu3.0x0000000009000000, with 0000:00:01.0" "behind: 0000:00:02.0 smmu3.0x0000000009000000, with 0000:00:02.0" \
		"behind: 0001:00:00.0 smmu3.0x0000000009000000, with 0001:00:00.0" "it starts anew" "button: Power Button"; do
		said "$text" || return 1
	done
	[ $release = 12 ] || said "behind: 0000:00:03.0 0000:00:00.0, with 0000:00:03.0" || return 1
	WHY="behind IOMMUs: $(grep -a ^behind: "$OUT" | xargs)"
	[ "$(grep -ac ^behind: "$OUT")" = $((release == 12 ? 3 : 4)) ] || return 1
	WHY="consoles: $(grep -a ^console: "$OUT" | xargs)"
	[ "$(grep -ac '^console: ttyS0' "$OUT")" = 2 ]
}

alarm() { with rtc has_the_time && said "rtc: rtc-pl031" && said "the alarm came"; }

for release in 12 13; do
	kernel="debian $release"
	if [ ! -e "$SHARE/debian$release/vmlinuz" ]; then
		skip "$kernel: its stock kernel boots" "the lab is not set up"
		continue
	fi
	cp "$SHARE/debian$release/vmlinuz" "$WORK"
	long_case "$kernel: its stock kernel boots, with its own modules for virtio-rng" found "1af4:1044 virtio_rng" --rng
	long_case "$kernel: by ACPI: its stock kernel boots, with its own modules for virtio-rng" found "1af4:1044 virtio_rng" --rng --acpi
	case_of "$kernel: by ACPI, by SPCR's console: a disk, a network, random numbers, on two segments, behind an SMMUv3 and a virtio-iommu; it starts anew, and takes a press of the power button" all
	# What is the same driver in both is asked of the newer one only.
	if [ "$release" = 12 ] && [ -z "${SOAK:-}" ]; then continue; fi
	long_case "$kernel: by a device tree: system_powerdown is a press of KEY_POWER" with button presses_power
	long_case "$kernel: a disk over PCI is rewritten by 16 writers, and is the same from both sides" disk
	long_case "$kernel: a disk over MMIO likewise" disk --virtio-transport mmio
	long_case "$kernel: a line over the virtio console, over MMIO" hvc
	long_case "$kernel: random data both ways over a tap" net
	words=
	long_case "$kernel: the clock has the host's time, and its alarm comes" alarm
	rm "$WORK/vmlinuz"
done
kill $server
wait $server 2>/dev/null # its port is free for the next
ip link del tap0

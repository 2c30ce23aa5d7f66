#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Figures of Nestor beside its peers', in one boot of the lab's host, interleaved: bench/host.sh takes them, this prints
# each as "name median unit peer-median ratio" (the ratio is Nestor's by the peer's) and its spread, and writes
# bench/results.md. RUNS=5 repetitions of each; FIGURES=words: only these, and not into that file; LKVM=path: an lkvm for
# arm64, static, as a second peer.
set -eu
bench=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$bench")
BUILD=$(realpath "${BUILD:-$top/build}")
share=$BUILD/bench/share
into=$share/bench
results=$bench/results.md
[ -z "${FIGURES:-}" ] || results=$BUILD/bench/results.md
setting() { "$top/lab/setup.sh" env | sed -n "s/^$1 := //p"; }

# initrd NAME FILE[:PATH]...: a Linux guest that runs /test
initrd() {
	"$top/guests/linux/mkinitrd.sh" "$share/more.cpio" "${@:2}"
	cat "$share/base.cpio" "$share/more.cpio" >"$into/initrd-$1"
}

fill_share() {
	rm -rf "$share"
	mkdir -p "$into"
	cp "$BUILD/nestor" "$BUILD/nestor-mock" "$BUILD/queue" "$BUILD/traffic" "$BUILD/tap" "$BUILD/bench/clock" "$BUILD"/bench/*.bin "$BUILD/guests/viommu_pages.bin" "$bench/host.sh" "$bench/calls.sh" "$bench/dump.sh" "$into"
	"$(setting CROSS_CC | sed 's/gcc$/strip/')" "$BUILD/nestor" -o "$into/nestor.stripped"
	[ -z "${LKVM:-}" ] || cp "$LKVM" "$into/lkvm"
	cp -L "$(setting LAB_KERNEL)" "$into/Image"
	tar -C "$("$bench/peer.sh")" -cf "$into/peer.tar" .
	cp -L "$(dirname "$(setting LAB_IASL)")/../QEMU_EFI.fd" "$into"
	"$top/guests/linux/mkinitrd.sh" "$share/base.cpio" -b "$(setting LAB_BUSYBOX)" "$top/guests/linux/init"
	"$top/guests/linux/mkinitrd.sh" "$into/initrd-init" "$BUILD/bench/init"
	initrd disk "$bench/guest/disk.sh:test" "$BUILD/bench/reads"
	initrd net "$bench/guest/net.sh:test" "$BUILD/traffic:bin/traffic"
	initrd disk4k "$bench/guest/disk4k.sh:test" "$BUILD/bench/reads"
	initrd map "$bench/guest/map.sh:test" "$BUILD/bench/dma_map"
	initrd idle "$bench/guest/idle.sh:test"
	initrd vfio-tcp "$bench/guest/vfio_tcp.sh:test"
	initrd lease "$bench/guest/lease.sh:test"
	initrd serves "$top/tests/guest/stall.sh:test" "$BUILD/stall:bin/stall"
	initrd asks "$bench/guest/asks.sh:test" "$BUILD/bench/asks" "$BUILD/dmatest_vpri.ko:modules/dmatest_vpri.ko"
	initrd stalls "$bench/guest/stalls.sh:test" "$BUILD/bench/stalls" "$BUILD/dmatest_sva.ko:modules/dmatest_sva.ko"
	initrd tower "$bench/guest/tower.sh:test" "$bench/calls.sh" "$BUILD/nestor" "$into/Image" "$into/initrd-stalls:guest-initrd"
}

# figures: "RAW name unit who value" lines into a line a figure and peer, and its spread
figures() {
	sort -s -k2,2 -k4,4 -k5,5n | awk '
	$1 != "RAW" || NF != 5 { next }
	{ key = $2 " " $4; v[key, ++n[key]] = $5; unit[$2] = $3
	  if (!($2 in seen)) { seen[$2] = 1; order[++names] = $2 } }
	function median(key) { return v[key, int((n[key] + 1) / 2)] }
	function spread(who, key) { return who " " v[key, 1] " to " v[key, n[key]] " (" n[key] ")" }
	function line(name, who, label,    a, b) {
		a = name " nestor"; b = name " " who
		if (!n[b]) { printf "%s%s %s %s - -\n", name, label, median(a), unit[name]; return }
		printf "%s%s %s %s %s %.2f\n", name, label, median(a), unit[name], median(b), median(a) / median(b)
		print "  " spread("nestor", a) ", " spread(who, b)
	}
	END {
		for (i = 1; i <= names; i++) {
			if (!n[order[i] " nestor"]) { print order[i] " not measured"; continue }
			line(order[i], "qemu", "")
			if (n[order[i] " lkvm"]) line(order[i], "lkvm", ":lkvm")
			if (n[order[i] " fdt"]) line(order[i], "fdt", ":fdt")
		}
	}'
}

# in_host FIGURES OPTION...: these in a host of the lab's. Memory that had code costs QEMU, block by block of what it made of it,
# when it is written again: by default a second guest, whoever's, boots in twice the time of a first one. What fills up is
# forgotten at once, and cheaply.
in_host() {
	"$top/lab/host.sh" -A tb-size=32 -t 3000 -s "$share" "${@:2}" -- env RUNS="${RUNS:-5}" MORE="${MORE:-}" FIGURES="$1" sh /share/bench/host.sh
}

fill_share
plain='' assigned='' tower=''
for figure in ${FIGURES:-}; do
	case $figure in vfio_*) assigned+="$figure " ;; tower_*) tower+="$figure " ;; *) plain+="$figure " ;; esac
done
[ -n "${FIGURES:-}" ] || assigned="vfio_boot vfio_tcp vfio_viommu vfio_accel_boot vfio_accel_dhcp vfio_accel vfio_accel_tcp vfio_accel_calls" tower=tower_fault
{
	{ [ -n "${FIGURES:-}" ] && [ -z "$plain" ]; } || in_host "$plain"
	[ -z "$assigned" ] || in_host "$assigned" -d nest
	[ -z "$tower" ] || in_host "$tower" -P max,pauth=off,sve=off,sme=off,lpa2=off -a kvm-arm.mode=nested
} | tee "$BUILD/bench/raw"
{
	echo "# Figures"
	echo
	echo "\`make bench\`, $(date -u +%F): $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, the lab's host under TCG;"
	echo "the VMMs in its tmpfs, warm, interleaved. Each line: name, Nestor's median, unit, QEMU's median, Nestor's by"
	echo "QEMU's (\`name:lkvm\`, \`name:fdt\`: the same beside lkvm, beside our own with a device tree); below it, the spreads and how many runs."
	echo
	echo '```'
	figures <"$BUILD/bench/raw"
	make -s -C "$top" BUILD="$BUILD" bench-native | sed 's/^/native: /'
	echo
	sed -n 's/^COMMAND //p' "$BUILD/bench/raw"
	echo '```'
} >"$results"
sed -n '/^```$/,/^```$/p' "$results" | grep -v '^```'

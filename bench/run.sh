#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Figures of Nestor beside QEMU's, in one boot of the lab's host, the two interleaved: bench/host.sh
# takes them, this prints each as "name median unit peer-median ratio" and its spread, and writes
# bench/results.md. RUNS=5 repetitions of each.
set -eu
bench=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$bench")
BUILD=$(realpath "${BUILD:-$top/build}")
share=$BUILD/bench/share
setting() { "$top/lab/setup.sh" env | sed -n "s/^$1 := //p"; }

fill_share() {
	rm -rf "$share"
	mkdir -p "$share"
	cp "$BUILD/nestor" "$bench/host.sh" "$share"
	cp -L "$(setting LAB_KERNEL)" "$share/Image"
	tar -C "$("$bench/peer.sh")" -cf "$share/peer.tar" .
	"$top/guests/linux/mkinitrd.sh" "$share/initrd" -b "$(setting LAB_BUSYBOX)" "$top/guests/linux/init"
	for script in "$bench"/guest/*.sh; do
		"$top/guests/linux/mkinitrd.sh" "$share/test.cpio" "$script:test"
		cat "$share/initrd" "$share/test.cpio" >"$share/initrd-$(basename "$script" .sh)"
	done
}

# figures: "RAW name unit better who value" lines into the two kinds of line
figures() {
	sort -k2,2 -k5,5 -k6,6n | awk '
	$1 != "RAW" { next }
	{ key = $2 " " $5; n[key]++; v[key, n[key]] = $6; unit[$2] = $3; better[$2] = $4
	  if (!($2 in seen)) { seen[$2] = 1; order[++names] = $2 } }
	function median(key) { return v[key, int((n[key] + 1) / 2)] }
	function spread(key) { return v[key, 1] "-" v[key, n[key]] }
	END {
		for (i = 1; i <= names; i++) {
			name = order[i]; a = name " nestor"; b = name " qemu"
			if (!n[a] || !n[b]) { print name " not measured"; continue }
			ratio = better[name] == "less" ? median(b) / median(a) : median(a) / median(b)
			printf "%s %s %s %s %.2f\n", name, median(a), unit[name], median(b), ratio
			printf "  spread of %d: nestor %s, qemu %s (%s is better)\n", n[a], spread(a), spread(b), better[name]
		}
	}'
}

fill_share
"$top/lab/host.sh" -t 1500 -s "$share" -- env RUNS="${RUNS:-5}" sh /share/host.sh | tee "$BUILD/bench/raw"
{
	echo "# Figures"
	echo
	echo "\`make bench\`, $(date -u +%F): $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, the lab's host under TCG;"
	echo "both VMMs in its tmpfs, warm, interleaved. Each line: name, Nestor's median, unit, QEMU's median, ratio"
	echo "(above 1: Nestor is better)."
	echo
	echo '```'
	figures <"$BUILD/bench/raw"
	echo
	sed -n 's/^COMMAND //p' "$BUILD/bench/raw"
	echo '```'
} >"$bench/results.md"
sed -n '/^```$/,/^```$/p' "$bench/results.md" | grep -v '^```'

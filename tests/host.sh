#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The scenarios of tests/host/, on an arm64 host: this machine if it is one with KVM, else the lab's.
# host.sh [FILE...]: only these files of tests/host/. SOAK=1: the long counts.
set -eu
tests=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$tests")
BUILD=$(realpath "${BUILD:-$top/build}")
share=$BUILD/test/share
setting() { "$top/lab/setup.sh" env | sed -n "s/^$1 := //p"; }

# Guests' own programs go in archives of their own, behind the common initrd.
initrds() {
	"$top/guests/linux/mkinitrd.sh" "$share/initrd" -b "$(setting LAB_BUSYBOX)" "$top/guests/linux/init"
	for script in "$tests"/guest/*.sh; do
		tools=()
		! grep -q '^traffic ' "$script" || tools=("$BUILD/traffic:bin/traffic")
		"$top/guests/linux/mkinitrd.sh" "$share/test.cpio" "$script:test" "${tools[@]}"
		cat "$share/initrd" "$share/test.cpio" >"$share/initrd-$(basename "$script" .sh)"
	done
}

rm -rf "$share"
mkdir -p "$share/guests" "$share/tests"
cp "$BUILD/nestor" "$BUILD/pty" "$BUILD/traffic" "$BUILD/tap" "$share"
cp -L "$(setting LAB_KERNEL)" "$share/Image"
cp "$BUILD"/guests/*.bin "$share/guests" 2>/dev/null || true
cp -r "$tests/host" "$share/tests"
initrds

# What the subcommands and the log say as JSON is as docs/json/ has it.
check_json() {
	local name file problem
	for name in list stat debug log; do
		file=$share/json/$name.json
		[ -e "$file" ] || continue
		problem=$(cd "$top" && "$BUILD/native/json-check" $name "$file" 2>&1)
		if [ -z "$problem" ]; then
			echo "PASS control: the JSON of $name is as documented"
		else
			echo "FAIL control: the JSON of $name is as documented: $(head -n 1 <<<"$problem")"
		fi
	done
}

# What a guest was told, in dtc's words: no warning, and what tests/golden/guest.dts has (less the seeds).
check_dtb() {
	local dts=$BUILD/test/guest.dts warnings
	[ -e "$share/guest.dtb" ] || { [ $# -gt 0 ] || echo "FAIL dtb: no guest wrote its tree"; return 0; }
	warnings=$("$(setting LAB_DTC)" -q -I dtb -O dts -o "$dts" "$share/guest.dtb" 2>&1) || warnings="dtc failed: $warnings"
	warnings+=$("$(setting LAB_DTC)" -I dtb -O dtb -o /dev/null "$share/guest.dtb" 2>&1)
	if [ -z "$warnings" ]; then
		echo "PASS dtb: dtc has no remark"
	else
		echo "FAIL dtb: dtc has no remark: $(head -n 1 <<<"$warnings")"
	fi
	sed -i '/kaslr-seed\|rng-seed/d' "$dts"
	if diff -u "$tests/golden/guest.dts" "$dts"; then
		echo "PASS dtb: the tree is the golden one"
	else
		echo "FAIL dtb: the tree is the golden one: see the difference above; cp $dts tests/golden/ if it is meant"
	fi
}

if [ "$(uname -m)" = aarch64 ] && [ -w /dev/kvm ]; then
	WORK=$(mktemp -d)
	trap 'rm -rf "$WORK"' EXIT
	SHARE=$share WORK=$WORK sh "$tests/host/all.sh" "$@"
else
	"$top/lab/host.sh" -t 1200 -s "$share" -k "${HOST_KERNEL:-$(setting LAB_KERNEL)}" -- \
		env SOAK="${SOAK:-}" sh /share/tests/host/all.sh "$@"
fi
check_dtb "$@"
check_json

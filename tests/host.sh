#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The scenarios of tests/host/, on an arm64 host: this machine if it is one with KVM, else the lab's.
# host.sh [FILE...]: only these files of tests/host/. SOAK=1: the long counts.
# A file whose first five lines have `# host: OPTIONS` runs in a host of the lab's that lab/host.sh boots with these
# options (words, split at spaces), together with all the files that have the same; any other in the plain one.
set -eu
tests=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$tests")
BUILD=$(realpath "${BUILD:-$top/build}")
share=$BUILD/test/share
. "$tests/retold.sh"
setting() { "$top/lab/setup.sh" env | sed -n "s/^$1 := //p"; }

# Guests' own programs go in archives of their own, behind the common initrd.
initrds() {
	"$top/guests/linux/mkinitrd.sh" "$share/initrd" -b "$(setting LAB_BUSYBOX)" "$top/guests/linux/init"
	for script in "$tests"/guest/*.sh; do
		local name tool tools=()
		name=$(basename "$script" .sh)
		! grep -q '^\. /talk$' "$script" || tools+=("$tests/guest/talk.sh:talk")
		for tool in disk button; do
			! grep -qE "^[[:space:]]*sh /$tool( |\$)" "$script" || tools+=("$tests/guest/$tool.sh:$tool")
		done
		for tool in traffic dma nest kexec stall sva churn ats vpri; do
			! grep -qE "^[[:space:]]*$tool " "$script" || tools+=("$BUILD/$tool:bin/$tool")
		done
		! grep -qE '^[[:space:]]*sva ' "$script" || tools+=("$BUILD/dmatest_sva.ko:modules/dmatest_sva.ko")
		! grep -qE '^[[:space:]]*vpri ' "$script" || tools+=("$BUILD/dmatest_vpri.ko:modules/dmatest_vpri.ko")
		"$top/guests/linux/mkinitrd.sh" "$share/test-$name.cpio" "$script:test" "${tools[@]}"
		cat "$share/initrd" "$share/test-$name.cpio" >"$share/initrd-$name"
	done
}

rm -rf "$share"
mkdir -p "$share/guests" "$share/tests" "$share/times"
cp "$BUILD/nestor" "$BUILD/nestor-mock" "$BUILD/pty" "$BUILD/qmp" "$BUILD/traffic" "$BUILD/tap" "$BUILD/blocks" "$BUILD/card" "$BUILD/uapi" "$BUILD/mock" "$BUILD/queue" "$share"
mkdir "$share/asan"
cp -r "$BUILD/asan/nestor" "$BUILD/asan/lib" "$share/asan"
cp "$tests/asan-run.sh" "$share/asan/run"
cp -L "$(setting LAB_KERNEL)" "$share/Image"
cp "$BUILD"/guests/*.bin "$share/guests" 2>/dev/null || true
cp -r "$tests/host" "$share/tests"
initrds
# wants FILE ARG...: whether that scenario is among those asked for; none is all
wants() { [ $# = 1 ] || [[ " ${*:2} " == *" $1 "* ]]; }
# Debian's kernels and modules; on an arm64 machine of one's own they may be missing
debian() {
	local release dir
	for release in 12 13; do
		dir=$(setting LAB_DEBIAN$release)
		[ -d "$dir" ] || continue
		mkdir "$share/debian$release"
		cp "$dir/vmlinuz" "$share/debian$release"
		"$top/guests/linux/mkinitrd.sh" "$share/debian$release/modules.cpio" "$dir/modules"
	done
}
{ ! wants debian.sh "$@" && ! wants kexec.sh "$@"; } || debian
# A guest that is a hypervisor has what it needs for one
nested() {
	"$top/guests/linux/mkinitrd.sh" "$share/nestor.cpio" "$share/nestor" "$share/Image" "$share/initrd:guest-initrd"
	cat "$share/initrd-nested" "$share/nestor.cpio" >"$share/initrd-nestor"
}
! wants nested.sh "$@" || nested
onward() {
	"$top/guests/linux/mkinitrd.sh" "$share/nestor.cpio" "$share/nestor" "$share/Image" "$share/initrd-assigned:guest-initrd"
	cat "$share/initrd-onward" "$share/nestor.cpio" >"$share/initrd-nestor-onward"
}
! wants vfio_onward.sh "$@" || onward
tower() {
	cat "$share/initrd-tower_inner" "$share/kselftest.cpio" >"$share/initrd-inner" 2>/dev/null || cp "$share/initrd-tower_inner" "$share/initrd-inner"
	"$top/guests/linux/mkinitrd.sh" "$share/nestor.cpio" "$share/nestor" "$share/Image" "$share/initrd-inner:guest-initrd" "$share/guests/vsmmu_hostile.bin:hostile"
	cat "$share/initrd-tower" "$share/nestor.cpio" >"$share/initrd-nestor-tower"
}
{ ! wants dma_test.sh "$@" && ! wants tower.sh "$@"; } || [ ! -e "$(setting LAB_KSELFTEST)" ] ||
	"$top/guests/linux/mkinitrd.sh" "$share/kselftest.cpio" "$(setting LAB_KSELFTEST):kselftest"
! wants tower.sh "$@" || tower
{ ! wants passt.sh "$@" && ! wants fs.sh "$@" && ! wants hostile.sh "$@"; } || cp -r "$(setting LAB_HELPERS)" "$share/helpers"
{ ! wants pci.sh "$@" && ! wants dma_test.sh "$@"; } || [ ! -e "$(setting LAB_PCIUTILS)" ] ||
	"$top/guests/linux/mkinitrd.sh" "$share/lspci.cpio" "$(setting LAB_PCIUTILS):lspci"
{ ! wants smmu_linux.sh "$@" && ! wants viommu_linux.sh "$@"; } || cp -L "$(setting LAB_KERNEL_64K)" "$share/Image-64k"
! wants kernels.sh "$@" || "$tests/kernels.sh" "$share/kernels" "$(setting LAB_KERNEL)" "$(setting LAB_ZBOOT)"

# What the subcommands and the log say as JSON is as docs/json/ has it.
check_json() {
	local name file problem
	for name in list stat debug walk fault log devices check; do
		file=$share/json/$name.json
		[ -e "$file" ] || continue
		problem=$(cd "$top" && "$BUILD/native/json-check" $name "$file" 2>&1) || :
		if [ -z "$problem" ]; then
			echo "PASS control: the JSON of $name is as documented"
		else
			echo "FAIL control: the JSON of $name is as documented: $(head -n 1 <<<"$problem")"
		fi
	done
}

# What a guest was told, in dtc's words, is what tests/golden/guest.dts has (less the seeds).
check_dtb() {
	local dts=$BUILD/test/guest.dts
	[ -e "$share/guest.dtb" ] || { [ $# -gt 0 ] || echo "FAIL dtb: no guest wrote its tree"; return 0; }
	"$(setting LAB_DTC)" -q -I dtb -O dts -o "$dts" "$share/guest.dtb" || echo "FAIL dtb: dtc reads the tree: see above"
	if grep -qE 'kaslr-seed = <0x0*[1-9a-f][0-9a-f]* ' "$dts" && grep -q 'rng-seed = <0x' "$dts"; then
		echo "PASS dtb: the guest has seeds"
	else
		echo "FAIL dtb: the guest has seeds: kaslr-seed or rng-seed is not there, or zero"
	fi
	sed -i '/kaslr-seed\|rng-seed/d' "$dts"
	if diff -u "$tests/golden/guest.dts" "$dts"; then
		echo "PASS dtb: the tree is the golden one"
	else
		echo "FAIL dtb: the tree is the golden one: see the difference above; cp $dts tests/golden/ if it is meant"
	fi
}

# Every tree that a guest was given: dtc has no remark, and the kernel's binding schemas no complaint.
check_trees() {
	local dtb name warnings said wrong=$BUILD/test/wrong.dtb trees=()
	for dtb in "$share"/guest.dtb "$share"/dtb/*.dtb; do
		[ -e "$dtb" ] || continue
		trees+=("$dtb")
		name=$(basename "$dtb" .dtb)
		warnings=$("$(setting LAB_DTC)" -I dtb -O dtb -o /dev/null "$dtb" 2>&1) || warnings="dtc failed: $warnings"
		[ -z "$warnings" ] && echo "PASS dtb: $name: dtc has no remark" ||
			echo "FAIL dtb: $name: dtc has no remark: $(head -n 1 <<<"$warnings")"
	done
	[ ${#trees[@]} -gt 0 ] || return 0
	[ -x "$(setting LAB_DT_VALIDATE)" ] || { echo "SKIP dtb: the kernel's bindings: the lab, which has dt-validate, is not set up"; return 0; }
	said=$("$tests/dt-validate.sh" "${trees[@]}" 2>&1) || :
	for dtb in "${trees[@]}"; do
		name=$(basename "$dtb" .dtb)
		warnings=$(grep -F "$dtb: " <<<"$said") || warnings=
		[ -z "$warnings" ] && echo "PASS dtb: $name: the kernel's bindings are kept" ||
			echo "FAIL dtb: $name: the kernel's bindings are kept: $(head -n 1 <<<"$warnings")"
	done
	grep -vF "$share" <<<"$said" || :
	"$(setting LAB_DTC)" -q -I dtb -O dts "${trees[0]}" | sed 's/bootargs = /boot-words = /' | "$(setting LAB_DTC)" -q -I dts -O dtb -o "$wrong"
	said=$("$tests/dt-validate.sh" "$wrong" 2>&1) || :
	grep -q "^$wrong: chosen: 'boot-words'" <<<"$said" && echo "PASS dtb: dt-validate finds a property that is in no binding" ||
		echo "FAIL dtb: dt-validate finds a property that is in no binding: it says: $(head -n 1 <<<"$said")"
}

# What guests were told by trees is what `nestor dump` says, but for what is chosen for one run.
check_told() {
	local dir problem dtc of
	dtc=$(setting LAB_DTC)
	[ -d "$share/told" ] || { [ $# -gt 0 ] || echo "FAIL dtb: no guest told of its tree"; return 0; }
	for dir in "$share"/told/*; do
		[ -e "$dir/found.dtb" ] || continue
		for of in found dumped; do
			"$dtc" -q -I dtb -O dts "$dir/$of.dtb" | sed '/kaslr-seed\|rng-seed\|bootargs\|linux,initrd-/d' >"$dir/$of.dts"
		done
		problem=$(diff "$dir/dumped.dts" "$dir/found.dts") && [ -s "$dir/found.dts" ] && echo "PASS dtb: ${dir##*/}: a guest's own tree is what nestor dump says" ||
			echo "FAIL dtb: ${dir##*/}: a guest's own tree is what nestor dump says: $(grep -m 1 '^[<>]' <<<"$problem")"
	done
}

check_acpi() {
	local dir problem
	[ -d "$share/acpi" ] || { [ $# -gt 0 ] || echo "FAIL acpi: no guest wrote its tables"; return 0; }
	for dir in "$share"/acpi/*; do
		[ -e "$dir/xsdt.dat" ] || continue # a scenario of the soak's
		problem=$(retold "$(setting LAB_IASL)" "$dir")
		if [ -z "$problem" ]; then
			echo "PASS acpi: iasl reads the tables of $(basename "$dir") as they were meant"
		else
			echo "FAIL acpi: iasl reads the tables of $(basename "$dir") as they were meant: $(head -n 1 <<<"$problem")"
		fi
	done
}

# host_of FILE: the options of the host that it needs
host_of() { sed -n '1,5s/^# host: //p' "$tests/host/$1"; }

native() { [ "$(uname -m)" = aarch64 ] && [ -w /dev/kvm ]; }

# Emulation takes twice as long where the CPUs have all that there is. Files that look at some of it name their own; and the soak.
host_cpu=neoverse-n1
[ -z "${SOAK:-}" ] || host_cpu=max,pauth-impdef=on,sve=off,sme=off,lpa2=off

# run_in OPTIONS FILE...: all of them in one boot of such a host; does not return
run_in() {
	local options=$1 file
	shift
	if ! native; then
		# shellcheck disable=SC2086
		exec "$top/lab/host.sh" -t "${SOAK:+1}3000" -s "$share" -k "${HOST_KERNEL:-$(setting LAB_KERNEL)}" -P "$host_cpu" $options -- \
			env SOAK="${SOAK:-}" CLAIMS="$CLAIMS" sh /share/tests/host/all.sh "$@"
	elif [ -z "$options" ]; then
		WORK=$(mktemp -d)
		trap 'rm -rf "$WORK"' EXIT
		SHARE=$share WORK=$WORK sh "$tests/host/all.sh" "$@"
	else
		for file; do echo "SKIP $file: it needs the lab's host with $options"; done
	fi
}

[ $# -gt 0 ] && files=("$@") || files=($(cd "$tests/host" && ls *.sh | grep -v -e 'lib.sh$' -e '^all.sh$'))
declare -A groups # by options, and a space: a key is not to be empty
for file in "${files[@]}"; do groups[$(host_of "$file") ]+=" $file"; done

# Two hosts at a time, each with a log of its own, which is shown when it has ended.
logs=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || :; rm -rf "$logs"' EXIT
status=0
ended() {
	local job rc=0
	wait -n -p job || rc=$?
	[ $rc = 0 ] || status=$rc
	cat "$logs/$job"
}
begin() {
	[ "$(jobs -rp | wc -l)" -lt 2 ] || ended
	(exec >"$logs/$BASHPID" 2>&1; run_in "$@") &
}

CLAIMS=
# Most files are for the plain host: it is there twice, and the two take one after the other off the same list.
# shellcheck disable=SC2086
if ! native && [ "$(wc -w <<<"${groups[" "]:-}")" -gt 1 ]; then
	mkdir "$share/claims"
	CLAIMS=/share/claims begin "" ${groups[" "]}
	CLAIMS=/share/claims begin "" ${groups[" "]}
	read -ra both <<<"${groups[" "]}"
	unset 'groups[ ]'
fi
for options in "${!groups[@]}"; do
	# shellcheck disable=SC2086
	begin "${options% }" ${groups[$options]}
	! native || ended # one machine
done
while [ -n "$(jobs -p)" ]; do ended; done
[ ! -d "$share/claims" ] || for file in "${both[@]}"; do
	[ -d "$share/claims/$file" ] || echo "FAIL $file: no host ran it"
done
check_dtb "$@"
check_trees
check_json
check_acpi "$@"
check_told "$@"
sort -rn "$share"/times/* >"$BUILD/test/times" 2>/dev/null || :
exit $status

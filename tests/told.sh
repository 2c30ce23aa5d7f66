#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What guests are told of a dozen machines, without a guest: `nestor dump` on this machine, read by iasl and dtc, and what
# they read is what tests/golden/told/ has. told.sh -u: that is written anew. A file's first line has the options.
set -u
tests=$(cd "$(dirname "$0")" && pwd)
BUILD=$(realpath "${BUILD:-build}")
nestor=$BUILD/native/nestor
setting() { "$tests/../lab/setup.sh" env | sed -n "s/^$1 := //p"; }
iasl=$(setting LAB_IASL) dtc=$(setting LAB_DTC)
golden=$tests/golden/told
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$tests/retold.sh"
cd "$work" || exit 1

if ! [ -x "$iasl" ] || ! [ -x "$dtc" ]; then
	echo "SKIP told: iasl and dtc: lab/setup.sh lab has not been run"
	exit
fi

verdict() { # verdict NAME PROBLEM
	if [ -z "$2" ]; then echo "PASS told: $1"; else echo "FAIL told: $1: $(head -n 1 <<<"$2")"; fi
}

# A table's fields without where they are and how it adds up; the DSDT, of which every line is meant, without the rest.
fields() {
	sed -nE -e 's/^\[[0-9A-Fa-f]+h [0-9]+ [0-9A-Fa-f]+h?\] +//' -e '/^(Signature|Oem|Asl Compiler|Checksum|Raw Table|\/\*| \*)/d' \
		-e '/^ +[0-9A-F]{4}: /d' -e '/^Padding : /d' -e '/^Raw Table/q' -e '/./p' "$1"
}
# told NAME OPTION...: all that its guest is told, in dtc's and iasl's words; but of the first machine's tables, which is
# `one`, those that differ, and of most DSDTs nothing: they repeat.
told() {
	local name=$1 table
	echo "options: ${*:2}"
	sed '/^\/dts-v1\/;/d; /^$/d' "$name/tree.dts"
	for table in "$name"/*.dsl; do
		case $(basename "$table") in xsdt.dsl | rsdp.dsl) continue ;; dsdt.dsl) case $name in one | segments | mmio | stall | pasid) ;; *) continue ;; esac ;; esac
		fields "$table" >"$table.fields"
		[ "$name" = one ] || sed -i '/Name (_PRT, /,/^ *})$/d' "$table.fields"
		[ "$name" = one ] || ! cmp -s "$table.fields" "one/$(basename "$table").fields" || continue
		printf '\n%s\n' "$(basename "$table" .dsl | tr a-z A-Z)"
		cat "$table.fields"
	done
}

# machine NAME OPTION...
machine() {
	local name=$1 problem
	mkdir "$name"
	problem=$(timeout 20 "$nestor" dump --acpi-out "$name" --dtb-out "$name/tree.dtb" "${@:2}" 2>&1 </dev/null)
	verdict "$name: it is dumped without KVM" "$problem"
	verdict "$name: iasl reads the tables as they were meant" "$(retold "$iasl" "$name")"
	problem=$("$dtc" -q -I dtb -O dts -o "$name/tree.dts" "$name/tree.dtb" 2>&1; "$dtc" -I dtb -O dtb -o /dev/null "$name/tree.dtb" 2>&1)
	verdict "$name: dtc has no remark" "$problem"
	told "$@" >"$name/told"
	[ -z "$update" ] || cp "$name/told" "$golden/$name"
	problem=$(diff -u "$golden/$name" "$name/told" 2>&1) && problem=
	verdict "$name: what is told is the golden" "$(sed -n '/^[-+] *[^-+ ]/p' <<<"$problem")"
	[ -z "$problem" ] || printf '%s\n' "$problem" | head -n 40
}

[ "${1:-}" = -u ] && update=y || update=
for file in "$golden/one" $(ls -d "$golden"/* | grep -v /one$); do
	read -r _ options <"$file"
	# shellcheck disable=SC2086
	machine "$(basename "$file")" $options
done

# All at once: most of its time goes into reading the schemas.
if [ -x "$(setting LAB_DT_VALIDATE)" ]; then
	said=$("$tests/dt-validate.sh" "$work"/*/tree.dtb 2>"$work/unknown")
	for tree in "$work"/*/tree.dtb; do
		verdict "$(basename "${tree%/*}"): the kernel's bindings are kept" "$(grep -F "$tree: " <<<"$said")"
	done
	verdict "the kernel's bindings: nothing else is said" "$(grep -vF "$work" <<<"$said")"
	verdict "the kernel's bindings: of pvpanic alone there is none" "$(diff <(echo "no schema for ['qemu,pvpanic-mmio']") "$work/unknown" | sed -n 's/^[<>] //p')"
else
	echo "SKIP told: the kernel's bindings: the lab, which has dt-validate, is not set up"
fi

# revisions FOLDER: docs/acpi.md has each table with its revision, and no other
revisions() {
	local table at
	for table in apic dbg2 dsdt facp gtdt iort mcfg pptt rsdp spcr viot xsdt; do
		[ $table = rsdp ] && at=15 || at=8
		printf '%s %d\n' $table "$(od -An -tu1 -j $at -N 1 "$1/$table.dat")"
	done | tr a-z A-Z | diff - <(sed -n 's/^| `\([A-Z0-9]*\)` | \([0-9]*\) | .*/\1 \2/p' "$tests/../docs/acpi.md" | sort) | grep '^[<>]'
	ls "$1"/*.dat | wc -l | grep -vx 12
}
verdict "docs/acpi.md has the tables' revisions" "$(revisions mixed)"

# The pictures, of the machine that has something of all.
read -r _ options <"$golden/mixed"
# shellcheck disable=SC2086
for format in text json dot; do
	problem=$("$nestor" topology --format $format $options 2>&1 >"mixed.$format" </dev/null)
	[ -s "mixed.$format" ] || problem+="nothing is printed"
	verdict "topology: as $format" "$problem"
done
verdict "topology: the JSON is as documented" "$(cd "$tests/.." && "$BUILD/native/json-check" topology "$work/mixed.json" 2>&1)"
if dot=$(command -v dot); then
	verdict "topology: graphviz draws the picture" "$("$dot" -Tsvg -o mixed.svg mixed.dot 2>&1)"
else
	echo "SKIP told: topology: graphviz draws the picture: it is not installed here"
fi

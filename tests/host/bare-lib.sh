# SPDX-License-Identifier: GPL-2.0-only
# Running bare-metal guests (guests/bare): a guest's test is named by its kernel parameters. Sourced after lib.sh.
GUESTS=${GUESTS:-$SHARE/guests}
DISK=$WORK/bare.disk
INPUT=$WORK/bare.input

# lines SIZE TEXT: TEXT and a newline, over and over
lines() { yes "$2" | head -c "$1"; }

fresh_disk() {
	lines 512 nestor-sector-0 >"$DISK"
	head -c 1048064 /dev/zero >>"$DISK"
}

# guest NAME "TEST PARAMETERS" ARG...: it says PASS and ends with 0
guest() {
	bin=$GUESTS/$1.bin params=$2
	shift 2
	run 0 -k "$bin" -p "$params" "$@" && said PASS && return
	line=$(grep -a -m 1 ^FAIL: "$OUT") && WHY="${line#FAIL: }"
	false
}

# ends STATUS NAME "TEST PARAMETERS" ARG...: nestor's exit code is STATUS
ends() {
	status=$1 bin=$GUESTS/$2.bin params=$3
	shift 3
	run "$status" -k "$bin" -p "$params" "$@"
}

with_disk() {
	fresh_disk
	guest "$@" -d "$DISK"
}

# tree NAME ARG...: a guest that ends at once; the device tree it was given is kept under that name
tree() {
	mkdir -p "$SHARE/dtb"
	dtb=$SHARE/dtb/$1.dtb
	shift
	run 0 -k "$GUESTS/exit.bin" -p "status status=0" --dump-dtb "$dtb" "$@"
}

# SPDX-License-Identifier: GPL-2.0-only
# What every scenario in the lab's host uses: results, and a run of Nestor with its output kept.
# Sourced by busybox sh. A scenario file is a list of calls; a result is one line:
#   PASS name | FAIL name: reason | SKIP name: reason

SHARE=${SHARE:-/share}
WORK=${WORK:-/tmp/work}
NESTOR=${NESTOR:-$WORK/nestor}
IMAGE=${IMAGE:-$WORK/Image}
INITRD=${INITRD:-$WORK/initrd}

pass() { echo "PASS $1"; }
skip() { echo "SKIP $1: $2"; }

# with_mock NAME CALL...: a case whose Nestor has the kernel's mock device (--dma-test backend=mock), and traces faults into
# $WORK/traced
with_mock() {
	if [ ! -e /sys/bus/iommufd_mock ]; then
		skip "$1" "this host's kernel has no CONFIG_IOMMUFD_TEST"
		return
	fi
	printf '#!/bin/sh\nexec "%s" "$@" --trace fault 2>"%s"\n' "$SHARE/nestor-mock" "$WORK/traced" >"$WORK/mocked"
	chmod 755 "$WORK/mocked"
	NESTOR=$WORK/mocked
	case_of "$@"
	NESTOR=$WORK/nestor
}
# through_queue LEAST: then it had so many faults: as many as its queue brought, and as it took answers to
through_queue() {
	WHY=$(sed -n 's/.*mock: \([0-9]* faults, .* answered\).*/\1/p' "$WORK/traced")
	set -- "$1" $(echo "$WHY" | tr -cd '0-9 ')
	[ "${2:-0}" -ge "$1" ] && [ "$2" = "$3" ] && [ "$2" = "$4" ]
}

# fail NAME REASON: and the last of what Nestor said, so that a log is enough to start from.
fail() {
	echo "FAIL $1: $2"
	tail -n 30 "$OUT" 2>/dev/null | sed 's/^/  | /'
	echo # the output need not end with a newline
}

# run STATUS ARG...: `nestor run ARG...`, both outputs in $OUT. False: it ended otherwise (in $WHY).
OUT=$WORK/out
run() {
	want=$1
	shift
	"$NESTOR" run --timeout 180 "$@" >"$OUT" 2>&1 </dev/null
	got=$?
	WHY="exit code $got, expected $want"
	[ "$got" = "$want" ]
}

# says_twice LINE ARG...: a guest that resets its machine says a line that begins with LINE twice, and is then stopped
says_twice() {
	line=$1
	shift
	: >"$OUT"
	"$NESTOR" run --timeout 180 --reboot --name resets -k "$IMAGE" "$@" >"$OUT" 2>&1 </dev/null &
	pid=$!
	until [ "$(grep -c "^$line" "$OUT")" -ge 2 ] || ! kill -0 $pid 2>/dev/null; do usleep 50000; done
	"$NESTOR" stop resets
	wait $pid
	got=$?
	WHY="exit code $got, $(grep -c "^$line" "$OUT") times: $(grep -a nestor: "$OUT")"
	[ $got = 0 ] && [ "$(grep -c "^$line" "$OUT")" -ge 2 ]
}
# resets_twice ARG...: a guest that resets itself comes up twice
resets_twice() { says_twice "it resets" -i "$SHARE/initrd-reset" -p "console=ttyS0 quiet" "$@"; }

# said TEXT: the output has a line with TEXT. False: $WHY.
said() {
	WHY="'$1' not in the output"
	grep -qF -- "$1" "$OUT"
}

# with_helpers: passt and virtiofsd, where the lab has brought some
with_helpers() {
	[ -d "$SHARE/helpers" ] || return 0
	[ -d "$WORK/helpers" ] || cp -r "$SHARE/helpers" "$WORK"
	export PATH="$PATH:$WORK/helpers/bin"
}

# case_of NAME COMMAND...: one result, from the command's exit code and $WHY. What it took is in $WORK/times.
# long_case NAME COMMAND...: of the soak only; what is like it and quicker is in every run
long_case() { [ -z "${SOAK:-}" ] || case_of "$@"; }
case_of() {
	name=$1
	shift
	WHY=
	since=$(cut -d ' ' -f 1 /proc/uptime)
	if "$@"; then pass "$name"; else fail "$name" "$WHY"; fi
	echo "$since $(cut -d ' ' -f 1 /proc/uptime) $name" >>"$WORK/times"
}

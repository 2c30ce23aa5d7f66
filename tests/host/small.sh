#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A host whose CPUs are of Armv8.0: no VHE, no pointer authentication, 40 bits of IPA.
# host: -P cortex-a53
. "$SHARE/tests/host/lib.sh"
QUIET="console=ttyS0 quiet"

cpus() { run 0 -k "$IMAGE" -i "$SHARE/initrd-cpus" -c 2 -m 256 -p "$QUIET" && said "cpus: 2"; }
case_of "small host: Linux runs, its CPUs go offline and come back" cpus
far() { run 71 -k "$SHARE/guests/exit.bin" -m 512G --overcommit -p "status status=7"; }
case_of "small host: memory that ends within the IPA space is a guest's" far
# refused STATUS TEXT ARG...: one line
refused() {
	status=$1 text=$2
	shift 2
	run "$status" -k "$IMAGE" "$@" && said "$text" || return 1
	WHY="$(wc -l <"$OUT") lines"
	[ "$(wc -l <"$OUT")" = 1 ]
}
case_of "small host: memory above the IPA space is refused in a line" \
	refused 3 "--mem" -m 1T --overcommit
segments() { for i in $(seq "$1"); do echo --segment "$i"; done; }
# shellcheck disable=SC2046
case_of "small host: segments above the IPA space are refused in a line, which says how many there may be" \
	refused 3 "--segment 63: expected at most 15 segments beside --mem 256M" $(segments 63)
# shellcheck disable=SC2046
case_of "small host: as many as it says are a guest's" \
	run 71 -k "$SHARE/guests/exit.bin" -p "status status=7" $(segments 14)
case_of "small host: pointer authentication is refused in a line" \
	refused 3 "--cpu pauth=on: expected a host whose KVM has pointer authentication" --cpu pauth=on

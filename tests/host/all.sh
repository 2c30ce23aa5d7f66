#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Scenarios of this folder, inside an arm64 host: each file alone, in one boot of the host.
# all.sh FILE...: which (tests/host.sh sorts them by host). What they need is in $SHARE: nestor, Image, initrd, guests/.
# CLAIMS=DIR: another host has the same list, and runs those that it is the first to make a folder for in there.
SHARE=${SHARE:-/share}
WORK=${WORK:-/tmp/work}
export SHARE WORK
mkdir -p "$WORK"
cp "$SHARE"/nestor "$SHARE"/Image "$SHARE"/initrd "$WORK"
cd "$WORK" || exit 1
for file; do
	[ -z "${CLAIMS:-}" ] || mkdir "$CLAIMS/$file" 2>/dev/null || continue
	since=$(date +%s)
	sh "$SHARE/tests/host/$file" || echo "FAIL $file: the scenario itself ended with $?"
	echo "$file: $(($(date +%s) - since)) s"
	[ ! -e times ] || awk '{ t = $2 - $1; $1 = $2 = ""; printf "%6.1f%s\n", t, $0 }' times >"$SHARE/times/$file"
	rm -f times
done

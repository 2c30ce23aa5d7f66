#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Every scenario of this folder, inside an arm64 host: each file alone, in one boot of the host.
# all.sh [NAME...]: only these files. What they need is in $SHARE: nestor, Image, initrd, guests/.
SHARE=${SHARE:-/share}
WORK=${WORK:-/tmp/work}
export SHARE WORK
mkdir -p "$WORK"
cp "$SHARE"/nestor "$SHARE"/Image "$SHARE"/initrd "$WORK"
cd "$WORK" || exit 1
[ $# -gt 0 ] || set -- $(cd "$SHARE/tests/host" && ls *.sh | grep -v -e '^lib.sh$' -e '^all.sh$')
for file; do
	sh "$SHARE/tests/host/$file" || echo "FAIL $file: the scenario itself ended with $?"
done

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Packs an initramfs: mkinitrd.sh OUT [-b BUSYBOX] [FILE[:PATH]]... puts each FILE (or folder) at /PATH (default: its
# own name), keeping its mode. -b adds busybox as /bin/busybox and /bin/sh and the empty folders a system mounts on.
# The kernel unpacks concatenated archives one after the other: one without -b, holding just /test, goes after another.
set -eu
export LC_ALL=C

fail() { echo "mkinitrd: $*" >&2; exit 1; }

# place FILE PATH
place() {
    [ -e "$1" ] || fail "no such file: $1"
    mkdir -p "$tree/$(dirname "$2")"
    cp -rL "$1" "$tree/$2"
}

[ $# -ge 2 ] || fail "usage: mkinitrd.sh OUT [-b BUSYBOX] [FILE[:PATH]]..."
out=$1
shift
command -v cpio >/dev/null || fail "cpio is not installed"
tree=$(mktemp -d)
chmod 755 "$tree"
trap 'rm -rf "$tree" "$out.$$"' EXIT
trap 'exit 130' INT TERM

if [ "$1" = -b ]; then
    place "$2" bin/busybox
    ln -s busybox "$tree/bin/sh"
    mkdir -p "$tree/dev" "$tree/proc" "$tree/sys" "$tree/tmp" "$tree/root" "$tree/etc" "$tree/run"
    shift 2
fi
for entry; do
    case $entry in
        *:*) place "${entry%%:*}" "${entry#*:}" ;;
        *) place "$entry" "${entry##*/}" ;;
    esac
done

find "$tree" -exec touch -hd @0 {} +
(cd "$tree" && find . | sort | cpio -o -H newc -R 0:0 --reproducible --quiet) >"$out.$$" || fail "cannot write $out"
mv "$out.$$" "$out"

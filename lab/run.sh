#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A Linux guest under Nestor: run.sh run|shell BUILD, where BUILD holds the program. On an arm64 machine with KVM it
# runs right here, else in the lab's host; `shell` is a shell in that host instead. KERNEL, INITRD, HOST_KERNEL, DISK,
# ARGS (for nestor run) and PARAMS (for the guest's kernel) come from the environment.

set -eu
lab=$(cd "$(dirname "$0")" && pwd)
what=$1 build=$2 share=$2/run

die() { echo "run: $*" >&2; exit 1; }

# setting NAME: its value as make's variables of the lab have it
setting() { "$lab/setup.sh" env | sed -n "s/^$1 := //p"; }

here() { [ "$what" = run ] && [ "$(uname -m)" = aarch64 ] && [ -r /dev/kvm ] && [ -w /dev/kvm ]; }

# place FILE NAME: FILE is the share's NAME, without a copy where that can be
place() { [ "$1" -ef "$share/$2" ] || ln -fL "$1" "$share/$2" 2>/dev/null || cp -L "$1" "$share/$2"; }

fill_share() {
    mkdir -p "$share"
    place "$build/nestor" nestor
    place "${KERNEL:-$(setting LAB_KERNEL)}" Image
    if [ -n "${INITRD:-}" ]; then
        place "$INITRD" initrd
    else
        "$lab/../guests/linux/mkinitrd.sh" "$share/initrd" -b "$(setting LAB_BUSYBOX)" "$lab/../guests/linux/init"
    fi
    [ -e "$build/disk.img" ] || head -c 16M /dev/urandom >"$build/disk.img"
    place "${DISK:-$build/disk.img}" disk.img
    [ -z "${DISK:-}" ] || [ "$DISK" -ef "$share/disk.img" ] ||
        echo "run: $DISK is on another file system: the guest writes to a copy, $share/disk.img" >&2
}

for name in KERNEL INITRD HOST_KERNEL DISK; do
    [ -z "${!name:-}" ] || { [ -f "${!name}" ] && [ -r "${!name}" ]; } || die "$name=${!name}: expected a readable file"
done
here && level=guest || level=lab
"$lab/setup.sh" "$level"
fill_share

mode=report terminal=
[ ! -t 0 ] || [ ! -t 1 ] || { mode=shell terminal=-i; }
host=("$lab/host.sh" $terminal -s "$share" -k "${HOST_KERNEL:-$(setting LAB_KERNEL)}" --)
if [ "$what" = shell ]; then
    echo "In the lab's host: nestor is in the PATH; Image, initrd and disk.img are in /share; exit leaves."
    exec "${host[@]}" sh
fi

echo "disk.img: $(stat -Lc %s "$share/disk.img") bytes sha256 $(sha256sum <"$share/disk.img" | cut -d' ' -f1)"
params="console=ttyS0 earlycon quiet nestor.run=$mode ${PARAMS:-}"
disk=disk.img copied="nestor Image initrd disk.img"
here || [ -z "${DISK:-}" ] || { disk=/share/disk.img copied="nestor Image initrd"; }
# shellcheck disable=SC2086
set -- -k Image -i initrd -d $disk -c 2 -m 512 -p "$params" ${ARGS:-}
if here; then
    cd "$share"
    exec ./nestor run "$@"
fi
# Quicker from the host's own memory; but what the guest writes to a DISK is to stay
exec "${host[@]}" sh -c "cd /share && cp $copied /tmp && cd /tmp && exec ./nestor run \"\$@\"" sh "$@"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The peer that Nestor is measured beside: Debian's QEMU for arm64, unpacked into the cache with its
# own loader, as it runs in the lab's host. Prints its folder, which has bin/qemu-system-aarch64.
. "$(dirname "$0")/../lab/lib.sh"
. "$lab/apt.sh"
. "$lab/tools.sh"

peer=peer-$(key qemu-system-arm 2)

make_peer() {
	local source deb
	source=$(debian_source)
	open_world peer arm64 "${source% *}" trixie trixie-backports
	get peer qemu-system-arm
	for deb in $(debs peer qemu-system-arm); do
		dpkg-deb -x "$deb" "$1"
	done
	mkdir "$1/bin"
	rm -rf "$1"/usr/share/{doc,man,locale,icons,bash-completion} "$1"/usr/lib/udev "$1"/usr/lib/systemd
	wrap "$1" qemu-system-aarch64 '-L "$T/usr/share/qemu"'
}

[ -e "$cache/$peer" ] || {
	only_one
	need_space 1200
	entry "$peer" "QEMU for arm64" got make_peer
}
echo "$cache/$peer"

# SPDX-License-Identifier: GPL-2.0-only
# lspci for a guest: Debian 13's for arm64, with the loader and just the libraries it is linked to, and the names of
# vendors and devices.

pciutils=pciutils-$(key 1)

make_pciutils() {
    local source deb
    source=$(debian_source)
    open_world pciutils arm64 "${source% *}" trixie
    get pciutils pciutils
    for deb in $(debs pciutils pciutils); do
        dpkg-deb -x "$deb" "$1/unpacked"
    done
    mkdir -p "$1/bin" "$1/usr/lib" "$1/usr/bin" "$1/share"
    cp "$1/unpacked/usr/bin/lspci" "$1/usr/bin"
    cp "$1/unpacked/usr/share/misc/pci.ids" "$1/share"
    libraries_of "$1/usr/bin/lspci" "$1/unpacked" "$1/usr/lib"
    wrap "$1" lspci
    rm -rf "$1/unpacked" "$cache/apt/pciutils"
    du -sh "$1"
}

# libraries_of PROGRAM FROM TO: what it needs, and what that needs, out of the folder FROM
libraries_of() {
    local name path
    for name in $("${cross}objdump" -p "$1" | awk '$1 == "NEEDED" { print $2 }'); do
        [ ! -e "$3/$name" ] || continue
        path=$(find "$2" -name "$name" -print -quit)
        [ -n "$path" ] || { echo "Error: no package has $name" >&2; return 1; }
        cp -L "$path" "$3/$name"
        libraries_of "$path" "$2" "$3"
    done
}

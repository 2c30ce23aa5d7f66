# SPDX-License-Identifier: GPL-2.0-only
# What is linked into the arm64 program, and the busybox of host and guest: packages of the machine's own release.

sysroot_packages="libfdt-dev libjansson-dev zlib1g-dev libzstd-dev liburing-dev libbsd-dev busybox-static"
sysroot=sysroot-$(key "$sysroot_packages" "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" 1)

make_sysroot() {
    local package
    open_arm64
    get arm64 $sysroot_packages
    for package in $sysroot_packages; do
        dpkg-deb -x "$(deb arm64 "$package")" "$1"
    done
    rm -rf "$1/usr/share"
    cp "$(find "$1/bin" "$1/usr/bin" -name busybox -print -quit 2>/dev/null)" "$1/busybox"
}

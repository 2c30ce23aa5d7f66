# SPDX-License-Identifier: GPL-2.0-only
# The programs that Nestor starts beside itself, passt and virtiofsd, for the lab's host: Debian 13's arm64 packages
# with the loader and libraries they are linked to; bin/ has what is to be in the PATH.

helper_packages="passt virtiofsd"
helpers=helpers-$(key "$helper_packages" 1)

make_helpers() {
    local source deb
    source=$(debian_source)
    open_world helpers arm64 "${source% *}" trixie
    get helpers $helper_packages
    for deb in $(debs helpers $helper_packages); do
        dpkg-deb -x "$deb" "$1"
    done
    mkdir "$1/bin"
    ln -s ../libexec/virtiofsd "$1/usr/bin/virtiofsd"
    wrap "$1" passt
    wrap "$1" virtiofsd
    find "$1/usr" -mindepth 1 -maxdepth 1 ! -name bin ! -name lib ! -name libexec -exec rm -rf {} +
    find "$1/usr/bin" -type f ! -name passt -delete
    rm -rf "$1"/{etc,var} "$1"/usr/lib/{qemu,tmpfiles.d,*/gconv} "$cache/apt/helpers"
    du -sh "$1"
}

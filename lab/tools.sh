# SPDX-License-Identifier: GPL-2.0-only
# The toolbox (QEMU, its firmware, iasl, dtc) and the uAPI headers: the machine's own where new enough, else from
# packages unpacked into the cache and run through their own loader.

tool_packages="qemu-system-arm qemu-efi-aarch64 acpica-tools device-tree-compiler"
tools=tools-$(key "$tool_packages" 1)
uapi=uapi-7.2-$(key 1)
qmp=qmp-$(key python3-qemu-qmp 1)

version_of() { "$@" 2>/dev/null </dev/null | grep -oE '[0-9]+(\.[0-9]+)+|[0-9]{8}' | head -n 1 || :; }

# Each prints the machine's own program if it is new enough
own_qemu() { at_least 10.1 "$(version_of qemu-system-aarch64 --version)" && command -v qemu-system-aarch64; }
own_iasl() { at_least 20250404 "$(version_of iasl -v)" && command -v iasl; }
own_dtc() { at_least 1.7 "$(version_of dtc --version)" && command -v dtc; }
own_firmware() { ls /usr/share/qemu-efi-aarch64/QEMU_EFI.fd /usr/share/edk2/aarch64/QEMU_EFI.fd 2>/dev/null | head -n 1 | grep .; }

# wrap DIR PROGRAM ARG...: DIR/bin/PROGRAM runs DIR/usr/bin/PROGRAM with the libraries beside it
wrap() {
    local dir=$1 program=$2 loader libs
    loader=$(cd "$dir" && find usr/lib lib -name 'ld-linux-*.so.?' -print -quit)
    libs=$(dirname "$(cd "$dir" && find usr/lib lib -name 'libc.so.6' -print -quit)")
    shift 2
    cat >"$dir/bin/$program" <<END
#!/bin/sh
T=\${0%/bin/*}
exec "\$T/$loader" --library-path "\$T/$libs" "\$T/usr/bin/$program" $* "\$@"
END
    chmod +x "$dir/bin/$program"
}

make_tools() {
    local dir=$1 own list='' deb
    mkdir "$dir/bin"
    own=$(own_qemu) && ln -s "$own" "$dir/bin/qemu-system-aarch64" || list+=' qemu-system-arm'
    own=$(own_iasl) && ln -s "$own" "$dir/bin/iasl" || list+=' acpica-tools'
    own=$(own_dtc) && ln -s "$own" "$dir/bin/dtc" || list+=' device-tree-compiler'
    own=$(own_firmware) && ln -s "$own" "$dir/QEMU_EFI.fd" || list+=' qemu-efi-aarch64'
    [ -n "$list" ] || return 0
    open_tools
    get tools $list
    for deb in $(debs tools $list); do
        dpkg-deb -x "$deb" "$dir"
    done
    rm -rf "$dir/usr/share/doc" "$dir/usr/share/man" "$dir/usr/share/locale"
    [ -e "$dir/bin/iasl" ] || wrap "$dir" iasl
    [ -e "$dir/bin/dtc" ] || wrap "$dir" dtc
    [ -e "$dir/QEMU_EFI.fd" ] || ln -s usr/share/qemu-efi-aarch64/QEMU_EFI.fd "$dir/QEMU_EFI.fd"
    [ -e "$dir/bin/qemu-system-aarch64" ] ||
        wrap "$dir" qemu-system-aarch64 '-L "$T/usr/share/qemu" -L "$T/usr/share/seabios" -L "$T/usr/lib/ipxe/qemu"'
    "$dir/bin/qemu-system-aarch64" --version
    "$dir/bin/iasl" -v
}

# tools_whole: false where one of the machine's own tools, linked to, has gone since
tools_whole() {
    local dir=$cache/$tools
    [ ! -e "$dir" ] || { [ -x "$dir/bin/qemu-system-aarch64" ] && [ -x "$dir/bin/iasl" ] && [ -x "$dir/bin/dtc" ] && [ -e "$dir/QEMU_EFI.fd" ]; }
}

# QEMU's QMP client, in Python alone: a test's. The python3 it runs on is the machine's.
make_qmp() {
    open_tools
    (cd "$1" && in_world tools apt-get -t trixie-backports download python3-qemu-qmp)
    dpkg-deb -x "$1"/python3-qemu-qmp_*.deb "$1"
    rm -r "$1"/python3-qemu-qmp_*.deb "$1/usr/share"
}

# The machine's own headers serve if they are 7.2 and speak arm64
own_uapi() {
    at_least 459264 "$(awk '/LINUX_VERSION_CODE/ { print $3 }' /usr/include/linux/version.h 2>/dev/null)" && uapi_asm / >/dev/null
}
uapi_asm() {
    ls -d "$1/usr/lib/linux/uapi/arm64/asm" "$1/usr/include/aarch64-linux-gnu/asm" 2>/dev/null | head -n 1 | grep . && return
    [ "$machine" = aarch64 ] && ls -d "$1/usr/include/asm"
}

# make_uapi DIR: a folder as a kernel's headers_install makes it
make_uapi() {
    local from='' dir
    if ! own_uapi; then
        open_tools
        get tools linux-libc-dev
        from=$1/unpacked
        dpkg-deb -x "$(deb tools linux-libc-dev)" "$from"
    fi
    mkdir "$1/include"
    for dir in linux asm-generic misc mtd rdma scsi sound video xen drm cxl fwctl; do
        [ ! -d "$from/usr/include/$dir" ] || cp -r "$from/usr/include/$dir" "$1/include/"
    done
    cp -rL "$(uapi_asm "$from")" "$1/include/asm"
    rm -rf "$1/unpacked"
}

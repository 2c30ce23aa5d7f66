#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Makes ready what the project stands on: `setup.sh build` to compile, `guest` to have a Linux guest's kernel too, `lab`
# to have an arm64 host too. `setup.sh env` prints, as make variables, where it is. Says nothing when all is there.

. "$(dirname "$0")/lib.sh"
. "$lab/apt.sh"
. "$lab/tools.sh"
. "$lab/sysroot.sh"
. "$lab/kernel.sh"
. "$lab/kselftest.sh"
. "$lab/debian.sh"
. "$lab/helpers.sh"
. "$lab/pciutils.sh"
. "$lab/dtschema.sh"

build_packages="gcc libc6-dev make git xz-utils cpio libfdt-dev libjansson-dev zlib1g-dev libzstd-dev liburing-dev libbsd-dev
    libcriterion-dev clang-format"
kernel_packages="flex bison bc"
lab_packages="python3 zstd graphviz"
[ "$machine" = aarch64 ] || build_packages+=" gcc-aarch64-linux-gnu libc6-dev-arm64-cross"

# missing PACKAGE...: those of them that this machine has not
missing() {
    comm -23 <(printf '%s\n' "$@" | sort) <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null |
        sed -n 's/^ii *//p' | sort)
}

# machine_packages PACKAGE...: installs what is missing, which is the only thing that needs root
machine_packages() {
    local list as_root=''
    command -v apt-get >/dev/null || die "this machine has no apt-get; install the like of: $*"
    list=$(missing "$@" | tr '\n' ' ')
    [ -n "$list" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || die "packages are missing, run: sudo apt-get install --no-install-recommends $list"
        as_root="sudo -n"
    fi
    say "installing on this machine: $list"
    step "packages" last_line apt_install "$as_root" $list
}

apt_install() {
    $1 apt-get update
    $1 env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "${@:2}"
}
last_line() { tail -n 1 "$1" | cut -c1-60; }

# ready: true if nothing of the level is missing
ready() {
    local name
    for name in $entries; do
        [ -e "$cache/$name" ] || return 1
    done
    case " $entries " in *" $tools "*) tools_whole || return 1 ;; esac
    [ -z "$(missing $packages)" ]
}

# space_for ENTRY...: megabytes that those still to be made need, and their packages
space_for() {
    local name sum=0 tree=0 # one build tree at a time
    for name; do
        [ -e "$cache/$name" ] && continue
        case $name in
            "$tools") sum=$((sum + 800)) ;;
            "$debian12" | "$debian13" | "$dtschema") sum=$((sum + 200)) ;;
            "$modules") sum=$((sum + 300)) ;;
            "$kernel" | "$kernel_64k") tree=2200 ;;
            *) sum=$((sum + 100)) ;;
        esac
    done
    [ $tree = 0 ] || sum=$((sum + tree - $(du -sm "$cache/wip" | cut -f1)))
    echo $sum
}

# setup LEVEL
setup() {
    local packages=$build_packages entries="$uapi $sysroot"
    [ "$1" = build ] || packages+=" $kernel_packages" entries+=" $kernel"
    [ "$1" != lab ] || packages+=" $lab_packages" entries+=" $tools $qmp $debian12 $debian13 $helpers $pciutils $kselftest $dtschema $kernel_64k $modules"
    ! ready || return 0
    only_one
    machine_packages $packages
    ! ready || return 0
    need_space "$(space_for $entries)"
    tools_whole || rm -rf "${cache:?}/$tools"
    entry "$uapi" "uAPI headers" got make_uapi
    entry "$sysroot" "arm64 libraries" got make_sysroot
    [ "$1" != lab ] || entry "$tools" toolbox got make_tools
    [ "$1" != lab ] || entry "$qmp" "QMP client" got make_qmp
    [ "$1" != lab ] || entry "$helpers" "passt and virtiofsd for arm64" got make_helpers
    [ "$1" != lab ] || entry "$pciutils" "lspci for arm64" got make_pciutils
    [ "$1" != lab ] || entry "$kselftest" "the kernel's tests for arm64" got make_kselftest
    [ "$1" != lab ] || entry "$dtschema" "dt-validate and its schemas" got make_dtschema
    [ "$1" != lab ] || entry "$debian12" "Debian 12's kernel" got make_debian12
    [ "$1" != lab ] || entry "$debian13" "Debian 13's kernel" got make_debian13
    [ "$1" = build ] || setup_kernel
    [ "$1" != lab ] || setup_kernel_64k
    [ "$1" != lab ] || entry "$modules" "what modules are built in" got make_modules
}

# print_env: assignments for make, of what exists
print_env() {
    local lib=$cache/$sysroot/usr headers=$cache/$uapi/include
    if [ -n "${UAPI:-}" ]; then
        headers=$UAPI/include
        [ -r "$headers/linux/kvm.h" ] || die "UAPI=$UAPI: no include/linux/kvm.h there (expected a kernel's headers_install)"
    fi
    echo "CROSS_CC := ${cross}gcc"
    echo "UAPI_DIR := $headers"
    echo "UAPI_CPPFLAGS := -isystem $headers"
    echo "SYSROOT_CPPFLAGS := -isystem $lib/include -isystem $lib/include/aarch64-linux-gnu"
    echo "SYSROOT_LDFLAGS := -L$lib/lib/aarch64-linux-gnu"
    echo "LAB_BUSYBOX := $cache/$sysroot/busybox"
    echo "LAB_QEMU := $cache/$tools/bin/qemu-system-aarch64"
    echo "LAB_QMP := $cache/$qmp/usr/lib/python3/dist-packages"
    echo "LAB_IASL := $cache/$tools/bin/iasl"
    echo "LAB_DTC := $cache/$tools/bin/dtc"
    echo "LAB_EFI := $cache/$tools/QEMU_EFI.fd"
    echo "LAB_KERNEL := $cache/$kernel/Image"
    echo "LAB_KERNEL_64K := $cache/$kernel_64k/Image"
    echo "LAB_ZBOOT := $cache/$kernel/vmlinuz.efi"
    echo "LAB_HELPERS := $cache/$helpers"
    echo "LAB_PCIUTILS := $cache/$pciutils"
    echo "LAB_KSELFTEST := $cache/$kselftest"
    echo "LAB_DT_VALIDATE := $cache/$dtschema/bin/dt-validate"
    echo "LAB_DEBIAN12 := $cache/$debian12"
    echo "LAB_DEBIAN13 := $cache/$debian13"
    echo "LAB_KERNEL_HEADERS := $cache/$kernel"
    echo "LAB_MODULES := $cache/$modules"
}

[ $# -gt 0 ] || die "usage: setup.sh build|guest|lab|env..."
for level; do
    case $level in
        env) print_env ;;
        build | guest | lab) setup "$level" ;;
        *) die "unknown level: $level (build, guest, lab or env)" ;;
    esac
done

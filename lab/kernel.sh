# SPDX-License-Identifier: GPL-2.0-only
# The lab's kernel: Debian's linux-source with kernel.config over allnoconfig; and a guest's with pages of 64 KiB, by
# kernel-64k.config; and what modules of the first are built in. A build tree stays in wip/ until it is done, so an interrupted build goes on where it was.

kernel=linux-7.2-$(key "$(cat "$lab/kernel.config")" 2)
kernel_64k=linux-7.2-64k-$(key "$(cat "$lab/kernel-64k.config")" 1)
modules=linux-7.2-modules-$(key "$kernel" 1)

built() { echo "$(find "$cache"/wip/*/obj -name '*.[oa]' | wc -l) of about 2200 objects (1300 with pages of 64 KiB)"; }
unpacked() { echo "$(du -sm "$cache/wip" | cut -f1) MB"; }

# kernel_tar: writes a 7.2 or newer linux-source, which this machine has or Debian has, as a tar archive
kernel_tar() {
    local tar package
    tar=$(ls /usr/src/linux-source-7.*.tar.xz 2>/dev/null | sort -V | tail -n 1) || :
    if [ -n "$tar" ]; then
        xz -dc "$tar"
        return
    fi
    {
        open_tools
        package=linux-source-7.2
        in_world tools apt-cache show $package >/dev/null 2>&1 ||
            package=$(in_world tools apt-cache search -n '^linux-source-7[.]' | cut -d' ' -f1 | sort -V | tail -n 1)
        get tools "$package"
    } >&2
    dpkg-deb --fsys-tarfile "$(deb tools "$package")" | tar xO --wildcards './usr/src/*.tar.xz' | xz -dc
}

# kernel_source DIR: unpacks it as DIR
kernel_source() {
    rm -rf "$1.part"
    mkdir -p "$1.part"
    kernel_tar | tar x -C "$1.part" --strip-components=1 --exclude='*/Documentation/*/*'
    mv "$1.part" "$1"
}

kernel_make() { make -C "$1/src" O="$1/obj" ARCH=arm64 CROSS_COMPILE=$cross "${@:2}"; }

# kernel_config DIR CONFIG: configures, and fails on a line of CONFIG that did not take
kernel_config() {
    local want got
    KCONFIG_ALLCONFIG="$2" kernel_make "$1" allnoconfig
    while IFS='=' read -r want got; do
        [ "$got" != n ] || { ! grep "^$want=" "$1/obj/.config" || { echo "Error: $want is not off"; return 1; }; continue; }
        grep -qx "$want=$got" "$1/obj/.config" || { echo "Error: $want=$got did not take"; return 1; }
    done < <(grep -v '^#' "$2")
}

# kernel_image DIR CONFIG TARGET...
kernel_image() {
    kernel_config "$1" "$2"
    kernel_make "$1" -j"$(nproc)" KBUILD_BUILD_TIMESTAMP='1970-01-01' KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=lab "${@:3}"
}

# kernel_entry NAME TITLE CONFIG TARGET...: its images, its .config and iommufd_test.h in the cache
kernel_entry() {
    local name=$1 title=$2 config=$3 wip=$cache/wip/$1
    shift 3
    [ ! -e "$cache/$name" ] || return 0
    mkdir -p "$wip/obj"
    [ -d "$wip/src" ] || step "$title's source" unpacked kernel_source "$wip/src"
    step "$title" built kernel_image "$wip" "$config" "$@"
    mkdir "$cache/tmp/$name"
    cp "${@/#/$wip/obj/arch/arm64/boot/}" "$wip/obj/.config" "$wip/src/drivers/iommu/iommufd/iommufd_test.h" "$cache/tmp/$name/"
    mv -T "$cache/tmp/$name" "$cache/$name"
    rm -rf "$wip"
}

# The one for host and guests is there as an EFI application that unpacks itself, too.
setup_kernel() { kernel_entry "$kernel" kernel "$lab/kernel.config" Image vmlinuz.efi; }
setup_kernel_64k() { kernel_entry "$kernel_64k" "kernel of 64 KiB pages" "$lab/kernel-64k.config" Image; }

# What a module is built in: the kernel's headers and makefiles, configured as the kernel was. It can be moved.
make_modules() {
    kernel_tar | tar x -C "$1" --strip-components=1 --exclude='*/Documentation/*/*' --exclude='*/tools/testing' \
        --exclude='*/drivers/*.[chS]' --exclude='*/sound/*.c' --exclude='*/fs/*.c' --exclude='*/net/*.c' \
        --exclude='*/mm/*.c' --exclude='*/crypto/*.c' --exclude='*/arch/[!a]*.[chS]' --exclude='*.dts*' --exclude='*.rs'
    cp "$cache/$kernel/.config" "$1"
    make -C "$1" ARCH=arm64 CROSS_COMPILE=$cross KBUILD_BUILD_TIMESTAMP='1970-01-01' olddefconfig modules_prepare
    cmp "$cache/$kernel/.config" "$1/.config"
    du -sh "$1"
}

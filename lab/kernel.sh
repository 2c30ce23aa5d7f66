# SPDX-License-Identifier: GPL-2.0-only
# The lab's kernel: Debian's linux-source with kernel.config over allnoconfig. Its build tree stays in wip/ until it is
# done, so an interrupted build goes on where it was.

kernel=linux-7.2-$(key "$(cat "$lab/kernel.config")" 2)
kernel_objects=2200 # about; for the progress line

built() { echo "$(find "$cache/wip/$kernel/obj" -name '*.[oa]' | wc -l) of about $kernel_objects objects"; }
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

# kernel_config DIR: configures, and fails on a line of kernel.config that did not take
kernel_config() {
    local want got
    KCONFIG_ALLCONFIG="$lab/kernel.config" kernel_make "$1" allnoconfig
    while IFS='=' read -r want got; do
        [ "$got" != n ] || { ! grep "^$want=" "$1/obj/.config" || { echo "Error: $want is not off"; return 1; }; continue; }
        grep -qx "$want=$got" "$1/obj/.config" || { echo "Error: $want=$got did not take"; return 1; }
    done < <(grep -v '^#' "$lab/kernel.config")
}

kernel_image() {
    kernel_config "$1"
    kernel_make "$1" -j"$(nproc)" KBUILD_BUILD_TIMESTAMP='1970-01-01' KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=lab \
        Image vmlinuz.efi
}

# setup_kernel: the Image, plain and as an EFI application that unpacks itself, its .config and iommufd_test.h in the cache
setup_kernel() {
    local wip=$cache/wip/$kernel
    [ ! -e "$cache/$kernel" ] || return 0
    mkdir -p "$wip/obj"
    [ -d "$wip/src" ] || step "kernel source" unpacked kernel_source "$wip/src"
    step kernel built kernel_image "$wip"
    mkdir "$cache/tmp/$kernel"
    cp "$wip"/obj/arch/arm64/boot/{Image,vmlinuz.efi} "$wip/obj/.config" "$wip/src/drivers/iommu/iommufd/iommufd_test.h" "$cache/tmp/$kernel/"
    mv -T "$cache/tmp/$kernel" "$cache/$kernel"
    rm -rf "$wip"
}

# SPDX-License-Identifier: GPL-2.0-only
# Debian's own arm64 kernels, as guests: vmlinuz, and the modules that our devices need, in an order in which they
# can be loaded. The packages go again.

debian_modules="virtio virtio_ring virtio_pci virtio_pci_modern_dev virtio_pci_legacy_dev virtio_mmio virtio_blk
    virtio_net net_failover failover af_packet virtio_console virtio-rng vsock vmw_vsock_virtio_transport
    vmw_vsock_virtio_transport_common fuse virtiofs virtio-iommu gpio_keys evdev"
debian12=debian-12-$(key "$debian_modules" 1)
debian13=debian-13-$(key "$debian_modules" 1)

make_debian12() { make_debian bookworm "$1"; }
make_debian13() { make_debian trixie "$1"; }

# make_debian SUITE DIR
make_debian() {
    local world=debian-$1 source package name patterns=(./boot/'vmlinuz-*')
    source=$(debian_source)
    open_world "$world" arm64 "${source% *}" "$1"
    package=$(in_world "$world" apt-cache depends linux-image-arm64 | sed -n 's/.*Depends: //p')
    (cd "$2" && in_world "$world" apt-get download "$package")
    for name in $debian_modules; do
        patterns+=("*/kernel/*/$name.ko" "*/kernel/*/$name.ko.xz")
    done
    mkdir "$2/unpacked" "$2/modules"
    # What is built into one kernel is a module of the other: tar finds not all of them
    dpkg-deb --fsys-tarfile "$2/$package"_*.deb | tar x -C "$2/unpacked" --wildcards "${patterns[@]}" || :
    find "$2/unpacked" -name '*.xz' -exec xz -d {} +
    mv "$2"/unpacked/boot/vmlinuz-* "$2/vmlinuz"
    order_modules "$2"
    rm -rf "$2/$package"_*.deb "$2/unpacked" "$cache/apt/$world"
    [ -e "$2/vmlinuz" ] && ls "$2"/modules/*virtio_blk.ko
}

# order_modules DIR: what is in unpacked/ goes to modules/, numbered
order_modules() {
    local -A file seen
    local path name count=100
    while read -r path; do
        name=${path##*/} name=${name%.ko}
        file[${name//-/_}]=$path
    done < <(find "$1/unpacked" -name '*.ko')
    for name in "${!file[@]}"; do
        place_module "$1/modules" "$name"
    done
}

# place_module DIR NAME: behind all that it depends on
place_module() {
    local needs
    [ -z "${seen[$2]:-}" ] || return 0
    seen[$2]=1
    [ -n "${file[$2]:-}" ] || { echo "Error: the list of modules lacks $2" >&2; return 1; }
    for needs in $(tr '\0' '\n' <"${file[$2]}" | sed -n 's/^depends=//p' | tr ',-' ' _'); do
        place_module "$1" "$needs"
    done
    mv "${file[$2]}" "$1/$((count += 1))-$2.ko"
}

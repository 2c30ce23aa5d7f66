#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Devices to assign, for the lab's host, each behind a root port, and behind SMMUs that nest (an e1000e behind the first, with all
# else of the machine). Two SMMUs: an igb, an NVMe disk and a virtio-net are behind the second. Five: the disk, a virtio-net, another
# e1000e and another virtio-net have one each. What cards send to 10.0.2.100, port 7, comes back, to port 9 is lost, and from port 19 they
# get 2 MiB. Told by ACPI, which more than one SMMU needs. Sourced by host.sh.

# A GICv2m of QEMU's has 64 messages for all that there is, and a device has all of its own at once there: a disk has 65, unless told
disk_device() {
    local few=
    case $machine_props in *gic-version=2*) few=,msix_qsize=9 ;; esac
    echo "nvme,drive=disk,serial=one$few"
}
# behind_two ECHO, behind_five ECHO: what is not behind the first, a line each
behind_two() {
    printf '%s\n' -device pxb-pcie,id=pcie.1,bus_nr=32,bus=pcie.0 -device arm-smmuv3,primary-bus=pcie.1,id=smmu1,stage=nested \
        -device pcie-root-port,id=port1,bus=pcie.1,chassis=2 -device igb,bus=port1,netdev=net1 -netdev "$echo,id=net1" \
        -device pcie-root-port,id=port2,bus=pcie.1,chassis=3 -device "$(disk_device),bus=port2" \
        -device pcie-root-port,id=port3,bus=pcie.1,chassis=4 -netdev "$echo,id=net2" \
        -device virtio-net-pci,bus=port3,netdev=net2,iommu_platform=on,disable-legacy=on
}
behind_five() {
    local i card=virtio-net-pci,iommu_platform=on,disable-legacy=on
    local devices=("$(disk_device)" "$card,netdev=net2" e1000e,netdev=net3 "$card,netdev=net4")
    for i in 1 2 3 4; do
        printf '%s\n' -device "pxb-pcie,id=pcie.$i,bus_nr=$((i * 32)),bus=pcie.0" \
            -device "arm-smmuv3,primary-bus=pcie.$i,id=smmu$i,stage=nested" \
            -device "pcie-root-port,id=port$i,bus=pcie.$i,chassis=$((i + 1))" -device "${devices[i - 1]},bus=port$i"
        [ $i = 1 ] || printf '%s\n' -netdev "$1,id=net$i"
    done
}

# devices_args WORK KIND: QEMU's arguments, a line each
devices_args() {
    local disk=$1/disk echo=user,guestfwd=tcp:10.0.2.100:7-cmd:cat
    echo+=,guestfwd=tcp:10.0.2.100:9-cmd:'dd of=/dev/null bs=64k',guestfwd=tcp:10.0.2.100:19-cmd:'head -c 2097152 /dev/zero'
    truncate -s 16M "$disk"
    printf '%s\n' -bios "$cache/$tools/QEMU_EFI.fd" -drive "if=none,id=disk,format=raw,file=${disk//,/,,}" \
        -device arm-smmuv3,primary-bus=pcie.0,id=smmu0,stage=nested \
        -device pcie-root-port,id=port0,bus=pcie.0,chassis=1 -device e1000e,bus=port0,netdev=net0 -netdev "$echo,id=net0"
    case $2 in *five) behind_five "$echo" ;; *) behind_two "$echo" ;; esac
}

# byte FILE OFFSET, word FILE OFFSET: of a table; put FILE OFFSET BYTE
byte() { od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' '; }
word() { od -An -tu4 -j "$2" -N 4 --endian=little "$1" | tr -d ' '; }
put() { printf "\\x$(printf %02x "$3")" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# say_canwbs IORT: sets bit 2 of each root complex's memory access flags (Arm DEN 0049, a node of type 2). QEMU's IORT
# has it clear, and then the kernel lets nobody nest. A newer revision takes the old one's place.
say_canwbs() {
    local at nr i sum
    at=$(word "$1" 40)
    nr=$(word "$1" 36)
    for ((i = 0; i < nr; i++)); do
        [ "$(byte "$1" "$at")" != 2 ] || put "$1" $((at + 23)) $(($(byte "$1" $((at + 23))) | 4))
        at=$((at + $(byte "$1" $((at + 1))) + 256 * $(byte "$1" $((at + 2)))))
    done
    put "$1" 24 $(($(byte "$1" 24) + 1))
    put "$1" 9 0
    sum=$(od -An -v -tu1 -w1 "$1" | awk '{ s += $1 } END { print s % 256 }')
    put "$1" 9 $(((256 - sum) % 256))
}

# devices_iort KIND CPUS PROPS ARGS: makes, in $work, an archive to go in front of the initramfs (CONFIG_ACPI_TABLE_UPGRADE), made of what a
# host with these of host.sh's options finds in a first boot
devices_iort() {
    local name dir
    name=$cache/iort-$(key "$tools" "$(cat "$lab/devices.sh")" "$@").cpio
    if [ ! -e "$name" ]; then
        dir=$work/iort
        mkdir "$dir"
        "$lab/host.sh" -t 120 -s "$dir" -c "$2" -M "${3#,}" -q "$4" -d "plain-$1" -- cp /sys/firmware/acpi/tables/IORT /share/IORT.aml >&2 </dev/null || return
        say_canwbs "$dir/IORT.aml"
        "$lab/../guests/linux/mkinitrd.sh" "$name" "$dir/IORT.aml:kernel/firmware/acpi/IORT.aml" || return
    fi
    echo "$name"
}

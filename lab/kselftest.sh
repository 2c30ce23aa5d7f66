# SPDX-License-Identifier: GPL-2.0-only
# The kernel's own tests that guests run, for arm64, static: built from its source alone.

kselftest=kselftest-7.2-$(key 1)

make_kselftest() {
    kernel_tar | tar x -C "$1" --strip-components=1 --wildcards '*/tools/testing/selftests/*.h' \
        '*/tools/testing/selftests/pci_endpoint/*' '*/include/uapi/linux/pcitest.h'
    "${cross}gcc" -O2 -static -D_GNU_SOURCE= -I "$1/tools/testing/selftests" -isystem "$cache/$uapi/include" \
        "$1/tools/testing/selftests/pci_endpoint/pci_endpoint_test.c" -o "$1/pci_endpoint_test"
    rm -r "$1/tools" "$1/include"
}

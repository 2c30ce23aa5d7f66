#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: it started at EL2, its KVM is there, and where it has what a guest of its own needs, that runs.
dmesg | grep -q 'All CPU(s) started at EL2' || exit 1
dmesg | sed -n 's/.*kvm \[1\]: \(.* mode initialized successfully\)/hypervisor: \1/p'
[ -c /dev/kvm ] || exit 2
[ -e /guest-initrd ] || exit 0
/nestor run --timeout 100 -k /Image -i /guest-initrd -c 2 -m 192 -p "console=ttyS0 quiet"
echo "its guest ended with $?"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: a read-only disk says so, reads, and refuses to be written.
[ "$(cat /sys/block/vda/ro)" = 1 ] || exit 1
dd if=/dev/vda bs=4k count=1 of=/dev/null iflag=direct 2>/dev/null || exit 2
! dd if=/dev/zero of=/dev/vda bs=4k count=1 oflag=direct 2>/dev/null || exit 3

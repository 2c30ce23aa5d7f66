#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the disk's figures, as "figure NAME VALUE" lines.
/reads /dev/vda 1048576 4 128 >/dev/null # warm
echo "figure blk_1m $(/reads /dev/vda 1048576 4 256)"
echo "figure blk_4k_qd1 $(/reads /dev/vda 4096 1 1000 random)"
echo "figure blk_4k_qd32 $(/reads /dev/vda 4096 32 5000 random)"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the disk's figures in blocks of 4 KiB, as "figure NAME VALUE" lines.
/reads /dev/vda 4096 1 200 random >/dev/null # warm
echo "figure blk_4k_qd1 $(/reads /dev/vda 4096 1 2000 random)"
echo "figure blk_4k_qd32 $(/reads /dev/vda 4096 32 5000 random)"

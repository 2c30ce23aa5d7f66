#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the hardware random number generator is the virtio one, and what it gives is not twice the same.
case $(cat /sys/class/misc/hw_random/rng_current) in virtio_rng*) ;; *) exit 1 ;; esac
one=$(dd if=/dev/hwrng bs=64 count=64 2>/dev/null | sha256sum)
two=$(dd if=/dev/hwrng bs=64 count=64 2>/dev/null | sha256sum)
[ "$(dd if=/dev/hwrng bs=1000 count=10 iflag=fullblock 2>/dev/null | wc -c)" = 10000 ] || exit 2
[ "$one" != "$two" ] || exit 3

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: eth0 has a carrier, until it has none.
ip link set eth0 up || exit 1
until [ "$(cat /sys/class/net/eth0/carrier)" = 1 ]; do usleep 10000; done
echo "the link is up"
until [ "$(cat /sys/class/net/eth0/carrier)" = 0 ]; do usleep 10000; done
echo "the link is down"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: page requests of the DMA endpoint: by its mailbox, served by a driver for a process's memory; else by the
# PRI queue of its SMMUv3, whose driver denies them. "figure NAME UNIT VALUE" lines.
f=$(dirname "$(grep -l 0x002d /sys/bus/pci/devices/*/device)")
name=${f##*/}
if grep -q asks.priq /proc/cmdline; then
	/asks priq "$f"
else
	echo dmatest_vpri >"$f/driver_override"
	[ ! -e "$f/driver" ] || echo "$name" >"$f/driver/unbind"
	echo "$name" >/sys/bus/pci/drivers_probe
	/asks mailbox "/dev/vpri-$name"
fi

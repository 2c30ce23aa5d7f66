#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: nested translation on the DMA endpoint, driven from user space; and what the driver logged of it.
f=$(dirname "$(grep -l 0x002d /sys/bus/pci/devices/*/device)")
echo vfio-pci >"$f/driver_override"
echo "${f##*/}" >"$f/driver/unbind"
echo "${f##*/}" >/sys/bus/pci/drivers_probe
cdev=$(ls "$f/vfio-dev") || exit 1
nest "/dev/vfio/devices/$cdev"
status=$?
dmesg | sed -n '/event: \|priv \|overflow/s/^\[[^]]*\] /log: /p'
exit $status

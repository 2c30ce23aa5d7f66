#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: what the power button tells until it is released, an event a line: the bytes of type, code and value.
until [ -c /dev/input/event0 ]; do usleep 10000; done
echo "button: $(cat /sys/class/input/event0/device/name)"
exec 3</dev/input/event0
echo "ready"
dd bs=24 count=4 <&3 2>/dev/null | hexdump -v -e '24/1 "%02x" "\n"' | sed 's/^.\{32\}/event /'

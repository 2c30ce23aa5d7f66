#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: resets it.
echo "it resets"
reboot -f

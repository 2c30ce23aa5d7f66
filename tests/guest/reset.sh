#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: resets it.
reboot -f

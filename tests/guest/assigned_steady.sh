#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: its card talks over and over, until the guest is stopped or it does no more.
. /talk
n=0
while talk eth0; do echo "talked: $((n += 1))"; done

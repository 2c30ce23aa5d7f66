#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: counts on the console until something ends it, ten times a second by the guest's own clock.
i=0
while :; do
	i=$((i + 1))
	echo "tick $i"
	usleep 100000
done

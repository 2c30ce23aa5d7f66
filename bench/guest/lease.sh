#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: eth0 has an address of the lab's DHCP server; that is said, and all.
printf '#!/bin/sh\n' >/tmp/lease
chmod 755 /tmp/lease
ip link set eth0 up
udhcpc -i eth0 -n -q -t 100 -T 1 -s /tmp/lease >/dev/null 2>&1 && echo lease-is-here

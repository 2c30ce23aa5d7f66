#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: a lease for eth0 by DHCP, then streams to the gateway, by what net.* on the kernel's command line say.
word() { sed -n "s/.*\bnet\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }

cat >/tmp/lease <<'END'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev eth0
ip route add default via "$router" dev eth0
ip link set eth0 mtu "$mtu"
END
chmod +x /tmp/lease
ip link set eth0 up || exit 1
udhcpc -n -q -O mtu -i eth0 -s /tmp/lease || exit 2
gateway=$(ip route | sed -n 's/default via \([^ ]*\) .*/\1/p')
echo "lease: $(ip addr show dev eth0 | sed -n 's/ *inet \([^ ]*\) .*/\1/p'), mtu $(cat /sys/class/net/eth0/mtu)"
traffic run "tcp:$gateway:5001" "$(word streams)" "$(word bytes)" "$(word seed)" || exit 3

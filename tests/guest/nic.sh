#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: each network card that has a driver gets a lease, and what is sent to the echo comes back as it was.
# With an argument, so many MiB each.
mib=${1:-1}
cat >/tmp/lease <<'END'
#!/bin/sh
[ "$1" != bound ] || echo "$ip" >/tmp/address-$interface
END
chmod +x /tmp/lease
head -c $((mib << 20)) /dev/urandom >/tmp/sent
n=0
for net in /sys/class/net/eth*; do
	name=${net##*/}
	ip link set "$name" up
	udhcpc -i "$name" -n -q -t 20 -T 1 -s /tmp/lease >/dev/null 2>&1 || { echo "$name: no lease"; exit 1; }
	ip addr add "$(cat "/tmp/address-$name")/24" dev "$name"
	nc -w 30 10.0.2.100 7 </tmp/sent >/tmp/back
	cmp /tmp/sent /tmp/back || { echo "$name: $(wc -c </tmp/back) bytes came back"; exit 1; }
	echo "$name: $mib MiB there and back"
	ip addr flush dev "$name"
	ip link set "$name" down
	n=$((n + 1))
done
echo "cards: $n"

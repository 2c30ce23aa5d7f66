#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest of a guest: the DMA endpoint passes the kernel's own test of it, and what is sent by the network card comes back.
for g in /sys/kernel/iommu_groups/*; do
	for f in "$g"/devices/*; do echo "inner: $(cat "$g/type") ${f##*/}"; done
done
if [ -e /kselftest/pci_endpoint_test ]; then
	/kselftest/pci_endpoint_test
	echo "inner: kselftest: $?"
fi
head -c 65536 /dev/urandom >/tmp/sent
ip link set eth0 up && ip addr add 10.9.0.2/24 dev eth0 || exit 1
for time in 1 2 3 4 5 6 7 8; do
	nc -w 60 10.9.0.1 7 </tmp/sent >/tmp/back
	cmp /tmp/sent /tmp/back || { echo "inner: $(wc -c </tmp/back) bytes came back"; exit 1; }
done
echo "inner: what was sent came back"
dmesg | sed -n '/event: \|overflow\|CMDQ\|CMD_SYNC/s/^\[[^]]*\] /inner: complaint: /p'

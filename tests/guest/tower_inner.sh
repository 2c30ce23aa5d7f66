#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest of a guest: what inner.do= says: the kernel's own "test" of the DMA endpoint; what is sent by the network card comes
# back ("net"); translations that the endpoint caches, and the kernel's unmaps ("ats"); the memory of a process ("pasid"); some
# that is on a disk, or nowhere yet, and what is faulted on is brought ("sva"), or is a program's to answer ("stall"), or nobody's
# ("hold"); what it faults on, in a mailbox of its own ("vpri").
word() { sed -n "s/.*\b$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
f=$(dirname "$(grep -l 0x002d /sys/bus/pci/devices/*/device)")
# goes_to DRIVER: the endpoint does
goes_to() {
	echo "$1" >"$f/driver_override"
	echo "${f##*/}" >"$f/driver/unbind"
	echo "${f##*/}" >/sys/bus/pci/drivers_probe
}
net() {
	head -c 65536 /dev/urandom >/tmp/sent
	ip link set eth0 up && ip addr add 10.9.0.2/24 dev eth0 || exit 1
	for time in 1 2 3 4 5 6 7 8; do
		nc -w 60 10.9.0.1 7 </tmp/sent >/tmp/back
		cmp /tmp/sent /tmp/back || { echo "inner: $(wc -c </tmp/back) bytes came back"; exit 1; }
	done
	echo "inner: what was sent came back"
}
# reports: what the driver of the SMMU has to say, but of faults that are meant
reports() { dmesg -c | sed -n "/$1/d"';/event: \|overflow\|CMDQ\|CMD_SYNC\|WARNING/s/^\[[^]]*\] /inner: complaint: /p'; }

for g in /sys/kernel/iommu_groups/*; do
	for at in "$g"/devices/*; do echo "inner: $(cat "$g/type") ${at##*/}"; done
done
for what in $(word inner.do | tr , ' '); do
	meant='no such line'
	case $what in
	test)
		/kselftest/pci_endpoint_test
		echo "inner: kselftest: $?"
		;;
	net) net ;;
	ats)
		goes_to vfio-pci
		ats "/dev/vfio/devices/$(ls "$f/vfio-dev")" 100 nested || exit 1
		;;
	stall)
		goes_to vfio-pci
		stall "/dev/vfio/devices/$(ls "$f/vfio-dev")" $(word inner.count) || exit 1
		# Of what comes as its table goes: iopf_queue_remove_device() is before the attachment's end (7.2), and a warning between them
		meant='event: \(F_TRANSLATION\|[0-9]* callbacks suppressed\)\|WARNING: drivers.iommu.io-pgfault'
		;;
	hold)
		goes_to vfio-pci
		stall "/dev/vfio/devices/$(ls "$f/vfio-dev")" 0 hold || exit 1
		;;
	vpri)
		goes_to dmatest_vpri
		vpri "/dev/vpri-${f##*/}" $(word inner.count) stalls || exit 1
		meant='event: F_TRANSLATION'
		;;
	pasid | sva)
		tests=present
		[ $what = pasid ] || { mkswap /dev/vda >/dev/null && swapon /dev/vda && tests=$(word inner.tests) || exit 1; }
		echo 1 >/proc/sys/vm/overcommit_memory
		echo madvise >/sys/kernel/mm/transparent_hugepage/enabled
		goes_to dmatest_sva
		sva "/dev/sva-${f##*/}" $(word inner.count) $tests || exit 1
		[ $what = pasid ] ||
			churn "/dev/sva-${f##*/}" $(($(word inner.count) / 50 + 32)) || exit 1
		many='[0-9]* callbacks suppressed' # when more than ten come at once
		meant="event: \(F_TRANSLATION\|$many\)"
		[ $what = pasid ] || meant="event: \(F_TRANSLATION\|C_BAD_CD\|$many\)" # of processes that are gone
		;;
	esac
	reports "$meant"
done

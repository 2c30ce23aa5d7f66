#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest, which is a host: the DMA endpoint and the network card, both behind its SMMUv3, go on to a guest of its own, behind an
# SMMUv3 that this one's translates for.
[ -c /dev/kvm ] || exit 2
word() { sed -n "s/.*\b$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
echo 100 >/proc/sys/vm/nr_hugepages # why: tests/host/vfio-lib.sh
with=
truncate -s 32M /swap
case $(word inner.do) in *sva*) with="-d /swap" ;; esac
for f in /sys/kernel/iommu_groups/*/devices/*; do
	echo vfio-pci >"$f/driver_override"
	echo "${f##*/}" >"$f/driver/unbind"
	echo "${f##*/}" >/sys/bus/pci/drivers_probe
	with="$with --vfio-pci ${f##*/}$(word tower.keys)"
done
/nestor run --trace fault --timeout 500 --hugetlb 2M -k /Image -i /guest-initrd -c 2 -m 192 -p "console=ttyS0 loglevel=1 mem=160M inner.do=$(word inner.do) inner.count=$(word inner.count) inner.tests=$(word inner.tests) $(word tower.words | tr , ' ')" $(word tower.args | tr , ' ') $with 2>/trace
status=$?
ended() { grep -ac ": \($1\)\$" /trace; }
echo "bridge: $(ended shown) shown, $(ended 'retried\|aborted\|ended') ended"
echo "bridge: retried: $(ended retried)"
[ "$(ended 'timed-out\|no-room')" != 0 ] || [ "$(ended shown)" != "$(ended 'retried\|aborted\|ended')" ] || echo "bridge: nothing is lost"
grep -av '^fault: ' /trace
echo "its guest ended with $status"
dmesg | grep -E 'WARNING|Call trace|arm-smmu-v3.*event|CMD_SYNC' | sed 's/^\[[^]]*\] /complaint: /'

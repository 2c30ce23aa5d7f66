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
words="console=ttyS0 loglevel=1 mem=160M inner.count=$(word inner.count) inner.tests=$(word inner.tests) $(word tower.words | tr , ' ')"
set -- --trace fault --timeout $(word tower.seconds) --hugetlb 2M -k /Image -i /guest-initrd -c 2 -m 192 $(word tower.args | tr , ' ') $with
# hostile TEST...: instead of that guest, one that means harm for each of these, with each function alone; all that the kernel says
# meanwhile is a complaint, but of what any function that is used makes it say, and that the guest's DMA went where it has nothing
hostile() {
	echo 0 >/proc/sys/vm/nr_hugepages # its memory is of small ones
	allowed='random: crng init done|vfio-pci [0-9a-f:.]*: (resetting|reset done|enabling device \(.*)$|callbacks suppressed'
	allowed="$allowed|arm-smmu-v3 [^ ]*: (event 0x1[03] received:|	0x[0-9a-f]{16}$|event: F_(TRANSLATION|PERMISSION) client: |unpriv data )"
	for test; do
		for f in /sys/bus/pci/drivers/vfio-pci/*:*; do
			dmesg -c >/dev/null
			/nestor run --timeout $(word tower.seconds) -k /hostile -p "$test seed=3 count=$(word tower.count)" --iommu s,type=smmuv3,accel=on \
				--vfio-pci ${f##*/},iommu=s
			echo "hostile: $test: ${f##*/}: $?"
			dmesg -c | grep -vE "$allowed" | sed 's/^\[[^]]*\] /complaint: /'
		done
	done
}
if [ -n "$(word tower.hostile)" ]; then
	hostile $(word tower.hostile | tr , ' ')
	echo "tower: over"
	sleep 600
fi
# ended OUTCOMES FILE: how many faults of the bridge's did, by that trace; the vSMMU's own lines have a StreamID
ended() { grep -av StreamID "$2" | grep -ac ": \($1\)\$"; }
# A guest has faults that nobody answers, and its Nestor is killed: the next one finds all as new
kills=$(word tower.kills)
for time in $(seq ${kills:-0}); do
	/nestor run "$@" -p "$words inner.do=hold" >/held 2>/killed &
	nestor=$!
	until grep -qa 'stall: holds' /held || ! kill -0 $nestor; do usleep 100000; done
	kill -9 $nestor
	wait $nestor
	echo "killed: $? with $(($(ended shown /killed) - $(ended 'retried\|aborted\|ended\|timed-out' /killed))) faults that wait"
	tail -n 1 /held | grep -qa 'stall: holds' || cat /held
done
/nestor run "$@" -p "$words inner.do=$(word inner.do)" 2>/trace
status=$?
shown=$(ended shown /trace) over=$(ended 'retried\|aborted\|ended' /trace)
echo "bridge: $shown shown, $over ended"
echo "bridge: retried: $(ended retried /trace)"
echo "bridge: by a reset, or as their table went: $(ended ended /trace)"
[ "$(ended 'timed-out\|no-room' /trace)" != 0 ] || [ "$shown" != "$over" ] || echo "bridge: nothing is lost"
grep -av '^fault: ' /trace
echo "its guest ended with $status"
dmesg | grep -E 'WARNING|BUG|Internal error|Call trace|arm-smmu-v3.*event|CMD_SYNC|not ready|timed out' | sed 's/^\[[^]]*\] /complaint: /'
# Whoever started this looks at its own counts now, and stops it.
echo "tower: over"
sleep 600

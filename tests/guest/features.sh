#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: what its CPUs have, as Linux found it.
for word in $(sed -n 's/^Features.*: //p' /proc/cpuinfo | head -n 1); do
	case $word in sve | paca | pacg | sha512 | atomics) echo "has $word" ;; esac
done
[ ! -e /proc/sys/abi/sve_default_vector_length ] || dmesg | sed -n 's/.*\(SVE: maximum available vector length\)/\1/p'
dmesg | grep -q 'PMU driver' && echo "has PMU: $(ls /sys/bus/event_source/devices)"
dmesg | grep -i -e 'kvm \[' -e 'EL2' -e 'psci: ' | sed 's/.*\] //; s/^/said: /'
exit 0

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the machine as it found it, a fact a line, after some traffic. Nothing depends on who told it (a device
# tree, ACPI): what has a name of its teller's is named by its address. The lines go to the disk "view", since a UART
# takes an exit for each character of them; they have 128 KiB. Then it waits for a line.

for block in /sys/block/vd*; do
	read -r serial <"$block/serial"
	[ "$serial" != view ] || view=/dev/${block##*/}
done
# Every queue of every device has something to do.
for cpu in $(seq 0 $(($(nproc) - 1))); do
	for disk in /dev/vd*; do
		taskset -c "$cpu" dd if="$disk" of=/dev/null bs=4k count=2 iflag=direct 2>/dev/null || exit 1
	done
done
if [ -e /sys/bus/virtio/drivers/virtio_rng/virtio*/driver ]; then
	echo virtio_rng.0 >/sys/class/misc/hw_random/rng_current
	dd if=/dev/hwrng of=/dev/null bs=64 count=1 2>/dev/null || exit 2
fi
if [ -e /sys/class/net/eth0 ]; then
	ip addr add 10.9.0.2/24 dev eth0 && ip link set eth0 up || exit 3
	tries=30 # what is sent before the host has seen the tap's carrier is lost
	until ping -c 1 -W 1 10.9.0.1 >/dev/null || [ $((tries -= 1)) = 0 ]; do :; done
	[ $tries -gt 0 ] || exit 4
fi
echo "the console's interrupt"
stty opost # when that has been written

# facts FOLDER FILE...: what these say of each entry of FOLDER that has them, as "ENTRY FILE VALUE"
facts() {
	cd "$1" 2>/dev/null || return
	shift
	for file; do grep -Hs . -- */"$file"; done | sed 's|^\([^/]*\)/\([^:]*\):|\1 \2 |'
}
# links FOLDER LINK...: likewise, of symbolic links
links() {
	cd "$1" 2>/dev/null || return
	shift
	for link; do ls -ld -- */"$link" 2>/dev/null; done |
		awk '/ -> / { n = split($NF, to, "/"); split($(NF - 2), from, "/"); print from[1], from[2], to[n] }'
}

# Whose name is what: a script for sed. A device that is found by its address is known by it, if it has one.
names() {
	ls -l /sys/bus/virtio/devices | awk '/ -> / { n = split($NF, to, "/"); print "s/\\b" to[n] "\\b/virtio(" to[n - 1] ")/g" }'
	{ ls /sys/bus/platform/devices; echo; cat /proc/iomem; } | awk '
		!NF { listed = 1; next }
		!listed { names[$1]; next }
		$3 in names { at = $1; sub(/-.*/, "", at); sub(/^0*/, "", at); print "s|\\b" $3 "\\b|@" at "|g"; delete names[$3] }'
}

cpus() {
	facts /sys/devices/system/cpu regs/identification/midr_el1 topology/package_cpus_list topology/cluster_cpus_list \
		topology/core_id topology/thread_siblings_list
	sed -n 's/^Features.*: /cpu features: /p' /proc/cpuinfo | sort -u
	echo "clock: $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
	facts /sys/bus/event_source/devices cpus | sed 's/^armv8_pmuv3[^ ]*/PMU/'
}

memory() { grep -E 'System RAM|PCI ECAM|GIC' /proc/iomem | sed 's/^/memory: /'; }

# Of configuration space what is not zero, but for the Interrupt Line, where Linux notes a number of its own.
pci() {
	facts /sys/bus/pci/devices dma_mask_bits consistent_dma_mask_bits msi_bus ari_enabled power_state
	facts /sys/bus/pci/devices resource | grep -v ' resource [0x ]*$'
	links /sys/bus/pci/devices driver iommu
	for d in /sys/bus/pci/devices/*; do
		[ -e "$d" ] || continue
		hexdump -v -e "\"${d##*/} config %04_ax\" 16/1 \" %02x\" \"\\n\"" -n 512 "$d/config"
	done | sed 's/^\(.* 0030.*\) .. \(.. .. ..\)$/\1 -- \2/' | grep -v ' config .... [0 ]*$'
}

# Which are asked for, by whom, and which of them have come. Of transmissions that is chance: they are cleaned up without, too.
# The IPIs, and how often a CPU needs another, are Linux's own.
interrupts() {
	facts /sys/kernel/irq hwirq chip_name type actions per_cpu_count | sed -f /tmp/names | sed -f /tmp/names >/tmp/irqs
	awk 'function sorted(list, a, n, i, j, t) { # in the order of probing it would be chance
		n = split(list, a, ",")
		for (i = 1; i <= n; i++) for (j = i; j > 1 && a[j] < a[j - 1]; j--) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t }
		for (list = a[i = 1]; i < n;) list = list "," a[++i]
		return list
	     }
	     { at = $1; what = $2; sub(/^[^ ]* [^ ]* /, ""); fact[at, what] = $0; all[at] }
	     END { for (i in all) {
			actions = fact[i, "actions"]
			if (actions == "" || actions == "(null)" || actions == "IPI") continue
			came = actions ~ /-output/ ? "" : fact[i, "per_cpu_count"] ~ /[1-9]/ ? ": came" : ": quiet"
			print "interrupt " fact[i, "hwirq"] " of " fact[i, "chip_name"] ", " fact[i, "type"] ", " sorted(actions) came } }' /tmp/irqs
	{ cat /tmp/irqs; ls -d /sys/bus/*/devices/*/msi_irqs/*; } 2>/dev/null | awk '
		$2 == "hwirq" { hwirq[$1] = $3 }
		/msi_irqs/ { split($0, at, "/"); print at[6] " message " hwirq[at[8]] }'
}

iommus() {
	cd /sys/kernel/iommu_groups
	{ ls -d */devices/*; grep -Hs . */type */reserved_regions; } 2>/dev/null | awk '
		{ at = $0; sub("/.*", "", at) }
		/^[0-9]*.devices/ { sub(/.*\//, ""); members[at] = members[at] " " $0; next }
		{ sub(/[^:]*:/, ""); print "group of" members[at] ": " $0 }'
	cd /sys/class/iommu && ls -d */devices/* 2>/dev/null | sed 's|/devices/| serves |'
	links /sys/class/iommu device
	links /sys/bus/platform/devices iommu
}

virtio() {
	facts /sys/bus/virtio/devices device status features
	links /sys/bus/virtio/devices driver
	for disk in /sys/bus/virtio/devices/*/block/*; do
		[ ! -e "$disk" ] || echo "$disk $(sha256sum <"/dev/${disk##*/}")" | sed 's|.*/\(virtio[0-9]*\)/block/[^ ]* |\1 has |'
	done
}

board() {
	facts /sys/class/tty type iomem_base uartclk | grep -v ' 0x0$'
	sed 's/^/console /' /proc/consoles
	facts /sys/class/rtc name | sed 's/\(name [^ ]*\) .*/\1/'
	sed -n 's/^N: Name=/input: /p' /proc/bus/input/devices
	facts /sys/bus/platform/devices capability
}

# What the kernel said of these, without where in memory it has put anything.
said() {
	dmesg | sed 's/^\[[^]]*\] //' |
		grep -E '^(psci: [A-Z]|SMC Calling|GIC|ITS|arch_timer|arm-smmu-v3 [^:]*: (ias|features|allocated)|virtio_iommu|pci_bus .*resource|smp: Brought|CPU: All|kvm |CPU features: )' |
		sed 's/@[0-9a-f]\{8,\} (/@RAM (/; s/0x000000008[0-9a-f]\{7\}/RAM/g; s/ IRQ[0-9]*$/ IRQ/; s/^GICv2m: [A-Z]* overriding/GICv2m: overriding/; s/^/said: /'
}

names >/tmp/names
for what in cpus memory pci interrupts iommus virtio board said; do (eval "$what"); done >/tmp/view
sed -f /tmp/names /tmp/view | sed -f /tmp/names | sort | dd of="$view" bs=1M conv=fsync 2>/dev/null || exit 5

# Behind them what it was told itself: sums of the tables, or the tree.
told() {
	cd /sys/firmware/acpi/tables 2>/dev/null || { cat /sys/firmware/fdt; return; }
	sha256sum [A-Z]*
}
told | dd of="$view" bs=131072 seek=1 iflag=fullblock conv=fsync 2>/dev/null || exit 6
echo "that is all"
read -r line

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Devices of the host's that are a guest's: behind nothing and behind a virtio-iommu, with their stock drivers.
# host: -d nest
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/vfio-lib.sh"
INITRD=$SHARE/initrd-assigned
ROUNDS=1
[ -z "${SOAK:-}" ] || ROUNDS=100

# guest WORDS ARG...: one with what is assigned; WORDS are the kernel's
guest() {
	words=$1
	shift
	run 0 -k "$IMAGE" -i "$INITRD" -m 256 $HUGE -p "console=ttyS0 loglevel=1 $words" "$@"
}
# works N WORDS ARG...: the same, and N cards and the disk did
works() {
	cards=$1
	shift
	guest "$@" && said "cards: $cards" && said "nvme: what was written is read"
}
# all WORDS KEYS ARG...: of 2 vCPUs, with all four of them, each with KEYS
all() {
	keys=$2
	works 3 "$1" -c 2 --vfio-pci $CARD$keys --vfio-pci $IGB$keys --vfio-pci $DISK$keys --vfio-pci $VIRTIO$keys $3
}
some() {
	n=$1 words=$2
	shift 2
	works "$n" "$words" -c 2 "$@"
}
# by KIND MODE: a card whose driver takes that kind of interrupt and no other, and so does VFIO
by() {
	guest "e1000e.IntMode=$2" --vfio-pci $CARD,iommu=none --trace uapi && said "cards: 1" || return 1
	WHY="other kinds than $1: $(grep -o 'ACTION_TRIGGER, index=[A-Z]*, start=0, count=1' "$OUT" | sort -u)"
	[ "$(grep -o 'ACTION_TRIGGER, index=\(MSI\|MSIX\), start=0, count=[1-9]' "$OUT" | sed 's/.*index=//; s/,.*//' | sort -u)" = "$1" ]
}
# lives ROUNDS ARG...: cards come and go while data flows
lives() {
	INITRD=$SHARE/initrd-assigned_life
	rounds=$1
	shift
	guest "life.rounds=$rounds $LIFE" --timeout $((120 + rounds * 60)) "$@"
	got=$?
	INITRD=$SHARE/initrd-assigned
	[ $got = 0 ] && said "lives: $rounds" || return 1
	WHY="a complaint: $(grep -a -m 1 '^complaint' "$OUT")"
	! grep -q '^complaint' "$OUT"
}
# bus_resets ROUNDS ARG...: of one card behind a port
bus_resets() {
	INITRD=$SHARE/initrd-assigned_bus
	rounds=$1
	shift
	guest "bus.rounds=$rounds" --timeout $((120 + rounds * 60)) --root-port rp "$@"
	got=$?
	INITRD=$SHARE/initrd-assigned
	[ $got = 0 ] && said "buses were reset: $rounds" || return 1
	WHY="a complaint: $(grep -a -m 1 '^complaint' "$OUT")"
	! grep -q '^complaint' "$OUT"
}
another_kernel() { another -c 2 --iommu v,type=virtio --vfio-pci $CARD,iommu=v --vfio-pci $IGB,iommu=v; }
# pinned: a guest's memory, all of which is the host's to fill before it starts, is of huge pages (less some that it may lack), as anyone's may be
pinned() {
	huge=$HUGE HUGE=
	begun ,iommu=none
	HUGE=$huge
	WHY="$(awk '/^AnonHugePages:/ { sum += $2 } END { print sum }' /proc/$pid/smaps) KiB of huge pages"
	got=${WHY%% *}
	kill -9 $pid
	wait $pid
	renew $CARD
	[ "$got" -ge 131072 ]
}
# killed IOMMU KEYS ARG...: the next one has its functions behind IOMMU, v or none
killed() {
	next=$1
	shift
	begun "$@" && kill -9 $pid || return 1
	wait $pid
	renew $CARD
	set -- --vfio-pci $CARD,iommu=$next --vfio-pci $IGB,iommu=$next --vfio-pci $DISK,iommu=$next
	[ $next = none ] || set -- --iommu $next,type=virtio "$@"
	works 2 "" --acpi "$@"
}
# alone AT COMMAND...: meanwhile the host has no reset of that function alone
alone() {
	at=$1
	shift
	echo >/sys/bus/pci/devices/$at/reset_method
	"$@"
	got=$?
	echo default >/sys/bus/pci/devices/$at/reset_method
	return $got
}
# by_bus AT COMMAND...: and each that Nestor asks for is its bus's
by_bus() {
	alone "$@" && said "VFIO_DEVICE_PCI_HOT_RESET, {flags=0, count=0, group_fds=[]}) = 0 <" || return 1
	WHY="another reset: $(grep -a 'VFIO_DEVICE_[PCI_HOT]*RESET[,)]' "$OUT" | grep -v -m 1 'HOT_RESET, .* = 0 <')"
	[ "$WHY" = "another reset: " ]
}
# rom AT: of the first page of its ROM; vfio-pci has it asleep, so it loses it
rom() {
	at=/sys/bus/pci/devices/$1
	[ "$(basename "$(readlink "$at/driver")")" != vfio-pci ] || { echo "$1" >"$at/driver/unbind" && echo 1 >"$at/enable"; }
	echo 1 >"$at/rom"
	dd if="$at/rom" bs=4096 count=1 2>/dev/null | md5sum | cut -d ' ' -f 1
	echo 0 >"$at/rom"
}
rom_read() { # by the guest before, which all() has run
	WHY="the host reads nothing"
	[ "$ROM" != "$(md5sum </dev/null | cut -d ' ' -f 1)" ] && said "rom of 8086:10d3: $ROM"
}
refused() {
	text=$1 status=$2
	shift 2
	run "$status" -k "$IMAGE" -i "$INITRD" "$@"
	got=$?
	said "$text" || return 1
	return $got
}

[ -n "$(readlink /sys/bus/pci/devices/$CARD/driver | grep vfio-pci)" ] ||
	case_of "vfio: a function that its driver has is refused, with the command that frees it" refused "--vfio-pci 01:00.0: expected it to be vfio-pci's, not e1000e's: echo vfio-pci >/sys/" 3 --vfio-pci 01:00.0
case_of "vfio: a function that there is not is refused" refused "--vfio-pci 01:1f.0: expected a PCI function of this host" 2 --vfio-pci 01:1f.0
case_of "vfio: a virtual function of a card, behind a virtio-iommu and a port, strict" with_vf \
	guest iommu.strict=1 -c 2 --iommu v,type=virtio --root-port rp --vfio-pci $VF,iommu=v,bus=rp
case_of "vfio: a virtual function of a card, behind nothing, by ACPI" with_vf guest "" -c 2 --acpi --vfio-pci $VF,iommu=none
ROM=$(rom $CARD)
for at in $CARD $IGB $DISK $VIRTIO; do free $at; done
case_of "vfio: behind nothing: two cards, virtio-net and an NVMe disk, by FDT" all assigned.rom=1 ,iommu=none --fdt
case_of "vfio: and its card's ROM is what the host reads" rom_read
long_case "vfio: behind nothing: all of them, by ACPI" all "" ,iommu=none --acpi
long_case "vfio: behind a virtio-iommu that translates messages, strict, by FDT: all of them" all iommu.strict=1 ,iommu=v "--fdt --iommu v,type=virtio,msi=translate"
long_case "vfio: behind a virtio-iommu, strict, by ACPI: all of them" all iommu.strict=1 ,iommu=v "--acpi --iommu v,type=virtio"
long_case "vfio: behind a virtio-iommu, lazy, by FDT: all of them" all iommu.strict=0 ,iommu=v "--fdt --iommu v,type=virtio"
long_case "vfio: behind a virtio-iommu, lazy, by ACPI: all of them, 4 vCPUs" all "" ,iommu=v "--acpi --iommu v,type=virtio -c 4"
case_of "vfio: a card and a disk behind a virtio-iommu that translates messages, strict, by FDT" some 1 iommu.strict=1 --fdt \
	--iommu v,type=virtio,msi=translate --vfio-pci $CARD,iommu=v --vfio-pci $DISK,iommu=v
case_of "vfio: a card, a virtio-net and a disk behind a virtio-iommu, lazy, by ACPI" some 2 "" --acpi \
	--iommu v,type=virtio --vfio-pci $IGB,iommu=v --vfio-pci $DISK,iommu=v --vfio-pci $VIRTIO,iommu=v
case_of "vfio: a card and a disk that a virtio-iommu lets bypass (iommu.passthrough), beside random numbers of Nestor's behind it" \
	some 1 iommu.passthrough=1 --rng=iommu=v --iommu v,type=virtio --vfio-pci $CARD,iommu=v --vfio-pci $DISK,iommu=v
long_case "vfio: the same, which it translates" some 1 "" --rng=iommu=v --iommu v,type=virtio --vfio-pci $CARD,iommu=v --vfio-pci $DISK,iommu=v
case_of "vfio: a card with one MSI" by MSI 1
case_of "vfio: a card with its pin alone" by "" 0
case_of "vfio: drivers come and go, functions are reset and moved while data flows" lives $ROUNDS --acpi --vfio-pci $CARD,iommu=none --vfio-pci $IGB,iommu=none
case_of "vfio: the bus behind a port is reset while data flows, by hand and by Linux" bus_resets $ROUNDS --vfio-pci $CARD,bus=rp,iommu=none
long_case "vfio: the same of a card behind a virtio-iommu" bus_resets $ROUNDS --iommu v,type=virtio --vfio-pci $CARD,iommu=v,bus=rp
case_of "vfio: a card that the host resets with its bus alone: the guest resets the port's" by_bus $CARD bus_resets 1 --vfio-pci $CARD,bus=rp,iommu=none --trace uapi
case_of "vfio: a card that the host resets with its bus alone: the guest resets the function" by_bus $IGB lives 1 --vfio-pci $IGB,iommu=none --trace uapi
case_of "vfio: a card that the host resets with its bus alone: the machine resets itself" alone $CARD talks_twice --vfio-pci $CARD,iommu=none
long_case "vfio: drivers that come and go behind a virtio-iommu, and then under another kernel, by kexec" another_kernel
case_of "vfio: memory that is pinned is of huge pages" pinned
case_of "vfio: killed by SIGKILL behind a virtio-iommu; the next one has the same functions behind nothing, by ACPI" killed none ,iommu=v --iommu v,type=virtio
case_of "vfio: killed by SIGKILL behind a virtio-iommu; the next one has the same functions behind one, by ACPI" killed v ,iommu=v --iommu v,type=virtio
long_case "vfio: killed by SIGKILL behind nothing; the next one has the same functions" killed none ,iommu=none
case_of "vfio: a function that has an error while data flows is gone, and its guest goes on" failed ,iommu=none
case_of "vfio: a function that the host takes back while data flows is gone, and its guest goes on" unplugged ,iommu=none
long_case "vfio: the same of one behind a virtio-iommu" unplugged ,iommu=v --iommu v,type=virtio
case_of "vfio: the host's kernel has no complaint" quiet
back $CARD # for the scenarios behind this one
echo 0 >/proc/sys/vm/nr_hugepages

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Devices of the host's behind SMMUv3s of the guest's that the host's own SMMUs translate for, with their stock drivers.
# host: -d nest
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/vfio-lib.sh"
FIRST=smmu3.0x000000000c000000 SECOND=smmu3.0x000000000c020000
ROUNDS=1
[ -z "${SOAK:-}" ] || ROUNDS=100

# guest INITRD WORDS ARG...: one of 2 vCPUs with what is assigned; WORDS are the kernel's
guest() {
	initrd=$1 words=$2
	shift 2
	run 0 -k "$IMAGE" -i "$SHARE/initrd-$initrd" -m 256 $HUGE -c 2 -p "console=ttyS0 loglevel=1 $words" "$@"
}
# works N WORDS ARG...: the same, and N cards and, where it has one, the disk did; the driver had no event to report
works() {
	cards=$1
	shift
	guest assigned "$@" && said "cards: $cards" || return 1
	case " $* " in *" $DISK"*) said "nvme: what was written is read" || return 1 ;; esac
	WHY="an event: $(grep -a -m 1 'arm-smmu-v3.*event' "$OUT")"
	! grep -qa 'arm-smmu-v3.*event' "$OUT"
}
# both WORDS ARG...: all four functions, each behind the SMMU that is its own host's
both() {
	words=$1
	shift
	works 3 "$words" --vfio-pci $CARD --vfio-pci $IGB --vfio-pci $DISK --vfio-pci $VIRTIO "$@"
}
# lives ROUNDS ARG...: cards come and go while data flows
lives() {
	rounds=$1
	shift
	guest assigned_life "life.rounds=$rounds $LIFE" --timeout $((120 + rounds * 60)) "$@" && said "lives: $rounds" || return 1
	WHY="a complaint: $(grep -a -m 1 '^complaint' "$OUT")"
	! grep -q '^complaint' "$OUT"
}
# another_kernel: the same, and then by kexec under another kernel
another_kernel() { another --iommu s,type=smmuv3 --iommu t,type=smmuv3 --vfio-pci $CARD,iommu=s --vfio-pci $IGB,iommu=t; }
# types ROUNDS ARG...: the same, and the domains of their groups change, and each SMMU is off for a while
types() {
	LIFE="life.types=1 life.off=1"
	lives "$@"
	got=$?
	LIFE=
	[ $got = 0 ] && said "was off: $1" && said "types: eth0" && said "types: eth1"
}
# counted: what is passed on, and that the host has found none of it wrong, of each of the two
counted() {
	"$NESTOR" stat flows --json >"$WORK/stat"
	WHY=$(grep -E '"(refused|failed|events|lost)": [1-9]' "$WORK/stat" | head -n 1)
	[ -z "$WHY" ] || return 1
	WHY="$(grep -c '"calls": [1-9]' "$WORK/stat") of 2 have passed something on"
	[ "$(grep -c '"calls": [1-9]' "$WORK/stat")" = 2 ]
}
# killed: while data flows
killed() {
	: >"$OUT"
	"$NESTOR" run --name flows --timeout 180 -k "$IMAGE" -i "$SHARE/initrd-assigned_flow" -p "console=ttyS0 loglevel=1" $HUGE \
		--vfio-pci $CARD --vfio-pci $IGB >"$OUT" 2>&1 </dev/null &
	pid=$!
	until grep -q "it flows" "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 100000; done
	counted
	got=$?
	kill -9 $pid
	wait $pid
	[ $got = 0 ] || return 1
	works 2 "" --vfio-pci $CARD --vfio-pci $IGB
}
# reported ADDRESS WORDS DEVICE SID ARG...: by the guest's driver, of a card that is that device on the root bus and goes there
reported() {
	at=$1 words=$2 device=$3 sid=$4
	shift 4
	guest vsmmu_event "event.at=$at $words" "$@" --iommu s,type=smmuv3 --vfio-pci $CARD,iommu=s || return 1
	said "event: F_TRANSLATION client: 0000:00:$device.0 sid: $sid ssid: 0x0 iova: $at ipa: 0x0" && said "it talks"
}
# bereft: a disk is pulled out of the host while it is read, and while data flows by a card behind the same SMMU, which goes on
bereft() {
	: >"$OUT"
	"$NESTOR" run --timeout 180 -k "$IMAGE" -i "$SHARE/initrd-assigned_stays" -p "console=ttyS0 loglevel=1" $HUGE --iommu s,type=smmuv3,accel=on \
		--root-port rp --vfio-pci $DISK,bus=rp,iommu=s --vfio-pci $IGB,iommu=s >"$OUT" 2>&1 </dev/null &
	pid=$!
	until grep -q "it flows" "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 100000; done
	echo 1 >/sys/bus/pci/devices/$DISK/remove
	wait $pid
	got=$?
	back $DISK
	WHY="exit code $got"
	[ $got = 0 ] && said "nestor: --vfio-pci $DISK: the host wants it back: the guest has it no longer" && said "eth0: flows on without the disk"
}
# beside: an emulated disk of its own virtio-iommu's, in the same guest
beside() {
	truncate -s 64M "$WORK/disk"
	works 1 "" --acpi --iommu v,type=virtio --iommu s,type=smmuv3,host=$FIRST -d "$WORK/disk,iommu=v" --rng=iommu=v --vfio-pci $CARD
	got=$?
	rm -f "$WORK/disk"
	return $got
}
# refused STATUS TEXT ARG...
refused() {
	status=$1 text=$2
	shift 2
	run "$status" -k "$IMAGE" "$@"
	got=$?
	said "$text" || return 1
	return $got
}
# shown: where each function would be
shown() {
	"$NESTOR" topology --vfio-pci $CARD --vfio-pci $IGB --vfio-pci $DISK >"$OUT" 2>&1 || return 1
	said "$FIRST: smmuv3 at 0x9000000, SPI 96-99, by the host's $FIRST; 1 behind it" &&
		said "$SECOND: smmuv3 at 0x9020000, SPI 100-103, by the host's $SECOND; 2 behind it"
}

case_of "vsmmu: a virtual function of a card, behind a port, by ACPI" with_vf \
	works 1 "" --acpi --root-port rp --iommu s,type=smmuv3,accel=on --vfio-pci $VF,iommu=s,bus=rp
long_case "vsmmu: a virtual function of a card by FDT, strict, 4 vCPUs" with_vf \
	works 1 iommu.strict=1 --fdt -c 4 --iommu s,type=smmuv3,accel=on --vfio-pci $VF,iommu=s
for at in $CARD $IGB $DISK $VIRTIO; do free $at; done
case_of "vsmmu: each function is behind the SMMU of its own host's, on a segment of its own" shown
case_of "vsmmu: two cards, virtio-net and a disk behind two SMMUs, by FDT, lazy" both iommu.strict=0 --fdt
case_of "vsmmu: the same by ACPI, strict, 4 vCPUs" both iommu.strict=1 --acpi -c 4
long_case "vsmmu: the same by FDT, strict" both iommu.strict=1 --fdt
long_case "vsmmu: the same by ACPI, lazy, 4 vCPUs" both iommu.strict=0 --acpi -c 4
case_of "vsmmu: the machine resets itself, and its card talks again" talks_twice --iommu s,type=smmuv3,accel=on --vfio-pci $CARD,iommu=s
case_of "vsmmu: drivers come and go, functions are reset and moved, STEs change and the SMMU is off and on, while data flows" types $ROUNDS \
	--iommu s,type=smmuv3 --iommu t,type=smmuv3 --vfio-pci $CARD,iommu=s --vfio-pci $IGB,iommu=t
long_case "vsmmu: drivers come and go, and then under another kernel, by kexec" another_kernel
case_of "vsmmu: a card that goes where nothing is mapped is reported by the guest's driver" reported 0x12340000 "" 00 0x0
case_of "vsmmu: and by tables that lead nowhere, where the window of doorbells was, of a card with another StreamID than 0" \
	reported 0x8080000 event.broken=1 01 0x8 --rng
case_of "vsmmu: an emulated disk behind a virtio-iommu is in the same guest" beside
case_of "vsmmu: what each passes on is counted; killed by SIGKILL; the next one has the same functions" killed
case_of "vsmmu: a function of another SMMU of the host's is refused by both names" refused 2 \
	"--vfio-pci $IGB,iommu=s: expected a function behind $FIRST, as --iommu s is for --vfio-pci $CARD; this one is behind $SECOND" \
	--iommu s,type=smmuv3 --vfio-pci $CARD,iommu=s --vfio-pci $IGB,iommu=s
case_of "vsmmu: what the host's SMMU has not is refused" refused 3 \
	"--iommu s,idr0.ats=1: expected 0, which is what $FIRST can give" --iommu s,type=smmuv3,idr0.ats=1 --vfio-pci $CARD,iommu=s
case_of "vsmmu: a function that the host takes back while data flows is gone, and its guest goes on" unplugged ""
case_of "vsmmu: the host takes back a disk that is read, and data flows on by a card behind the same SMMU" bereft
case_of "vsmmu: the host's kernel has no complaint" quiet
back $CARD # for the scenarios behind this one

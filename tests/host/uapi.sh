#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Devices of this host that could be a guest's: what is said of them, and the calls that they take, on a real kernel.
# host: -d nest
. "$SHARE/tests/host/lib.sh"
cp "$SHARE/uapi" "$WORK"
mkdir -p "$SHARE/json"
SMMU0=smmu3.0x000000000c000000
SMMU1=smmu3.0x000000000c020000

# of AT: what is said of one function, its lines
of() { awk -v at="$1" '/^[0-9a-f]/ { on = $1 == at } on' "$OUT"; }
devices() { "$NESTOR" devices >"$OUT" 2>&1; }
# tells AT TEXT: what is said of that function has it
tells() {
	WHY="$1: no '$2'"
	of "$1" | grep -qF -- "$2"
}

listed() {
	devices || return 1
	tells 0000:01:00.0 "8086:10d3  class 020000  e1000e  group " && tells 0000:01:00.0 "  $SMMU0  reset: pm bus" &&
		tells 0000:21:00.0 "8086:10c9  class 020000  igb  group " && tells 0000:21:00.0 "  $SMMU1  reset: flr pm bus" &&
		tells 0000:22:00.0 "1b36:0010  class 010802  nvme  group " && tells 0000:22:00.0 "  $SMMU1  reset: flr bus" || return 1
	WHY="a bridge is listed"
	! grep -q 'pcieport\|class 0604' "$OUT"
}

# frees AT: by the command that is printed
frees() {
	devices
	of "$1" | sed -n 2p >freed
	sh ./freed || { WHY="the command failed: $(cat freed)"; return 1; }
	devices
	tells "$1" "  vfio-pci  group " && tells "$1" "ready: /dev/vfio/devices/vfio" || return 1
	WHY="its driver has it still"
	[ "$(basename "$(readlink "/sys/bus/pci/devices/$1/driver")")" = vfio-pci ]
}

# checks TEXT...: the host can run, and each is said
checks() {
	WHY="not exit code 0"
	"$NESTOR" check >"$OUT" 2>&1 || return 1
	for text; do said "$text" || return 1; done
}
before() { checks "run: ok" "assign: lacks" "nest: unknown" "vfio      lacks"; }
# the lab's SMMUs do not stall
after() {
	checks "run: ok" "assign: ok" "nest: ok" "faults: lacks" "$SMMU0: a vIOMMU can be had" "$SMMU1: a vIOMMU can be had" \
		"$SMMU0: a page table with a fault queue" "$SMMU0: an SMMU that stalls (SMMU_IDR0.STALL_MODEL is 1)"
}
# What it tried is seen, and all of it goes again.
traces() {
	"$NESTOR" check --trace uapi >"$OUT" 2>&1
	said "IOMMU_VIOMMU_ALLOC, {flags=0, type=ARM_SMMUV3, dev_id=2, hwpt_id=3, data_len=0} => {" || return 1
	WHY="not as many objects are destroyed as are made, or one is refused"
	[ "$(grep -c '=> {.*out_[a-z]*_id=' "$OUT")" = "$(grep -c 'IOMMU_DESTROY.* = 0 <' "$OUT")" ] && ! grep -q 'DESTROY.*EBUSY' "$OUT"
}
json() { "$NESTOR" devices --json >"$SHARE/json/devices.json" && "$NESTOR" check --json >"$SHARE/json/check.json"; }

calls() {
	./uapi "$1" >"$OUT" 2>&1
	got=$?
	for step in bind attach ranges maps info interrupts reset ioeventfd PASIDs features "hw info" vIOMMU nested vDEVICE order "taken down" failures; do
		said "uapi: $step: ok" || return 1
	done
	WHY="exit code $got"
	[ $got = 0 ]
}
traced() {
	said "IOMMU_IOAS_MAP_FILE, {flags=FIXED_IOVA|WRITEABLE|READABLE, ioas_id=1, fd=3, start=0, length=0x4000000, iova=0x80000000}" &&
		said "{num_iovas=2, allowed_iovas=[0, 0x7ffffff, 0x8100000, " &&
		said "VFIO_DEVICE_SET_IRQS, {argsz=24, flags=DATA_EVENTFD|ACTION_TRIGGER, index=REQ, start=0, count=1, data=[-1]}) = 0 <" &&
		said "entry_num=2, data_uptr=[0x30, 0, 0xff, 0]} => {entry_num=1}) = -1 EIO (Input/output error) <" &&
		said "VFIO_DEVICE_DETACH_IOMMUFD_PT, {flags=PASID, pasid=5}) = 0 <" &&
		said "VFIO_DEVICE_IOEVENTFD, {flags=32, offset=0x5400, data=0x120034, fd=-1}) = -1 ENODEV" &&
		said "IOMMU_HWPT_ALLOC, {flags=FAULT_ID_VALID, dev_id=2, pt_id=4, data_type=ARM_SMMUV3, data_len=16, data_uptr=[0x9, 0], fault_id=6}"
}
quiet() {
	WHY=$(dmesg | grep -E 'WARNING|BUG|Oops|event 0x|unexpected' | head -n 1)
	[ -z "$WHY" ]
}

case_of "devices: each function is listed with its driver, group, SMMU and ways of reset" listed
case_of "check: a host whose devices all have drivers can run; what is missing for more is said" before
case_of "devices: the command that is printed frees the e1000e" frees 0000:01:00.0
case_of "devices: and the igb" frees 0000:21:00.0
case_of "devices: and the NVMe disk" frees 0000:22:00.0
case_of "check: with them it can assign, and nest on both SMMUs" after
case_of "check: each call of its is seen, and what they made is destroyed" traces
case_of "check, devices: as JSON" json
case_of "uapi: e1000e: each call is made, what it made is used, and refuses to go before its users" calls vfio0
case_of "uapi: igb: the same behind the other SMMU" calls vfio1
case_of "uapi: the trace has what was given and what came back" traced
case_of "uapi: NVMe: the same" calls vfio2
case_of "uapi: the host's kernel has no complaint" quiet

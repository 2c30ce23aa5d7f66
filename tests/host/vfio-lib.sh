# SPDX-License-Identifier: GPL-2.0-only
# For scenarios with devices of the lab's host (lab/devices.sh): where they are, and how they become free.
# QEMU's e1000e and igb lose a packet whose buffer is in two pages of this host's memory that are not neighbours, and it stays lost
# however often it is sent again: guests that have one have their memory in huge pages.
HUGE="--hugetlb 2M"
echo 400 >/proc/sys/vm/nr_hugepages
CARD=0000:01:00.0 IGB=0000:21:00.0 VF=0000:21:10.0 DISK=0000:22:00.0 VIRTIO=0000:23:00.0

# free AT: by the command that `nestor devices` prints
free() {
	"$NESTOR" devices | awk -v at="$1" '/^[0-9a-f]/ { on = $1 == at } on' | sed -n 2p >"$WORK/free"
	! grep -q '^  echo' "$WORK/free" || sh "$WORK/free"
}

# with_vf COMMAND...: there is one of the igb's virtual functions meanwhile, and it is free; the other half is its own driver's
with_vf() {
	[ "$(basename "$(readlink /sys/bus/pci/devices/$IGB/driver)")" = igb ] || {
		echo >/sys/bus/pci/devices/$IGB/driver_override
		echo $IGB >/sys/bus/pci/drivers/vfio-pci/unbind
		echo $IGB >/sys/bus/pci/drivers/igb/bind
	}
	ip link set "$(basename /sys/bus/pci/devices/$IGB/net/*)" up
	echo 1 >/sys/bus/pci/devices/$IGB/sriov_numvfs
	free $VF
	"$@"
	got=$?
	echo 0 >/sys/bus/pci/devices/$IGB/sriov_numvfs
	[ $got = 0 ] && said "eth0: igbvf: what was sent came back"
}

# comes_back FUNCTION: one that was removed while data flowed. Linux could not reset it then (it held its lock), so it would go on where
# it was as soon as a driver lets it: it is reset before one has it.
comes_back() {
	echo 0 >/sys/bus/pci/drivers_autoprobe
	echo 1 >/sys/bus/pci/rescan
	echo 1 >"/sys/bus/pci/devices/$1/reset"
	echo 1 >/sys/bus/pci/drivers_autoprobe
	echo "$1" >/sys/bus/pci/drivers_probe
}

quiet() {
	dmesg >"$OUT"
	WHY=$(grep -E 'WARNING|BUG|Oops|event: |unexpected|vfio.*(error|fail)' "$OUT" | head -n 1)
	[ -z "$WHY" ]
}

# harmless ALLOWED COMMAND...: and the host's kernel says only that meanwhile; of any function that is used it says $SAYS
SAYS="random: crng init done|vfio-pci [0-9a-f:.]*: (resetting|reset done|enabling device \(.*)$"
# At its own rate, and of the first card and the disk alone: where DMA went that the guest has nothing
FAULTS="callbacks suppressed|arm-smmu-v3 [^ ]*: (event 0x1[03] received:|	0x[0-9a-f]{16}$|event: F_(TRANSLATION|PERMISSION) client: 0000:(01|22):00.0 |unpriv data )"
harmless() {
	allowed=$1
	shift
	dmesg -c >/dev/null
	"$@" || return
	WHY=$(dmesg -c | grep -vE "$allowed" | head -n 1)
	[ -z "$WHY" ]
}

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

quiet() {
	dmesg >"$OUT"
	WHY=$(grep -E 'WARNING|BUG|Oops|Call trace|nobody cared|Disabling IRQ|blocked for more|event: |unexpected|vfio.*(error|fail)' "$OUT" | head -n 1)
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

# kernel_disk FILE: the guest's own kernel and initrd, as assigned_life.sh looks for them; $LIFE says so
kernel_disk() {
	dd if="$IMAGE" of="$1" bs=1M 2>/dev/null && dd if="$SHARE/initrd-assigned_life" of="$1" bs=1M seek=64 2>/dev/null
	LIFE="kexec.rounds=1 kexec.kernel=$(stat -c %s "$IMAGE") kexec.initrd=$(stat -c %s "$SHARE/initrd-assigned_life")"
}

# renew AT: as if it had just been switched on. QEMU's e1000e keeps its rings over a reset by power management, the one that it
# has, and goes on by them when the next one lets it: which is a fault where that has nothing at those addresses.
renew() {
	echo bus >/sys/bus/pci/devices/$1/reset_method
	echo 1 >/sys/bus/pci/devices/$1/reset
	echo default >/sys/bus/pci/devices/$1/reset_method
}
# back AT: what was removed is there again, and free; a driver of the host's that had it meanwhile would let it go on, too
back() {
	echo 0 >/sys/bus/pci/drivers_autoprobe
	echo 1 >/sys/bus/pci/rescan
	renew $1
	echo 1 >/sys/bus/pci/drivers_autoprobe
	free $1
}
# begun KEYS ARG...: one that talks for long, in the background ($pid); its cards, with KEYS, are at work
begun() {
	keys=$1
	shift
	: >"$OUT"
	"$NESTOR" run --timeout 180 -k "$IMAGE" -i "$SHARE/initrd-assigned_flow" -p "console=ttyS0 loglevel=1" $HUGE \
		--root-port rp --vfio-pci $CARD,bus=rp$keys --vfio-pci $IGB$keys "$@" >"$OUT" 2>&1 </dev/null &
	pid=$!
	until grep -q "it flows" "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 100000; done
	WHY="it ended before there was traffic"
	kill -0 $pid 2>/dev/null
}

# failed KEYS ARG...: the first card has an error, as far as its driver's part goes; nobody reports one here, without CONFIG_PCIEAER
failed() {
	cp "$SHARE/uapi" "$WORK"
	begun "$@" --trace uapi
	fd=$(sed -n '/index=ERR/s/.*ioctl(\([0-9]*\), VFIO_DEVICE_SET_IRQS, .*/\1/p' "$OUT" | head -n 1)
	"$WORK/uapi" error $pid "$fd" >/dev/null 2>&1 || kill $pid
	wait $pid
	got=$?
	renew $CARD
	WHY="exit code $got"
	[ $got = 0 ] || return 1
	said "nestor: --vfio-pci $CARD: it had an error that it does not recover from: the guest has it no longer" || return 1
	said "gone: eth0" && said "eth1: still there"
}
# unplugged KEYS ARG...
unplugged() {
	[ -e /sys/bus/pci/devices/$CARD ] || back $CARD
	begun "$@"
	echo 1 >/sys/bus/pci/devices/$CARD/remove
	wait $pid
	got=$?
	WHY="exit code $got"
	said "nestor: --vfio-pci $CARD: the host wants it back: the guest has it no longer" || return 1
	said "gone: eth0" && said "eth1: still there"
}
# another ARG...: functions live (lives), and once more after a kexec, under another kernel
another() {
	kernel_disk "$WORK/kexec"
	lives 1 -m 512 --acpi -d "$WORK/kexec" "$@"
	got=$?
	LIFE=
	rm -f "$WORK/kexec"
	[ $got = 0 ] || return 1
	WHY="$(grep -c '^lives: 1' "$OUT") kernels"
	[ "$(grep -c '^lives: 1' "$OUT")" = 2 ]
}
# talks_twice ARG...: a guest whose card has talked resets its machine, and the card talks again
talks_twice() {
	says_twice "cards: 1" -i "$SHARE/initrd-assigned" -m 256 $HUGE -p "console=ttyS0 loglevel=1 assigned.again=1" "$@"
}

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the lab's host: takes each figure RUNS times of Nestor and its peers in turn, from tmpfs, warm. Prints
# "RAW name unit who value" lines, and "COMMAND who figure: ..." lines with what was run.
# A figure is a function take_NAME WHO that runs a VMM and prints "NAME UNIT VALUE" lines.
cp -r /share/bench /tmp && cd /tmp/bench || exit 1
mkdir peer && tar -C peer -xf peer.tar && rm peer.tar
head -c 134217728 /dev/urandom >disk.img
peers="nestor qemu"
[ ! -e lkvm ] || peers="$peers lkvm"

# The command line goes to descriptor 4 once a figure, where $show names it. One that hangs has no figure this time.
vmm() {
	[ -z "$show" ] || echo "COMMAND $show: $*" >&4
	timeout -s KILL 120 "$@"
}

# WHO KERNEL CPUS MIB INITRD|- DISK|- PREFIX...: runs that guest; its console is stdout. With $TAP it has a network; with
# $STRICT (0 or 1) an IOMMU of type $IOMMU, its domains of that kind, an entropy device behind it, and the disk; with $CARD
# that function of the host's, behind the IOMMU if there is one; of type accel, that is the host's, and has nothing else.
nestor() {
	kernel=$1 cpus=$2 mem=$3 initrd=$4 disk=$5
	shift 5
	set -- "$@" ./nestor run -k "$kernel" -c "$cpus" -m "$mem"
	[ -z "$ACPI" ] || set -- "$@" --acpi
	[ "$initrd" = - ] || set -- "$@" -i "$initrd"
	[ "$IOMMU" != accel ] || { accel nestor "$STRICT" "$@"; return; }
	[ -z "$STRICT" ] || set -- "$@" --iommu "v,type=$IOMMU" --rng=iommu=v
	[ "$disk" = - ] || set -- "$@" -d "$disk${STRICT:+,iommu=v}"
	[ -z "$TAP" ] || set -- "$@" -n "tap=$TAP"
	[ -z "$CARD" ] || [ -n "$STRICT" ] || set -- "$@" --vfio-pci "$CARD,iommu=none"
	[ -z "$CARD" ] || [ -z "$STRICT" ] || set -- "$@" --vfio-pci "$CARD,iommu=v"
	vmm "$@" -p "console=ttyS0 quiet$WORDS${STRICT:+ iommu.strict=$STRICT}"
}
# WHO STRICT COMMAND...: with the card behind an SMMUv3 that is the host's; both by ACPI, which QEMU's takes
accel() {
	who=$1 strict=${2:+ iommu.strict=$2}
	shift 2
	case $who in
	nestor) vmm "$@" --iommu s,type=smmuv3,accel=on --vfio-pci "$CARD,iommu=s" -p "console=ttyS0 quiet$WORDS$strict" ;;
	qemu)
		vmm "$@" -device arm-smmuv3,primary-bus=pcie.0,id=s,accel=on -device pcie-root-port,id=rp,bus=pcie.0 \
			-object iommufd,id=iommufd0 -device "vfio-pci,host=$CARD,iommufd=iommufd0,bus=rp" \
			-append "console=ttyAMA0 quiet$WORDS$strict"
		;;
	esac
}
lkvm() {
	kernel=$1 cpus=$2 mem=$3 initrd=$4 disk=$5
	shift 5
	set -- "$@" ./lkvm run -k "$kernel" -c "$cpus" -m "$mem" -n "${TAP:+mode=tap,tapif=}${TAP:-mode=none}" \
		--irqchip gicv3-its
	[ "$initrd" = - ] || set -- "$@" -i "$initrd"
	[ "$disk" = - ] || set -- "$@" -d "$disk"
	vmm "$@" -p "console=ttyS0 quiet"
}
qemu() {
	kernel=$1 cpus=$2 mem=$3 initrd=$4 disk=$5
	shift 5
	[ "$IOMMU" = smmuv3 ] && smmu=,iommu=smmuv3 || smmu=
	set -- "$@" peer/bin/qemu-system-aarch64 -nodefaults -no-user-config -display none -no-reboot -serial stdio \
		-machine "virt,gic-version=3,accel=kvm$smmu" -cpu host -smp "$cpus" -m "$mem" -kernel "$kernel"
	[ "$initrd" = - ] || set -- "$@" -initrd "$initrd"
	[ -z "$ACPI" ] || set -- "$@" -bios QEMU_EFI.fd
	[ "$IOMMU" != accel ] || { accel qemu "$STRICT" "$@"; return; }
	behind=${STRICT:+,iommu_platform=on,disable-legacy=on}
	[ "$IOMMU" != virtio ] || set -- "$@" -device virtio-iommu-pci
	[ -z "$STRICT" ] || set -- "$@" -device "virtio-rng-pci$behind"
	[ "$disk" = - ] || set -- "$@" -object iothread,id=io -device "virtio-blk-pci,drive=d,iothread=io,num-queues=$cpus$behind" \
		-drive "if=none,id=d,file=$disk,format=raw,aio=io_uring"
	[ -z "$TAP" ] || set -- "$@" -netdev "tap,id=n,ifname=$TAP,script=no,downscript=no,vhost=off" -device virtio-net-pci,netdev=n
	[ -z "$CARD" ] || set -- "$@" -object iommufd,id=iommufd0 -device "vfio-pci,host=$CARD,iommufd=iommufd0"
	vmm "$@" -append "console=ttyAMA0 quiet$WORDS${STRICT:+ iommu.strict=$STRICT}"
}

board() { [ "$1" = qemu ] && echo qemu || echo nestor; }

take_boot_fdt() {
	who=$1
	echo "boot_fdt ms $($who Image 1 256 initrd-init - ./clock init-is-here)"
}

# Without firmware, beside QEMU's, which is what a guest of it needs; and beside our own with a device tree. The latter's
# time is the peer's.
take_boot_acpi() {
	ACPI=y
	case $1 in
	nestor)
		echo "boot_acpi ms $(nestor Image 1 256 initrd-init - ./clock init-is-here)"
		ACPI=
		echo "boot_acpi ms $(nestor Image 1 256 initrd-init - ./clock init-is-here) fdt"
		;;
	qemu) echo "boot_acpi ms $(qemu Image 1 256 initrd-init - ./clock init-is-here)" ;;
	esac
	ACPI=
}

# The largest machine there is, told both ways: all CPUs, segments, SMMUs, disks and DMA endpoints, and a port for each bus
# that a segment has. No peer has one.
take_dump() {
	[ "$1" = nestor ] || return 0
	set -- -c 64
	for i in $(seq 16); do set -- "$@" --iommu "s$i,type=smmuv3"; done
	for i in $(seq 0 63); do
		s=s$((i % 16 + 1))
		[ "$i" = 0 ] || set -- "$@" --segment "$i"
		set -- "$@" -d "x,segment=$i,iommu=$s"
		for j in 1 2 3; do set -- "$@" --root-port "p$i.$j,segment=$i" -d "x,bus=p$i.$j,iommu=$s"; done
		for j in 1 2 3 4; do set -- "$@" "--dma-test=segment=$i,ats,pri,pasid=20,stall,iommu=$s"; done
	done
	mkdir -p told
	[ -z "$show" ] || echo "COMMAND $show: ./nestor dump --acpi-out told --dtb-out told/tree.dtb $*" >&4
	./clock "" ./nestor dump --acpi-out told --dtb-out told/tree.dtb "$@" | awk '{ print "dump ms", $1; print "dump_rss MiB", $2 }'
}

# Memory as much as a small guest's: what a VMM does for each page counts.
take_start() {
	who=$1
	echo "start ms $($who "first-$(board "$who").bin" 1 256 - - ./clock !)"
}

take_mmio_exit() {
	who=$1
	$who "mmio-$(board "$who").bin" 1 256 - - | tr -d '\r' | sed -n 's/^\([tf]\)\([0-9a-f]*\)$/\1 0x\2/p' | {
		read -r t ticks
		read -r f hertz
		echo "mmio_exit us $((ticks * 100000000 / hertz / 20000))" | sed 's/\(..\)$/.\1/'
	}
}

take_blk() {
	who=$1
	$who Image 2 512 initrd-disk disk.img | tr -d '\r' | awk '$1 == "figure" { print $2, ($2 ~ /1m/ ? "MiB/s" : "IO/s"), $3 }'
}

# A tap interface is the host's end; vhost is off, whoever could have it.
take_net() {
	TAP=bench
	$1 Image 2 512 initrd-net - | tr -d '\r' | awk '$1 == "figure" { print $2, "MB/s", $3 }'
	TAP=
}

# Of all that is mapped, a share of what is shared; but not the guest's memory, the one mapping of its size.
take_rss() {
	rm -f pid
	TAP=bench
	$1 Image 1 256 initrd-idle disk.img sh -c 'echo $$ >pid; exec "$@"' sh >log 2>&1 &
	job=$!
	TAP=
	until [ -s pid ]; do usleep 10000; done
	pid=$(cat pid)
	until grep -q 'it is idle' log || ! kill -0 $pid; do usleep 100000; done
	awk '/^Size:/ { size = $2 } /^Pss:/ && size != 262144 { sum += $2 } END { printf "rss MiB %.2f\n", sum / 1024 }' "/proc/$pid/smaps"
	kill $pid
	wait $job
}

# A driver that waits with its CPU spinning, on the only one there is; lkvm has no IOMMU.
map() { # NAME WHO
	[ "$2" != lkvm ] || return 0
	for STRICT in 1 0; do
		$2 Image 1 256 initrd-map -
	done | tr -d '\r' | awk -v name="$1" '$1 == "figure" { print name "_" $2, "us", $3 }'
	STRICT= IOMMU=
}
blk4k() { # NAME WHO
	[ "$2" != lkvm ] || return 0
	STRICT=1
	$2 Image 2 512 initrd-disk4k disk.img | tr -d '\r' | awk -v name="$1" '$1 == "figure" { print name "_" $2, "IO/s", $3 }'
	STRICT= IOMMU=
}
take_viommu() { IOMMU=virtio && map viommu "$1"; }
take_viommu_blk() { IOMMU=virtio && blk4k viommu "$1"; }
take_smmu() { IOMMU=smmuv3 && map smmu "$1"; }
take_smmu_blk() { IOMMU=smmuv3 && blk4k smmu "$1"; }

# From an access to its end, with the guest's handler between; no peer has stalls. In units of a read that exits, too. On
# one CPU: whoever waits for the end spins, and the host has but two, of which the access needs one.
take_stall() {
	[ "$1" = nestor ] || return 0
	vmm ./nestor run -k Image -i initrd-stalls -c 1 -m 512 --iommu s,type=smmuv3,idr5.oas=6 --dma-test=stall,pasid=8,iommu=s \
		-p "console=ttyS0 quiet" | tr -d '\r' | awk '$1 == "figure" { print $3 == "exits" ? $2 "_exits" : $2, $3, $4 }'
}

# Faults that are raised by hand, one after the other, until a program of the guest's has served each by iommufd: the time, and how
# often the guest has left for it.
left() { ./nestor stat faults --json | tr -d ' \n' | sed 's/.*"exits":{"mmio":\([0-9]*\).*/\1/'; }
take_fault() {
	[ "$1" = nestor ] || return 0
	vmm ./nestor run --name faults -k Image -i initrd-serves -c 1 -m 512 --iommu s,type=smmuv3,idr5.oas=6 --dma-test=stall,iommu=s \
		-p "console=ttyS0 quiet stall.serve" >serves.log 2>&1 &
	until grep -q "stall: serves" serves.log; do usleep 100000; done
	before=$(left)
	./nestor fault faults --device 0:0.0 --addr 0x10000000 --perm w --count 64 --json | tr -d ' \n,' >faults.json
	after=$(left)
	./nestor stop faults
	wait $!
	grep -q '"retried":64' faults.json || return 1
	for what in p50 p99; do
		echo "fault_hand_stall_$what us $(($(sed "s/.*\"$what\":\([0-9]*\).*/\1/" faults.json) / 1000))"
	done
	awk -v nr=$((after - before)) 'BEGIN { printf "fault_hand_stall_exits exits %.1f\n", nr / 64 }'
}

# With an e1000e of the host's (-d nest), which no driver of its has.
freed() {
	[ "$1" != lkvm ] || return 1
	CARD=0000:01:00.0
	./nestor devices | awk -v at=$CARD '/^[0-9a-f]/ { on = $1 == at } on' | sed -n 's/^  \(echo\|modprobe\) /\1 /p' | sh
}
take_vfio_boot() {
	freed "$1" || return 0
	echo "vfio_boot_init ms $($1 Image 1 256 initrd-init - ./clock init-is-here)"
	CARD=
}
take_vfio_tcp() {
	freed "$1" || return 0
	$1 Image 1 256 initrd-vfio-tcp - | tr -d '\r' | awk '$1 == "figure" { print $2, "MB/s", $3 }'
	CARD=
}
take_vfio_viommu() {
	freed "$1" || return 0
	WORDS=" map.e1000e" IOMMU=virtio
	map vfio_viommu "$1"
	WORDS= CARD=
}

take_vfio_accel_boot() {
	freed "$1" || return 0
	IOMMU=accel ACPI=y
	echo "accel_boot_init ms $($1 Image 1 256 initrd-init - ./clock init-is-here)"
	CARD= IOMMU= ACPI=
}
take_vfio_accel() {
	freed "$1" || return 0
	WORDS=" map.e1000e" IOMMU=accel ACPI=y
	map accel "$1"
	WORDS= CARD= ACPI=
}

take_binary() {
	echo "binary MB $(wc -c <"$1.stripped" | awk '{ printf "%.2f", $1 / 1e6 }')"
}

show= TAP= STRICT= IOMMU= ACPI= CARD= WORDS=
./tap bench && ip addr add 10.9.0.1/24 dev bench && ip link set bench up
./traffic serve tcp:5001 2>/dev/null &
all="boot_fdt boot_acpi dump start mmio_exit blk net viommu viommu_blk smmu smmu_blk stall fault rss $MORE"
[ -z "$FIGURES" ] || all=$FIGURES
take_binary nestor | sed 's/^\(\S* \S*\)/RAW \1 nestor/'
# Figure by figure: in a host whose memory earlier guests have used, whoever's, a guest boots up to twice as slowly.
for figure in $all; do
	for who in $peers; do
		show="$who $figure"
		"take_$figure" "$who" 4>&1 >/dev/null 2>&1 </dev/null # warm
		show=
	done
	for i in $(seq "${RUNS:-5}"); do
		for who in $peers; do
			"take_$figure" "$who" 2>log.err </dev/null | awk -v who="$who" 'NF >= 3 { print "RAW", $1, $2, (NF > 3 ? $4 : who), $3 }'
			[ ! -s log.err ] || sed "s/^/$who $figure: /" log.err >&2
		done
	done
done

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the lab's host: takes each figure RUNS times of Nestor and its peers in turn, from tmpfs, warm. Prints
# "RAW name unit who value" lines, and "COMMAND who figure: ..." lines with what was run.
# A figure is a function take_NAME WHO that runs a VMM and prints "NAME UNIT VALUE" lines.
cp -r /share/bench /tmp && cd /tmp/bench || exit 1
. ./calls.sh
mkdir peer && tar -C peer -xf peer.tar && rm peer.tar
head -c 134217728 /dev/urandom >disk.img
# The first to write a page of this host's makes its emulator find memory for it: nobody who is measured is.
warm=$(awk '/^MemAvailable/ { print int($2 / 1024) - 300 }' /proc/meminfo)
mkdir all && mount -t tmpfs -o size=100% all all && dd if=/dev/zero of=all/it bs=1M count="$warm" 2>/dev/null
umount all
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

# Of the largest machine, which no peer has.
take_dump() {
	[ "$1" = nestor ] || return 0
	[ -z "$show" ] || echo "COMMAND $show: ./dump.sh ./clock ./nestor told" >&4
	./dump.sh ./clock ./nestor told | awk '{ print "dump ms", $1; print "dump_rss MiB", $2 }'
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
	done | tr -d '\r' | awk -v name="$1" '/figure / { sub(/.*figure /, ""); print name "_" $1, "us", $2 }' # behind what firmware leaves on the line
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

# The guest's exits, writes to config space among them, and groups that its mailbox had answers to, so far.
left() { ./nestor stat faults --json | tr -d ' \n' | sed 's/.*"exits":{"mmio":\([0-9]*\).*/\1/'; }
wrote() { ./nestor stat faults --json | tr -d ' \n' | sed 's/.*"name":"ecam"[^}]*"writes":\([0-9]*\).*/\1/'; }
answered() { ./nestor stat faults --json | tr -d ' \n' | sed 's/.*"answered":\([0-9]*\).*/\1/'; }
# Raised by hand, one after the other, until a program of the guest's has served each by iommufd.
fault_by_hand() {
	vmm ./nestor run --name faults -k Image -i initrd-serves -c 1 -m 512 --iommu s,type=smmuv3,idr5.oas=6 --dma-test=stall,iommu=s \
		-p "console=ttyS0 quiet stall.serve" >serves.log 2>&1 &
	until grep -q "stall: serves" serves.log; do usleep 100000; done
	before=$(left)
	./nestor fault faults --device 0:0.0 --addr 0x10000000 --perm w --count 64 --json | tr -d ' \n,' >faults.json
	after=$(left)
	watched "$(pid)"
	./nestor fault faults --device 0:0.0 --addr 0x20000000 --perm w --count 64 >/dev/null
	calls=$(called)
	./nestor stop faults
	wait $!
	grep -q '"retried":64' faults.json || return 1
	for what in p50 p99 longest; do
		echo "fault_hand_stall_$what us $(($(sed "s/.*\"$what\":\([0-9]*\).*/\1/" faults.json) / 1000))"
	done
	per bridge_exits_stall exits $((after - before)) 64
	per bridge_calls_stall calls "$calls" 64
}
# asks PROGRAM NAME WORDS ARG...: page requests in a guest of that program's
asks() {
	program=$1 name=$2 words=$3
	shift 3
	vmm "$program" run --name faults -k Image -i initrd-asks -c 1 -m 512 "$@" -p "console=ttyS0 quiet $words" >asks.log 2>&1 &
	until grep -q "asks: begins" asks.log; do usleep 100000; done
	if [ "$name" = emulated ] && [ -z "$words" ]; then
		from=$(answered) before=$(wrote)
		watched "$(pid)"
		sleep 1
		calls=$(called)
		to=$(answered) after=$(wrote)
		per bridge_exits_mailbox exits $((after - before)) $((to - from))
		per bridge_calls_mailbox calls "$calls" $((to - from))
	fi
	wait $!
	tr -d '\r' <asks.log | awk -v name="fault_$name" '$1 == "figure" { print name "_" $2, $3, $4 }'
}
# stalled NAME: what the guest measured
stalled() { tr -d '\r' | awk -v name="fault_$1_" '$1 == "figure" && $2 !~ /^bridge/ { print name ($3 == "exits" ? $2 "_exits" : $2), $3, $4 }'; }
# By way of a real kernel's queue: a record's read and its answer are among the calls.
mocked_stalls() {
	calls_a_fault bridge_calls_mock_stall vmm ./nestor-mock run --name faults -k Image -i initrd-stalls -c 1 -m 512 \
		--iommu s,type=smmuv3,idr5.oas=6 --dma-test=stall,pasid=8,iommu=s,backend=mock -p "console=ttyS0 quiet"
	stalled mock <stalls.log
}
# The same of a function that a guest, which is a host, has assigned to its own; by the lab's CPU, which has KVM for guests of guests.
take_tower_fault() {
	[ "$1" = nestor ] || return 0
	[ -z "$show" ] || echo "COMMAND $show: bench/guest/tower.sh, in: ./nestor run --nested -c 2 -m 768 --iommu s,type=smmuv3 --dma-test=stall,pasid=8,iommu=s" >&4
	timeout -s KILL 600 ./nestor run -k Image -i initrd-tower --nested -c 2 -m 768 --iommu s,type=smmuv3 --dma-test=stall,pasid=8,iommu=s \
		-p "console=ttyS0 quiet" >tower.log 2>&1
	tr -d '\r' <tower.log | awk '$1 == "figure" && $2 ~ /^bridge/ { print $2, $3, $4 }'
	stalled assigned <tower.log
}
# A fault's way to the guest and back, by where it arises and by route.
take_fault() {
	[ "$1" = nestor ] || return 0
	fault_by_hand
	asks ./nestor emulated "" --iommu v,type=virtio --dma-test=ats,pri,fault=mailbox,iommu=v
	asks ./nestor emulated asks.priq --iommu s,type=smmuv3,idr0.pri=1 --dma-test=ats,pri,iommu=s
	asks ./nestor-mock mock "" --iommu v,type=virtio --dma-test=ats,pri,fault=mailbox,iommu=v,backend=mock
	for test in pages-take pages-rate; do
		vmm ./nestor run -k viommu_pages.bin -c 1 -m 256 --iommu v,type=virtio,experimental=page-request --dma-test=ats,pri,iommu=v -p $test
	done | tr -d '\r' | awk '$1 == "figure" { print "fault_emulated_" $2, $3, $4 }'
	mocked_stalls
	./queue 20000 1 | sed -n 's/.*alone \([0-9]*\), by the bridge \([0-9]*\).*/fault_mock_bare us \1\nfault_mock_bridge us \2/p' |
		awk '{ printf "%s %s %.1f\n", $1, $2, $3 / 1000 }'
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
take_vfio_accel_tcp() {
	freed "$1" || return 0
	IOMMU=accel ACPI=y
	$1 Image 1 256 initrd-vfio-tcp - | tr -d '\r' | awk '/figure vfio_tcp/ { sub(/.*figure vfio/, ""); print "accel" $1, "MB/s", $2 }'
	CARD= IOMMU= ACPI=
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
take_vfio_accel_dhcp() {
	freed "$1" || return 0
	IOMMU=accel ACPI=y
	echo "accel_boot_dhcp ms $($1 Image 1 256 initrd-lease - ./clock lease-is-here)"
	CARD= IOMMU= ACPI=
}
# Its calls of ioctl (29) while the guest maps and unmaps for three seconds, by a thousand of the unmaps that there is time for
take_vfio_accel_calls() {
	freed "$1" || return 0
	WORDS=" map.e1000e" IOMMU=accel ACPI=y STRICT=1
	: >calls.log
	$1 Image 1 256 initrd-map - >calls.log 2>&1 &
	until grep -q "map: begins" calls.log || ! kill -0 $!; do usleep 20000; done
	case $1 in nestor) watched "$(pidof nestor)" ;; qemu) watched "$(pidof qemu-system-aarch64)" ;; esac
	until grep -q "figure map" calls.log || ! kill -0 $!; do usleep 20000; done
	calls=$(called '29 ')
	wait $!
	tr -d '\r' <calls.log | awk -v calls="$calls" '/figure / { sub(/.*figure /, ""); us += $2 } END { print "accel_unmap_calls calls", calls * us / 3e3 }'
	WORDS= CARD= IOMMU= ACPI= STRICT=
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

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The command line, on this machine and under sanitizers: what each mistake is answered by.
# One line on stderr that names the option, the value and what was expected; and the exit code.
set -u
BUILD=$(realpath "${BUILD:-build}")
top=$(realpath "$(dirname "$0")/..")
nestor=$BUILD/native/nestor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export XDG_RUNTIME_DIR=$work/runtime
mkdir "$XDG_RUNTIME_DIR"

# An arm64 Image of 4 KiB that is only a header; and its PE sections say 4 KiB too.
le() { # le BYTES VALUE: little-endian
	local i
	for ((i = 0; i < $1; i++)); do printf "\\x$(printf %02x $(($2 >> 8 * i & 255)))"; done
}
image() {
	{
		printf MZ; le 2 0; le 4 0; le 8 0; le 8 0x100000; le 8 0; le 24 0; printf 'ARM\x64'; le 4 64
		printf 'PE\0\0'; le 2 0xaa64; le 2 1; le 12 0; le 2 0; le 2 0
		printf '.text\0\0\0'; le 4 0; le 4 0; le 4 2048; le 4 2048; le 16 0
	} >"$1"
	truncate -s 4096 "$1"
}
image good
head -c 3000 good >truncated
printf '\177ELF\2\1\1' >elf
head -c 600 /dev/zero >x86 && printf HdrS | dd of=x86 bs=1 seek=$((0x202)) conv=notrunc status=none
gzip -c good >good.gz
head -c 30 good.gz >short.gz
gzip -c elf >elf.gz
gzip -c good.gz >twice.gz
head -c 5000 /dev/zero | gzip >raw.gz
{ printf 'MZ\0\0zimg'; le 4 64; le 4 9; le 8 0; printf 'xzkern'; head -c 100 /dev/zero; } >zboot.xz
{ printf 'MZ\0\0zimg'; le 4 64; le 4 999; le 8 0; printf 'gzip'; head -c 100 /dev/zero; } >zboot.short
: >empty
head -c 4096 /dev/urandom >disk
head -c 100 disk >tiny
head -c 32M /dev/zero >bigfile
mkdir folder
mkfifo pipe

# mistake NAME STATUS TEXT ARG...: that exit code, nothing on stdout, one line on stderr with TEXT.
mistake() {
	local name="command: $1" status=$2 text=$3 got
	shift 3
	timeout 20 "$nestor" "$@" >out 2>err </dev/null
	got=$?
	if [ $got != "$status" ]; then
		echo "FAIL $name: exit code $got, expected $status: $(head -n 1 err)"
	elif [ -s out ] || [ "$(wc -l <err)" != 1 ] || ! grep -qF -- "$text" err; then
		echo "FAIL $name: expected one line with '$text': $(head -n 3 out err)"
	else
		echo "PASS $name"
	fi
}
bad() { mistake "$1" 2 "$2" run "${@:3}"; }

mistake "no command" 2 "expected a command"
mistake "an unknown command" 2 "frobnicate: expected a command" frobnicate
mistake "an argument to version" 2 "x: expected nothing more" version x
mistake "an argument to devices" 2 "devices: x: expected --json or nothing" devices x
mistake "two arguments to devices" 2 "devices: x: expected nothing more" devices --json x
mistake "an argument to check" 2 "check: x: expected --json or --trace TOPIC,..." check --json x
mistake "an unknown topic of check's" 2 "check: --trace tea: expected topics out of" check --trace tea
mistake "an argument to help" 2 "run: expected nothing more" help run
bad "no kernel" "--kernel: not given: expected an arm64 kernel Image"
bad "a kernel that is not there" "--kernel nothing: No such file or directory: expected a readable file" -k nothing
bad "a kernel that is a folder" "--kernel folder: a directory: expected a file" -k folder
bad "an empty kernel" "--kernel empty: an empty file: expected one with contents" -k empty
bad "a truncated Image" "--kernel truncated: cut short at 3000 bytes: expected an arm64 Image" -k truncated
bad "an ELF file as kernel" "--kernel elf: an ELF file: expected an arm64 Image" -k elf
bad "a kernel for x86" "--kernel x86: a kernel for x86: expected an arm64 Image" -k x86
bad "a packed kernel cut short" "--kernel short.gz: its packed part is cut short: expected an arm64 Image" -k short.gz
bad "a packed ELF file as kernel" "--kernel elf.gz: it unpacks to an ELF file: expected an arm64 Image" -k elf.gz
bad "a kernel packed twice" "--kernel twice.gz: it unpacks to a gzip file: expected an arm64 Image" -k twice.gz
bad "a packed file without a header" "--kernel raw.gz: it unpacks to no known kernel: expected an arm64 Image" -k raw.gz
bad "a zboot kernel packed otherwise" "zboot image packed by xzkern, neither gzip nor zstd: expected an arm64 Image" -k zboot.xz
bad "a zboot kernel cut short" "--kernel zboot.short: cut short at 128 bytes: expected an arm64 Image" -k zboot.short
bad "a kernel that is a pipe" "--kernel pipe: expected a file, not a pipe or a device" -k pipe
bad "an initrd that is a pipe" "--initrd pipe: expected a file" -k good -i pipe
bad "a disk that is a pipe" "--disk pipe: expected a raw file or a block device" -k good -d pipe,ro
bad "a device tree that cannot be written" "--dump-dtb /nowhere/x: No such file or directory: expected" -k good --dump-dtb /nowhere/x
bad "ACPI tables of a machine without" "--dump-acpi folder: expected --acpi with it" -k good --dump-acpi folder
bad "ACPI tables nowhere" "--dump-acpi /nowhere: No such file or directory: expected a folder to write to" -k good --acpi --dump-acpi /nowhere
bad "ACPI tables in a file" "--dump-acpi good: Not a directory: expected a folder to write to" -k good --acpi --dump-acpi good
bad "a kernel with no name" "--kernel : expected an arm64 kernel Image" -k ""
bad "an initrd that is not there" "--initrd nothing: No such file" -k good -i nothing
bad "an initrd that is a folder" "--initrd folder: a directory" -k good -i folder
for cpus in 0 65 0100 08x -1 1x "" 99999999999999999999 0x; do
	bad "--cpus '$cpus'" "--cpus $cpus: expected 1 to 64 CPUs" -k good -c "$cpus"
done
for mem in 0 15M 1K 12Q 2GG -1 "" 300T 99999999999999999999 17000K; do
	bad "--mem '$mem'" "--mem $mem: expected 16M to 64T" -k good -m "$mem"
done
bad "less memory than the initrd needs" "expected at least" -k good -i bigfile -m 16
mistake "more memory than the host has" 3 "--mem 52428800M: expected at most" run -k good -m 50T
bad "a disk that is not there" "--disk nothing: No such file" -k good -d nothing
bad "a disk that is a folder" "--disk folder: " -k good -d folder
bad "a disk without a name" "--disk ,ro: expected FILE[,ro" -k good -d ,ro
bad "a disk with an unknown word" "--disk disk,rw: expected a key out of bus=, iommu=, segment=, ro" -k good -d disk,rw
bad "a disk with too many queues" "--disk disk,queues=17: expected queues=N, 1 to 16" -k good -d disk,queues=17
bad "a disk whose serial number is too long" "expected serial=TEXT, at most 20 characters" -k good -d disk,serial=123456789012345678901
bad "a transport there is not" "--virtio-transport isa: expected pci or mmio" -k good --virtio-transport isa
bad "a console there is not" "--console vga: expected serial or virtio" -k good --console vga
bad "a disk smaller than a sector" "--disk tiny: 100 bytes: expected at least one sector" -k good -d tiny
bad "too many disks" "--disk disk: expected at most 256 disks" -k good $(printf -- '-d disk %.0s' $(seq 257))
bad "a disk on a bus there is not" "--disk disk,bus=x: expected the ID of a --root-port" -k good -d disk,bus=x
bad "two devices on one root port" "--disk disk,bus=a: expected a root port with no other device, which --disk tiny is" \
	-k good --root-port a -d tiny,bus=a -d disk,bus=a
bad "a disk on a bus, over MMIO" "--disk disk,bus=a: expected no bus, or --virtio-transport pci" \
	-k good --root-port a -d disk,bus=a --virtio-transport mmio
bad "a port and another segment" "--disk disk,bus=a: expected a root port of segment 1, which is given too, not of 0" \
	-k good --segment 1 --root-port a -d disk,bus=a,segment=1
bad "too many devices on a root bus" "--disk disk: expected at most 32 devices and root ports on segment 0" \
	-k good $(for i in $(seq 32); do echo --root-port p$i; done) -d disk
bad "too many devices, the last without a key" "--rng : expected at most 32 devices and root ports on segment 0" \
	-k good $(for i in $(seq 32); do echo --root-port p$i; done) --rng
ports() { for i in $(seq "$1"); do echo "--root-port p$i,segment=4"; done; }
bad "more root ports than a segment has buses" "--root-port p32,segment=4: expected at most 31 root ports on each of 5 segments" \
	-k good --segment 1 --segment 2 --segment 3 --segment 4 $(ports 32)
bad "an entropy device on a bus there is not" "--rng ,bus=x: expected the ID of a --root-port" -k good --rng=bus=x
bad "an entropy device with an unknown key" "--rng x=1: expected a key out of bus=" -k good --rng=x=1
bad "a DMA endpoint with an unknown key" "--dma-test stalls: expected a key out of bus=, iommu=, segment=, ats, pri, stall, pasid=, fault=, backend=, fault-timeout=" -k good --dma-test=stalls
bad "a DMA endpoint that stalls behind nothing" "--dma-test stall,iommu=none: expected an --iommu of type=smmuv3" -k good --dma-test=stall
bad "page requests that go nowhere" "--dma-test ats,pri,fault=guest: expected fault=auto|mailbox|priq|virtio|off" -k good --dma-test=ats,pri,fault=guest
bad "page requests that there are not" "--dma-test ats,fault=mailbox: expected pri beside fault=" -k good --dma-test=ats,fault=mailbox
bad "a timeout of requests that others take" "--dma-test fault-timeout=: expected fault=mailbox, backend=mock, or an --iommu that stalls or takes page requests" -k good --dma-test=ats,pri,fault-timeout=5
bad "a backend that there is not" "--dma-test backend=card: expected backend=mock" -k good --dma-test=backend=card
bad "a mock behind nothing" "--dma-test backend=mock: expected iommu=ID beside it" -k good --dma-test=backend=mock
bad "a PRI queue of a virtio-iommu" "--dma-test fault=priq,iommu=v: expected an --iommu of type=smmuv3 with idr0.pri=1" -k good --iommu v,type=virtio --dma-test=ats,pri,fault=priq,iommu=v
bad "requests of a virtio-iommu without the experiment" "--dma-test fault=virtio,iommu=v: expected an --iommu of type=virtio with experimental=page-request" \
	-k good --iommu v,type=virtio --dma-test=ats,pri,fault=virtio,iommu=v
bad "page requests without translations" "--dma-test pri: expected ats beside pri" -k good --dma-test=pri
for bits in 0 21 -1 x ""; do
	bad "pasid='$bits'" "--dma-test pasid=$bits: expected pasid=N, 1 to 20" -k good --dma-test=pasid=$bits
done
bad "a flag of a DMA endpoint with a value" "--dma-test ats=on: expected ats without a value" -k good --dma-test=ats=on
bad "too many DMA endpoints" "--dma-test : expected at most 256 DMA endpoints" -k good $(printf -- '--dma-test %.0s' $(seq 257))
bad "a function of the host's that is none" "--vfio-pci 01:20.0: expected [DOMAIN:]BUS:DEVICE.FUNCTION, as in 0000:01:00.0" -k good --vfio-pci 01:20.0
bad "a function of the host's, twice" "--vfio-pci 0000:01:00.0: expected each function once" -k good --vfio-pci 01:00.0 --vfio-pci 0000:01:00.0
bad "a function of the host's behind an SMMU that is emulated" "--vfio-pci 01:00.0,iommu=s: expected none, an --iommu of type=virtio, or one without accel=off" -k good --iommu s,type=smmuv3,accel=off --vfio-pci 01:00.0,iommu=s
bad "a function of the host's that begins with a tab" "expected [DOMAIN:]BUS:DEVICE.FUNCTION, as in 0000:01:00.0" -k good --vfio-pci $'\t01:00.0'
bad "a function of the host's behind an emulated SMMU by its bus" "--vfio-pci 01:00.0: expected a bus that --iommu s has not: an emulated SMMU translates" \
	-k good --iommu s,type=smmuv3,accel=off,buses=0 --vfio-pci 01:00.0
bad "a function that stalls and does not" "--vfio-pci 01:00.0,stall=maybe: expected stall=auto, stall=on or stall=off" -k good --vfio-pci 01:00.0,stall=maybe
bad "a route for faults that there is not" "--vfio-pci 01:00.0,fault=priority: expected fault=auto, fault=stall, fault=mailbox or fault=off" -k good --vfio-pci 01:00.0,fault=priority
bad "a route for stalls of what does not stall" "--vfio-pci 01:00.0,stall=off,fault=stall: expected fault=stall without stall=off" -k good --vfio-pci 01:00.0,stall=off,fault=stall
bad "a PRI queue for a function of the host's" "--vfio-pci 01:00.0,fault=priq: expected fault=stall or fault=mailbox: a PRI queue, or a virtio-iommu's requests, are of emulated functions alone" -k good --vfio-pci 01:00.0,fault=priq
bad "a virtio-iommu's requests for a function of the host's" "--vfio-pci 01:00.0,fault=virtio: expected fault=stall or fault=mailbox: a PRI queue" -k good --vfio-pci 01:00.0,fault=virtio
bad "a mailbox of what does not stall" "--vfio-pci 01:00.0,stall=off,fault=mailbox: expected fault=mailbox without stall=off" -k good --vfio-pci 01:00.0,stall=off,fault=mailbox
bad "a mailbox behind a virtio-iommu" "--vfio-pci 01:00.0,fault=mailbox: expected it behind an --iommu of type=smmuv3, for which one of the host's translates" -k good --iommu v,type=virtio --vfio-pci 01:00.0,iommu=v,fault=mailbox
bad "stalls behind nothing" "--vfio-pci 01:00.0,stall=on: expected it behind an --iommu of type=smmuv3, for which one of the host's translates" -k good --vfio-pci 01:00.0,iommu=none,stall=on
bad "stalls behind a virtio-iommu" "--vfio-pci 01:00.0,fault-timeout: expected it behind an --iommu of type=smmuv3" -k good --iommu v,type=virtio --vfio-pci 01:00.0,iommu=v,fault-timeout=5
bad "a token that is no UUID" "--vfio-pci 01:10.0,token=1: expected token=UUID, as in 00112233-4455-6677-8899-aabbccddeeff" -k good --vfio-pci 01:10.0,token=1
bad "a DMA endpoint on a bus there is not" "--dma-test ,bus=x: expected the ID of a --root-port" -k good --virtio-transport mmio --dma-test=bus=x
bad "a DMA endpoint behind an IOMMU there is not" "--dma-test ,iommu=v: expected none, or the ID of an --iommu" -k good --dma-test=ats,iommu=v
bad "a console on a bus there is not" "--console virtio,bus=x: expected the ID of a --root-port" -k good --console virtio,bus=x
bad "a serial console with keys" "--console serial,bus=x: expected serial or virtio" -k good --console serial,bus=x
bad "an empty key" "--disk disk,: expected a key out of" -k good -d disk,
bad "a disk in a segment there is not" "--disk disk,segment=3: expected 0 or the number of a --segment" -k good -d disk,segment=3
bad "a disk behind an IOMMU there is not" "--disk disk,iommu=v0: expected none, or the ID of an --iommu" -k good -d disk,iommu=v0
bad "an IOMMU of no kind" "--iommu v: expected ID,type=virtio|smmuv3" -k good --iommu v
bad "an IOMMU of a kind there is not" "--iommu v,type=smmuv2: expected type=virtio or type=smmuv3" -k good --iommu v,type=smmuv2
bad "a disk behind two IOMMUs" "--disk disk,iommu=a,iommu=b: expected iommu=a or iommu=b, not both" \
	-k good --iommu a,type=smmuv3 --iommu b,type=virtio -d disk,iommu=a,iommu=b
bad "a device in two places" "--rng bus=a,bus=b: expected bus=a or bus=b, not both" -k good --root-port a --root-port b --rng=bus=a,bus=b
bad "an SMMU with one field twice" "--iommu s,type=smmuv3,idr1.sidsize=8,IDR1.sidsize=9: expected idr1.sidsize=8 or IDR1.sidsize=9, not both" \
	-k good --iommu s,type=smmuv3,idr1.sidsize=8,IDR1.sidsize=9
bad "an IOMMU of two kinds" "--iommu v,type=virtio,type=smmuv3: expected type=virtio or type=smmuv3, not both" \
	-k good --iommu v,type=virtio,type=smmuv3
bad "a network of two taps" "expected tapif=a or tapif=b, not both" -k good -n mode=tap,tapif=a,tapif=b
bad "reserved ranges that overlap" "expected reserved= ranges that do not overlap, as 0x0-0xfff and 0x800-0x1fff do" \
	-k good --iommu v,type=virtio,reserved=0-0xfff:0x800-0x1fff
bad "a window for the host's messages that is reserved" "expected reserved=0x1000-0x2fff beside host-msi=0x2000-0x3fff" \
	-k good --iommu v,type=virtio,reserved=0x1000-0x2fff,host-msi=0x2000-0x3fff
bad "a window for the host's messages that nothing maps" \
	"expected host-msi=0x1000-0x1fff, where msi=translate maps, within input=0x10000-0xfffff" \
	-k good --iommu v,type=virtio,msi=translate,host-msi=0x1000-0x1fff,input=0x10000-0xfffff
bad "nothing to map" "expected reserved=0x0-0xffff to leave something of input=0x1000-0x1fff" \
	-k good --iommu v,type=virtio,input=0x1000-0x1fff,reserved=0-0xffff
window() { bad "$1" "--msi-window $2: expected $3" -k good --msi-window "$2" "${@:4}"; }
window "a window for doorbells without a size" 0x8000000 "BASE,SIZE, as in 0x8000000,0x100000"
window "an empty window for doorbells" 0x8000000,0 "multiples of 64 KiB, and at least one"
window "a window for doorbells that is not aligned" 0x8000800,0x100000 "multiples of 64 KiB, and at least one"
window "a window for doorbells that no IOMMU translates" 0xfffffff00000,0x200000 "addresses of 48 bits"
window "a window for doorbells in RAM" 0x80000000,0x100000 "addresses beside RAM, which is at 0x80000000-0x8fffffff"
window "a window for doorbells where BARs are" 0x4ff00000,0x200000 "addresses beside segment 0's window for BARs, which is at 0x50000000-0x7fffffff"
window "a window for doorbells that nothing has" 0x8000000,0x100000 "an --iommu or a --vfio-pci with it: nothing has a doorbell there"
window "a window for doorbells where there are no messages" 0x8000000,0x100000 "--irqchip gicv3-its or gicv2m: nothing has a doorbell there" \
	--iommu v,type=virtio --irqchip gicv3
bad "a second window for doorbells" "--msi-window 0x9000000,0x100000: expected one window, not two" \
	-k good --msi-window 0x8000000,0x100000 --msi-window 0x9000000,0x100000
bad "two windows for the host's messages" "--iommu v,host-msi=0x8000000-0x80fffff: expected none beside --msi-window, which is 0x9000000-0x90fffff" \
	-k good --msi-window 0x9000000,0x100000 --iommu v,type=virtio,host-msi=0x8000000-0x80fffff
bad "a window for doorbells that nothing maps" "--iommu v,input=0x0-0xffff: expected --msi-window, where msi=translate maps, within it: 0x9000000-0x90fffff" \
	-k good --msi-window 0x9000000,0x100000 --iommu v,type=virtio,msi=translate,input=0-0xffff
bad "a window for doorbells that is reserved" "--iommu v,reserved=0x9000000-0x9000fff: expected it beside 0x9000000-0x90fffff, where doorbells are" \
	-k good --msi-window 0x9000000,0x100000 --iommu v,type=virtio,reserved=0x9000000-0x9000fff
bad "the doorbell's page, reserved" "--iommu v,reserved=0x8000000-0x8000fff: expected it beside 0x8000000-0x8000fff, where doorbells are" \
	-k good --iommu v,type=virtio,reserved=0x8000000-0x8000fff
bad "two IOMMUs of one name" "--iommu v,type=smmuv3: expected an ID that no other IOMMU has" -k good --iommu v,type=virtio --iommu v,type=smmuv3
bad "a seventeenth IOMMU" "--iommu v,type=smmuv3: expected at most 16 IOMMUs" -k good $(for i in $(seq 16); do echo --iommu s$i,type=smmuv3; done) --iommu v,type=smmuv3
for key in segment=0 transport=mmio msi=bypass bypass=on granule=4096 input=0-1 domains=0-1 reserved=0-1 host-msi=0-1 mappings=1 experimental=page-request; do
	bad "an SMMU with $key" "--iommu s,type=smmuv3,$key: expected ${key%%=*}= with type=virtio only" -k good --iommu s,type=smmuv3,$key
done
bad "a virtio-iommu with an SMMU's interrupts" "--iommu v,type=virtio,interrupts=msi: expected interrupts= with type=smmuv3 only" \
	-k good --iommu v,type=virtio,interrupts=msi
bad "a virtio-iommu with an SMMU's field" "--iommu v,type=virtio,idr0.s2p=0: expected idr0.s2p= with type=smmuv3 only" \
	-k good --iommu v,type=virtio,idr0.s2p=0
bad "an SMMU with an unknown key" "--iommu s,type=smmuv3,queue=on: expected a key out of type=, buses=, interrupts=, accel=, host=, idrN.FIELD=" -k good --iommu s,type=smmuv3,queue=on
bad "an SMMU with command queues of the host's" "--iommu s,type=smmuv3,accel=on,vcmdq=on: expected no vCMDQ, which is left out: no guest has a command queue of the host's" \
	-k good --iommu s,type=smmuv3,accel=on,vcmdq=on
bad "an SMMU that is to be the host's, with nothing of the host's behind it" "--iommu s,accel=on: expected a --vfio-pci with iommu=s" -k good --iommu s,type=smmuv3,accel=on
bad "an SMMU for one of the host's, that has nothing of it behind it" "--iommu s,host=smmu3.0x1: expected a --vfio-pci with iommu=s" -k good --iommu s,type=smmuv3,host=smmu3.0x1
bad "an emulated device behind the host's SMMU" "--rng iommu=s: expected another --iommu, or none: this one has --vfio-pci 01:00.0 behind it, so the host's SMMU translates, and it does for no emulated device" -k good --iommu s,type=smmuv3 --vfio-pci 01:00.0,iommu=s --rng=iommu=s
bad "an SMMU with a field there is not" "--iommu s,type=smmuv3,idr0.x=1: expected a field of an ID register, such as idr0.s2p=0" \
	-k good --iommu s,type=smmuv3,idr0.x=1
for field in idr0.atsrecerr idr0.btm idr1.ecmdq idr5.d128; do
	bad "an SMMU with $field" "--iommu s,type=smmuv3,$field=1: expected $field=0" -k good --iommu s,type=smmuv3,$field=1
done
bad "an SMMU with more stalls than there can be" "--iommu s: expected idr5.stall_max=N, 1 to 256, with idr0.stall_model=0 or 2" -k good --iommu s,type=smmuv3,idr5.stall_max=257
bad "an SMMU with too many StreamIDs" "expected idr1.sidsize=N, 0 to 32" -k good --iommu s,type=smmuv3,idr1.sidsize=33
bad "an SMMU of no stage" "--iommu s: expected idr0.s1p=1 or idr0.s2p=1" -k good --iommu s,type=smmuv3,idr0.s1p=0,idr0.s2p=0
bad "an SMMU of no granule" "--iommu s: expected idr5.gran4k=1, idr5.gran16k=1 or idr5.gran64k=1" \
	-k good --iommu s,type=smmuv3,idr5.gran4k=0,idr5.gran16k=0,idr5.gran64k=0
bad "an SMMU with addresses too narrow" "--iommu s,idr5.oas=0: expected at least 1: the board ends at 0x1000000000" -k good --iommu s,type=smmuv3,idr5.oas=0
bad "an SMMU with interrupts there are not" "--iommu s,type=smmuv3,interrupts=spi: expected interrupts=wired or interrupts=msi" \
	-k good --iommu s,type=smmuv3,interrupts=spi
for chip in gicv3 gicv2m gicv2; do
	bad "an SMMU that sends messages to $chip" "--iommu s,interrupts=msi: expected --irqchip gicv3-its, not $chip" \
		-k good --iommu s,type=smmuv3,interrupts=msi --irqchip $chip
done
bad "an SMMU that sends messages and cannot" "--iommu s: expected idr0.msi=1 with interrupts=msi" -k good --iommu s,type=smmuv3,interrupts=msi,idr0.msi=0
bad "a root port in a segment there is not" "--root-port a,segment=2: expected 0 or" -k good --root-port a,segment=2
bad "two root ports of one name" "--root-port a: expected an ID that no other root port has" -k good --root-port a --root-port a
bad "--segment 0" "--segment 0: expected a segment number, 1 to 65535" -k good --segment 0
segments() { for i in $(seq "$1"); do echo "--segment $i"; done; }
bad "too many segments" "--segment 64: expected at most 64 segments, 0 included" -k good $(segments 64)
bad "more root ports than 64 segments have buses" "--root-port d,segment=63: expected at most 3 root ports on each of 64 segments" \
	-k good $(segments 63) --root-port a,segment=63 --root-port b,segment=63 --root-port c,segment=63 --root-port d,segment=63
bad "more root ports than a root bus has devices" "--root-port p33: expected at most 32 devices and root ports on segment 0" \
	-k good $(for i in $(seq 33); do echo --root-port p$i; done)
bad "more devices than there are slots" "--disk disk: expected at most 32 devices over MMIO, or --virtio-transport pci" \
	-k good --virtio-transport mmio $(printf -- '-d disk %.0s' $(seq 33))
printf '#!/bin/sh\nulimit -n 300; exec "%s" "$@"\n' "$nestor" >few && chmod +x few
nestor=$work/few mistake "more devices than files may be open" 3 "--cpus 1 and 32 devices: expected a limit of at least 356 open files, not 300" \
	run -k good $(printf -- '-d disk,ro %.0s' $(seq 32))
bad "a segment twice" "--segment 5: expected a segment that is not there yet" -k good --segment 5 --segment 5
bad "a tap that is not there" "--network tap=nothing: No such device: expected a tap interface that exists" -k good -n tap=nothing
bad "a tap whose name is too long" "--network tap=0123456789abcdef: No such device: expected a tap" -k good -n tap=0123456789abcdef
bad "a tap without a name" "--network tap=: expected tap=NAME" -k good -n tap=
bad "a network there is not" "--network slirp: expected tap=NAME" -k good -n slirp
bad "none and a key" "--network none,mac=02:00:00:00:00:01: expected tap=NAME" -k good -n none,mac=02:00:00:00:00:01
bad "a network with an unknown key" "--network tap=t,script=x: expected a key out of bus=" -k good -n tap=t,script=x
bad "a network with too many queues" "--network tap=t,queues=8: expected queues=N, 1 to 7" -k good -n tap=t,queues=8
for mac in 1 01:00:00:00:00:00 00:00:00:00:00:00 2:0:0:0:0:0 02:00:00:00:00:01:02 02:00:00:00:00:0g; do
	bad "mac=$mac" "--network tap=t,mac=$mac: expected mac=XX:XX:XX:XX:XX:XX" -k good -n tap=t,mac=$mac
done
bad "lkvm's tap without a name" "--network mode=tap: expected mode=tap,tapif=NAME" -k good -n mode=tap
bad "a mode lkvm has not" "--network mode=bridge: expected mode=tap,tapif=NAME" -k good -n mode=bridge
bad "lkvm's words for a tap that is not there" "--network mode=tap: No such device" -k good -n mode=tap,tapif=nothing,guest_mac=02:00:00:00:00:01
bad "lkvm's words in another order" "--network tapif=nothing: No such device" -k good -n tapif=nothing,mode=tap
bad "lkvm's words without a mode" "--network guest_mac=02:00:00:00:00:01: No such device" -k good -n guest_mac=02:00:00:00:00:01,tapif=nothing
bad "lkvm's words behind a tap's name" "--network tap=t,mode=tap: expected mode= and tapif= without" -k good -n tap=t,mode=tap
bad "too many networks" "--network tap=t: expected at most 32 networks" -k good $(printf -- '-n tap=t %.0s' $(seq 33))
bad "a network on a bus there is not" "--network tap=t,bus=x: expected the ID of a --root-port" -k good -n tap=t,bus=x
for cid in 0 2 4294967295 -1 x 3x ""; do
	bad "--vsock '$cid'" "--vsock $cid: expected a context ID, 3 to 4294967294" -k good --vsock "$cid"
done
bad "a vsock behind an IOMMU" "--vsock 3,iommu=v0: expected iommu=none: a device that vhost works is behind no IOMMU" -k good --vsock 3,iommu=v0
bad "a vsock with an unknown key" "--vsock 3,x=1: expected a key out of bus=, iommu=, segment=" -k good --vsock 3,x=1
bad "a folder that is not there" "--fs nowhere: No such file or directory: expected a folder" -k good --fs nowhere,tag=a
bad "a folder that is a file" "--fs good: not a folder: expected a folder" -k good --fs good,tag=a
bad "a folder without a name" "--fs ,tag=a: expected DIR,tag=TAG" -k good --fs ,tag=a
bad "a folder without a tag" "--fs folder: expected tag=TAG, which the guest mounts it by" -k good --fs folder
bad "a tag of 37 bytes" "expected tag=TAG of at most 36 bytes" -k good --fs folder,tag=0123456789012345678901234567890123456
bad "two folders of one tag" "--fs folder,tag=a: expected a tag that no other folder has" -k good --fs folder,tag=a --fs folder,tag=a
bad "a sandbox there is not" "--fs folder,tag=a,sandbox=box: expected sandbox=namespace, chroot or none" -k good --fs folder,tag=a,sandbox=box
bad "a folder behind an IOMMU" "--fs folder,tag=a,iommu=v: expected iommu=none" -k good --fs folder,tag=a,iommu=v
bad "a ninth folder" "--fs folder,tag=9: expected at most 8 folders" -k good $(for i in $(seq 9); do echo --fs folder,tag=$i; done)
bad "passt with several queues" "--network passt,queues=2: expected queues=1: passt has one queue" -k good -n passt,queues=2
printf '#!/bin/sh\nPATH=/nowhere exec "%s" "$@"\n' "$nestor" >alone && chmod +x alone
if [ -w /dev/kvm ]; then
	nestor=$work/alone mistake "no passt on this machine" 3 "--network passt: passt: not found: expected it in PATH" run -k good -n passt
	nestor=$work/alone mistake "no passt, in lkvm's words" 3 "--network passt: passt: not found" run -k good -n mode=user
	[ -e /usr/libexec/virtiofsd ] || [ -e /usr/lib/qemu/virtiofsd ] ||
		nestor=$work/alone mistake "no virtiofsd on this machine" 3 "--fs folder: virtiofsd: not found: expected it in PATH" run -k good --fs folder,tag=a
else
	echo "SKIP command: no helpers on this machine: a host without KVM is told of that first"
fi
bad "--timeout 0" "--timeout 0: expected 1 to 1000000 seconds" -k good --timeout 0
bad "--trace of an unknown topic" "--trace kvm,tea: expected topics out of" -k good --trace kvm,tea
bad "a vCPU with half a vector" "--cpu sve=100: expected sve=auto, on, off or a vector length in bits" -k good --cpu sve=100
bad "a feature there is not" "--cpu mte=on: expected pmu=, sve=, pauth=, or an ID register's" -k good --cpu mte=on
bad "an ID register there is not" "--cpu id_aa64pfr9_el1.sve=1: expected an ID register such as" -k good --cpu id_aa64pfr9_el1.sve=1
bad "a field there is not" "--cpu id_dfr1_el1.sve=1: expected a field of id_dfr1_el1: mtpmu hpmn0" -k good --cpu id_dfr1_el1.sve=1
bad "a value that no field holds" "--cpu ctr_el0.dic=2: expected at most 1 in that field" -k good --cpu ctr_el0.dic=2
bad "a 33rd field" "expected at most 32 fields" -k good --cpu "$(printf 'ctr_el0.dic=1%.0s,' $(seq 32))ctr_el0.dic=1"
for size in 2 3M 2T on 32K 2MB "" 1025M; do
	bad "--hugetlb '$size'" "--hugetlb $size: expected a size of huge pages, such as 2M or 1G" -k good --hugetlb "$size"
done
bad "a hugetlbfs that is none" "--hugetlbfs folder: expected a folder where a hugetlbfs is mounted" -k good --hugetlbfs folder
bad "a hugetlbfs that is not there" "--hugetlbfs nothing: No such file or directory: expected a folder" -k good --hugetlbfs nothing
bad "both huge pages and a hugetlbfs" "--hugetlbfs folder: expected no --hugetlb beside it" -k good --hugetlbfs folder --hugetlb 2M
mistake "huge pages of a size the host has not" 3 "--hugetlb 128K: expected a size that this host has: " run -k good --hugetlb 128K
bad "--nested with a GICv2" "--nested: expected --irqchip gicv3-its or gicv3, not gicv2m" -k good --nested --irqchip gicv2m
bad "--e2h0 alone" "--e2h0: expected --nested too" -k good --e2h0
bad "an irqchip there is not" "--irqchip gicv9: expected gicv3-its, gicv3, gicv2m or gicv2" -k good --irqchip gicv9
bad "too many CPUs for a GICv2" "--cpus 9: expected at most 8 with --irqchip gicv2m" -k good --irqchip gicv2m -c 9
bad "an unknown option" "--frobnicate: expected an option of" -k good --frobnicate
for name in $(sed -nE 's/^\| `--([a-z0-9-]+)`[^|]*\| refused .*/\1/p' "$top/docs/lkvm.md"); do
	bad "lkvm's --$name" "--$name: an option of lkvm that nestor does not have" -k good --$name x
done
bad "lkvm's -f" "--firmware: an option of lkvm that nestor does not have; the nearest is -k" -k good -f x
bad "a word that is no option" "good: expected an option; a kernel is given with -k" good
bad "an option without its value" "--mem: no value: expected SIZE" -k good -m
bad "a flag with a value" "--reboot: yes: expected no value" -k good --reboot=yes
bad "a command line too long" "expected at most 2047 characters" -k good -p "$(printf 'x%.0s' $(seq 3000))"

# The control socket: names, and what is said of guests that are not there.
long=$(printf 'x%.0s' $(seq 65))
for name in "" a/b "a b" "$long"; do
	bad "--name '$name'" "--name $name: expected 1 to 64 of A-Z a-z 0-9 . _ -" -k good --name "$name"
done
bad "a log that is a pipe nobody reads" "--log-json pipe: No such device or address: expected a file to write" -k good --log-json pipe
bad "a log that cannot be written" "--log-json nowhere/log: No such file or directory: expected a file to write" \
	-k good --log-json nowhere/log
mkdir -m 777 open && mkdir open/nestor && chmod 777 open/nestor
XDG_RUNTIME_DIR=$work/open mistake "a folder of sockets that others may write" 1 "--name x: $work/open/nestor/x.sock: " \
	run -k good --name x
XDG_RUNTIME_DIR=$work/$long$long mistake "a folder of sockets that is too deep" 1 "File name too long" run -k good --name x
mistake "pause with no guest" 2 "pause: no name: expected a guest, and none runs" pause
mistake "stat of a guest that does not run" 2 "stat: nobody: expected the name of a running guest" stat nobody
mistake "stop of a guest that does not run, as lkvm has it" 2 "stop: nobody: expected the name" stop -n nobody
mistake "a subcommand with a bad name" 2 "debug: a/b: expected a name of 1 to 64" debug --name=a/b
mistake "a subcommand with two names" 2 "resume: b: expected one name" resume a b
mistake "a subcommand with a name and --all" 2 "pause: --all: expected no name" pause -a x
mistake "a subcommand with an unknown option" 2 "stop: --json: expected [-n] NAME or --all" stop --json
mistake "a subcommand with a name missing" 2 "stat: -n: no value: expected NAME" stat -n
mistake "list with an unknown option" 2 "list: -x: expected --json" list -x
mistake "lkvm's list of root file systems" 2 "list: --rootfs: an option of lkvm that nestor does not have" list -r
mistake "lkvm's NMI" 2 "debug: --nmi: an option of lkvm that nestor does not have" debug -m 0
mistake "lkvm's sysrq" 2 "debug: --sysrq: an option of lkvm that nestor does not have" debug --sysrq=b
mistake "lkvm's memory figures are among the others" 2 "stat: nobody: expected the name" stat -m -n nobody
mistake "lkvm's dump is what debug prints" 2 "debug: nobody: expected the name" debug --dump nobody
mistake "a walk with no StreamID" 2 "debug: no --sid: expected --iommu ID --sid S [--ssid P] --iova A" debug x --iommu s --iova 1
mistake "a walk with no IOMMU" 2 "debug: no --iommu: expected --iommu ID --sid S" debug x --sid 8 --iova 1
mistake "a walk with no address" 2 "debug: no --iova: expected --iommu ID --sid S" debug x --sid 8 --iommu s
mistake "a walk with an option that ends there" 2 "debug: --iova: no value: expected --iommu ID" debug x --iova
mistake "a walk of a StreamID that is none" 2 "debug: --sid: 00:01.0: expected a number of 32 bits" debug x --sid 00:01.0
mistake "a walk of a StreamID too large" 2 "debug: --sid: 0x100000000: expected a number of 32 bits" debug x --sid=0x100000000
mistake "a walk of a SubstreamID that is none" 2 "debug: --ssid: -1: expected a number of 32 bits" debug x --ssid -1
mistake "a walk of an address that is none" 2 "debug: --iova: 0x10000000000000000: expected an address" debug x --iova 0x10000000000000000
mistake "a walk of a guest that does not run" 2 "debug: x: expected the name of a running guest" debug x --iommu s --sid 8 --iova 1
mistake "an error of no IOMMU" 2 "inject: no --iommu: expected --iommu ID ERROR" inject x sfm
mistake "no error" 2 "inject: no error: expected --iommu ID ERROR" inject --iommu s
mistake "an error for a guest that does not run" 2 "inject: x: expected the name of a running guest" inject x --iommu s sfm
mistake "an error for one of none" 2 "inject: no name: expected a guest, and none runs" inject --iommu s sfm
mistake "an error with a StreamID" 2 "inject: --sid: expected [-n] NAME or --all" inject x --iommu s --sid 8 sfm
mistake "list with a name" 2 "list: x: expected no name" list x

# Here KVM is either absent or another architecture's; both are the host's lack, said in one line.
if [ "$(uname -m)" != aarch64 ]; then
	mistake "a host that is no arm64 host with KVM" 3 "/dev/kvm: " run -k good
fi

said() { # said NAME STATUS TEXT ARG...: stdout has TEXT, stderr is empty
	local name="command: $1" text=$3 got
	"$nestor" "${@:4}" >out 2>err </dev/null
	got=$?
	if [ $got = "$2" ] && [ ! -s err ] && grep -qF -- "$text" out; then
		echo "PASS $name"
	else
		echo "FAIL $name: exit code $got: $(head -n 2 out err)"
	fi
}
said "help lists the commands" 0 "run" help
said "run --help lists the options" 0 "--irqchip NAME" run --help
said "version" 0 "nestor 0.1" version
said "list with no guest" 0 "PID" list
said "list of the running ones, as lkvm has it" 0 "PID" list -i
said "list --json with no guest" 0 '"guests": []' list --json
said "dump --help" 0 "--acpi-out DIR" dump --help
said "topology --help" 0 "--format" topology --help
said "check --help" 0 "usage: nestor check [--json] [--trace TOPIC,...]" check --help
said "devices --help" 0 "usage: nestor devices [--json]" devices -h
for command in list stat pause resume stop debug inject; do said "$command --help" 0 "usage: nestor $command [" $command --help; done
mistake "--help behind something else of check's" 2 "check: --help: expected --json or --trace TOPIC,..." check --json --help
said "topology needs no host" 0 "virtio-blk nowhere.img" topology -d nowhere.img
said "topology in the format that is asked for last" 0 '"schema": 1' topology --format dot --format=json
said "dump to standard output" 0 "arm,gic-v3" dump --dtb-out /dev/stdout
mistake "nothing to dump" 2 "dump: nothing to write: expected --acpi-out DIR or --dtb-out FILE" dump -c 2
mistake "a dump without its folder" 2 "--acpi-out: no value: expected a folder to write to" dump --acpi-out
mistake "a dump to no folder" 2 "--acpi-out good: Not a directory: expected a folder to write to" dump --acpi-out good
mistake "a dump to a file in no folder" 2 "--dtb-out no/file: No such file or directory: expected a file that can be written" dump --dtb-out no/file
mistake "a dump that does not fit" 1 "--dtb-out /dev/full: cannot write" dump --dtb-out /dev/full
mistake "a dump of a machine that cannot be" 2 "--disk x,iommu=s: expected none, or the ID" dump --dtb-out tree -d x,iommu=s
mistake "a dump as run has it" 2 "--dump-dtb x: expected \`nestor dump --dtb-out FILE\`" dump --dtb-out tree --dump-dtb x
mistake "a picture with a dump" 2 "--dump-acpi x: expected \`nestor dump --acpi-out DIR\`" topology --acpi --dump-acpi x
mistake "a picture of no format" 2 "--format svg: expected text, json or dot" topology --format svg
left=$(ls "$XDG_RUNTIME_DIR/nestor")
if [ -z "$left" ]; then echo "PASS command: no socket is left"; else echo "FAIL command: no socket is left: $left"; fi

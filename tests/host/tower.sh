#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The tower: Nestor's own SMMUv3, of two stages, is the hardware of a host, whose Nestor gives devices to a guest behind an SMMUv3
# that this one translates for.
# host: -P max,pauth=off,sve=off,sme=off,lpa2=off -a kvm-arm.mode=nested
. "$SHARE/tests/host/lib.sh"
cp "$SHARE/tap" "$WORK"
"$WORK/tap" tap0 && ip addr add 10.9.0.1/24 dev tap0 && ip link set tap0 up
nc -ll -p 7 -e cat &
echo=$!

# tower WORDS ARG...: WORDS are the host's kernel's; its guest has done what they say, and nobody complains
tower() {
	words=$1
	shift
	run 0 --timeout 560 -k "$IMAGE" -i "$SHARE/initrd-nestor-tower" --nested -c 2 -m 768 -p "console=ttyS0 loglevel=1 $words" --iommu s,type=smmuv3 "$@" || return 1
	said "its guest ended with 0" && said "inner: DMA" || return 1
	WHY="a complaint: $(grep -a -m 1 'complaint' "$OUT")"
	! grep -qa 'complaint' "$OUT"
}
flows() {
	tower "inner.do=net,ats,pasid inner.count=20 $1" --dma-test=ats,pasid=8,iommu=s -n tap=tap0,iommu=s && said "inner: what was sent came back" &&
		said "ats: detached: ok" && said "sva: present: ok"
}
# served TESTS COUNT KEYS WORDS: faults that the bottom's SMMU stalls, of many kinds, in the memory of processes of the inner guest: what
# the endpoint did is right, and each that the host in between was told of has had one answer
served() {
	tests=$1 count=$2 keys=$3 words=$4
	shift 4
	tower "inner.do=stall,sva inner.count=$count inner.tests=$tests tower.keys=$keys $words" --dma-test=pasid=8,stall,iommu=s "$@" || return 1
	for test in untouched "given up" "swapped out" forked "under load" processes "memory is gone" "process is gone"; do
		said "sva: $test: ok" || return 1
	done
	for test in "each is served" "page by page" refused "answered twice" detached; do
		said "stall: $test: ok" || return 1
	done
	WHY=$(grep -a '^bridge:' "$OUT")
	grep -qa 'bridge: retried: [1-9][0-9][0-9]' "$OUT" && said "bridge: nothing is lost"
}
by_tree() { tower "inner.do=net $1" --dma-test=iommu=s -n tap=tap0,iommu=s && said "inner: what was sent came back"; }
kselftest() { tower "inner.do=test $1" --dma-test=iommu=s && said "inner: kselftest: 0"; }
# A device tree says that the window of doorbells is mapped in any case, and then Linux gives no function to a program: by ACPI it does.
case_of "tower: a network card and a DMA endpoint, with translations that it caches and PASIDs, behind both stages, by ACPI, strict" \
	flows "tower.args=--acpi tower.words=iommu.strict=1"
long_case "tower: a network card behind both stages, by FDT, lazy" by_tree ""
case_of "tower: more than a thousand faults that stall at the bottom are served by the inner guest, told by ACPI" served some 400 ,stall=on tower.args=--acpi
long_case "tower: a hundred thousand, and every kind, told by the tree all the way up" served "" 100000 "" ""
[ ! -e "$SHARE/kselftest.cpio" ] || long_case "tower: the kernel's own test of the DMA endpoint behind both stages" kselftest tower.words=iommu.strict=1
kill $echo
ip link del tap0

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

# tower WORDS ARG...: WORDS are the host's kernel's; its guest's work is done, and nobody complains
tower() {
	words=$1
	shift
	run 0 -k "$IMAGE" -i "$SHARE/initrd-nestor-tower" --nested -c 2 -m 768 -p "console=ttyS0 loglevel=4 $words" "$@" || return 1
	said "its guest ended with 0" && said "inner: kselftest: 0" && said "inner: what was sent came back" || return 1
	WHY="a complaint: $(grep -a -m 1 'complaint' "$OUT")"
	! grep -qa 'complaint' "$OUT"
}
both() {
	words=$1
	shift
	tower "$words" --iommu s,type=smmuv3 --dma-test=iommu=s -n tap=tap0,iommu=s "$@" && said "inner: DMA"
}
case_of "tower: a DMA endpoint and a network card behind both stages, strict, by FDT" both tower.words=iommu.strict=1
kill $echo
ip link del tap0

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the lab's host: takes each figure RUNS times of Nestor and of QEMU in turn, from tmpfs, warm.
# Prints "RAW name unit less|more who value", and "COMMAND ..." lines with what was run.
cp /share/nestor /share/Image /share/initrd-* /tmp
mkdir /tmp/peer && tar -C /tmp/peer -xf /share/peer.tar
cd /tmp || exit 1
head -c 134217728 /dev/urandom >disk.img

nestor() {
	echo ./nestor run -k Image -i "initrd-$1" -c 2 -m 512 -d disk.img -p console=ttyS0\ quiet
}
qemu() {
	echo peer/bin/qemu-system-aarch64 -nodefaults -no-user-config -display none -no-reboot \
		-machine virt,gic-version=3,accel=kvm -cpu host -smp 2 -m 512 -kernel Image -initrd "initrd-$1" \
		-serial stdio -object iothread,id=io -drive if=none,id=d,file=disk.img,format=raw,aio=io_uring \
		-device virtio-blk-pci,drive=d,iothread=io,num-queues=1 -append console=ttyAMA0\ quiet
}

# The command lines hold one argument with a space, the last: the guest's kernel parameters.
run() {
	line=$("$1" "$2")
	set -- "${line##* console}"
	# shellcheck disable=SC2086
	${line% console*} "console$1" </dev/null
}

for who in nestor qemu; do
	echo "COMMAND $who: $($who boot)"
	run $who boot >/dev/null 2>&1 # warm
done
for i in $(seq "${RUNS:-5}"); do
	for who in nestor qemu; do
		start=$(cut -d' ' -f1 /proc/uptime)
		run $who boot >log 2>&1 || { echo "boot under $who failed:"; tail -n 5 log; }
		echo "RAW boot-to-power-off s less $who $(echo "$start $(cut -d' ' -f1 /proc/uptime)" | awk '{ printf "%.2f", $2 - $1 }')"
	done
	for who in nestor qemu; do
		run $who disk 2>&1 | tr -d '\r' | awk -v who=$who '$1 == "figure" {
			print "RAW", $2, ($2 ~ /4k/ ? "IO/s" : "MB/s"), "more", who, $3 }'
	done
done

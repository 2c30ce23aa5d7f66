# SPDX-License-Identifier: GPL-2.0-only
# What every interrupt controller is tried with: Linux with disks, and the bare-metal guests. Sourced after bare-lib.sh.

# linux_irqs CHIP CPUS PATTERN: Linux reads disks on two root buses and behind two root ports, all four INTx lines or as
# many messages, and each virtio device's interrupt is one of PATTERN
linux_irqs() {
	chip=$1 cpus=$2 pattern=$3
	for i in 1 2 3 4 5; do head -c 65536 /dev/urandom >"$WORK/disk$i"; done
	run 0 -k "$IMAGE" -i "$SHARE/initrd-irqs" -m 512 -p "console=ttyS0 quiet" --irqchip "$chip" -c "$cpus" \
		--root-port a --root-port b --segment 1 -d "$WORK/disk1,bus=a" -d "$WORK/disk2,bus=b" \
		-d "$WORK/disk3" -d "$WORK/disk4" -d "$WORK/disk5,segment=1" || return 1
	for i in 1 2 3 4 5; do said "$(sha256sum <"$WORK/disk$i" | cut -d' ' -f1)" || return 1; done
	[ "$cpus" = 1 ] || said "CPUs with IPIs: $cpus" || return 1
	WHY="an interrupt that is no $pattern: $(grep '^irq virtio' "$OUT" | grep -v -m 1 -e "$pattern")"
	[ "$(grep -c '^irq virtio' "$OUT")" -ge 5 ] && ! grep '^irq virtio' "$OUT" | grep -qv -e "$pattern"
}

bare_irqs() {
	case_of "$1: bare: the virtual timer interrupts" guest timer on-time --irqchip "$1"
	case_of "$1: bare: SGIs reach every one of 4 vCPUs, once" guest sgi everybody -c 4 --irqchip "$1"
	case_of "$1: bare: the UART's interrupt is a level" guest uart thre --irqchip "$1"
	case_of "$1: bare: INTx is a level that reading ISR takes back" with_disk intx level --irqchip "$1"
	case_of "$1: bare: INTx is held back by the command register" with_disk intx disabled --irqchip "$1"
	case_of "$1: bare: a level by irqfd is lowered by the end of its interrupt, and raised again" card "$1"
	case_of "$1: bare: messages to anywhere do no harm" with_disk bars messages --irqchip "$1"
}

linux_cases() {
	for n in ${SOAK:+1} 4; do
		case_of "$1: linux: disks with $n vCPUs interrupt by ${2# }" linux_irqs "$1" $n "$2"
	done
}

# card CHIP: a level by irqfd, which the guest's end of each interrupt lowers and the card raises again
card() {
	timeout 60 "$SHARE/card" "$GUESTS/card.bin" "$1" >"$OUT" 2>&1
	got=$?
	WHY="exit code $got: $(cat "$OUT")"
	[ $got = 0 ] && said "card: raised 100, resampled 100, left 0"
}

# refused CHIP HAS: this host has no CHIP, and says what it has
refused() {
	run 3 -k "$IMAGE" --irqchip "$1" && said "--irqchip $1: expected a host with it; this one has $2"
}

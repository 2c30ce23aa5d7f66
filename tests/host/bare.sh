#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Bare-metal guests, one property each; those that misbehave on purpose are in hostile.sh.
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"

# fed NAME TEST DELAY: the guest has $INPUT as its input, from a pipe, DELAY seconds after it starts
fed() {
	{ sleep "$3"; cat "$INPUT"; } | "$NESTOR" run --timeout 180 -k "$GUESTS/$1.bin" -p "$2" >"$OUT" 2>"$OUT.err"
	got=$?
	WHY="exit code $got: $(cat "$OUT.err")"
	[ $got = 0 ] && said PASS
}

echoes_line() {
	echo ping >"$INPUT"
	fed uart echo 1 && said 'echo: ping'
}

echoes_bulk() {
	seq 1 2000 | head -c 4096 >"$INPUT"
	fed uart bulk 0 || return
	WHY="what came back is not what was sent"
	head -c 4096 "$OUT" | cmp - "$INPUT"
}

# The reader sleeps until the guest must be waiting; then all of it is there, and nothing twice.
survives_slow_reader() {
	flooded=9000
	{
		"$NESTOR" run --timeout 180 -k "$GUESTS/uart.bin" -p "flood lines=$flooded" 2>"$OUT.err" </dev/null
		echo "status $?"
	} | { sleep 2; cat; } >"$OUT"
	i=0
	while [ $i -lt 26 ]; do
		expr substr abcdefghijklmnopqrstuvwxyzabcdefghijklmno $((i + 1)) 15
		i=$((i + 1))
	done >"$INPUT"
	{
		i=0
		while [ $((i += 26)) -le $((flooded + 25)) ]; do cat "$INPUT"; done | head -n $flooded
		echo PASS
		echo "status 0"
	} >"$OUT.want"
	WHY="the output differs: $(cmp "$OUT" "$OUT.want" 2>&1)"
	cmp -s "$OUT" "$OUT.want"
}

loops_back() {
	guest uart loopback || return
	WHY="a looped byte reached the line"
	! said looped
}

writes_sector() {
	with_disk msi disk || return
	WHY="sector 1 of the disk is not what the guest wrote"
	lines 512 guest-sector--1 >"$INPUT"
	dd if="$DISK" bs=512 skip=1 count=1 2>/dev/null | cmp - "$INPUT"
}

boots_again() {
	timeout 20 "$NESTOR" run --reboot --timeout 3 -k "$GUESTS/reset.bin" -p again >"$OUT" 2>&1 </dev/null
	got=$?
	WHY="exit code $got, expected 35: after how many boots: $(grep -c '^boot$' "$OUT")"
	[ $got = 35 ] || return
	boots=$(grep -c '^boot$' "$OUT")
	WHY="$boots boots, at least 2 expected; $(grep -m 1 FAIL "$OUT")"
	[ "$boots" -ge 2 ] && ! grep -q FAIL "$OUT"
}

case_of "bare: exit status 0 is exit code 0" ends 0 exit "status status=0"
for status in 1 42 63; do
	case_of "bare: exit status $status is exit code $((64 + status))" ends $((64 + status)) exit "status status=$status"
done
case_of "bare: an exit status above 63 is exit code 127" ends 127 exit "status status=64"
case_of "bare: an exit status of 32 bits is exit code 127" ends 127 exit "status status=4294967040"
case_of "bare: a flat image is loaded and entered at 0x80000" ends 65 flat "status status=1"
case_of "bare: a flat image has its RAM and its device tree where lkvm has them" ends 65 flat "status status=1" -m 1G
case_of "bare: the exit device takes one 32-bit register only" guest exit narrow

case_of "bare: SYSTEM_OFF is exit code 0" ends 0 reset off
case_of "bare: SYSTEM_RESET is exit code 32" ends 32 reset reset
case_of "bare: SYSTEM_OFF by another vCPU is exit code 0" ends 0 reset off-secondary -c 4
case_of "bare: SYSTEM_RESET by another vCPU is exit code 32" ends 32 reset reset-secondary -c 4
case_of "bare: --reboot starts a reset guest on a new machine" boots_again

case_of "bare: UART: scratch, FIFO detection and divisor" guest uart registers
case_of "bare: UART: loopback of data and modem lines" loops_back
case_of "bare: UART: the THRE interrupt is a level that IIR takes back" guest uart thre
case_of "bare: UART: a line of input comes by interrupt" echoes_line
case_of "bare: UART: 4 KiB of input to a guest that is late" echoes_bulk
long_case "bare: UART: 141 KiB of output to a reader that is late" survives_slow_reader

case_of "bare: the virtual timer interrupts 100 times and never early" guest timer on-time
case_of "bare: a masked virtual timer does not interrupt" guest timer masked

if run 3 -k "$GUESTS/pmu.bin" -p overflow --cpu pmu=on; then
	skip "bare: a counter's overflow" "this host's KVM has no PMU"
else
	case_of "bare: a counter that overflows interrupts, once" guest pmu overflow --cpu pmu=on
fi

case_of "bare: SGIs reach every one of 4 vCPUs, once" guest sgi everybody -c 4
case_of "bare: CPU_ON refuses a CPU that is on and one that is not there" guest sgi cpu-on -c 4
case_of "bare: a CPU that went off is OFF and starts again" guest sgi cpu-off -c 4

case_of "bare: virtio-blk's completions are LPIs, its sectors the disk's" writes_sector
case_of "bare: MSI-X: a masked vector is pending until it is unmasked" with_disk msi vector-mask
case_of "bare: MSI-X: a masked function's vectors are pending" with_disk msi function-mask
case_of "bare: MSI-X: a message goes where the table says now" with_disk msi retarget
case_of "bare: MSI-X: the table and what is pending go along with their BAR" with_disk msi moved
case_of "bare: INTx is a level that reading ISR takes back" with_disk intx level
case_of "bare: INTx is held back by the command register" with_disk intx disabled
case_of "bare: no request is served without Bus Master Enable, and none is lost" with_disk intx master

case_of "bare: loads and stores to holes abort" guest hole holes -m 256M
case_of "bare: instruction fetches from holes and devices abort" guest hole fetch -m 256M
case_of "bare: accesses that KVM cannot decode abort" guest hole undecodable
case_of "bare: misaligned accesses to devices abort" guest hole misaligned
case_of "bare: absent PCI functions read as all ones" guest hole config

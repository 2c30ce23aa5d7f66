#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Stock Linux guests: CPUs, disk, console, and every way out.
. "$SHARE/tests/host/lib.sh"
QUIET="console=ttyS0 quiet"

cpus() {
	run 0 -k "$IMAGE" -i "$SHARE/initrd-cpus" -c "$1" -m 512 -p "$QUIET" && said "cpus: $1"
}
for n in 1 ${SOAK:+2} 8; do
	case_of "linux: $n vCPUs run, go offline and come back" cpus $n
done
# Under emulation, on two cores, it takes its time; all of them spinning for one that goes would take hours.
many() {
	run 0 -k "$IMAGE" -i "$SHARE/initrd-cpus" -c 64 -m 1G --timeout 900 -p "$QUIET cpus.stay" && said "cpus: 64"
}
long_case "linux: 64 vCPUs run, and take their timers' interrupts" many
# memory MIB: what the guest counts is that, less what its kernel keeps
memory() {
	run 0 -k "$IMAGE" -i "$INITRD" -m "$1" -p "$QUIET" || return 1
	found=$(sed -n 's/^memory: \([0-9]*\) MiB.*/\1/p' "$OUT")
	WHY="the guest has $found MiB"
	[ "$found" -le "$1" ] && [ "$found" -ge $(($1 * 9 / 10 - 32)) ]
}
for size in 64 4096; do
	case_of "linux: $size MiB of memory" memory $size
done

sum() { sha256sum <"$1" | cut -d' ' -f1; }

disk() {
	head -c "$1" /dev/urandom >"$WORK/disk"
	before=$(sum "$WORK/disk")
	run 0 -k "$IMAGE" -i "$SHARE/initrd-disk" -d "$WORK/disk" -c 2 -m "$2" -p "$QUIET" || return 1
	said "before: $before" || return 1
	said "after: $(sum "$WORK/disk")"
}
SIZE=4194304
[ -z "${SOAK:-}" ] || SIZE=67108864
case_of "linux: a disk is read, rewritten by 16 writers, and is the same from both sides" disk $SIZE 512
long_case "linux: the same with 1 GiB" disk 1073741824 2G

readonly_disk() {
	head -c 1048576 /dev/urandom >"$WORK/disk"
	before=$(sum "$WORK/disk")
	run 0 -k "$IMAGE" -i "$SHARE/initrd-readonly" -d "$WORK/disk,ro" -p "$QUIET" || return 1
	WHY="the file changed"
	[ "$(sum "$WORK/disk")" = "$before" ]
}
case_of "linux: a read-only disk cannot be written" readonly_disk

sixteen() {
	set --
	for i in $(seq 16); do
		head -c 4096 /dev/urandom >"$WORK/disk$i"
		set -- "$@" -d "$WORK/disk$i"
	done
	run 0 -k "$IMAGE" -i "$INITRD" -p "$QUIET" "$@" || return 1
	for i in $(seq 16); do
		said "$(sum "$WORK/disk$i")" || return 1
	done
	rm -f "$WORK"/disk*
}
long_case "linux: 16 disks, each with its own contents" sixteen

# begins ARG...: a guest that has a prompt runs in the background as $pid, with its input on descriptor 5.
begins() {
	rm -f "$WORK/in"
	mkfifo "$WORK/in"
	: >"$OUT" # the one before's is not this one's
	"$NESTOR" run --timeout 180 "$@" >"$OUT" 2>&1 <"$WORK/in" &
	pid=$!
	exec 5>"$WORK/in"
	until grep -q '# ' "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 20000; done # the prompt
}
shell() { begins -k "$IMAGE" -i "$INITRD" -p "$QUIET nestor.run=shell"; }
prompt() { begins -k "$SHARE/guests/uart.bin" -p prompt; } # who sits there does not matter

# ended STATUS: the guest of begins() ends, with that exit code.
ended() {
	wait $pid
	got=$?
	exec 5>&-
	WHY="exit code $got, expected $1"
	[ $got = "$1" ]
}

console() {
	shell
	printf 'echo "<$((6 * 7))>"\rexit\r' >&5
	ended 0 && said "<42>"
}
case_of "linux: a shell on the UART takes input and answers" console

earlycon() {
	run 34 -k "$IMAGE" -p "earlycon panic=-1" && said "earlycon: ns16550a0 at MMIO" && said "Kernel panic"
}
long_case "linux: the early console speaks before any driver, by what the tree says" earlycon

ctrl_a_x() {
	prompt
	printf '\001x' >&5
	ended 0
}
case_of "ways out: Ctrl-a x ends the guest with 0" ctrl_a_x

case_of "ways out: --timeout ends the guest with 35" run 35 --timeout 1 -k "$SHARE/guests/uart.bin" -p prompt
panicked() { run 34 -k "$IMAGE" -c 3 -m 320M -p "$QUIET panic=-1" --cpu pmu=off --dump-dtb "$SHARE/guest.dtb"; }
case_of "ways out: a panicked kernel ends with 34" panicked
case_of "ways out: a kernel that resets ends with 32" run 32 -k "$IMAGE" -i "$SHARE/initrd-reset" -p "$QUIET"

signal() {
	prompt
	kill -TERM $pid
	ended 143
}
case_of "ways out: a signal N ends the guest with 128+N" signal

reader_gone() {
	{
		"$NESTOR" run --timeout 180 -k "$SHARE/guests/uart.bin" -p "flood lines=100" 2>"$OUT" </dev/null
		echo $? >"$WORK/status"
	} | head -c 100 >/dev/null
	WHY="exit code $(cat "$WORK/status"), expected 0"
	[ "$(cat "$WORK/status")" = 0 ]
}
case_of "console: a reader that goes away does not stop the guest" reader_gone

# The tree itself is checked outside, where dtc is (tests/host.sh).
case_of "dtb: --dump-dtb has written that guest's device tree" test -s "$SHARE/guest.dtb"

# no_kvm WHY COMMAND: COMMAND changes /dev for Nestor alone, which says WHY in one line.
no_kvm() {
	unshare -m sh -c "$2"' && exec "$@"' sh "$NESTOR" run -k "$IMAGE" >"$OUT" 2>&1 </dev/null
	got=$?
	WHY="exit code $got, expected 3"
	[ $got = 3 ] || return 1
	WHY="not one line"
	[ "$(wc -l <"$OUT")" = 1 ] && said "/dev/kvm: $1: expected"
}
absent="bad host: no /dev/kvm is one line and exit code 3"
refused="bad host: /dev/kvm refused is one line and exit code 3"
if [ "$(id -u)" = 0 ]; then
	case_of "$absent" no_kvm "No such file or directory" "mount -t tmpfs none /dev"
	case_of "$refused" no_kvm "Permission denied" "mount -t tmpfs -o nodev none /dev && mknod /dev/kvm c 10 232"
else
	skip "$absent" "only root can hide it"
	skip "$refused" "only root can hide it"
fi

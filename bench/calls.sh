#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What a VMM that runs here asks of the kernel meanwhile: read by bench/host.sh, and by a host that is a guest (bench/guest/tower.sh).

# watched PID, called [NR]: from the one to the other, the VMM's system calls, or those of that number, but KVM_RUN (ioctl 0xae80)
watched() {
	[ -e /sys/kernel/tracing/trace ] || mount -t tracefs tracefs /sys/kernel/tracing
	ls "/proc/$1/task" >/sys/kernel/tracing/set_event_pid
	echo 16384 >/sys/kernel/tracing/buffer_size_kb
	echo 1 >/sys/kernel/tracing/events/raw_syscalls/sys_enter/enable
	echo >/sys/kernel/tracing/trace
}
called() {
	echo 0 >/sys/kernel/tracing/events/raw_syscalls/sys_enter/enable
	grep ": NR ${1:-}" /sys/kernel/tracing/trace | grep -vc 'NR [0-9a-f]* ([0-9a-f]*, ae80,'
}
per() { awk -v nr="$3" -v of="$4" -v name="$1" -v unit="$2" 'BEGIN { if (of) printf "%s %s %.1f\n", name, unit, nr / of }'; }
pid() { ./nestor stat faults --json | tr -d ' \n,' | sed 's/.*"pid":\([0-9]*\).*/\1/'; }
# received: faults that bridges had from their source so far
received() { ./nestor stat faults --json | tr -d ' \n' | sed -n 's/.*"kind":"faults"[^}]*"received":\([0-9]*\).*/\1/p'; }
# calls_a_fault NAME COMMAND...: of a second of it, once it has had a hundred faults of a kernel's queue, what each takes of the VMM
calls_a_fault() {
	named=$1
	shift
	"$@" >stalls.log 2>&1 &
	until [ "$(received 2>/dev/null || echo 0)" -ge 100 ] || ! kill -0 $!; do usleep 100000; done 2>/dev/null
	from=$(received)
	watched "$(pid)"
	sleep 1
	calls=$(called)
	per "$named" calls "$calls" $(($(received) - from))
	wait $!
}

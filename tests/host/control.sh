#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Control of running guests: list, stat, pause, resume, debug, stop; names, sockets, reboots, the log.
# What is printed as JSON is kept in $SHARE/json, and checked outside (tests/host.sh).
. "$SHARE/tests/host/lib.sh"
export XDG_RUNTIME_DIR=$WORK/runtime
JSON=$SHARE/json
mkdir -p "$XDG_RUNTIME_DIR" "$JSON"

# guest NAME ARG...: a guest in the background as $pid, its output in $WORK/NAME.
guest() {
	called=$1
	shift
	OUT=$WORK/$called
	: >"$OUT" # what a guest of the same name said is not this one's
	"$NESTOR" run --timeout 60 --name "$called" -k "$IMAGE" -p "console=ttyS0 quiet panic=-1" "$@" \
		>"$OUT" 2>&1 </dev/null &
	pid=$!
}

# until_said TEXT [FILE]: waits for a line. False: Nestor ended first.
until_said() {
	until grep -qF -- "$1" "${2:-$OUT}" 2>/dev/null; do
		if ! kill -0 $pid 2>/dev/null; then
			WHY="it ended without '$1': $(tail -n 1 "$OUT")"
			return 1
		fi
		usleep 20000
	done
}
ticks() { guest "$@" && until_said "tick 3"; }
LINUX="-i $SHARE/initrd-ticks -c 2 -m 512"
BARE="-k $SHARE/guests/uart.bin -p ticks"

# ended STATUS: $pid ends, with that exit code, and leaves nothing in the folder of sockets.
ended() {
	wait $pid
	got=$?
	WHY="exit code $got, expected $1; left: $(ls "$XDG_RUNTIME_DIR/nestor")"
	[ $got = "$1" ] && [ -z "$(ls "$XDG_RUNTIME_DIR/nestor")" ]
}

# nestor STATUS TEXT ARG...: a subcommand, its exit code, and what it says (both outputs are in $WORK/said).
nestor() {
	want=$1 text=$2
	shift 2
	"$NESTOR" "$@" >"$WORK/said" 2>&1
	got=$?
	WHY="nestor $*: exit code $got, expected $want with '$text': $(head -n 1 "$WORK/said")"
	[ $got = "$want" ] || return 1
	if [ "$text" ]; then grep -qF -- "$text" "$WORK/said"; else [ ! -s "$WORK/said" ]; fi
}

nobody() { nestor 0 PID list && nestor 2 "none runs" stat && nestor 2 "name of a running guest" stat nobody; }
case_of "control: with no guest, list is empty and the rest says so" nobody

head -c 4096 /dev/urandom >"$WORK/disk"
case_of "control: a guest starts under a name" ticks one $LINUX --root-port rp -d "$WORK/disk,bus=rp" --dma-test=ats,pri,fault=mailbox
mode() {
	WHY="modes $(stat -c %a "$XDG_RUNTIME_DIR/nestor" "$XDG_RUNTIME_DIR/nestor/one.sock" | xargs)"
	[ "$WHY" = "modes 700 600" ]
}
case_of "control: the folder is 0700 and the socket 0600" mode
listed() {
	nestor 0 "$pid one" list && grep -q "running$" "$WORK/said" &&
		"$NESTOR" list --json >"$JSON/list.json"
}
case_of "control: list has its name, process and state" listed
in_use() {
	echo kept >"$WORK/log.kept"
	nestor 2 "--name one: in use" run --timeout 5 --name one --log-json "$WORK/log.kept" -k "$IMAGE" || return 1
	WHY="the log has: $(cat "$WORK/log.kept")"
	[ "$(cat "$WORK/log.kept")" = kept ]
}
case_of "control: a name in use is one line and exit code 2, and no log is touched" in_use

counts() {
	WHY="no counters"
	"$NESTOR" stat --json >"$JSON/stat.json" && grep -q '"name": "serial"' "$JSON/stat.json" || return 1
	WHY="no requests of the disk's"
	grep -q '"popped": [1-9]' "$JSON/stat.json" && grep -q '"bytes-in": [1-9]' "$JSON/stat.json" &&
		grep -q '"routed": [1-9]' "$JSON/stat.json" && grep -q '"timed-out": 0' "$JSON/stat.json" &&
		nestor 0 "completed" stat one && nestor 0 "completed" stat -n one && nestor 0 "completed" stat --name=one
}
case_of "control: stat counts, by name and without" counts

# exits: how often the vCPUs have left the guest for a device.
exits() { "$NESTOR" stat one --json | awk '/"exits"/ { e = 1 } e && /"mmio"/ { n += $2; e = 0 } END { print n }'; }

paused() {
	nestor 0 "" pause || return 1
	before=$(exits)
	nestor 0 paused list && nestor 0 paused list && nestor 0 paused list || return 1
	WHY="vCPUs left the guest: $before, $(exits)"
	[ "$before" = "$(exits)" ]
}
case_of "control: pause stops the vCPUs" paused
registers() {
	WHY="registers changed while paused"
	"$NESTOR" debug --json >"$JSON/debug.json" && "$NESTOR" debug --json >"$WORK/again" &&
		[ "$(grep '"pc"' "$JSON/debug.json")" = "$(grep '"pc"' "$WORK/again")" ] &&
		nestor 0 "gicd_ctlr" debug one && nestor 0 "0000:00:00.0" debug && nestor 0 "0000:01:00.0" debug &&
		nestor 0 "next-avail" debug
}
case_of "control: debug shows registers, the GIC and devices of a paused guest" registers
resumed() {
	last=$(grep -c "^tick" "$OUT")
	nestor 0 "" resume || return 1
	until_said "tick $((last + 5))" && nestor 0 running list
}
case_of "control: resume lets the guest go on" resumed
moving() {
	nestor 0 "pc" debug && last=$(grep -c "^tick" "$OUT") && until_said "tick $((last + 5))"
}
case_of "control: debug of a running guest leaves it running" moving

two() {
	first=$pid
	ticks two $BARE || return 1
	nestor 2 "several guests run" pause && nestor 0 "$first one" list && nestor 0 "$pid two" list &&
		nestor 0 "" pause --all && nestor 0 paused list && ! grep running "$WORK/said"
}
case_of "control: with two guests a name is asked for, or --all" two
killed() {
	kill -KILL $pid
	wait $pid
	pid=$first OUT=$WORK/one
	WHY="no socket was left behind"
	[ -S "$XDG_RUNTIME_DIR/nestor/two.sock" ] || return 1
	nestor 0 one list || return 1
	WHY="two is listed: $(grep two "$WORK/said")"
	! grep -q two "$WORK/said" || return 1
	WHY="a stale socket is left"
	[ ! -e "$XDG_RUNTIME_DIR/nestor/two.sock" ]
}
case_of "control: a killed guest is not listed, and its socket is cleaned" killed
stopped() { nestor 0 "" stop && ended 0; }
case_of "control: stop ends a paused guest with 0 and its socket goes" stopped

replaced() {
	ticks three $BARE || return 1
	kill -KILL $pid
	wait $pid
	ticks three $BARE && nestor 0 "$pid three" list
}
case_of "control: a killed guest's name can be had again" replaced
signalled() { kill -TERM $pid && ended 143; }
case_of "control: SIGTERM ends the guest and its socket goes" signalled
# As nohup(1) has it, and a shell's background job its SIGINT.
ignoring() {
	trap '' HUP
	ticks four $BARE
	status=$?
	trap - HUP
	[ $status = 0 ] && kill -HUP $pid && kill -INT $pid || return 1
	last=$(grep -c "^tick" "$OUT")
	until_said "tick $((last + 3))" && signalled
}
case_of "control: signals that were ignored when it began stay so" ignoring

# 9p appends where a reader's stat(2) last saw the end, over what has come since: the log grows in memory.
LOG=$WORK/log.json
events() { grep -c "\"event\":\"$1\"" "$LOG" 2>/dev/null; }
rebooted() {
	guest five --reboot -k "$SHARE/guests/reset.bin" -p again --log-json "$LOG" --trace vcpu
	until_said '"event":"RESET"' "$LOG" || return 1
	nestor 0 "$pid five" list && nestor 0 "" stop five && ended 0 || return 1
	cp "$LOG" "$JSON"
	WHY="events: $(grep -o '"event":"[^"]*"' "$LOG" | xargs)"
	[ "$(events x-nestor-START) $(events SHUTDOWN) $(events x-nestor-EXIT)" = "1 1 1" ]
}
case_of "control: a name lives on over --reboot, and the log tells its life" rebooted

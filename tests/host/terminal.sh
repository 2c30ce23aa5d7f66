#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# On a terminal: the guest's shell is interactive, and the terminal comes back on every way out, whatever the guest is.
. "$SHARE/tests/host/lib.sh"
prompt='/ # '

# on_terminal STATUS ARG...: pty's arguments up to --, then Nestor's. 99: the terminal was left raw.
on_terminal() {
	want=$1
	shift
	"$SHARE/pty" "$@" >"$OUT" 2>&1
	got=$?
	WHY="exit code $got, expected $want"
	[ $got != 99 ] || WHY="the terminal was left raw"
	[ $got = "$want" ]
}

guest() {
	status=$1 when=$2 what=$3
	shift 3
	on_terminal "$status" "$when" "$what" -- "$NESTOR" run --timeout 180 -k "$SHARE/guests/uart.bin" -p prompt "$@"
}
case_of "terminal: restored when the guest powers off" guest 0 "$prompt" "$(printf 'exit\r')"
case_of "terminal: restored after Ctrl-a x" guest 0 "$prompt" "$(printf '\001x')"
case_of "terminal: restored after a timeout" guest 35 never -0 --timeout 1
case_of "terminal: restored after SIGTERM" guest 143 "$prompt" -15
case_of "terminal: restored after SIGINT from elsewhere" guest 130 "$prompt" -2
case_of "terminal: restored after SIGHUP" guest 129 "$prompt" -1
case_of "terminal: restored after SIGABRT" guest 134 "$prompt" -6
case_of "terminal: restored after SIGKILL" guest 137 "$prompt" -9
case_of "terminal: restored after SIGKILL of its whole process group" guest 137 "$prompt" @9

# Ctrl-c is the guest's: the command that says it runs gets it, and the shell lives on.
interrupt() {
	on_terminal 0 "$prompt" "$(printf 'sh -c "echo run\047\047ning; exec sleep 1000"\r')" running "$(printf '\003')" \
		"$prompt" "$(printf 'exit\r')" -- \
		"$NESTOR" run --timeout 180 -k "$IMAGE" -i "$INITRD" -p "console=ttyS0 quiet nestor.run=shell"
}
case_of "terminal: Ctrl-c reaches the guest" interrupt

# A job that a shell runs in the background: the terminal stays as it is, and is the shell's.
background() {
	on_terminal 0 never -0 -- sh -mc '
		"$@" >"$0" 2>&1 &
		until grep -q "/ # " "$0"; do usleep 20000; done
		case "$(stty -a)" in *-icanon*) exit 98 ;; esac
		kill $!
		wait $!
		[ $? = 143 ]' "$WORK/job" "$NESTOR" run --timeout 180 -k "$SHARE/guests/uart.bin" -p prompt
}
case_of "terminal: untouched by a job in the background" background

bad_disk() {
	guest 2 never -0 -d /nowhere && said "--disk /nowhere"
}
case_of "terminal: untouched when the command line is wrong" bad_disk

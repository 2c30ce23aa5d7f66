# SPDX-License-Identifier: GPL-2.0-only
# The clock, the panic device and the power button, for any kernel. Sourced after lib.sh.
export XDG_RUNTIME_DIR=$WORK/runtime
LOG=$WORK/onboard.log
mkdir -p "$XDG_RUNTIME_DIR"

# told NAME: how often the log has that event
told() { grep -c "\"event\":\"$1\"" "$LOG"; }

# has_the_time ARG...: a guest that runs tests/guest/rtc.sh, and has this host's time; Linux sets its clock half a
# second ahead of what the RTC says (rtc_hctosys)
has_the_time() {
	before=$(date +%s)
	run 0 "$@" && said "date: " || return 1
	after=$(date +%s)
	for got in $(sed -n "s/^\(date\|since epoch\): \([0-9]*\).*/\2/p" "$OUT"); do
		WHY="$got is not between the host's $before and $after"
		[ "$got" -ge "$before" ] && [ "$got" -le $((after + 1)) ] || return 1
	done
}

# panics ARG...: a guest whose kernel panics
panics() {
	run 34 --reboot --log-json "$LOG" "$@" || return 1
	WHY="events: $(grep -o '"event":"[^"]*"' "$LOG" | xargs)"
	[ "$(told GUEST_PANICKED) $(told SHUTDOWN) $(told RESET)" = "1 1 0" ] && grep -q '"reason":"guest-panic"' "$LOG"
}

press() { "$SHARE/qmp" "$XDG_RUNTIME_DIR/nestor/button.sock" system_powerdown; }

# presses_power ARG...: a guest that runs tests/guest/button.sh takes KEY_POWER down and up
presses_power() {
	: >"$OUT" # the one before's is not this one's
	"$NESTOR" run --timeout 180 --name button --log-json "$LOG" "$@" >"$OUT" 2>&1 </dev/null &
	pid=$!
	until grep -q '^ready' "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 20000; done
	press >>"$OUT"
	answered=$?
	wait $pid
	got=$?
	WHY="exit code $got, and of system_powerdown $answered"
	[ $got = 0 ] && [ $answered = 0 ] || return 1
	said "event 0100740001000000" && said "event 0100740000000000" || return 1
	WHY="no POWERDOWN event"
	[ "$(told POWERDOWN)" = 1 ]
}

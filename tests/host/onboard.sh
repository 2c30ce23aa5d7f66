#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The board's small devices: the clock, the panic device, the power button.
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"
. "$SHARE/tests/host/onboard-lib.sh"
QUIET="console=ttyS0 quiet"

case_of "rtc: bare: the clock runs from the host's time" guest onboard clock
case_of "rtc: bare: the alarm is a level that comes on time, once" guest onboard alarm
case_of "gpio: bare: each edge of a pin interrupts" guest onboard gpio
case_of "pvpanic: bare: it says which events it knows" guest onboard supported
case_of "pvpanic: bare: a panic is exit code 34" ends 34 onboard panicked
case_of "pvpanic: bare: a panic told by 16 bits is exit code 34" ends 34 onboard panicked-wide

crash_loaded() {
	guest onboard crash-loaded --log-json "$LOG" || return 1
	WHY="events: $(grep -o '"event":"[^"]*"' "$LOG" | xargs)"
	[ "$(told GUEST_CRASHLOADED) $(told SHUTDOWN)" = "1 1" ]
}
case_of "pvpanic: bare: a loaded crash kernel is an event, once, and the guest goes on" crash_loaded

case_of "pvpanic: linux: a panicked kernel is exit code 34 and an event, also with --reboot" \
	panics -k "$IMAGE" -p "$QUIET panic=-1"

case_of "rtc: linux: the guest has the host's time" has_the_time -k "$IMAGE" -i "$SHARE/initrd-rtc" -p "$QUIET"
case_of "power button: linux: system_powerdown is a press of KEY_POWER" \
	presses_power -k "$IMAGE" -i "$SHARE/initrd-button" -p "$QUIET"

# A guest that a press reached only while it was paused would wait for ever.
press() {
	"$NESTOR" pause button && "$SHARE/qmp" "$XDG_RUNTIME_DIR/nestor/button.sock" system_powerdown &&
		sleep 1 && "$NESTOR" resume button
}
case_of "power button: linux: a press while the guest is paused outlasts the pause" \
	presses_power -k "$IMAGE" -i "$SHARE/initrd-button" -p "$QUIET" --timeout 60

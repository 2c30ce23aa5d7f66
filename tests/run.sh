#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs suites of tests and counts results: run.sh FOLDER SUITE... (units, command, told, rules, qmp, host, lab, crash).
# Suites that a + joins run at the same time: those that leave CPUs idle, and do not meet.
# Each suite prints lines "PASS name", "FAIL name: reason", "SKIP name: reason"; what else it prints is
# kept in FOLDER/SUITE.log. Ends with "N passed, N failed, N skipped", and 0 if none failed.
set -u -o pipefail
tests=$(dirname "$0")
BUILD=${BUILD:-build}
folder=$1
shift
mkdir -p "$folder"
results=$folder/results
: >"$results"

# Criterion's own TAP, a line a test; what fails in a suite's .init or .fini it says, and does not count.
units() {
	local tap=$folder/units.tap said=$folder/units.said dtc
	dtc=$("$tests/../lab/setup.sh" env | sed -n 's/^LAB_DTC := //p')
	[ ! -x "$dtc" ] || export LAB_DTC=$dtc # the machine itself need not have one
	LSAN_OPTIONS=suppressions=$tests/unit/lsan.supp:print_suppressions=0 timeout -k 5 900 "$BUILD/native/unit-tests" --output=tap:"$tap" --jobs $(($(nproc) + 1)) >"$said" 2>&1
	local status=$?
	cat "$said"
	sed -n -e 's/^ok - \([^ ]*\) *# SKIP \(.*\)/SKIP unit: \1: \2/p' -e '/# SKIP/d' \
		-e 's/^ok - \([^ ]*\).*/PASS unit: \1/p' -e 's/^not ok - \([^ ]*\).*/FAIL unit: \1: see the log/p' "$tap"
	if ! grep -q '^not ok' "$tap" && grep -aqE 'Assertion Failed|exited during its setup or teardown' "$said"; then
		echo "FAIL unit: a suite's .init or .fini: see the log"
	fi
	[ $status -le 1 ] || echo "FAIL unit: the runner itself: exit code $status (124: it took too long)"
	grep -q '^ok' "$tap" || echo "FAIL unit: no test ran"
}

told() { "$tests/told.sh"; }
command() { "$tests/command.sh"; }
rules() { "$tests/rules.sh"; }
qmp() { "$tests/qmp.sh"; }
host() { "$tests/host.sh"; }
lab() { "$tests/lab.sh"; }
crash() { "$tests/crash.sh"; }

# one SUITE: its log, its results, and the seconds that it took
one() {
	local suite=$1 start=$SECONDS status
	$suite </dev/null >"$folder/$suite.log" 2>&1
	status=$?
	grep -aE '^(PASS|FAIL|SKIP) ' "$folder/$suite.log" >"$folder/$suite.results"
	[ $status = 0 ] || echo "FAIL $suite: it did not run to its end: exit code $status" >>"$folder/$suite.results"
	[ -s "$folder/$suite.results" ] || echo "FAIL $suite: no result" >>"$folder/$suite.results"
	echo $((SECONDS - start)) >"$folder/$suite.seconds"
}

for group; do
	for suite in ${group//+/ }; do one "$suite" & done
	wait
	for suite in ${group//+/ }; do
		cat "$folder/$suite.results" >>"$results"
		grep -E '^FAIL ' "$folder/$suite.results"
		printf '%s: %s passed, %d s\n' "$suite" "$(grep -c '^PASS' "$folder/$suite.results")" "$(cat "$folder/$suite.seconds")"
	done
done
grep '^SKIP ' "$results"
failed=$(grep -c '^FAIL ' "$results")
[ "$failed" = 0 ] || echo "the logs are in $folder/"
echo "$(grep -c '^PASS ' "$results") passed, $failed failed, $(grep -c '^SKIP ' "$results") skipped" | tee "$folder/count"
[ "$failed" = 0 ]

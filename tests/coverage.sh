#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a page of docs/coverage-*.md says is tested: coverage.sh PAGE. Fails, naming it (on stderr), where a test of the page
# does not exist, a row names none, or a section of tests/coverage/ has no row. Rows that say "no test" are told of on stdout.
set -u
cd "$(dirname "$0")/.." || exit 1
page=${1:-docs/coverage-virtio-iommu.md}
list=${page##*/coverage-}
list=tests/coverage/${list%.md}
bad=0
say() {
	echo "$page: $1" >&2
	bad=1
}

# Those of "6.3.47 to 6.3.60", or of one. What is no range is no section.
expand() {
	local first=${1%% to *} last=${1##* to } i
	if [ "$first" != "$last" ] && [ "${first%.*}" = "${last%.*}" ]; then
		for ((i = ${first##*.}; i <= ${last##*.}; i++)); do echo "${first%.*}.$i"; done
	else
		echo "${1// /_}"
	fi
}

declare -A is_section is_test has_row
while IFS= read -r line; do
	for section in $(expand "$line"); do is_section[$section]=1; done
done < <(grep '^[0-9]' "$list")
# Every unit test there is: suite::name
while IFS= read -r name; do
	is_test[$name]=1
done < <(cat tests/unit/test_*.c | tr '\n\t' '  ' | grep -oE '\b(Parameterized)?Test\([^{}]*\) *\{' |
	sed -E 's/^ParameterizedTest\([^,]*, */(/; s/^[A-Za-z]*\( *//' | sed -E 's/^([a-z0-9_]+) *, *([a-z0-9_]+).*/\1::\2/')
rows=$(grep -E '^\| [0-9]+(\.[0-9]+)*( to [0-9.]+)? \|' "$page")

check_test() { # SECTION NAME
	case $2 in
	*::*) [ -n "${is_test[$2]:-}" ] || say "$1: $2: no such test" ;;
	'host '*)
		local words=${2#*: } file=${2#host }
		grep -qF -- "$words" "tests/host/${file%%:*}.sh" 2>/dev/null || say "$1: $2: no such scenario"
		;;
	*) say "$1: $2: not the name of a test" ;;
	esac
}

untested=0
while IFS='|' read -r _ section rule by _; do
	section=${section# } section=${section% }
	for s in $(expand "$section"); do
		has_row[$s]=1
		[ -n "${is_section[$s]:-}" ] || say "section $s: there is none"
	done
	case $by in
	*'`'*) ;;
	*"not offered"* | *"no rule"*) ;;
	*"no test"*)
		echo "$page: no test: $section:$rule"
		untested=$((untested + 1))
		;;
	*) say "$section,$rule: neither a test nor 'not offered'" ;;
	esac
	while [[ $by == *'`'*'`'* ]]; do
		by=${by#*'`'}
		check_test "$section" "${by%%'`'*}"
		by=${by#*'`'}
	done
done <<<"$rows"
[ -n "$rows" ] || say "no row is read"
for section in "${!is_section[@]}"; do
	[ -n "${has_row[$section]:-}" ] || say "section $section has no row"
done
[ "${#is_section[@]}" -gt 0 ] || say "$list: no section is read"
echo "$page: $(wc -l <<<"$rows") rows, $untested of them without a test"
exit $bad

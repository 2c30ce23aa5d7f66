#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a page of docs/coverage-*.md says is tested: coverage.sh PAGE. Fails, naming it, where a test of the page does not
# exist, a row names none, or a section of the list below has no row.
set -u
cd "$(dirname "$0")/.." || exit 1
page=${1:-docs/coverage-virtio-iommu.md}

# 5.13 of virtio 1.3, as its table of contents has it
sections='5.13 5.13.1 5.13.2 5.13.3 5.13.3.1 5.13.3.2 5.13.4 5.13.4.1 5.13.4.2 5.13.5 5.13.5.1
5.13.6 5.13.6.1 5.13.6.2 5.13.6.3 5.13.6.3.1 5.13.6.3.2 5.13.6.4 5.13.6.4.1 5.13.6.4.2
5.13.6.5 5.13.6.5.1 5.13.6.5.2 5.13.6.6 5.13.6.6.1 5.13.6.6.2 5.13.6.7 5.13.6.7.1 5.13.6.7.2
5.13.6.8 5.13.6.8.1 5.13.6.8.1.1 5.13.6.8.1.2 5.13.6.9 5.13.6.9.1 5.13.6.9.2'

# Every unit test there is: suite::name
tests=$(cat tests/unit/test_*.c | tr '\n\t' '  ' | grep -oE '\b(Parameterized)?Test\([^{}]*\) *\{' |
	sed -E 's/^ParameterizedTest\([^,]*, */(/; s/^[A-Za-z]*\( *//' | sed -E 's/^([a-z0-9_]+) *, *([a-z0-9_]+).*/\1::\2/')
rows=$(grep -E '^\| 5\.' "$page")
bad=0
say() {
	echo "$page: $1"
	bad=1
}

for section in $sections; do
	grep -qF "| $section |" <<<"$rows" || say "section $section has no row"
done
while IFS='|' read -r _ section rule by _; do
	section=${section// /}
	grep -qwF -- "$section" <<<"$(tr ' ' '\n' <<<"$sections")" || say "section $section: there is none"
	names=$(grep -oE '`[^`]*`' <<<"$by" | tr -d '`')
	[ -n "$names" ] || [[ $by == *"not offered"* ]] || say "$section, $rule: neither a test nor 'not offered'"
	while IFS= read -r name; do
		case $name in
		'') ;;
		*::*) grep -qxF -- "$name" <<<"$tests" || say "$section: $name: no such test" ;;
		'host '*)
			words=${name#*: }
			file=${name#host }
			grep -qF -- "$words" "tests/host/${file%%:*}.sh" 2>/dev/null || say "$section: $name: no such scenario" ;;
		*) say "$section: $name: not the name of a test" ;;
		esac
	done <<<"$names"
done <<<"$rows"
[ -n "$rows" ] || say "no row is read"
exit $bad

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The source's own rules: who includes whom, layout, licence lines, shell syntax.
set -u
cd "$(dirname "$0")/.." || exit 1
sources=$(find vmm fault devices acpi fdt topology control vfio machine guests tests -name '*.[chS]' | sort)
scripts=$(grep -rlE '^#!/(bin/(ba|busybox )?sh|bin/bash)' lab guests tests bench .ci 2>/dev/null | sort)

# rule NAME OUTPUT: fails with the output's first line
rule() {
	if [ -z "$2" ]; then
		echo "PASS rule: $1"
	else
		echo "FAIL rule: $1: $(head -n 1 <<<"$2")"
		sed 's/^/  | /' <<<"$2"
	fi
}

rule "every file includes only what its folder may" "$(tests/check-includes.sh 2>&1)"
rule "C is laid out by clang-format" "$(clang-format --dry-run -Werror $(grep -v '\.S$' <<<"$sources") 2>&1)"
rule "every file has its licence line" "$(for f in $sources $scripts Makefile $(find . -path ./build -prune -o -name '*.mk' -print); do
	head -n 2 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-only' || echo "$f"; done)"
# The options of lkvm that docs/lkvm.md says are refused, or taken, are those that the program refuses, or takes.
documented() { sed -nE "s/^\| \`--([a-z0-9-]+)\`[^|]*\| ($1) \|.*/\1/p" docs/lkvm.md | sort; }
names() { sed -n "/$1/,/^};/s/^\t{ \"\([^\"]*\)\".*/\1/p" "$2" | sort; }
rule "docs/lkvm.md says refused of what is refused" "$(diff <(documented refused) <(names 'lkvm_only\[\]' machine/lkvm.c))"
rule "docs/lkvm.md says same or different of what is taken" \
	"$(comm -23 <(documented 'same|different') <(names '^} options\[\]' machine/options.c); test -n "$(documented same)" || echo "no row is read")"
rule "docs/told-twice.md has what is taken out of views" \
	"$(diff <(sed -n 's/^| `\([a-z]*\)` |.*/\1/p' docs/told-twice.md | sort) <(sed -n 's/^UNLIKE="\(.*\)"/\1/p' tests/host/twice-lib.sh | tr ' ' '\n' | sort))"
for page in docs/coverage-*.md; do
	rule "what $page says is tested has a test" "$(tests/coverage.sh "$page" 2>&1 >/dev/null)"
done
rule "every script parses" "$(for f in $scripts; do case $(head -n 1 "$f") in *bash*) bash -n "$f" ;; *) sh -n "$f" ;; esac; done 2>&1)"
rule "no file is longer than 500 lines" "$(wc -l $sources $scripts | awk '$2 != "total" && $1 > 500 { print $2 ": " $1 }')"
# A unit test's table of cases is data
rule "no function is longer than 45 lines" "$(awk 'FNR == 1 { start = 0 } /^\{/ { start = FNR } /^\}/ && start {
	if (FNR - start > 46) print FILENAME ":" start ": " FNR - start - 1; start = 0 }' $(grep '\.c$' <<<"$sources" | grep -v ^tests/unit))"

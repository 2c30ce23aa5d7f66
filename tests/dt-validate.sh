#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the kernel's binding schemas say against device trees: dt-validate.sh FILE.dtb...
# Prints a line a complaint, which begins with the file's name; status 1 if there is one. On stderr it says which
# compatible strings no schema knows, so that nothing of their nodes was looked at.
set -u
tool=${DT_VALIDATE:-$("$(dirname "$0")/../lab/setup.sh" env | sed -n 's/^LAB_DT_VALIDATE := //p')}
[ -x "$tool" ] || { echo "$0: $tool is not there: run lab/setup.sh build lab" >&2; exit 2; }

for dtb; do
	[ -r "$dtb" ] || { echo "$dtb: there is no such file"; exit 1; } # the tool passes over it
done

# What a schema has not, and Linux demands: without it EFI's properties count for nothing (drivers/firmware/efi/fdtparams.c)
known="chosen: 'linux,uefi-secure-boot' does not match any of the regexes: '^framebuffer', '^pinctrl-[0-9]+\$'"

said=$("$tool" -m "$@" 2>&1)
status=$?
unknown=$(sed -n 's/.*: failed to match any schema with compatible: //p' <<<"$said" | sort -u)
[ -z "$unknown" ] || sed 's/^/no schema for /' <<<"$unknown" >&2
# A complaint goes on in lines that begin with white space: which schema it is of
complaints=$(grep -v ': failed to match any schema with compatible: ' <<<"$said" | sed -e ':a' -e 'N' -e '$!ba' -e 's/\n[[:space:]]\+/ /g' |
	grep -vF -- "$known" | grep .)
[ -z "$complaints" ] || printf '%s\n' "$complaints"
[ $status = 0 ] || printf "%s: dt-validate ended with $status\n" "$@"
[ $status = 0 ] && [ -z "$complaints" ]

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Kernels packed as Linux packs them (tests/kernels.sh makes the files): they boot, or are refused in one line.
. "$SHARE/tests/host/lib.sh"
KERNELS=$SHARE/kernels

boots() {
	run 0 -k "$KERNELS/$1" -i "$INITRD" -c 2 -m 256 -p "console=ttyS0 quiet" && said "kernel: 7." && said "cpus: 2"
}
case_of "kernels: Image.gz boots" boots Image.gz
long_case "kernels: Image.zst boots" boots Image.zst
case_of "kernels: the vmlinuz.efi that CONFIG_EFI_ZBOOT makes boots" boots vmlinuz.efi
long_case "kernels: an EFI zboot file with a gzip payload boots" boots zboot-gzip
long_case "kernels: an EFI zboot file with a zstd payload boots" boots zboot-zstd

again() {
	gzip -c "$SHARE/guests/reset.bin" >"$WORK/reset.gz"
	run 35 --reboot --timeout 3 -k "$WORK/reset.gz" -p again || return 1
	WHY="boots: $(grep -c '^boot$' "$OUT")"
	[ "$(grep -c '^boot$' "$OUT")" -ge 2 ]
}
case_of "kernels: a packed kernel boots again after a reset" again

# refused FILE TEXT ARG...: exit code 2, and one line that names the option and the file
refused() {
	file=$KERNELS/$1 text=$2
	shift 2
	run 2 -k "$file" "$@" && said "--kernel $file: $text" || return 1
	WHY="$(wc -l <"$OUT") lines"
	[ "$(wc -l <"$OUT")" = 1 ]
}
case_of "kernels: one that is cut short is refused" refused cut "its packed part is cut short: expected"
case_of "kernels: one with a wrong checksum is refused" refused corrupt "its packed part is corrupt: expected"
case_of "kernels: one with something behind it is refused" refused followed "something else follows its packed part: expected"
case_of "kernels: one that unpacks to more than there is room for is refused" \
	refused bomb "it unpacks to more than the" -m 256

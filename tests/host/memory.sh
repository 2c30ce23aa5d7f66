#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# RAM of huge pages: taken from the pool while the guest runs, given back, refused where there are too few.
. "$SHARE/tests/host/lib.sh"
POOLS=/sys/kernel/mm/hugepages

# fill KIB NUMBER: the pool has so many. False: it cannot.
fill() {
	echo "$2" >"$POOLS/hugepages-$1kB/nr_hugepages"
	[ "$(cat "$POOLS/hugepages-$1kB/nr_hugepages")" = "$2" ]
}
free_pages() { cat "$POOLS/hugepages-$1kB/free_hugepages"; }
reserved() { cat "$POOLS/hugepages-$1kB/resv_hugepages"; }

# huge KIB NUMBER ARG...: the guest, which has a prompt, has all NUMBER pages of that pool, and leaves them
huge() {
	kib=$1 number=$2
	shift 2
	rm -f "$WORK/in"
	mkfifo "$WORK/in"
	: >"$OUT" # the one before's is not this one's
	"$NESTOR" run --timeout 180 "$@" >"$OUT" 2>&1 <"$WORK/in" &
	pid=$!
	exec 5>"$WORK/in"
	until grep -q '# ' "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 20000; done # the prompt
	left=$(($(free_pages "$kib") - $(reserved "$kib"))) touched=$((number - $(free_pages "$kib")))
	printf 'exit\r' >&5
	wait $pid
	got=$?
	exec 5>&-
	WHY="exit code $got; while it ran $left pages were left and $touched in use; now $(free_pages "$kib") of $number are free"
	[ $got = 0 ] && [ $left = 0 ] && [ $touched -gt 0 ] && [ "$(free_pages "$kib")" = "$number" ]
}

refused() {
	status=$1 text=$2
	shift 2
	run "$status" -k "$IMAGE" "$@" && said "nestor: --$text"
}

linux() { huge "$@" -k "$IMAGE" -i "$INITRD" -p "console=ttyS0 quiet nestor.run=shell"; }
bare() { huge "$@" -k "$SHARE/guests/uart.bin" -p prompt; }
fill 2048 128
case_of "memory: --hugetlb 2M: all of a guest's RAM is huge pages, and they come back" linux 2048 128 --hugetlb 2M -m 256
case_of "memory: one huge page too few: exit 3, one line with what there is" \
	refused 3 "hugetlb 2M: Cannot allocate memory: expected 129 free pages of 2M; of 128 there are, 128 are free and 0" --hugetlb 2M -m 258
mkdir -p "$WORK/huge"
mount -t hugetlbfs -o pagesize=2M huge "$WORK/huge"
case_of "memory: --hugetlbfs, as lkvm has it" bare 2048 128 --hugetlbfs "$WORK/huge" -m 256
left() {
	WHY="a file is left: $(ls "$WORK/huge")"
	[ -z "$(ls -A "$WORK/huge")" ]
}
case_of "memory: --hugetlbfs leaves no file" left

# cut FILE ARG...: the file that is so called is cut away under a running guest with $pid, or stays as it is
cut() {
	what=$1
	shift
	: >"$OUT" # the one before's is not this one's
	"$NESTOR" run --timeout 180 -k "$SHARE/guests/uart.bin" -p ticks -m 256 "$@" \
		>"$OUT" 2>&1 </dev/null &
	pid=$!
	until grep -q 'tick 3' "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 20000; done
	for fd in /proc/$pid/fd/*; do
		case $(readlink "$fd") in *$what*) truncate -s 0 "$fd" ;; esac
	done
}
sealed() {
	cut guest-ram --hugetlb 2M 2>"$WORK/refused"
	kill $pid
	wait $pid
	got=$?
	WHY="exit code $got; truncate: $(cat "$WORK/refused")"
	[ $got = 143 ] && grep -q "not permitted" "$WORK/refused"
}
case_of "memory: a memfd of huge pages keeps its size" sealed

# A hugetlbfs's own files cannot be sealed: KVM cannot resolve the next access.
unresolved() {
	cut "$WORK/huge" --hugetlbfs "$WORK/huge"
	wait $pid
	got=$?
	WHY="exit code $got"
	[ $got = 33 ] && said "KVM cannot continue: " && said "Bad address; pc=0x" && said " pstate=0x" && said " esr=0x"
}
case_of "memory: an access that KVM cannot resolve: exit 33, with the reason and the registers" unresolved
umount "$WORK/huge"
fill 2048 0
case_of "memory: --hugetlb with an empty pool: exit 3" refused 3 "hugetlb 2M: Cannot allocate memory" --hugetlb 2M -m 256
case_of "memory: --hugetlb of a size there is not: exit 3" \
	refused 3 "hugetlb 16M: expected a size that this host has: " --hugetlb 16M -m 256
case_of "memory: --mem that is no whole huge page: exit 2" refused 2 "mem 256M: expected whole huge pages of 1G" --hugetlb 1G

if fill 1048576 1; then
	case_of "memory: --hugetlb 1G: one page" bare 1048576 1 --hugetlb 1G -m 1G
	fill 1048576 0
else
	skip "memory: --hugetlb 1G: one page" "the host finds no 1 GiB in one piece"
fi

overcommit() { run 65 -k "$SHARE/guests/exit.bin" -m 64G --overcommit -p "status status=1"; }
case_of "memory: more than the host has: exit 3" refused 3 "mem 65536M: expected at most the" -m 64G
case_of "memory: --overcommit lets a guest have more than the host" overcommit

# KVM's slots end at 8 TiB. The guest touches next to nothing of it.
case_of "memory: more than one slot of KVM's holds" run 65 -k "$SHARE/guests/exit.bin" -p "status status=1" -m 9T --overcommit

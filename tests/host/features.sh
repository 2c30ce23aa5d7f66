#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What vCPUs have: SVE, pointer authentication, a PMU, and ID registers that say less than the host's.
# host: -P max,pauth-impdef=on,sve-max-vq=4,sme=off,lpa2=off
. "$SHARE/tests/host/lib.sh"

# guest ARG...: it told what its CPUs have
guest() { run 0 -k "$IMAGE" -i "$SHARE/initrd-features" -c 2 -m 256 -p "console=ttyS0 quiet" "$@" && said "has sha512"; }

lacks() {
	WHY="'$1' is in the output"
	! grep -qF -- "$1" "$OUT"
}

all() { guest && said "has sve" && said "has paca" && said "has pacg" && said "has PMU: armv8_pmuv3" && said "has atomics"; }
case_of "features: a guest has SVE, pointer authentication and a PMU where the host has" all

none() { guest --cpu sve=off,pauth=off,pmu=off && lacks "has sve" && lacks "has pac" && lacks "has PMU"; }
case_of "features: each can be left out" none

lkvm() { guest --pmu --sve-max-vl=512 --cpu pauth=on && said "vector length 64 bytes per vector" && said "has PMU"; }
case_of "features: lkvm's --pmu and --sve-max-vl" lkvm

# Those of all() has them
ids() {
	guest --cpu id_aa64isar0_el1.atomic=0,ID_AA64PFR1_EL1.SSBS=0,sve=256 --cpu id_aa64mmfr1_el1.pan=1 && lacks "has atomics"
}
case_of "features: an ID register's field says what it is told to" ids
case_of "features: SVE vectors are as long as asked for, in the same guest" said "SVE: maximum available vector length 32 bytes per vector"

# refused TEXT ARG...: exit code 3, and one line
refused() {
	text=$1
	shift
	run 3 -k "$IMAGE" "$@" && said "nestor: --$text" || return 1
	WHY="$(wc -l <"$OUT") lines"
	[ "$(wc -l <"$OUT")" = 1 ]
}
case_of "features: an ID register's field that promises more than the host has is refused" \
	refused "cpu id_aa64isar0_el1=0x" --cpu id_aa64isar0_el1.atomic=5
case_of "features: an ID register that is not there is refused" \
	refused "cpu s3_0_c0_c0_1: " --cpu s3_0_c0_c0_1=0
case_of "features: a vector length that the host has not is refused" \
	refused "cpu sve=1024: expected a host whose KVM has SVE vectors of that length" --cpu sve=1024
case_of "features: --nested is refused by a host that has no EL2 for guests" \
	refused "nested: expected a host whose KVM has EL2" --nested

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Guests that are hypervisors: they start at EL2, and run guests of their own.
# host: -P max,pauth=off,sve=off,sme=off,lpa2=off -a kvm-arm.mode=nested
. "$SHARE/tests/host/lib.sh"
. "$SHARE/tests/host/bare-lib.sh"
LABEL=nested
. "$SHARE/tests/host/twice-lib.sh"
QUIET="console=ttyS0 quiet"

guest_of_guest() {
	run 0 -k "$IMAGE" -i "$SHARE/initrd-nestor" --nested -c 2 -m 512 -p "$QUIET" || return 1
	said "hypervisor: VHE mode initialized successfully" && said "cpus: 2" && said "its guest ended with 0"
}
case_of "nested: a guest at EL2 initialises its KVM, and runs Nestor with a guest of its own" guest_of_guest

nvhe() {
	run 0 -k "$IMAGE" -i "$SHARE/initrd-nested" --nested --e2h0 -m 256 -p "$QUIET" || return 1
	said "hypervisor: Hyp nVHE mode initialized successfully"
}
case_of "nested: with --e2h0 its hypervisor is without VHE" nvhe

case_of "nested: CPUs at EL2 go off and come back, by SMC" \
	run 0 -k "$IMAGE" -i "$SHARE/initrd-cpus" --nested -c 4 -m 512 -p "$QUIET"

hypervisor() { run 0 --acpi -k "$IMAGE" -i "$SHARE/initrd-nested" --nested -c 2 -m 256 -p "$QUIET" && said "hypervisor: VHE mode initialized successfully"; }
case_of "nested: by ACPI: a guest at EL2 initialises its KVM" hypervisor
case_of "nested: by ACPI it finds what it does by a device tree" twice 2 2 --nested --iommu s,type=smmuv3 -d "${d}1,iommu=s" -d "${d}2"
long_case "nested: by ACPI: CPUs at EL2 go off and come back, by SMC" \
	run 0 --acpi -k "$IMAGE" -i "$SHARE/initrd-cpus" --nested -c 4 -m 512 -p "$QUIET"

usual() { run 0 -k "$IMAGE" -i "$INITRD" -c 2 -m 256 -p "$QUIET" && said "cpus: 2"; }
case_of "nested: the same host has guests at EL1" usual
refused() { run 3 -k "$IMAGE" --cpu sve=on && said "--cpu sve=on: expected a host whose KVM has SVE"; }
case_of "nested: SVE is refused by a host that has none" refused

# KVM gives up a vCPU that it meets in AArch32 although its guest has EL2.
given_up() {
	ends 33 aarch32 el0 --nested &&
		said "nestor: cpu 0: KVM cannot continue: FAIL_ENTRY (9): Invalid argument; KVM keeps its registers"
}
case_of "nested: a vCPU that KVM cannot continue: exit 33, with the reason" given_up
case_of "dtb: a machine that starts at EL2" tree el2 --nested -c 2 --rng
twice_ends

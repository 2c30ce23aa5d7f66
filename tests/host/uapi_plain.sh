#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A host on which nobody can nest: its firmware does not say CANWBS, and nestor check names that.
# host: -d plain-nest
. "$SHARE/tests/host/lib.sh"

lacks() {
	"$NESTOR" devices | awk '/^0000:01:00.0/ { on = 1 } on && /echo/ { print; exit }' >freed
	sh ./freed
	"$NESTOR" check >"$OUT" 2>&1
	got=$?
	said "nest    viommu    lacks" && said "CANWBS from the firmware (bit 2 of a root complex's memory access flags in the IORT" &&
		said "nest: lacks" && said "assign: ok" || return 1
	WHY="exit code $got"
	[ $got = 0 ]
}
case_of "check: without CANWBS the SMMU does not nest, and the host runs all the same" lacks

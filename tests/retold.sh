# SPDX-License-Identifier: GPL-2.0-only
# For scripts of this folder: whether iasl reads what it is given as it was meant.

# rsdp FILE: one of revision 2 adds up, in its first 20 bytes and as a whole (ACPI 6.5, 5.2.5.3)
rsdp() {
	od -An -v -tu1 -w1 "$1" | awk '
		BEGIN { split("82 83 68 32 80 84 82 32", signature) }
		NR <= 8 && $1 != signature[NR] || NR == 16 && $1 != 2 || NR == 21 && $1 != 36 { wrong = 1 }
		NR <= 20 { first += $1 }
		{ all += $1 }
		END { if (wrong || NR != 36 || first % 256 || all % 256) print "rsdp.dat: it is none" }'
}

# components DIR: each that the IORT names is a device of the DSDT. iasl writes no such name back: it loses its end.
components() {
	local name
	sed -n 's/^\[.*\] *Device Name : "\(.*\)"$/\1/p' "$1/iort.dsl" | while read -r name; do
		grep -q "^ *Device (${name#\\_SB_.})$" "$1/dsdt.dsl" || echo "iort.dat: $name is no device"
	done
}

# differ DIR TABLE: the first byte of what iasl has made of it that is another, but for who made it, the checksum (bytes 9
# and 28 to 35), and names of components with the four bytes of padding behind them
differ() {
	cmp -l "$1/$2.dat" "$1/$2.aml" 2>&1 | awk -v table="$2.dat" -v names="$(sed -n 's/^\[.* \([0-9]\{4\}\) 0*\([0-9A-F]*\)h\] *Device Name : .*/\1 0x\2/p' "$1/$2.dsl" |
		while read -r at size; do echo "$((10#$at + 1)) $((10#$at + size + 4))"; done | xargs)" '
		BEGIN { nr = split(names, name) }
		$1 == 10 || $1 >= 29 && $1 <= 36 { next }
		{
			for (i = 1; i < nr; i += 2)
				if ($1 >= name[i] && $1 <= name[i + 1]) next
			print table ": byte " $1 " is not the same"
			exit
		}'
}

# retold IASL DIR: iasl reads each table in there without a remark, and makes the same bytes of what it read. Says what is
# not so. Leaves DIR/TABLE.dsl. Of an IORT's padding it refuses what it has written itself, and pads without being told.
retold() {
	local table name said remark='^(Warning|Error|Remark|.*[*][*]+ )|(ACPI|Firmware) (Error|Warning)|Invalid|Unknown'
	for table in "$2"/*.dat; do
		name=$(basename "$table" .dat)
		[ "$name" != rsdp ] || { rsdp "$table"; continue; } # iasl knows none
		said=$(cd "$2" && "$1" -d "$name.dat" 2>&1 && sed '/^\[.*\] *Padding : /d' "$name.dsl" >"$name.again" &&
			"$1" -oa -p "$name.aml" "$name.again" 2>&1; grep '^Invalid' "$name.dsl") || :
		if grep -qE "$remark" <<<"$said"; then
			grep -E "$remark" <<<"$said" | head -n 1
		elif ! [ -e "${table%.dat}.aml" ]; then
			echo "$name.dat: iasl makes nothing of it"
		else
			differ "$2" "$name"
		fi
	done
	[ ! -e "$2/iort.dsl" ] || components "$2"
}

# SPDX-License-Identifier: GPL-2.0-only
# For scripts of this folder: whether iasl reads what it is given as it was meant.

# retold IASL DIR: iasl reads each table in there without a remark, and makes the same bytes of what it read, but for who
# made it and the checksum (bytes 9 and 28 to 35). Says what is not so. Leaves DIR/TABLE.dsl. An IORT with named components
# (nodes of type 1) it can only read: it refuses the padding behind a name that it has written itself.
retold() {
	local table name dsl said remark='^(Warning|Error|Remark|.*[*][*]+ )|(ACPI|Firmware) (Error|Warning)|Invalid|Unknown'
	for table in "$2"/*.dat; do
		name=$(basename "$table" .dat) dsl=${table%.dat}.dsl
		said=$(cd "$2" && "$1" -d "$name.dat" 2>&1) || :
		if [ "$name" = iort ] && grep -qE '^\[.*\] +Type : 01$' "$dsl"; then
			cp "$table" "${table%.dat}.aml"
		else
			said+=$(cd "$2" && "$1" -oa "$name.dsl" 2>&1) || :
		fi
		if grep -qE "$remark" <<<"$said"; then
			grep -E "$remark" <<<"$said" | head -n 1
		elif ! [ -e "${table%.dat}.aml" ]; then
			echo "$name.dat: iasl makes nothing of it"
		else
			cmp -l "$table" "${table%.dat}.aml" 2>&1 | awk -v t="$name.dat" '
				$1 != 10 && ($1 < 29 || $1 > 36) { print t ": byte " $1 " is not the same"; exit }'
		fi
	done
}

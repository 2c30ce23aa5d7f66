# SPDX-License-Identifier: GPL-2.0-only
# The same machine told by a device tree and by ACPI: what a guest finds is the same, but for what docs/told-twice.md
# says. Sourced after lib.sh by what has set $LABEL.
cp "$SHARE/tap" "$WORK"
"$WORK/tap" tap0 && ip addr add 10.9.0.1/24 dev tap0 && ip link set tap0 up
d=$WORK/disk
for i in 1 2 3 4; do head -c 65536 /dev/urandom >"$d$i"; done

# What the two do not tell alike, by the names that it has in docs/told-twice.md: each takes it out of a view.
unlike_rtc() { sed '/rtc-pl031/d; /^KVM: SPI 36 /d'; }
unlike_button() { sed '/^input: "\(gpio-keys\|Power Button\)"$/d; /Power Button: quiet$/d; /ACPI:Ged: quiet$/d'; }
unlike_window() { sed '/^said: pci_bus/s/ window\]/]/'; }
unlike_cluster() { sed '/topology\/cluster_cpus_list/d'; }
unlike_nomsi() { sed 's/ msi_bus 0$/ msi_bus 1/'; }
# where there is no IOMMU
unlike_acs() {
	awk '{ line[NR] = $0 } /^group of/ { groups = 1 } END { for (i = 1; i <= NR; i++) {
		if (!groups && line[i] ~ / config 0100 0d 00 01 /) sub(/1f 00 1d 00/, "1f 00 00 00", line[i])
		print line[i] } }'
}
# only of what is behind an SMMU
unlike_relaxable() { sed '/^group of/s/ direct-relaxable$/ direct/'; }
UNLIKE="rtc button window cluster nomsi acs relaxable"

# Of KVM: which messages of whom the guest has told the ITS of, and which SPIs are enabled, as levels or edges.
of_kvm() {
	[ -e "$1/vgic-state" ] || return 0 # a host without debugfs, or a guest that is no more
	[ ! -e "$1"/vgic-its-state@* ] || awk '/^Device ID/ { device = $3 } /^ *[0-9]+ / { print "KVM: DeviceID " device " EventID " $1 }' "$1"/vgic-its-state@*
	awk '$1 == "SPI" && substr($4, 4, 1) == 1 { print "KVM: SPI " $2 - 32 " " (substr($4, 6, 1) == 1 ? "level" : "edge") }' "$1/vgic-state"
}

# Of the SMMUs: what their driver has made of them and of each stream, but where it is in memory; and memory's attributes.
of_smmus() {
	sed -n -e 's/ at 0x[0-9a-f]*:/:/; s/\(S1ContextPtr\|ASID\|S2VMID\|S2TTB\|TTB0\)=0x[0-9a-f]*/\1/g' \
		-e '/: STE of\|: CD [0-9]\|SMMU_[A-Z]*_\?IRQ_C\|SMMU_CR[012] =\|STRTAB_BASE_CFG/p' \
		-e 's/\(smmu: [^:]*: stage [12]\) of .* AttrIndx/\1 AttrIndx/p' "$1"
}

# view HOW ARG...: what a guest with these finds, in $WORK/HOW
view() {
	how=$1
	shift
	truncate -s 0 "$WORK/view" && truncate -s 262144 "$WORK/view"
	rm -f "$WORK/in" && mkfifo "$WORK/in"
	: >"$OUT"
	"$NESTOR" run --timeout 300 "--$how" --trace smmu -k "$IMAGE" -i "$SHARE/initrd-view" -m 512 -p "console=ttyS0 loglevel=5" \
		"$@" -d "$WORK/view,serial=view" >"$OUT" 2>"$WORK/trace" <"$WORK/in" &
	pid=$!
	exec 5>"$WORK/in"
	until grep -q "that is all" "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 50000; done
	head -c 131072 "$WORK/view" | tr -d '\0' >"$WORK/$how"
	of_kvm /sys/kernel/debug/kvm/$pid-* >>"$WORK/$how"
	of_smmus "$WORK/trace" | sort -u >>"$WORK/$how"
	(echo >&5) 2>/dev/null
	wait $pid
	got=$?
	exec 5>&-
	WHY="--$how: exit code $got: $(grep -a nestor: "$WORK/trace")"
	[ $got = 0 ] && as_dumped "$@" -d "$WORK/view,serial=view"
}

dumps=0
# as_dumped ARG...: what the guest was told $how is what `nestor dump` writes, byte for byte. Trees are compared outside
# (tests/host.sh): what is chosen for one run, a dump has not.
as_dumped() {
	dumped=$SHARE/told/$(basename "$0" .sh)-$((dumps += 1))
	mkdir -p "$dumped"
	WHY="nestor dump: $("$NESTOR" dump --acpi-out "$dumped" --dtb-out "$dumped/dumped.dtb" -m 512 "$@" 2>&1)" || return 1
	tail -c 131072 "$WORK/view" >"$dumped/found.dtb"
	[ "$how" = acpi ] || return 0
	tr -d '\0' <"$dumped/found.dtb" >"$WORK/sums"
	for table in "$dumped"/*.dat; do
		signature=$(basename "$table" .dat | tr a-z A-Z)
		case $signature in XSDT | RSDP) continue ;; esac # of these Linux shows none
		WHY="$signature is not what nestor dump says"
		grep -q "^$(sha256sum <"$table" | cut -d' ' -f1)  $signature$" "$WORK/sums" || return 1
	done
	WHY="the guest has $(wc -l <"$WORK/sums") tables: $(cut -c 67- "$WORK/sums" | xargs)"
	[ "$(wc -l <"$WORK/sums")" = $(($(ls "$dumped"/*.dat | wc -l) - 2)) ] && rm -r "$dumped"
}

# twice CPUS DISKS ARG...: both find the same, with that many of CPUs and disks which have interrupted
twice() {
	cpus=$1 disks=$2
	shift 2
	for how in fdt acpi; do
		view $how -c "$cpus" "$@" || return 1
		WHY="--$how: $(grep -c 'midr_el1' "$WORK/$how") CPUs, $(grep -c ' has ' "$WORK/$how") disks, $(grep -c ': came$' "$WORK/$how") interrupts"
		[ "$(grep -c midr_el1 "$WORK/$how")" = "$cpus" ] && [ "$(grep -c ' has ' "$WORK/$how")" = $((disks + 1)) ] &&
			[ "$(grep -c ': came$' "$WORK/$how")" -gt "$disks" ] || return 1
		for unlike in $UNLIKE; do
			cp "$WORK/$how" "$WORK/before"
			unlike_$unlike <"$WORK/before" >"$WORK/$how"
			cmp -s "$WORK/before" "$WORK/$how" || echo $unlike >>"$WORK/unlike"
		done
	done
	diff -U 0 "$WORK/fdt" "$WORK/acpi" >"$OUT"
	WHY="$(grep -c '^[-+][^-+]' "$OUT") lines differ"
	[ ! -s "$OUT" ]
}

# some KIND TRANSPORT: with $cpus and $chip, devices behind an IOMMU of that kind (or behind none), and one beside it
some() {
	kind=$1 behind=${1:+,iommu=i} a= b=
	if [ "$2" = pci ]; then
		set -- --segment 2 --root-port a --root-port b,segment=2
		a=,bus=a b=,bus=b
	else
		set -- --virtio-transport mmio
	fi
	twice "$cpus" 3 --irqchip "$chip" "$@" ${kind:+--iommu "i,$kind"} -d "${d}1$behind$a" -d "${d}2$behind$b" -d "${d}3" \
		-n "tap=tap0$behind" --rng
}

# every_way CHIP: the whole of the matrix; only an ITS takes messages of an SMMU
every_way() {
	chip=$1
	for cpus in 1 4; do
		for transport in pci mmio; do
			for kind in "" type=smmuv3 type=smmuv3,idr0.s1p=0 type=smmuv3,interrupts=msi type=virtio type=virtio,transport=mmio,msi=translate; do
				case $chip$kind in
					gicv3-its*) ;;
					*interrupts=msi) continue ;;
				esac
				case_of "twice: $chip, $cpus CPUs, virtio over $transport, ${kind:-no IOMMU}" some "$kind" $transport
			done
		done
	done
}

# every_difference [UNLIKE...]: each of these (all) that is taken out of the views was there, so that the list is no longer than it must be. Without an
# IOMMU are guests of the soak alone, and those with reserved IOVAs are twice_rmr.sh's.
every_difference() {
	for unlike in ${*:-rtc button window cluster nomsi ${SOAK:+acs}}; do
		if grep -qx $unlike "$WORK/unlike"; then
			pass "$LABEL: what is told unlike is so: $unlike"
		else
			fail "$LABEL: what is told unlike is so: $unlike" "no view had it"
		fi
	done
}

twice_ends() { ip link del tap0; }

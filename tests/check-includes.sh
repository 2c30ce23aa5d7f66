#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Who may include whom. Fails, naming the line, where a file looks up the hill, into another
# folder's private header, or at a kernel or library header that has one home.
cd "${1:-.}" || exit 1
find vmm fault devices acpi fdt topology control vfio machine -name '*.[ch]' 2>/dev/null | xargs awk '
BEGIN {
	may["vmm"] = "vmm"
	may["vmm/arm64"] = "vmm vmm/arm64"
	may["fault"] = "vmm fault"
	may["devices"] = "vmm fault devices devices/pci"
	may["devices/pci"] = "vmm devices/pci"
	may["devices/pgtable"] = "vmm devices/pgtable"
	may["devices/smmuv3"] = "vmm fault devices/pgtable devices/smmuv3"
	may["devices/virtio"] = "vmm fault devices/pci devices/pgtable devices/virtio"
	may["acpi"] = "vmm acpi"
	may["fdt"] = "vmm fdt"
	may["topology"] = "vmm topology"
	may["control"] = "vmm control"
	may["vfio"] = "vmm fault devices/pci devices/smmuv3 vfio"
	may["vfio/selftest"] = "vfio"
	may["machine"] = "vmm vmm/arm64 fault devices devices/pci devices/smmuv3 devices/virtio acpi fdt topology control vfio machine"
	home["linux/kvm.h"] = "vmm vmm/arm64"
	home["linux/iommufd.h"] = "vfio vfio/selftest"
	home["linux/vfio.h"] = "vfio"
	home["liburing.h"] = "vmm"
	home["libfdt.h"] = "fdt machine"
	home["zlib.h"] = "devices machine"
	home["zstd.h"] = "machine"
	home["jansson.h"] = "control machine topology"
}
function folder(path) { sub("/[^/]*$", "", path); return path }
function has(list, name) { return index(" " list " ", " " name " ") }
/^#include "/ {
	split($0, part, "\"")
	here = folder(FILENAME)
	there = folder(part[2])
	if (!has(may[here], there) || (part[2] ~ /private\.h$/ && here != there)) {
		print FILENAME ":" FNR ": " here " may not include " part[2]
		bad = 1
	}
}
/^#include </ {
	split($0, part, "[<>]")
	here = folder(FILENAME)
	if (part[2] in home && !has(home[part[2]], here)) {
		print FILENAME ":" FNR ": " part[2] " belongs to " home[part[2]]
		bad = 1
	}
}
END { exit bad }'

// SPDX-License-Identifier: GPL-2.0-only
/* The machine shown: as lines, as JSON of docs/json/topology.json, as a picture. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/leak.h"
#include "tests/unit/schema.h"
#include "topology/topology.h"
#include "vmm/platform.h"

/* Two segments; behind an SMMU a disk, which is behind a port; behind a virtio-iommu, a function
 * itself, a console over MMIO; an entropy device behind none. */
static struct platform machine;

static void put_together(void)
{
	machine = (struct platform){
		.nr_cpus = 2,
		.ram = { 0x80000000, 0x60000000 },
		.gic = { .version = 3 },
		.msi_frames = { { PLATFORM_MSI_ITS, 0x7ff0000, 0x20000, 0x8000040 } },
		.nr_msi_frames = 1,
		.virtio_mmio = { { 0x3000000, 0x200, 64 } },
		.nr_virtio_mmio = 1,
		.nr_pci = 2,
		.pci = { { .segment = 0,
		           .last_bus = 127,
		           .ecam = 0x40000000,
		           .io = { 0, 0, 0x10000 },
		           .mem32 = { 0x50000000, 0x50000000, 0x18000000 },
		           .mem64 = { 0x800000000, 0x800000000, 0x800000000 },
		           .intx_spi = { 4, 5, 6, 7 } },
		         { .segment = 5,
		           .last_bus = 127,
		           .ecam = 0x2000000000,
		           .intx_spi = { 8, 9, 10, 11 },
		           .devid_base = 0x8000 } },
		.nr_iommus = 2,
		.iommus = { { .kind = PLATFORM_IOMMU_SMMUV3,
		              .name = "s",
		              .base = 0x9000000,
		              .eventq_spi = 96,
		              .priq_spi = 97,
		              .sync_spi = 98,
		              .gerror_spi = 99 },
		            { .name = "w", .is_pci = true, .rid = 0x10 } },
		.nr_endpoints = 2,
		.endpoints = { { .iommu = 0, .id = 0x100, .is_pci = true, .rid = 0x100 },
		               { .iommu = 1, .id = 0x80000, .mmio = 0 } },
		.nr_bridges = 1,
		.bridges = { { 0, 8, 1, 1 } },
		.nr_functions = 5,
		.functions = { { .name = "root-port",
		                 .option = "root-port",
		                 .value = "rp",
		                 .is_pci = true,
		                 .rid = 8 },
		               { "iommu", true, "iommu", "w", true, 0, 0x10, 0 },
		               { "blk", true, "disk", "one.img", true, 0, 0x100, 0 },
		               { "rng", true, "rng", "", true, 1, 0, 0 },
		               { "console", true, "console", "virtio", .mmio = 0 } },
	};
}

TestSuite(topology, .init = put_together, .fini = expect_no_leak);

/* What that format prints. */
static const char *print(const char *format)
{
	static char text[16384];
	FILE *to = fmemopen(text, sizeof(text), "w");

	cr_assert(zero(int, topology_find(format)->print(&machine, to)));
	fclose(to);
	return text;
}

static void expect_all(const char *text, const char *const *lines, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		cr_assert(ne(ptr, strstr(text, lines[i]), NULL), "no \"%s\"", lines[i]);
}

static json_t *print_json(void)
{
	json_t *schema = schema_load("topology"), *got = json_loads(print("json"), 0, NULL);
	char why[256] = "";

	cr_assert(ne(ptr, got, NULL));
	cr_assert(schema_check(schema, got, why, sizeof(why)), "%s", why);
	json_decref(schema);
	return got;
}

Test(topology, a_format_is_found_by_its_whole_name)
{
	cr_assert(eq(str, (char *)topology_find("text")->name, "text"));
	cr_assert(eq(str, (char *)topology_find("json")->name, "json"));
	cr_assert(eq(str, (char *)topology_find("dot")->name, "dot"));
	cr_assert(zero(ptr, (void *)topology_find("")));
	cr_assert(zero(ptr, (void *)topology_find("tex")));
	cr_assert(zero(ptr, (void *)topology_find("texts")));
}

Test(topology, lines_have_each_function_where_it_is_and_what_it_is_behind)
{
	static const char *const lines[] = {
		"2 CPUs, 1536M of RAM at 0x80000000, GICv3\n",
		"ITS at 0x7ff0000, doorbell 0x8000040\n",
		"console: UART\n",
		"\nsegment 0000: buses 00-7f, ECAM 0x40000000 +128M, memory 0x50000000 +384M, "
		"prefetchable 0x800000000 +32G, INTx SPI 4-7, DeviceIDs from 0x0\n",
		"\n  0000:00:01.0 root-port rp           -, DeviceID 0x8\n    bus 01 behind it\n"
		"      0000:01:00.0 virtio-blk one.img ",
		" s, StreamID 0x100, DeviceID 0x100\n",
		"\n  0000:00:02.0 virtio-iommu w         -, DeviceID 0x10\n",
		"\nsegment 0005: buses 00-7f, ECAM 0x2000000000 +128M, INTx SPI 8-11, DeviceIDs "
		"from 0x8000\n  0005:00:00.0 virtio-rng ",
		" no IOMMU, DeviceID 0x8000\n",
		"\nvirtio over MMIO\n  0x3000000 virtio-console virtio",
		" w, endpoint 0x80000\n",
		"\nIOMMUs\n  s: smmuv3 at 0x9000000, SPI 96-99; 1 behind it\n"
		"  w: virtio-iommu at 0000:00:02.0; 1 behind it\n",
	};

	expect_all(print("text"), lines, ARRAY_SIZE(lines));
}

Test(topology, functions_are_in_the_order_of_their_requester_ids)
{
	const struct platform_function first = machine.functions[0];
	const char *text, *port, *viommu;

	machine.functions[0] = machine.functions[1];
	machine.functions[1] = first;
	text = print("text");
	port = strstr(text, "0000:00:01.0");
	viommu = strstr(text, "0000:00:02.0");
	cr_assert(all(ne(ptr, (void *)port, NULL), lt(ptr, (void *)port, (void *)viommu)));
}

Test(topology, json_is_what_its_schema_says)
{
	const char *at, *iommu, *kind, *console, *prefetchable;
	int id, devid, bus, segment, cpus, spi;
	json_t *got = print_json();

	cr_assert(zero(
		int, json_unpack(got, "{s:i, s:s, s:[{s:[{s:i}, {}, {}]}, {s:i, s:[{s:s}]}]}",
	                         "cpus", &cpus, "console", &console, "segments", "functions",
	                         "bus-behind", &bus, "segment", &segment, "functions", "at", &at)));
	cr_assert(all(eq(int, cpus, 2), eq(int, bus, 1), eq(int, segment, 5)));
	cr_assert(all(eq(str, (char *)at, "0005:00:00.0"), eq(str, (char *)console, "uart")));
	cr_assert(zero(int,
	               json_unpack(got, "{s:[{s:{s:s}, s:[{}, {s:i, s:{s:s, s:i}}, {}]}, {}]}",
	                           "segments", "prefetchable", "size", &prefetchable, "functions",
	                           "device-id", &devid, "behind", "iommu", &iommu, "id", &id)));
	cr_assert(all(eq(int, devid, 0x100), eq(int, id, 0x100), eq(str, (char *)iommu, "s")));
	cr_assert(eq(str, (char *)prefetchable, "0x800000000"));
	cr_assert(zero(int, json_unpack(got, "{s:[{s:s, s:{s:i}}, {}], s:[{s:{s:s}}]}", "iommus",
	                                "kind", &kind, "spis", "gerror", &spi, "virtio-mmio",
	                                "behind", "iommu", &iommu)));
	cr_assert(all(eq(str, (char *)kind, "smmuv3"), eq(int, spi, 99),
	              eq(str, (char *)iommu, "w")));
	json_decref(got);
}

/* A window for messages, which a virtio-iommu's driver is told of, and memory of the disk's. */
Test(topology, what_a_driver_cannot_map_is_shown_with_who_cannot)
{
	static const char *const lines[] = {
		"; 1 behind it\n    0x1000-0x1fff: reserved\n    0x8000000-0x8000fff: messages, untranslated\n",
		"\nreserved\n  0x90000000-0x9000ffff: memory, as it is, of 0000:01:00.0\n",
	};
	static const char *const picture[] = {
		"\"w\\nvirtio-iommu\\n0x1000-0x1fff: reserved\\n0x8000000-0x8000fff: messages, untranslated\"];\n",
		"  reserved0 [shape=note, label=\"memory, as it is\\n0x90000000-0x9000ffff\"];\n  f2 -> reserved0 [style=dotted];\n",
	};
	const char *last, *kind, *of_disk;
	json_t *got;

	machine.iommus[1].unmappable[0].first = 0x1000;
	machine.iommus[1].unmappable[0].last = 0x1fff;
	machine.iommus[1].unmappable[1].first = 0x8000000;
	machine.iommus[1].unmappable[1].last = 0x8000fff;
	machine.iommus[1].unmappable[1].is_msi = true;
	machine.iommus[1].nr_unmappable = 2;
	machine.reserved[0] =
		(struct platform_reserved){ 0x90000000, 0x10000, PLATFORM_RESERVED_MEMORY };
	machine.nr_reserved = 1;
	machine.endpoints[0].reserved = 1;
	expect_all(print("text"), lines, ARRAY_SIZE(lines));
	expect_all(print("dot"), picture, ARRAY_SIZE(picture));
	got = print_json();
	cr_assert(zero(
		int,
		json_unpack(got, "{s:[{}, {s:[{s:s}, {s:s}]}], s:[{s:[{}, {s:[{s:s}]}, {}]}, {}]}",
	                    "iommus", "reserved", "last", &last, "kind", &kind, "segments",
	                    "functions", "reserved", "first", &of_disk)));
	cr_assert(all(eq(str, (char *)last, "0x1fff"), eq(str, (char *)kind, "msi"),
	              eq(str, (char *)of_disk, "0x90000000")));
	json_decref(got);
}

Test(topology, an_smmu_that_sends_messages_has_a_device_id_and_no_lines)
{
	json_t *got;
	int devid;

	machine.iommus[0].sends_msis = true;
	machine.iommus[0].devid = 0x7f80;
	got = print_json();
	cr_assert(zero(int, json_unpack(got, "{s:[{s:i}, {}]}", "iommus", "device-id", &devid)));
	cr_assert(eq(int, devid, 0x7f80));
	json_decref(got);
	cr_assert(ne(ptr, strstr(print("dot"), "smmuv3\\n0x9000000\\nDeviceID 0x7f80\"]"), NULL));
	cr_assert(ne(ptr,
	             strstr(print("text"),
	                    "  s: smmuv3 at 0x9000000, messages as DeviceID 0x7f80; 1 behind it\n"),
	             NULL));
}

Test(topology, without_an_its_nothing_has_a_device_id)
{
	static const char *const formats[] = { "text", "json", "dot" };
	static const struct platform_msi_frame v2m = { PLATFORM_MSI_V2M, 0x8000000, 0x1000,
		                                       0x8000040,        160,       128 };

	for (unsigned int nr = 0; nr < 2; nr++) {
		machine.nr_msi_frames = nr;
		machine.msi_frames[0] = v2m;
		machine.gic.version = 2;
		for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
			cr_assert(zero(ptr, strstr(print(formats[i]), "DeviceID")));
			cr_assert(zero(ptr, strstr(print(formats[i]), "device-id")));
		}
		json_decref(print_json());
	}
	cr_assert(ne(ptr,
	             strstr(print("text"),
	                    "\nGICv2m frame at 0x8000000, doorbell 0x8000040, SPI 160-287\n"),
	             NULL));
}

Test(topology, a_picture_has_a_line_for_each_link)
{
	static const char *const lines[] = {
		"digraph machine {\n",
		"    label=\"segment 0005, buses 00-7f\";\n",
		"    f2 [label=\"virtio-blk one.img\\n0000:01:00.0\\nDeviceID 0x100\"];\n",
		"    f4 [label=\"virtio-console virtio\\n0x3000000\"];\n",
		"  memory [shape=cylinder, label=\"RAM\\n0x80000000, 1536M\\nITS doorbell\\n0x8000040\"];\n",
		"label=\"s\\nsmmuv3\\n0x9000000\"];\n  iommu0 -> memory;\n",
		"label=\"w\\nvirtio-iommu\"];\n  iommu1 -> memory;\n",
		"  segment0 -> f0 [dir=none];\n",
		"  f1 -> iommu1 [dir=none, style=dotted];\n",
		"  f0 -> f2 [dir=none];\n  f2 -> iommu0 [label=\"StreamID 0x100\"];\n",
		"  segment1 -> f3 [dir=none];\n  f3 -> memory [style=dashed];\n",
		"  f4 -> iommu1 [label=\"endpoint 0x80000\"];\n}\n",
	};
	const char *text = print("dot");

	expect_all(text, lines, ARRAY_SIZE(lines));
	cr_assert(zero(ptr, strstr(text, "f0 -> memory")), "a port has no DMA of its own");
}

Test(topology, names_with_quotes_and_backslashes_are_whole_in_each_format)
{
	const char *value, *iommu;
	json_t *got;

	machine.functions[2].value = "a\"b\\c\nd";
	machine.iommus[0].name = "\\\"";
	cr_assert(ne(ptr, strstr(print("dot"), "[label=\"virtio-blk a\\\"b\\\\c d\\n"), NULL));
	cr_assert(ne(ptr, strstr(print("dot"), "label=\"\\\\\\\"\\nsmmuv3"), NULL));
	got = print_json();
	cr_assert(zero(int, json_unpack(got, "{s:[{s:[{}, {s:s, s:{s:s}}, {}]}, {}]}", "segments",
	                                "functions", "value", &value, "behind", "iommu", &iommu)));
	cr_assert(eq(str, (char *)value, "a\"b\\c\nd"));
	cr_assert(eq(str, (char *)iommu, "\\\""));
	json_decref(got);
}

/* A file's name is any bytes; a JSON text is not. */
Test(topology, nothing_is_lost_in_json_whose_name_is_not_utf_8)
{
	const char *value, *behind, *name;
	json_t *got;

	machine.functions[2].value = "a\xff\xc3";
	machine.iommus[0].name = "\x80";
	got = print_json();
	cr_assert(
		zero(int, json_unpack(got, "{s:[{s:[{}, {s:s, s:{s:s}}, {}]}, {}], s:[{s:s}, {}]}",
	                              "segments", "functions", "value", &value, "behind", "iommu",
	                              &behind, "iommus", "name", &name)));
	cr_assert(eq(str, (char *)value, "a\\xff\\xc3"));
	cr_assert(all(eq(str, (char *)name, "\\x80"), eq(str, (char *)behind, (char *)name)));
	json_decref(got);
}

Test(topology, a_stream_that_is_full_is_no_error_of_the_formats)
{
	static const char *const formats[] = { "text", "json", "dot" };

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		FILE *full = fopen("/dev/full", "w");

		cr_assert(zero(int, topology_find(formats[i])->print(&machine, full)));
		cr_assert(ne(int, fflush(full) || ferror(full), 0));
		fclose(full);
	}
}

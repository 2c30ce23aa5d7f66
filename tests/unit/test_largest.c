// SPDX-License-Identifier: GPL-2.0-only
/* The largest machine there can be, told either way in the room that there is for it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <libfdt.h>
#include <string.h>

#include "acpi/acpi.h"
#include "fdt/fdt.h"
#include "tests/unit/tree.h"
#include "tests/unit/room.h"

#define AT   0x8f100000ULL
#define ROOM 0x100000 /* machine/boot.c: behind an FDT of as much */

static struct platform p;
static u8 *room;
static unsigned int nr_tables, nr_segments;

static void fill(void)
{
	p = platform;
	p.nr_cpus = 64;
	p.nr_pci = PLATFORM_SEGMENTS;
	for (unsigned int i = 0; i < PLATFORM_SEGMENTS; i++) {
		p.pci[i] = platform.pci[0];
		p.pci[i].segment = 0xffff - i;
		p.pci[i].last_bus = 3;
		p.pci[i].ecam = 0x60000000000 + i * 0x1000000000ULL;
		p.pci[i].devid_base = i << 10;
		for (unsigned int pin = 0; pin < 4; pin++)
			p.pci[i].intx_spi[pin] = 300 + 4 * i + pin;
	}
	p.nr_virtio_mmio = PLATFORM_VIRTIO_MMIO;
	p.nr_iommus = PLATFORM_IOMMUS;
	for (unsigned int i = 0; i < PLATFORM_IOMMUS; i++)
		p.iommus[i] = (struct platform_iommu){
			.kind = i % 2 ? PLATFORM_IOMMU_SMMUV3 : PLATFORM_IOMMU_VIRTIO,
			.is_pci = true,
			.pci = i,
			.rid = 0xf8,
			.base = 0x9000000 + i * 0x20000,
			.size = 0x20000,
			.sends_msis = true,
		};
	p.nr_endpoints = PLATFORM_ENDPOINTS;
	for (unsigned int i = 0; i < PLATFORM_ENDPOINTS; i++)
		p.endpoints[i] = (struct platform_endpoint){
			.iommu = i % PLATFORM_IOMMUS,
			.id = (i % PLATFORM_SEGMENTS) << 16 | (i / PLATFORM_SEGMENTS) << 3,
			.is_pci = true,
			.pci = i % PLATFORM_SEGMENTS,
			.rid = (i / PLATFORM_SEGMENTS) << 3,
		};
}

TestSuite(largest, .init = fill);

static int count(void *ctx, const void *bytes, u32 size)
{
	(void)ctx;
	nr_tables++;
	if (!memcmp(bytes, "MCFG", 4))
		nr_segments = (size - 44) / 16;
	return 0;
}

Test(largest, acpi_tables_have_room)
{
	struct acpi_efi efi;

	room = room_of(ROOM);
	cr_assert(zero(int, acpi_build(&p, AT, room, ROOM, &efi)));
	cr_assert(zero(int, acpi_for_each(room, count, NULL)));
	cr_assert(eq(u32, nr_segments, PLATFORM_SEGMENTS));
	cr_assert(ge(u32, nr_tables, 11));
}

Test(largest, a_device_tree_has_room)
{
	unsigned int segments = 0, rows = 0;
	int node, len;

	room = room_of(ROOM);
	cr_assert(zero(int, fdt_build(&p, room, ROOM)));
	fdt_for_each_subnode(node, room, 0)
	{
		if (strncmp(fdt_get_name(room, node, NULL), "pcie@", 5))
			continue;
		segments++;
		cr_assert(ne(ptr, (void *)fdt_getprop(room, node, "iommu-map", &len), NULL));
		rows += len / 16;
	}
	cr_assert(eq(u32, segments, PLATFORM_SEGMENTS));
	cr_assert(eq(u32, rows, PLATFORM_ENDPOINTS));
}

// SPDX-License-Identifier: GPL-2.0-only
/* ACPI tables, read back; and what an EFI kernel is led by. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "acpi/aml.h"
#include "acpi/map.h"
#include "tests/unit/tables.h"
#include "tests/unit/tree.h"
#include "tests/unit/room.h"

static struct platform acpi_platform;
/* With an SMMUv3 and a virtio-iommu, and functions behind each and behind neither. */
static void build(void)
{
	struct platform *p = &acpi_platform;

	*p = platform;
	p->nr_iommus = 2;
	p->iommus[0] = (struct platform_iommu){
		.kind = PLATFORM_IOMMU_SMMUV3,
		.base = 0x9000000,
		.size = 0x20000,
		.eventq_spi = 96,
		.priq_spi = 97,
		.sync_spi = 98,
		.gerror_spi = 99,
		.sends_msis = true,
		.devid = 0xff80,
		.httu = 2,
	};
	p->iommus[1] = (struct platform_iommu){ .is_pci = true, .rid = 0x20 };
	p->nr_endpoints = 4;
	p->endpoints[0] = (struct platform_endpoint){ .id = 0x10, .is_pci = true, .rid = 0x10 };
	p->endpoints[1] = (struct platform_endpoint){ .id = 8, .is_pci = true, .rid = 8 };
	p->endpoints[2] = (struct platform_endpoint){ .id = 9, .is_pci = true, .rid = 9 };
	p->endpoints[3] = (struct platform_endpoint){ 1, .id = 0x30, .is_pci = true, .rid = 0x30 };
	build_tables(p);
}

TestSuite(acpi, .init = build);

Test(acpi, every_table_has_its_checksum)
{
	const u8 *x = xsdt(), *fadt = find("FACP");
	static const char *const all[] = { "FACP", "APIC", "GTDT", "MCFG", "SPCR",
		                           "DBG2", "PPTT", "IORT", "VIOT" };

	cr_assert(zero(u8, sum(x, get(x, 4, 4))));
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const u8 *t = find(all[i]);

		cr_assert(ne(ptr, (void *)t, NULL), "%s", all[i]);
		cr_assert(zero(u8, sum(t, get(t, 4, 4))), "%s", all[i]);
	}
	cr_assert(eq(u64, get(fadt, 4, 4), 276));
	cr_assert(zero(int, memcmp(table_at(get(fadt, 140, 8)), "DSDT", 4)));
}

static int count(void *ctx, const void *bytes, u32 size)
{
	unsigned int *nr = ctx;

	cr_assert(zero(u8, sum(bytes, size)));
	++*nr;
	return 0;
}

static int refuse(void *ctx, const void *bytes, u32 size)
{
	(void)bytes, (void)size;
	return --*(int *)ctx ? 0 : -EIO;
}

Test(acpi, each_table_is_shown_until_one_is_refused)
{
	unsigned int nr = 0;
	int left = 3;

	cr_assert(zero(int, acpi_for_each(tables, count, &nr)));
	cr_assert(eq(u32, nr, 12));
	cr_assert(eq(int, acpi_for_each(tables, refuse, &left), -EIO));
	cr_assert(zero(int, left));
}

Test(acpi, what_does_not_fit_is_an_error_and_writes_nothing_behind)
{
	static u8 small[SIZE];
	struct acpi_efi unused;
	size_t used = 0;

	for (size_t size = 0; size < SIZE; size += 61) {
		memset(small, 0xee, sizeof(small));
		if (!acpi_build(&acpi_platform, AT, small, size, &unused)) {
			used = size;
			break;
		}
		for (size_t i = size; i < sizeof(small); i++)
			cr_assert(eq(u8, small[i], 0xee), "size %zu, byte %zu", size, i);
	}
	cr_assert(ne(u64, used, 0));
}

/* All of RAM, each byte once, and these tables as what the kernel keeps. */
Test(acpi, the_memory_map_is_ram)
{
	const u8 *map = table_at(efi.memory_map);
	u64 at = platform.ram.base;

	cr_assert(eq(u32, efi.memory_map_size, 3 * efi.descriptor_size));
	for (u32 i = 0; i < efi.memory_map_size; i += efi.descriptor_size) {
		cr_assert(eq(u64, get(map, i + 8, 8), at));
		cr_assert(eq(u64, get(map, i, 4), at == AT ? 9 : 7));
		cr_assert(zero(u64, at % ACPI_ALIGN));
		at += get(map, i + 24, 8) << 12;
	}
	cr_assert(eq(u64, at, platform.ram.base + platform.ram.size));
}

Test(acpi, without_a_uart_console_there_is_no_spcr_and_without_iommus_no_viot)
{
	acpi_platform.no_uart_console = true;
	acpi_platform.nr_iommus = acpi_platform.nr_endpoints = 0;
	build_tables(&acpi_platform);
	cr_assert(zero(ptr, (void *)find("SPCR")));
	cr_assert(zero(ptr, (void *)find("VIOT")));
	cr_assert(eq(u64, get(find("IORT"), 36, 4), 2)); /* the ITS and a segment */
}

Test(acpi, psci_is_by_hvc_unless_el2_is_the_guests)
{
	cr_assert(eq(u64, get(find("FACP"), 129, 2), 3));
	acpi_platform.el2 = true;
	build_tables(&acpi_platform);
	cr_assert(eq(u64, get(find("FACP"), 129, 2), 1));
}

/* Arm DEN0049: from a requester ID along the mappings to the ITS; the nodes on the way are counted.
 */
static bool follow(const u8 *iort, u32 node, u32 id, unsigned int *steps, u32 *devid)
{
	const u8 *n = iort + node;
	const u8 *m = n + get(n, 12, 4);

	if (!n[0]) { /* an ITS group */
		*devid = id;
		return true;
	}
	++*steps;
	for (u64 i = 0; i < get(n, 8, 4); i++, m += 20)
		if (!(get(m, 16, 4) & 1) && id - get(m, 0, 4) <= get(m, 4, 4))
			return follow(iort, get(m, 12, 4), id - get(m, 0, 4) + get(m, 8, 4), steps,
			              devid);
	return false;
}

static u32 root_complex(const u8 *iort)
{
	u32 at = 48;

	while (iort[at] != 2)
		at += get(iort, at + 1, 2);
	return at;
}

Test(acpi, every_requester_id_has_its_device_id_and_goes_by_its_smmu)
{
	const u8 *iort = find("IORT");
	const struct platform_pci *pci = &acpi_platform.pci[0];
	u32 devid;

	for (u32 rid = 0; rid < 0x10000; rid++) {
		const bool behind = rid == 8 || rid == 9 || rid == 0x10;
		unsigned int steps = 0;

		cr_assert(follow(iort, root_complex(iort), rid, &steps, &devid), "%x", rid);
		cr_assert(eq(u32, devid, pci->devid_base + rid));
		cr_assert(eq(u32, steps, behind ? 2 : 1), "%x", rid);
	}
}

Test(acpi, an_smmus_own_messages_have_a_mapping_of_their_own)
{
	const u8 *iort = find("IORT");
	const u8 *smmu = iort + 48 + get(iort, 48 + 1, 2);
	const u8 *m;

	cr_assert(eq(u8, smmu[0], 4));
	cr_assert(eq(u64, get(smmu, 24, 4), 1 | 2 << 1 | 1 << 4));
	m = smmu + get(smmu, 12, 4) + 20 * get(smmu, 64, 4);
	cr_assert(eq(u64, get(m, 8, 4), 0xff80));
	cr_assert(eq(u64, get(m, 16, 4), 1));
}

Test(acpi, an_smmu_whose_accesses_are_not_coherent_does_not_say_so)
{
	const u8 *iort;

	acpi_platform.iommus[0].noncoherent = true;
	build_tables(&acpi_platform);
	iort = find("IORT");
	cr_assert(eq(u64, get(iort + 48 + get(iort, 48 + 1, 2), 24, 4), 2 << 1 | 1 << 4));
}

Test(acpi, viot_has_the_endpoints_of_a_virtio_iommu_and_no_others)
{
	const u8 *viot = find("VIOT");
	const u8 *iommu = viot + get(viot, 38, 2), *range = iommu + get(iommu, 2, 2);

	cr_assert(eq(u64, get(viot, 36, 2), 2));
	cr_assert(eq(u8, iommu[0], 3));
	cr_assert(eq(u64, get(iommu, 4, 2), 1));
	cr_assert(eq(u64, get(iommu, 6, 2), 0x20));
	cr_assert(eq(u8, range[0], 1));
	cr_assert(eq(u64, get(range, 4, 4), 0x30));
	cr_assert(eq(u64, get(range, 12, 2), 0x30));
	cr_assert(eq(u64, get(range, 14, 2), 0x30));
	cr_assert(eq(u64, get(range, 16, 2), 48));
}

/* Linux compares a component's name with all four characters of each segment
 * (iort_match_node_callback()). */
Test(acpi, slots_of_virtio_mmio_are_told_of_by_name_and_by_address)
{
	struct platform *p = &acpi_platform;
	const u8 *iort, *viot, *at;

	p->nr_virtio_mmio = 3;
	for (unsigned int i = 0; i < 3; i++)
		p->virtio_mmio[i] =
			(struct platform_device){ 0x3000000 + i * 0x200, 0x200, 64 + i };
	p->iommus[1] = (struct platform_iommu){ .mmio = 2 };
	p->endpoints[2] = (struct platform_endpoint){ 0, .id = 0x80001, .mmio = 1 };
	p->endpoints[3] = (struct platform_endpoint){ 1, .id = 0x80000, .mmio = 0 };
	build_tables(p);
	iort = find("IORT");
	at = memmem(iort, get(iort, 4, 4), "\\_SB_.VR01", 11);
	cr_assert(ne(ptr, (void *)at, NULL));
	at -= 16 + 4 + 8 + 1; /* its node: an ID that goes to the SMMU */
	cr_assert(eq(u8, at[0], 1));
	cr_assert(eq(u64, get(at, get(at, 12, 4) + 8, 4), 0x80001));
	viot = find("VIOT");
	at = viot + 48;
	cr_assert(eq(u8, at[0], 4));
	cr_assert(eq(u64, get(at, 8, 8), 0x3000400));
	cr_assert(eq(u8, at[16], 2));
	cr_assert(eq(u64, get(at, 16 + 4, 4), 0x80000));
	cr_assert(eq(u64, get(at, 16 + 8, 8), 0x3000000));
}

/* 20.2.4: at the edges where a length takes one byte more. */
Test(acpi, an_aml_length_counts_itself_in_as_few_bytes_as_it_takes)
{
	static const struct {
		u32 inside, length, bytes;
	} cases[] = { { 0, 1, 1 },
		      { 0x3e, 0x3f, 1 },
		      { 0x3f, 0x41, 2 },
		      { 0xffd, 0xfff, 2 },
		      { 0xffe, 0x1001, 3 },
		      { 0xffffc, 0xfffff, 3 },
		      { 0xffffd, 0x100001, 4 } };
	const size_t size = 0x100010;
	u8 *bytes = room_of(size);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct out o = { .bytes = bytes, .size = size };
		const size_t at = aml_if(&o);
		u32 len, more;

		out_zeros(&o, cases[i].inside);
		aml_end(&o, at);
		more = bytes[1] >> 6;
		len = more ? (bytes[1] & 15) | get(bytes, 2, more) << 4 : bytes[1];
		cr_assert(eq(u32, more + 1, cases[i].bytes));
		cr_assert(eq(u32, len, cases[i].length));
		cr_assert(eq(u64, o.used, 1 + cases[i].inside + cases[i].bytes));
	}
}

/* Three at a time follow one another. */
static u32 id_of(u32 rid)
{
	return rid + (rid / 3 % 2) * 0x10000;
}

/* Random endpoints, whose IDs go on with those before them or do not: each requester ID is in one
 * range. */
Test(acpi, ranges_of_a_segment_are_what_its_functions_are_behind)
{
	static u8 behind[0x10000];
	struct platform *p = &acpi_platform;
	struct map_run runs[MAP_RUNS];

	srand(1);
	for (int round = 0; round < 60; round++) {
		u32 rid = 0;
		unsigned int nr;

		memset(behind, 0xff, sizeof(behind));
		p->nr_endpoints = 0;
		while (p->nr_endpoints < (round % 2 ? 64 : PLATFORM_ENDPOINTS)) {
			const u16 r = rand() % (round % 2 ? 100 : 0x10000);

			if (behind[r] != 0xff)
				continue;
			behind[r] = rand() % 2;
			p->endpoints[p->nr_endpoints++] = (struct platform_endpoint){
				.iommu = behind[r], .id = id_of(r), .is_pci = true, .rid = r
			};
		}
		nr = map_segment(p, 0, runs);
		for (unsigned int i = 0; i < nr; i++) {
			cr_assert(eq(u32, runs[i].rid, rid));
			for (u32 j = 0; j < runs[i].nr; j++, rid++)
				cr_assert(
					eq(u8, behind[rid], runs[i].iommu ? runs[i].index : 0xff));
			for (u32 r = runs[i].rid; runs[i].iommu && r < rid; r++)
				cr_assert(eq(u32, runs[i].id + r - runs[i].rid, id_of(r)));
		}
		cr_assert(eq(u32, rid, 0x10000));
	}
}

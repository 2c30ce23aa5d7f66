// SPDX-License-Identifier: GPL-2.0-only
/* What root complexes and endpoints can do, and reserved ranges, as ACPI tables tell it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "acpi/aml.h"
#include "tests/unit/endpoints.h"
#include "tests/unit/tables.h"

enum { NAMED = 1, ROOT_COMPLEX, SMMUV3 = 4, RMR = 6 };

static struct platform p;

static void build(void)
{
	p = with_endpoints();
	build_tables(&p);
}

TestSuite(acpi_endpoints, .init = build);

/* The nth node of a type; NULL: there are not so many. */
static const u8 *node(u8 type, unsigned int n)
{
	const u8 *iort = find("IORT"), *at = iort + 48;

	for (u64 left = get(iort, 36, 4); left; left--, at += get(at, 1, 2))
		if (at[0] == type && !n--)
			return at;
	return NULL;
}

/* What is within a device that is within @in. */
struct aml {
	const u8 *bytes;
	size_t len;
};

static struct aml device(struct aml in, const char *name)
{
	const u8 *end = in.bytes + in.len;

	for (const u8 *at = in.bytes; at + 8 < end; at++) {
		const unsigned int more = at[2] >> 6;

		if (at[0] == 0x5b && at[1] == 0x82 && !memcmp(at + 3 + more, name, 4))
			return (struct aml){ at + 7 + more,
				             (more ? (at[2] & 15) | get(at, 3, more) << 4 : at[2]) -
				                     5 - more };
	}
	return (struct aml){ 0 };
}

static struct aml host(const char *name)
{
	const u8 *dsdt = table_at(get(find("FACP"), 140, 8));

	return device((struct aml){ dsdt, get(dsdt, 4, 4) }, name);
}

static bool has(struct aml in, const void *bytes, size_t len)
{
	return memmem(in.bytes, in.len, bytes, len);
}

static unsigned int count(struct aml in, const char *name)
{
	const u8 *end = in.bytes + in.len, *at = in.bytes;
	unsigned int nr = 0;

	for (; (at = memmem(at, end - at, name, 4)); at++)
		nr++;
	return nr;
}

/* Name(_ADR) is the first of it. */
static bool is_at(struct aml device, u32 adr)
{
	u8 bytes[16];
	struct out o = { .bytes = bytes, .size = sizeof(bytes) };

	aml_name_int(&o, "_ADR", adr);
	return device.len >= o.used && !memcmp(device.bytes, bytes, o.used);
}

/* A package of a name and a number. */
static bool has_property(struct aml in, const char *name, u64 val)
{
	u8 bytes[64];
	struct out o = { .bytes = bytes, .size = sizeof(bytes) };
	const size_t at = aml_package(&o, 2);

	aml_text(&o, name);
	aml_int(&o, val);
	aml_end(&o, at);
	return has(in, bytes, o.used);
}

static u8 memory_flags(const u8 *n)
{
	return n[16 + 7];
}

Test(acpi_endpoints, a_root_complex_says_nothing_that_it_cannot_do)
{
	const u8 *rc = node(ROOT_COMPLEX, 0);

	cr_assert(eq(u64, get(rc, 16, 4), 1), "coherent");
	cr_assert(eq(u8, memory_flags(rc), 3));
	cr_assert(zero(u64, get(rc, 24, 4)));
	cr_assert(zero(u64, get(rc, 33, 2)));
}

Test(acpi_endpoints, a_root_complex_says_what_it_passes_on)
{
	p.pci[1].ats = true;
	build_tables(&p);
	cr_assert(eq(u64, get(node(ROOT_COMPLEX, 1), 24, 4), 1));
	cr_assert(zero(u64, get(node(ROOT_COMPLEX, 0), 24, 4)));
	p.pci[1].pri = true;
	p.pci[1].pasid_bits = 20;
	build_tables(&p);
	cr_assert(eq(u64, get(node(ROOT_COMPLEX, 1), 24, 4), 7));
	cr_assert(eq(u64, get(node(ROOT_COMPLEX, 1), 33, 2), 20));
}

Test(acpi_endpoints, canwbs_is_a_memory_access_flag)
{
	p.pci[0].canwbs = true;
	build_tables(&p);
	cr_assert(eq(u8, memory_flags(node(ROOT_COMPLEX, 0)), 7));
	cr_assert(eq(u8, memory_flags(node(ROOT_COMPLEX, 1)), 3));
}

Test(acpi_endpoints, what_is_not_coherent_says_so_in_both_tables)
{
	static const u8 cca[] = { 0x08, '_', 'C', 'C', 'A', 0 };

	cr_assert(not(has(host("PC00"), cca, sizeof(cca))));
	p.pci[0].noncoherent = true;
	build_tables(&p);
	cr_assert(zero(u64, get(node(ROOT_COMPLEX, 0), 16, 4)));
	cr_assert(zero(u8, memory_flags(node(ROOT_COMPLEX, 0))));
	cr_assert(has(host("PC00"), cca, sizeof(cca)));
	cr_assert(not(has(host("PC01"), cca, sizeof(cca))));
}

Test(acpi_endpoints, a_function_that_stalls_is_a_device_with_a_property)
{
	static const u8 uuid[] = { 0x14, 0xd8, 0xff, 0xda, 0xba, 0x6e, 0x8c, 0x4d,
		                   0x8a, 0x91, 0xbc, 0x9b, 0xbf, 0x4a, 0xa3, 0x01 };
	const struct aml f = device(host("PC00"), "FN08");

	cr_assert(is_at(f, 0x10000));
	cr_assert(has(f, uuid, sizeof(uuid)));
	cr_assert(has_property(f, "dma-can-stall", 1));
	cr_assert(not(has(f, "pasid-num-bits", 15)));
}

Test(acpi_endpoints, a_function_is_within_the_bridges_that_it_is_behind)
{
	const struct aml port = device(host("PC00"), "BR10"), bridge = device(port, "BR20");
	const struct aml other = device(host("PC00"), "BR18");

	cr_assert(is_at(port, 0x20000));
	cr_assert(is_at(bridge, 0x40000));
	cr_assert(is_at(device(bridge, "FN00"), 0));
	cr_assert(has_property(device(bridge, "FN00"), "dma-can-stall", 1));
	cr_assert(eq(u32, count(port, "FN00"), 1), "on its own bus alone");
	cr_assert(eq(u32, count(host("PC00"), "BR20"), 1));
	cr_assert(is_at(other, 0x30000));
	cr_assert(is_at(device(other, "FN01"), 1));
	cr_assert(has_property(device(other, "FN01"), "pasid-num-bits", 20));
	cr_assert(not(has(device(other, "FN01"), "dma-can-stall", 14)));
}

Test(acpi_endpoints, a_function_with_nothing_more_to_tell_is_no_device)
{
	cr_assert(zero(sz, device(device(host("PC00"), "BR18"), "FN00").len));
	p.endpoints[WITH_PASIDS].pasid_bits = 0;
	build_tables(&p);
	cr_assert(zero(sz, device(host("PC00"), "BR18").len), "nor a bridge before it");
	cr_assert(zero(sz, device(host("PC01"), "FN10").len));
}

/* iort_named_component_init() */
Test(acpi_endpoints, a_slot_that_stalls_is_a_named_component_with_flags)
{
	cr_assert(eq(u64, get(node(NAMED, 0), 16, 4), 1 | 8 << 1));
	p.endpoints[SLOT].can_stall = false;
	build_tables(&p);
	cr_assert(eq(u64, get(node(NAMED, 0), 16, 4), 8 << 1));
}

/* As iort_node_get_rmr_info() and iort_rmr_has_dev() look: of the nth RMR, whether an SMMU's stream
 * has it. */
static bool rmr_has(unsigned int n, unsigned int smmu, u32 stream)
{
	const u8 *r = node(RMR, n), *iort = find("IORT"), *m = r + get(r, 12, 4);

	for (u64 i = 0; i < get(r, 8, 4); i++, m += 20)
		if (iort + get(m, 12, 4) == node(SMMUV3, smmu) &&
		    stream - get(m, 8, 4) <= get(m, 4, 4))
			return true;
	return false;
}

Test(acpi_endpoints, an_rmr_is_a_range_of_an_smmu_and_has_its_streams)
{
	static const struct {
		unsigned int smmu, range, nr;
		u32 streams[4];
	} all[] = { { 0, 0, 4, { 0x200, 0x400, 0x401, 0x80000 } },
		    { 0, 1, 1, { 0x401 } },
		    { 1, 0, 1, { 0x10010 } } };

	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
		const u8 *r = node(RMR, i);
		unsigned int nr = 0;

		cr_assert(eq(u8, r[3], 3));
		cr_assert(eq(u64, get(r, 20, 4), 1));
		cr_assert(eq(u64, get(r, get(r, 24, 4), 8), p.reserved[all[i].range].base));
		cr_assert(eq(u64, get(r, get(r, 24, 4) + 8, 8), p.reserved[all[i].range].size));
		for (unsigned int e = 0; e < p.nr_endpoints; e++)
			nr += rmr_has(i, all[i].smmu, p.endpoints[e].id);
		cr_assert(eq(u32, nr, all[i].nr));
		for (unsigned int s = 0; s < all[i].nr; s++)
			cr_assert(rmr_has(i, all[i].smmu, all[i].streams[s]), "%u %u", i, s);
	}
	cr_assert(zero(ptr, (void *)node(RMR, ARRAY_SIZE(all))));
}

/* Flags: bit 0 is that the OS may map the range otherwise, bits 9:2 are Device-nGnRE or write-back.
 */
Test(acpi_endpoints, doorbells_may_be_mapped_otherwise_and_memory_may_not)
{
	cr_assert(eq(u64, get(node(RMR, 0), 16, 4), 1 | 1 << 2));
	cr_assert(eq(u64, get(node(RMR, 1), 16, 4), 5 << 2));
}

Test(acpi_endpoints, streams_that_follow_each_other_are_one_mapping)
{
	cr_assert(eq(u64, get(node(RMR, 0), 8, 4), 3));
	for (unsigned int i = 0; i < PLATFORM_ENDPOINTS; i++)
		p.endpoints[i] = (struct platform_endpoint){
			.id = 0x100 + (i ^ 5), .is_pci = true, .rid = 0x100 + (i ^ 5), .reserved = 1
		};
	p.nr_endpoints = PLATFORM_ENDPOINTS;
	build_tables(&p);
	cr_assert(eq(u64, get(node(RMR, 0), 8, 4), 1));
	cr_assert(rmr_has(0, 0, 0x100));
	cr_assert(rmr_has(0, 0, 0x100 + PLATFORM_ENDPOINTS - 1));
	cr_assert(zero(ptr, (void *)node(RMR, 1)));
}

/* Whether the _DSM's function 5 returns 0. */
static bool preserves(const char *name)
{
	static const u8 zero[] = { 0x93, 0x6a, 0x0a, 5, 0xa4, 0 },
			one[] = { 0x93, 0x6a, 0x0a, 5, 0xa4, 1 };
	const struct aml h = host(name);

	cr_assert(ne(int, has(h, zero, sizeof(zero)), has(h, one, sizeof(one))));
	return has(h, zero, sizeof(zero));
}

Test(acpi_endpoints, where_there_is_an_rmr_bus_numbers_stay)
{
	cr_assert(preserves("PC00"));
	cr_assert(preserves("PC01"));
	p.endpoints[SECOND_SMMU].reserved = 0;
	p.endpoints[BEHIND_VIRTIO].reserved = 1; /* of which no table tells */
	build_tables(&p);
	cr_assert(preserves("PC00"));
	cr_assert(not(preserves("PC01")));
	cr_assert(zero(ptr, (void *)node(RMR, 2)));
}

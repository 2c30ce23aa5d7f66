/* SPDX-License-Identifier: GPL-2.0-only */
/* virtio-iommu's requests: each status of each of them (virtio 1.3, 5.13.6). An entropy device is
 * its only endpoint. */
#include "lib/viommu.h"

#define PAGE 0x1000UL
#define LAST (PAGE - 1)

static struct viommu v;
static struct where rng;
static u32 ep;

static void start(u64 features)
{
	viommu_find(&v);
	where_find(&rng, VIRTIO_RNG);
	ep = endpoint_of(&rng);
	viommu_start(&v, features);
}

#define expect(got, want, what)                                                         \
	do {                                                                            \
		u8 got_ = (got);                                                        \
		check(got_ == (want), "%s: status %u instead of %u", what, got_, want); \
	} while (0)

static void attach(void)
{
	start(VIOMMU_FEATURES);
	expect(viommu_attach(&v, 1, ep + 1, 0), S_NOENT, "an endpoint there is not");
	expect(viommu_attach(&v, 1, ep, 2), S_INVAL, "a flag there is not");
	expect(viommu_attach(&v, 1, ep, 0), S_OK, "a new domain");
	check(v.used_len == 4, "used length %u", v.used_len);
	check(!v.answer[1] && !v.answer[2] && !v.answer[3], "the tail's reserved bytes");
	expect(viommu_attach(&v, 1, ep, 0), S_OK, "the same again");
	expect(viommu_attach(&v, 1, ep, ATTACH_BYPASS), S_INVAL, "bypass of a domain that is none");
	expect(viommu_attach(&v, 2, ep, ATTACH_BYPASS), S_OK, "a bypass domain");
	expect(viommu_attach(&v, 2, ep, 0), S_INVAL, "a bypass domain without the flag");
	expect(viommu_map(&v, 2, 0, LAST, RAM_BASE, MAP_READ), S_INVAL, "a map in a bypass domain");
	expect(viommu_unmap(&v, 2, 0, LAST), S_INVAL, "an unmap in a bypass domain");
	expect(viommu_map(&v, 1, 0, LAST, RAM_BASE, MAP_READ), S_NOENT, "a domain that has gone");
	v.request.type = T_ATTACH;
	v.request.reserved2[0] = 1;
	v.request.domain = 3;
	v.request.endpoint = ep;
	v.request.flags = 0;
	expect(viommu_ask(&v, 20, 4), S_INVAL, "a reserved byte of ATTACH");
}

static void detach(void)
{
	start(VIOMMU_FEATURES);
	expect(viommu_detach(&v, 1, ep), S_INVAL, "nothing is attached");
	expect(viommu_attach(&v, 1, ep, 0), S_OK, "attach");
	expect(viommu_detach(&v, 1, ep + 1), S_NOENT, "an endpoint there is not");
	expect(viommu_detach(&v, 2, ep), S_INVAL, "another domain");
	v.request.reserved2[0] = 1; /* ignored; here it is in what DETACH reserves */
	v.request.domain = 1;
	expect(viommu_ask(&v, 20, 4), S_OK, "detach, with a reserved byte");
	expect(viommu_map(&v, 1, 0, LAST, RAM_BASE, MAP_READ), S_NOENT, "its domain has gone");
}

static void map(void)
{
	start(VIOMMU_FEATURES);
	expect(viommu_map(&v, 1, 0, LAST, RAM_BASE, MAP_READ), S_NOENT, "no domain");
	expect(viommu_attach(&v, 1, ep, 0), S_OK, "attach");
	expect(viommu_map(&v, 1, PAGE, PAGE + LAST, RAM_BASE, MAP_READ), S_OK, "a page");
	expect(viommu_map(&v, 1, PAGE, PAGE + LAST, RAM_BASE, MAP_READ), S_INVAL, "it is mapped");
	expect(viommu_map(&v, 1, 0, 4 * PAGE - 1, RAM_BASE, MAP_READ), S_INVAL, "around it");
	expect(viommu_map(&v, 1, 1, LAST, RAM_BASE, MAP_READ), S_RANGE, "a start within a page");
	expect(viommu_map(&v, 1, 0, LAST - 1, RAM_BASE, MAP_READ), S_RANGE, "an end within a page");
	expect(viommu_map(&v, 1, 0, LAST, RAM_BASE + 1, MAP_READ), S_RANGE, "within a page of RAM");
	expect(viommu_map(&v, 1, 8 * PAGE, 4 * PAGE - 1, RAM_BASE, MAP_READ), S_RANGE, "backwards");
	expect(viommu_map(&v, 1, 0, 4 * PAGE - 1, -PAGE, MAP_READ), S_RANGE, "memory wraps");
	expect(viommu_map(&v, 1, 0, LAST, RAM_BASE, 8), S_INVAL, "a flag there is not");
	expect(viommu_map(&v, 1, -PAGE, ~0UL, RAM_BASE, MAP_WRITE | MAP_MMIO), S_OK, "the last");
	expect(viommu_map(&v, 1, 0, LAST, 0, 0), S_OK, "nothing allowed, no memory");
}

static void unmap(void)
{
	start(VIOMMU_FEATURES);
	expect(viommu_unmap(&v, 1, 0, LAST), S_NOENT, "no domain");
	expect(viommu_attach(&v, 1, ep, 0), S_OK, "attach");
	expect(viommu_unmap(&v, 1, 0, ~0UL), S_OK, "nothing is mapped");
	expect(viommu_map(&v, 1, 0, 4 * PAGE - 1, RAM_BASE, MAP_READ), S_OK, "four pages");
	expect(viommu_map(&v, 1, 8 * PAGE, 9 * PAGE - 1, RAM_BASE, MAP_READ), S_OK, "one more");
	expect(viommu_unmap(&v, 1, 0, LAST), S_RANGE, "the first of four");
	expect(viommu_unmap(&v, 1, 3 * PAGE, ~0UL), S_RANGE, "the last of four, and more");
	expect(viommu_unmap(&v, 1, PAGE, PAGE + LAST), S_RANGE, "one between");
	expect(viommu_map(&v, 1, 0, LAST, RAM_BASE, MAP_READ), S_INVAL, "all four are still there");
	expect(viommu_map(&v, 1, 8 * PAGE, 9 * PAGE - 1, 0, 0), S_INVAL, "and the other");
	expect(viommu_unmap(&v, 1, 4 * PAGE, 2 * PAGE), S_RANGE, "backwards");
	v.request.reserved3[0] = 1;
	v.request.unmap_start = 0;
	v.request.unmap_end = ~0UL;
	expect(viommu_ask(&v, 28, 4), S_OK, "both, with a reserved byte");
	expect(viommu_map(&v, 1, 0, 0x07ffffff, 0, MAP_READ), S_OK, "all up to the window is free");
}

static void probe(void)
{
	u32 size;

	start(VIOMMU_FEATURES);
	size = read32(v.dev.where.config + CONFIG_PROBE_SIZE);
	check(size == 24, "probe_size %u: the scenario has a window for messages", size);
	memset(&v.request, 0, sizeof(v.request));
	v.request.type = T_PROBE;
	v.request.probe_endpoint = ep + 1;
	expect(viommu_ask(&v, 72, size + 4), S_NOENT, "an endpoint there is not");
	v.request.probe_endpoint = ep;
	v.request.reserved4[0] = 1; /* ignored */
	expect(viommu_ask(&v, 72, size + 4), S_OK, "probe");
	check(v.used_len == size + 4, "used length %u", v.used_len);
	check(v.answer[0] == 1 && !v.answer[1] && v.answer[2] == 20 && !v.answer[3], "RESV_MEM");
	check(v.answer[4] == 1 && *(u64 *)&v.answer[8] == 0x08000000 &&
	              *(u64 *)&v.answer[16] == 0x08000fff,
	      "messages at %lx to %lx, subtype %u", *(u64 *)&v.answer[8], *(u64 *)&v.answer[16],
	      v.answer[4]);
	expect(viommu_ask(&v, 72, size), S_INVAL, "too little room for the list");
	expect(viommu_attach(&v, 1, ep, 0), S_OK, "attach");
	expect(viommu_map(&v, 1, 0x08000000, 0x08000fff, RAM_BASE, MAP_READ), S_INVAL,
	       "the window");
	expect(viommu_map(&v, 1, 0, 0xffffffff, RAM_BASE, MAP_READ), S_INVAL, "around the window");
	expect(viommu_map(&v, 1, 0x08001000, 0x08001fff, RAM_BASE, MAP_READ), S_OK, "beside it");
}

/* A property of the last answer's, wherever among them. */
static bool told(u32 size, u8 subtype, u64 first, u64 last)
{
	for (u32 at = 0; at < size; at += 24)
		if (v.answer[at] == 1 && v.answer[at + 2] == 20 && v.answer[at + 4] == subtype &&
		    *(u64 *)&v.answer[at + 8] == first && *(u64 *)&v.answer[at + 16] == last)
			return true;
	return false;
}

/* The scenario says where the host's own window for messages is, around the doorbell's page:
 * "windows=2" of them are told, or none where the doorbell is mapped. */
static void probe_window(void)
{
	const u32 size = 24 * parameter_after("windows=", 0);

	start(VIOMMU_FEATURES);
	check(read32(v.dev.where.config + CONFIG_PROBE_SIZE) == size, "probe_size %u, not %u",
	      read32(v.dev.where.config + CONFIG_PROBE_SIZE), size);
	memset(&v.request, 0, sizeof(v.request));
	v.request.type = T_PROBE;
	v.request.probe_endpoint = ep;
	expect(viommu_ask(&v, 72, size + 4), S_OK, "probe");
	check(v.used_len == size + 4, "used length %u", v.used_len);
	if (!size)
		return;
	check(told(size, 1, 0x08000000, 0x08000fff), "the doorbell's page is not for messages");
	check(told(size, 0, 0x08001000, 0x080fffff), "the window's rest is not reserved");
}

/* What cannot be parsed comes back as it was. */
static void unparsed(void)
{
	static const struct {
		u8 type;
		u32 size, room;
	} bad[] = {
		{ 0, 20, 4 },        { 6, 20, 4 },       { 0xff, 20, 4 },     { T_ATTACH, 19, 4 },
		{ T_MAP, 35, 4 },    { T_UNMAP, 27, 4 }, { T_PROBE, 71, 28 }, { T_ATTACH, 20, 3 },
		{ T_ATTACH, 20, 0 }, { T_DETACH, 4, 4 }, { T_PROBE, 72, 3 },  { T_ATTACH, 1, 4 },
	};

	start(VIOMMU_FEATURES);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(&v.request, 0, sizeof(v.request));
		v.request.type = bad[i].type;
		viommu_ask(&v, bad[i].size, bad[i].room);
		check(!v.used_len, "case %u: used length %u", i, v.used_len);
		for (unsigned int b = 0; b < sizeof(v.answer); b++)
			check(v.answer[b] == S_NONE, "case %u: byte %u is written", i, b);
	}
	check(!device_needs_reset(&v.dev), "NEEDS_RESET");
	expect(viommu_attach(&v, 1, ep, 0), S_OK, "after that");
	expect(viommu_attach(&v, 2, ep, 0), S_OK, "a readable part of 20 bytes and more");
}

/* Features that were not taken are not there. */
static void features(void)
{
	start(F_MAP_UNMAP);
	expect(viommu_attach(&v, 1, ep, ATTACH_BYPASS), S_INVAL, "a flag nobody agreed on");
	expect(viommu_attach(&v, 1, ep, 0), S_OK, "attach");
	expect(viommu_map(&v, 1, 0, LAST, RAM_BASE, MAP_READ | MAP_MMIO), S_INVAL, "MMIO");
	memset(&v.request, 0, sizeof(v.request));
	v.request.type = T_PROBE;
	v.request.probe_endpoint = ep;
	expect(viommu_ask(&v, 72, 28), S_NONE, "PROBE");
	viommu_start(&v, 0);
	expect(viommu_attach(&v, 1, ep, 0), S_OK, "attach");
	expect(viommu_map(&v, 1, 0, LAST, RAM_BASE, MAP_READ), S_NONE, "MAP");
	expect(viommu_unmap(&v, 1, 0, LAST), S_NONE, "UNMAP");
}

static u64 config64(unsigned int at)
{
	const u64 config = v.dev.where.config + at;

	return read32(config) | (u64)read32(config + 4) << 32;
}

/* The scenario's, as the configuration has them. */
static void limits_are_told(void)
{
	const u64 config = v.dev.where.config;

	check(config64(CONFIG_PAGE_MASK) == (1 << 12 | 1 << 21 | 1 << 30), "page_size_mask %lx",
	      config64(CONFIG_PAGE_MASK));
	check(config64(CONFIG_INPUT_FIRST) == 0x1000 && config64(CONFIG_INPUT_LAST) == 0xffffffff,
	      "input_range %lx to %lx", config64(CONFIG_INPUT_FIRST), config64(CONFIG_INPUT_LAST));
	check(read32(config + CONFIG_FIRST_DOMAIN) == 2 && read32(config + CONFIG_LAST_DOMAIN) == 5,
	      "domain_range %u to %u", read32(config + CONFIG_FIRST_DOMAIN),
	      read32(config + CONFIG_LAST_DOMAIN));
}

/* The scenario allows 4 mappings, domains 2 to 5, and all but the first page of 4 GiB. */
static void limits(void)
{
	start(VIOMMU_FEATURES | F_INPUT_RANGE | F_DOMAIN_RANGE);
	limits_are_told();
	expect(viommu_attach(&v, 1, ep, 0), S_RANGE, "a domain below the range");
	expect(viommu_attach(&v, 6, ep, 0), S_RANGE, "a domain above it");
	expect(viommu_attach(&v, 5, ep, 0), S_OK, "attach");
	expect(viommu_map(&v, 5, 0, LAST, 0, MAP_READ), S_RANGE, "below the input range");
	for (u64 i = 1; i < 5; i++)
		expect(viommu_map(&v, 5, i * PAGE, i * PAGE + LAST, 0, MAP_READ), S_OK, "a map");
	expect(viommu_map(&v, 5, 5 * PAGE, 6 * PAGE - 1, 0, MAP_READ), S_NOMEM, "one too many");
	expect(viommu_unmap(&v, 5, PAGE, PAGE + LAST), S_OK, "unmap");
	expect(viommu_map(&v, 5, 5 * PAGE, 6 * PAGE - 1, 0, MAP_READ), S_OK, "room again");
	expect(viommu_detach(&v, 5, ep), S_OK, "detach");
	expect(viommu_attach(&v, 2, ep, 0), S_OK, "attach");
	expect(viommu_map(&v, 2, 0x100000000, 0x100000fff, 0, MAP_READ), S_RANGE, "above it");
	expect(viommu_map(&v, 2, 0xfffff000, 0x100000fff, 0, MAP_READ), S_RANGE, "across its end");
	expect(viommu_map(&v, 2, 0xfffff000, 0xffffffff, 0, MAP_READ), S_OK, "its last page");
	for (u64 i = 1; i < 4; i++)
		expect(viommu_map(&v, 2, i * PAGE, i * PAGE + LAST, 0, MAP_READ), S_OK, "a map");
}

static const struct test tests[] = {
	{ "attach", attach },     { "detach", detach }, { "map", map },
	{ "unmap", unmap },       { "probe", probe },   { "unparsed", unparsed },
	{ "features", features }, { "limits", limits }, { "probe-window", probe_window },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

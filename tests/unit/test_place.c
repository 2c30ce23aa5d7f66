// SPDX-License-Identifier: GPL-2.0-only
/* Segments, root ports, and where devices may go: one device a port, 32 on a root bus. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "machine/iommu.h"
#include "machine/place.h"
#include "tests/unit/said.h"

static struct options o;
static struct place places[MAX_CLAIMS + 1];
static char texts[MAX_PORTS + 8][32]; /* what options keep pointers into */
static unsigned int nr_texts;

static void make(void)
{
	listen_to(stderr);
	o.nr_segments = 1;
}

TestSuite(place, .init = make);

static char *text(const char *words)
{
	return strcpy(texts[nr_texts++], words);
}

static const char *segment(const char *val)
{
	char word[32];

	return segment_option_take(&o, strcpy(word, val));
}

static const char *port(const char *val)
{
	return port_option_take(&o, text(val));
}

/* The next device, there. */
static void device(struct place place)
{
	struct place *p = &places[o.nr_claims];

	*p = place;
	cr_assert(zero(ptr, (void *)place_claim(&o, "disk", "d", p)));
}

static void expect_taken(void)
{
	cr_assert(places_check(&o), "%s", said(stderr));
	cr_assert(eq(str, said(stderr), ""));
}

static void expect_refused(const char *line)
{
	char want[200];

	snprintf(want, sizeof(want), "nestor: %s\n", line);
	cr_assert(not(places_check(&o)));
	cr_assert(eq(str, said(stderr), want));
}

Test(place, segments_are_16_bits_and_differ)
{
	static const char number[] = "a segment number, 1 to 65535 (0 is always there)";
	static const char *const bad[] = { "0",  "65536", "-1",
		                           "",   "x",     "1x",
		                           "1 ", "0x",    "18446744073709551617" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert(eq(str, (char *)segment(bad[i]), (char *)number), "%s", bad[i]);
	cr_assert(zero(ptr, (void *)segment("1")));
	cr_assert(zero(ptr, (void *)segment("0xffff")));
	cr_assert(eq(str, (char *)segment("65535"), "a segment that is not there yet"));
	cr_assert(eq(u32, o.nr_segments, 3));
	cr_assert(eq(u32, segment_index(&o, 65535), 2));
	cr_assert(zero(u32, segment_index(&o, 0)));
	cr_assert(eq(u32, segment_index(&o, 2), o.nr_segments), "none has that number");
}

Test(place, there_are_at_most_64_segments)
{
	char word[16];

	for (int i = 1; i < PLATFORM_SEGMENTS; i++) {
		snprintf(word, sizeof(word), "%d", i);
		cr_assert(zero(ptr, (void *)segment(word)), "%s", word);
	}
	cr_assert(eq(str, (char *)segment("64"), "at most 64 segments, 0 included"));
}

Test(place, a_port_has_an_id_of_its_own_and_a_segment)
{
	cr_assert(zero(ptr, (void *)port("a")));
	cr_assert(zero(ptr, (void *)port("b,segment=7")));
	cr_assert(eq(str, (char *)port("a,segment=7"), "an ID that no other root port has"));
	cr_assert(eq(str, (char *)port(""), "ID[,segment=N]"));
	cr_assert(eq(str, (char *)port(",segment=1"), "ID[,segment=N]"));
	cr_assert(eq(u32, o.nr_ports, 2));
	cr_assert(zero(int, port_index(&o, "a")));
	cr_assert(eq(int, port_index(&o, "b"), 1));
	cr_assert(eq(int, port_index(&o, "c"), -1));
	cr_assert(eq(u64, o.ports[1].segment, 7));
	cr_assert(eq(str, (char *)port("c,segment=65536"), "segment=N, 0 to 65535"));
	cr_assert(eq(str, (char *)port("d,bus=a"), "a key out of segment="));
}

Test(place, there_are_at_most_256_ports)
{
	char word[16];

	for (int i = 0; i < MAX_PORTS; i++) {
		snprintf(word, sizeof(word), "p%d", i);
		cr_assert(zero(ptr, (void *)port(word)), "%s", word);
	}
	cr_assert(eq(str, (char *)port("one"), "at most 256 root ports"));
}

Test(place, there_are_at_most_512_devices)
{
	for (int i = 0; i < MAX_CLAIMS; i++)
		device((struct place){ 0 });
	cr_assert(eq(str, (char *)place_claim(&o, "disk", "d", &places[MAX_CLAIMS]),
	             "at most 512 devices"));
}

Test(place, a_port_of_a_segment_there_is_not_is_refused)
{
	port("a,segment=3");
	expect_refused("--root-port a,segment=3: expected 0 or the number of a --segment");
	segment("3");
	expect_taken();
}

struct place_case {
	char bus[8], iommu[8];
	u64 segment;
	bool mmio;
	char said[120]; /* "": it may be there */
};

/* Segments 0 and 5, port a on 0 and b on 5. */
ParameterizedTestParameters(place, a_device_goes_where_there_is_such_a_place)
{
	static struct place_case cases[] = {
		{ "", "", 0, false, "" },
		{ "", "", 0, true, "" },
		{ "", "", 5, false, "" },
		{ "a", "", 0, false, "" },
		{ "b", "", 0, false, "" },
		{ "b", "none", 5, false, "" },
		{ "", "none", 0, true, "" },
		{ "", "", 4, false, "--disk d,segment=4: expected 0 or the number of a --segment" },
		{ "c", "", 0, false, "--disk d,bus=c: expected the ID of a --root-port" },
		{ "a", "", 0, true, "--disk d,bus=a: expected no bus, or --virtio-transport pci" },
		{ "a", "", 5, false,
		  "--disk d,bus=a: expected a root port of segment 5, which is given too, not of 0" },
		{ "b", "", 4, false,
		  "--disk d,bus=b: expected a root port of segment 4, which is given too, not of 5" },
		{ "", "smmu", 0, false,
		  "--disk d,iommu=smmu: expected none, or the ID of an --iommu" },
	};

	return cr_make_param_array(struct place_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct place_case *c, place, a_device_goes_where_there_is_such_a_place)
{
	segment("5");
	port("a");
	port("b,segment=5");
	o.virtio_mmio = c->mmio;
	device((struct place){ .bus = *c->bus ? c->bus : NULL,
	                       .iommu = *c->iommu ? c->iommu : NULL,
	                       .segment = c->segment });
	if (*c->said)
		expect_refused(c->said);
	else
		expect_taken();
}

Test(place, a_device_is_behind_an_iommu_of_either_kind_wherever_it_is)
{
	segment("5");
	port("b,segment=5");
	cr_assert(zero(ptr, (void *)iommu_option_take(&o, text("v,type=virtio,segment=5"))));
	cr_assert(zero(ptr, (void *)iommu_option_take(&o, text("s,type=smmuv3"))));
	device((struct place){ .bus = "b", .iommu = "s" });
	device((struct place){ .segment = 5, .iommu = "s" });
	device((struct place){ .iommu = "v" });
	expect_taken();
}

Test(place, a_port_has_one_device)
{
	port("a");
	port("b");
	device((struct place){ .bus = "a" });
	device((struct place){ 0 });
	device((struct place){ .bus = "b" });
	expect_taken();
	device((struct place){ .bus = "a" });
	expect_refused("--disk d,bus=a: expected a root port with no other device, which "
	               "--disk d is");
}

Test(place, a_root_bus_has_32_devices_ports_among_them)
{
	char word[16];

	segment("1");
	for (int i = 0; i < 2; i++) {
		snprintf(word, sizeof(word), "p%d", i);
		port(word);
	}
	for (int i = 0; i < 30; i++)
		device((struct place){ 0 });
	device((struct place){ .bus = "p0" });
	device((struct place){ .segment = 1 });
	expect_taken();
	device((struct place){ 0 });
	expect_refused("--disk d: expected at most 32 devices and root ports on segment 0's root "
	               "bus");
	o.virtio_mmio = true;
	places[30].bus = NULL;
	place_release(&o, &places[31]);
	expect_taken();
}

Test(place, a_root_bus_has_32_ports)
{
	char word[16];

	for (int i = 0; i < 32; i++) {
		snprintf(word, sizeof(word), "p%d", i);
		port(word);
	}
	expect_taken();
	port("q");
	expect_refused("--root-port q: expected at most 32 devices and root ports on segment 0's "
	               "root bus");
}

Test(place, there_are_32_slots_over_mmio)
{
	o.virtio_mmio = true;
	for (int i = 0; i < PLATFORM_VIRTIO_MMIO; i++)
		device((struct place){ 0 });
	device((struct place){ .pci = true });
	expect_taken();
	device((struct place){ 0 });
	expect_refused(
		"--disk d: expected at most 32 devices over MMIO, or --virtio-transport pci");
	o.virtio_mmio = false;
	place_release(&o, &places[0]);
	place_release(&o, &places[1]);
	expect_taken();
}

Test(place, of_64_segments_each_has_4_buses)
{
	char word[32];

	for (int i = 1; i < PLATFORM_SEGMENTS; i++) {
		snprintf(word, sizeof(word), "%d", i);
		segment(word);
	}
	cr_assert(eq(u32, segment_buses(&o), 4));
	for (int i = 0; i < 3; i++) {
		snprintf(word, sizeof(word), "p%d,segment=63", i);
		port(word);
		snprintf(word, sizeof(word), "q%d,segment=9", i);
		port(word);
	}
	expect_taken();
	port("r,segment=63");
	expect_refused("--root-port r,segment=63: expected at most 3 root ports on each of 64 "
	               "segments");
}

Test(place, each_segments_root_bus_is_counted)
{
	segment("9");
	for (int i = 0; i < 32; i++)
		device((struct place){ 0 });
	for (int i = 0; i < 31; i++)
		device((struct place){ .segment = 9 });
	expect_taken();
	device((struct place){ .segment = 9 });
	expect_taken();
	o.claims[0].place = &places[63];
	expect_refused("--disk d: expected at most 32 devices and root ports on segment 9's root "
	               "bus");
}

Test(place, a_device_given_again_is_one_device_where_it_was_said_last)
{
	struct place *p = &places[0];
	char keys[][16] = { "bus=a", "segment=0", "bus=a" };

	port("a");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		cr_assert(zero(ptr, (void *)place_only(&o, "rng", "", keys[i], p)));
	cr_assert(eq(u32, o.nr_claims, 1));
	cr_assert(eq(str, (char *)p->bus, "a"));
	expect_taken();
	cr_assert(zero(ptr, (void *)place_only(&o, "rng", "", NULL, p)));
	cr_assert(zero(ptr, (void *)p->bus));
	p->bus = "b";
	cr_assert(zero(ptr, (void *)place_claim(&o, "rng", "again", p)));
	cr_assert(eq(u32, o.nr_claims, 1));
	expect_refused("--rng again,bus=b: expected the ID of a --root-port");
}

Test(place, a_device_that_is_not_to_be_leaves_its_place_to_others)
{
	port("a");
	device((struct place){ .bus = "a" });
	device((struct place){ .segment = 3 });
	device((struct place){ 0 });
	place_release(&o, &places[1]);
	place_release(&o, &places[0]);
	place_release(&o, &places[0]);
	cr_assert(eq(u32, o.nr_claims, 1));
	cr_assert(eq(ptr, (void *)o.claims[0].place, &places[2]));
	expect_taken();
}

Test(place, only_a_place_is_said_of_what_there_is_one_of)
{
	char keys[] = "serial=x";

	cr_assert(eq(str, (char *)place_only(&o, "rng", "", keys, &places[0]),
	             "a key out of bus=, iommu=, segment="));
	cr_assert(zero(u32, o.nr_claims));
}

Test(place, what_vhost_works_is_behind_no_iommu)
{
	struct place p = { 0 };

	cr_assert(zero(ptr, (void *)place_without_iommu(&p)));
	p.iommu = "none";
	cr_assert(zero(ptr, (void *)place_without_iommu(&p)));
	p.iommu = "smmu";
	cr_assert(eq(str, (char *)place_without_iommu(&p),
	             "iommu=none: a device that vhost works is behind no IOMMU"));
}

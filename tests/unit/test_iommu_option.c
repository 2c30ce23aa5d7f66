// SPDX-License-Identifier: GPL-2.0-only
/* --iommu: its keys, what is refused, and devices that say iommu=ID. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "machine/iommu.h"
#include "machine/place.h"
#include "tests/unit/said.h"

static struct options o;
static char texts[PLATFORM_IOMMUS + 8][200]; /* what options keep pointers into */
static unsigned int nr_texts;

static void make(void)
{
	listen_to(stderr);
	o.nr_segments = 1;
}

TestSuite(iommu_option, .init = make);

static const char *take(const char *words)
{
	return iommu_option_take(&o, strcpy(texts[nr_texts++], words));
}

static void expect_taken(const char *words)
{
	const char *expected = take(words);

	cr_assert(zero(ptr, (void *)expected), "%s: %s", words, expected);
}

Test(iommu_option, what_is_not_said_has_its_default)
{
	const struct iommu_option *i = &o.iommus[0];

	expect_taken("v,type=virtio");
	cr_assert(eq(u32, o.nr_iommus, 1));
	cr_assert(eq(str, (char *)i->id, "v"));
	cr_assert(not(i->has_transport));
	cr_assert(not(i->mmio));
	cr_assert(not(i->msi_translate));
	cr_assert(i->bypass);
	cr_assert(eq(u64, i->granule, 4096));
	cr_assert(zero(u64, i->input.first));
	cr_assert(eq(u64, i->input.last, ~0ULL));
	cr_assert(zero(u64, i->domains.first));
	cr_assert(eq(u64, i->domains.last, ~0u));
	cr_assert(zero(u32, i->nr_reserved));
	cr_assert(eq(u64, i->max_mappings, 1 << 20));
	cr_assert(zero(u64, i->place.segment));
}

Test(iommu_option, every_key_says_something)
{
	const struct iommu_option *i = &o.iommus[0];

	expect_taken("v,type=virtio,transport=mmio,msi=translate,bypass=off,granule=65536,"
	             "input=0x1000-0xffffffff,domains=1-31,reserved=0x0-0xfff:4096-8191,"
	             "mappings=7,segment=3");
	cr_assert(i->has_transport);
	cr_assert(i->mmio);
	cr_assert(i->msi_translate);
	cr_assert(not(i->bypass));
	cr_assert(eq(u64, i->granule, 65536));
	cr_assert(eq(u64, i->input.first, 0x1000));
	cr_assert(eq(u64, i->input.last, 0xffffffff));
	cr_assert(eq(u64, i->domains.first, 1));
	cr_assert(eq(u64, i->domains.last, 31));
	cr_assert(eq(u32, i->nr_reserved, 2));
	cr_assert(eq(u64, i->reserved[0].last, 0xfff));
	cr_assert(eq(u64, i->reserved[1].first, 4096));
	cr_assert(eq(u64, i->max_mappings, 7));
	cr_assert(eq(u64, i->place.segment, 3));
}

Test(iommu_option, experiments_are_named_one_by_one)
{
	const struct iommu_option *i = o.iommus;

	expect_taken("a,type=virtio");
	expect_taken("b,type=virtio,experimental=page-request");
	expect_taken("c,type=virtio,experimental=attach-table");
	expect_taken("d,type=virtio,experimental=attach-table:page-request");
	for (u32 n = 0; n < 4; n++) {
		cr_assert(eq(int, i[n].page_requests, n & 1));
		cr_assert(eq(int, i[n].attach_table, n >> 1));
	}
}

Test(iommu_option, the_words_that_say_the_default_are_taken_too)
{
	expect_taken("v,type=virtio,transport=pci,msi=bypass,bypass=on");
	cr_assert(o.iommus[0].has_transport);
	cr_assert(not(o.iommus[0].mmio));
	cr_assert(not(o.iommus[0].msi_translate));
	cr_assert(o.iommus[0].bypass);
}

struct word_case {
	char words[80], expected[140];
};

ParameterizedTestParameters(iommu_option, what_is_wrong_is_said)
{
	static const char reserved[] = "reserved=FIRST-LAST[:FIRST-LAST...], both included";
	static const char experiments[] =
		"experimental=page-request, attach-table or page-request:attach-table";
	static struct word_case cases[64];
	static const struct {
		const char *words, *expected;
	} all[] = {
		{ "", "ID,type=virtio|smmuv3[,KEY...]" },
		{ "v", "ID,type=virtio|smmuv3[,KEY...]" },
		{ ",type=virtio", "ID,type=virtio|smmuv3[,KEY...]" },
		{ "none,type=virtio", "an ID that no other IOMMU has, and neither none nor auto" },
		{ "auto,type=virtio", "an ID that no other IOMMU has, and neither none nor auto" },
		{ "v,msi=bypass", "type=virtio or type=smmuv3" },
		{ "v,type=", "type=virtio or type=smmuv3" },
		{ "v,type=smmuv2", "type=virtio or type=smmuv3" },
		{ "v,type=virtios", "type=virtio or type=smmuv3" },
		{ "v,mytype=virtio", "type=virtio or type=smmuv3" },
		{ "v,type=virtio,type=smmuv3", "type=virtio or type=smmuv3, not both" },
		{ "v,type=virtio,interrupts=msi", "interrupts= with type=smmuv3 only" },
		{ "v,idr0.s2p=0,type=virtio", "idr0.s2p= with type=smmuv3 only" },
		{ "v,type=virtio,transport=usb", "transport=pci or transport=mmio" },
		{ "v,type=virtio,msi=on", "msi=bypass or msi=translate" },
		{ "v,type=virtio,bypass=1", "bypass=on or bypass=off" },
		{ "v,type=virtio,granule=0", "granule=N, 1 to 65536" },
		{ "v,type=virtio,granule=131072", "granule=N, 1 to 65536" },
		{ "v,type=virtio,granule=3", "granule=N, a power of two" },
		{ "v,type=virtio,mappings=0", "mappings=N, 1 to 4294967296" },
		{ "v,type=virtio,segment=65536", "segment=N, 0 to 65535" },
		{ "v,type=virtio,input=5", "FIRST-LAST, both included" },
		{ "v,type=virtio,input=5-4", "FIRST-LAST, both included" },
		{ "v,type=virtio,input=5-", "FIRST-LAST, both included" },
		{ "v,type=virtio,input=-5", "FIRST-LAST, both included" },
		{ "v,type=virtio,input=1-2x", "FIRST-LAST, both included" },
		{ "v,type=virtio,input=0-0x10000000000000000", "FIRST-LAST, both included" },
		{ "v,type=virtio,domains=0-0x100000000", "FIRST-LAST, both included" },
		{ "v,type=virtio,reserved=1", reserved },
		{ "v,type=virtio,host-msi=1", "FIRST-LAST, both included" },
		{ "v,type=virtio,host-msi=0x100-0x1ff,reserved=0-0x100",
		  "reserved=0x0-0x100 beside host-msi=0x100-0x1ff" },
		{ "v,type=virtio,host-msi=0-0,reserved=0-0xfff",
		  "reserved=0x0-0xfff beside host-msi=0x0-0x0" },
		{ "v,type=virtio,msi=translate,host-msi=0x800-0x1fff,input=0x1000-0xffff",
		  "host-msi=0x800-0x1fff, where msi=translate maps, within input=0x1000-0xffff" },
		{ "v,type=virtio,msi=translate,host-msi=0x1000-0x10000,input=0x1000-0xffff",
		  "host-msi=0x1000-0x10000, where msi=translate maps, within input=0x1000-0xffff" },
		{ "v,type=virtio,input=0x1000-0x2fff,reserved=0-1:0x1000-0x2fff",
		  "reserved=0x1000-0x2fff to leave something of input=0x1000-0x2fff" },
		{ "v,type=virtio,granule=4096,bypass=on,granule=65536",
		  "granule=4096 or granule=65536, not both" },
		{ "v,type=virtio,reserved=1-2:", reserved },
		{ "v,type=virtio,reserved=1-2:2-3",
		  "reserved= ranges that do not overlap, as 0x1-0x2 and 0x2-0x3 do" },
		{ "v,type=virtio,reserved=0-9:4-5",
		  "reserved= ranges that do not overlap, as 0x0-0x9 and 0x4-0x5 do" },
		{ "v,type=virtio,experimental=table", experiments },
		{ "v,type=virtio,experimental=page-request:", experiments },
		{ "v,type=virtio,experimental=attach-table:attach-table", experiments },
		{ "v,type=virtio,experimental=page-request,experimental=attach-table",
		  "experimental=page-request or experimental=attach-table, not both" },
		{ "v,type=virtio,bus=a",
		  "a key out of type=, buses=, segment=, transport=, msi=, bypass=, granule=, input=, domains=, reserved=, host-msi=, experimental=, mappings=" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		strcpy(cases[i].words, all[i].words);
		strcpy(cases[i].expected, all[i].expected);
	}
	return cr_make_param_array(struct word_case, cases, ARRAY_SIZE(all));
}

ParameterizedTest(struct word_case *c, iommu_option, what_is_wrong_is_said)
{
	cr_assert(eq(str, (char *)take(c->words), c->expected), "%s", c->words);
	cr_assert(zero(u32, o.nr_iommus));
	cr_assert(zero(u32, o.nr_claims));
}

Test(iommu_option, what_is_reserved_may_be_beside_the_doorbell_and_on_it_where_that_is_translated)
{
	expect_taken("a,type=virtio,reserved=0-0x7ffffff:0x8001000-0x8ffffff");
	expect_taken("b,type=virtio,reserved=0x8000000-0x8000fff,msi=translate");
	cr_assert(iommus_check(&o));
	cr_assert(eq(str, said(stderr), ""));
}

Test(iommu_option, what_is_reserved_is_not_where_doorbells_are)
{
	static const char *const lines[] = {
		"nestor: --iommu a,reserved=0x8000000-0x8000fff: expected it beside "
		"0x8000000-0x8000fff, where doorbells are\n",
		"nestor: --iommu a,reserved=0x7000000-0xffffffff: expected it beside "
		"0x8000000-0x8000fff, where doorbells are\n",
	};
	static const char *const words[] = {
		"a,type=virtio,reserved=0x8000000-0x8000fff",
		"a,type=virtio,reserved=0-1:0x7000000-0xffffffff",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		expect_taken(words[i]);
		cr_assert(not(iommus_check(&o)));
		cr_assert(eq(str, said(stderr), (char *)lines[i]));
		o.nr_iommus = o.nr_claims = 0;
	}
}

Test(iommu_option,
     a_host_window_may_fill_what_is_mapped_and_be_beyond_it_where_that_is_only_reserved)
{
	expect_taken("a,type=virtio,msi=translate,host-msi=0x1000-0xffff,input=0x1000-0xffff");
	expect_taken("b,type=virtio,host-msi=0x8000000-0x80fffff,input=0x40000000-0xffffffff");
	expect_taken("c,type=virtio,input=0x1000-0x2fff,reserved=0x1000-0x2ffe");
}

Test(iommu_option, there_are_at_most_8_reserved_ranges)
{
	expect_taken("v,type=virtio,reserved=0-1:2-3:4-5:6-7:8-9:10-11:12-13:14-15");
	cr_assert(eq(str,
	             (char *)take("w,type=virtio,reserved=0-1:2-3:4-5:6-7:8-9:10-11:12-13:"
	                          "14-15:16-17"),
	             "reserved=, at most 8 ranges"));
}

Test(iommu_option, each_has_an_id_of_its_own)
{
	expect_taken("a,type=virtio");
	expect_taken("b,type=virtio");
	cr_assert(eq(str, (char *)take("a,type=virtio"),
	             "an ID that no other IOMMU has, and neither none nor auto"));
	cr_assert(zero(int, iommu_index(&o, "a")));
	cr_assert(eq(int, iommu_index(&o, "b"), 1));
	cr_assert(eq(int, iommu_index(&o, "c"), -1));
}

Test(iommu_option, there_are_at_most_16)
{
	char word[32];

	for (int i = 0; i < PLATFORM_IOMMUS; i++) {
		snprintf(word, sizeof(word), "i%d,type=virtio", i);
		expect_taken(word);
	}
	cr_assert(eq(str, (char *)take("one,type=virtio"), "at most 16 IOMMUs"));
	cr_assert(places_check(&o), "%s", said(stderr));
}

Test(iommu_option, a_device_is_behind_one_that_there_is)
{
	static struct place known = { .iommu = "v" }, none = { .iommu = "none" };

	place_claim(&o, "disk", "d", &known);
	place_claim(&o, "disk", "e", &none);
	cr_assert(not(places_check(&o)));
	cr_assert(eq(str, said(stderr),
	             "nestor: --disk d,iommu=v: expected none, or the ID of an --iommu\n"));
	expect_taken("v,type=virtio");
	cr_assert(places_check(&o), "wherever it is said");
}

Test(iommu_option, one_goes_to_a_segment_that_there_is)
{
	expect_taken("v,type=virtio,segment=4");
	cr_assert(not(places_check(&o)));
	cr_assert(eq(str, said(stderr),
	             "nestor: --iommu v,segment=4: expected 0 or the number of a --segment\n"));
	o.segments[o.nr_segments++] = 4;
	cr_assert(places_check(&o));
}

Test(iommu_option, one_takes_a_place_on_its_segments_root_bus)
{
	static struct place places[32];

	expect_taken("v,type=virtio");
	for (int i = 0; i < 31; i++)
		place_claim(&o, "disk", "d", &places[i]);
	cr_assert(places_check(&o), "%s", said(stderr));
	place_claim(&o, "disk", "d", &places[31]);
	cr_assert(not(places_check(&o)));
}

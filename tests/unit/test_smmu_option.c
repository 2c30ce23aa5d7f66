// SPDX-License-Identifier: GPL-2.0-only
/* --iommu ID,type=smmuv3: its keys, what does not go together, and what the board says. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "machine/iommu.h"
#include "machine/machine.h"
#include "machine/place.h"
#include "machine/status.h"
#include "tests/unit/said.h"
#include "vmm/arm64/gic.h"

static struct options o;
static char texts[PLATFORM_IOMMUS + 8][200]; /* what options keep pointers into */
static unsigned int nr_texts;

static void make(void)
{
	listen_to(stderr);
	o.nr_segments = 1;
	o.mem = 256 << 20;
	o.irqchip = irqchip_find("gicv3-its");
}

TestSuite(smmu_option, .init = make);

static const char *take(const char *words)
{
	return iommu_option_take(&o, strcpy(texts[nr_texts++], words));
}

static void expect_taken(const char *words)
{
	const char *expected = take(words);

	cr_assert(zero(ptr, (void *)expected), "%s: %s", words, expected);
}

static void expect_good(void)
{
	cr_assert(iommus_check(&o), "%s", said(stderr));
	cr_assert(places_check(&o), "%s", said(stderr));
	cr_assert(eq(str, said(stderr), ""));
}

static void expect_refused(const char *line)
{
	char want[200];

	snprintf(want, sizeof(want), "nestor: %s\n", line);
	cr_assert(not(iommus_check(&o)));
	cr_assert(eq(str, said(stderr), want));
}

static u64 field(unsigned int i, const char *name)
{
	return smmu_id_get(&o.iommus[i].registers, name);
}

Test(smmu_option, what_is_not_said_has_its_default)
{
	struct smmu_id id;

	expect_taken("s,type=smmuv3");
	expect_good();
	smmu_id_default(&id, 48);
	cr_assert(zero(int, memcmp(&o.iommus[0].registers, &id, sizeof(id))));
	cr_assert(not(o.iommus[0].sends_msis));
	cr_assert(zero(u32, o.nr_claims), "it is on no bus");
}

Test(smmu_option, every_key_says_something)
{
	expect_taken("s,idr0.s2p=0,interrupts=msi,type=smmuv3,IDR1.SIDSIZE=0x13,iidr.variant=2");
	expect_good();
	cr_assert(zero(u64, field(0, "idr0.s2p")));
	cr_assert(zero(u64, field(0, "idr0.hyp")));
	cr_assert(eq(u64, field(0, "idr1.sidsize"), 19));
	cr_assert(eq(u64, field(0, "iidr.variant"), 2));
	cr_assert(o.iommus[0].sends_msis);
}

Test(smmu_option, the_word_that_says_the_default_is_taken_too)
{
	expect_taken("s,type=smmuv3,interrupts=wired");
	cr_assert(not(o.iommus[0].sends_msis));
}

struct word_case {
	char words[80], expected[100];
};

ParameterizedTestParameters(smmu_option, what_is_wrong_is_said)
{
	static struct word_case cases[] = {
		{ "s,type=smmuv3,segment=1", "segment= with type=virtio only" },
		{ "s,type=smmuv3,transport=pci", "transport= with type=virtio only" },
		{ "s,type=smmuv3,granule=4096", "granule= with type=virtio only" },
		{ "s,msi=bypass,type=smmuv3", "msi= with type=virtio only" },
		{ "s,type=smmuv3,bypass=on", "bypass= with type=virtio only" },
		{ "s,type=smmuv3,input=0-1", "input= with type=virtio only" },
		{ "s,type=smmuv3,domains", "domains= with type=virtio only" },
		{ "s,type=smmuv3,reserved=0-1", "reserved= with type=virtio only" },
		{ "s,type=smmuv3,mappings=1", "mappings= with type=virtio only" },
		{ "s,type=smmuv3,experimental=page-request",
		  "experimental= with type=virtio only" },
		{ "s,type=smmuv3,type=virtio", "type=smmuv3 or type=virtio, not both" },
		{ "s,type=smmuv3,vcmdq1=on",
		  "a key out of type=, buses=, interrupts=, accel=, host=, idrN.FIELD=" },
		{ "s,type=smmuv3,vcmdq=on",
		  "no vCMDQ, which is left out: no guest has a command queue of the host's" },
		{ "s,cmdqv,type=smmuv3",
		  "no vCMDQ, which is left out: no guest has a command queue of the host's" },
		{ "s,type=smmuv3,",
		  "a key out of type=, buses=, interrupts=, accel=, host=, idrN.FIELD=" },
		{ "s,type=smmuv3,accel=yes", "accel=auto, accel=on or accel=off" },
		{ "s,type=smmuv3,accel=off,host=smmu3.1", "host=NAME without accel=off" },
		{ "v,type=virtio,accel=on", "accel= with type=smmuv3 only" },
		{ "s,type=smmuv3,interrupts", "interrupts=TEXT" },
		{ "s,type=smmuv3,interrupts=spi", "interrupts=wired or interrupts=msi" },
		{ "s,type=smmuv3,idr0.btm=1", "idr0.btm=0" },
		{ "s,type=smmuv3,idr0.s1p", "idr0.s1p=0 or idr0.s1p=1" },
		{ "s,type=smmuv3,idr0.s1p=", "idr0.s1p=0 or idr0.s1p=1" },
		{ "s,type=smmuv3,idr0.s1p=x", "idr0.s1p=0 or idr0.s1p=1" },
		{ "s,type=smmuv3,idr0.s1p=1x", "idr0.s1p=0 or idr0.s1p=1" },
		{ "s,type=smmuv3,idr0.s1p=-1", "idr0.s1p=0 or idr0.s1p=1" },
		{ "s,type=smmuv3,iidr.variant=0x10000000000000000", "iidr.variant=N, 0 to 15" },
		{ "s,type=smmuv3,idrN.FIELD=1", "a field of an ID register, such as idr0.s2p=0" },
		{ "s,type=smmuv3,idr0.=1", "a field of an ID register, such as idr0.s2p=0" },
		{ "s,type=smmuv3,.=1", "a field of an ID register, such as idr0.s2p=0" },
	};

	return cr_make_param_array(struct word_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct word_case *c, smmu_option, what_is_wrong_is_said)
{
	cr_assert(eq(str, (char *)take(c->words), c->expected), "%s", c->words);
	cr_assert(zero(u32, o.nr_iommus));
}

Test(smmu_option, there_are_at_most_16_of_both_kinds_together)
{
	char word[32];

	for (int i = 0; i < PLATFORM_IOMMUS; i++) {
		snprintf(word, sizeof(word), "i%d,type=%s", i, i % 2 ? "virtio" : "smmuv3");
		expect_taken(word);
	}
	cr_assert(eq(str, (char *)take("one,type=smmuv3"), "at most 16 IOMMUs"));
	cr_assert(eq(u32, o.nr_claims, 8), "those over PCI");
	expect_good();
}

Test(smmu_option, none_takes_a_place_on_a_root_bus)
{
	static struct place places[32];

	for (int i = 0; i < 32; i++)
		place_claim(&o, "disk", "d", &places[i]);
	places[31].iommu = "s";
	expect_taken("s,type=smmuv3");
	expect_good();
}

Test(smmu_option, each_has_an_id_of_its_own_whatever_its_kind)
{
	expect_taken("a,type=virtio");
	cr_assert(eq(str, (char *)take("a,type=smmuv3"),
	             "an ID that no other IOMMU has, and neither none nor auto"));
}

struct oas_case {
	u64 mem;
	unsigned int nr_segments;
	u32 oas;
};

ParameterizedTestParameters(smmu_option, its_addresses_are_as_wide_as_a_cpus)
{
	static struct oas_case cases[] = { { 16ULL << 20, 1, 5 },
		                           { 256ULL << 20, 2, 5 },
		                           { 64ULL << 40, 8, 5 } };

	return cr_make_param_array(struct oas_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct oas_case *c, smmu_option, its_addresses_are_as_wide_as_a_cpus)
{
	expect_taken("s,type=smmuv3");
	o.mem = c->mem;
	o.nr_segments = c->nr_segments;
	cr_assert(iommus_check(&o));
	cr_assert(eq(u64, field(0, "idr5.oas"), c->oas));
}

Test(smmu_option, wider_addresses_may_be_asked_for_and_narrower_ones_not)
{
	expect_taken("s,type=smmuv3,idr5.oas=6");
	expect_good();
	cr_assert(eq(u64, field(0, "idr5.oas"), 6));
	expect_taken("t,type=smmuv3,IDR5.OAS=0");
	expect_refused("--iommu t,idr5.oas=0: expected at least 1: the board ends at 0x1000000000");
}

struct line_case {
	char words[80], irqchip[16], line[120];
};

ParameterizedTestParameters(smmu_option, what_does_not_go_together_is_said)
{
	static struct line_case cases[] = {
		{ "s,type=smmuv3,idr0.s1p=0,idr0.s2p=0", "gicv3-its",
		  "--iommu s: expected idr0.s1p=1 or idr0.s2p=1" },
		{ "s,type=smmuv3,idr0.st_level=0", "gicv3-its",
		  "--iommu s: expected idr0.st_level=1 with idr1.sidsize=7 or more" },
		{ "s,type=smmuv3,idr3.pps=1", "gicv3-its",
		  "--iommu s: expected idr3.pps=0 without idr0.pri=1 and SubstreamIDs "
		  "(idr1.ssidsize)" },
		{ "s,type=smmuv3,idr0.ats=0,idr0.pri=1", "gicv3-its",
		  "--iommu s: expected idr0.pri=0 without idr0.ats=1" },
		{ "s,type=smmuv3,idr0.pri=1,idr0.ats=0", "gicv3-its",
		  "--iommu s: expected idr0.pri=0 without idr0.ats=1" },
		{ "s,type=smmuv3,interrupts=msi,idr0.msi=0", "gicv3-its",
		  "--iommu s: expected idr0.msi=1 with interrupts=msi" },
		{ "s,type=smmuv3,interrupts=msi", "gicv3",
		  "--iommu s,interrupts=msi: expected --irqchip gicv3-its, not gicv3" },
		{ "s,type=smmuv3,interrupts=msi", "gicv2m",
		  "--iommu s,interrupts=msi: expected --irqchip gicv3-its, not gicv2m" },
	};

	return cr_make_param_array(struct line_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct line_case *c, smmu_option, what_does_not_go_together_is_said)
{
	expect_taken(c->words);
	o.irqchip = irqchip_find(c->irqchip);
	expect_refused(c->line);
}

Test(smmu_option, wired_interrupts_need_no_its)
{
	expect_taken("s,type=smmuv3");
	o.irqchip = irqchip_find("gicv2");
	expect_good();
}

/* Slot 5 of virtio_mmio is the StreamID 0x80005, of 20 bits; there is no need of a device. */
static int describe(struct place *place)
{
	static struct machine m;

	m.options = &o;
	memcpy(m.iommu_options, o.iommus, sizeof(m.iommu_options));
	m.nr_endpoints = 1;
	m.endpoints[0] =
		(struct endpoint){ .place = place, .iommu = 0, .slot = 5, .mmio_id = 0x80005 };
	m.platform.nr_endpoints = 0;
	return iommus_describe(&m);
}

Test(smmu_option, a_stream_id_that_has_too_many_bits_is_refused)
{
	static struct place first, place = { .iommu = "s" };

	expect_taken("s,type=smmuv3,idr1.sidsize=19");
	place_claim(&o, "disk", "other", &first);
	place_claim(&o, "disk", "d.img", &place);
	cr_assert(eq(int, describe(&place), STATUS_USAGE));
	cr_assert(eq(str, said(stderr),
	             "nestor: --iommu s,idr1.sidsize=19: expected at least 20, for the StreamID "
	             "0x80005 of --disk d.img\n"));
	smmu_id_set(&o.iommus[0].registers, "idr1.sidsize", 20);
	cr_assert(zero(int, describe(&place)));
	cr_assert(eq(str, said(stderr), ""));
}

Test(smmu_option, a_device_without_a_value_is_named_without_one)
{
	static struct place place = { .iommu = "s" };

	expect_taken("s,type=smmuv3,idr1.sidsize=0");
	place_claim(&o, "rng", "", &place);
	cr_assert(eq(int, describe(&place), STATUS_USAGE));
	cr_assert(eq(str, said(stderr),
	             "nestor: --iommu s,idr1.sidsize=0: expected at least 20, for the StreamID "
	             "0x80005 of --rng\n"));
}

Test(smmu_option, a_virtio_iommu_knows_ids_of_any_width)
{
	static struct place place = { .iommu = "v" };

	expect_taken("v,type=virtio");
	place_claim(&o, "rng", "", &place);
	cr_assert(zero(int, describe(&place)));
}

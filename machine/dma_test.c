// SPDX-License-Identifier: GPL-2.0-only
/* --dma-test: DMA endpoints. */
#include "machine/dma_test.h"

#include "devices/dma_test.h"
#include "machine/machine.h"
#include "machine/place.h"

const char *dma_test_option_take(struct options *o, char *val)
{
	static const struct key keys[] = {
		PLACE_KEYS(struct dma_test_option),
		{ "ats", KEY_FLAG, offsetof(struct dma_test_option, ats), 0, 0 },
		{ "pri", KEY_FLAG, offsetof(struct dma_test_option, pri), 0, 0 },
		{ "stall", KEY_FLAG, offsetof(struct dma_test_option, place.stalls), 0, 0 },
		{ "pasid", KEY_NUMBER, offsetof(struct dma_test_option, place.pasid), 1, 20 },
	};
	struct dma_test_option *d = &o->dma_tests[o->nr_dma_tests];
	const char *expected = NULL;

	if (o->nr_dma_tests == MAX_DMA_TESTS)
		return "at most 256 DMA endpoints";
	*d = (struct dma_test_option){ .place.pci = true };
	if (val)
		expected = keys_parse(val, keys, ARRAY_SIZE(keys), d, o->why, sizeof(o->why));
	if (!expected && d->pri && !d->ats)
		expected = "ats beside pri";
	if (expected)
		return expected;
	o->nr_dma_tests++;
	return place_claim(o, "dma-test", "", &d->place);
}

static void destroy(void *d)
{
	dma_test_destroy(d);
}

static int create(struct machine *m, const struct dma_test_option *o)
{
	struct dma_test_config c = { .ats = o->ats, .pri = o->pri, .pasid_bits = o->place.pasid };
	struct dma_test *d;
	int err = machine_dma(m, &o->place, &c.dma);

	if (!err)
		err = dma_test_create(&d, machine_bus(m, &o->place), &c);
	if (err)
		return err;
	machine_is_pci(m, &o->place, dma_test_func(d), false);
	return machine_own(m, destroy, d);
}

int dma_tests_create(struct machine *m)
{
	int err = 0;

	for (unsigned int i = 0; i < m->options->nr_dma_tests && !err; i++)
		err = create(m, &m->options->dma_tests[i]);
	return err;
}

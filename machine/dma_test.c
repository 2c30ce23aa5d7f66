// SPDX-License-Identifier: GPL-2.0-only
/* --dma-test: DMA endpoints. */
#include "machine/dma_test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "devices/dma_test.h"
#include "machine/iommu.h"
#include "machine/iommu_kind.h"
#include "machine/machine.h"
#include "machine/place.h"
#include "machine/status.h"
#include "vfio/mock.h"

#define MAX_TIMEOUT 3600000 /* ms */

static bool has_priq(const struct iommu_option *o)
{
	return o->kind->takes_pages && o->kind->takes_pages(o);
}

static bool has_page_requests(const struct iommu_option *o)
{
	return o->page_requests;
}

/* fault=: who takes page requests; its IOMMU, which has to be one that does. NULL: any, or none. */
static const struct fault_word {
	const char *word;
	enum dma_test_route route;
	bool (*can)(const struct iommu_option *o);
	const char *expected;
} fault_words[] = {
	{ "auto", DMA_TEST_IOMMU, NULL, NULL },
	{ "mailbox", DMA_TEST_MAILBOX, NULL, NULL },
	{ "off", DMA_TEST_NOBODY, NULL, NULL },
	{ "priq", DMA_TEST_IOMMU, has_priq, "type=smmuv3 with idr0.pri=1" },
	{ "virtio", DMA_TEST_IOMMU, has_page_requests,
	  "type=virtio with experimental=page-request" },
};

/* The first is what is not said. */
static const struct fault_word *find_word(const char *word)
{
	for (size_t i = 0; word && i < ARRAY_SIZE(fault_words); i++)
		if (!strcmp(word, fault_words[i].word))
			return &fault_words[i];
	return word ? NULL : &fault_words[0];
}

static const char *expect_fault(const struct dma_test_option *d)
{
	const struct fault_word *f = find_word(d->fault);

	if (!f)
		return "fault=auto|mailbox|priq|virtio|off";
	if (d->fault && !d->pri)
		return "pri beside fault=";
	if (d->backend && strcmp(d->backend, "mock"))
		return "backend=mock";
	return NULL;
}

/* Whether there is anybody whom a guest could leave without an answer. */
static bool waits(const struct dma_test_option *d, const struct iommu_option *o)
{
	if (d->backend || find_word(d->fault)->route == DMA_TEST_MAILBOX)
		return true;
	return o &&
	       (has_page_requests(o) || has_priq(o) || (o->kind->stalls && o->kind->stalls(o)));
}

bool dma_tests_check(const struct options *o)
{
	for (unsigned int i = 0; i < o->nr_dma_tests; i++) {
		const struct dma_test_option *d = &o->dma_tests[i];
		const struct fault_word *f = find_word(d->fault);
		const int n = iommu_of(o, &d->place);
		const struct iommu_option *iommu = n < 0 ? NULL : &o->iommus[n];

		if (d->backend && !iommu) {
			log_error("--dma-test backend=mock: expected iommu=ID beside it");
			return false;
		}
		if (d->fault_timeout && !waits(d, iommu)) {
			log_error(
				"--dma-test fault-timeout=: expected fault=mailbox, backend=mock, or "
				"an --iommu that stalls or takes page requests");
			return false;
		}
		if (!f->can || (iommu && f->can(iommu)))
			continue;
		log_error("--dma-test fault=%s,iommu=%s: expected an --iommu of %s", d->fault,
		          iommu ? iommu->id : "none", f->expected);
		return false;
	}
	return true;
}

const char *dma_test_option_take(struct options *o, char *val)
{
	static const struct key keys[] = {
		PLACE_KEYS(struct dma_test_option),
		{ "ats", KEY_FLAG, offsetof(struct dma_test_option, ats), 0, 0 },
		{ "pri", KEY_FLAG, offsetof(struct dma_test_option, pri), 0, 0 },
		{ "stall", KEY_FLAG, offsetof(struct dma_test_option, place.stalls), 0, 0 },
		{ "pasid", KEY_NUMBER, offsetof(struct dma_test_option, place.pasid), 1, 20 },
		{ "fault", KEY_TEXT, offsetof(struct dma_test_option, fault), 0, 0 },
		{ "backend", KEY_TEXT, offsetof(struct dma_test_option, backend), 0, 0 },
		{ "fault-timeout", KEY_NUMBER, offsetof(struct dma_test_option, fault_timeout), 1,
		  MAX_TIMEOUT },
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
	if (!expected)
		expected = expect_fault(d);
	if (expected)
		return expected;
	o->nr_dma_tests++;
	return place_claim(o, "dma-test", "", &d->place);
}

static void destroy(void *d)
{
	dma_test_destroy(d);
}

static void destroy_mock(void *mock)
{
	mock_destroy(mock);
}

/* Between the function and @c->dma, which is its IOMMU's, from now on. */
static int put_mock_between(struct machine *m, const struct dma_test_option *o,
                            struct dma_test_config *c, struct mock **mock)
{
	const struct mock_config config = {
		.vm = &m->vm,
		.wire = mock_wire,
		.ops = &uapi_host,
		.name = "dma-test",
		.under = c->dma,
		.hub = &m->faults,
		.stalls = o->place.stalls,
		.timeout = o->fault_timeout,
	};
	int err;

	if (!mock_wire) {
		log_error("--dma-test backend=mock: this nestor was built without (make "
		          "build/nestor-mock)");
		return STATUS_HOST_LACKS;
	}
	err = mock_create(mock, &config);
	if (err) {
		log_error("--dma-test backend=mock: /dev/iommu: %s%s", strerror(-err),
		          err == -ENOTTY ? ": expected a host kernel with CONFIG_IOMMUFD_TEST"
		                         : "");
		return STATUS_HOST_LACKS;
	}
	c->dma = mock_space(*mock);
	c->relay = mock_relay(*mock);
	return machine_own(m, destroy_mock, *mock);
}

/* @runs: else the machine is described, and needs nothing of the host's. */
static int create(struct machine *m, const struct dma_test_option *o, bool runs)
{
	struct dma_test_config c = {
		.ats = o->ats,
		.pri = o->pri,
		.pasid_bits = o->place.pasid,
		.route = find_word(o->fault)->route,
		.page_timeout = o->fault_timeout,
	};
	struct dma_test *d;
	struct mock *mock = NULL;
	int err = machine_dma(m, &o->place, &c.dma);

	if (!err && o->fault_timeout)
		machine_set_patience(m, &o->place, o->fault_timeout);
	if (!err && o->backend && runs)
		err = put_mock_between(m, o, &c, &mock);
	if (!err)
		err = dma_test_create(&d, machine_bus(m, &o->place), &c);
	if (err)
		return err;
	if (mock)
		mock_settle(mock);
	m->dma_tests[o - m->options->dma_tests] = d;
	machine_is_pci(m, &o->place, dma_test_func(d), false);
	return machine_own(m, destroy, d);
}

static int create_all(struct machine *m, bool runs)
{
	int err = 0;

	for (unsigned int i = 0; i < m->options->nr_dma_tests && !err; i++)
		err = create(m, &m->options->dma_tests[i], runs);
	return err;
}

int dma_tests_create(struct machine *m)
{
	return create_all(m, true);
}

int dma_tests_describe(struct machine *m)
{
	return create_all(m, false);
}

// SPDX-License-Identifier: GPL-2.0-only
/* --iommu buses=: which buses' devices are behind an IOMMU without saying so themselves. */
#include <stdio.h>
#include <string.h>

#include "machine/iommu.h"
#include "machine/iommu_kind.h"
#include "machine/place.h"
#include "vmm/log.h"

#define LAST_BUS 255

/* SEGMENT[/FIRST[-LAST]] */
static bool parse(const char *text, struct iommu_buses *b)
{
	const char *rest;

	*b = (struct iommu_buses){ .text = text, .last = LAST_BUS };
	if (!parse_number(text, &b->segment, &rest) || b->segment > 0xffff)
		return false;
	if (!*rest)
		return b->all = true;
	if (*rest != '/' || !parse_number(rest + 1, &b->first, &rest))
		return false;
	b->last = b->first;
	if (*rest == '-' && !parse_number(rest + 1, &b->last, &rest))
		return false;
	return !*rest && b->first <= b->last && b->last <= LAST_BUS;
}

const char *iommu_buses_take(struct iommu_parsed *p)
{
	char *text = (char *)p->words.buses, *word;
	struct iommu_option *o = &p->option;

	while ((word = strsep(&text, ":"))) {
		if (o->nr_buses == MAX_BUSES)
			return "buses=, at most 16 ranges";
		if (!parse(word, &o->buses[o->nr_buses++]))
			return "buses=SEGMENT[/FIRST[-LAST]][:...], buses from 0 to 255";
	}
	return NULL;
}

static bool overlap(const struct iommu_buses *a, const struct iommu_buses *b)
{
	return a->segment == b->segment && a->first <= b->last && b->first <= a->last;
}

/* What comes before it on the command line, and has one of its buses; NULL: nothing. */
static const struct iommu_buses *taker(const struct options *o, unsigned int i, unsigned int n,
                                       unsigned int *who)
{
	for (*who = 0; *who <= i; ++*who) {
		const struct iommu_option *other = &o->iommus[*who];

		for (unsigned int k = 0; k < (*who == i ? n : other->nr_buses); k++)
			if (overlap(&other->buses[k], &o->iommus[i].buses[n]))
				return &other->buses[k];
	}
	return NULL;
}

static bool check_range(const struct options *o, unsigned int i, unsigned int n)
{
	const struct iommu_buses *b = &o->iommus[i].buses[n], *other;
	unsigned int who;

	if (segment_index(o, b->segment) == o->nr_segments) {
		log_error("--iommu %s,buses=%s: expected segment 0 or the number of a --segment",
		          o->iommus[i].id, b->text);
		return false;
	}
	if (!b->all && b->last >= segment_buses(o)) {
		log_error("--iommu %s,buses=%s: expected buses below %u, which each of %u segments "
		          "has",
		          o->iommus[i].id, b->text, segment_buses(o), o->nr_segments);
		return false;
	}
	other = taker(o, i, n, &who);
	if (!other)
		return true;
	log_error("--iommu %s,buses=%s: expected buses that are not behind --iommu %s,buses=%s "
	          "too",
	          o->iommus[i].id, b->text, o->iommus[who].id, other->text);
	return false;
}

/* Ports come first on a root bus, and their buses after it. */
static unsigned int bus_of(const struct options *o, const struct place *p)
{
	const int port = p->bus ? port_index(o, p->bus) : -1;
	unsigned int bus = 0;

	for (int i = 0; i <= port; i++)
		bus += o->ports[i].segment == o->ports[port].segment;
	return bus;
}

static const struct iommu_buses *owner(const struct options *o, const struct place *p,
                                       unsigned int *who)
{
	const struct iommu_buses at = {
		.segment = p->bus ? o->ports[port_index(o, p->bus)].segment : p->segment,
		.first = bus_of(o, p),
		.last = bus_of(o, p),
	};

	for (*who = 0; *who < o->nr_iommus; ++*who)
		for (unsigned int n = 0; n < o->iommus[*who].nr_buses; n++)
			if (overlap(&o->iommus[*who].buses[n], &at))
				return &o->iommus[*who].buses[n];
	return NULL;
}

/* An IOMMU on a bus is behind none: what it reads is its driver's queues. */
static bool is_iommu(const struct options *o, const struct place *p)
{
	for (unsigned int i = 0; i < o->nr_iommus; i++)
		if (p == &o->iommus[i].place)
			return true;
	return false;
}

int iommu_of(const struct options *o, const struct place *p)
{
	unsigned int who;

	if (p->iommu)
		return iommu_index(o, p->iommu);
	return place_is_pci(o, p) && !is_iommu(o, p) && owner(o, p, &who) ? (int)who : -1;
}

/* A device says the same as its bus, or nothing. */
static bool check_claim(const struct options *o, const struct claim *c)
{
	const struct place *p = c->place;
	const struct iommu_buses *b;
	unsigned int who;

	if (!place_is_pci(o, p) || is_iommu(o, p))
		return true;
	b = owner(o, p, &who);
	if (!b || (p->iommu ? iommu_index(o, p->iommu) == (int)who : !p->external))
		return true;
	log_error("--%s %s%s%s: expected %s, as its bus is behind --iommu %s,buses=%s", c->option,
	          c->value, p->iommu ? ",iommu=" : "", p->iommu ? p->iommu : "",
	          p->external ? "another bus for a device that vhost works" : "no other iommu=",
	          o->iommus[who].id, b->text);
	return false;
}

bool iommus_check_buses(const struct options *o)
{
	for (unsigned int i = 0; i < o->nr_iommus; i++)
		for (unsigned int n = 0; n < o->iommus[i].nr_buses; n++)
			if (!check_range(o, i, n))
				return false;
	for (unsigned int i = 0; i < o->nr_claims; i++)
		if (!check_claim(o, &o->claims[i]))
			return false;
	return true;
}

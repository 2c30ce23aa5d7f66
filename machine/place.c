// SPDX-License-Identifier: GPL-2.0-only
/* --segment, --root-port, and where devices go: keys that every device option takes. */
#include "machine/place.h"

#include <stdio.h>
#include <string.h>

#include "machine/iommu.h"
#include "machine/layout.h"
#include "vmm/log.h"

#define MAX_ROOT_BUS 32

const char *segment_option_take(struct options *o, char *val)
{
	const char *rest;
	u64 n;

	if (!parse_number(val, &n, &rest) || *rest || n < 1 || n > 0xffff)
		return "a segment number, 1 to 65535 (0 is always there)";
	if (o->nr_segments == PLATFORM_SEGMENTS)
		return "at most 64 segments, 0 included";
	for (unsigned int i = 0; i < o->nr_segments; i++)
		if (o->segments[i] == n)
			return "a segment that is not there yet";
	o->segments[o->nr_segments++] = n;
	return NULL;
}

const char *port_option_take(struct options *o, char *val)
{
	static const struct key keys[] = {
		{ "segment", KEY_NUMBER, offsetof(struct port_option, segment), 0, 0xffff },
	};
	struct port_option *port = &o->ports[o->nr_ports];
	char *rest;

	if (o->nr_ports == MAX_PORTS)
		return "at most 256 root ports";
	if (!*val || *val == ',')
		return "ID[,segment=N]";
	rest = keys_rest(val);
	if (port_index(o, val) >= 0)
		return "an ID that no other root port has";
	*port = (struct port_option){ .id = val };
	o->nr_ports++;
	return rest ? keys_parse(rest, keys, ARRAY_SIZE(keys), port, o->why, sizeof(o->why)) : NULL;
}

const char *place_claim(struct options *o, const char *option, const char *value,
                        const struct place *place)
{
	unsigned int i = 0;

	while (i < o->nr_claims && o->claims[i].place != place)
		i++;
	if (i == MAX_CLAIMS)
		return "at most 512 devices";
	o->claims[i] = (struct claim){ option, value, place };
	o->nr_claims += i == o->nr_claims;
	return NULL;
}

void place_release(struct options *o, const struct place *place)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < o->nr_claims; i++)
		if (o->claims[i].place != place)
			o->claims[nr++] = o->claims[i];
	o->nr_claims = nr;
}

const char *place_only(struct options *o, const char *option, const char *value, char *keys,
                       struct place *place)
{
	struct only {
		struct place place;
	} only = { 0 };
	static const struct key known[] = { PLACE_KEYS(struct only) };
	const char *expected = NULL;

	if (keys)
		expected =
			keys_parse(keys, known, ARRAY_SIZE(known), &only, o->why, sizeof(o->why));
	*place = only.place;
	return expected ? expected : place_claim(o, option, value, place);
}

/* It reaches guest memory past any IOMMU of the guest's. */
const char *place_without_iommu(struct place *p)
{
	bool none = !p->iommu || !strcmp(p->iommu, "none");

	p->external = true;
	return none ? NULL : "iommu=none: a device that vhost works is behind no IOMMU";
}

unsigned int segment_index(const struct options *o, u64 segment)
{
	unsigned int i = 0;

	while (i < o->nr_segments && o->segments[i] != segment)
		i++;
	return i;
}

int port_index(const struct options *o, const char *id)
{
	for (unsigned int i = 0; i < o->nr_ports; i++)
		if (!strcmp(o->ports[i].id, id))
			return i;
	return -1;
}

static bool refuse(const struct claim *c, const char *key, const char *val, const char *expected)
{
	log_error("--%s %s,%s=%s: expected %s", c->option, c->value, key, val, expected);
	return false;
}

/* One device is at the other end of a link; NULL: it is this one. */
static const struct claim *port_taker(const struct options *o, const struct claim *c)
{
	for (const struct claim *other = o->claims; other < c; other++)
		if (other->place->bus && !strcmp(other->place->bus, c->place->bus))
			return other;
	return NULL;
}

static bool check_port(const struct options *o, const struct claim *c)
{
	const struct place *p = c->place;
	const struct claim *taker = port_taker(o, c);
	const u64 segment = o->ports[port_index(o, p->bus)].segment;
	char expected[300];

	if (taker)
		snprintf(expected, sizeof(expected),
		         "a root port with no other device, which --%s%s%s is", taker->option,
		         *taker->value ? " " : "", taker->value);
	else if (p->segment && p->segment != segment)
		snprintf(expected, sizeof(expected),
		         "a root port of segment %llu, which is given too, not of %llu",
		         (unsigned long long)p->segment, (unsigned long long)segment);
	else
		return true;
	return refuse(c, "bus", p->bus, expected);
}

static bool check_claim(const struct options *o, const struct claim *c)
{
	const struct place *p = c->place;

	if (p->iommu && strcmp(p->iommu, "none") && iommu_index(o, p->iommu) < 0)
		return refuse(c, "iommu", p->iommu, "none, or the ID of an --iommu");
	if (p->bus && port_index(o, p->bus) < 0)
		return refuse(c, "bus", p->bus, "the ID of a --root-port");
	if (p->bus && o->virtio_mmio && !p->pci)
		return refuse(c, "bus", p->bus, "no bus, or --virtio-transport pci");
	if (p->bus && !check_port(o, c))
		return false;
	if (segment_index(o, p->segment) < o->nr_segments)
		return true;
	log_error("--%s %s,segment=%llu: expected 0 or the number of a --segment", c->option,
	          c->value, (unsigned long long)p->segment);
	return false;
}

bool place_is_pci(const struct options *o, const struct place *p)
{
	return p->pci || (!o->virtio_mmio && !p->mmio);
}

static bool fits_slots(const struct options *o)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < o->nr_claims; i++) {
		const struct claim *c = &o->claims[i];

		n += !place_is_pci(o, c->place);
		if (n <= PLATFORM_VIRTIO_MMIO)
			continue;
		log_error("--%s %s: expected at most %u devices over MMIO, or --virtio-transport "
		          "pci",
		          c->option, c->value, PLATFORM_VIRTIO_MMIO);
		return false;
	}
	return true;
}

static bool refuse_crowd(const char *option, const char *value, u64 segment)
{
	log_error("--%s %s: expected at most 32 devices and root ports on segment %llu's root bus",
	          option, value, (unsigned long long)segment);
	return false;
}

/* 32 devices are on a root bus, ports among them. */
static bool fits_root_bus(const struct options *o, u64 segment)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < o->nr_ports; i++) {
		n += o->ports[i].segment == segment;
		if (n > MAX_ROOT_BUS)
			return refuse_crowd("root-port", o->ports[i].id, segment);
	}
	for (unsigned int i = 0; i < o->nr_claims; i++) {
		const struct claim *c = &o->claims[i];

		n += place_is_pci(o, c->place) && !c->place->bus && c->place->segment == segment;
		if (n > MAX_ROOT_BUS)
			return refuse_crowd(c->option, c->value, segment);
	}
	return true;
}

/* By a power of two of segments, so that a DeviceID has its segment in its upper bits. */
unsigned int segment_buses(const struct options *o)
{
	unsigned int n = 1;

	while (n < o->nr_segments)
		n *= 2;
	return PCI_NR_BUSES / n;
}

/* Each port has a bus behind it, beside the root bus. */
static bool fits_buses(const struct options *o, u64 segment)
{
	unsigned int left = segment_buses(o);

	for (unsigned int i = 0; i < o->nr_ports; i++) {
		if (o->ports[i].segment != segment || --left)
			continue;
		log_error("--root-port %s,segment=%llu: expected at most %u root ports on each of "
		          "%u segments",
		          o->ports[i].id, (unsigned long long)segment, segment_buses(o) - 1,
		          o->nr_segments);
		return false;
	}
	return true;
}

bool places_check(const struct options *o)
{
	for (unsigned int i = 0; i < o->nr_ports; i++) {
		if (segment_index(o, o->ports[i].segment) < o->nr_segments)
			continue;
		log_error("--root-port %s,segment=%llu: expected 0 or the number of a --segment",
		          o->ports[i].id, (unsigned long long)o->ports[i].segment);
		return false;
	}
	for (unsigned int i = 0; i < o->nr_claims; i++)
		if (!check_claim(o, &o->claims[i]))
			return false;
	if (!fits_slots(o))
		return false;
	for (unsigned int i = 0; i < o->nr_segments; i++)
		if (!fits_buses(o, o->segments[i]) || !fits_root_bus(o, o->segments[i]))
			return false;
	return true;
}

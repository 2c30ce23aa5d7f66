/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_PLACE_H
#define MACHINE_PLACE_H

#include "machine/keys.h"
#include "machine/options.h"

/* The keys that every device option takes, for a struct with a member `place`. */
#define PLACE_KEYS(type)                                                        \
	{ "bus", KEY_TEXT, offsetof(type, place.bus), 0, 0 },                   \
		{ "iommu", KEY_TEXT, offsetof(type, place.iommu), 0, 0 },       \
	{                                                                       \
		"segment", KEY_NUMBER, offsetof(type, place.segment), 0, 0xffff \
	}

const char *segment_option_take(struct options *o, char *val);
const char *port_option_take(struct options *o, char *val);

/*
 * Notes that the device of --@option @value (both outlive @o) goes to @place,
 * which is looked at when all options are read. Again for the same @place, it
 * replaces what it said. NULL, or what was expected.
 */
const char *place_claim(struct options *o, const char *option, const char *value,
                        const struct place *place);

/*
 * The same for a device of which there is one, with no other keys: @keys is what
 * follows its first comma, or NULL.
 */
const char *place_only(struct options *o, const char *option, const char *value, char *keys,
                       struct place *place);

/* There is to be no such device after all. */
void place_release(struct options *o, const struct place *place);

/* For a device whose rings another program works, which is noted: NULL, or what was expected of
 * iommu=.
 */
const char *place_without_iommu(struct place *place);

/* Whether the device there is a PCI function; what is not is over MMIO. */
bool place_is_pci(const struct options *o, const struct place *place);

/* When all options are read: false, and one line says which device has no such place. */
bool places_check(const struct options *o);

/* The index in o->segments, or of o->ports; places_check() said that there is one. */
unsigned int segment_index(const struct options *o, u64 segment);
/* How many buses each segment has: an equal share of all there are. */
unsigned int segment_buses(const struct options *o);
int port_index(const struct options *o, const char *id);

#endif

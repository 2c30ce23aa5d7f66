// SPDX-License-Identifier: GPL-2.0-only
/* What the host's firmware says in its IORT (Arm DEN 0049). */
#include "vfio/iort.h"

#include <endian.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IORT_NODES        36 /* how many, and behind it where the first is */
#define IORT_HEAD         48
#define NODE_HEAD         16
#define NODE_LENGTH       1
#define NODE_ROOT_COMPLEX 2
#define RC_MEMORY_FLAGS   23 /* of its memory access properties */
#define RC_CANWBS         BIT(2)
#define MAX_TABLE         0x10000

static u32 word(const u8 *at)
{
	u32 v;

	memcpy(&v, at, sizeof(v));
	return le32toh(v);
}

enum iort_canwbs iort_canwbs(const u8 *table, size_t len)
{
	enum iort_canwbs found = CANWBS_UNKNOWN;
	u32 nr, at;

	if (len < IORT_HEAD)
		return CANWBS_UNKNOWN;
	nr = word(table + IORT_NODES);
	at = word(table + IORT_NODES + 4);
	for (u32 i = 0; i < nr; i++) {
		u32 length;

		if (at > len || len - at < NODE_HEAD)
			return CANWBS_UNKNOWN;
		length = table[at + NODE_LENGTH] | table[at + NODE_LENGTH + 1] << 8;
		if (length < NODE_HEAD || length > len - at)
			return CANWBS_UNKNOWN;
		if (table[at] == NODE_ROOT_COMPLEX && length > RC_MEMORY_FLAGS &&
		    found != CANWBS_MISSING)
			found = table[at + RC_MEMORY_FLAGS] & RC_CANWBS ? CANWBS_ALL
			                                                : CANWBS_MISSING;
		at += length;
	}
	return found;
}

enum iort_canwbs iort_canwbs_of(const char *sys)
{
	u8 *table = malloc(MAX_TABLE);
	enum iort_canwbs found = CANWBS_UNKNOWN;
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/firmware/acpi/tables/IORT", sys);
	f = fopen(path, "re");
	if (f && table)
		found = iort_canwbs(table, fread(table, 1, MAX_TABLE, f));
	if (f)
		fclose(f);
	free(table);
	return found;
}

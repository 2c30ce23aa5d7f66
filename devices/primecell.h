/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_PRIMECELL_H
#define DEVICES_PRIMECELL_H

#include "vmm/types.h"

/* Where the identification registers begin with which every PrimeCell ends. */
#define PRIMECELL_IDS 0xfe0

/*
 * What is read there: the three digits of @part, designed by Arm, revision 0;
 * then the PrimeCell's own number. A byte in each word (Arm DDI 0224, 3.3.9 and
 * 3.3.10; DDI 0190, 3.3.12 and 3.3.13).
 */
static inline u64 primecell_read(unsigned int part, u64 offset)
{
	const u8 ids[8] = { part & 0xff, 0x10 | part >> 8, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	return offset % 4 ? 0 : ids[(offset - PRIMECELL_IDS) / 4];
}

#endif

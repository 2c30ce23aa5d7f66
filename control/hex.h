/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CONTROL_HEX_H
#define CONTROL_HEX_H

#include <jansson.h>

#include "vmm/types.h"

/* Addresses and registers: JSON's numbers are not sure to hold 64 bits. "0x1f". */
json_t *json_hex(u64 val);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_TYPES_H
#define VMM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int8_t s8;
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

typedef u64 gpa_t; /* guest-physical: never dereferenced, see guest_ptr() */

#define ARRAY_SIZE(a)         (sizeof(a) / sizeof((a)[0]))
#define BIT(n)                (1ULL << (n))
#define GENMASK(hi, lo)       ((~0ULL >> (63 - (hi))) & (~0ULL << (lo)))
#define FIELD_LOW(mask)       ((mask) & -(mask))
#define FIELD_GET(mask, v)    (((v) & (mask)) / FIELD_LOW(mask))
#define FIELD_PREP(mask, v)   (((v)*FIELD_LOW(mask)) & (mask))
#define ALIGN_UP(v, to)       (((v) + (to)-1) & ~((u64)(to)-1))
#define ALIGN_DOWN(v, to)     ((v) & ~((u64)(to)-1))
#define container_of(p, t, m) ((t *)((char *)(p)-offsetof(t, m)))

#endif

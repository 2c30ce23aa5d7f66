// SPDX-License-Identifier: GPL-2.0-only
/* Translation tables for tests of who walks them. */
#include "tests/unit/fake_tables.h"
#include "tests/unit/room.h"

#include <criterion/criterion.h>
#include <endian.h>
#include <string.h>

static u8 *memory;
struct tables tables;

static enum dma_status map(struct dma_space *s, struct dma_access *a, struct dma_sg *sg,
                           struct dma_token *token)
{
	enum dma_status status = DMA_OK;

	(void)s;
	tables.token = token;
	if (a->perm & DMA_WRITE)
		tables.swaps++;
	else
		tables.reads++;
	if (tables.before)
		status = tables.before(a->iova, a->perm);
	return status == DMA_OK ? dma_map(&tables.ram, a, sg, token) : status;
}

void tables_init(u64 base)
{
	static const struct dma_ops ops = { .map = map };

	if (memory)
		memset(memory, 0, TABLES_SIZE);
	else
		memory = room_of(TABLES_SIZE);
	tables = (struct tables){ .mem = { .base = base, .size = TABLES_SIZE, .host = memory } };
	dma_identity(&tables.ram, &tables.mem);
	tables.space = (struct dma_space){ .ops = &ops, .mem = &tables.mem };
}

static u64 *word(u64 at)
{
	u64 *p = guest_ptr(&tables.mem, at, 8);

	cr_assert(p && at % 8 == 0);
	return p;
}

u64 tables_get(u64 at)
{
	return le64toh(*word(at));
}

void tables_put(u64 at, u64 entry)
{
	*word(at) = htole64(entry);
}

/* 64 KiB each, or more. */
static u64 new_table(u64 bytes)
{
	u64 at = tables.mem.base + tables.used;

	tables.used += ALIGN_UP(bytes, 0x10000);
	cr_assert(tables.used <= TABLES_SIZE);
	return at;
}

static unsigned int shift_of(const struct pgtable *t, int level)
{
	static const u8 shifts[3][5] = {
		{ 48, 39, 30, 21, 12 },
		{ 0, 47, 36, 25, 14 },
		{ 0, 0, 42, 29, 16 },
	};

	return shifts[(t->granule - 12) / 2][level + 1];
}

struct pgtable tables_stage2(unsigned int granule, unsigned int input, int start)
{
	struct pgtable t = {
		.space = &tables.space,
		.stage = 2,
		.granule = granule,
		.input = input,
		.output = input > 48 ? 52 : 48,
		.start = start,
		.ds = input > 48 && granule != 16,
	};

	t.base = new_table(BIT(input - shift_of(&t, start)) * 8);
	return t;
}

struct pgtable tables_stage1(unsigned int granule, unsigned int input)
{
	struct pgtable t = tables_stage2(granule, input, pgtable_start1(granule, input));

	t.stage = 1;
	return t;
}

u64 tables_address(const struct pgtable *t, u64 addr)
{
	if (t->granule == 16)
		return (addr & GENMASK(47, 16)) | (addr >> 48 & 15) << 12;
	return (addr & GENMASK(49, 12)) | (addr >> 50 & 3) << 8;
}

static u64 in_order(const struct pgtable *t, u64 entry)
{
	return t->big_endian ? __builtin_bswap64(entry) : entry;
}

static u64 below(const struct pgtable *t, u64 entry)
{
	u64 table = entry & GENMASK(47, t->granule);

	if (t->granule == 16)
		return t->output == 52 ? table | (entry >> 12 & 15) << 48 : table;
	return t->ds ? table | (entry & GENMASK(49, 48)) | (entry >> 8 & 3) << 50 : table;
}

static u64 entry_at(const struct pgtable *t, u64 table, u64 addr, int level)
{
	u64 index = (addr & (BIT(t->input) - 1)) >> shift_of(t, level);

	if (level != t->start)
		index %= 1u << (t->granule - 3);
	return table + index * 8;
}

u64 tables_map(const struct pgtable *t, u64 addr, int level, u64 entry)
{
	u64 at = entry_at(t, t->base, addr, t->start);

	for (int l = t->start; l < level;
	     at = entry_at(t, below(t, in_order(t, tables_get(at))), addr, ++l))
		if (!tables_get(at))
			tables_put(at, in_order(t, TABLE | tables_address(t, new_table(1))));
	tables_put(at, in_order(t, entry));
	return at;
}

void tables_limit(const struct pgtable *t, u64 addr, int level, u64 limits)
{
	u64 at = entry_at(t, t->base, addr, t->start);

	for (int l = t->start; l < level;
	     at = entry_at(t, below(t, in_order(t, tables_get(at))), addr, ++l))
		;
	tables_put(at, tables_get(at) | in_order(t, limits));
}

struct pgtable_walk tables_walk(const struct pgtable *t, u64 addr, u32 perm)
{
	const struct pgtable_access a = { .addr = addr, .perm = perm, .privileged = true };
	struct pgtable_walk w;

	memset(&w, 0xa5, sizeof(w));
	pgtable_walk(t, &a, &w);
	return w;
}

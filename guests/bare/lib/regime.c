/* SPDX-License-Identifier: GPL-2.0-only */
/* Translation regimes by chance, and their tables. */
#include "regime.h"

#define LAST   3
#define CONTIG (1UL << 52)
/* D8.3: NS; GP, which counts for indirect branches, and an exception's return is none; software's;
 * PBHA. */
#define IGNORED_BY_STAGE1 (1UL << 5 | 1UL << 50 | 0xffUL << 55)
#define IGNORED_OF_TABLES (0x7fUL << 5 | 0xffUL << 51)

static u64 pool[4][8192] __attribute__((aligned(65536))); /* a level's each */
u8 arena[ARENA_SIZE] __attribute__((aligned(4096)));

static unsigned int field(u64 reg, unsigned int at)
{
	return reg >> at & 0xf;
}

/* The CPU's. */
static struct regime_ability ability(void)
{
	const u64 r0 = read_sysreg(id_aa64mmfr0_el1), r1 = read_sysreg(id_aa64mmfr1_el1);
	const u64 r2 = read_sysreg(id_aa64mmfr2_el1);

	return (struct regime_ability){
		.granules = { field(r0, 28) != 0xf, field(r0, 20), field(r0, 24) != 0xf },
		.ha = field(r1, 0) >= 1,
		.hd = field(r1, 0) >= 2,
		.hpd = field(r1, 12),
		.pan = field(r1, 20) >= 2,
		.e0pd = field(r2, 60),
		.tbi = true,
		.small = field(r2, 28),
		.large_va = field(r2, 16) == 1,
		.address_size = field(r0, 0),
	};
}

struct regime_ability regime_ability(void)
{
	const u32 idr0 = read32(SMMU_BASE + SMMU_IDR0), idr3 = read32(SMMU_BASE + SMMU_IDR3);
	const u32 idr5 = read32(SMMU_BASE + SMMU_IDR5);
	const unsigned int httu = idr0 >> 6 & 3, oas = idr5 & 7;
	struct regime_ability can = ability();

	for (unsigned int i = 0; i < 3; i++)
		can.granules[i] &= idr5 >> (4 + i) & 1;
	can.ha &= httu >= 1;
	can.hd &= httu >= 2;
	can.wxn = true;
	can.hpd &= idr3 >> 2 & 1;
	can.e0pd &= idr3 >> 13 & 1;
	can.small &= idr3 >> 9 & 1;
	can.large_va &= idr5 >> 10 & 1;
	if (can.address_size > oas)
		can.address_size = oas;
	can.large_pa = can.address_size == 6;
	return can;
}

/* Addresses of 48 bits, and of the rest what TCR_EL1 says of updates and permissions. */
struct regime_ability regime_ability_viommu(void)
{
	struct regime_ability can = ability();

	can.pan = can.e0pd = can.tbi = can.small = can.large_va = false;
	if (can.address_size > 5)
		can.address_size = 5;
	return can;
}

static unsigned int address_bits(const struct regime *r)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48, 52 };

	return bits[r->ips] == 52 && r->granule != 16 ? 48 : bits[r->ips];
}

/* log2 of the bytes that an entry is about. */
static unsigned int shift_of(const struct regime *r, int level)
{
	return r->granule + (LAST - level) * (r->granule - 3);
}

/* log2 of the entries of a table. */
static unsigned int bits_of(const struct regime *r, int level)
{
	return level == r->start ? r->input - shift_of(r, level) : r->granule - 3;
}

static void choose(struct regime *r, const struct regime_ability *can)
{
	unsigned int least, most;

	do
		r->granule = 12 + 2 * random_below(3);
	while (!can->granules[(r->granule - 12) / 2]);
	least = r->granule == 16 && can->large_va ? 12 : 16;
	most = !can->small ? 39 : r->granule == 16 ? 47 : 48;
	r->input = 64 - least - random_below(most - least + 1);
	r->ips = random_below(can->address_size + 1);
	r->ha = can->ha && one_in(3);
	r->hd = can->hd && r->ha && one_in(2);
	r->tbi = can->tbi && one_in(3);
	r->hpd = can->hpd && one_in(4);
	r->e0pd = can->e0pd && one_in(8);
	r->pan = can->pan && one_in(4);
	r->wxn = can->wxn && one_in(4);
	r->start = LAST - (int)(r->input - 1 - r->granule) / (int)(r->granule - 3);
}

static bool may_be_block(const struct regime *r, int level)
{
	if (level == LAST)
		return true;
	if (r->granule == 12)
		return level >= 1;
	return level == 2 || (r->granule == 16 && level == 1 && r->large_pa);
}

/* D8.7.1: log2 of the entries that are contiguous. */
static unsigned int contiguous(const struct regime *r, int level)
{
	if (r->granule == 12)
		return 4;
	return r->granule == 14 && level == LAST ? 7 : 5;
}

/* Attributes of memory, all of them Normal, cached and shareable; and what is software's, or
 * nobody's. */
static u64 leaf_bits(const struct regime *r)
{
	const u64 attributes = 1UL << 8 | IGNORED_BY_STAGE1;
	u64 entry = (r->leaf == LAST ? LEAF : BLOCK) | (1 + random_below(3)) << 2 | 2UL << 8;

	entry |= random_bits() & attributes;
	entry |= random_bits() & (ENTRY_USER | ENTRY_RO | ENTRY_NG | ENTRY_PXN | ENTRY_UXN);
	entry |= one_in(8) ? 0 : ENTRY_AF;
	return entry | (one_in(3) ? ENTRY_DBM : 0);
}

static u64 table_bits(void)
{
	return (random_bits() & IGNORED_OF_TABLES) |
	       (one_in(3) ? random_bits() & 0xfUL << 59 : 0); /* limits */
}

/* The last entry, with those that are contiguous to it. */
static u64 *leaves(const struct regime *r)
{
	return (u64 *)((u64)r->entry[r->leaf] & ~((8UL << r->contiguous) - 1));
}

/* One entry of each table, by chance; but where several are contiguous, that which has the target's
 * offset. */
static void place(struct regime *r)
{
	const unsigned int set = contiguous(r, r->leaf), shift = shift_of(r, r->leaf);
	u64 *table = (u64 *)r->root;

	r->contiguous = bits_of(r, r->leaf) >= set && one_in(6) ? set : 0;
	r->va = ~0UL << r->input | (r->target & ((1UL << shift) - 1));
	if (r->tbi)
		r->va = (r->va & ~(0xffUL << 56)) | random_bits() << 56;
	for (int level = r->start; level <= r->leaf; level++) {
		const u64 nr = level == r->leaf ? 1UL << r->contiguous : 1;
		u64 index = random_bits() & ((1UL << bits_of(r, level)) - 1) & ~(nr - 1);

		index |= r->target >> shift & (nr - 1);
		r->entry[level] = &table[index];
		r->va |= index << shift_of(r, level);
		table = level < LAST ? pool[level + 1] : NULL;
	}
}

/* No other address has what is to be written there. */
static bool is_free(const struct regime *r)
{
	for (int level = r->start; level < r->leaf; level++)
		if (*r->entry[level] && (*r->entry[level] & 3) != TABLE)
			return false;
	for (u64 i = 0; i < 1UL << r->contiguous; i++)
		if (leaves(r)[i])
			return false;
	return true;
}

/* A table at each level from the first to the leaf's, whose entry leads to the target. */
static void fill(const struct regime *r)
{
	const unsigned int shift = shift_of(r, r->leaf);
	const u64 nr = 1UL << r->contiguous, base = r->target & ~((nr << shift) - 1);
	const u64 bits = leaf_bits(r) | (nr > 1 ? CONTIG : 0);

	for (int level = r->start; level < r->leaf; level++)
		if (!*r->entry[level])
			*r->entry[level] = (u64)pool[level + 1] | TABLE | table_bits();
	for (u64 i = 0; i < nr; i++)
		leaves(r)[i] = (base + (i << shift)) | bits;
}

/* Beyond what IPS says, or what memory there is, but where a page or block has its address. */
static void misplace(const struct regime *r, int level)
{
	unsigned int least = address_bits(r);

	if (level == r->leaf && least < shift_of(r, level))
		least = shift_of(r, level);
	if (least < 48)
		*r->entry[level] |= 1UL << (least + random_below(48 - least));
	else if (least == 52 && level == r->leaf) /* bits 51 to 48: nothing is there */
		*r->entry[level] |= (1UL + random_below(15)) << 12;
}

/* What a block has none of: bits of an address within it, of the table that it was. */
static void tidy(const struct regime *r)
{
	for (int level = r->start; level < r->leaf; level++)
		if (!(*r->entry[level] & 2))
			*r->entry[level] &= ~((1UL << shift_of(r, level)) - 1) | 0xfff;
}

/* A block that has become a table: not in memory where it led to, which accesses would write flags
 * to. */
static void move_table(const struct regime *r)
{
	u64 *entry = r->entry[r->leaf];

	if (r->leaf < LAST && (*entry & 3) == TABLE)
		*entry = (*entry & ~0x0000fffffffff000UL) | (u64)pool[r->leaf + 1];
}

/* One thing is not as it should be. */
static void spoil(struct regime *r)
{
	static const u8 flips[] = { 0, 1, 1, 6, 7, 10, 10, 51, 53, 54, 59, 60, 61, 62 };
	const int level = r->start + (int)random_below(r->leaf - r->start + 1);
	u64 *entry = r->entry[level];

	switch (random_below(7)) {
	case 0: *entry = 0; break;
	case 1: misplace(r, level); break;
	case 2:
		r->in_reach = false;
		r->va ^= 1UL << (r->input + random_below((r->tbi ? 55 : 64) - r->input));
		break;
	case 3: /* nowhere: the PCI window */
		if (level < r->leaf || shift_of(r, level) <= 26)
			*entry = (*entry & ~(0xfffff000UL | CONTIG)) | 0x60000000;
		break;
	default: *entry ^= 1UL << flips[random_below(ARRAY_SIZE(flips))];
	}
}

static u64 root_of(const struct regime *r)
{
	/* 5.4.1: a CD's TTB has no bits below 16 bytes; those below 64 are others with 52 bits. */
	const u64 size = 8UL << bits_of(r, r->start), least = r->ips == 6 ? 64 : 16;
	const u64 align = size < least ? least : size;

	return (u64)pool[r->start] + random_bits() % (65536 / align) * align;
}

static void choose_leaf(struct regime *r)
{
	r->target = (u64)arena + (random_bits() & (ARENA_SIZE - 1) & ~7UL);
	do
		r->leaf = one_in(2) ? LAST : r->start + (int)random_below(LAST - r->start + 1);
	while (!may_be_block(r, r->leaf));
}

void regime_build(struct regime *r, const struct regime_ability *can)
{
	*r = (struct regime){ .large_pa = can->large_pa, .in_reach = true };
	choose(r, can);
	choose_leaf(r);
	r->root = root_of(r);
	place(r);
	fill(r);
}

bool regime_another(struct regime *r, const struct regime *of)
{
	*r = *of;
	choose_leaf(r);
	place(r);
	if (!is_free(r))
		return false;
	fill(r);
	return true;
}

int regime_end(const struct regime *r)
{
	int end = r->start;

	while (end < r->leaf && (*r->entry[end] & 3) == TABLE)
		end++;
	return end;
}

void regime_spoil(struct regime *r)
{
	/* What another address has made a block is no table again: it would be anywhere, and be
	 * written to. */
	if (one_in(3) && regime_end(r) == r->leaf)
		spoil(r);
	/* These the CPU may have and the SMMU not, or the other way round. */
	if (r->granule == 16 && r->start <= 1 && !r->large_pa && *r->entry[1] & 1)
		*r->entry[1] |= 2;
	tidy(r);
	move_table(r);
	barrier();
}

void regime_make(struct regime *r, const struct regime_ability *can)
{
	regime_build(r, can);
	regime_spoil(r);
}

/* Entries that are contiguous lead elsewhere together. */
void regime_lead(struct regime *r, int level, u64 by)
{
	const u64 nr = level == r->leaf ? 1UL << r->contiguous : 1;
	u64 *first = level == r->leaf ? leaves(r) : r->entry[level];

	for (u64 i = 0; i < nr; i++)
		first[i] += by;
}

void regime_forget(struct regime *r)
{
	for (int level = r->start; level <= r->leaf; level++) {
		/* with what is contiguous to it */
		u64 *first = (u64 *)((u64)r->entry[level] & ~(128 * 8UL - 1));

		if (level == r->leaf && r->granule != 12)
			memset(first, 0, 128 * 8);
		else
			memset((u64 *)((u64)r->entry[level] & ~(16 * 8UL - 1)), 0, 16 * 8);
	}
	barrier();
}

void regime_print(const struct regime *r)
{
	print("granule %u, input %u, IPS %u, start %u, leaf %u%s%s%s%s%s%s%s, VA %lx\n", r->granule,
	      r->input, r->ips, r->start, r->leaf, r->ha ? ", HA" : "", r->hd ? ", HD" : "",
	      r->tbi ? ", TBI" : "", r->hpd ? ", HPD" : "", r->e0pd ? ", E0PD" : "",
	      r->pan ? ", PAN" : "", r->wxn ? ", WXN" : "", r->va);
	for (int level = r->start; level <= r->leaf; level++)
		print("  level %u: %lx\n", level, *r->entry[level]);
}

unsigned int regime_address_bits(const struct regime *r)
{
	return address_bits(r);
}

unsigned int regime_leaf_shift(const struct regime *r)
{
	return shift_of(r, r->leaf);
}

u64 regime_output(const struct regime *r)
{
	const int end = regime_end(r);
	const u64 entry = *r->entry[end], size = 1UL << shift_of(r, end);
	u64 output;

	output = (entry & 0x0000ffffffffffffUL & ~(size - 1)) | (r->va & (size - 1));

	if (address_bits(r) == 52) /* D8.3.1: bits 51 to 48 of it */
		output |= (entry >> 12 & 15) << 48;
	return output;
}

u64 regime_table(const struct regime *r, int level, u64 first)
{
	const u64 index = r->va >> shift_of(r, level) & ((1UL << (r->granule - 3)) - 1);

	if (level == r->start)
		return first;
	return (*r->entry[level - 1] & 0x0000ffffffffffffUL & ~((1UL << r->granule) - 1)) +
	       index * 8;
}

u64 regime_lower(const struct regime *r)
{
	u64 va = r->va & ((1UL << r->input) - 1);

	return r->tbi ? va | (r->va & 0xffUL << 56) : va;
}

struct cd regime_cd(const struct regime *r, bool lower)
{
	static const u8 tg0[] = { 0, 2, 1 }, tg1[] = { 2, 1, 3 };
	const unsigned int size = 64 - r->input, granule = (r->granule - 12) / 2;
	const u64 base = r->root | (r->hpd ? CD_HAD : 0) | (r->e0pd ? CD_E0PD : 0);
	struct cd cd = { { CD0_V | CD0_AA64 | CD0_R | CD0_A | CD0_ASET | CD0_ASID(1) } };

	cd.w[0] |= CD0_IPS(r->ips) | (r->ha ? CD0_HA : 0) | (r->hd ? CD0_HD : 0) |
	           (r->pan ? CD0_PAN : 0) | (r->wxn ? CD0_WXN : 0);
	if (lower)
		cd.w[0] |= CD0_T0SZ(size) | CD0_TG0(tg0[granule]) | CD0_EPD1 |
		           (r->tbi ? CD0_TBI0 : 0);
	else
		cd.w[0] |= CD0_T1SZ(size) | CD0_TG1(tg1[granule]) | CD0_EPD0 |
		           (r->tbi ? CD0_TBI1 : 0);
	cd.w[lower ? 1 : 2] = base;
	return cd;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage 2 by chance, and its tables. */
#include "stage2.h"

#define LAST      3
#define TABLE_MAX 65536UL
#define ADDRESS   0x0000ffffffffffffUL
#define CONTIG    (1UL << 52)
#define NOWHERE   0x60000000UL /* the PCI window */

/* In memory that nothing else of a guest is in, nor Nestor puts anything: it is 0. */
#define FIRST      (RAM_BASE + (64UL << 20))
#define FIRST_SIZE (16 * TABLE_MAX)
#define POOL       (FIRST + FIRST_SIZE)

static u64 pool(unsigned int table)
{
	return POOL + table * TABLE_MAX;
}

static unsigned int field(u64 reg, unsigned int at)
{
	return reg >> at & 0xf;
}

/* DDI 0487, ID_AA64MMFR0_EL1.TGran*_2: 0 is as stage 1 has it, 1 none. */
static bool has_granule(u64 r0, unsigned int stage2, bool stage1)
{
	return field(r0, stage2) ? field(r0, stage2) > 1 : stage1;
}

struct stage2_ability stage2_ability(void)
{
	const u64 r0 = read_sysreg(id_aa64mmfr0_el1);
	const u32 idr0 = read32(SMMU_BASE + SMMU_IDR0), idr3 = read32(SMMU_BASE + SMMU_IDR3);
	const u32 idr5 = read32(SMMU_BASE + SMMU_IDR5);
	const unsigned int oas = idr5 & 7;

	return (struct stage2_ability){
		.granules = { has_granule(r0, 40, field(r0, 28) != 0xf) && idr5 & 1 << 4,
		              has_granule(r0, 32, field(r0, 20)) && idr5 & 1 << 5,
		              has_granule(r0, 36, field(r0, 24) != 0xf) && idr5 & 1 << 6 },
		.ha = field(read_sysreg(id_aa64mmfr1_el1), 0) >= 1 && (idr0 >> 6 & 3) >= 1,
		.small = field(read_sysreg(id_aa64mmfr2_el1), 28) && idr3 & 1 << 9,
		.address_size = field(r0, 0) < oas ? field(r0, 0) : oas,
	};
}

static unsigned int bits_of_size(unsigned int size)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48, 48 };

	return bits[size];
}

/* log2 of the bytes that an entry is about. */
static unsigned int shift_of(const struct stage2 *s, int level)
{
	return s->granule + (LAST - level) * (s->granule - 3);
}

/* log2 of a table's entries; of the first, of all that are concatenated to it. */
static unsigned int bits_of(const struct stage2 *s, int level)
{
	return level == s->start ? s->input - shift_of(s, level) : s->granule - 3;
}

/* VTCR_EL2.SL0: the topmost levels are for those that have so large physical addresses. */
static bool may_start(const struct stage2 *s, const struct stage2_ability *can, int level)
{
	const unsigned int below = shift_of(s, level), most = bits_of_size(can->address_size);

	if (level == 3 && s->granule == 12 && !can->small)
		return false;
	if (level == 0 && (s->granule != 12 || most < 44))
		return false;
	if (level == 1 && s->granule != 12 && most < (s->granule == 16 ? 44 : 42))
		return false;
	return s->input > below && s->input <= below + s->granule - 3 + 4;
}

void stage2_make(struct stage2 *s, const struct stage2_ability *can)
{
	const unsigned int most = bits_of_size(can->address_size);
	u64 size;

	*s = (struct stage2){ .ps = random_below(can->address_size + 1) };
	do
		s->granule = 12 + 2 * random_below(3);
	while (!can->granules[(s->granule - 12) / 2]);
	s->ha = can->ha && one_in(3);
	do {
		s->input = 25 + random_below(most - 25 + 1);
		s->start = (int)random_below(4);
	} while (!may_start(s, can, s->start));
	size = 8UL << bits_of(s, s->start);
	if (size < 64)
		size = 64;
	s->root = FIRST + (random_bits() & (FIRST_SIZE - 1) & ~(size - 1));
}

static u64 *entry_in(const struct stage2 *s, u64 table, int level, u64 ipa)
{
	return (u64 *)table + (ipa >> shift_of(s, level) & ((1UL << bits_of(s, level)) - 1));
}

static void put(struct stage2 *s, u64 *entry, u64 to)
{
	if (!*entry) {
		check(s->nr < STAGE2_ENTRIES, "stage 2 has too many entries");
		s->written[s->nr++] = entry;
	}
	*(volatile u64 *)entry = to;
}

static u64 table_in(const struct stage2 *s, u64 entry)
{
	return entry & ADDRESS & ~((1UL << s->granule) - 1);
}

/* Whether so many entries of level @p->leaf are free. */
static bool is_free(const struct stage2 *s, const struct stage2_path *p, u64 nr)
{
	u64 table = s->root;
	u64 *entry;

	for (int level = s->start; level < p->leaf; level++) {
		entry = entry_in(s, table, level, p->ipa);
		if (!*entry)
			return true;
		if (!(*entry & 2))
			return false;
		table = table_in(s, *entry);
	}
	entry = entry_in(s, table, p->leaf, p->ipa);
	entry -= (u64)entry / 8 & (nr - 1);
	for (u64 i = 0; i < nr; i++)
		if (entry[i])
			return false;
	return true;
}

static u64 leaf_bits(const struct stage2_path *p, enum stage2_kind kind)
{
	const u64 memory = 0xfUL << 2 | ENTRY_INNER | (p->leaf == LAST ? LEAF : BLOCK);

	if (kind == STAGE2_ALL)
		return memory | ENTRY_AF | ENTRY_S2_READ | ENTRY_S2_WRITE;
	return memory | (one_in(6) ? 0 : ENTRY_S2_READ) | (one_in(4) ? 0 : ENTRY_S2_WRITE) |
	       (one_in(8) ? 0 : ENTRY_AF) | (one_in(2) ? random_bits() & 3UL << 53 : 0);
}

static void fill(struct stage2 *s, u64 pa, u64 nr, enum stage2_kind kind, struct stage2_path *p)
{
	const unsigned int shift = shift_of(s, p->leaf);
	const u64 bits = leaf_bits(p, kind) | (nr > 1 ? CONTIG : 0);
	const u64 base = pa & ~((nr << shift) - 1);
	u64 table = s->root;
	u64 *set;

	for (int level = s->start;; level++) {
		p->entry[level] = entry_in(s, table, level, p->ipa);
		if (level == p->leaf)
			break;
		if (!*p->entry[level]) {
			check(s->tables < STAGE2_TABLES, "stage 2 has too many tables");
			put(s, p->entry[level], pool(s->tables++) | TABLE);
		}
		table = table_in(s, *p->entry[level]);
	}
	set = p->entry[p->leaf] - ((u64)p->entry[p->leaf] / 8 & (nr - 1));
	for (u64 i = 0; i < nr; i++)
		put(s, &set[i], (base + (i << shift)) | bits);
}

/* D8.7.1: log2 of the entries that are contiguous. */
static unsigned int contiguous(const struct stage2 *s, int level)
{
	if (s->granule == 12)
		return 4;
	return s->granule == 14 && level == LAST ? 7 : 5;
}

static bool may_be_leaf(const struct stage2 *s, int level)
{
	return level == LAST || level == 2 || (level == 1 && s->granule == 12);
}

bool stage2_map(struct stage2 *s, u64 pa, unsigned int same, unsigned int limit,
                enum stage2_kind kind, struct stage2_path *p)
{
	const unsigned int most = limit < s->input ? limit : s->input;

	for (int tries = 0; tries < 100; tries++) {
		unsigned int set, keep;
		u64 low;

		p->leaf = kind == STAGE2_ALL || one_in(2)
		                  ? LAST
		                  : s->start + (int)random_below(LAST - s->start + 1);
		if (!may_be_leaf(s, p->leaf))
			continue;
		set = kind == STAGE2_RANDOM && one_in(6) ? contiguous(s, p->leaf) : 0;
		keep = shift_of(s, p->leaf) + set;
		if (bits_of(s, p->leaf) < set)
			continue;
		low = (1UL << (keep > same ? keep : same)) - 1;
		p->ipa = (random_bits() & ((1UL << most) - 1) & ~low) | (pa & low);
		if (p->ipa >> most || !is_free(s, p, 1UL << set))
			continue;
		fill(s, pa, 1UL << set, kind, p);
		barrier();
		return true;
	}
	return false;
}

/* Beyond what PS says, or what memory there is. */
static void misplace(const struct stage2 *s, const struct stage2_path *p, int level)
{
	unsigned int least = bits_of_size(s->ps);

	if (level == p->leaf && least < shift_of(s, level))
		least = shift_of(s, level);
	if (least < 48)
		*p->entry[level] |= 1UL << (least + random_below(48 - least));
}

/* A block where a table was, or a table where a page or block was: one with entries that are 0. */
static void become(struct stage2 *s, const struct stage2_path *p, int level)
{
	u64 *entry = p->entry[level];

	if (level == LAST)
		*entry &= ~2UL;
	else if (level == p->leaf)
		*entry = pool(STAGE2_TABLES - 1) | TABLE;
	else
		*entry = (*entry & ADDRESS & ~((1UL << shift_of(s, level)) - 1)) |
		         (leaf_bits(p, STAGE2_RANDOM) & ~3UL) | BLOCK;
}

static void lead_nowhere(struct stage2 *s, const struct stage2_path *p, int level)
{
	if (level < p->leaf || shift_of(s, level) <= 26)
		*p->entry[level] = (*p->entry[level] & ~(0xfffff000UL | CONTIG)) | NOWHERE;
}

void stage2_spoil(struct stage2 *s, const struct stage2_path *p, int from, bool leads)
{
	static const u8 flips[] = { 0, 6, 7, 10, 53, 54 };
	/* bits that are no one's, or software's: of a table, of a page or block */
	static const u8 ignored[2][4] = { { 2, 11, 52, 63 }, { 55, 58, 59, 63 } };
	const int level = one_in(2) ? p->leaf : from + (int)random_below(p->leaf - from + 1);
	u64 *entry = p->entry[level];

	switch (random_below(leads ? 7 : 4)) {
	case 0: *entry = 0; break;
	case 1: misplace(s, p, level); break;
	case 2: *entry ^= 1UL << ignored[level == p->leaf][random_below(4)]; break;
	case 4: become(s, p, level); break;
	case 5: lead_nowhere(s, p, level); break;
	default: *entry ^= 1UL << flips[random_below(level == p->leaf ? ARRAY_SIZE(flips) : 1)];
	}
	barrier();
}

int stage2_end(const struct stage2 *s, const struct stage2_path *p)
{
	int level = s->start;

	while (level < p->leaf && (*p->entry[level] & 3) == TABLE)
		level++;
	return level;
}

bool stage2_has(const struct stage2 *s, const struct stage2_path *p, u64 ipa)
{
	return !((ipa ^ p->ipa) >> shift_of(s, stage2_end(s, p)));
}

u64 stage2_output(const struct stage2 *s, const struct stage2_path *p, u64 ipa)
{
	const int end = stage2_end(s, p);
	const u64 offset = (1UL << shift_of(s, end)) - 1;

	return (*p->entry[end] & ADDRESS & ~offset) | (ipa & offset);
}

bool stage2_is_nowhere(const struct stage2 *s, const struct stage2_path *p)
{
	for (int level = s->start; level < LAST && level <= p->leaf; level++) {
		const u64 table = table_in(s, *p->entry[level]);

		if ((*p->entry[level] & 3) == TABLE && table - RAM_BASE >= RAM_SIZE)
			return true;
	}
	return false;
}

void stage2_forget(struct stage2 *s)
{
	while (s->nr)
		*s->written[--s->nr] = 0;
	s->tables = 0;
	barrier();
}

void stage2_print(const struct stage2 *s, const struct stage2_path *p)
{
	print("stage 2: granule %u, input %u, PS %u, start %u%s, IPA %lx\n", s->granule, s->input,
	      s->ps, s->start, s->ha ? ", HA" : "", p->ipa);
	for (int level = s->start; level <= p->leaf; level++)
		print("  level %u: %lx\n", level, *p->entry[level]);
}

/* T0SZ, SL0, write-back and inner shareable, TG0, PS: the same fields in VTCR_EL2 and STE[95:64].
 */
static u64 common(const struct stage2 *s)
{
	static const u8 tg0[] = { 0, 2, 1 };
	const int sl0 = s->granule == 12 ? (s->start == 3 ? 3 : 2 - s->start) : 3 - s->start;

	return (64 - s->input) | (u64)sl0 << 6 | 1 << 8 | 1 << 10 | 3 << 12 |
	       (u64)tg0[(s->granule - 12) / 2] << 14 | (u64)s->ps << 16;
}

u64 stage2_vtcr(const struct stage2 *s)
{
	return common(s) | (s->ha ? 1 << 21 : 0) | 1UL << 31;
}

void stage2_ste(const struct stage2 *s, struct ste *ste)
{
	ste->w[2] = common(s) << 32 | STE2_S2AA64 | STE2_S2R | (s->ha ? STE2_S2HA : 0) |
	            STE2_VMID(1);
	ste->w[3] = s->root;
}

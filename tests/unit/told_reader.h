/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_TOLD_READER_H
#define TESTS_UNIT_TOLD_READER_H

#include "vmm/types.h"

/*
 * What a kernel makes of the tables and the tree that it is told the machine by: read from the
 * formats, in Linux's way, by code that has nothing in common with what writes them.
 */
enum told_kind { TOLD_NOTHING, TOLD_SMMU, TOLD_VIOMMU_PCI, TOLD_VIOMMU_MMIO, TOLD_ITS };

/* What a requester is behind, or who takes its messages; and by which ID. */
struct told {
	enum told_kind kind;
	u64 base;    /* of its registers; but of a function: */
	u32 segment; /* number */
	u16 rid;
	u32 id;
};

struct told_tables {
	const u8 *dsdt, *madt, *iort, *viot; /* NULL: there is none */
	const void *tree;
	const char *broken; /* a reader met what it should not: the first such */
};

/* For acpi_for_each(): @ctx is a struct told_tables. */
int told_take(void *ctx, const void *bytes, u32 size);

/* The SMMU that a function, or a slot of virtio-mmio, is behind. */
struct told iort_function(struct told_tables *t, u32 segment, u16 rid);
struct told iort_slot(struct told_tables *t, u64 base);
/* The ITS that has the messages of a function, or of an SMMU. */
struct told iort_function_msi(struct told_tables *t, u32 segment, u16 rid);
struct told iort_smmu_msi(struct told_tables *t, u64 base);
/* How many requester IDs of a segment are behind SMMUs; that no ID is in two ranges is checked. */
u64 iort_covered(struct told_tables *t, u32 segment);
/* How many StreamIDs of an SMMU have messages. */
u64 iort_streams(struct told_tables *t, u64 base);

/* The virtio-iommu. */
struct told viot_function(struct told_tables *t, u32 segment, u16 rid);
struct told viot_slot(struct told_tables *t, u64 base);
u64 viot_covered(struct told_tables *t, u32 segment);

/* Either, by the tree. */
struct told tree_function(struct told_tables *t, u32 segment, u16 rid);
struct told tree_slot(struct told_tables *t, u64 base);
struct told tree_function_msi(struct told_tables *t, u32 segment, u16 rid);
struct told tree_smmu_msi(struct told_tables *t, u64 base);
u64 tree_covered(struct told_tables *t, u32 segment);

/* Ranges of IOVAs that are for a function as they are: how many, and the last one. */
struct told_range {
	unsigned int nr;
	u64 base, size;
};
struct told_range iort_reserved(struct told_tables *t, u32 segment, u16 rid);
struct told_range tree_reserved(struct told_tables *t, u32 segment, u16 rid);
/* The kernel keeps BARs and bus numbers, without which RMRs count for nothing. */
bool dsdt_keeps(struct told_tables *t, u32 segment);

/* Whether a function's faults may stall; how many of a segment's may. */
bool tree_stalls(struct told_tables *t, u32 segment, u16 rid);
unsigned int dsdt_stalls(struct told_tables *t, u32 segment);

/* Whether a host bridge passes on requests for translations; its memory access flags, and whether
 * it is coherent. */
bool iort_ats(struct told_tables *t, u32 segment);
bool tree_ats(struct told_tables *t, u32 segment);
u32 iort_memory(struct told_tables *t, u32 segment);
bool tree_coherent(struct told_tables *t, u32 segment);

/* How many bits PASIDs are of: a function's, by its node; those that a root complex passes on. */
u32 tree_pasids(struct told_tables *t, u32 segment, u16 rid);
u32 iort_pasids(struct told_tables *t, u32 segment);

#endif

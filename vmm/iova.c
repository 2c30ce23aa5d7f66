// SPDX-License-Identifier: GPL-2.0-only
/* The mappings of an IOMMU's address space: a tree by IOVA, each of them counted. */
#include "vmm/iova.h"

#include <errno.h>
#include <stdlib.h>

/* Ranges that overlap are equal: among those in the tree none are. */
static int compare(const struct iova_mapping *a, const struct iova_mapping *b)
{
	return a->last < b->iova ? -1 : a->iova > b->last;
}

RB_PROTOTYPE(iova_tree, iova_mapping, node, compare)
RB_GENERATE(iova_tree, iova_mapping, node, compare)

void iova_init(struct iova_space *s)
{
	*s = (struct iova_space){ .tree = RB_INITIALIZER(&s->tree) };
}

struct iova_mapping *iova_find(struct iova_space *s, u64 iova)
{
	struct iova_mapping key = { .iova = iova, .last = iova };

	return iova_tree_RB_FIND(&s->tree, &key);
}

int iova_map(struct iova_space *s, const struct iova_mapping *m)
{
	struct iova_mapping *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	copy->iova = m->iova;
	copy->last = m->last;
	copy->gpa = m->gpa;
	copy->perm = m->perm;
	if (iova_tree_RB_INSERT(&s->tree, copy)) {
		free(copy);
		return -EEXIST;
	}
	s->nr++;
	return 0;
}

/* Whether a mapping is partly in [@iova, @last] and partly not. */
static bool splits(struct iova_space *s, u64 iova, u64 last)
{
	const struct iova_mapping *m = iova_find(s, iova);

	if (m && m->iova < iova)
		return true;
	m = iova_find(s, last);
	return m && m->last > last;
}

static void remove_mapping(struct iova_space *s, struct iova_mapping *m, struct dma_wait *wait)
{
	iova_tree_RB_REMOVE(&s->tree, m);
	s->nr--;
	s->generation++;
	dma_use_end(&m->use, wait);
}

int iova_unmap(struct iova_space *s, u64 iova, u64 last, struct dma_wait *wait, bool *doorbells)
{
	struct iova_mapping key = { .iova = iova, .last = iova }, *m, *next;

	*doorbells = false;
	if (splits(s, iova, last))
		return -ERANGE;
	for (m = iova_tree_RB_NFIND(&s->tree, &key); m && m->iova <= last; m = next) {
		next = iova_tree_RB_NEXT(m);
		*doorbells |= m->doorbell;
		remove_mapping(s, m, wait);
	}
	return 0;
}

void iova_clear(struct iova_space *s)
{
	struct iova_mapping *m;

	while ((m = RB_MIN(iova_tree, &s->tree)))
		remove_mapping(s, m, NULL);
}

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

struct iova_mapping *iova_next(struct iova_space *s, u64 iova)
{
	struct iova_mapping key = { .iova = iova, .last = iova };

	return iova_tree_RB_NFIND(&s->tree, &key);
}

void iova_gap(struct iova_space *s, u64 iova, u64 *first, u64 *last)
{
	struct iova_mapping *above = iova_next(s, iova);
	struct iova_mapping *below = above ? iova_tree_RB_PREV(above) : RB_MAX(iova_tree, &s->tree);

	if (above && above->iova <= *last)
		*last = above->iova - 1;
	if (below && below->last >= *first)
		*first = below->last + 1;
}

int iova_map(struct iova_space *s, const struct iova_mapping *m)
{
	struct iova_mapping *copy = calloc(1, sizeof(*copy));
	int err;

	if (!copy)
		return -ENOMEM;
	copy->iova = m->iova;
	copy->last = m->last;
	copy->gpa = m->gpa;
	copy->perm = m->perm;
	copy->global = m->global;
	if (iova_tree_RB_INSERT(&s->tree, copy)) {
		free(copy);
		return -EEXIST;
	}
	err = s->mirror ? s->mirror->map(s->mirror, m) : 0;
	if (err) {
		iova_tree_RB_REMOVE(&s->tree, copy);
		free(copy);
		return err;
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

void iova_take(struct iova_space *s, u64 iova, u64 last, u32 kinds, struct dma_wait *wait,
               bool *doorbells)
{
	struct iova_mapping *m, *next;

	*doorbells = false;
	for (m = iova_next(s, iova); m && m->iova <= last; m = next) {
		next = iova_tree_RB_NEXT(m);
		if (!(kinds & (m->global ? IOVA_GLOBAL : IOVA_OWN)))
			continue;
		*doorbells |= m->doorbell;
		remove_mapping(s, m, wait);
	}
}

int iova_unmap(struct iova_space *s, u64 iova, u64 last, struct dma_wait *wait, bool *doorbells)
{
	if (splits(s, iova, last)) {
		*doorbells = false;
		return -ERANGE;
	}
	iova_take(s, iova, last, IOVA_ALL, wait, doorbells);
	if (s->mirror)
		s->mirror->unmap(s->mirror, iova, last);
	return 0;
}

void iova_clear(struct iova_space *s)
{
	struct iova_mapping *m;

	while ((m = RB_MIN(iova_tree, &s->tree)))
		remove_mapping(s, m, NULL);
	if (s->mirror)
		s->mirror->gone(s->mirror);
	s->mirror = NULL;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Page faults for who controls the guest: what the bridges have counted, what waits, and
 * --strict-io, which ends a guest for what it left unanswered. */
#include "machine/fault_control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/dma_test.h"
#include "devices/pci/pci.h"
#include "devices/smmuv3/smmuv3.h"
#include "devices/virtio/iommu.h"
#include "machine/iommu.h"
#include "machine/iommu_kind.h"
#include "machine/machine.h"
#include "machine/session.h"
#include "machine/status.h"

json_t *fault_times_stat(const struct fault_times *t)
{
	json_t *list = json_array();
	unsigned int nr = FAULT_BUCKETS;

	while (nr && !t->answers[nr - 1])
		nr--;
	for (unsigned int i = 0; i < nr; i++)
		json_array_append_new(list, json_integer(t->answers[i]));
	return list;
}

static json_t *bridge_stat(const struct fault_bridge *b)
{
	const struct fault_stats *s = &b->stats;
	json_t *ended = json_object();

	for (unsigned int i = 0; i < FAULT_OUTCOMES; i++)
		json_object_set_new(ended, fault_outcome_word(i), json_integer(s->ended[i]));
	return json_pack("{s:s, s:s, s:I, s:I, s:i, s:o, s:I, s:o}", "kind", "faults", "device",
	                 b->name, "received", (json_int_t)s->received, "shown",
	                 (json_int_t)s->shown, "outstanding", (int)s->outstanding, "ended", ended,
	                 "longest", (json_int_t)s->times.longest, "answers",
	                 fault_times_stat(&s->times));
}

void faults_stat(const struct machine *m, json_t *list)
{
	for (const struct fault_bridge *b = m->faults.bridges; b; b = b->next)
		json_array_append_new(list, bridge_stat(b));
}

static void add_waiting(void *list, const struct fault_request *rq, u64 ns)
{
	json_t *o = json_object();
	char hex[24];

	snprintf(hex, sizeof(hex), "0x%llx", (unsigned long long)rq->addr);
	json_object_set_new(o, "address", json_string(hex));
	if (rq->pasid != DMA_NO_PASID)
		json_object_set_new(o, "pasid", json_integer(rq->pasid));
	json_object_set_new(o, "perm", json_integer(rq->perm));
	json_object_set_new(o, "ns", json_integer(ns));
	json_array_append_new(list, o);
}

void faults_debug(const struct machine *m, json_t *list)
{
	for (const struct fault_bridge *b = m->faults.bridges; b; b = b->next) {
		json_t *waiting = json_array();

		fault_bridge_each(b, add_waiting, waiting);
		json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "kind", "faults", "device",
		                                      b->name, "waiting", waiting));
	}
}

static void left_of_pages(struct faults_left *l, const struct fault_counts *c)
{
	l->automatic += c->automatic;
	l->unanswered += c->waiting;
	l->timed_out += c->timed_out;
}

/* A host's SMMU has its own faults, which are bridges'; records that it lost are this one's too. */
static void left_by_smmu(const struct machine *m, unsigned int i, struct faults_left *l)
{
	struct smmu_counts c;

	smmu_count(m->iommus[i], &c);
	l->lost += c.lost;
	if (m->vsmmus[i])
		return;
	l->unanswered += c.waiting;
	l->timed_out += c.timed_out;
	left_of_pages(l, &c.pages);
}

static void left_by_viommu(const struct virtio_dev *dev, struct faults_left *l)
{
	struct viommu_counts c;

	viommu_count(dev, &c);
	l->lost += c.lost;
	left_of_pages(l, &c.pages);
}

struct faults_left faults_left(const struct machine *m)
{
	struct faults_left l = { 0 };
	struct mailbox_counts c;

	for (unsigned int i = 0; i < m->options->nr_iommus; i++)
		if (m->iommus[i] && m->options->iommus[i].kind == &iommu_smmuv3)
			left_by_smmu(m, i, &l);
	for (unsigned int i = 0; i < m->nr_virtio; i++)
		if (viommu_is(m->virtio[i]))
			left_by_viommu(m->virtio[i], &l);
	for (unsigned int i = 0; i < m->options->nr_dma_tests; i++) {
		if (!m->dma_tests[i])
			continue;
		dma_test_count(m->dma_tests[i], &c);
		left_of_pages(&l, &c.pages);
	}
	return l;
}

int faults_strict(const struct machine *m, int status)
{
	const struct faults_left left = faults_left(m);
	u64 lost = left.lost + m->faults.ended[FAULT_NO_ROOM];
	u64 unanswered = left.unanswered + left.timed_out + m->faults.ended[FAULT_TIMED_OUT];

	for (const struct fault_bridge *b = m->faults.bridges; b; b = b->next)
		unanswered += b->stats.outstanding;
	if (lost || unanswered) {
		log_error("--strict-io: %llu page faults and events were lost, %llu had no answer",
		          (unsigned long long)lost, (unsigned long long)unanswered);
		m->session->io_lost = true;
	}
	return !status && m->session->io_lost ? STATUS_IO_LOST : status;
}

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
#include "vfio/pci.h"

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

static json_t *hex(u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
	return json_string(text);
}

static json_t *add(json_t *list, u32 pasid, u64 ns)
{
	json_t *o = json_object();

	if (pasid != DMA_NO_PASID)
		json_object_set_new(o, "pasid", json_integer(pasid));
	json_object_set_new(o, "ns", json_integer(ns));
	json_array_append_new(list, o);
	return o;
}

static void add_outstanding(void *list, const struct fault_seen_there *f)
{
	json_t *o = add(list, f->request->pasid, f->ns);

	json_object_set_new(o, "address", hex(f->request->addr));
	json_object_set_new(o, "perm", json_integer(f->request->perm));
	json_object_set_new(o, "cookie", json_integer(f->request->cookie));
	if (f->asked)
		json_object_set_new(o, "group", json_integer(f->group));
	if (f->asks)
		json_object_set_new(o, "asks", json_integer(f->asks));
}

static void add_waiting(void *list, const struct fault_waiting *w)
{
	json_t *o = add(list, w->pasid, w->ns);

	json_object_set_new(o, "requester", json_integer(w->requester));
	if (w->stalls)
		json_object_set_new(o, "address", hex(w->iova));
	if (w->named)
		json_object_set_new(o, w->stalls ? "stag" : "group", json_integer(w->name));
}

/* An IOMMU, or a function with a mailbox, that nobody waits at has no line. */
static void add_those_of(json_t *list, const char *device, json_t *waiting, bool always)
{
	if (always || json_array_size(waiting))
		json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "kind", "faults", "device",
		                                      device, "waiting", waiting));
	else
		json_decref(waiting);
}

static void iommus_debug(const struct machine *m, json_t *list)
{
	for (unsigned int i = 0; i < m->options->nr_iommus; i++) {
		const struct iommu_option *o = &m->options->iommus[i];
		json_t *waiting = json_array();

		if (o->kind == &iommu_smmuv3)
			smmu_each_waiting(m->iommus[i], add_waiting, waiting);
		else
			viommu_each_waiting(m->iommus[i], add_waiting, waiting);
		add_those_of(list, o->id, waiting, false);
	}
}

void faults_debug(const struct machine *m, json_t *list)
{
	for (const struct fault_bridge *b = m->faults.bridges; b; b = b->next) {
		json_t *waiting = json_array();

		fault_bridge_each(b, add_outstanding, waiting);
		add_those_of(list, b->name, waiting, true);
	}
	iommus_debug(m, list);
	for (unsigned int i = 0; i < m->options->nr_dma_tests; i++) {
		json_t *waiting = json_array();

		if (m->dma_tests[i])
			dma_test_each_waiting(m->dma_tests[i], add_waiting, waiting);
		add_those_of(list, "dma-test", waiting, false);
	}
	for (unsigned int i = 0; i < m->options->nr_vfio; i++) {
		json_t *waiting = json_array();

		if (m->vfio[i].pci)
			vfio_pci_each_waiting(m->vfio[i].pci, add_waiting, waiting);
		add_those_of(list, m->options->vfio[i].at, waiting, false);
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
	for (unsigned int i = 0; i < m->options->nr_vfio; i++)
		if (m->vfio[i].pci && vfio_pci_count_pages(m->vfio[i].pci, &c))
			l.unanswered += c.waiting; /* the rest is its bridge's */
	return l;
}

int faults_strict(const struct machine *m, int status)
{
	const struct faults_left left = faults_left(m);
	u64 lost = left.lost + m->faults.ended[FAULT_NO_ROOM];
	u64 unanswered = left.unanswered + left.timed_out + m->faults.ended[FAULT_TIMED_OUT];

	for (const struct fault_bridge *b = m->faults.bridges; b; b = b->next)
		unanswered += fault_bridge_waiting(b);
	if (lost || unanswered) {
		log_error("--strict-io: %llu page faults and events were lost, %llu had no answer",
		          (unsigned long long)lost, (unsigned long long)unanswered);
		m->session->io_lost = true;
	}
	return !status && m->session->io_lost ? STATUS_IO_LOST : status;
}

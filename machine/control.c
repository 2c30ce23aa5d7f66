// SPDX-License-Identifier: GPL-2.0-only
/* What the control socket asks of this machine: its power button, and its devices in figures and in
 * detail (docs/json/stat.json, debug.json). */
#include "control/control.h"

#include <endian.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/hex.h"
#include "devices/dma_test.h"
#include "devices/smmuv3/smmuv3.h"
#include "devices/virtio/iommu.h"
#include "devices/virtio/virtio.h"
#include "machine/fault_control.h"
#include "machine/iommu.h"
#include "machine/iommu_kind.h"
#include "machine/machine.h"
#include "vfio/pci.h"
#include "vfio/vsmmu.h"

int machine_list_virtio(struct machine *m, struct virtio_dev *dev)
{
	struct virtio_dev **more = realloc(m->virtio, (m->nr_virtio + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	m->virtio = more;
	m->virtio[m->nr_virtio++] = dev;
	return 0;
}

static int press_power(void *machine)
{
	struct machine *m = machine;

	return m->press_power ? m->press_power(m) : -ENODEV;
}

static json_t *queue_stat(const struct virtq *vq)
{
	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "index", vq->index, "notified",
	                 (json_int_t)vq->notified, "popped", (json_int_t)vq->popped, "pushed",
	                 (json_int_t)vq->pushed, "interrupts", (json_int_t)vq->interrupts,
	                 "bytes-out", (json_int_t)vq->bytes_out, "bytes-in",
	                 (json_int_t)vq->bytes_in);
}

static json_t *queue_debug(const struct virtq *vq)
{
	return json_pack("{s:i, s:i, s:b, s:o, s:o, s:o, s:i, s:i}", "index", vq->index, "size",
	                 vq->size, "enabled", vq->enabled, "desc", json_hex(vq->desc), "avail",
	                 json_hex(vq->avail), "used", json_hex(vq->used), "next-avail",
	                 vq->next_avail, "next-used", vq->next_used);
}

static json_t *queues(const struct virtio_dev *dev, json_t *(*fn)(const struct virtq *vq))
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < dev->nr_queues; i++)
		json_array_append_new(list, fn(&dev->vq[i]));
	return list;
}

/* Of the endpoints' page requests. */
static json_t *pages_stat(const struct fault_counts *c)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "raised",
	                 (json_int_t)c->raised, "refused", (json_int_t)c->refused, "answered",
	                 (json_int_t)c->answered, "automatic", (json_int_t)c->automatic, "ended",
	                 (json_int_t)c->ended, "forgotten", (json_int_t)c->forgotten, "timed-out",
	                 (json_int_t)c->timed_out, "late", (json_int_t)c->late, "duplicate",
	                 (json_int_t)c->duplicate, "unknown", (json_int_t)c->unknown, "longest",
	                 (json_int_t)c->times.longest, "answers", fault_times_stat(&c->times));
}

static json_t *iommu_stat(const struct virtio_dev *dev)
{
	struct viommu_counts c;

	viommu_count(dev, &c);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
	                 "attach", (json_int_t)c.requests[1], "detach", (json_int_t)c.requests[2],
	                 "map", (json_int_t)c.requests[3], "unmap", (json_int_t)c.requests[4],
	                 "probe", (json_int_t)c.requests[5], "unknown", (json_int_t)c.requests[0],
	                 "failed", (json_int_t)c.failed, "domains", (json_int_t)c.domains,
	                 "mappings", (json_int_t)c.mappings, "accesses", (json_int_t)c.accesses,
	                 "faults", (json_int_t)c.faults, "events", (json_int_t)c.events, "lost",
	                 (json_int_t)c.lost, "pages", pages_stat(&c.pages));
}

static json_t *virtio_stat(const struct virtio_dev *dev)
{
	json_t *stat = json_pack("{s:s, s:s, s:o}", "kind", "virtio", "type", dev->type->name,
	                         "queues", queues(dev, queue_stat));

	if (viommu_is(dev))
		json_object_set_new(stat, "iommu", iommu_stat(dev));
	return stat;
}

/* Of what the host's SMMU does in its place. */
static json_t *host_stat(const struct vsmmu *v)
{
	struct vsmmu_counts c;

	vsmmu_count(v, &c);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "installed",
	                 (json_int_t)c.installed, "failed", (json_int_t)c.failed, "commands",
	                 (json_int_t)c.commands, "calls", (json_int_t)c.calls, "refused",
	                 (json_int_t)c.refused, "events", (json_int_t)c.events, "events-lost",
	                 (json_int_t)c.events_lost, "faults", (json_int_t)c.faults, "answers",
	                 (json_int_t)c.answers, "answers-late", (json_int_t)c.answers_late);
}

static json_t *smmu_stat(const struct machine *m, unsigned int i)
{
	struct smmu_counts c;
	json_t *o;

	smmu_count(m->iommus[i], &c);
	o = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
	              "s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
	              "kind", "smmuv3", "id", m->options->iommus[i].id, "commands",
	              (json_int_t)c.commands, "syncs", (json_int_t)c.syncs, "errors",
	              (json_int_t)c.errors, "invalidations", (json_int_t)c.invalidations, "events",
	              (json_int_t)c.events, "lost", (json_int_t)c.lost, "stalls",
	              (json_int_t)c.stalls, "resumed", (json_int_t)c.resumed, "terminated",
	              (json_int_t)c.terminated, "timed-out", (json_int_t)c.timed_out, "late",
	              (json_int_t)c.late, "waiting", (json_int_t)c.waiting, "held",
	              (json_int_t)c.held, "accesses", (json_int_t)c.accesses, "faults",
	              (json_int_t)c.faults, "ats-requests", (json_int_t)c.requests, "ats-accesses",
	              (json_int_t)c.translated, "atc-invalidations",
	              (json_int_t)c.atc_invalidations, "hits", (json_int_t)c.hits, "walks",
	              (json_int_t)c.walks, "cached", (json_int_t)c.cached, "pages",
	              pages_stat(&c.pages));
	json_object_set_new(o, "stalls-longest", json_integer(c.stall_times.longest));
	json_object_set_new(o, "stalls-answers", fault_times_stat(&c.stall_times));
	if (m->vsmmus[i])
		json_object_set_new(o, "host", host_stat(m->vsmmus[i]));
	return o;
}

static json_t *mailbox_stat(const char *kind, const struct mailbox_counts *c)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:o}", "kind", kind, "full",
	                 (json_int_t)c->full, "failed", (json_int_t)c->failed, "messages",
	                 (json_int_t)c->messages, "waiting", (json_int_t)c->waiting, "pages",
	                 pages_stat(&c->pages));
}

/* Of a DMA endpoint whose page requests no IOMMU takes. */
static json_t *dma_test_stat(const struct dma_test *d, unsigned int index)
{
	const bool mailbox = dma_test_route(d) == DMA_TEST_MAILBOX;
	struct mailbox_counts c;
	json_t *o;

	dma_test_count(d, &c);
	o = mailbox_stat("dma-test", &c);
	json_object_set_new(o, "index", json_integer(index));
	json_object_set_new(o, "fault", json_string(mailbox ? "mailbox" : "off"));
	return o;
}

/* Of a function of the host's. */
static void add_mailbox_stat(const struct machine *m, unsigned int i, json_t *list)
{
	struct mailbox_counts c;
	json_t *o;

	if (!m->vfio[i].pci || !vfio_pci_count_pages(m->vfio[i].pci, &c))
		return;
	o = mailbox_stat("mailbox", &c);
	json_object_set_new(o, "device", json_string(m->options->vfio[i].at));
	json_array_append_new(list, o);
}

static json_t *virtio_debug(const struct virtio_dev *dev)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:b, s:i, s:o}", "kind", "virtio", "type",
	                 dev->type->name, "status", json_hex(dev->status), "offered",
	                 json_hex(dev->features), "acked", json_hex(dev->acked), "resetting",
	                 dev->resetting, "in-flight", (int)dev->in_flight, "queues",
	                 queues(dev, queue_debug));
}

static json_t *stat(void *machine)
{
	struct machine *m = machine;
	const struct options *o = m->options;
	json_t *list = json_array();

	for (unsigned int i = 0; i < m->nr_virtio; i++)
		json_array_append_new(list, virtio_stat(m->virtio[i]));
	for (unsigned int i = 0; i < o->nr_iommus; i++)
		if (o->iommus[i].kind == &iommu_smmuv3)
			json_array_append_new(list, smmu_stat(m, i));
	for (unsigned int i = 0; i < o->nr_dma_tests; i++)
		if (m->dma_tests[i] && dma_test_route(m->dma_tests[i]) != DMA_TEST_IOMMU)
			json_array_append_new(list, dma_test_stat(m->dma_tests[i], i));
	for (unsigned int i = 0; i < o->nr_vfio; i++)
		add_mailbox_stat(m, i, list);
	faults_stat(m, list);
	return list;
}

/* Configuration space as the guest reads it, but for the counters of its region. */
struct segment {
	const struct platform_pci *pci;
	const struct mmio_region *ecam;
};

static u32 config_read(const struct segment *s, unsigned int rid, unsigned int reg)
{
	return s->ecam->ops->read(s->ecam->dev, (u64)rid << 12 | reg, 4);
}

static bool is_multifunction(const struct segment *s, unsigned int rid)
{
	return config_read(s, rid, PCI_CACHE_LINE_SIZE) >> 16 & PCI_HEADER_TYPE_MFD;
}

static json_t *function_debug(const struct segment *s, unsigned int rid)
{
	u32 id = config_read(s, rid, PCI_VENDOR_ID);
	u8 type = config_read(s, rid, PCI_CACHE_LINE_SIZE) >> 16 & PCI_HEADER_TYPE_MASK;
	unsigned int nr_bars = type == PCI_HEADER_TYPE_BRIDGE ? 2 : PCI_STD_NUM_BARS;
	json_t *bars = json_array();
	char address[16];

	for (unsigned int i = 0; i < nr_bars; i++)
		json_array_append_new(bars,
		                      json_hex(config_read(s, rid, PCI_BASE_ADDRESS_0 + i * 4)));
	snprintf(address, sizeof(address), "%04x:%02x:%02x.%x", s->pci->segment, rid >> 8,
	         rid >> 3 & 31, rid & 7);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "kind", "pci", "address", address,
	                 "vendor", json_hex(id & 0xffff), "device", json_hex(id >> 16), "command",
	                 json_hex(config_read(s, rid, PCI_COMMAND) & 0xffff), "bars", bars);
}

/* Every bus: the guest numbers them, and so a walk along bridges might never end. */
static void segment_debug(const struct segment *s, json_t *list)
{
	unsigned int nr = (s->pci->last_bus + 1u) << 8;

	for (unsigned int rid = 0; rid < nr; rid++) {
		if (rid & 7 && !is_multifunction(s, rid & ~7u))
			rid |= 7; /* there is only function 0 */
		else if (config_read(s, rid, PCI_VENDOR_ID) != ~0u)
			json_array_append_new(list, function_debug(s, rid));
	}
}

static void pci_debug(struct machine *m, json_t *list)
{
	const struct mmio_bus *bus = &m->vm.mmio;

	for (unsigned int i = 0; i < m->platform.nr_pci; i++)
		for (unsigned int at = 0; at < bus->nr; at++)
			if (bus->regions[at].base == m->platform.pci[i].ecam)
				segment_debug(
					&(struct segment){ &m->platform.pci[i], &bus->regions[at] },
					list);
}

static json_t *debug(void *machine)
{
	struct machine *m = machine;
	json_t *list = json_array();

	for (unsigned int i = 0; i < m->nr_virtio; i++)
		json_array_append_new(list, virtio_debug(m->virtio[i]));
	pci_debug(m, list);
	faults_debug(m, list);
	return list;
}

/* NULL: no SMMUv3 has that ID. */
static struct smmu *find_smmu(struct machine *m, const char *id)
{
	const int i = iommu_index(m->options, id);

	return i >= 0 && m->options->iommus[i].kind == &iommu_smmuv3 ? m->iommus[i] : NULL;
}

static void add_step(void *steps, const char *text)
{
	json_array_append_new(steps, json_string(text));
}

static const char *walk(void *machine, const struct control_walk *w, json_t *steps)
{
	struct smmu *s = find_smmu(machine, w->iommu);

	if (!s)
		return "the ID of an SMMUv3 of this guest";
	smmu_debug(s, w->sid, w->ssid == CONTROL_NO_SSID ? SMMU_NO_SSID : w->ssid, w->iova,
	           add_step, steps);
	return NULL;
}

static const char *inject(void *machine, const char *iommu, const char *error)
{
	struct smmu *s = find_smmu(machine, iommu);

	return s ? smmu_inject(s, error) : "the ID of an SMMUv3 of this guest as iommu";
}

static const char *fault(void *machine, const struct control_fault *f, struct control_answer *a)
{
	return faults_raise(machine, f, a);
}

const struct control_ops machine_control_ops = {
	.press_power = press_power,
	.stat = stat,
	.debug = debug,
	.walk = walk,
	.inject = inject,
	.fault = fault,
};

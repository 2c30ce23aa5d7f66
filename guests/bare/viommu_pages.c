/* SPDX-License-Identifier: GPL-2.0-only */
/* Page requests by a virtio-iommu (docs/virtio-iommu-experimental.md): the DMA endpoint asks, and
 * the driver answers, or does not. */
#include "lib/leaves.h"
#include "lib/viommu_endpoint.h"

enum {
	FLAG_READ = 1,
	FLAG_WRITE = 2,
	FLAG_ADDRESS = 0x100,
	FLAG_PAGE = 0x10000,
	FLAG_PASID = 0x20000,
	FLAG_LAST = 0x40000
};

#define NO_PASID (~0u)

struct page_event {
	struct viommu_event fault;
	u32 pasid;
	u16 group, reserved;
};

static struct page_event events[QUEUE_SIZE];
static u16 seen;

/* Buffers of the larger size. */
static void start_for_pages(u64 features)
{
	check(device_start(&v.dev, VIOMMU_FEATURES | features), "the device refuses");
	seen = 0;
	for (u16 i = 0; i < QUEUE_SIZE; i++) {
		v.dev.ring[EVENTQ].desc[i] =
			(struct desc){ (u64)&events[i], sizeof(events[i]), DESC_WRITE, 0 };
		device_offer(&v.dev, EVENTQ, i);
	}
}

static const struct page_event *next_event(void)
{
	struct ring *r = &v.dev.ring[EVENTQ];
	const struct page_event *e;

	check(wait_for(*(volatile u16 *)&r->used.idx != seen, LONG), "no event");
	barrier();
	e = &events[r->used.ring[seen % QUEUE_SIZE].id];
	check(r->used.ring[seen++ % QUEUE_SIZE].len ==
	              (e->fault.flags & FLAG_PAGE ? sizeof(*e) : sizeof(e->fault)),
	      "used length");
	return e;
}

static u8 respond_to(u32 endpoint, u32 pasid, u16 group, u8 code)
{
	u32 *w = (u32 *)&v.request;

	memset(&v.request, 0, sizeof(v.request));
	v.request.type = T_PAGE_RESPONSE;
	w[1] = endpoint;
	w[2] = pasid != NO_PASID;
	w[3] = pasid != NO_PASID ? pasid : 0;
	w[4] = group | (u32)code << 16;
	return viommu_ask(&v, 20, 4);
}

static u8 respond(u32 endpoint, u16 group, u8 code)
{
	return respond_to(endpoint, NO_PASID, group, code);
}

static void enable_pri(void)
{
	u64 ats = pci_ext_capability(d.rid, EXT_ATS), pri = pci_ext_capability(d.rid, EXT_PRI);

	check(ats && pri, "no ATS, or no PRI");
	write16(ats + 6, 1 << 15);
	write32(pri + 12, 32); /* allocation */
	write16(pri + 4, 1);
}

static void begin(void)
{
	find(VIOMMU_FEATURES);
	enable_pri();
	start_for_pages(F_PAGE_REQUEST);
	attach();
}

static struct dma_op ask(u64 iova, u16 group, u32 flags)
{
	return (struct dma_op){ .op = DMA_PAGE_REQUEST,
		                .flags = DMA_F_READ | flags,
		                .iova = iova,
		                .length = PAGE,
		                .arg0 = group };
}

static void answered(unsigned int slot, u8 code, const char *which)
{
	check(wait_for(dma_state(&d, slot) == DMA_ENDED, LONG) && dma_result(&d, slot) == code,
	      "%s: state %u, code %lx", which, dma_state(&d, slot), dma_result(&d, slot));
}

static void pages(void)
{
	struct dma_op op = ask(IOVA, 5, DMA_F_LAST);
	const struct page_event *e;

	find(VIOMMU_FEATURES);
	enable_pri();
	attach();
	check(dma_run(&d, 0, &op) == DMA_REFUSED, "asked of a driver that took no such feature");
	start_for_pages(F_PAGE_REQUEST);
	check(dma_run(&d, 0, &op) == DMA_REFUSED, "asked while attached to nothing");
	attach();
	op = ask(IOVA + PAGE, 5, 0);
	check(dma_run(&d, 0, &op) == DMA_DONE, "the first of a group");
	op = ask(IOVA + 2 * PAGE, 5, DMA_F_LAST);
	dma_start(&d, 1, &op);
	e = next_event();
	check(e->fault.reason == 2 && e->fault.endpoint == ep && e->fault.address == IOVA + PAGE &&
	              e->fault.flags == (FLAG_READ | FLAG_ADDRESS | FLAG_PAGE) && e->group == 5 &&
	              !e->pasid,
	      "the first: flags %x, address %lx, group %u", e->fault.flags, e->fault.address,
	      e->group);
	e = next_event();
	check(e->fault.flags == (FLAG_READ | FLAG_ADDRESS | FLAG_PAGE | FLAG_LAST) &&
	              e->fault.address == IOVA + 2 * PAGE,
	      "the last: flags %x, address %lx", e->fault.flags, e->fault.address);
	check(dma_state(&d, 1) == DMA_AWAITS, "state %u", dma_state(&d, 1));
	check(respond(ep, 6, 0) == S_NOENT, "a group that does not wait");
	check(respond(ep + 8, 5, 0) == S_NOENT, "an endpoint there is not");
	check(respond(ep, 5, 3) == S_INVAL, "a code there is not");
	check(respond(ep, 5, 0) == S_OK, "success");
	answered(1, 0, "success");
	check(respond(ep, 5, 0) == S_NOENT, "answered twice");
	op = ask(IOVA, 7, DMA_F_LAST);
	dma_start(&d, 1, &op);
	next_event();
	check(respond(ep, 7, 1) == S_OK, "invalid");
	answered(1, 1, "invalid");
}

/* What the endpoint asks for the driver maps in its own table, and needs no INVALIDATE for it. */
static void pages_table(void)
{
	struct dma_op op = ask(IOVA + 5 * PAGE, 5, DMA_F_LAST);
	const struct dma_op use = fill(IOVA + 5 * PAGE, 8, 0);
	const struct page_event *e;

	find(VIOMMU_FEATURES);
	enable_pri();
	start_for_pages(F_PAGE_REQUEST | F_ATTACH_TABLE);
	attach_table();
	check(dma_run(&d, 0, &use) == DMA_FAULT, "a page that is not there");
	e = next_event();
	check(e->fault.flags == (FLAG_WRITE | FLAG_ADDRESS), "no fault: flags %x", e->fault.flags);
	dma_start(&d, 1, &op);
	e = next_event();
	check(e->fault.address == IOVA + 5 * PAGE && e->group == 5,
	      "another: address %lx, group %u", e->fault.address, e->group);
	tables_map(&owned, e->fault.address, (u64)memory, 1, S1_OWN);
	check(respond(ep, 5, 0) == S_OK, "success");
	answered(1, 0, "success");
	check(dma_run(&d, 0, &use) == DMA_DONE, "the page is not reached: reason %u",
	      dma_reason(&d, 0));
	check(*(volatile u64 *)memory == dma_pattern(1), "nothing was written");
}

/* In slot 0 from a process, in 1 from another, in 2 from none: of group 5. */
static void ask_thrice(u32 pasid)
{
	const u32 flags = FLAG_READ | FLAG_ADDRESS | FLAG_PAGE | FLAG_LAST;
	struct dma_op op = ask(IOVA, 5, DMA_F_LAST | DMA_F_PASID);

	for (unsigned int i = 0; i < 3; i++) {
		const u32 want = i < 2 ? pasid + i : 0;
		const struct page_event *e;

		op.pasid = want;
		if (i == 2)
			op.flags &= ~DMA_F_PASID;
		dma_start(&d, i, &op);
		e = next_event();
		check(e->fault.flags == (flags | (i < 2 ? FLAG_PASID : 0)) && e->pasid == want &&
		              e->group == 5,
		      "request %u: flags %x, PASID %x", i, e->fault.flags, e->pasid);
	}
}

/* A group's number is another group's with another PASID, and with none. */
static void pages_pasid(void)
{
	const u32 pasid = 0xabcde;
	struct dma_op op = {
		.op = DMA_CHECK, .flags = DMA_F_PASID, .iova = IOVA, .length = 8, .pasid = pasid
	};

	find(VIOMMU_FEATURES);
	start_for_pages(F_PAGE_REQUEST);
	attach();
	check(dma_run(&d, 0, &op) == DMA_REFUSED, "PASIDs are not enabled");
	dma_enable_pasids(&d);
	enable_pri();
	ask_thrice(pasid);
	check(respond_to(ep, pasid + 2, 5, 0) == S_NOENT, "a PASID that asked nothing");
	check(respond_to(ep, pasid + 1, 5, 1) == S_OK, "answer the second");
	answered(1, 1, "the second");
	check(respond(ep, 5, 0) == S_OK, "answer the third");
	answered(2, 0, "the third");
	check(dma_state(&d, 0) == DMA_AWAITS, "the first has the others' answer");
	check(respond_to(ep, pasid, 5, 0) == S_OK, "answer the first");
	answered(0, 0, "the first");
	check(dma_run(&d, 0, &op) == DMA_FAULT && dma_reason(&d, 0) == DMA_NOT_ATTACHED,
	      "a process has no address space: reason %u", dma_reason(&d, 0));
}

/* A group whose driver goes away has its answer all the same. */
static void pages_end(void)
{
	struct dma_op op = ask(IOVA, 9, DMA_F_LAST);

	begin();
	dma_start(&d, 0, &op);
	next_event();
	check(!viommu_detach(&v, DOMAIN, ep), "detach");
	answered(0, 1, "detach");
	check(respond(ep, 9, 0) == S_NOENT, "answered after that");
	attach();
	dma_start(&d, 0, &op);
	next_event();
	check(where_reset(&v.dev.where), "the reset does not end");
	answered(0, 1, "reset");
}

/* A group that is never answered. */
static void never(void)
{
	const struct dma_op op = ask(IOVA, 9, DMA_F_LAST);

	begin();
	dma_start(&d, 0, &op);
	next_event();
	check(dma_state(&d, 0) == DMA_AWAITS, "state %u", dma_state(&d, 0));
}

static void waits(void)
{
	never();
	leave_waiting();
}

static void panics(void)
{
	never();
	leave_in_panic();
}

/* Of what waited when the machine was reset, nothing is there. */
static void again(void)
{
	leave_by_reset(pages, never);
}

/* fault-timeout=: a group ends by itself, and its name is taken until the guest answers. */
static void late(void)
{
	const struct dma_op op = ask(IOVA, 4, DMA_F_LAST);

	begin();
	for (unsigned int round = 0; round < 3; round++) {
		dma_start(&d, 0, &op);
		next_event();
		answered(0, 1, "in the guest's stead");
		check(dma_run(&d, 1, &op) == DMA_REFUSED, "a name that is taken");
		check(respond(ep, 4, 0) == S_NOENT, "too late");
	}
}

static u64 took[1000]; /* ticks, in order */

static void keep(u64 ticks, size_t nr)
{
	for (; nr && took[nr - 1] > ticks; nr--)
		took[nr] = took[nr - 1];
	took[nr] = ticks;
}

static void figure(const char *name, u64 ticks)
{
	u64 tenths = ticks * 10000000 / read_sysreg(cntfrq_el0);

	print("figure virtio_%s us %lu.%lu\n", name, tenths / 10, tenths % 10);
}

static u64 exit_ticks(void)
{
	const unsigned int nr = 1000;
	const u64 from = now();

	for (unsigned int i = 0; i < nr; i++)
		dma_state(&d, 0);
	return (now() - from) / nr + 1;
}

/* What a page request takes, there and back, where nothing but the driver's loop answers (bench/).
 */
static void pages_take(void)
{
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(took); i++) {
		const struct dma_op op = ask(IOVA, i % 512, DMA_F_LAST);
		const u64 from = now();

		dma_start(&d, 0, &op);
		device_offer(&v.dev, EVENTQ, next_event() - events);
		check(respond(ep, i % 512, 0) == S_OK, "response %lu", i);
		answered(0, 0, "success");
		keep(now() - from, i);
	}
	figure("p50", took[ARRAY_SIZE(took) / 2]);
	print("figure virtio_p50_exits exits %lu\n", took[ARRAY_SIZE(took) / 2] / exit_ticks());
	figure("p99", took[ARRAY_SIZE(took) * 99 / 100]);
	figure("max", took[ARRAY_SIZE(took) - 1]);
}

#define SLOTS QUEUE_SIZE

/* As many as there are event buffers wait, and each is asked for again as it has its answer. */
static void pages_rate(void)
{
	const unsigned int nr = 2000;
	u64 from;

	begin();
	from = now();
	for (unsigned int i = 0; i < nr + SLOTS; i++) {
		const unsigned int slot = i % SLOTS;
		const struct dma_op op = ask(IOVA, slot, DMA_F_LAST);

		if (i >= SLOTS) {
			device_offer(&v.dev, EVENTQ, next_event() - events);
			check(respond(ep, slot, 0) == S_OK, "response %u", i);
			answered(slot, 0, "success");
		}
		if (i < nr)
			dma_start(&d, slot, &op);
	}
	print("figure virtio_rate requests/s %lu\n", nr * read_sysreg(cntfrq_el0) / (now() - from));
}

static const struct test tests[] = {
	{ "pages", pages },
	{ "pages-end", pages_end },
	{ "pages-take", pages_take },
	{ "pages-rate", pages_rate },
	{ "pages-table", pages_table },
	{ "pages-pasid", pages_pasid },
	{ "never", never },
	{ "waits", waits },
	{ "panics", panics },
	{ "again", again },
	{ "late", late },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

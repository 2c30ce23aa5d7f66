/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtio-iommu and transfers in flight: what takes memory away waits for them; and page requests.
 * The DMA endpoint is behind it. */
#include "lib/dmatest.h"
#include "lib/tables.h"
#include "lib/viommu.h"

#define DOMAIN 3
#define IOVA   0x40000000UL

static struct viommu v;
static struct dma_test d;
static u32 ep;
static u8 memory[4 * PAGE] __attribute__((aligned(4096)));

static void find(u64 features)
{
	viommu_find(&v);
	dma_test_find(&d);
	ep = d.rid;
	viommu_start(&v, features);
}

static void attach(void)
{
	check(!viommu_attach(&v, DOMAIN, ep, 0), "attach");
	for (u64 i = 0; i < 4; i++)
		check(!viommu_map(&v, DOMAIN, IOVA + i * PAGE, IOVA + (i + 1) * PAGE - 1,
		                  (u64)memory + i * PAGE, MAP_READ | MAP_WRITE),
		      "map");
	memset(memory, 0, sizeof(memory));
}

/* The lower half's, with pages of 4 KiB, addresses of 39 bits and outputs of 40. */
#define TCR    (T0SZ | 0x35UL << 8 | 1UL << 23 | 2UL << 32)
#define S1_OWN (S1_PAGE | ENTRY_NG)

static struct tables owned;

/* A table of the driver's, with pages 0 to 3. */
static void attach_table(void)
{
	tables_clear(&owned);
	tables_map(&owned, IOVA, (u64)memory, 4, S1_OWN);
	check(!viommu_attach_table(&v, DOMAIN, ep, TCR, (u64)owned.table[0], 0), "attach");
	memset(memory, 0, sizeof(memory));
}

static struct dma_op fill(u64 iova, u64 length, u32 flags)
{
	return (struct dma_op){
		.op = DMA_FILL, .flags = flags, .iova = iova, .length = length, .arg0 = 1
	};
}

/* In slot 0: IOVA's first two pages, mapped and not yet written. */
static void hold(void)
{
	struct dma_op op = fill(IOVA, 2 * PAGE, DMA_F_HELD);

	dma_start(&d, 0, &op);
	check(wait_for(dma_state(&d, 0) == DMA_HOLDS, LONG), "nothing is held");
}

static void waits_for_release(const char *what)
{
	check(!wait_for(device_done(&v.dev, REQUESTQ), 50), "%s: does not wait", what);
	check(!memory[0] && !memory[2 * PAGE - 1], "%s: written before its time", what);
	dma_control(&d, 0, DMA_RELEASE);
	check(wait_for(device_done(&v.dev, REQUESTQ), LONG), "%s: does not end", what);
	check(!*(volatile u8 *)v.answer, "%s: status %u", what, v.answer[0]);
	check(wait_for(dma_state(&d, 0) == DMA_ENDED, LONG) && dma_outcome(&d, 0) == DMA_DONE,
	      "%s: outcome %u", what, dma_outcome(&d, 0));
	check(memory[8] | memory[9], "%s: nothing was written", what);
}

static void unmap(void)
{
	const struct dma_op look = { .op = DMA_CHECK, .iova = IOVA, .length = PAGE };

	find(VIOMMU_FEATURES);
	attach();
	hold();
	check(!viommu_unmap(&v, DOMAIN, IOVA + 2 * PAGE, IOVA + 4 * PAGE - 1),
	      "an unmap of other pages");
	memset(&v.request, 0, sizeof(v.request));
	v.request.type = T_UNMAP;
	v.request.unmap_domain = DOMAIN;
	v.request.unmap_start = IOVA;
	v.request.unmap_end = IOVA + 2 * PAGE - 1;
	viommu_offer(&v, 28, 4);
	/* The request is taken in its own time; from then on there is nothing for new accesses. */
	check(wait_for(dma_run(&d, 1, &look) == DMA_FAULT, LONG) && dma_fault_at(&d, 1) == IOVA,
	      "a new access while the unmap waits");
	waits_for_release("an unmap");
}

static void detach(void)
{
	find(VIOMMU_FEATURES);
	attach();
	hold();
	memset(&v.request, 0, sizeof(v.request));
	v.request.type = T_DETACH;
	v.request.domain = DOMAIN;
	v.request.endpoint = ep;
	viommu_offer(&v, 20, 4);
	waits_for_release("a detach");
	attach();
	hold();
	memset(&v.request, 0, sizeof(v.request));
	v.request.type = T_ATTACH;
	v.request.domain = DOMAIN + 1;
	v.request.endpoint = ep;
	viommu_offer(&v, 20, 4);
	waits_for_release("an attach elsewhere");
}

/* A table of the driver's: what it takes from endpoints is INVALIDATE's to take. */
static void invalidate(void)
{
	const struct dma_op look = { .op = DMA_CHECK, .iova = IOVA, .length = 8 };

	find(VIOMMU_FEATURES | F_ATTACH_TABLE);
	attach_table();
	hold();
	check(!viommu_invalidate(&v, DOMAIN, IOVA + 2 * PAGE, 2), "other pages");
	*(volatile u64 *)tables_entry(&owned, IOVA, 3) = (u64)(memory + 3 * PAGE) | S1_OWN;
	*(volatile u64 *)(memory + 3 * PAGE) = 99;
	barrier();
	viommu_make_invalidate(&v, DOMAIN, IOVA, 1);
	viommu_offer(&v, 60, 4);
	/* The request is taken in its own time; from then on new accesses go elsewhere. */
	check(wait_for(dma_run(&d, 1, &look) == DMA_DONE && dma_result(&d, 1) == dma_checksum(99),
	               LONG),
	      "a new access while the invalidation waits");
	waits_for_release("an invalidation");
}

static void reset(void)
{
	find(VIOMMU_FEATURES);
	attach();
	hold();
	where_set_status(&v.dev.where, 0);
	check(!wait_for(!where_status(&v.dev.where), 50), "the reset does not wait");
	dma_control(&d, 0, DMA_RELEASE);
	check(wait_for(!where_status(&v.dev.where), LONG), "the reset does not end");
	check(memory[8] | memory[9], "nothing was written");
	viommu_start(&v, VIOMMU_FEATURES);
	attach();
}

/* Where an access ends, exactly; and an atomic one. */
static void edges(void)
{
	struct dma_op op = fill(IOVA + 100, 4 * PAGE, 0);

	find(VIOMMU_FEATURES);
	attach();
	check(dma_run(&d, 0, &op) == DMA_FAULT, "outcome %u", dma_outcome(&d, 0));
	check(dma_reason(&d, 0) == DMA_NOT_MAPPED, "reason %u", dma_reason(&d, 0));
	check(dma_fault_at(&d, 0) == IOVA + 4 * PAGE && dma_done(&d, 0) == 4 * PAGE - 100,
	      "fault at %lx, %lu bytes done", dma_fault_at(&d, 0), dma_done(&d, 0));
	check(!memory[99] && (memory[4 * PAGE - 1] | memory[4 * PAGE - 2]), "not what was said");
	op = (struct dma_op){
		.op = DMA_CAS, .iova = IOVA + PAGE, .length = 8, .arg1 = 0x1122334455667788
	};
	*(volatile u64 *)(memory + PAGE) = 0;
	check(dma_run(&d, 0, &op) == DMA_REFUSED, "an atomic operation that nobody enabled");
}

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

/* In bypass mode what a process reads, or executes, is where it says. */
static void bypass_pasid(void)
{
	struct dma_op op = { .op = DMA_CHECK,
		             .flags = DMA_F_PASID | DMA_F_EXEC,
		             .iova = (u64)memory,
		             .length = 8,
		             .pasid = 7 };
	u64 at;

	find(VIOMMU_FEATURES);
	at = pci_ext_capability(d.rid, EXT_PASID);
	check(at, "no PASIDs");
	write16(at + 6, 3); /* with execute permission */
	check(!viommu_attach(&v, DOMAIN, ep, ATTACH_BYPASS), "attach");
	check(dma_run(&d, 0, &op) == DMA_DONE, "in a bypass domain: outcome %u, reason %u",
	      dma_outcome(&d, 0), dma_reason(&d, 0));
	check(!viommu_detach(&v, DOMAIN, ep), "detach");
	check(dma_run(&d, 0, &op) == DMA_DONE, "in none: outcome %u, reason %u", dma_outcome(&d, 0),
	      dma_reason(&d, 0));
	write8(v.dev.where.config + CONFIG_BYPASS, 0);
	check(dma_run(&d, 0, &op) == DMA_FAULT && dma_reason(&d, 0) == DMA_NOT_ATTACHED,
	      "without bypass: outcome %u, reason %u", dma_outcome(&d, 0), dma_reason(&d, 0));
}

/* A group whose driver goes away has its answer all the same. */
static void pages_end(void)
{
	struct dma_op op = ask(IOVA, 9, DMA_F_LAST);

	find(VIOMMU_FEATURES);
	enable_pri();
	start_for_pages(F_PAGE_REQUEST);
	attach();
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

/* What a page request takes, there and back, where nothing but the driver's loop answers (bench/).
 */
static void pages_take(void)
{
	find(VIOMMU_FEATURES);
	enable_pri();
	start_for_pages(F_PAGE_REQUEST);
	attach();
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
	figure("p99", took[ARRAY_SIZE(took) * 99 / 100]);
	figure("max", took[ARRAY_SIZE(took) - 1]);
}

static const struct test tests[] = {
	{ "unmap", unmap },
	{ "detach", detach },
	{ "invalidate", invalidate },
	{ "reset", reset },
	{ "edges", edges },
	{ "pages", pages },
	{ "pages-end", pages_end },
	{ "pages-take", pages_take },
	{ "pages-table", pages_table },
	{ "pages-pasid", pages_pasid },
	{ "bypass-pasid", bypass_pasid },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

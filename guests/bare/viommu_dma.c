/* SPDX-License-Identifier: GPL-2.0-only */
/* What an endpoint reaches through a virtio-iommu: an entropy device writes where it is told to, or
 * faults. */
#include "lib/gic.h"
#include "lib/viommu.h"

#define PAGE    0x1000UL
#define LAST    (PAGE - 1)
#define MOVED   0x100000000UL /* where all of RAM is mapped again */
#define AWAY(p) ((u64)(p)-RAM_BASE + MOVED)
#define DOMAIN  7

enum { R_UNKNOWN, R_DOMAIN, R_MAPPING };
enum { FLAG_READ = 1, FLAG_WRITE = 2, FLAG_ADDRESS = 0x100 };

static struct viommu v;
static struct device rng;
static u32 ep;
static u64 moved_by; /* where the driver of the entropy device tells it that memory is */
static u8 target[2 * PAGE] __attribute__((aligned(4096)));

static u64 addr(const void *p)
{
	return (u64)p + moved_by;
}

static void find(void)
{
	viommu_find(&v);
	device_find(&rng, VIRTIO_RNG, 1);
	ep = endpoint_of(&rng.where);
	viommu_start(&v, VIOMMU_FEATURES);
}

static void rng_start(void)
{
	struct ring *r = &rng.ring[0];

	check(device_negotiate(&rng, F_ACCESS_PLATFORM), "the entropy device refuses its driver");
	where_set_queue(&rng.where, 0, addr(r->desc), addr(&r->avail), addr(&r->used));
	where_go(&rng.where);
	memset(target, 0, sizeof(target));
}

static void fill(u64 to, u32 len)
{
	rng.ring[0].desc[0] = (struct desc){ to, len, DESC_WRITE, 0 };
	device_offer(&rng, 0, 0);
}

static bool is_filled(u64 first, u64 last)
{
	u64 set = 0;

	for (u64 i = first; i <= last; i++)
		set += !!((volatile u8 *)target)[i];
	return set > (last - first) / 2;
}

static void works(const char *when)
{
	rng_start();
	fill(addr(target), 64);
	check(wait_for(device_done(&rng, 0), LONG), "%s: no answer", when);
	check(!device_needs_reset(&rng), "%s: NEEDS_RESET", when);
	check(is_filled(0, 63), "%s: nothing is written", when);
}

static void faults(u64 to, u32 len, u8 reason, u32 flags, u64 at, const char *when)
{
	struct viommu_event e;

	rng_start();
	fill(to, len);
	check(wait_for(device_needs_reset(&rng), LONG), "%s: no NEEDS_RESET", when);
	check(viommu_event(&v, &e), "%s: no event", when);
	check(e.reason == reason && e.flags == (flags | FLAG_ADDRESS) && e.address == at,
	      "%s: reason %u, flags %x, address %lx", when, e.reason, e.flags, e.address);
	check(e.endpoint == ep && !e.reserved1 && !e.reserved[0], "%s: endpoint %x", when,
	      e.endpoint);
	check(viommu_no_event(&v), "%s: another event", when);
}

static void attach_moved(u32 flags)
{
	check(!viommu_attach(&v, DOMAIN, ep, 0), "attach");
	check(!viommu_map(&v, DOMAIN, MOVED, MOVED + RAM_END - RAM_BASE - 1, RAM_BASE, flags),
	      "map");
	moved_by = MOVED - RAM_BASE;
}

static void translated(void)
{
	find();
	attach_moved(MAP_READ | MAP_WRITE);
	works("mapped elsewhere");
	faults((u64)target, 64, R_MAPPING, FLAG_WRITE, (u64)target, "an address that is RAM's");
	faults(MOVED + RAM_END - RAM_BASE - 8, 16, R_MAPPING, FLAG_WRITE,
	       MOVED + RAM_END - RAM_BASE, "half of it beyond the mapping");
	works("after that");
	check(!viommu_detach(&v, DOMAIN, ep), "detach");
	check(!viommu_attach(&v, DOMAIN, ep, 0), "attach");
	faults(AWAY(target), 64, R_MAPPING, FLAG_READ, addr(&rng.ring[0].avail.idx),
	       "mappings have gone with the domain");
}

/* Pages of their own, in the other order; then one without the right to write. */
static void scattered(void)
{
	const u64 iova = 0x5000;

	find();
	attach_moved(MAP_READ | MAP_WRITE);
	check(!viommu_map(&v, DOMAIN, iova, iova + LAST, (u64)target + PAGE, MAP_WRITE), "map");
	check(!viommu_map(&v, DOMAIN, iova + PAGE, iova + PAGE + LAST, (u64)target, MAP_WRITE),
	      "map");
	rng_start();
	fill(iova + PAGE - 64, 128);
	check(wait_for(device_done(&rng, 0), LONG), "no answer");
	check(is_filled(2 * PAGE - 64, 2 * PAGE - 1) && is_filled(0, 63), "not where it belongs");
	check(!target[64] && !target[2 * PAGE - 65], "more than that");
	check(!viommu_unmap(&v, DOMAIN, iova + PAGE, iova + PAGE + LAST), "unmap");
	check(!viommu_map(&v, DOMAIN, iova + PAGE, iova + PAGE + LAST, (u64)target, MAP_READ),
	      "map");
	faults(iova + PAGE - 64, 128, R_MAPPING, FLAG_WRITE, iova + PAGE, "read-only");
	check(!viommu_unmap(&v, DOMAIN, iova + PAGE, iova + PAGE + LAST), "unmap");
	faults(iova + PAGE - 64, 128, R_MAPPING, FLAG_WRITE, iova + PAGE, "unmapped");
	check(!viommu_map(&v, DOMAIN, iova + PAGE, iova + PAGE + LAST, UART_BASE,
	                  MAP_READ | MAP_WRITE | MAP_MMIO),
	      "map");
	faults(iova + PAGE - 64, 128, R_UNKNOWN, FLAG_WRITE, iova + PAGE, "no RAM");
}

/* What an endpoint reaches that is attached to nothing, and to a bypass domain. */
static void bypass(void)
{
	u64 config;

	find();
	config = v.dev.where.config + CONFIG_BYPASS;
	check(read8(config) == 1, "bypass is %u", read8(config));
	works("before it is attached");
	write8(config, 2);
	check(read8(config) == 1, "2 is taken");
	write8(config, 0);
	check(!read8(config), "0 is not taken");
	faults((u64)target, 64, R_DOMAIN, FLAG_READ, (u64)&rng.ring[0].avail.idx,
	       "attached to nothing");
	check(!viommu_attach(&v, DOMAIN, ep, ATTACH_BYPASS), "attach");
	works("in a bypass domain");
	check(!viommu_detach(&v, DOMAIN, ep), "detach");
	faults((u64)target, 64, R_DOMAIN, FLAG_READ, (u64)&rng.ring[0].avail.idx, "detached");
	viommu_start(&v, VIOMMU_FEATURES);
	check(!read8(config), "a reset changes bypass");
	faults((u64)target, 64, R_DOMAIN, FLAG_READ, (u64)&rng.ring[0].avail.idx, "after a reset");
	viommu_start(&v, F_MAP_UNMAP);
	write8(config, 1);
	check(!read8(config), "bypass is written without its feature");
	viommu_start(&v, VIOMMU_FEATURES);
	write8(config, 1);
	works("bypass again");
}

/* More faults than there are buffers: some are lost, nothing waits, and all goes on. */
static void flood(void)
{
	struct viommu_event e;

	find();
	attach_moved(MAP_READ | MAP_WRITE);
	for (unsigned int i = 0; i < 3 * QUEUE_SIZE; i++) {
		rng_start();
		fill(0, 64);
		check(wait_for(device_needs_reset(&rng), LONG), "fault %u: no NEEDS_RESET", i);
	}
	for (unsigned int i = 0; i < QUEUE_SIZE; i++)
		check(viommu_event(&v, &e) && !e.address, "event %u is not there", i);
	check(viommu_no_event(&v), "there are more events than buffers");
	works("after that");
	faults(0, 64, R_MAPPING, FLAG_WRITE, 0, "there is room again");
}

/* A driver that resets the IOMMU under a device that is at work. */
static void reset(void)
{
	find();
	for (unsigned int i = 0; i < 20; i++) {
		attach_moved(MAP_READ | MAP_WRITE);
		works("mapped elsewhere");
		rng_start();
		for (u16 n = 0; n < QUEUE_SIZE; n++) {
			rng.ring[0].desc[n] = (struct desc){ AWAY(target), PAGE, DESC_WRITE, 0 };
			device_offer(&rng, 0, n);
		}
		check(where_reset(&v.dev.where), "the reset does not end");
		viommu_start(&v, VIOMMU_FEATURES);
		moved_by = 0;
		works("in bypass");
	}
}

static struct message message;
static volatile unsigned int interrupts;

static void took(u32 intid)
{
	check(intid == message.intid, "interrupt %u", intid);
	interrupts++;
}

static void with_vector(u64 doorbell)
{
	const struct msix *m = &rng.where.msix;

	if (!message.addr) {
		gic_init();
		irq_handler = took;
		messages_init(rng.where.rid);
		message = message_map(0);
		irqs_on();
	}
	msix_set(m, 0, doorbell + (message.addr & LAST), message.data);
	msix_mask(m, 0, false);
	msix_control(m, MSIX_ENABLE);
	rng.where.vector = 0;
}

static void interrupts_by(unsigned int nr, const char *when)
{
	unsigned int before = interrupts;

	works(when);
	check(wait_for(interrupts >= before + nr, nr ? LONG : 0), "%s: no interrupt", when);
	wait_for(false, 20);
	check(interrupts == before + nr, "%s: %u interrupts", when, interrupts - before);
}

/* msi=bypass: messages are not translated, whatever is mapped; "window=" says where, and that is
 * where the doorbell is. Nothing is mapped at its own address then. */
static void msi_window(void)
{
	const u64 doorbell = 0x08000000, window = parameter_after("window=", doorbell);
	struct viommu_event e;

	find();
	with_vector(window);
	interrupts_by(1, "attached to nothing");
	attach_moved(MAP_READ | MAP_WRITE);
	interrupts_by(1, "attached");
	check(viommu_no_event(&v), "there is an event");
	if (window == doorbell)
		return;
	with_vector(doorbell);
	interrupts_by(0, "at the doorbell's own address");
	check(viommu_event(&v, &e) && e.address >> 12 == doorbell >> 12, "no event of its own");
	check(!viommu_map(&v, DOMAIN, doorbell, doorbell + LAST, doorbell, MAP_WRITE | MAP_MMIO),
	      "map");
	interrupts_by(1, "mapped there");
}

/* msi=translate: the doorbell is where the driver maps it. */
static void msi_translated(void)
{
	const u64 doorbell = 0x30000000;
	struct viommu_event e;

	find();
	attach_moved(MAP_READ | MAP_WRITE);
	with_vector(doorbell);
	interrupts_by(0, "not mapped");
	check(viommu_event(&v, &e) && e.reason == R_MAPPING && e.address >> 12 == doorbell >> 12,
	      "no event of its own");
	check(!viommu_map(&v, DOMAIN, doorbell, doorbell + LAST, 0x08000000, MAP_WRITE | MAP_MMIO),
	      "map");
	interrupts_by(1, "mapped");
	interrupts_by(1, "mapped, the second time");
	check(!viommu_unmap(&v, DOMAIN, doorbell, doorbell + LAST), "unmap");
	interrupts_by(0, "unmapped");
	check(viommu_event(&v, &e), "no event of its own");
	check(!viommu_map(&v, DOMAIN, doorbell, doorbell + LAST, 0x08000000, MAP_READ | MAP_MMIO),
	      "map");
	interrupts_by(0, "read-only");
}

/* The same within the host's own window, where there is room for doorbells only. */
static void msi_host_window(void)
{
	const u64 window = 0x09000000, doorbell = 0x08000000;

	find();
	attach_moved(MAP_READ | MAP_WRITE);
	check(viommu_map(&v, DOMAIN, window, window + LAST, (u64)target, MAP_READ | MAP_WRITE) ==
	              S_INVAL,
	      "memory in the window");
	check(viommu_map(&v, DOMAIN, window, window + LAST, UART_BASE, MAP_WRITE | MAP_MMIO) ==
	              S_INVAL,
	      "a UART in the window");
	check(!viommu_map(&v, DOMAIN, window, window + LAST, doorbell, MAP_WRITE | MAP_MMIO),
	      "the doorbell");
	with_vector(window);
	interrupts_by(1, "mapped");
	check(!viommu_map(&v, DOMAIN, window + 0x100000, window + 0x100000 + LAST, (u64)target,
	                  MAP_READ),
	      "behind the window");
}

static const struct test tests[] = {
	{ "translated", translated },
	{ "scattered", scattered },
	{ "bypass", bypass },
	{ "flood", flood },
	{ "reset", reset },
	{ "msi-window", msi_window },
	{ "msi-translated", msi_translated },
	{ "msi-host-window", msi_host_window },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

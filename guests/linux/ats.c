// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA endpoint asks for translations, and transfers by them, while the kernel maps and unmaps:
 *   ats /dev/vfio/devices/vfioN COUNT [nested]    each test says "ats: NAME: ok", or what was wrong
 * and exits; nested: the endpoint is a host's
 */
#include <pthread.h>

#include "guests/linux/endpoint.h"

#define IOVA  0x10000000ULL
#define PAGES 8
#define BLOCK 0x200000ULL
enum { NO_TRANSLATION = 9 };

static uint32_t ioas;
static uint8_t *memory, *other;
static unsigned long count;
static int nested; /* the function's ATS is a host's, which has it by what its SMMU does */

static uint32_t invalidations(void)
{
	return get32(0x24);
}

static uint32_t reason(unsigned int n)
{
	return get32(slot(n) + 0x64);
}

static void map_page(unsigned int n, uint8_t *at)
{
	check(!map(ioas, IOVA + n * PAGE, at, PAGE, IOMMU_IOAS_MAP_WRITEABLE), "map");
}

static void unmap_page(unsigned int n)
{
	check(!unmap(ioas, IOVA + n * PAGE, PAGE), "unmap");
}

static uint32_t translate(unsigned int n)
{
	start(n, (struct operation){ .op = TRANSLATE, .flags = 3, .iova = IOVA + n * PAGE });
	return status(n);
}

static uint32_t write_by(unsigned int n, uint32_t flags, uint64_t seed)
{
	start(n, (struct operation){ .op = FILL,
	                             .flags = flags,
	                             .iova = IOVA + n * PAGE,
	                             .len = PAGE,
	                             .arg = seed });
	return status(n);
}

/* Page by page: what is cached is used until it is unmapped, and then it is gone. */
static void translated(void)
{
	const uint32_t before = invalidations();

	map_page(0, memory);
	check(write_by(0, TRANSLATED, 1) == FAULT && reason(0) == NO_TRANSLATION, "an empty cache");
	check(translate(0) == DONE && get32(slot(0) + 0x60) == 3, "a translation");
	check(write_by(0, TRANSLATED, 2) == DONE && has_pattern(memory, PAGE, 2, 0), "its use");
	unmap_page(0);
	check(invalidations() > before, "an invalidation");
	check(write_by(0, TRANSLATED, 3) == FAULT && reason(0) == NO_TRANSLATION, "after that");
	check(translate(0) == FAULT && reason(0) == 3, "a translation of what is not mapped");
	check(has_pattern(memory, PAGE, 2, 0), "memory that was unmapped");
}

/* A page of the kernel's may be read-only: that much is granted. */
static void read_only(void)
{
	check(!map(ioas, IOVA, memory, PAGE, 0), "map read-only");
	check(translate(0) == DONE && get32(slot(0) + 0x60) == 1, "a translation to read");
	check(write_by(0, TRANSLATED, 4) == FAULT && reason(0) == 3, "a write by it");
	start(0, (struct operation){ .op = CHECK, .flags = TRANSLATED, .iova = IOVA, .len = PAGE });
	check(status(0) == DONE, "a read by it");
	unmap_page(0);
}

/* Others' transfers, translated by the SMMU, go on meanwhile. */
static volatile int over;

static void *load(void *unused)
{
	unsigned long n = 0;

	(void)unused;
	for (; !over; n++) {
		start(9, (struct operation){
				 .op = FILL, .iova = IOVA + PAGES * PAGE, .len = PAGE, .arg = n });
		check(status(9) == DONE, "a transfer beside");
	}
	return (void *)n;
}

static void churn(void)
{
	const uint32_t before = invalidations();
	pthread_t thread;
	void *transfers;

	check(!map(ioas, IOVA + PAGES * PAGE, other, PAGE, IOMMU_IOAS_MAP_WRITEABLE), "map");
	check(!pthread_create(&thread, NULL, load, NULL), "thread");
	for (unsigned long i = 0; i < count; i++) {
		const unsigned int n = i % PAGES, to = i * 5 % PAGES;
		uint8_t *at = memory + to * PAGE;

		map_page(n, at);
		check(translate(n) == DONE, "a translation");
		check(write_by(n, TRANSLATED, i) == DONE && has_pattern(at, PAGE, i, 0),
		      "a write to where the page is");
		unmap_page(n);
		check(write_by(n, TRANSLATED, ~i) == FAULT && reason(n) == NO_TRANSLATION,
		      "a write to where it was");
		check(has_pattern(at, PAGE, i, 0), "memory that was unmapped");
	}
	over = 1;
	check(!pthread_join(thread, &transfers) && transfers, "transfers beside");
	check(invalidations() - before >= count, "an invalidation an unmap");
	check(!unmap(ioas, IOVA + PAGES * PAGE, PAGE), "unmap");
}

/* So many, less one, are whole ones, of a page of their own. */
static uint8_t *alloc_blocks(unsigned int nr)
{
	uint8_t *p =
		mmap(NULL, nr * BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(p != MAP_FAILED, "memory");
	p = (void *)(((uintptr_t)p + BLOCK - 1) & ~(BLOCK - 1));
	check(!madvise(p, (nr - 1) * BLOCK, MADV_HUGEPAGE), "huge pages");
	memset(p, 0, (nr - 1) * BLOCK);
	return p;
}

/*
 * Slots that write by what they have cached, whatever is unmapped meanwhile, and ask when that is
 * gone. By a block's translation a write takes several turns of the endpoint's: an invalidation
 * may come between two.
 */
#define WRITERS 4
#define TURN    0x10000ULL
static unsigned long written[WRITERS], cut; /* writes; those that an invalidation cut short */

static uint64_t block(unsigned int n)
{
	return 2 * IOVA + n * BLOCK;
}

/* How much it has a translation of now; @had: it has written by one of so much. */
static uint64_t writes_on(unsigned int n, uint64_t had)
{
	const uint32_t got = status(n);
	const uint64_t range = get64(slot(n) + 0x58);

	check(got == DONE || (got == FAULT && reason(n) == (had ? NO_TRANSLATION : 3)),
	      "an access to a page that comes and goes");
	if (got == DONE && !had)
		return range < 4 * TURN ? range : 4 * TURN;
	if (got == DONE)
		__atomic_fetch_add(&written[n], 1, __ATOMIC_RELEASE);
	else if (get64(slot(n) + 0x40))
		__atomic_fetch_add(&cut, 1, __ATOMIC_RELEASE);
	return got == DONE ? had : 0;
}

static void *write_on(void *unused)
{
	uint64_t has[WRITERS] = { 0 };

	(void)unused;
	for (uint64_t seed = 0; !over; seed++) {
		for (unsigned int n = 0; n < WRITERS; n++)
			start(n, (struct operation){ .op = has[n] ? FILL : TRANSLATE,
			                             .flags = has[n] ? TRANSLATED : 3,
			                             .iova = block(n),
			                             .len = has[n],
			                             .arg = seed });
		for (unsigned int n = 0; n < WRITERS; n++)
			has[n] = writes_on(n, has[n]);
	}
	return NULL;
}

/* A block comes, is written, and goes. */
static void comes_and_goes(unsigned int n, uint8_t *at)
{
	const unsigned long before = __atomic_load_n(&written[n], __ATOMIC_ACQUIRE);

	check(!map(ioas, block(n), at, BLOCK, IOMMU_IOAS_MAP_WRITEABLE), "map a block");
	while (__atomic_load_n(&written[n], __ATOMIC_ACQUIRE) == before)
		;
	check(!unmap(ioas, block(n), BLOCK), "unmap a block");
}

/* A host that has pages where its guest has a block grants a page, whose write is never cut short.
 */
static int was_cut(void)
{
	return nested || __atomic_load_n(&cut, __ATOMIC_ACQUIRE);
}

/* What is under way when a page is unmapped has ended when that returns; until it has come to that,
 * too. */
static void in_flight(void)
{
	static uint8_t was[WRITERS][4 * TURN];
	pthread_t thread;
	uint8_t *at;

	at = alloc_blocks(WRITERS + 1);
	over = 0;
	check(!pthread_create(&thread, NULL, write_on, NULL), "thread");
	for (unsigned long i = 0; i < count || !was_cut(); i++) {
		const unsigned int n = i % WRITERS;

		check(!memcmp(was[n], at + n * BLOCK, 4 * TURN), "memory that was unmapped");
		comes_and_goes(n, at + n * BLOCK);
		check(memcmp(was[n], at + n * BLOCK, 4 * TURN), "a write to where the block is");
		memcpy(was[n], at + n * BLOCK, 4 * TURN);
	}
	over = 1;
	check(!pthread_join(thread, NULL), "join");
	for (unsigned int n = 0; n < WRITERS; n++)
		check(!memcmp(was[n], at + n * BLOCK, 4 * TURN), "memory, in the end");
	printf("ats: %lu writes were cut short\n", cut);
}

static int unmapping, unmapped;

static void *unmap_there(void *unused)
{
	(void)unused;
	run_on(1);
	__atomic_store_n(&unmapping, 1, __ATOMIC_RELEASE);
	unmap_page(7);
	__atomic_store_n(&unmapped, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* An unmap returns when a transfer by what was cached of it has ended. */
static void held(void)
{
	pthread_t thread;

	run_on(0);
	map_page(7, memory);
	check(translate(7) == DONE && write_by(7, TRANSLATED | HELD, 7) == IS_HELD, "hold");
	check(!pthread_create(&thread, NULL, unmap_there, NULL), "thread");
	while (!__atomic_load_n(&unmapping, __ATOMIC_ACQUIRE))
		;
	spin_ms(200);
	check(!__atomic_load_n(&unmapped, __ATOMIC_ACQUIRE), "an unmap that waits");
	put32(slot(7) + 0x38, RELEASE);
	check(status(7) == DONE, "release");
	pthread_join(thread, NULL);
	check(unmapped && has_pattern(memory, PAGE, 7, 0), "what was held");
}

/* Without a page table of ours the kernel takes ATS away, and it comes back with one. */
static void detached(void)
{
	struct vfio_device_detach_iommufd_pt d = { .argsz = sizeof(d) };
	uint32_t without;

	map_page(0, memory);
	check(translate(0) == DONE, "a translation");
	check(!ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d), "detach");
	without = write_by(0, TRANSLATED, 8);
	check(without == REFUSED || (nested && without == FAULT), "ATS is disabled");
	check(!attach(ioas), "attach again");
	check(write_by(0, TRANSLATED, 9) == FAULT && reason(0) == NO_TRANSLATION,
	      "nothing is left");
	check(translate(0) == DONE && write_by(0, TRANSLATED, 10) == DONE, "a translation again");
	check(has_pattern(memory, PAGE, 10, 0), "its use");
	unmap_page(0);
}

static const struct test tests[] = {
	{ "translated", translated }, { "read-only", read_only }, { "churn", churn },
	{ "in flight", in_flight },   { "held", held },           { "detached", detached },
};

int main(int argc, char **argv)
{
	setlinebuf(stdout);
	check(argc == 3 || argc == 4, "arguments");
	nested = argc == 4;
	count = strtoul(argv[2], NULL, 10);
	open_endpoint(argv[1]);
	ioas = alloc_ioas();
	check(!attach(ioas), "attach");
	memory = alloc_memory(PAGES * PAGE);
	other = alloc_memory(PAGE);
	run_tests(tests, sizeof(tests) / sizeof(*tests));
	printf("ats: %u invalidations\n", invalidations());
	return 0;
}

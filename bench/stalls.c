// SPDX-License-Identifier: GPL-2.0-only
/*
 * In the guest: how long an access of the DMA endpoint takes that stalls, from its start to its
 * end, and how many a second are served; by the kernel, or by a program: stalls sva
 * /dev/sva-FUNCTION | queue /dev/vfio/devices/vfioN prints "figure NAME UNIT VALUE" lines.
 */
#include <pthread.h>

#include "guests/linux/faults.h"

#define COUNT  1000
#define SLOTS  16
#define PAGES  32 /* of a slot: all but the last one are not there */
#define ROUNDS 4

static uint8_t *memory;
static uint64_t base; /* where the endpoint has it */
static uint32_t flags, pasid;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

/* The page before the last of each slot's, up to all of them, goes. */
static void forget_sva(unsigned int n, unsigned int nr)
{
	check(!madvise(memory + ((n + 1) * PAGES - 1 - nr) * PAGE, nr * PAGE, MADV_DONTNEED),
	      "madvise");
}

static void forget_queue(unsigned int n, unsigned int nr)
{
	check(!unmap(ioas, base + ((n + 1) * PAGES - 1 - nr) * PAGE, nr * PAGE), "unmap");
}

static void (*forget)(unsigned int n, unsigned int nr);

/* A transfer of so many pages that are not there, and of a word behind them, which ends it: no
 * access of ours disturbs it meanwhile. */
static volatile uint64_t *prepare_transfer(unsigned int n, unsigned int nr)
{
	const uint64_t last = ((n + 1) * PAGES - 1) * PAGE, first = last - (nr - 1) * PAGE - 8;
	volatile uint64_t *word = (void *)(memory + last);

	*word = 0;
	prepare(n, (struct operation){ .op = FILL,
	                               .flags = flags,
	                               .pasid = pasid,
	                               .iova = base + first,
	                               .len = last + 8 - first,
	                               .arg = 1 });
	return word;
}

/* Whoever serves the fault may be on this CPU. */
static void wait_for(volatile uint64_t *word)
{
	while (!*word)
		sched_yield();
}

static int by_time(const void *a, const void *b)
{
	const double d = *(const double *)a - *(const double *)b;

	return d < 0 ? -1 : d > 0;
}

static double exit_us(void)
{
	const double from = now();

	for (unsigned int i = 0; i < 2000; i++)
		get32(0);
	return (now() - from) / 2000;
}

static void round_trip(const char *name)
{
	static double us[COUNT];
	double exit;

	for (unsigned int i = 0; i < COUNT; i++) {
		volatile uint64_t *word = prepare_transfer(0, 1);

		us[i] = now();
		go(0);
		wait_for(word);
		us[i] = now() - us[i];
		forget(0, 1);
	}
	exit = exit_us();
	qsort(us, COUNT, sizeof(*us), by_time);
	printf("figure %s_round_trip_p50 us %.1f\n", name, us[COUNT / 2]);
	printf("figure %s_round_trip_p99 us %.1f\n", name, us[COUNT * 99 / 100]);
	printf("figure %s_round_trip_max us %.1f\n", name, us[COUNT - 1]);
	printf("figure %s_round_trip_p50 exits %.1f\n", name, us[COUNT / 2] / exit);
	printf("figure %s_round_trip_p99 exits %.1f\n", name, us[COUNT * 99 / 100] / exit);
}

static void rate(const char *name)
{
	volatile uint64_t *words[SLOTS];
	double us = 0;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		for (unsigned int n = 0; n < SLOTS; n++)
			words[n] = prepare_transfer(n, PAGES - 1);
		us -= now();
		for (unsigned int n = 0; n < SLOTS; n++)
			go(n);
		for (unsigned int n = 0; n < SLOTS; n++)
			wait_for(words[n]);
		us += now();
		for (unsigned int n = 0; n < SLOTS; n++)
			forget(n, PAGES - 1);
	}
	printf("figure %s_rate stalls/s %.0f\n", name, ROUNDS * SLOTS * (PAGES - 1) / us * 1e6);
}

static void respond(const struct iommu_hwpt_pgfault *f)
{
	const struct iommu_hwpt_page_response r = { .cookie = f->cookie };
	const uint64_t page = f->addr & ~(PAGE - 1);

	check(!map(ioas, page, memory + (page - base), PAGE, IOMMU_IOAS_MAP_WRITEABLE), "map");
	answer_fault(&r);
}

static void *serve(void *unused)
{
	(void)unused;
	serve_faults(respond);
}

static void open_sva(const char *path)
{
	int fd;

	pasid = lend_memory(path, &fd);
	map_registers(fd);
	flags = PASID;
	memory = mmap(NULL, SLOTS * PAGES * PAGE, PROT_READ | PROT_WRITE,
	              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(memory != MAP_FAILED, "memory");
	base = (uintptr_t)memory;
	forget = forget_sva;
}

static void open_queue(const char *path)
{
	pthread_t thread;

	open_with_faults(path);
	memory = alloc_memory(SLOTS * PAGES * PAGE);
	memset(memory, 0, SLOTS * PAGES * PAGE);
	base = 0x10000000;
	for (unsigned int n = 0; n < SLOTS; n++)
		check(!map(ioas, base + ((n + 1) * PAGES - 1) * PAGE,
		           memory + ((n + 1) * PAGES - 1) * PAGE, PAGE, IOMMU_IOAS_MAP_WRITEABLE),
		      "map");
	forget = forget_queue;
	check(!pthread_create(&thread, NULL, serve, NULL), "thread");
}

int main(int argc, char **argv)
{
	check(argc == 3, "arguments");
	if (strcmp(argv[1], "sva"))
		open_queue(argv[2]);
	else
		open_sva(argv[2]);
	round_trip(strcmp(argv[1], "sva") ? "stall_queue" : "stall");
	rate(strcmp(argv[1], "sva") ? "stall_queue" : "stall");
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O page faults of the DMA endpoint, served from user space through iommufd's fault queue:
 *   stall /dev/vfio/devices/vfioN COUNT    each test says "stall: NAME: ok", or what was wrong and
 * exits
 *   stall /dev/vfio/devices/vfioN 0 serve  serves what comes, in 64 pages from 256 MiB on, to its
 * end
 *   stall /dev/vfio/devices/vfioN 0 hold   has faults that it never answers, to its end
 */
#include <pthread.h>

#include "guests/linux/faults.h"

#define IOVA   0x10000000ULL
#define PAGES  64
#define SLOTS  8
#define RESETS 3

static uint8_t *memory;
static unsigned long count;
static volatile unsigned long served;
static volatile int refuses, is_silent, takes_any, may_be_late;
static uint32_t last_cookie, unanswered[SLOTS];

static void respond(const struct iommu_hwpt_pgfault *f)
{
	struct iommu_hwpt_page_response r = { .cookie = f->cookie };
	const uint64_t page = f->addr & ~(PAGE - 1);
	const uint64_t n = (page - IOVA) / PAGE;

	check((n < PAGES || takes_any) && f->dev_id == devid && !f->pasid, "a fault of ours");
	check(f->flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE, "a last page");
	if (is_silent) {
		unanswered[n % SLOTS] = f->cookie;
		served++;
		return;
	}
	if (refuses || n >= PAGES || (may_be_late && f->addr & 8))
		r.code = IOMMUFD_PAGE_RESP_INVALID;
	else if (map(ioas, page, memory + n * PAGE, PAGE, IOMMU_IOAS_MAP_WRITEABLE))
		check(errno == EEXIST, "map"); /* another slot's fault was of the same page */
	last_cookie = f->cookie;
	served++; /* before the transfer can end */
	if (write(faults, &r, sizeof(r)) != sizeof(r))
		check(may_be_late, "response"); /* its page table may be gone meanwhile */
}

static void *serve(void *unused)
{
	(void)unused;
	serve_faults(respond);
}

static void forget(unsigned int n, unsigned int nr)
{
	check(!unmap(ioas, IOVA + n * PAGE, nr * PAGE), "unmap");
}

/* Each slot writes a page that is not there, again and again. */
static void each_is_served(void)
{
	for (unsigned long done = 0; done < count; done += SLOTS) {
		for (unsigned int n = 0; n < SLOTS; n++)
			start(n, (struct operation){ .op = FILL,
			                             .iova = IOVA + n * PAGE,
			                             .len = PAGE,
			                             .arg = done + n });
		for (unsigned int n = 0; n < SLOTS; n++) {
			check(status(n) == DONE, "a transfer that stalled");
			check(has_pattern(memory + n * PAGE, PAGE, done + n, 0), "what it wrote");
		}
		forget(0, SLOTS);
	}
	check(served == count, "a fault a transfer");
}

/* One transfer of many pages stalls at each. */
static void page_by_page(void)
{
	const unsigned long before = served;

	start(0, (struct operation){ .op = FILL, .iova = IOVA, .len = PAGES * PAGE, .arg = 5 });
	check(status(0) == DONE && has_pattern(memory, PAGES * PAGE, 5, 0), "a long transfer");
	check(served - before == PAGES, "a fault a page");
	forget(0, PAGES);
}

static void refused(void)
{
	const unsigned long before = served;

	refuses = 1;
	start(0, (struct operation){ .op = CHECK, .iova = IOVA + 8, .len = 8 });
	check(status(0) == FAULT && get64(slot(0) + 0x48) == IOVA + 8, "a refused transfer");
	check(served == before + 1, "one fault");
	refuses = 0;
}

/* 1.7 of what the kernel demands: a cookie is good for one answer. */
static void answered_twice(void)
{
	const struct iommu_hwpt_page_response r = { .cookie = last_cookie };

	check(write(faults, &r, sizeof(r)) < 0, "a second answer");
}

/* A transfer in each slot waits for an answer. */
static void hold(void)
{
	const unsigned long before = served;

	is_silent = 1;
	for (unsigned int n = 0; n < SLOTS; n++)
		start(n, (struct operation){ .op = FILL, .iova = IOVA + n * PAGE, .len = 8 });
	while (served != before + SLOTS)
		sched_yield();
	is_silent = 0;
}

static void is_served_again(void)
{
	start(0, (struct operation){ .op = FILL, .iova = IOVA, .len = 8, .arg = 1 });
	check(status(0) == DONE && has_pattern(memory, 8, 1, 0), "a transfer after that");
	forget(0, 1);
}

/* Its page table goes with faults that are not answered: they end. */
static void detached(void)
{
	struct vfio_device_detach_iommufd_pt d = { .argsz = sizeof(d) };

	hold();
	check(!ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d), "detach");
	for (unsigned int n = 0; n < SLOTS; n++)
		check(status(n) == FAULT, "a transfer that nobody answers");
	check(!attach(hwpt), "attach again");
	is_served_again();
}

/* The function goes out of it with nothing under way; answers to what waited are taken, and are of
 * nothing. */
static void is_reset(void)
{
	for (unsigned int i = 0; i < RESETS; i++) {
		hold();
		check(!ioctl(device, VFIO_DEVICE_RESET), "reset");
		for (unsigned int n = 0; n < SLOTS; n++)
			check(!status(n), "a slot out of reset");
		for (unsigned int n = 0; n < SLOTS; n++)
			answer_fault(&(struct iommu_hwpt_page_response){ .cookie = unanswered[n] });
		is_served_again();
	}
}

/* What a slot's transfer of round @seed may have come to; that of an odd slot is refused. */
static void ended(unsigned int n, uint64_t seed, int is_over)
{
	const uint32_t val = status(n);

	if (is_over && (!val || val == FAULT))
		return;
	check(val == (n % 2 ? FAULT : DONE), "a transfer of many");
	check(n % 2 || has_pattern(memory + n * PAGE, PAGE, seed, 0), "what it wrote");
}

/* Of a fault that comes as its page table goes the IOMMU's driver has an event to report, which is
 * no mistake. */
static void foretell_events(void)
{
	const int log = open("/dev/kmsg", O_WRONLY);

	check(write(log, "stall: detaches", 15) == 15, "log");
	close(log);
}

/* While faults arise, are served and refused, the function is reset or its page table goes. */
static void in_any_order(void)
{
	struct vfio_device_detach_iommufd_pt d = { .argsz = sizeof(d) };
	uint64_t chance = 1;
	unsigned int ends[3] = { 0 };

	may_be_late = 1;
	foretell_events();
	for (uint64_t seed = 0; seed < count; seed += SLOTS) {
		const unsigned int how = (chance = pattern(chance, seed)) % 8;

		for (unsigned int n = 0; n < SLOTS; n++)
			start(n, (struct operation){ .op = FILL,
			                             .iova = IOVA + n * PAGE + n % 2 * 8,
			                             .len = n % 2 ? 8 : PAGE,
			                             .arg = seed });
		for (unsigned int spins = chance >> 32 & 0x3ff; how < 2 && spins; spins--)
			sched_yield();
		check(how || !ioctl(device, VFIO_DEVICE_RESET), "reset");
		check(how != 1 || !ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d), "detach");
		for (unsigned int n = 0; n < SLOTS; n++)
			ended(n, seed, how < 2);
		check(how != 1 || !attach(hwpt), "attach");
		for (unsigned int n = 0; n < SLOTS; n++)
			unmap(ioas, IOVA + n * PAGE, PAGE);
		ends[how < 2 ? how : 2]++;
	}
	may_be_late = 0;
	printf("stall: %u resets and %u detaches among %u rounds\n", ends[0], ends[1], ends[2]);
	is_served_again();
}

/* Until somebody kills it. */
static void __attribute__((noreturn)) hold_for_ever(void)
{
	hold();
	puts("stall: holds");
	fflush(stdout);
	for (;;)
		pause();
}

static const struct test tests[] = {
	{ "each is served", each_is_served },
	{ "page by page", page_by_page },
	{ "refused", refused },
	{ "answered twice", answered_twice },
	{ "detached", detached },
	{ "reset", is_reset },
	{ "in any order", in_any_order },
};

int main(int argc, char **argv)
{
	pthread_t thread;

	check(argc == 3 || argc == 4, "arguments");
	count = strtoul(argv[2], NULL, 10);
	open_with_faults(argv[1]);
	memory = alloc_memory(PAGES * PAGE);
	takes_any = argc == 4 && !strcmp(argv[3], "serve");
	if (takes_any) {
		puts("stall: serves");
		fflush(stdout);
		serve(NULL);
	}
	check(!pthread_create(&thread, NULL, serve, NULL), "thread");
	if (argc == 4)
		hold_for_ever();
	run_tests(tests, sizeof(tests) / sizeof(*tests));
	printf("stall: %lu faults\n", served);
	return 0;
}

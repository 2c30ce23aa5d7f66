// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes lend the DMA endpoint their memory and have it fault there without end, while at random
 * one of them is killed, for which another one comes, or the function is reset:
 *   churn /dev/sva-FUNCTION ROUNDS    "churn: ok", or what was wrong and exits
 * What was neither of a killed process nor of the time of a reset ends well.
 */
#include <signal.h>
#include <sys/wait.h>

#include "guests/linux/endpoint.h"

#define SLOTS     8
#define PROCESSES 4
#define EACH      (SLOTS / PROCESSES)

static const char *path;
static volatile struct {
	uint32_t resets; /* begun and ended */
	uint32_t over;
	uint64_t transfers[PROCESSES];
} * shared;
static uint64_t chance = 1;

static uint32_t epoch(void)
{
	const uint32_t val = shared->resets;

	__sync_synchronize();
	return val;
}

/* What was begun in @before, which is a time without a reset, is judged if that is now. */
static void ended(unsigned int n, const uint8_t *at, uint64_t seed, uint32_t before)
{
	const uint32_t val = status(n);
	const int good = val == DONE && has_pattern(at, PAGE, seed, 0);

	__sync_synchronize();
	if (before % 2 || epoch() != before)
		return;
	if (!good)
		printf("churn: slot %u: status %#x at %#llx\n", n, val,
		       (unsigned long long)get64(slot(n) + 0x48));
	check(good, "a transfer");
	shared->transfers[n / EACH]++;
}

/* At the addresses that the others have too. What its slots do for who was killed ends first. */
static void __attribute__((noreturn)) work(unsigned int first)
{
	uint8_t *p =
		mmap(NULL, EACH * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;
	const uint32_t pasid = lend_memory(path, &fd);

	check(p != MAP_FAILED, "memory");
	for (unsigned int n = 0; n < EACH; n++)
		status(first + n);
	for (uint64_t seed = 0; !shared->over; seed += EACH) {
		const uint32_t before = epoch();

		for (unsigned int n = 0; n < EACH; n++)
			start(first + n, (struct operation){ .op = FILL,
			                                     .flags = PASID,
			                                     .pasid = pasid,
			                                     .iova = (uintptr_t)p + n * PAGE,
			                                     .len = PAGE,
			                                     .arg = seed + n });
		for (unsigned int n = 0; n < EACH; n++)
			ended(first + n, p + n * PAGE, seed + n, before);
		check(!madvise(p, EACH * PAGE, MADV_DONTNEED), "madvise");
	}
	exit(0);
}

static pid_t begin(unsigned int nth)
{
	const pid_t child = fork();

	check(child >= 0, "fork");
	if (!child)
		work(nth * EACH);
	return child;
}

static void ends_with(pid_t child, int expected)
{
	int how;

	check(waitpid(child, &how, 0) == child && how == expected, "a child's end");
}

static void let_them_work(unsigned int nth)
{
	const uint64_t before = shared->transfers[nth];

	while (shared->transfers[nth] < before + chance % 8)
		sched_yield();
}

static void kill_one(pid_t *child, unsigned int nth)
{
	kill(*child, SIGKILL);
	ends_with(*child, SIGKILL);
	*child = begin(nth);
}

static void reset(void)
{
	shared->resets++;
	__sync_synchronize();
	reset_function(path);
	__sync_synchronize();
	shared->resets++;
}

/* The IOMMU's driver reports what comes too late for a PASID, which is no mistake. */
static void foretell(void)
{
	const int log = open("/dev/kmsg", O_WRONLY);

	check(write(log, "sva: leaves", 11) == 11, "log");
	close(log);
}

int main(int argc, char **argv)
{
	pid_t children[PROCESSES];
	unsigned int kills = 0, resets = 0;
	uint64_t transfers = 0;
	int fd;

	setlinebuf(stdout);
	check(argc == 3, "arguments");
	path = argv[1];
	shared = alloc_memory(PAGE);
	lend_memory(path, &fd);
	map_registers(fd);
	foretell();
	for (unsigned int n = 0; n < PROCESSES; n++)
		children[n] = begin(n);
	for (unsigned long round = strtoul(argv[2], NULL, 10); round; round--) {
		const unsigned int nth = (chance = pattern(chance, round)) >> 32 & (PROCESSES - 1);
		const int is_kill = chance >> 40 & 3;

		let_them_work(nth);
		if (is_kill)
			kill_one(&children[nth], nth);
		else
			reset();
		kills += !!is_kill;
		resets += !is_kill;
	}
	shared->over = 1;
	for (unsigned int n = 0; n < PROCESSES; n++) {
		ends_with(children[n], 0);
		transfers += shared->transfers[n];
	}
	printf("churn: %u kills and %u resets among %llu transfers\n", kills, resets,
	       (unsigned long long)transfers);
	puts("churn: ok");
	return 0;
}

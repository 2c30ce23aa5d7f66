// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA endpoint in the memory of this process, by its own page-request mailbox:
 *   vpri /dev/vpri-FUNCTION COUNT    each test says "vpri: NAME: ok", or what was wrong and exits
 *   vpri /dev/vpri-FUNCTION COUNT stalls    where it need not ask: what it faults on is asked for
 *   as it stalls, by who has assigned it
 *   vpri /dev/vpri-FUNCTION 0 serve  has 64 pages from 256 MiB on, for whoever asks for them
 */
#include <signal.h>
#include <sys/wait.h>

#include "guests/linux/endpoint.h"

#define PAGES 64
#define SLOTS 8

enum { PAGE_REQUEST = 7, WANTS_READ = 1, WANTS_WRITE = 2, LAST = 1 << 8, ASKING = 15 };

static unsigned long count, asked;
static const char *path;
static int fd, stalls;

static void *private_memory(uint64_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(p != MAP_FAILED, "memory");
	return p;
}

/* STATUS, once no answer is awaited any more either. */
static uint32_t outcome(unsigned int n)
{
	uint32_t val;

	do
		val = status(n);
	while ((val & 15) == 4);
	return val;
}

static void begin_asking(unsigned int n, uint64_t at, uint32_t flags, unsigned int group)
{
	start(n,
	      (struct operation){ .op = PAGE_REQUEST, .flags = flags, .iova = at, .arg = group });
}

/* The answer's code. */
static unsigned int ask(const void *at, uint32_t perm, unsigned int group)
{
	begin_asking(ASKING, (uintptr_t)at, perm | LAST, group);
	check(outcome(ASKING) == DONE, "a page request");
	asked++;
	return get64(slot(ASKING) + 0x50);
}

/* So far. */
static unsigned long faults(void)
{
	uint64_t counts[2];

	if (!stalls)
		return asked;
	check(read(fd, counts, sizeof(counts)) == sizeof(counts), "counts");
	return counts[0] + counts[1];
}

/* As a device would: what it faults on it asks for, and tries again. */
static int done(unsigned int n, struct operation o, uint32_t perm)
{
	for (unsigned int tries = 0; tries <= 2 * PAGES; tries++) {
		uint32_t val;

		start(n, o);
		val = status(n) & 0xff;
		if (val != FAULT || stalls)
			return val == DONE;
		if (ask((void *)(get64(slot(n) + 0x48) & ~(PAGE - 1)), perm, tries % 512))
			return 0;
	}
	return 0;
}

static int fills(void *at, uint64_t len, uint64_t seed)
{
	return done(
		0, (struct operation){ .op = FILL, .iova = (uintptr_t)at, .len = len, .arg = seed },
		WANTS_WRITE);
}

static int copies(const void *from, void *to, uint64_t len)
{
	return done(
		0,
		(struct operation){
			.op = COPY, .iova = (uintptr_t)from, .iova2 = (uintptr_t)to, .len = len },
		WANTS_READ | WANTS_WRITE);
}

static void give_back(void *p, uint64_t len)
{
	for (uint64_t at = (uintptr_t)p; at < (uintptr_t)p + len; at += PAGE)
		check(write(fd, &at, sizeof(at)) == sizeof(at), "give back");
}

static void let_go(void *p, uint64_t len)
{
	give_back(p, len);
	check(!munmap(p, len), "munmap");
}

static void untouched(void)
{
	for (unsigned long n = 0; n < count; n += PAGES) {
		uint8_t *p = private_memory(PAGES * PAGE);
		const unsigned long before = faults();

		check(fills(p, PAGES * PAGE, n) && has_pattern(p, PAGES * PAGE, n, 0), "a write");
		check(faults() - before == PAGES, "a fault for each page");
		let_go(p, PAGES * PAGE);
	}
}

static void written(void)
{
	uint8_t *p = private_memory(PAGES * PAGE), *q = private_memory(PAGES * PAGE);

	for (unsigned int i = 0; i < PAGES * PAGE; i++)
		p[i] = i * 2654435761u >> 13;
	check(copies(p, q, PAGES * PAGE) && !memcmp(p, q, PAGES * PAGE), "a copy");
	let_go(p, PAGES * PAGE);
	let_go(q, PAGES * PAGE);
}

/* What is given back faults again; what is there does not. */
static void given_back(void)
{
	uint8_t *p = private_memory(4 * PAGE);
	unsigned long before;

	check(fills(p, 4 * PAGE, 1), "a write");
	before = faults();
	check(fills(p, 4 * PAGE, 2) && faults() == before, "no fault");
	give_back(p + PAGE, PAGE);
	check(fills(p, 4 * PAGE, 3) && faults() == before + 1, "one fault");
	check(has_pattern(p, 4 * PAGE, 3, 0), "what it wrote");
	let_go(p, 4 * PAGE);
}

static void nothing(void)
{
	uint8_t *p = private_memory(3 * PAGE);

	check(!munmap(p + PAGE, PAGE), "munmap");
	check(!fills(p, 3 * PAGE, 4), "a page that is not there");
	check(stalls || ask(p + PAGE, WANTS_READ, 1) == 1, "invalid");
	check(fills(p + 2 * PAGE, PAGE, 5) && has_pattern(p + 2 * PAGE, PAGE, 5, 0), "beside it");
	let_go(p, 3 * PAGE);
}

static void read_only(void)
{
	uint8_t *p = private_memory(PAGE), *q = private_memory(PAGE);

	memset(p, 0x5a, PAGE);
	check(!mprotect(p, PAGE, PROT_READ), "mprotect");
	check(!fills(p, PAGE, 6) && p[0] == 0x5a && p[PAGE - 1] == 0x5a, "a write");
	check(stalls || (!ask(p, WANTS_READ, 1) && !ask(q, WANTS_WRITE, 2)), "a page to read");
	check(copies(p, q, PAGE) && !memcmp(p, q, PAGE), "a read");
	let_go(p, PAGE);
	let_go(q, PAGE);
}

/* One answer, after which all of it is there; or, of one that is not, none of it can be relied on.
 */
static void groups(void)
{
	uint8_t *p = private_memory(PAGES * PAGE);
	unsigned long before;

	for (unsigned int n = 0; n < PAGES; n += SLOTS) {
		for (unsigned int i = 0; i < SLOTS - 1; i++) {
			begin_asking(i, (uintptr_t)p + (n + i) * PAGE, WANTS_WRITE, n);
			check(outcome(i) == DONE, "one of a group");
		}
		check(!ask(p + (n + SLOTS - 1) * PAGE, WANTS_WRITE, n), "the last of a group");
	}
	before = asked;
	check(fills(p, PAGES * PAGE, 7) && asked == before, "no fault");
	check(has_pattern(p, PAGES * PAGE, 7, 0), "what it wrote");
	let_go(p, PAGES * PAGE);
	begin_asking(0, 0, WANTS_WRITE, 3);
	p = private_memory(PAGE);
	check(ask(p, WANTS_WRITE, 3) == 1, "one of them is not there");
	let_go(p, PAGE);
}

static void at_once(void)
{
	uint8_t *p = private_memory(SLOTS * PAGE);

	for (unsigned long n = 0; n < count; n += SLOTS) {
		for (unsigned int i = 0; i < SLOTS; i++)
			begin_asking(i, (uintptr_t)p + i * PAGE, WANTS_WRITE | LAST, i);
		for (unsigned int i = 0; i < SLOTS; i++)
			check(outcome(i) == DONE && !get64(slot(i) + 0x50), "one of eight");
		asked += SLOTS;
		check(fills(p, SLOTS * PAGE, n) && has_pattern(p, SLOTS * PAGE, n, 0), "a write");
		give_back(p, SLOTS * PAGE);
	}
	let_go(p, SLOTS * PAGE);
}

/* What waits then has no answer, nor has the slot; what is asked for afterwards has one. */
static void reset_while_asked(void)
{
	uint8_t *p = private_memory(SLOTS * PAGE);
	unsigned int unanswered = 0;

	for (unsigned int n = 0; n < 8; n++) {
		for (unsigned int i = 0; i < SLOTS; i++)
			begin_asking(i, (uintptr_t)p + i * PAGE, WANTS_WRITE | LAST, i);
		reset_function(path);
		for (unsigned int i = 0; i < SLOTS; i++)
			unanswered += !status(i);
		check(!ask(p, WANTS_WRITE, 0), "a page by a name that waited");
		check(fills(p, SLOTS * PAGE, n) && has_pattern(p, SLOTS * PAGE, n, 0), "a write");
		give_back(p, SLOTS * PAGE);
	}
	check(unanswered, "one that had no answer");
	let_go(p, SLOTS * PAGE);
}

static void open_device(void)
{
	do /* who had it before may be leaving */
		fd = open(path, O_RDWR);
	while (fd < 0 && errno == EBUSY && !sched_yield());
	check(fd >= 0, "open");
	map_registers(fd);
}

static void close_device(void)
{
	check(!munmap((void *)regs, REGISTERS) && !close(fd), "close");
}

static void begin_filling(unsigned int n, void *at, uint64_t len, uint64_t seed)
{
	start(n, (struct operation){ .op = FILL, .iova = (uintptr_t)at, .len = len, .arg = seed });
}

static void stall_at_once(void)
{
	uint8_t *p = private_memory(SLOTS * PAGE);

	for (unsigned long n = 0; n < count; n += SLOTS) {
		for (unsigned int i = 0; i < SLOTS; i++)
			begin_filling(i, p + i * PAGE, PAGE, n + i);
		for (unsigned int i = 0; i < SLOTS; i++)
			check(status(i) == DONE && has_pattern(p + i * PAGE, PAGE, n + i, 0),
			      "one of eight");
		give_back(p, SLOTS * PAGE);
	}
	let_go(p, SLOTS * PAGE);
}

/* Another process that never stops faulting has the endpoint, until it is killed. */
static pid_t fault_for_ever(void)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	check(!pipe(ready) && (pid = fork()) >= 0, "fork");
	if (pid) {
		check(read(ready[0], &byte, 1) == 1, "another process");
		close(ready[0]);
		close(ready[1]);
		return pid;
	}
	open_device();
	for (unsigned long n = 0;; n++) {
		uint8_t *p = private_memory(SLOTS * PAGES * PAGE);

		for (unsigned int i = 0; i < SLOTS; i++)
			begin_filling(i, p + i * PAGES * PAGE, PAGES * PAGE, n);
		if (n == 1)
			check(write(ready[1], &byte, 1) == 1, "tell");
		for (unsigned int i = 0; i < SLOTS; i++)
			status(i);
		let_go(p, SLOTS * PAGES * PAGE);
	}
}

static void kill_it(pid_t pid)
{
	check(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid, "kill");
}

/* Whoever has it next finds it as it was. */
static void goes_on(void)
{
	uint8_t *p;

	open_device();
	for (unsigned int i = 0; i < SLOTS; i++)
		status(i); /* what was begun ends */
	p = private_memory(PAGES * PAGE);
	check(fills(p, PAGES * PAGE, 8) && has_pattern(p, PAGES * PAGE, 8, 0), "a write");
	let_go(p, PAGES * PAGE);
}

static void killed(void)
{
	close_device();
	for (unsigned int n = 0; n < 4; n++) {
		kill_it(fault_for_ever());
		goes_on();
		close_device();
	}
	open_device();
}

/* IOVAs are this process's addresses. */
static void wait_for_others(void)
{
	void *at = (void *)0x10000000;

	check(mmap(at, PAGES * PAGE, PROT_READ | PROT_WRITE,
	           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at,
	      "memory");
	puts("vpri: serves");
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "untouched", untouched },   { "written", written },
		{ "given back", given_back }, { "nothing", nothing },
		{ "read-only", read_only },   { "groups", groups },
		{ "at once", at_once },       { "reset", reset_while_asked },
	};
	static const struct test stalled[] = {
		{ "untouched", untouched },   { "written", written },
		{ "given back", given_back }, { "nothing", nothing },
		{ "read-only", read_only },   { "at once", stall_at_once },
		{ "killed", killed },
	};
	uint64_t counts[2];

	setlinebuf(stdout);
	stalls = argc == 4 && !strcmp(argv[3], "stalls");
	check(argc == 3 || stalls || (argc == 4 && !strcmp(argv[3], "serve")), "arguments");
	path = argv[1];
	count = strtoul(argv[2], NULL, 10);
	open_device();
	if (argc == 4 && !stalls)
		wait_for_others();
	if (stalls)
		run_tests(stalled, sizeof(stalled) / sizeof(*stalled));
	else
		run_tests(tests, sizeof(tests) / sizeof(*tests));
	check(read(fd, counts, sizeof(counts)) == sizeof(counts), "counts");
	printf("vpri: %lu groups, %llu pages brought, %llu not\n", asked,
	       (unsigned long long)counts[0], (unsigned long long)counts[1]);
	return 0;
}

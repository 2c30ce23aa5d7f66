// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA endpoint in the memory of processes, by SVA:
 *   sva /dev/sva-FUNCTION COUNT [present | some]    each test says "sva: NAME: ok", or what was
 * wrong and exits; present: those in which no fault has to be answered; some: of each kind one
 */
#include <linux/mman.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "guests/linux/endpoint.h"

#define SLOTS     8
#define PAGES     64
#define HUGE      0x200000ULL
#define PROCESSES 4

#define IN_MEMORY (1ULL << 63) /* of /proc/PID/pagemap */
#define SWAPPED   (1ULL << 62)

static const char *path;
static unsigned long count;
static uint32_t pasid;

/* This process's memory is the endpoint's from now on. */
static int bind_memory(void)
{
	int fd;

	pasid = lend_memory(path, &fd);
	return fd;
}

static void *private_memory(uint64_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(p != MAP_FAILED, "memory");
	return p;
}

static uint64_t page_is(const void *at)
{
	const int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t val = 0;

	check(pread(fd, &val, 8, (uintptr_t)at / PAGE * 8) == 8, "pagemap");
	close(fd);
	return val & (IN_MEMORY | SWAPPED);
}

static void begin(unsigned int n, struct operation o)
{
	o.flags |= PASID;
	o.pasid = pasid;
	start(n, o);
}

static void begin_fill(unsigned int n, void *at, uint64_t len, uint64_t seed)
{
	begin(n, (struct operation){ .op = FILL, .iova = (uintptr_t)at, .len = len, .arg = seed });
}

static int fills(void *at, uint64_t len, uint64_t seed)
{
	begin_fill(0, at, len, seed);
	return status(0) == DONE;
}

static int copies(const void *from, void *to, uint64_t len)
{
	begin(0, (struct operation){
			 .op = COPY, .iova = (uintptr_t)from, .iova2 = (uintptr_t)to, .len = len });
	return status(0) == DONE;
}

/* An access of 8 bytes ends in a fault, there. */
static int faults(uint32_t op, void *at)
{
	begin(0, (struct operation){ .op = op, .iova = (uintptr_t)at, .len = 8 });
	return status(0) == FAULT && get64(slot(0) + 0x48) == (uintptr_t)at;
}

static void untouched(void)
{
	uint8_t *p = private_memory(PAGES * PAGE), *q = private_memory(PAGES * PAGE);
	static const uint8_t zeros[PAGES * PAGE];

	check(!page_is(p), "a page that nobody touched");
	check(fills(p, PAGES * PAGE, 1) && has_pattern(p, PAGES * PAGE, 1, 0), "a write");
	check(copies(q, p, PAGES * PAGE) && !memcmp(p, zeros, sizeof(zeros)), "a read");
	check(fills(q, PAGES * PAGE, 2) && has_pattern(q, PAGES * PAGE, 2, 0),
	      "a write of the zero page");
	munmap(p, PAGES * PAGE);
	munmap(q, PAGES * PAGE);
}

/* What was there is gone, for the endpoint too. */
static void given_up(void)
{
	uint8_t *p = private_memory(PAGES * PAGE), *q = private_memory(PAGES * PAGE);

	memset(q, 1, PAGES * PAGE); /* so that it needs none of the pages that go */
	check(fills(p, PAGES * PAGE, 3), "a write");
	check(!madvise(p, PAGES * PAGE, MADV_DONTNEED) && !page_is(p), "madvise");
	check(copies(p, q, PAGES * PAGE) && !q[0] && !memcmp(q, q + 1, PAGES * PAGE - 1),
	      "a read of what is empty");
	munmap(p, PAGES * PAGE);
	munmap(q, PAGES * PAGE);
}

/* Pages that have just come are still in a CPU's batch, of the one that served the fault: those are
 * emptied first. */
static int swap_out(uint8_t *p)
{
	const int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	unsigned int n = 0;

	check(write(fd, "1", 1) == 1, "drop caches");
	close(fd);
	check(!madvise(p, PAGES * PAGE, MADV_PAGEOUT), "page out");
	for (unsigned int i = 0; i < PAGES; i++)
		n += page_is(p + i * PAGE) == SWAPPED;
	return n == PAGES;
}

/* Nobody but the endpoint wants the pages back, and made them dirty: at first by a fault, and when
 * they are there again, writable and like what is on the disk, by the IOMMU alone. */
static void swapped_out(void)
{
	uint8_t *p = private_memory(PAGES * PAGE), *q = private_memory(PAGES * PAGE);

	for (uint64_t seed = 10; seed < 14; seed += 2) {
		check(fills(p, PAGES * PAGE, seed) && swap_out(p), "all is out");
		check(copies(p, q, PAGES * PAGE) && has_pattern(q, PAGES * PAGE, seed, 0),
		      "a read");
		check(fills(p, PAGES * PAGE, seed + 1) && swap_out(p), "all is out again");
		check(copies(p, q, PAGES * PAGE), "a second read");
		check(has_pattern(q, PAGES * PAGE, seed + 1, 0), "what was written between");
	}
	munmap(p, PAGES * PAGE);
	munmap(q, PAGES * PAGE);
}

static void ends_well(pid_t child)
{
	int how;

	check(waitpid(child, &how, 0) == child && !how, "the child");
}

/* The endpoint's write, by a translation that it has used before the fork, leaves the child its
 * page. */
static void forked(void)
{
	uint8_t *p = private_memory(PAGE);
	int wake[2];
	pid_t child;
	char c;

	check(!pipe(wake) && fills(p, PAGE, 20), "a write");
	child = fork();
	if (!child)
		_exit(read(wake[0], &c, 1) != 1 || !has_pattern(p, PAGE, 20, 0));
	check(fills(p, PAGE, 21) && has_pattern(p, PAGE, 21, 0), "a write of a shared page");
	check(write(wake[1], "", 1) == 1, "pipe");
	ends_well(child);
	close(wake[0]);
	close(wake[1]);
	munmap(p, PAGE);
}

static void unmapped(void)
{
	uint8_t *p = private_memory(3 * PAGE);

	check(fills(p, 3 * PAGE, 30), "a write");
	check(!munmap(p + PAGE, PAGE), "munmap");
	check(faults(CHECK, p + PAGE) && faults(FILL, p + PAGE), "a fault where nothing is");
	begin_fill(0, p, 3 * PAGE, 31);
	check(status(0) == FAULT && get64(slot(0) + 0x48) == (uintptr_t)p + PAGE, "where it ends");
	check(fills(p + 2 * PAGE, PAGE, 32), "a write beside it");
	munmap(p, 3 * PAGE);
}

static void protected(void)
{
	uint8_t *p = private_memory(PAGE), *q = private_memory(PAGE);

	check(fills(p, PAGE, 33) && !mprotect(p, PAGE, PROT_READ), "mprotect");
	check(faults(FILL, p) && copies(p, q, PAGE) && has_pattern(q, PAGE, 33, 0), "read-only");
	check(!mprotect(p, PAGE, PROT_NONE) && faults(CHECK, p), "nothing is allowed");
	check(!mprotect(p, PAGE, PROT_READ | PROT_WRITE) && has_pattern(p, PAGE, 33, 0),
	      "untouched");
	check(fills(p, PAGE, 34) && has_pattern(p, PAGE, 34, 0), "writable again");
	munmap(p, PAGE);
	munmap(q, PAGE);
}

static void moved(void)
{
	uint8_t *p = private_memory(2 * PAGE), *to = private_memory(2 * PAGE), *q;

	check(fills(p, 2 * PAGE, 35), "a write");
	q = mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	check(q == to && faults(CHECK, p), "where it was");
	check(fills(q, PAGE, 36), "where it is");
	check(has_pattern(q, PAGE, 36, 0) && has_pattern(q + PAGE, PAGE, 35, PAGE / 8), "both");
	munmap(q, 2 * PAGE);
}

/* Behind its end there is nothing, though it is mapped. */
static void file(void)
{
	const int fd = open("/tmp/file", O_RDWR | O_CREAT, 0600);
	uint8_t *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	static uint64_t buf[2 * PAGE / 8];

	check(p != MAP_FAILED && !ftruncate(fd, 2 * PAGE), "file");
	check(fills(p, 2 * PAGE, 40) && faults(FILL, p + 2 * PAGE), "a write");
	check(pread(fd, buf, sizeof(buf), 0) == sizeof(buf), "read");
	check(has_pattern(buf, sizeof(buf), 40, 0), "what it wrote");
	check(!ftruncate(fd, PAGE) && faults(CHECK, p + PAGE), "a file that is shorter now");
	munmap(p, 3 * PAGE);
	close(fd);
}

static void huge(void)
{
	uint8_t *all = private_memory(2 * HUGE), *q = private_memory(HUGE);
	uint8_t *p = (void *)(((uintptr_t)all + HUGE - 1) & ~(HUGE - 1));

	check(!madvise(p, HUGE, MADV_HUGEPAGE) && fills(p, 8, 50), "a write");
	check(page_is(p + HUGE - PAGE) == IN_MEMORY, "a huge page");
	check(fills(p, HUGE, 51) && has_pattern(p, HUGE, 51, 0), "a write of it all");
	check(!munmap(p + HUGE / 2, PAGE) && faults(CHECK, p + HUGE / 2), "a hole in it");
	check(copies(p, q, HUGE / 2) && has_pattern(q, HUGE / 2, 51, 0), "what is before that");
	check(fills(p + HUGE - PAGE, PAGE, 52), "what is behind it");
	check(has_pattern(p + HUGE - PAGE, PAGE, 52, 0), "there");
	munmap(all, 2 * HUGE);
	munmap(q, HUGE);
}

/* Small pages that the endpoint has used are one large one, with the same in it. */
static void collapsed(void)
{
	uint8_t *all = private_memory(2 * HUGE);
	uint8_t *p = (void *)(((uintptr_t)all + HUGE - 1) & ~(HUGE - 1));

	check(fills(p, HUGE, 53) && !madvise(p, HUGE, MADV_COLLAPSE), "collapse");
	check(has_pattern(p, HUGE, 53, 0), "the same");
	check(fills(p, HUGE, 54) && has_pattern(p, HUGE, 54, 0), "a write");
	munmap(all, 2 * HUGE);
}

static volatile int stop;

static void *counts(void *at)
{
	volatile uint64_t *word = at;
	uint64_t n = 0;

	while (!stop)
		for (unsigned int i = 0; i < 256; i++, n++)
			if (__atomic_fetch_add(word, 1, __ATOMIC_RELAXED) != n)
				return at;
	return NULL;
}

/* A CPU in one half of a page, the endpoint in the other, while the page comes and goes. */
static void shared_with_a_cpu(void)
{
	uint8_t *p = private_memory(PAGES * PAGE);
	pthread_t thread;
	void *lost;

	stop = 0;
	check(!pthread_create(&thread, NULL, counts, p), "thread");
	for (unsigned long n = 0; n < 100; n++) {
		check(fills(p + PAGE / 2, PAGE / 2, n), "a write");
		check(!madvise(p, PAGE, MADV_PAGEOUT), "page out");
		check(has_pattern(p + PAGE / 2, PAGE / 2, n, 0), "the endpoint's half");
	}
	stop = 1;
	check(!pthread_join(thread, &lost) && !lost, "the CPU's half");
	munmap(p, PAGES * PAGE);
}

/* Each slot writes a page that is not there, again and again; @first is of this process. */
static void faults_of(uint8_t *p, unsigned int first, unsigned int nr, unsigned long times)
{
	for (unsigned long done = 0; done < times; done += nr) {
		for (unsigned int n = 0; n < nr; n++)
			begin_fill(first + n, p + n * PAGE, PAGE, done + n);
		for (unsigned int n = 0; n < nr; n++) {
			check(status(first + n) == DONE, "a transfer that stalled");
			check(has_pattern(p + n * PAGE, PAGE, done + n, 0), "what it wrote");
		}
		check(!madvise(p, nr * PAGE, MADV_DONTNEED) && !page_is(p), "madvise");
	}
}

static void under_load(void)
{
	uint8_t *p = private_memory(SLOTS * PAGE);

	faults_of(p, 0, SLOTS, count);
	munmap(p, SLOTS * PAGE);
}

/* At the same addresses. */
static void processes(void)
{
	uint8_t *p = private_memory(2 * PAGE);
	pid_t children[PROCESSES];

	check(fills(p, 2 * PAGE, 60), "a write");
	for (unsigned int n = 0; n < PROCESSES; n++) {
		children[n] = fork();
		if (children[n])
			continue;
		bind_memory();
		faults_of(p, 2 * n, 2, count / 40);
		_exit(0);
	}
	for (unsigned int n = 0; n < PROCESSES; n++)
		ends_well(children[n]);
	check(has_pattern(p, 2 * PAGE, 60, 0), "the parent's");
	munmap(p, 2 * PAGE);
}

static void send_file(int to, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &pasid, sizeof(pasid) };
	struct msghdr m = { .msg_iov = &iov,
		            .msg_iovlen = 1,
		            .msg_control = control,
		            .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	check(sendmsg(to, &m, 0) == sizeof(pasid), "send");
}

static int receive_file(int from)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &pasid, sizeof(pasid) };
	struct msghdr m = { .msg_iov = &iov,
		            .msg_iovlen = 1,
		            .msg_control = control,
		            .msg_controllen = sizeof(control) };
	int fd;

	check(recvmsg(from, &m, 0) == sizeof(pasid) && CMSG_FIRSTHDR(&m), "receive");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

/* In a child: many pages are wanted by all slots, and then the memory is gone. */
static void leave(int to)
{
	const uint64_t size = HUGE * 16;
	uint8_t *p = private_memory(size * SLOTS);
	const int fd = bind_memory();

	if (to >= 0)
		send_file(to, fd);
	for (unsigned int n = 0; n < SLOTS; n++)
		begin_fill(n, p + n * size, size, n);
	_exit(0);
}

static void all_fault(void)
{
	for (unsigned int n = 0; n < SLOTS; n++)
		check(status(n) == FAULT, "an access to memory that is gone");
}

/* What stalls ends with it; what is begun then is served. */
static void reset(void)
{
	for (unsigned int round = 0; round < 8; round++) {
		uint8_t *p = private_memory(4 * PAGE);
		for (unsigned int n = 0; n < 4; n++)
			begin_fill(n, p + n * PAGE, PAGE, 7);
		reset_function(path);
		check(fills(p, 4 * PAGE, round) && has_pattern(p, 4 * PAGE, round, 0), "a write");
		munmap(p, 4 * PAGE);
	}
}

/* The PASID is still there, and has nothing behind it. */
static void memory_is_gone(void)
{
	const uint32_t mine = pasid;
	uint8_t *p = private_memory(PAGE);
	int pair[2], fd;
	pid_t child;

	check(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socket");
	child = fork();
	if (!child)
		leave(pair[1]);
	fd = receive_file(pair[0]);
	check(pasid != mine, "another PASID");
	ends_well(child);
	all_fault();
	check(faults(CHECK, p) && faults(FILL, p), "nothing is behind it");
	close(fd);
	close(pair[0]);
	close(pair[1]);
	pasid = mine;
	check(fills(p, PAGE, 61), "this process's");
	munmap(p, PAGE);
}

/* Memory and PASID go at once, and the next one has the PASID. What comes too late for a PASID is
 * an event that the IOMMU's driver reports, and that is no mistake from here on. */
static void process_is_gone(void)
{
	const int log = open("/dev/kmsg", O_WRONLY);

	check(write(log, "sva: leaves", 11) == 11, "log");
	close(log);
	for (unsigned int n = 0; n < 4; n++) {
		const pid_t child = fork();

		if (!child)
			leave(-1);
		ends_well(child);
		all_fault();
	}
}

/* Over and over at the same addresses: what was there before is never met again. */
static void present(void)
{
	uint8_t *p = private_memory(PAGES * PAGE), *q = private_memory(PAGES * PAGE);

	memset(q, 0xff, PAGES * PAGE);
	for (unsigned long n = 0; n < count; n++) {
		check(mmap(p, PAGES * PAGE, PROT_READ | PROT_WRITE,
		           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0) == p,
		      "memory");
		memset(p, (int)n, PAGES * PAGE);
		check(copies(p, q, PAGES * PAGE) && !memcmp(p, q, PAGES * PAGE), "a read");
		check(fills(p, PAGES * PAGE, n) && has_pattern(p, PAGES * PAGE, n, 0), "a write");
		check(!munmap(p, PAGES * PAGE), "munmap");
		check(faults(CHECK, p) && faults(FILL, p), "nothing is there any more");
	}
	munmap(q, PAGES * PAGE);
}

int main(int argc, char **argv)
{
	static const struct test unanswered[] = { { "present", present } };
	static const struct test quick[] = {
		{ "untouched", untouched },           { "given up", given_up },
		{ "swapped out", swapped_out },       { "forked", forked },
		{ "under load", under_load },         { "processes", processes },
		{ "memory is gone", memory_is_gone }, { "process is gone", process_is_gone },
	};
	static const struct test tests[] = {
		{ "untouched", untouched },
		{ "given up", given_up },
		{ "swapped out", swapped_out },
		{ "forked", forked },
		{ "unmapped", unmapped },
		{ "protected", protected },
		{ "moved", moved },
		{ "file", file },
		{ "huge", huge },
		{ "collapsed", collapsed },
		{ "shared with a CPU", shared_with_a_cpu },
		{ "under load", under_load },
		{ "processes", processes },
		{ "memory is gone", memory_is_gone },
		{ "process is gone", process_is_gone },
		{ "reset", reset },
	};

	setlinebuf(stdout);
	check(argc == 3 || argc == 4, "arguments");
	path = argv[1];
	count = strtoul(argv[2], NULL, 10);
	map_registers(bind_memory());
	if (argc == 4 && !strcmp(argv[3], "some"))
		run_tests(quick, sizeof(quick) / sizeof(*quick));
	else if (argc == 4)
		run_tests(unanswered, 1);
	else
		run_tests(tests, sizeof(tests) / sizeof(*tests));
	return 0;
}

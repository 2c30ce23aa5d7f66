// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random data over many streams at once, both ways, every byte compared:
 *   traffic serve tcp:PORT | vsock:PORT         answers for ever
 *   traffic run ADDRESS STREAMS BYTES SEED [up|down|both] [plain]
 * ADDRESS is tcp:HOST:PORT or vsock:CID:PORT. BYTES, in all, go each way; `plain`
 * sends zeroes and compares nothing, to measure. Prints a line a direction:
 *   up BYTES bytes SUM MB/s
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/vm_sockets.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef uint64_t u64;

#define CHUNK (128u << 10)

/* What a stream begins with. */
struct request {
	u64 bytes, seed;
	u64 down, plain; /* flags */
};

static void fail(const char *what)
{
	fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* xorshift64*, whole words; the sum is of them too. */
static u64 next(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

static void write_all(int fd, const void *buf, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = send(fd, (const char *)buf + done, len - done, MSG_NOSIGNAL);

		if (n <= 0)
			fail("send");
		done += n;
	}
}

static void read_all(int fd, void *buf, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = recv(fd, (char *)buf + done, len - done, 0);

		if (n < 0)
			fail("receive");
		if (!n) {
			fprintf(stderr, "traffic: the stream ends too early\n");
			exit(1);
		}
		done += n;
	}
}

static size_t chunk_of(u64 left)
{
	return left < CHUNK ? left : CHUNK;
}

static u64 send_data(int fd, const struct request *rq)
{
	u64 state = rq->seed, sum = 0;
	u64 *buf = calloc(1, CHUNK);

	for (u64 left = rq->bytes; left;) {
		size_t len = chunk_of(left);

		for (size_t i = 0; i < (len + 7) / 8 && !rq->plain; i++)
			sum += buf[i] = next(&state);
		write_all(fd, buf, len);
		left -= len;
	}
	free(buf);
	return sum;
}

static u64 receive_data(int fd, const struct request *rq)
{
	u64 state = rq->seed, sum = 0;
	u64 *buf = calloc(1, CHUNK);

	for (u64 left = rq->bytes; left;) {
		size_t len = chunk_of(left);

		read_all(fd, buf, len);
		for (size_t i = 0; i < len / 8 && !rq->plain; i++) {
			sum += buf[i];
			if (buf[i] == next(&state))
				continue;
			fprintf(stderr, "traffic: wrong data, %llu bytes before the end\n",
			        (unsigned long long)left - i * 8);
			exit(1);
		}
		left -= len;
	}
	free(buf);
	return sum;
}

/* "tcp:HOST:PORT", "vsock:CID:PORT"; to listen, without the middle. */
static socklen_t parse(const char *text, bool listens, struct sockaddr_storage *to)
{
	struct sockaddr_in *in = (struct sockaddr_in *)to;
	struct sockaddr_vm *vm = (struct sockaddr_vm *)to;
	char copy[128], *host, *port;

	memset(to, 0, sizeof(*to));
	snprintf(copy, sizeof(copy), "%s", text);
	host = strchr(copy, ':');
	port = strrchr(copy, ':');
	if (!host || (host == port) != listens)
		fail(text);
	*host++ = *port++ = 0;
	if (!strcmp(copy, "vsock")) {
		vm->svm_family = AF_VSOCK;
		vm->svm_cid = listens ? VMADDR_CID_ANY : strtoul(host, NULL, 10);
		vm->svm_port = strtoul(port, NULL, 10);
		return sizeof(*vm);
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(strtoul(port, NULL, 10));
	if (!listens && inet_pton(AF_INET, host, &in->sin_addr) != 1)
		fail(text);
	return sizeof(*in);
}

static void answer(int fd)
{
	struct request rq;
	u64 sum;

	read_all(fd, &rq, sizeof(rq));
	sum = rq.down ? send_data(fd, &rq) : receive_data(fd, &rq);
	write_all(fd, &sum, sizeof(sum));
	read_all(fd, &sum, 1); /* the other side has seen it */
}

static void serve(const char *address)
{
	struct sockaddr_storage at;
	socklen_t len = parse(address, true, &at);
	int one = 1, fd = socket(at.ss_family, SOCK_STREAM, 0);

	signal(SIGCHLD, SIG_IGN);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) || listen(fd, 128))
		fail(address);
	for (;;) {
		int client = accept(fd, NULL, NULL);

		if (client < 0)
			fail("accept");
		if (!fork()) {
			close(fd); /* the port is its parent's, and goes with it */
			answer(client);
			_exit(0);
		}
		close(client);
	}
}

/* One stream; the two sums must be the same. */
static u64 stream(const char *address, const struct request *rq)
{
	struct sockaddr_storage to;
	socklen_t len = parse(address, false, &to);
	int fd = socket(to.ss_family, SOCK_STREAM, 0);
	u64 sum, theirs;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, len))
		fail(address);
	write_all(fd, rq, sizeof(*rq));
	sum = rq->down ? receive_data(fd, rq) : send_data(fd, rq);
	read_all(fd, &theirs, sizeof(theirs));
	write_all(fd, "", 1);
	close(fd);
	if (sum == theirs)
		return sum;
	fprintf(stderr, "traffic: sums differ: %016llx here, %016llx there\n",
	        (unsigned long long)sum, (unsigned long long)theirs);
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

struct side {
	u64 sum;
	double end;
};

static void start_streams(const char *address, unsigned int nr, struct request rq,
                          struct side *side)
{
	u64 seed = rq.seed;

	for (unsigned int i = 0; i < nr; i++) {
		u64 sum;

		rq.seed = (seed + 1) * 0x9e3779b97f4a7c15ULL + 2 * i + rq.down;
		if (fork())
			continue;
		sum = stream(address, &rq);
		__atomic_fetch_add(&side->sum, sum, __ATOMIC_SEQ_CST);
		side->end = now();
		_exit(0);
	}
}

int main(int argc, char **argv)
{
	static const char *const names[2] = { "up", "down" };
	struct side *sides =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *which = argc > 6 ? argv[6] : "both";
	struct request rq = { 0 };
	unsigned int streams;
	int status, bad = 0;
	double start = now();

	if (argc == 3 && !strcmp(argv[1], "serve"))
		serve(argv[2]);
	if (argc < 6 || strcmp(argv[1], "run"))
		return 2;
	streams = strtoul(argv[3], NULL, 10);
	rq.bytes = strtoull(argv[4], NULL, 10) / streams & ~7ULL;
	rq.seed = strtoull(argv[5], NULL, 10);
	rq.plain = argc > 7;
	for (unsigned int down = 0; down < 2; down++) {
		rq.down = down;
		if (!strcmp(which, "both") || !strcmp(which, names[down]))
			start_streams(argv[2], streams, rq, &sides[down]);
	}
	while (wait(&status) > 0)
		bad |= status;
	for (unsigned int down = 0; down < 2 && !bad; down++)
		if (sides[down].end)
			printf("%s %llu bytes %016llx %.1f MB/s\n", names[down],
			       (unsigned long long)rq.bytes * streams,
			       (unsigned long long)sides[down].sum,
			       rq.bytes * streams / 1e6 / (sides[down].end - start));
	return bad ? 1 : 0;
}

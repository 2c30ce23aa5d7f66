// SPDX-License-Identifier: GPL-2.0-only
/*
 * In the guest: how fast a disk is read past the page cache. reads DEVICE BYTES DEPTH COUNT
 * [random] prints COUNT requests' rate a second: of BYTES each, DEPTH of them in flight.
 */
#include <fcntl.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/fs.h>

#define MAX_DEPTH 64

struct disk {
	int fd;
	size_t bytes;
	unsigned long long blocks, next;
	bool random;
	struct io_uring ring;
	char *bufs;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void queue(struct disk *d, unsigned long slot)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&d->ring);
	unsigned long long block = d->random ? (unsigned long long)random() : d->next++;

	io_uring_prep_read(sqe, d->fd, d->bufs + slot * d->bytes, d->bytes,
	                   block % d->blocks * d->bytes);
	io_uring_sqe_set_data(sqe, (void *)slot);
}

/* Keeps DEPTH in flight; true if every one of @count read all it should. */
static bool read_all(struct disk *d, unsigned int depth, unsigned int count)
{
	unsigned int queued = 0, done = 0;
	struct io_uring_cqe *cqe;

	while (queued < depth)
		queue(d, queued++);
	while (done < count) {
		if (io_uring_submit_and_wait(&d->ring, 1) < 0)
			return false;
		while (!io_uring_peek_cqe(&d->ring, &cqe)) {
			unsigned long slot = (unsigned long)io_uring_cqe_get_data(cqe);

			if (cqe->res != (int)d->bytes)
				return false;
			io_uring_cqe_seen(&d->ring, cqe);
			done++;
			if (queued < count) {
				queue(d, slot);
				queued++;
			}
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	unsigned int depth, count;
	unsigned long long size;
	struct disk d = { 0 };
	double start;

	if (argc < 5)
		return 2;
	d.bytes = atoi(argv[2]);
	depth = atoi(argv[3]);
	count = atoi(argv[4]);
	d.random = argc > 5;
	d.fd = open(argv[1], O_RDONLY | O_DIRECT);
	if (d.fd < 0 || depth > MAX_DEPTH || ioctl(d.fd, BLKGETSIZE64, &size) ||
	    io_uring_queue_init(MAX_DEPTH, &d.ring, 0) ||
	    posix_memalign((void **)&d.bufs, 4096, depth * d.bytes))
		return 1;
	d.blocks = size / d.bytes;
	start = now();
	if (!read_all(&d, depth, count))
		return 1;
	printf("%.1f\n", count / (now() - start));
	return 0;
}

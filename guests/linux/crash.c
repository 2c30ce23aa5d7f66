// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk whose host dies: what was flushed must be there.
 *   crash write DEVICE     writes, zeroes and discards blocks, flushes, says "flushed N", on and
 * on, with other writers at work on the rest of the disk crash check DEVICE N   whether everything
 * up to N is as it was when that was said
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/fs.h>

#define BLOCK 4096
#define STEPS 8             /* from one flush to the next */
#define LOAD  (32ULL << 20) /* from here on, the other writers' */
#define MAX   (LOAD / BLOCK)

enum fate { WRITTEN, ZEROED, DISCARDED, REWRITTEN };

/* What becomes of block @i, in the step after its own. */
static enum fate fate_of(unsigned long i)
{
	static const enum fate fates[STEPS] = { [2] = ZEROED, [4] = REWRITTEN, [6] = DISCARDED };

	return fates[i % STEPS];
}

static void fill(uint64_t *block, unsigned long i, bool again)
{
	for (unsigned int w = 0; w < BLOCK / sizeof(*block); w++)
		block[w] = (i * 0x9e3779b97f4a7c15 + w) ^ (again ? ~0ULL : 0);
}

static bool put(int fd, unsigned long i, bool again)
{
	static _Alignas(BLOCK) uint64_t block[BLOCK / sizeof(uint64_t)];

	fill(block, i, again);
	return pwrite(fd, block, BLOCK, i * BLOCK) == BLOCK;
}

static bool undo(int fd, unsigned long i)
{
	uint64_t range[2] = { i * BLOCK, BLOCK };
	enum fate fate = fate_of(i);

	if (fate == ZEROED)
		return !ioctl(fd, BLKZEROOUT, range);
	if (fate == WRITTEN)
		return true;
	return !ioctl(fd, BLKDISCARD, range) && (fate == DISCARDED || put(fd, i, true));
}

static void *load(void *arg)
{
	int fd = *(int *)arg;
	char *junk = aligned_alloc(BLOCK, 16 * BLOCK);
	unsigned int seed = (uintptr_t)junk;

	memset(junk, 0x55, 16 * BLOCK);
	for (;;)
		if (pwrite(fd, junk, 16 * BLOCK, LOAD + rand_r(&seed) % 400 * 16 * BLOCK) < 0)
			return NULL;
}

static int write_on(int fd)
{
	pthread_t thread;

	for (int i = 0; i < 4; i++)
		pthread_create(&thread, NULL, load, &fd);
	for (unsigned long i = 0; i < MAX; i++) {
		if (!put(fd, i, false) || (i && !undo(fd, i - 1)))
			return 1;
		if ((i + 1) % STEPS)
			continue;
		if (fdatasync(fd))
			return 1;
		printf("flushed %lu\n", i + 1);
		fflush(stdout);
	}
	return 0;
}

static bool is_whole(int fd, unsigned long i)
{
	static const uint64_t zeroes[BLOCK / sizeof(uint64_t)];
	uint64_t first[BLOCK / sizeof(uint64_t)], again[BLOCK / sizeof(uint64_t)];
	uint64_t block[BLOCK / sizeof(uint64_t)];
	enum fate fate = fate_of(i);

	if (pread(fd, block, BLOCK, i * BLOCK) != BLOCK)
		return false;
	fill(first, i, false);
	fill(again, i, true);
	switch (fate) {
	case WRITTEN: return !memcmp(block, first, BLOCK);
	case ZEROED: return !memcmp(block, zeroes, BLOCK);
	case REWRITTEN: return !memcmp(block, again, BLOCK);
	case DISCARDED: return !memcmp(block, zeroes, BLOCK) || !memcmp(block, first, BLOCK);
	}
	return false;
}

static int check(int fd, unsigned long flushed)
{
	for (unsigned long i = 0; i < flushed; i++)
		if (!is_whole(fd, i)) {
			printf("block %lu of %lu flushed is not what it was\n", i, flushed);
			return 1;
		}
	printf("%lu blocks are whole\n", flushed);
	return 0;
}

int main(int argc, char **argv)
{
	bool writes = argc == 3 && !strcmp(argv[1], "write");
	int fd;

	if (!writes && argc != 4)
		return 2;
	fd = open(argv[2], writes ? O_RDWR | O_DIRECT : O_RDONLY);
	if (fd < 0) {
		perror(argv[2]);
		return 1;
	}
	return writes ? write_on(fd) : check(fd, atol(argv[3]));
}

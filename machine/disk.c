// SPDX-License-Identifier: GPL-2.0-only
/* --disk: files and block devices, checked before the guest exists; then virtio-blk. */
#include "machine/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/virtio_blk.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/virtio/blk.h"
#include "machine/file.h"
#include "machine/machine.h"
#include "machine/place.h"
#include "machine/status.h"

#define SECTOR         512
#define MAX_BLOCK      65536u
#define DEFAULT_QUEUES 8 /* at most, where it is not said: one for each vCPU */

const char *disk_option_take(struct options *o, char *val)
{
	static const struct key keys[] = {
		PLACE_KEYS(struct disk_option),
		{ "ro", KEY_FLAG, offsetof(struct disk_option, read_only), 0, 0 },
		{ "direct", KEY_FLAG, offsetof(struct disk_option, direct), 0, 0 },
		{ "serial", KEY_TEXT, offsetof(struct disk_option, serial), 0, 0 },
		{ "queues", KEY_NUMBER, offsetof(struct disk_option, queues), 1, BLK_MAX_QUEUES },
	};
	struct disk_option *disk = &o->disks[o->nr_disks];
	const char *expected;
	char *rest;

	if (o->nr_disks == MAX_DISKS)
		return "at most 256 disks";
	if (!*val || *val == ',')
		return "FILE[,ro][,direct][,serial=TEXT][,queues=N]";
	rest = keys_rest(val);
	*disk = (struct disk_option){ .path = val };
	o->nr_disks++;
	expected = place_claim(o, "disk", val, &disk->place);
	if (!expected && rest)
		expected = keys_parse(rest, keys, ARRAY_SIZE(keys), disk, o->why, sizeof(o->why));
	if (!expected && disk->serial && strlen(disk->serial) > VIRTIO_BLK_ID_BYTES)
		return "serial=TEXT, at most 20 characters";
	return expected;
}

int disk_open(const struct disk_option *o, int *fd, u64 *size)
{
	int flags = (o->read_only ? O_RDONLY : O_RDWR) | (o->direct ? O_DIRECT : 0);
	int err = file_open(o->path, flags, fd, size);

	if (err == -EINVAL && o->direct) {
		log_error("--disk %s,direct: its file system has no direct I/O: expected a file "
		          "on one that has, or no direct",
		          o->path);
		return STATUS_HOST_LACKS;
	}
	if (err == -EISDIR || err == -ESPIPE) {
		log_error("--disk %s: expected a raw file or a block device", o->path);
		return STATUS_USAGE;
	}
	if (err) {
		log_error("--disk %s: %s: expected a file that can be read%s", o->path,
		          strerror(-err), o->read_only ? "" : " and written (or FILE,ro)");
		return STATUS_USAGE;
	}
	if (*size >= 512)
		return 0;
	log_error("--disk %s: %llu bytes: expected at least one sector of 512", o->path,
	          (unsigned long long)*size);
	return STATUS_USAGE;
}

static void destroy_blk(void *dev)
{
	blk_destroy(dev);
}

/* A size that the kernel told us, if it is one for a block; else @otherwise. */
static u32 block_size(u64 told, u32 otherwise)
{
	bool possible = told >= SECTOR && told <= MAX_BLOCK && !(told & (told - 1));

	return possible ? told : otherwise;
}

/* What O_DIRECT asks for (statx(2), STATX_DIOALIGN); older kernels do not tell. */
static void ask_direct(struct blk_config *c)
{
	struct statx st = { 0 };

	c->direct_align = SECTOR;
	if (statx(c->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st) ||
	    !(st.stx_mask & STATX_DIOALIGN) || !st.stx_dio_offset_align)
		return;
	c->block = block_size(st.stx_dio_offset_align, SECTOR);
	if (st.stx_dio_mem_align && !(st.stx_dio_mem_align & (st.stx_dio_mem_align - 1)))
		c->direct_align = st.stx_dio_mem_align;
}

/* A hole behind the end changes nothing, and succeeds where holes can be punched. */
static void ask_file(struct blk_config *c, const struct stat *st)
{
	const off_t end = ALIGN_UP(c->size, MAX_BLOCK);

	c->physical_block = block_size(st->st_blksize, SECTOR);
	if (c->read_only ||
	    fallocate(c->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, end, SECTOR))
		return;
	c->discard = c->write_zeroes = true;
}

/*
 * The kernel zeroes and discards whole blocks only, also past the page cache. A
 * range that no device could discard is refused as such where others are taken.
 */
static void ask_device(struct blk_config *c)
{
	u64 nowhere[2] = { 1, SECTOR };
	unsigned int physical = 0;
	int logical = 0;

	if (!ioctl(c->fd, BLKSSZGET, &logical))
		c->block = block_size(logical, SECTOR);
	if (!ioctl(c->fd, BLKPBSZGET, &physical))
		c->physical_block = block_size(physical, SECTOR);
	if (c->read_only)
		return;
	c->discard = ioctl(c->fd, BLKDISCARD, nowhere) && errno != EOPNOTSUPP;
	c->write_zeroes = true; /* where the device cannot, the kernel writes them */
}

/* What the host can do with an open disk, into what the guest is told. */
static void ask_host(struct blk_config *c, struct work_queue *work, bool direct)
{
	struct stat st;

	if (direct)
		ask_direct(c);
	if (fstat(c->fd, &st))
		return;
	if (!S_ISBLK(st.st_mode)) {
		ask_file(c, &st);
		return;
	}
	ask_device(c);
	c->work = work;
}

unsigned int disk_queues(const struct options *o, unsigned int i)
{
	if (o->disks[i].queues)
		return o->disks[i].queues;
	return o->cpus < DEFAULT_QUEUES ? o->cpus : DEFAULT_QUEUES;
}

static int create_disk(struct machine *m, unsigned int i)
{
	const struct disk_option *o = &m->options->disks[i];
	struct blk_config c = {
		.fd = m->disks[i],
		.size = m->disk_sizes[i],
		.read_only = o->read_only,
		.serial = o->serial,
		.queues = disk_queues(m->options, i),
	};
	struct virtio_dev *dev;
	struct dma_space *dma;
	int err;

	ask_host(&c, m->vm.work, o->direct);
	err = machine_dma(m, &o->place, &dma);
	if (!err)
		err = blk_create(&dev, m->vm.loop, dma, &m->log, &c);
	if (err)
		return err;
	m->disks[i] = -1;
	err = machine_own(m, destroy_blk, dev);
	return err ? err : machine_add_virtio(m, dev, &o->place);
}

int disks_create(struct machine *m)
{
	int err = 0;

	for (unsigned int i = 0; i < m->options->nr_disks && !err; i++)
		err = create_disk(m, i);
	return err;
}

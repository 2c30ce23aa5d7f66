// SPDX-License-Identifier: GPL-2.0-only
/* --disk: files and block devices, checked before the guest exists; then virtio-blk. */
#include "machine/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/virtio/blk.h"
#include "machine/machine.h"
#include "machine/place.h"
#include "machine/status.h"

const char *disk_option_take(struct options *o, char *val)
{
	static const struct key keys[] = {
		PLACE_KEYS(struct disk_option),
		{ "ro", KEY_FLAG, offsetof(struct disk_option, read_only), 0, 0 },
	};
	struct disk_option *disk = &o->disks[o->nr_disks];
	const char *expected;
	char *rest;

	if (o->nr_disks == MAX_DISKS)
		return "at most 16 disks";
	if (!*val || *val == ',')
		return "FILE[,ro]";
	rest = keys_rest(val);
	*disk = (struct disk_option){ .path = val };
	o->nr_disks++;
	expected = place_claim(o, "disk", val, &disk->place);
	if (expected)
		return expected;
	return rest ? keys_parse(rest, keys, ARRAY_SIZE(keys), disk, o->why, sizeof(o->why)) : NULL;
}

static bool is_size_known(int fd, u64 *size)
{
	struct stat st;

	if (fstat(fd, &st) || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)))
		return false;
	*size = st.st_size;
	return !S_ISBLK(st.st_mode) || !ioctl(fd, BLKGETSIZE64, size);
}

int disk_open(const struct disk_option *o, int *fd, u64 *size)
{
	*fd = open(o->path, (o->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (*fd < 0) {
		log_error("--disk %s: %s: expected a file that can be read%s", o->path,
		          strerror(errno), o->read_only ? "" : " and written (or FILE,ro)");
		return STATUS_USAGE;
	}
	if (!is_size_known(*fd, size)) {
		log_error("--disk %s: expected a raw file or a block device", o->path);
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

static int create_disk(struct machine *m, unsigned int i)
{
	const struct disk_option *o = &m->options->disks[i];
	const struct blk_config c = {
		.fd = m->disks[i],
		.size = m->disk_sizes[i],
		.read_only = o->read_only,
	};
	struct virtio_dev *dev;
	int err = blk_create(&dev, m->vm.loop, &m->vm.dma, &m->log, &c);

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

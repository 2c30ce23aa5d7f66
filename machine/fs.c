// SPDX-License-Identifier: GPL-2.0-only
/* --fs: virtiofsd for a folder, started before the guest exists; then virtio-fs. */
#include "machine/fs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/virtio/fs.h"
#include "devices/virtio/vhost.h"
#include "devices/virtio/vhost_user.h"
#include "machine/helper.h"
#include "machine/listener.h"
#include "machine/machine.h"
#include "machine/place.h"
#include "machine/status.h"

#define PATIENCE   5000 /* ms that virtiofsd has to answer */
#define LAST_WORDS 1000 /* and to end, having hung up */

static bool is_sandbox(const char *word)
{
	return !strcmp(word, "namespace") || !strcmp(word, "chroot") || !strcmp(word, "none");
}

static const char *check_keys(const struct options *o, struct fs_option *fs)
{
	if (!fs->tag)
		return "tag=TAG, which the guest mounts it by";
	if (strlen(fs->tag) > FS_TAG_SIZE)
		return "tag=TAG of at most 36 bytes";
	for (const struct fs_option *other = o->fs; other < fs; other++)
		if (!strcmp(other->tag, fs->tag))
			return "a tag that no other folder has";
	if (fs->sandbox && !is_sandbox(fs->sandbox))
		return "sandbox=namespace, chroot or none";
	return place_without_iommu(&fs->place);
}

const char *fs_option_take(struct options *o, char *val)
{
	static const struct key keys[] = {
		PLACE_KEYS(struct fs_option),
		{ "tag", KEY_TEXT, offsetof(struct fs_option, tag), 0, 0 },
		{ "ro", KEY_FLAG, offsetof(struct fs_option, read_only), 0, 0 },
		{ "sandbox", KEY_TEXT, offsetof(struct fs_option, sandbox), 0, 0 },
	};
	struct fs_option *fs = &o->fs[o->nr_fs];
	char *rest = keys_rest(val);
	const char *expected;

	if (o->nr_fs == MAX_FS)
		return "at most 8 folders";
	if (!*val)
		return "DIR,tag=TAG[,ro][,sandbox=WORD]";
	*fs = (struct fs_option){ .dir = val };
	expected = place_claim(o, "fs", val, &fs->place);
	if (!expected && rest)
		expected = keys_parse(rest, keys, ARRAY_SIZE(keys), fs, o->why, sizeof(o->why));
	if (!expected)
		expected = check_keys(o, fs);
	o->nr_fs++;
	return expected;
}

/* virtiofsd takes a socket that listens, and from it one connection, which is there before it
 * starts.
 */
static int connect_ends(int *listener, int *fd)
{
	int err = listener_connected(listener, fd);

	if (!err)
		err = vhost_user_set_patience(*fd, PATIENCE);
	return err;
}

static int start_helper(struct helper **h, const struct fs_option *o, int listener, struct log *log)
{
	static const char *const paths[] = { "/usr/libexec", "/usr/lib/qemu", "/usr/lib/kvm",
		                             NULL };
	char option[128], dir[4096], sandbox[32];
	const char *argv[8] = { "virtiofsd", "--fd=3", dir };
	unsigned int n = 3;
	const struct helper_config c = {
		.option = option,
		.argv = argv,
		.paths = paths,
		.fd = listener,
		.log = log,
	};

	_Static_assert(HELPER_FD == 3, "as the argument says");
	snprintf(option, sizeof(option), "--fs %s", o->dir);
	snprintf(dir, sizeof(dir), "--shared-dir=%s", o->dir);
	snprintf(sandbox, sizeof(sandbox), "--sandbox=%s", o->sandbox ? o->sandbox : "");
	if (o->sandbox)
		argv[n++] = sandbox;
	if (o->read_only)
		argv[n++] = "--readonly";
	return helper_start(h, &c);
}

static int start_one(struct fs_backend *b, const struct fs_option *o, struct log *log)
{
	int listener, err = connect_ends(&listener, &b->fd);

	if (!err)
		return start_helper(&b->helper, o, listener, log);
	log_error("--fs %s: cannot make a socket: %s", o->dir, strerror(-err));
	return STATUS_HOST_FAILED;
}

void fs_init(struct machine *m)
{
	for (unsigned int i = 0; i < MAX_FS; i++)
		m->fs[i] = (struct fs_backend){ .fd = -1 };
}

int fs_open(const struct options *o)
{
	for (unsigned int i = 0; i < o->nr_fs; i++) {
		struct stat st = { 0 };
		int err = stat(o->fs[i].dir, &st) ? errno : 0;

		if (S_ISDIR(st.st_mode))
			continue;
		log_error("--fs %s: %s: expected a folder", o->fs[i].dir,
		          err ? strerror(err) : "not a folder");
		return STATUS_USAGE;
	}
	return 0;
}

int fs_start(struct machine *m)
{
	int status = 0;

	for (unsigned int i = 0; i < m->options->nr_fs && !status; i++)
		status = start_one(&m->fs[i], &m->options->fs[i], &m->log);
	return status;
}

int fs_check(struct machine *m)
{
	int status = 0;

	for (unsigned int i = 0; i < m->options->nr_fs && !status; i++)
		status = helper_check(m->fs[i].helper, 0);
	return status;
}

void fs_close(struct machine *m)
{
	for (unsigned int i = 0; i < MAX_FS; i++) {
		if (m->fs[i].fd >= 0)
			close(m->fs[i].fd);
		helper_stop(m->fs[i].helper);
	}
}

struct fs_device {
	struct virtio_dev *dev;
	const struct fs_option *option;
	struct helper *helper;
	struct vhost_watcher watcher;
	struct helper_watcher ended;
	bool told;
};

static void say(struct fs_device *d, const char *why)
{
	if (!d->told)
		log_error("--fs %s: %s: the guest's folder is gone until it is started again",
		          d->option->dir, why);
	d->told = true;
}

/* One that only hangs up is about to end, and what is said then says more. */
static void failed(struct vhost_watcher *w, int err)
{
	struct fs_device *d = container_of(w, struct fs_device, watcher);

	if (err != -ECONNRESET && err != -EPIPE)
		say(d, strerror(-err));
	helper_end(d->helper);
}

static void helper_ended(struct helper_watcher *w, const char *how)
{
	struct fs_device *d = container_of(w, struct fs_device, ended);

	say(d, how);
	fs_lost(d->dev, -EPIPE);
}

static void destroy(void *device)
{
	struct fs_device *d = device;

	fs_destroy(d->dev);
	free(d);
}

/* Why the first words with it failed. */
static int refuse(struct fs_device *d, int err)
{
	int status = helper_check(d->helper, LAST_WORDS);

	if (!status) {
		log_error("--fs %s: virtiofsd: %s: expected one that speaks vhost-user",
		          d->option->dir, strerror(-err));
		status = STATUS_HOST_LACKS;
	}
	free(d);
	return status;
}

static int create_one(struct machine *m, unsigned int i)
{
	const struct fs_option *o = &m->options->fs[i];
	struct fs_device *d = calloc(1, sizeof(*d));
	struct fs_config c = {
		.ops = &vhost_user,
		.fd = m->fs[i].fd,
		.tag = o->tag,
		.loop = m->vm.loop,
		.work = m->vm.work,
		.dma = &m->vm.dma,
		.log = &m->log,
	};
	int err;

	if (!d)
		return -ENOMEM;
	*d = (struct fs_device){ .option = o, .helper = m->fs[i].helper };
	d->watcher.failed = failed;
	d->ended.ended = helper_ended;
	c.watcher = &d->watcher;
	err = fs_create(&d->dev, &c);
	m->fs[i].fd = -1;
	if (err)
		return refuse(d, err);
	helper_watch(d->helper, m->vm.loop, &d->ended);
	err = machine_own(m, destroy, d);
	return err ? err : machine_add_virtio(m, d->dev, &o->place);
}

int fs_devices_create(struct machine *m)
{
	int err = 0;

	for (unsigned int i = 0; i < m->options->nr_fs && !err; i++)
		err = create_one(m, i);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/* --vsock: the host's vhost-vsock, opened before the guest exists; then virtio-vsock. */
#include "machine/vsock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/vhost.h"
#include "devices/virtio/vhost_kernel.h"
#include "devices/virtio/vsock.h"
#include "machine/machine.h"
#include "machine/place.h"
#include "machine/status.h"

#define MAX_CID 0xfffffffeULL /* the one above means any (vsock(7)) */

const char *vsock_option_take(struct options *o, char *val)
{
	static const struct key keys[] = { PLACE_KEYS(struct vsock_option) };
	char *rest = keys_rest(val);
	const char *end, *expected;

	o->vsock = (struct vsock_option){ .said = val };
	if (!parse_number(val, &o->vsock.cid, &end) || *end || o->vsock.cid < 3 ||
	    o->vsock.cid > MAX_CID)
		return "a context ID, 3 to 4294967294";
	expected = place_claim(o, "vsock", val, &o->vsock.place);
	if (!expected && rest)
		expected =
			keys_parse(rest, keys, ARRAY_SIZE(keys), &o->vsock, o->why, sizeof(o->why));
	if (!expected)
		expected = place_without_iommu(&o->vsock.place);
	return expected;
}

int vsock_open(const struct vsock_option *o, int *fd, struct log *log)
{
	*fd = -1;
	if (!o->said)
		return 0;
	*fd = vhost_vsock_open(o->cid, log);
	if (*fd >= 0)
		return 0;
	if (*fd == -EADDRINUSE) {
		log_error("--vsock %s: in use: expected a context ID that nothing else on this "
		          "host has",
		          o->said);
		return STATUS_USAGE;
	}
	log_error("--vsock %s: /dev/vhost-vsock: %s: expected a host with vhost-vsock, and access "
	          "to it",
	          o->said, strerror(-*fd));
	return STATUS_HOST_LACKS;
}

struct vsock_device {
	struct virtio_dev *dev;
	const struct vsock_option *option;
	struct vhost_watcher watcher;
};

static void failed(struct vhost_watcher *w, int err)
{
	const struct vsock_device *d = container_of(w, struct vsock_device, watcher);

	log_error("--vsock %s: %s: the guest has no sockets any more", d->option->said,
	          strerror(-err));
}

static void destroy(void *device)
{
	struct vsock_device *d = device;

	vsock_destroy(d->dev);
	free(d);
}

int vsock_device_create(struct machine *m)
{
	const struct vsock_option *o = &m->options->vsock;
	struct vsock_device *d;
	int err;

	if (!o->said)
		return 0;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	*d = (struct vsock_device){ .option = o, .watcher = { failed } };
	err = vsock_create(&d->dev, &(struct vsock_config){
					    .ops = &vhost_kernel_vsock,
					    .fd = m->vsock,
					    .cid = o->cid,
					    .loop = m->vm.loop,
					    .work = m->vm.work,
					    .dma = &m->vm.dma,
					    .log = &m->log,
					    .watcher = &d->watcher,
				    });
	m->vsock = -1;
	if (err) {
		free(d);
		return err;
	}
	err = machine_own(m, destroy, d);
	return err ? err : machine_add_virtio(m, d->dev, &o->place);
}

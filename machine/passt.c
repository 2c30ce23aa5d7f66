// SPDX-License-Identifier: GPL-2.0-only
/* --network passt: user-mode networking by passt(1), started beside the guest. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/virtio/net_stream.h"
#include "machine/helper.h"
#include "machine/net.h"
#include "machine/status.h"

#define TEXT(n)    TEXT_OF(n)
#define TEXT_OF(n) #n

static bool host_has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno != EAFNOSUPPORT;
	close(fd);
	return true;
}

/*
 * As root it becomes another user, by number: there need not be one called nobody. It would
 * announce an MTU of 65520, at which guests' connections were seen to stall. Where the host has no
 * IPv6 it is told so: it would try again and again to have sockets of it, and was seen to crash.
 */
static int start(struct helper **h, struct log *log, int fd)
{
	const char *argv[12] = {
		"passt", "--foreground", "--mtu", "1500", "--fd", TEXT(HELPER_FD)
	};
	const struct helper_config c = {
		.option = "--network passt",
		.argv = argv,
		.fd = fd,
		.log = log,
	};
	unsigned int nr = 6;

	if (!host_has_ipv6())
		argv[nr++] = "--ipv4-only";
	if (!geteuid()) {
		argv[nr++] = "--runas";
		argv[nr++] = "65534:65534";
	}
	return helper_start(h, &c);
}

int passt_open(struct net_backend **b, struct helper **h, struct log *log)
{
	int ends[2] = { -1, -1 }, err;

	err = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) ? -errno : 0;
	if (!err)
		err = net_stream_create(b, ends[0]);
	if (err) {
		log_error("--network passt: %s", strerror(-err));
		if (ends[0] >= 0)
			close(ends[0]);
		if (ends[1] >= 0)
			close(ends[1]);
		return STATUS_HOST_FAILED;
	}
	return start(h, log, ends[1]);
}

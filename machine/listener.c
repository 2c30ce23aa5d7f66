// SPDX-License-Identifier: GPL-2.0-only
/* A Unix socket that listens, and the one connection that there is to it. */
#include "machine/listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/types.h"

/* For nobody but this user (mkdtemp(3)): whoever reaches the socket can take the connection. */
static bool make_folder(char *path, size_t size)
{
	const char *const parents[] = { getenv("XDG_RUNTIME_DIR"), "/run", "/tmp" };

	for (size_t i = 0; i < ARRAY_SIZE(parents); i++)
		if (parents[i] &&
		    (size_t)snprintf(path, size, "%s/nestor-XXXXXX", parents[i]) < size &&
		    mkdtemp(path))
			return true;
	return false;
}

static int connect_at(const struct sockaddr_un *at, int listener, int fd)
{
	const struct sockaddr *addr = (const struct sockaddr *)at;
	int err;

	if (listener < 0 || fd < 0 || bind(listener, addr, sizeof(*at)))
		return -errno;
	err = listen(listener, 1) || connect(fd, addr, sizeof(*at)) ? -errno : 0;
	unlink(at->sun_path);
	return err;
}

int listener_connected(int *listener, int *fd)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char folder[sizeof(at.sun_path) - 2];
	int err;

	*listener = *fd = -1;
	if (!make_folder(folder, sizeof(folder)))
		return -errno;
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/s", folder);
	*listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	err = connect_at(&at, *listener, *fd);
	rmdir(folder);
	if (!err)
		return 0;
	if (*listener >= 0)
		close(*listener);
	if (*fd >= 0)
		close(*fd);
	*listener = *fd = -1;
	return err;
}

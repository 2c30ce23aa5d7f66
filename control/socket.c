// SPDX-License-Identifier: GPL-2.0-only
/* Where control sockets are: made, found, and cleaned up after whoever was killed. */
#include "control/socket.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define SUFFIX  ".sock"
#define BACKLOG 16

bool socket_name_ok(const char *name)
{
	static const char ok[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = strlen(name);

	return len && len <= SOCKET_NAME_MAX && strspn(name, ok) == len;
}

static int folder_path(char *path, size_t len)
{
	const char *run = getenv("XDG_RUNTIME_DIR");

	if (!run || !*run)
		run = "/run";
	return snprintf(path, len, "%s/nestor", run) < (int)len ? 0 : -ENAMETOOLONG;
}

static int socket_path(const char *name, char *path, size_t len)
{
	struct sockaddr_un addr;
	int err = folder_path(path, len);
	size_t at = strlen(path);

	if (err)
		return err;
	if (snprintf(path + at, len - at, "/%s" SUFFIX, name) >= (int)(len - at))
		return -ENAMETOOLONG;
	return strlen(path) < sizeof(addr.sun_path) ? 0 : -ENAMETOOLONG;
}

/* Ours alone: whoever can write there can take a guest's place. */
static int open_folder(bool make)
{
	char path[PATH_MAX];
	struct stat st;
	int fd, err = folder_path(path, sizeof(path));

	if (err)
		return err;
	if (make && mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || st.st_uid != geteuid() || st.st_mode & 022) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

/* Locked until it is closed. */
static int lock_folder(bool make)
{
	int fd = open_folder(make);

	if (fd < 0 || !flock(fd, LOCK_EX))
		return fd;
	close(fd);
	return -errno;
}

/* A new socket, and the address it is to have; @path fits (socket_path). */
static int make_socket(struct sockaddr_un *addr, const char *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	strncpy(addr->sun_path, path, sizeof(addr->sun_path) - 1);
	return fd < 0 ? -errno : fd;
}

/* Who listens there has ended: the kernel closes what its io_uring uses some time after that. */
static bool is_of_a_dead_one(int fd)
{
	struct ucred listener = { 0 };
	socklen_t len = sizeof(listener);
	struct pollfd ended = { .fd = -1, .events = POLLIN };
	bool dead;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &listener, &len) || listener.pid <= 0)
		return false; /* it is in a PID namespace that is not ours */
	ended.fd = syscall(SYS_pidfd_open, listener.pid, 0);
	if (ended.fd < 0)
		return errno == ESRCH;
	dead = poll(&ended, 1, 0) == 1;
	close(ended.fd);
	return dead;
}

/* -ECONNREFUSED: stale; -EAGAIN: somebody is there, and too busy. */
static int connect_path(const char *path)
{
	struct sockaddr_un addr;
	int err, fd = make_socket(&addr, path);

	if (fd < 0)
		return fd;
	err = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ? -errno : 0;
	if (!err && is_of_a_dead_one(fd))
		err = -ECONNREFUSED;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* With the folder locked. True: it was there, and nobody listens on it. */
static bool remove_stale(const char *path)
{
	int fd = connect_path(path);

	if (fd == -ECONNREFUSED)
		return !unlink(path);
	if (fd >= 0)
		close(fd);
	return false;
}

static int bind_and_listen(const char *path)
{
	struct sockaddr_un addr;
	int err, fd = make_socket(&addr, path);

	if (fd < 0)
		return fd;
	remove_stale(path);
	fchmod(fd, 0600); /* the mode of what bind makes */
	if (!bind(fd, (struct sockaddr *)&addr, sizeof(addr)) && !listen(fd, BACKLOG))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int socket_listen(const char *name, char *path, size_t len)
{
	int fd, folder, err = socket_path(name, path, len);

	if (err)
		return err;
	folder = lock_folder(true);
	if (folder < 0)
		return folder;
	fd = bind_and_listen(path);
	close(folder);
	return fd;
}

void socket_remove(const char *path)
{
	unlink(path);
}

int socket_connect(const char *name)
{
	char path[PATH_MAX];
	int fd, folder, err = socket_path(name, path, sizeof(path));

	if (err)
		return err;
	fd = connect_path(path);
	if (fd != -ECONNREFUSED)
		return fd;
	folder = lock_folder(false);
	if (folder < 0)
		return -ENOENT;
	remove_stale(path);
	close(folder);
	return -ENOENT;
}

static int is_socket(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return len > strlen(SUFFIX) && !strcmp(e->d_name + len - strlen(SUFFIX), SUFFIX);
}

static void visit(struct dirent *e, void (*fn)(void *ctx, const char *name), void *ctx)
{
	char name[NAME_MAX + 1], path[PATH_MAX];

	snprintf(name, sizeof(name), "%.*s", (int)(strlen(e->d_name) - strlen(SUFFIX)), e->d_name);
	if (socket_name_ok(name) && !socket_path(name, path, sizeof(path)) && !remove_stale(path))
		fn(ctx, name);
}

int socket_each(void (*fn)(void *ctx, const char *name), void *ctx)
{
	char path[PATH_MAX];
	struct dirent **found;
	int nr, folder = lock_folder(false);

	if (folder == -ENOENT)
		return 0; /* no guest has ever run */
	if (folder < 0)
		return folder;
	folder_path(path, sizeof(path));
	nr = scandir(path, &found, is_socket, alphasort);
	for (int i = 0; i < nr; i++) {
		visit(found[i], fn, ctx);
		free(found[i]);
	}
	if (nr >= 0)
		free(found);
	close(folder);
	return nr < 0 ? -ENOMEM : 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CONTROL_SOCKET_H
#define CONTROL_SOCKET_H

#include "vmm/types.h"

/*
 * Control sockets: ${XDG_RUNTIME_DIR:-/run}/nestor/NAME.sock, one a running
 * guest. A socket that nobody listens on is stale: its process was killed. The
 * folder is locked (flock) while one is replaced, so that nobody takes a socket
 * for stale that is just being made.
 */
#define SOCKET_NAME_MAX 64

/* [A-Za-z0-9._-]{1,64} */
bool socket_name_ok(const char *name);

/*
 * Listens, mode 0600, in a folder made with mode 0700. A descriptor, or -errno:
 * -EADDRINUSE: a guest has that name; -EPERM: the folder is somebody else's;
 * -ENAMETOOLONG. @path: where it is or would be.
 */
int socket_listen(const char *name, char *path, size_t len);
/* No longer there for anyone to connect to; what is connected stays. */
void socket_remove(const char *path);

/* A connection to a running guest. -ENOENT: none has that name; a stale socket
 * that had it is removed. */
int socket_connect(const char *name);

/* Calls @fn with the name of each running guest, in order; stale sockets are
 * removed. 0 or -errno. */
int socket_each(void (*fn)(void *ctx, const char *name), void *ctx);

#endif

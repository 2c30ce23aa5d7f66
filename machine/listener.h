/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_LISTENER_H
#define MACHINE_LISTENER_H

/*
 * For a program that takes a socket that listens, and from it one connection:
 * *listener, whose first and only one is *fd. It has no name that anybody else
 * could connect to. 0 or -errno, and then both are -1.
 */
int listener_connected(int *listener, int *fd);

#endif

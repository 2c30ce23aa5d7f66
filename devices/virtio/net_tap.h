/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_VIRTIO_NET_TAP_H
#define DEVICES_VIRTIO_NET_TAP_H

struct net_backend;

/* Where net_tap_open failed, for the one line that machine/ prints. */
enum net_tap_step {
	NET_TAP_NAME,   /* there is no interface of that name */
	NET_TAP_OPEN,   /* /dev/net/tun */
	NET_TAP_ATTACH, /* not a tap, or not ours, or in use, or without that many queues */
	NET_TAP_SET_UP, /* header size, byte order */
};

/*
 * The tap interface @name, which exists (linux, Documentation/networking/tuntap.rst), with @queues
 * queue pairs. 0, or -errno and *step is what failed. Frames have headers, and the kernel's
 * offloads.
 */
int net_tap_open(struct net_backend **b, const char *name, unsigned int queues,
                 enum net_tap_step *step);

#endif

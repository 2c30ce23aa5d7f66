// SPDX-License-Identifier: GPL-2.0-only
/* Which frames a driver wants (virtio 1.3, 5.1.6.5.1, 5.1.6.5.2). */
#include "devices/virtio/net_private.h"

#include <string.h>

/* Until a driver says otherwise it gets everything, as from devices that cannot filter. */
void net_filter_reset(struct net_filter *f, const u8 *mac)
{
	*f = (struct net_filter){ .modes = { [VIRTIO_NET_CTRL_RX_PROMISC] = true } };
	memcpy(f->mac, mac, NET_MAC_LEN);
}

static bool has(const struct net_macs *macs, const u8 *mac)
{
	for (unsigned int i = 0; i < macs->nr; i++)
		if (!memcmp(macs->mac[i], mac, NET_MAC_LEN))
			return true;
	return macs->all;
}

bool net_filter_wants(const struct net_filter *f, const u8 *destination)
{
	static const u8 broadcast[NET_MAC_LEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const bool *on = f->modes;

	if (on[VIRTIO_NET_CTRL_RX_PROMISC])
		return true;
	if (!memcmp(destination, broadcast, NET_MAC_LEN))
		return !on[VIRTIO_NET_CTRL_RX_NOBCAST];
	if (destination[0] & 1)
		return !on[VIRTIO_NET_CTRL_RX_NOMULTI] &&
		       (on[VIRTIO_NET_CTRL_RX_ALLMULTI] || has(&f->multicast, destination));
	return !on[VIRTIO_NET_CTRL_RX_NOUNI] &&
	       (on[VIRTIO_NET_CTRL_RX_ALLUNI] || !memcmp(destination, f->mac, NET_MAC_LEN) ||
	        has(&f->unicast, destination));
}

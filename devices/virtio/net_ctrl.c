// SPDX-License-Identifier: GPL-2.0-only
/* The network device's control queue (virtio 1.3, 5.1.6.5). */
#include "devices/virtio/net_private.h"

#include <endian.h>
#include <string.h>

/* A command's data: a length that is known, bytes that are copied before they are looked at. */
struct command {
	struct net *net;
	const struct virtq_chain *chain;
	u8 number;
	size_t len;
};

static bool copy(const struct command *c, size_t offset, void *to, size_t len)
{
	return iov_read(c->chain->iov, c->chain->nr_out,
	                sizeof(struct virtio_net_ctrl_hdr) + offset, to, len) == len;
}

/* All of the data, and no other length. */
static bool copy_all(const struct command *c, void *to, size_t len)
{
	return c->len == len && copy(c, 0, to, len);
}

static bool set_mode(const struct command *c)
{
	u8 on;

	if (!copy_all(c, &on, sizeof(on)) || on > 1)
		return false;
	c->net->filter.modes[c->number] = on;
	return true;
}

/* struct virtio_net_ctrl_mac at @*offset, which is moved behind it. */
static bool read_macs(const struct command *c, size_t *offset, struct net_macs *macs)
{
	__le32 entries;
	u64 nr;

	if (!copy(c, *offset, &entries, sizeof(entries)))
		return false;
	nr = le32toh(entries);
	*offset += sizeof(entries);
	if (nr * NET_MAC_LEN > c->len - *offset)
		return false;
	macs->all = nr > NET_MAX_MACS;
	macs->nr = macs->all ? 0 : nr;
	if (!copy(c, *offset, macs->mac, macs->nr * NET_MAC_LEN))
		return false;
	*offset += nr * NET_MAC_LEN;
	return true;
}

static bool set_table(const struct command *c)
{
	struct net_filter *f = &c->net->filter;
	struct net_macs unicast = { 0 }, multicast = { 0 };
	size_t offset = 0;

	if (!read_macs(c, &offset, &unicast) || !read_macs(c, &offset, &multicast) ||
	    offset != c->len)
		return false;
	f->unicast = unicast;
	f->multicast = multicast;
	return true;
}

static bool set_address(const struct command *c)
{
	u8 mac[NET_MAC_LEN];

	if (!copy_all(c, mac, sizeof(mac)))
		return false;
	memcpy(c->net->filter.mac, mac, sizeof(mac));
	memcpy(c->net->config.mac, mac, sizeof(mac));
	return true;
}

static bool set_pairs(const struct command *c)
{
	__le16 val;
	u16 nr;

	if (!copy_all(c, &val, sizeof(val)))
		return false;
	nr = le16toh(val);
	if (nr < VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MIN || nr > c->net->backend->nr_pairs)
		return false;
	net_set_pairs(c->net, nr);
	return true;
}

static bool set_offloads(const struct command *c)
{
	__le64 val;
	u64 offloads;

	if (!copy_all(c, &val, sizeof(val)))
		return false;
	offloads = le64toh(val);
	if (offloads & ~(c->net->dev.acked & NET_GUEST_OFFLOADS))
		return false;
	net_set_offloads(c->net, offloads);
	return true;
}

/* A row a command; of a feature that was not taken there is none. */
static const struct {
	u8 class, number, feature;
	bool (*run)(const struct command *c);
} commands[] = {
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, VIRTIO_NET_F_CTRL_RX, set_mode },
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, VIRTIO_NET_F_CTRL_RX, set_mode },
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLUNI, VIRTIO_NET_F_CTRL_RX_EXTRA, set_mode },
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOMULTI, VIRTIO_NET_F_CTRL_RX_EXTRA, set_mode },
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOUNI, VIRTIO_NET_F_CTRL_RX_EXTRA, set_mode },
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOBCAST, VIRTIO_NET_F_CTRL_RX_EXTRA, set_mode },
	{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, VIRTIO_NET_F_CTRL_RX, set_table },
	{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, VIRTIO_NET_F_CTRL_MAC_ADDR,
	  set_address },
	{ VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, VIRTIO_NET_F_MQ, set_pairs },
	{ VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET,
	  VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, set_offloads },
};

static bool run(struct command *c, const struct virtio_net_ctrl_hdr *header)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].class == header->class && commands[i].number == header->cmd &&
		    virtio_has(&c->net->dev, commands[i].feature))
			return commands[i].run(c);
	return false;
}

/* False: without a command or a byte for the answer the ring is broken. */
static bool answer(struct net *net, struct virtq_chain *chain)
{
	struct virtio_net_ctrl_hdr header;
	struct command c = { .net = net, .chain = chain };
	u8 ack;

	if (iov_read(chain->iov, chain->nr_out, 0, &header, sizeof(header)) < sizeof(header) ||
	    !iov_bytes(&chain->iov[chain->nr_out], chain->nr_in))
		return false;
	c.number = header.cmd;
	c.len = iov_bytes(chain->iov, chain->nr_out) - sizeof(header);
	ack = run(&c, &header) ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
	trace(net->log, TRACE_VIRTIO, "net: command %u.%u of %zu bytes: %u", header.class,
	      header.cmd, c.len, ack);
	iov_write(&chain->iov[chain->nr_out], chain->nr_in, 0, &ack, sizeof(ack));
	return true;
}

void net_ctrl_run(struct net *net, struct virtq *vq)
{
	struct virtq_chain chain;

	while (virtq_pop(vq, &chain)) {
		bool good = answer(net, &chain);

		if (!good)
			virtio_needs_reset(&net->dev);
		virtq_push(vq, &chain, good);
	}
	virtq_interrupt(vq);
}

// SPDX-License-Identifier: GPL-2.0-only
/* vhost-user: every message that Nestor sends to a program that works rings, a function each. */
#include "devices/virtio/vhost_user.h"

#include <errno.h>
#include <linux/vhost_types.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "devices/virtio/vhost.h"
#include "vmm/clock.h"
#include "vmm/mem.h"

/* "Front-end message types". */
enum {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	SET_VRING_ERR = 14,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	SET_VRING_ENABLE = 18,
};

/* "Header": version 1; "Protocol features". */
#define FLAG_VERSION    1
#define FLAG_REPLY      BIT(2)
#define FLAG_NEED_REPLY BIT(3)
#define F_PROTOCOL      BIT(30) /* in the virtio features: protocol features can be had */
#define PROTOCOL_ACK    BIT(3)  /* REPLY_ACK: each message is answered where that is asked for */

struct header {
	u32 request, flags, size;
};

struct memory_table {
	u32 nr, padding;
	struct {
		u64 guest, size, user, offset;
	} region;
};

union payload {
	u64 number;
	struct vhost_vring_state state;
	struct vhost_vring_addr addr;
	struct memory_table memory;
};

/* A message as it is sent: a header, its payload, at most one descriptor. */
struct message {
	const char *name;
	struct header header;
	union payload payload;
	int fd; /* -1: none */
};

static int failed(struct vhost *v, int err)
{
	shutdown(v->fd, SHUT_RDWR);
	return err;
}

static int transmit(struct vhost *v, struct message *m)
{
	struct iovec iov[2] = { { &m->header, sizeof(m->header) },
		                { &m->payload, m->header.size } };
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	if (m->fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.buf);
		control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
			                          .cmsg_level = SOL_SOCKET,
			                          .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.align), &m->fd, sizeof(m->fd));
	}
	do
		n = sendmsg(v->fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return (size_t)n == sizeof(m->header) + m->header.size ? 0 : -ETIMEDOUT;
}

static u64 patience_ends(const struct vhost *v)
{
	struct timeval time = { 0 };
	socklen_t len = sizeof(time);

	getsockopt(v->fd, SOL_SOCKET, SO_RCVTIMEO, &time, &len);
	return clock_now() + time.tv_sec * NSEC_PER_SEC + time.tv_usec * 1000;
}

/* However many pieces it sends: a program has until @deadline. */
static int await(struct vhost *v, u64 deadline)
{
	struct pollfd fd = { .fd = v->fd, .events = POLLIN };
	u64 at = clock_now(), left = at < deadline ? deadline - at : 0;
	struct timespec t = { left / NSEC_PER_SEC, left % NSEC_PER_SEC };
	int n = ppoll(&fd, 1, &t, NULL);

	return n > 0 || (n < 0 && errno == EINTR) ? 0 : -ETIMEDOUT;
}

/* Without a place for descriptors: what comes along is closed by the kernel. */
static int receive(struct vhost *v, void *to, size_t len, u64 deadline)
{
	for (size_t done = 0; done < len;) {
		int err = await(v, deadline);
		ssize_t n;

		if (err)
			return err;
		n = recv(v->fd, (char *)to + done, len - done, MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -ECONNRESET;
		done += n;
	}
	return 0;
}

/* The one answer there can be to @m: of its kind, and of just that size. */
static int take_reply(struct vhost *v, const struct message *m, void *to, size_t len)
{
	const u64 deadline = v->user.deadline ? v->user.deadline : patience_ends(v);
	struct header h;
	int err = receive(v, &h, sizeof(h), deadline);

	if (err)
		return err;
	if (h.request != m->header.request || (h.flags & 7) != (FLAG_VERSION | FLAG_REPLY) ||
	    h.size != len)
		return -EPROTO;
	return receive(v, to, len, deadline);
}

/* @reply, @len: where the answer goes; NULL: there is none, but the word that all is well. */
static int exchange(struct vhost *v, struct message *m, void *reply, size_t len)
{
	bool ack = !reply && v->user.protocol & PROTOCOL_ACK;
	u64 result = 0;
	int err;

	m->header.flags = FLAG_VERSION | (ack ? FLAG_NEED_REPLY : 0);
	err = transmit(v, m);
	if (!err && reply)
		err = take_reply(v, m, reply, len);
	else if (!err && ack)
		err = take_reply(v, m, &result, sizeof(result));
	if (!err && result)
		err = -EREMOTEIO;
	trace(v->log, TRACE_VIRTIO, "VHOST_USER_%s = %d%s%s", m->name, err, err ? " " : "",
	      err ? strerror(-err) : "");
	return err ? failed(v, err) : 0;
}

#define MESSAGE(type, len)                                                           \
	{                                                                            \
		.name = #type, .header = { .request = type, .size = len }, .fd = -1, \
	}

static int get_number(struct vhost *v, struct message *m, u64 *number)
{
	return exchange(v, m, number, sizeof(*number));
}

static int set_number(struct vhost *v, struct message *m, u64 number)
{
	m->payload.number = number;
	return exchange(v, m, NULL, 0);
}

static int set_state(struct vhost *v, struct message *m, unsigned int queue, u32 num)
{
	m->payload.state = (struct vhost_vring_state){ .index = queue, .num = num };
	return exchange(v, m, NULL, 0);
}

/* Nothing of the protocol's options is agreed on before this. */
static int negotiate(struct vhost *v)
{
	struct message get = MESSAGE(GET_PROTOCOL_FEATURES, 0);
	struct message set = MESSAGE(SET_PROTOCOL_FEATURES, sizeof(u64));
	u64 offered = 0;
	int err = get_number(v, &get, &offered);

	if (!err)
		err = set_number(v, &set, offered & PROTOCOL_ACK);
	if (!err)
		v->user.protocol = offered & PROTOCOL_ACK;
	return err;
}

static int set_owner(struct vhost *v)
{
	struct message m = MESSAGE(SET_OWNER, 0);

	return exchange(v, &m, NULL, 0);
}

static int get_features(struct vhost *v, u64 *features)
{
	struct message m = MESSAGE(GET_FEATURES, 0);
	int err = get_number(v, &m, features);

	if (err || !(*features & F_PROTOCOL))
		return err;
	*features &= ~F_PROTOCOL; /* no feature of the device's */
	v->user.has_protocol = true;
	return negotiate(v);
}

static int set_features(struct vhost *v, u64 features)
{
	struct message m = MESSAGE(SET_FEATURES, sizeof(u64));

	return set_number(v, &m, features | (v->user.has_protocol ? F_PROTOCOL : 0));
}

static int set_mem_table(struct vhost *v, const struct guest_mem *mem)
{
	struct message m = MESSAGE(SET_MEM_TABLE, sizeof(struct memory_table));

	m.fd = mem->fd;
	m.payload.memory = (struct memory_table){
		.nr = 1,
		.region = { .guest = mem->base, .size = mem->size, .user = (uintptr_t)mem->host },
	};
	return exchange(v, &m, NULL, 0);
}

static int set_vring_num(struct vhost *v, unsigned int queue, u32 num)
{
	struct message m = MESSAGE(SET_VRING_NUM, sizeof(struct vhost_vring_state));

	return set_state(v, &m, queue, num);
}

static int set_vring_base(struct vhost *v, unsigned int queue, u16 base)
{
	struct message m = MESSAGE(SET_VRING_BASE, sizeof(struct vhost_vring_state));

	return set_state(v, &m, queue, base);
}

static int get_vring_base(struct vhost *v, unsigned int queue, u16 *base)
{
	struct message m = MESSAGE(GET_VRING_BASE, sizeof(struct vhost_vring_state));
	struct vhost_vring_state state;
	int err;

	m.payload.state = (struct vhost_vring_state){ .index = queue };
	err = exchange(v, &m, &state, sizeof(state));
	if (!err && state.index != queue)
		return failed(v, -EPROTO);
	if (!err)
		*base = state.num;
	return err;
}

static int set_vring_addr(struct vhost *v, unsigned int queue, const struct vhost_rings *r)
{
	struct message m = MESSAGE(SET_VRING_ADDR, sizeof(struct vhost_vring_addr));

	m.payload.addr = (struct vhost_vring_addr){
		.index = queue,
		.desc_user_addr = (uintptr_t)r->desc,
		.avail_user_addr = (uintptr_t)r->avail,
		.used_user_addr = (uintptr_t)r->used,
	};
	return exchange(v, &m, NULL, 0);
}

static int set_vring_kick(struct vhost *v, unsigned int queue, int fd)
{
	struct message m = MESSAGE(SET_VRING_KICK, sizeof(u64));

	m.fd = fd;
	v->user.queues |= BIT(queue);
	return set_number(v, &m, queue);
}

static int set_vring_call(struct vhost *v, unsigned int queue, int fd)
{
	struct message m = MESSAGE(SET_VRING_CALL, sizeof(u64));

	m.fd = fd;
	return set_number(v, &m, queue);
}

static int set_vring_err(struct vhost *v, unsigned int queue, int fd)
{
	struct message m = MESSAGE(SET_VRING_ERR, sizeof(u64));

	m.fd = fd;
	return set_number(v, &m, queue);
}

/* "Ring states": with protocol features, a ring is disabled until it is enabled. */
static int set_running(struct vhost *v, bool running)
{
	int err = 0;

	for (unsigned int i = 0; i < v->nr_queues && v->user.has_protocol && !err; i++) {
		struct message m = MESSAGE(SET_VRING_ENABLE, sizeof(struct vhost_vring_state));

		if (v->user.queues & BIT(i))
			err = set_state(v, &m, i, running);
	}
	if (!running)
		v->user.queues = 0;
	return err;
}

static void begin(struct vhost *v)
{
	v->user.deadline = patience_ends(v);
}

const struct vhost_ops vhost_user = {
	.set_owner = set_owner,
	.get_features = get_features,
	.set_features = set_features,
	.set_mem_table = set_mem_table,
	.set_vring_num = set_vring_num,
	.set_vring_base = set_vring_base,
	.get_vring_base = get_vring_base,
	.set_vring_addr = set_vring_addr,
	.set_vring_kick = set_vring_kick,
	.set_vring_call = set_vring_call,
	.set_vring_err = set_vring_err,
	.set_running = set_running,
	.begin = begin,
};

int vhost_user_set_patience(int fd, unsigned int ms)
{
	struct timeval time = { ms / 1000, ms % 1000 * 1000 };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)))
		return -errno;
	return 0;
}

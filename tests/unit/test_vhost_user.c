// SPDX-License-Identifier: GPL-2.0-only
/* vhost-user's front end and a program at the other end that answers well, or does not. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <linux/vhost_types.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/virtio/vhost.h"
#include "devices/virtio/vhost_user.h"
#include "tests/unit/fake_kvm.h"
#include "vmm/mem.h"

/* The numbers of the specification. */
enum {
	GET_FEATURES = 1,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	SET_VRING_ADDR = 9,
	GET_VRING_BASE = 11
};
enum { SET_VRING_KICK = 12, GET_PROTOCOL_FEATURES = 15, SET_VRING_ENABLE = 18 };
#define PROTOCOL BIT(30)
#define ACK      BIT(3)

/* What the program does instead of answering request @at. */
enum trick {
	NOTHING,
	CLOSE,
	SILENT,
	SAY_NO,
	OTHER_REQUEST,
	NO_REPLY_FLAG,
	OTHER_VERSION,
	TOO_SHORT,
	TOO_LONG,
	HUGE,
	HALF_A_HEADER,
	HALF_AN_ANSWER,
	OTHER_QUEUE,
	WITH_DESCRIPTOR,
	BYTE_BY_BYTE,
	SLOWLY,
};

struct header {
	u32 request, flags, size;
};

static struct peer {
	int fd;
	pthread_t thread;
	u64 features, protocol;
	u32 at;
	enum trick trick;
	/* what it was told */
	char requests[256]; /* their numbers, a space behind each */
	u64 payload[32][8]; /* by request */
	struct stat memory;
	unsigned int nr_fds;
	bool truncated; /* guest memory */
	bool asked;     /* for an acknowledgement */
} peer;

static struct vhost v;
static struct log log_off;
static struct guest_mem mem = { .base = 0x80000000, .size = 0x4000 };
static int event;

static bool take(struct header *h, void *payload)
{
	struct iovec iov = { h, sizeof(*h) };
	char control[64];
	struct msghdr msg = { .msg_iov = &iov,
		              .msg_iovlen = 1,
		              .msg_control = control,
		              .msg_controllen = sizeof(control) };
	struct cmsghdr *c;

	if (recvmsg(peer.fd, &msg, MSG_WAITALL) != sizeof(*h))
		return false;
	c = CMSG_FIRSTHDR(&msg);
	if (c) {
		int fd;

		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		if (h->request == SET_MEM_TABLE) {
			fstat(fd, &peer.memory);
			peer.truncated = !ftruncate(fd, 0) ||
			                 !ftruncate(fd, peer.memory.st_size * 2);
		}
		close(fd);
		peer.nr_fds++;
	}
	return !h->size || recv(peer.fd, payload, h->size, MSG_WAITALL) == h->size;
}

/* Each piece in time, and the whole of it not. */
static void drip(const char *bytes, size_t len)
{
	while (len-- && send(peer.fd, bytes++, 1, MSG_NOSIGNAL) == 1)
		usleep(50 * 1000);
}

static void put(const void *bytes, size_t len, bool with_fd)
{
	struct iovec iov = { (void *)bytes, len };
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (with_fd) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
			               .cmsg_level = SOL_SOCKET,
			               .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(c), &event, sizeof(event));
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
	}
	sendmsg(peer.fd, &msg, MSG_NOSIGNAL);
}

/* False: that was the last. */
static bool answer(const struct header *h, u64 number)
{
	struct {
		struct header h;
		u64 number;
		u64 more;
	} __attribute__((packed)) r = { { h->request, 5, sizeof(u64) }, number, 0 };
	enum trick trick = h->request == peer.at ? peer.trick : NOTHING;
	size_t len = sizeof(r.h) + sizeof(r.number);

	switch (trick) {
	case CLOSE: return false;
	case SILENT: return true;
	case SAY_NO: r.number = 1; break;
	case OTHER_REQUEST: r.h.request++; break;
	case NO_REPLY_FLAG: r.h.flags = 1; break;
	case OTHER_VERSION: r.h.flags = 6; break;
	case TOO_SHORT: r.h.size = 4, len -= 4; break;
	case TOO_LONG: r.h.size = 16, len += 8; break;
	case HUGE: r.h.size = ~0u; break;
	case HALF_A_HEADER: len = 6; break;
	case HALF_AN_ANSWER: len -= 4; break;
	case OTHER_QUEUE: r.number = 7; break;
	case BYTE_BY_BYTE: drip((char *)&r, len); return true;
	default: break;
	}
	if (peer.trick == SLOWLY)
		usleep(80 * 1000);
	put(&r, len, trick == WITH_DESCRIPTOR);
	return len != 6 && len != sizeof(r.h) + 4;
}

static u64 answer_of(const struct header *h, const u64 *payload)
{
	switch (h->request) {
	case GET_FEATURES: return peer.features;
	case GET_PROTOCOL_FEATURES: return peer.protocol;
	case GET_VRING_BASE: return payload[0] & 0xffffffff; /* index, and a base of 0 */
	default: return 0;
	}
}

static bool is_question(u32 request)
{
	return request == GET_FEATURES || request == GET_PROTOCOL_FEATURES ||
	       request == GET_VRING_BASE;
}

static void *run_peer(void *arg)
{
	u64 payload[8];
	struct header h;

	while (take(&h, payload)) {
		char *at = peer.requests + strlen(peer.requests);

		snprintf(at, peer.requests + sizeof(peer.requests) - at, "%u ", h.request);
		memcpy(peer.payload[h.request % 32], payload, sizeof(payload));
		peer.asked |= h.flags & 8;
		if ((is_question(h.request) || h.flags & 8) && !answer(&h, answer_of(&h, payload)))
			break;
	}
	shutdown(peer.fd, SHUT_RDWR);
	return arg;
}

static void make(u64 features, u64 protocol, u32 at, enum trick trick)
{
	int ends[2];

	cr_assert(zero(int, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)));
	event = eventfd(0, EFD_CLOEXEC);
	mem.fd = memfd_create("ram", MFD_CLOEXEC);
	mem.host = (u8 *)0x10000;
	peer = (struct peer){
		.fd = ends[1], .features = features, .protocol = protocol, .at = at, .trick = trick
	};
	v = (struct vhost){ .ops = &vhost_user, .fd = ends[0], .log = &log_off, .nr_queues = 2 };
	cr_assert(zero(int, vhost_user_set_patience(v.fd, 200)));
	cr_assert(zero(int, pthread_create(&peer.thread, NULL, run_peer, NULL)));
}

static void unmake(void)
{
	shutdown(v.fd, SHUT_RDWR);
	pthread_join(peer.thread, NULL);
	close(v.fd);
	close(peer.fd);
	close(event);
	close(mem.fd);
}

TestSuite(vhost_user, .fini = unmake, .timeout = 20);

static int set_up_queue(unsigned int i)
{
	const struct vhost_rings r = { (void *)0x11000, (void *)0x12000, (void *)0x13000 };
	int err = v.ops->set_vring_num(&v, i, 64);

	if (!err)
		err = v.ops->set_vring_base(&v, i, 0);
	if (!err)
		err = v.ops->set_vring_addr(&v, i, &r);
	if (!err)
		err = v.ops->set_vring_err(&v, i, event);
	if (!err)
		err = v.ops->set_vring_call(&v, i, event);
	return err ? err : v.ops->set_vring_kick(&v, i, event);
}

/* A whole life; the first failure. */
static int live(u64 *features)
{
	u16 base;
	int err = v.ops->set_owner(&v);

	if (!err)
		err = v.ops->get_features(&v, features);
	if (!err)
		err = v.ops->set_features(&v, BIT(32));
	if (!err)
		err = v.ops->set_mem_table(&v, &mem);
	if (!err)
		err = set_up_queue(0);
	if (!err)
		err = set_up_queue(1);
	if (!err)
		err = v.ops->set_running(&v, true);
	if (!err)
		err = v.ops->set_running(&v, false);
	return err ? err : v.ops->get_vring_base(&v, 1, &base);
}

/* Those of a queue. */
#define QUEUE "8 10 9 14 13 12 "

Test(vhost_user, a_whole_life_with_protocol_features)
{
	u64 features = 0;

	make(BIT(32) | PROTOCOL | BIT(29), ACK | BIT(0), 0, NOTHING);
	cr_assert(zero(int, live(&features)));
	cr_assert(eq(u64, features, BIT(32) | BIT(29)),
	          "what is the protocol's is not the device's");
	cr_assert(eq(str, peer.requests, "3 1 15 16 2 5 " QUEUE QUEUE "18 18 18 18 11 "));
	cr_assert(eq(u64, peer.payload[16][0], ACK), "only what we know");
	cr_assert(eq(u64, peer.payload[2][0], BIT(32) | PROTOCOL));
	cr_assert(peer.asked);
	cr_assert(eq(u32, peer.nr_fds, 7));
}

Test(vhost_user, a_whole_life_without)
{
	u64 features = 0;

	make(BIT(32), 0, 0, NOTHING);
	cr_assert(zero(int, live(&features)));
	cr_assert(eq(str, peer.requests, "3 1 2 5 " QUEUE QUEUE "11 "));
	cr_assert(eq(u64, peer.payload[2][0], BIT(32)));
	cr_assert(not(peer.asked));
}

Test(vhost_user, memory_is_the_file_and_where_it_is)
{
	struct stat st;
	u64 features;

	make(PROTOCOL, ACK, 0, NOTHING);
	cr_assert(zero(int, live(&features)));
	fstat(mem.fd, &st);
	cr_assert(eq(u64, peer.memory.st_ino, st.st_ino));
	cr_assert(eq(u64, peer.payload[SET_MEM_TABLE][0], 1), "one region");
	cr_assert(eq(u64, peer.payload[SET_MEM_TABLE][1], 0x80000000));
	cr_assert(eq(u64, peer.payload[SET_MEM_TABLE][2], 0x4000));
	cr_assert(eq(u64, peer.payload[SET_MEM_TABLE][3], 0x10000));
	cr_assert(zero(u64, peer.payload[SET_MEM_TABLE][4]));
	cr_assert(eq(u64, peer.payload[SET_VRING_ADDR][0], 1), "the last one was queue 1");
	cr_assert(eq(u64, peer.payload[SET_VRING_ADDR][1], 0x11000));
	cr_assert(eq(u64, peer.payload[SET_VRING_ADDR][2], 0x13000), "used comes before avail");
	cr_assert(eq(u64, peer.payload[SET_VRING_ADDR][3], 0x12000));
}

struct bad {
	const char *name;
	u32 at;
	enum trick trick;
	int err;
};

static struct bad bads[] = {
	{ "closes at a question", GET_FEATURES, CLOSE, -ECONNRESET },
	{ "closes at an order", SET_MEM_TABLE, CLOSE, -ECONNRESET },
	{ "answers no question", GET_FEATURES, SILENT, -ETIMEDOUT },
	{ "acknowledges nothing", SET_MEM_TABLE, SILENT, -ETIMEDOUT },
	{ "answers a byte at a time", GET_FEATURES, BYTE_BY_BYTE, -ETIMEDOUT },
	{ "acknowledges a byte at a time", SET_MEM_TABLE, BYTE_BY_BYTE, -ETIMEDOUT },
	{ "refuses memory", SET_MEM_TABLE, SAY_NO, -EREMOTEIO },
	{ "refuses a kick", SET_VRING_KICK, SAY_NO, -EREMOTEIO },
	{ "refuses to run", SET_VRING_ENABLE, SAY_NO, -EREMOTEIO },
	{ "answers another question", GET_FEATURES, OTHER_REQUEST, -EPROTO },
	{ "acknowledges something else", SET_MEM_TABLE, OTHER_REQUEST, -EPROTO },
	{ "answers with a request", GET_PROTOCOL_FEATURES, NO_REPLY_FLAG, -EPROTO },
	{ "answers in another version", GET_FEATURES, OTHER_VERSION, -EPROTO },
	{ "answers with too little", GET_FEATURES, TOO_SHORT, -EPROTO },
	{ "answers with too much", GET_FEATURES, TOO_LONG, -EPROTO },
	{ "acknowledges with too much", SET_MEM_TABLE, TOO_LONG, -EPROTO },
	{ "answers with 4 GiB", GET_VRING_BASE, HUGE, -EPROTO },
	{ "ends in a header", GET_FEATURES, HALF_A_HEADER, -ECONNRESET },
	{ "ends in an answer", GET_FEATURES, HALF_AN_ANSWER, -ECONNRESET },
	{ "tells of another queue", GET_VRING_BASE, OTHER_QUEUE, -EPROTO },
	{ "sends a descriptor nobody wants", SET_MEM_TABLE, WITH_DESCRIPTOR, 0 },
};

ParameterizedTestParameters(vhost_user, a_program_that)
{
	return cr_make_param_array(struct bad, bads, ARRAY_SIZE(bads));
}

/* One failure, then none of the rest is tried; and nothing of it stays here. */
ParameterizedTest(struct bad *b, vhost_user, a_program_that)
{
	unsigned int before;
	u64 features;

	make(PROTOCOL, ACK, b->at, b->trick);
	before = open_fds();
	cr_assert(eq(int, live(&features), b->err), "%s", b->name);
	cr_assert(eq(u32, open_fds(), before), "%s", b->name);
	if (b->err)
		cr_assert(eq(int, v.ops->set_owner(&v), -EPIPE), "%s", b->name);
}

/* Each in time, all that a start needs together not. */
Test(vhost_user, a_program_that_dawdles)
{
	u64 features;

	make(PROTOCOL, ACK, 0, SLOWLY);
	cr_assert(zero(int, v.ops->set_owner(&v)));
	cr_assert(zero(int, v.ops->get_features(&v, &features)));
	v.ops->begin(&v);
	cr_assert(eq(int, set_up_queue(0), -ETIMEDOUT));
}

/* What it could take away would be a SIGBUS here. */
Test(vhost_user, a_program_that_truncates_guest_memory)
{
	struct guest_mem ram;
	u64 features;

	cr_assert(zero(int, mem_create(&ram, &(struct mem_config){ .base = 0x80000000,
	                                                           .size = 0x200000,
	                                                           .shared = true })));
	make(PROTOCOL, ACK, 0, NOTHING);
	cr_assert(zero(int, v.ops->get_features(&v, &features)));
	cr_assert(zero(int, v.ops->set_mem_table(&v, &ram)));
	cr_assert(not(peer.truncated));
	ram.host[0x1fffff] = 1;
	mem_destroy(&ram);
}

Test(vhost_user, one_that_is_not_there)
{
	make(0, 0, 0, NOTHING);
	shutdown(peer.fd, SHUT_RDWR);
	cr_assert(eq(int, v.ops->set_owner(&v), -EPIPE));
}

// SPDX-License-Identifier: GPL-2.0-only
/* A stream socket as the network device's back end: frames behind their lengths. */
#include "devices/virtio/net_stream.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/virtio/net.h"
#include "devices/virtio/virtio.h"

/* What the other end, passt, takes for a frame; it ends the connection over anything else. */
#define MIN_FRAME 14
#define MAX_FRAME 65535
#define IN_SIZE   (256u << 10) /* several frames a call */
#define MAX_IOV   (VIRTQ_MAX_IOV + 1)

struct stream {
	struct net_backend backend;
	u8 in[IN_SIZE];
	size_t in_at, in_end;
	/* The rest of a frame that the socket took the beginning of. */
	u8 out[sizeof(u32) + MAX_FRAME];
	size_t out_at, out_end;
	bool repeated; /* whoever sent that frame sends it once more, and is told then */
};

static struct stream *stream_of(struct net_backend *b)
{
	return container_of(b, struct stream, backend);
}

static size_t buffered(const struct stream *s)
{
	return s->in_end - s->in_at;
}

/* True: a whole frame is there. -EPROTO: what is there is none. */
static int find_frame(const struct stream *s, size_t *len)
{
	u32 size;

	if (buffered(s) < sizeof(size))
		return false;
	memcpy(&size, s->in + s->in_at, sizeof(size));
	*len = be32toh(size);
	if (*len > MAX_FRAME)
		return -EPROTO;
	return buffered(s) >= sizeof(size) + *len;
}

static int fill(struct stream *s)
{
	ssize_t n;

	memmove(s->in, s->in + s->in_at, buffered(s));
	s->in_end -= s->in_at;
	s->in_at = 0;
	do
		n = recv(s->backend.fds[0], s->in + s->in_end, IN_SIZE - s->in_end, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	s->in_end += n;
	return n ? 0 : -ECONNRESET;
}

static ssize_t stream_receive(struct net_backend *b, unsigned int pair, const struct iovec *iov,
                              unsigned int nr)
{
	struct stream *s = stream_of(b);
	size_t len = 0;
	int found;

	(void)pair;
	while (!(found = find_frame(s, &len))) {
		int err = fill(s);

		if (err)
			return err;
	}
	if (found < 0)
		return found;
	s->in_at += sizeof(u32);
	iov_write(iov, nr, 0, s->in + s->in_at, len);
	s->in_at += len;
	return len;
}

/* How much of it the socket took; 0: nothing now; -errno: it takes nothing any more. */
static ssize_t put(struct stream *s, const struct iovec *iov, unsigned int nr)
{
	const struct msghdr msg = { .msg_iov = (struct iovec *)iov, .msg_iovlen = nr };
	ssize_t n;

	do
		n = sendmsg(s->backend.fds[0], &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return n;
}

/* -EAGAIN: something is left. */
static int flush(struct stream *s)
{
	struct iovec rest = { s->out + s->out_at, s->out_end - s->out_at };
	ssize_t n = rest.iov_len ? put(s, &rest, 1) : 0;

	if (n < 0)
		s->out_at = s->out_end; /* nobody will want it */
	else
		s->out_at += n;
	return s->out_at == s->out_end ? 0 : -EAGAIN;
}

/* The socket took @done bytes of @len: what is left is kept, since the guest may take it back. */
static int keep_rest(struct stream *s, const struct iovec *iov, unsigned int nr, size_t done,
                     size_t len)
{
	s->out_at = 0;
	s->out_end = iov_read(iov, nr, done, s->out, len - done);
	s->repeated = true;
	return -EAGAIN;
}

static int stream_send(struct net_backend *b, unsigned int pair, const struct iovec *frame,
                       unsigned int nr)
{
	struct stream *s = stream_of(b);
	struct iovec iov[MAX_IOV];
	size_t len = iov_bytes(frame, nr);
	u32 size = htobe32(len);
	ssize_t done;

	(void)pair;
	if (flush(s))
		return -EAGAIN;
	if (s->repeated) {
		s->repeated = false;
		return 0;
	}
	if (len < MIN_FRAME || len > MAX_FRAME || nr >= MAX_IOV)
		return 0;
	iov[0] = (struct iovec){ &size, sizeof(size) };
	memcpy(iov + 1, frame, nr * sizeof(*iov));
	done = put(s, iov, nr + 1);
	if (done < 0 || (size_t)done == sizeof(size) + len)
		return 0;
	return done ? keep_rest(s, iov, nr + 1, done, sizeof(size) + len) : -EAGAIN;
}

static void stream_taken_back(struct net_backend *b, unsigned int pair)
{
	(void)pair;
	stream_of(b)->repeated = false;
}

static void stream_destroy(struct net_backend *b)
{
	close(b->fds[0]);
	free(stream_of(b));
}

static const struct net_backend_ops stream_ops = {
	.receive = stream_receive,
	.send = stream_send,
	.taken_back = stream_taken_back,
	.destroy = stream_destroy,
};

int net_stream_create(struct net_backend **b, int fd)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->backend.ops = &stream_ops;
	s->backend.nr_pairs = 1;
	s->backend.fds[0] = fd;
	*b = &s->backend;
	return 0;
}

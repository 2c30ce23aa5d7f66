// SPDX-License-Identifier: GPL-2.0-only
/* Files packed by gzip or zstd, decompressed into a bounded place. */
#include "machine/unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define CHUNK       0x10000
#define LONGEST_OUT (1u << 30) /* zlib counts in 32 bits */

/* What is read and not yet decompressed, and where the rest of it is. */
struct stream {
	const struct codec *codec;
	int fd;
	u64 offset, left; /* of the file: not read yet */
	u8 in[CHUNK];
	size_t nr_in;
	bool between; /* gzip members, or zstd frames */
	union {
		z_stream z;
		ZSTD_DStream *zstd;
	};
};

/* One step: how much of s->in was taken, how much of @len bytes at @to was written; whether a
 * member or frame has ended. 0 or -errno. */
struct step {
	size_t taken, made;
	bool ended;
};

struct codec {
	int (*open)(struct stream *s);
	int (*step)(struct stream *s, void *to, size_t len, struct step *step);
	void (*close)(struct stream *s);
};

static int gzip_open(struct stream *s)
{
	s->z = (z_stream){ 0 };
	return inflateInit2(&s->z, 16 + MAX_WBITS) == Z_OK ? 0 : -ENOMEM; /* 16: gzip alone */
}

static int gzip_step(struct stream *s, void *to, size_t len, struct step *step)
{
	int ret;

	s->z.next_in = s->in;
	s->z.avail_in = s->nr_in;
	s->z.next_out = to;
	s->z.avail_out = len;
	ret = inflate(&s->z, Z_NO_FLUSH);
	*step = (struct step){ s->nr_in - s->z.avail_in, len - s->z.avail_out,
		               ret == Z_STREAM_END };
	if (ret == Z_STREAM_END)
		ret = inflateReset(&s->z);
	return ret == Z_OK || ret == Z_BUF_ERROR ? 0 : ret == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static void gzip_close(struct stream *s)
{
	inflateEnd(&s->z);
}

static int zstd_open(struct stream *s)
{
	s->zstd = ZSTD_createDStream();
	return s->zstd ? 0 : -ENOMEM;
}

static int zstd_step(struct stream *s, void *to, size_t len, struct step *step)
{
	ZSTD_inBuffer in = { s->in, s->nr_in, 0 };
	ZSTD_outBuffer out = { to, len, 0 };
	size_t ret = ZSTD_decompressStream(s->zstd, &out, &in);

	if (ZSTD_isError(ret))
		return -EBADMSG;
	*step = (struct step){ in.pos, out.pos, !ret };
	return 0;
}

static void zstd_close(struct stream *s)
{
	ZSTD_freeDStream(s->zstd);
}

static const struct codec codecs[] = {
	[PACKED_GZIP] = { gzip_open, gzip_step, gzip_close },
	[PACKED_ZSTD] = { zstd_open, zstd_step, zstd_close },
};

enum packing packing_of(const u8 *head, size_t len)
{
	if (len >= 3 && !memcmp(head, "\x1f\x8b\x08", 3))
		return PACKED_GZIP;
	if (len >= 4 && !memcmp(head, "\x28\xb5\x2f\xfd", 4))
		return PACKED_ZSTD;
	return PACKED_NOT;
}

/* As much as fits: then what follows a member can be told from its first bytes. */
static int fill(struct stream *s)
{
	while (s->left && s->nr_in < sizeof(s->in)) {
		size_t want = sizeof(s->in) - s->nr_in;
		ssize_t n =
			pread(s->fd, s->in + s->nr_in, want < s->left ? want : s->left, s->offset);

		if (n < 0)
			return -errno;
		if (!n)
			return -ENODATA;
		s->nr_in += n;
		s->offset += n;
		s->left -= n;
	}
	return 0;
}

/* Into @len bytes at @to; none left: into one of our own, whose use is the error. */
static int advance(struct stream *s, void *to, u64 len, struct step *step)
{
	u8 spill;
	int err = len ? s->codec->step(s, to, len < LONGEST_OUT ? len : LONGEST_OUT, step)
	              : s->codec->step(s, &spill, 1, step);

	if (err)
		return err;
	if (!len && step->made)
		return -EFBIG;
	if (!step->taken && !step->made && !step->ended)
		return -ENODATA;
	s->nr_in -= step->taken;
	memmove(s->in, s->in + step->taken, s->nr_in);
	s->between = step->ended;
	return 0;
}

static int run(struct stream *s, enum packing packing, u8 *to, u64 room, u64 *done)
{
	struct step step;
	int err;

	for (bool first = true;; first = false) {
		err = fill(s);
		if (err)
			return err;
		if (s->between && !s->nr_in)
			return first ? -ENODATA : 0;
		if (s->between && packing_of(s->in, s->nr_in) != packing)
			return first ? -EBADMSG : -EEXIST;
		err = advance(s, to + *done, room - *done, &step);
		if (err)
			return err;
		*done += step.made;
	}
}

int unpack(int fd, const struct packed *p, void *to, u64 room, u64 *done)
{
	struct stream *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	*done = 0;
	if (!s)
		return err;
	s->codec = &codecs[p->packing];
	s->fd = fd;
	s->offset = p->offset;
	s->left = p->size;
	s->between = true;
	err = s->codec->open(s);
	if (!err) {
		err = run(s, p->packing, to, room, done);
		s->codec->close(s);
	}
	free(s);
	return err;
}

const char *unpack_why(int err)
{
	switch (err) {
	case -EFBIG: return "more than there is room for";
	case -ENODATA: return "its packed part is cut short";
	case -EBADMSG: return "its packed part is corrupt";
	case -EEXIST: return "something else follows its packed part";
	}
	return strerror(-err);
}

// SPDX-License-Identifier: GPL-2.0-only
/* Looking into and trimming iovec arrays. */
#include "devices/virtio/virtio.h"

#include <string.h>

size_t iov_bytes(const struct iovec *iov, unsigned int nr)
{
	size_t sum = 0;

	for (unsigned int i = 0; i < nr; i++)
		sum += iov[i].iov_len;
	return sum;
}

/* Copies between @buf and the array, from the array where @out. */
static size_t copy(const struct iovec *iov, unsigned int nr, size_t offset, char *buf, size_t len,
                   bool out)
{
	size_t done = 0;

	for (unsigned int i = 0; i < nr && done < len; i++) {
		size_t n = iov[i].iov_len;
		char *at = (char *)iov[i].iov_base + offset;

		if (offset >= n) {
			offset -= n;
			continue;
		}
		n = n - offset < len - done ? n - offset : len - done;
		memcpy(out ? buf + done : at, out ? at : buf + done, n);
		done += n;
		offset = 0;
	}
	return done;
}

size_t iov_read(const struct iovec *iov, unsigned int nr, size_t offset, void *to, size_t len)
{
	return copy(iov, nr, offset, to, len, true);
}

size_t iov_write(const struct iovec *iov, unsigned int nr, size_t offset, const void *from,
                 size_t len)
{
	return copy(iov, nr, offset, (char *)from, len, false);
}

struct iovec *iov_skip(struct iovec *iov, unsigned int *nr, size_t len)
{
	while (*nr && len >= iov->iov_len) {
		len -= iov->iov_len;
		iov++;
		--*nr;
	}
	if (*nr) {
		iov->iov_base = (char *)iov->iov_base + len;
		iov->iov_len -= len;
	}
	return iov;
}

void iov_truncate(struct iovec *iov, unsigned int *nr, size_t len)
{
	for (unsigned int i = 0; i < *nr; i++) {
		if (len <= iov[i].iov_len) {
			iov[i].iov_len = len;
			*nr = len ? i + 1 : i;
			return;
		}
		len -= iov[i].iov_len;
	}
}

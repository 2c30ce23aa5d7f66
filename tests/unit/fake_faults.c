// SPDX-License-Identifier: GPL-2.0-only
/* A fake host's fault queue, as Linux keeps one (drivers/iommu/iommufd/eventq.c): cookies are given
 * out as records are read, the lowest that is free; what is detached, or replaced, is answered by
 * the host itself. */
#include <errno.h>
#include <linux/iommufd.h>
#include <string.h>
#include <sys/eventfd.h>

#include "tests/unit/fake_iommufd.h"

struct fake_faults fake_faults;

bool fake_has_faults(u32 device)
{
	return fake_is_attached(device) && fake_faults.of[device];
}

static bool put(const struct fake_fault *f)
{
	struct fake_faults *q = &fake_faults;

	if (!fake_has_faults(f->device) || q->nr == FAKE_MAX_FAULTS)
		return false;
	q->queue[q->nr++] = *f;
	eventfd_write(q->fd, 1);
	return true;
}

bool fake_fault(u32 device, u64 addr, u32 perm, u32 pasid)
{
	return put(&(struct fake_fault){
		.device = device, .addr = addr, .perm = perm, .pasid = pasid });
}

bool fake_fault_page(u32 device, u64 addr, u32 perm, bool more)
{
	return put(
		&(struct fake_fault){ .device = device, .addr = addr, .perm = perm, .more = more });
}

static u32 cookie_for(const struct fake_fault *f)
{
	u32 cookie = 1;

	while (fake_faults.delivered[cookie].device)
		cookie++;
	fake_faults.delivered[cookie] = *f;
	return cookie;
}

int fake_read_faults(void *buf, u32 len)
{
	struct fake_faults *q = &fake_faults;
	struct iommu_hwpt_pgfault *to = buf;
	unsigned int nr = len / sizeof(*to);
	eventfd_t n;

	if (len % sizeof(*to))
		return -ESPIPE;
	if (q->read_err) {
		const int err = q->read_err;

		q->read_err = 0;
		return err;
	}
	if (q->at_once && nr > q->at_once)
		nr = q->at_once;
	if (nr > q->nr)
		nr = q->nr;
	for (unsigned int i = 0; i < nr; i++) {
		const struct fake_fault *f = &q->queue[i];
		const bool same = i && q->queue[i - 1].more;

		to[i] = (struct iommu_hwpt_pgfault){
			.flags = (f->more ? 0 : IOMMU_PGFAULT_FLAGS_LAST_PAGE) |
			         (f->pasid ? IOMMU_PGFAULT_FLAGS_PASID_VALID : 0),
			.dev_id = f->device,
			.pasid = f->pasid,
			.perm = f->perm,
			.grpid = f->group,
			.addr = f->addr,
			.cookie = same ? to[i - 1].cookie : cookie_for(f),
		};
	}
	q->nr -= nr;
	memmove(q->queue, q->queue + nr, q->nr * sizeof(q->queue[0]));
	if (!q->nr)
		eventfd_read(q->fd, &n);
	return nr * sizeof(*to);
}

static void end(const struct fake_fault *f, bool automatic)
{
	if (fake_faults.ends)
		fake_faults.ends(f, automatic);
	fake_faults.automatic += automatic;
}

int fake_write_answers(struct uapi *u, int fd, const void *buf, u32 len)
{
	const struct iommu_hwpt_page_response *r = buf;

	(void)fd;
	if (uapi_fails(u))
		return u->fail_err;
	if (len != sizeof(*r))
		return -ESPIPE;
	if (!r->cookie || r->cookie >= FAKE_MAX_FAULTS ||
	    !fake_faults.delivered[r->cookie].device) {
		fake_faults.unknown++;
		return -EINVAL;
	}
	end(&fake_faults.delivered[r->cookie], false);
	fake_faults.delivered[r->cookie].device = 0;
	fake_faults.answers[fake_faults.answered++ % FAKE_MAX_FAULTS] = r->code;
	return len;
}

/* iommufd_auto_response_faults() */
void fake_faults_end(u32 device)
{
	struct fake_faults *q = &fake_faults;
	unsigned int left = 0;

	for (unsigned int i = 0; i < FAKE_MAX_FAULTS; i++) {
		if (q->delivered[i].device != device)
			continue;
		end(&q->delivered[i], true);
		q->delivered[i].device = 0;
	}
	for (unsigned int i = 0; i < q->nr; i++)
		if (q->queue[i].device != device)
			q->queue[left++] = q->queue[i];
		else
			end(&q->queue[i], true);
	q->nr = left;
}

int fake_no_bind(void)
{
	const int err = fake_iommufd.no_bind;

	if (err && fake_iommufd.busy && !--fake_iommufd.busy)
		fake_iommufd.no_bind = 0;
	return err;
}

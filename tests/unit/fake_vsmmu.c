// SPDX-License-Identifier: GPL-2.0-only
/* A slice of a fake host's SMMUv3: what Linux takes and refuses of STEs and commands
 * (drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-iommufd.c), and its events. */
#include <endian.h>
#include <errno.h>
#include <linux/iommufd.h>
#include <string.h>
#include <sys/eventfd.h>

#include "tests/unit/fake_iommufd.h"

#define BATCH 63

struct fake_slice fake_slice;

int fake_get_hw_info(struct uapi *u, struct iommu_hw_info *arg)
{
	struct iommu_hw_info_arm_smmuv3 info = { 0 };

	if (uapi_fails(u))
		return u->fail_err;
	if (!fake_is_device(arg->dev_id))
		return -ENOENT;
	memcpy(info.idr, fake_iommufd.idr, sizeof(info.idr));
	if (arg->data_len)
		memcpy((void *)(uintptr_t)arg->data_uptr, &info,
		       arg->data_len < sizeof(info) ? arg->data_len : sizeof(info));
	arg->out_capabilities = fake_iommufd.abilities;
	arg->out_max_pasid_log2 = fake_iommufd.pasid_bits;
	arg->data_len = sizeof(info);
	arg->out_data_type = fake_iommufd.hw_type;
	return 0;
}

/* arm_smmu_validate_vste() */
static bool is_legal(const u64 *ste)
{
	const unsigned int config = ste[0] >> 1 & 7;

	if (!(ste[0] & 1))
		return true;
	if (ste[0] & ~(0xfULL | 3 << 4 | GENMASK(51, 6) | GENMASK(63, 59)) ||
	    ste[1] & ~(0xffULL | BIT(27) | GENMASK(29, 28)))
		return false;
	return (config == 0 || config == 4 || config == 5) && (ste[1] >> 28 & 3) <= 1;
}

int fake_nested_alloc(const struct iommu_hwpt_alloc *arg, u32 id)
{
	const struct iommu_hwpt_arm_smmuv3 *ste = (const void *)(uintptr_t)arg->data_uptr;
	struct fake_nested *n = &fake_slice.tables[id];

	if (arg->flags & ~(u32)IOMMU_HWPT_FAULT_ID_VALID ||
	    arg->data_type != IOMMU_HWPT_DATA_ARM_SMMUV3)
		return -EOPNOTSUPP;
	if (arg->data_len != sizeof(*ste))
		return -EINVAL;
	n->ste[0] = le64toh(ste->ste[0]);
	n->ste[1] = le64toh(ste->ste[1]);
	if (is_legal(n->ste))
		return 0;
	fake_slice.nr_illegal++;
	return -EIO;
}

/* arm_smmu_attach_prepare_vmaster() */
int fake_nested_attach(u32 table, bool has_vdevice)
{
	const unsigned int config = fake_slice.tables[table].ste[0] >> 1 & 7;

	return has_vdevice || config == 0 || config == 4 ? 0 : -ENOENT;
}

/* arm_vsmmu_convert_user_cmd() */
static bool converts(const u64 *cmd)
{
	switch (cmd[0] & 0xff) {
	case 0x10:
	case 0x11:
	case 0x12:
	case 0x13:
	case 0x30: return true;
	case 0x05:
	case 0x06:
	case 0x40: return fake_knows_sid(cmd[0] >> 32);
	default: return false;
	}
}

/* arm_vsmmu_cache_invalidate(): issued in batches; of one that has a bad command none is. */
int fake_invalidate(struct uapi *u, struct iommu_hwpt_invalidate *arg)
{
	const struct iommu_viommu_arm_smmuv3_invalidate *cmds =
		(const void *)(uintptr_t)arg->data_uptr;
	struct fake_slice *s = &fake_slice;
	unsigned int last = 0;

	if (uapi_fails(u))
		return u->fail_err;
	if (s->fails && s->fails--)
		return s->err;
	s->nr_calls++;
	if (arg->entry_len != sizeof(*cmds) ||
	    arg->data_type != IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3)
		return -EINVAL;
	for (unsigned int i = 0; i < arg->entry_num; i++) {
		const u64 cmd[2] = { le64toh(cmds[i].cmd[0]), le64toh(cmds[i].cmd[1]) };

		if (!converts(cmd)) {
			s->nr_illegal++;
			arg->entry_num = i;
			return -EIO;
		}
		if (i + 1 != arg->entry_num && i + 1 - last != BATCH)
			continue;
		for (; last <= i; last++, s->nr_commands++) {
			s->commands[s->nr_commands % 1024][0] = le64toh(cmds[last].cmd[0]);
			s->commands[s->nr_commands % 1024][1] = le64toh(cmds[last].cmd[1]);
		}
	}
	return 0;
}

static void put(const void *bytes, unsigned int nr)
{
	memcpy(fake_slice.events + fake_slice.nr_bytes, bytes, nr);
	fake_slice.nr_bytes += nr;
	eventfd_write(fake_slice.fd, 1);
}

void fake_event(const u64 *record)
{
	struct {
		struct iommufd_vevent_header header;
		u64 words[4];
	} e = { .header.sequence = fake_slice.sequence++ };

	for (unsigned int i = 0; i < 4; i++)
		e.words[i] = htole64(record[i]);
	put(&e, sizeof(e));
}

void fake_events_lost(u32 nr)
{
	struct iommufd_vevent_header h = { .flags = IOMMU_VEVENTQ_FLAG_LOST_EVENTS };

	fake_slice.sequence = (fake_slice.sequence + nr) & 0x7fffffff;
	h.sequence = (fake_slice.sequence - 1) & 0x7fffffff;
	put(&h, sizeof(h));
}

/* Whole ones, as many as fit. */
int fake_read_events(struct uapi *u, int fd, void *buf, u32 len)
{
	struct fake_slice *s = &fake_slice;
	unsigned int done = 0;
	eventfd_t n;

	if (uapi_fails(u))
		return u->fail_err;
	if (fd == fake_faults.fd)
		return fake_read_faults(buf, len);
	while (done < s->nr_bytes) {
		struct iommufd_vevent_header h;
		u32 size;

		memcpy(&h, s->events + done, sizeof(h));
		size = sizeof(h) + (h.flags & IOMMU_VEVENTQ_FLAG_LOST_EVENTS ? 0 : 32);
		if (done + size > len)
			break;
		done += size;
	}
	memcpy(buf, s->events, done);
	memmove(s->events, s->events + done, s->nr_bytes - done);
	s->nr_bytes -= done;
	if (!s->nr_bytes)
		eventfd_read(s->fd, &n);
	return done;
}

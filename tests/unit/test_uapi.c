// SPDX-License-Identifier: GPL-2.0-only
/* Calls of iommufd and vfio as a trace shows them; and that what Nestor has of a host goes again,
 * whichever call fails. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "tests/unit/fake_iommufd.h"
#include "tests/unit/said.h"
#include "vfio/context.h"
#include "vfio/decode.h"
#include "vfio/probe.h"
#include "vmm/log.h"
#include "vmm/mem.h"

TestSuite(uapi, .init = listen_to_errors);

static char text[DECODE_SIZE];

/* The call as it is shown when it has ended. */
static const char *shown(unsigned long request, const void *before, const void *arg, bool ok)
{
	decode_call(text, 3, request, before, arg, ok);
	return text;
}

Test(uapi, a_call_shows_what_is_given_and_behind_an_arrow_what_comes_back)
{
	const struct iommu_ioas_map_file before = {
		.flags = 7, .ioas_id = 2, .fd = 9, .length = 0x4000000, .iova = 0x80000000
	};

	cr_assert(eq(str, (char *)shown(IOMMU_IOAS_MAP_FILE, &before, &before, true),
	             "ioctl(3, IOMMU_IOAS_MAP_FILE, {flags=FIXED_IOVA|WRITEABLE|READABLE, "
	             "ioas_id=2, fd=9, start=0, length=0x4000000, iova=0x80000000} => "
	             "{iova=0x80000000})"));
}

Test(uapi, what_a_failed_call_did_not_change_is_not_shown_as_an_answer)
{
	const u64 cmds[] = { 0x30, 0, 0xff, 0 };
	const struct iommu_hwpt_invalidate before = { .hwpt_id = 4,
		                                      .data_uptr = (uintptr_t)cmds,
		                                      .data_type = 1,
		                                      .entry_len = 16,
		                                      .entry_num = 2 };
	struct iommu_hwpt_invalidate done = before;
	const struct iommu_ioas_alloc none = { 0 };
	struct iommu_ioas_iova_ranges ranges = { .ioas_id = 1 }, after = ranges;

	after.num_iovas = 2;
	done.entry_num = 1;
	cr_assert(eq(str, (char *)shown(IOMMU_IOAS_ALLOC, &none, &none, false),
	             "ioctl(3, IOMMU_IOAS_ALLOC, {flags=0})"));
	cr_assert(eq(str, (char *)shown(IOMMU_IOAS_IOVA_RANGES, &ranges, &after, false),
	             "ioctl(3, IOMMU_IOAS_IOVA_RANGES, {ioas_id=1, num_iovas=0} => "
	             "{num_iovas=2})"));
	cr_assert(eq(str, (char *)shown(IOMMU_HWPT_INVALIDATE, &before, &done, false),
	             "ioctl(3, IOMMU_HWPT_INVALIDATE, {hwpt_id=4, data_type=ARM_SMMUV3, "
	             "entry_len=16, entry_num=2, data_uptr=[0x30, 0, 0xff, 0]} => "
	             "{entry_num=1})"));
}

Test(uapi, data_that_a_pointer_leads_to_is_shown_as_far_as_there_was_room)
{
	const u32 idr[] = { 0xa, 0xb };
	const struct iommu_hw_info before = { .dev_id = 1,
		                              .data_len = sizeof(idr),
		                              .data_uptr = (uintptr_t)idr };
	struct iommu_hw_info after = before;

	after.data_len = 40; /* the kernel's own length */
	after.out_data_type = IOMMU_HW_INFO_TYPE_ARM_SMMUV3;
	after.out_capabilities = IOMMU_HW_CAP_PCI_PASID_EXEC | 0x100;
	cr_assert(eq(str, (char *)shown(IOMMU_GET_HW_INFO, &before, &after, true),
	             "ioctl(3, IOMMU_GET_HW_INFO, {flags=0, dev_id=1, in_data_type=NONE, "
	             "data_len=8} => {data_len=40, out_data_type=ARM_SMMUV3, data_uptr=[0xa, 0xb], "
	             "out_max_pasid_log2=0, out_capabilities=PCI_PASID_EXEC|0x100})"));
}

Test(uapi, an_array_that_comes_back_ends_where_the_kernel_says)
{
	const u64 list[] = { 0, 0xff, 0x1000, 0x1fff, 5, 5, 5, 5 };
	const struct iommu_ioas_iova_ranges before = { .ioas_id = 1,
		                                       .num_iovas = 4,
		                                       .allowed_iovas = (uintptr_t)list };
	struct iommu_ioas_iova_ranges after = before;

	after.num_iovas = 2;
	cr_assert(eq(str, (char *)shown(IOMMU_IOAS_IOVA_RANGES, &before, &after, true),
	             "ioctl(3, IOMMU_IOAS_IOVA_RANGES, {ioas_id=1, num_iovas=4} => {num_iovas=2, "
	             "allowed_iovas=[0, 0xff, 0x1000, 0x1fff], out_iova_alignment=0})"));
}

Test(uapi, data_behind_a_struct_ends_where_its_argsz_does)
{
	struct {
		struct vfio_irq_set set;
		int fds[2];
	} arg = { .set = { .argsz = sizeof(arg.set) + sizeof(arg.fds),
		           .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		           .index = VFIO_PCI_MSIX_IRQ_INDEX,
		           .count = 2 },
		  .fds = { 8, -1 } };

	cr_assert(eq(str, (char *)shown(VFIO_DEVICE_SET_IRQS, &arg, &arg, true),
	             "ioctl(3, VFIO_DEVICE_SET_IRQS, {argsz=28, flags=DATA_EVENTFD|ACTION_TRIGGER, "
	             "index=MSIX, start=0, count=2, data=[8, -1]})"));
	arg.set.argsz = sizeof(arg.set);
	arg.set.flags = VFIO_IRQ_SET_DATA_NONE;
	cr_assert(ne(ptr, strstr(shown(VFIO_DEVICE_SET_IRQS, &arg, &arg, true), "data=[]}"), NULL));
}

Test(uapi, a_feature_is_named_beside_what_is_asked_of_it)
{
	const struct vfio_device_feature arg = { .argsz = sizeof(arg),
		                                 .flags = VFIO_DEVICE_FEATURE_PROBE |
		                                          VFIO_DEVICE_FEATURE_DMA_BUF };

	cr_assert(eq(str, (char *)shown(VFIO_DEVICE_FEATURE, &arg, &arg, true),
	             "ioctl(3, VFIO_DEVICE_FEATURE, {argsz=8, flags=DMA_BUF|PROBE, data=[]})"));
}

/* Against a file that is no iommufd: each call reaches it, and is traced with its own name. */
#define TRIED(member, type, request, ...)                                            \
	do {                                                                         \
		struct type arg = { 0 };                                             \
		cr_assert(eq(int, u.ops->member(&u, __VA_ARGS__ &arg), -ENOTTY));    \
		cr_assert(ne(ptr, strstr(said(stderr), ", " #request ", {"), NULL)); \
	} while (0)

Test(uapi, each_row_makes_its_own_ioctl)
{
	struct log log = { .topics = BIT(TRACE_UAPI) };
	int fd = eventfd(0, 0);
	struct uapi u = { .ops = &uapi_host, .log = &log, .iommufd = fd };

	TRIED(destroy, iommu_destroy, IOMMU_DESTROY, );
	TRIED(ioas_alloc, iommu_ioas_alloc, IOMMU_IOAS_ALLOC, );
	TRIED(ioas_allow_iovas, iommu_ioas_allow_iovas, IOMMU_IOAS_ALLOW_IOVAS, );
	TRIED(ioas_iova_ranges, iommu_ioas_iova_ranges, IOMMU_IOAS_IOVA_RANGES, );
	TRIED(ioas_map, iommu_ioas_map, IOMMU_IOAS_MAP, );
	TRIED(ioas_map_file, iommu_ioas_map_file, IOMMU_IOAS_MAP_FILE, );
	TRIED(ioas_copy, iommu_ioas_copy, IOMMU_IOAS_COPY, );
	TRIED(ioas_unmap, iommu_ioas_unmap, IOMMU_IOAS_UNMAP, );
	TRIED(ioas_change_process, iommu_ioas_change_process, IOMMU_IOAS_CHANGE_PROCESS, );
	TRIED(option, iommu_option, IOMMU_OPTION, );
	TRIED(hwpt_alloc, iommu_hwpt_alloc, IOMMU_HWPT_ALLOC, );
	TRIED(hwpt_invalidate, iommu_hwpt_invalidate, IOMMU_HWPT_INVALIDATE, );
	TRIED(hwpt_set_dirty_tracking, iommu_hwpt_set_dirty_tracking,
	      IOMMU_HWPT_SET_DIRTY_TRACKING, );
	TRIED(hwpt_get_dirty_bitmap, iommu_hwpt_get_dirty_bitmap, IOMMU_HWPT_GET_DIRTY_BITMAP, );
	TRIED(get_hw_info, iommu_hw_info, IOMMU_GET_HW_INFO, );
	TRIED(fault_queue_alloc, iommu_fault_alloc, IOMMU_FAULT_QUEUE_ALLOC, );
	TRIED(viommu_alloc, iommu_viommu_alloc, IOMMU_VIOMMU_ALLOC, );
	TRIED(vdevice_alloc, iommu_vdevice_alloc, IOMMU_VDEVICE_ALLOC, );
	TRIED(veventq_alloc, iommu_veventq_alloc, IOMMU_VEVENTQ_ALLOC, );
	TRIED(hw_queue_alloc, iommu_hw_queue_alloc, IOMMU_HW_QUEUE_ALLOC, );
	TRIED(bind, vfio_device_bind_iommufd, VFIO_DEVICE_BIND_IOMMUFD, fd, );
	TRIED(attach, vfio_device_attach_iommufd_pt, VFIO_DEVICE_ATTACH_IOMMUFD_PT, fd, );
	TRIED(detach, vfio_device_detach_iommufd_pt, VFIO_DEVICE_DETACH_IOMMUFD_PT, fd, );
	TRIED(get_info, vfio_device_info, VFIO_DEVICE_GET_INFO, fd, );
	TRIED(get_region_info, vfio_region_info, VFIO_DEVICE_GET_REGION_INFO, fd, );
	TRIED(get_irq_info, vfio_irq_info, VFIO_DEVICE_GET_IRQ_INFO, fd, );
	TRIED(set_irqs, vfio_irq_set, VFIO_DEVICE_SET_IRQS, fd, );
	TRIED(get_hot_reset_info, vfio_pci_hot_reset_info, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
	      fd, );
	TRIED(hot_reset, vfio_pci_hot_reset, VFIO_DEVICE_PCI_HOT_RESET, fd, );
	TRIED(feature, vfio_device_feature, VFIO_DEVICE_FEATURE, fd, );
	TRIED(ioeventfd, vfio_device_ioeventfd, VFIO_DEVICE_IOEVENTFD, fd, );
	cr_assert(eq(int, u.ops->reset(&u, fd), -ENOTTY));
	cr_assert(ne(ptr, strstr(said(stderr), "uapi: ioctl("), NULL));
	u.ops->close(&u, fd);
}

Test(uapi, the_call_that_is_to_fail_is_not_made)
{
	struct log log = { .topics = BIT(TRACE_UAPI) };
	struct uapi u = { .ops = &uapi_host, .log = &log, .fail_at = 2, .fail_err = -EBUSY };
	struct iommu_ioas_alloc arg = { 0 };

	u.iommufd = u.ops->open(&u, "/dev/null");
	cr_assert(ge(int, u.iommufd, 0));
	cr_assert(eq(int, u.ops->ioas_alloc(&u, &arg), -EBUSY));
	cr_assert(ne(ptr,
	             strstr(said(stderr), "{flags=0}) = -1 EBUSY (Device or resource busy) <0.0"),
	             NULL));
	cr_assert(eq(int, u.ops->ioas_alloc(&u, &arg), -ENOTTY));
	u.ops->close(&u, u.iommufd);
}

static struct log quiet;

static struct vfio_context with(unsigned int fail_at)
{
	return (struct vfio_context){ .uapi = { .ops = &fake_iommufd_ops,
		                                .log = &quiet,
		                                .fail_at = fail_at,
		                                .fail_err = -EIO } };
}

static struct guest_mem ram = { .base = 0x80000000, .size = 0x4000000, .fd = 5 };

/* All that assignment makes of a host for a function; 0, or the first error. */
static int assign(struct vfio_context *c, struct vfio_device *d)
{
	int err = vfio_context_map(c, &ram);

	if (!err)
		err = vfio_device_open(d, c, "vfio0");
	if (!err)
		err = vfio_device_bind(d);
	if (!err)
		err = vfio_device_attach(d, c->ioas);
	return err;
}

static int assign_and_undo(unsigned int fail_at)
{
	struct vfio_context c = with(fail_at);
	struct vfio_device d = { .context = &c, .fd = -1 };
	int err = vfio_context_open(&c);

	if (err)
		return err;
	err = assign(&c, &d);
	if (!err)
		cr_assert(ne(u32, d.hwpt, c.ioas), "the kernel has made a table of the IOAS");
	vfio_device_close(&d);
	vfio_context_close(&c);
	return err;
}

Test(uapi_context, whichever_call_fails_all_that_was_made_is_destroyed_in_order)
{
	unsigned int n = 1;

	/* open, IOAS, map, open, bind, attach; then what takes down: detach, destroy */
	for (; n <= 6; n++) {
		cr_assert(eq(int, assign_and_undo(n), -EIO), "call %u", n);
		cr_assert(zero(u32, fake_iommufd.refused), "call %u", n);
		cr_assert(zero(u32, fake_iommufd.left), "call %u", n);
		cr_assert(zero(u32, fake_iommufd.live), "call %u", n);
	}
	cr_assert(zero(int, assign_and_undo(7)));
	cr_assert(zero(u32, fake_iommufd.refused), "closing detaches");
	cr_assert(zero(u32, fake_iommufd.left));
	cr_assert(zero(int, assign_and_undo(8)));
	cr_assert(eq(u32, fake_iommufd.left, 1), "the context's end takes the IOAS");
	cr_assert(zero(u32, fake_iommufd.live));
	cr_assert(zero(int, assign_and_undo(9)), "there are 8 calls");
	cr_assert(eq(u32, fake_iommufd.left, 1));
}

Test(uapi_context, ram_is_mapped_by_its_file_or_where_that_cannot_be_by_address)
{
	static const int whys[] = { -ENOTTY, -EINVAL, -EOPNOTSUPP };

	cr_assert(zero(int, assign_and_undo(0)));
	cr_assert(fake_iommufd.map.by_file);
	cr_assert(eq(u64, fake_iommufd.map.iova, ram.base));
	for (size_t i = 0; i < ARRAY_SIZE(whys); i++) {
		fake_iommufd.no_file = whys[i];
		cr_assert(zero(int, assign_and_undo(0)));
		cr_assert(not(fake_iommufd.map.by_file));
		cr_assert(eq(u64, fake_iommufd.map.length, ram.size));
	}
	fake_iommufd.no_file = -ENOMEM;
	cr_assert(eq(int, assign_and_undo(0), -ENOMEM), "nothing to try again");
	fake_iommufd.no_file = 0;
	ram.fd = -1;
	cr_assert(zero(int, assign_and_undo(0)));
	cr_assert(not(fake_iommufd.map.by_file));
}

Test(uapi_context, a_second_attachment_takes_the_place_of_the_first)
{
	struct vfio_context c = with(0);
	struct vfio_device d;

	cr_assert(zero(int, vfio_context_open(&c)));
	cr_assert(zero(int, assign(&c, &d)));
	cr_assert(zero(int, vfio_device_attach(&d, c.ioas)));
	cr_assert(zero(int, vfio_device_detach(&d)));
	cr_assert(vfio_device_has_feature(&d, VFIO_DEVICE_FEATURE_DMA_BUF, 0));
	cr_assert(not(vfio_device_has_feature(&d, VFIO_DEVICE_FEATURE_MIGRATION, 0)));
	vfio_device_close(&d);
	vfio_context_close(&c);
	cr_assert(zero(u32, fake_iommufd.live + fake_iommufd.left + fake_iommufd.refused));
}

static struct vfio_probe probed;

static int probe(unsigned int fail_at)
{
	const struct vfio_context c = with(fail_at);

	return vfio_probe(&probed, &c.uapi, "vfio0", NULL);
}

Test(uapi_probe, a_host_that_has_all_is_found_to)
{
	cr_assert(zero(int, probe(0)));
	for (unsigned int i = 0; i < NR_VFIO_STEPS; i++)
		cr_assert(zero(int, probed.result[i]), "step %u", i);
	cr_assert(vfio_probe_two_stages(&probed));
	cr_assert(vfio_probe_stalls(&probed));
	cr_assert(vfio_probe_has_fwb(&probed));
	cr_assert(zero(u32, fake_iommufd.live + fake_iommufd.left + fake_iommufd.refused));
}

Test(uapi_probe, whichever_call_fails_nothing_is_left)
{
	/* the calls up to the last that makes something: two of the context, eight of the steps */
	fake_iommufd.idr[0] |= 1 << 24; /* no stalls: the last one is an attach */
	for (unsigned int n = 1; n <= 10; n++) {
		probe(n);
		cr_assert(zero(u32, fake_iommufd.refused), "call %u", n);
		cr_assert(zero(u32, fake_iommufd.left), "call %u", n);
		cr_assert(zero(u32, fake_iommufd.live), "call %u", n);
	}
}

Test(uapi_probe, what_stands_on_a_step_that_failed_is_not_tried)
{
	fake_iommufd.no_parent = -EOPNOTSUPP;
	cr_assert(zero(int, probe(0)));
	cr_assert(eq(int, probed.result[VFIO_STEP_PARENT], -EOPNOTSUPP));
	cr_assert(eq(int, probed.result[VFIO_STEP_VIOMMU], VFIO_NOT_TRIED));
	cr_assert(zero(int, probed.result[VFIO_STEP_FAULTS]));
	fake_iommufd.no_bind = -EPERM;
	cr_assert(zero(int, probe(0)));
	cr_assert(eq(int, probed.result[VFIO_STEP_BIND], -EPERM));
	cr_assert(eq(int, probed.result[VFIO_STEP_HW_INFO], VFIO_NOT_TRIED));
	cr_assert(not(vfio_probe_stalls(&probed)));
}

/* A virtual function, and the UUID that it is to be bound with; NULL: none. */
static int bind_with(const u8 *needed, const u8 *given)
{
	struct vfio_context c = with(0);
	struct vfio_device d;
	int err;

	fake_iommufd.tokens[0] = needed;
	cr_assert(zero(int, vfio_context_open(&c)));
	cr_assert(zero(int, vfio_device_open(&d, &c, "vfio0")));
	d.token = given;
	err = vfio_device_bind(&d);
	vfio_device_close(&d);
	vfio_context_close(&c);
	return err;
}

Test(uapi_context, a_token_is_given_where_there_is_one)
{
	static const u8 one[VFIO_TOKEN_SIZE] = { 1 }, other[VFIO_TOKEN_SIZE] = { 2 };

	cr_assert(zero(int, bind_with(NULL, NULL)));
	cr_assert(zero(int, bind_with(one, one)));
	cr_assert(eq(int, bind_with(one, other), -EACCES));
	cr_assert(eq(int, bind_with(one, NULL), -EACCES));
	cr_assert(eq(int, bind_with(NULL, one), -EINVAL));
}

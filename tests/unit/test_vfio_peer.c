// SPDX-License-Identifier: GPL-2.0-only
/* BARs of an assigned function that others reach: where the guest has them, and no longer than the
 * function decodes them. */
#include <errno.h>
#include <linux/iommufd.h>
#include <linux/kvm.h>
#include <string.h>

#include "tests/unit/fake_assigned.h"
#include "tests/unit/said.h"

#define BAR0    (MEM_BUS + 0x100000)
#define BAR5    (MEM_BUS + 0x400000)
#define CPU(at) ((at) + (MEM_CPU - MEM_BUS))

static struct vfio_device other; /* whoever might reach them */
static struct uapi_ops ops;
static int no_map; /* what MAP_FILE of a BAR answers; 0: it works */
static unsigned int nr_maps;
static struct vfio_region_dma_range last; /* that a dma-buf was asked of */

static int map_file(struct uapi *u, struct iommu_ioas_map_file *arg)
{
	nr_maps++;
	return no_map ? no_map : fake_iommufd_ops.ioas_map_file(u, arg);
}

static int unmap(struct uapi *u, struct iommu_ioas_unmap *arg)
{
	fake_note("unmap %#llx;", (unsigned long long)arg->iova);
	return fake_iommufd_ops.ioas_unmap(u, arg);
}

static int feature(struct uapi *u, int fd, struct vfio_device_feature *arg)
{
	const struct vfio_device_feature_dma_buf *rq = (const void *)arg->data;

	cr_assert(eq(u32, arg->argsz, sizeof(*arg) + sizeof(*rq) + sizeof(last)));
	cr_assert(eq(u32, rq->nr_ranges, 1));
	cr_assert(lt(u32, rq->region_index, 6));
	last = rq->dma_ranges[0];
	return fake_iommufd_ops.feature(u, fd, arg);
}

static void prepare(void)
{
	fake_assigned_prepare();
	ops = fake_iommufd_ops;
	ops.ioas_map_file = map_file;
	ops.ioas_unmap = unmap;
	ops.feature = feature;
	fake_at.context.uapi.ops = &ops;
	cr_assert(zero(int, fake_assigned_create(NULL, NULL)), "step %u", fake_at.step);
	listen_to(stderr);
}

static void make(void)
{
	prepare();
	cr_assert(zero(int, vfio_device_open(&other, &fake_at.context, "vfio1")));
	cr_assert(zero(int, vfio_device_bind(&other)));
	cr_assert(zero(int, vfio_device_attach_all(&other)));
}

static void unmake(void)
{
	vfio_device_close(&other);
	fake_assigned_unmake();
	cr_assert(eq(str, said(stderr), ""));
}

static void leave_alone(void)
{
	fake_assigned_unmake();
	cr_assert(eq(str, said(stderr), ""));
}

TestSuite(vfio_peer, .init = make, .fini = unmake);
TestSuite(vfio_peer_alone, .init = prepare, .fini = leave_alone);

static void enable(u16 command)
{
	cfg_write(PCI_COMMAND, 2, command);
}

/* How much of the guest's physical addresses other functions find there; 0: nothing. */
static u64 reached(gpa_t gpa)
{
	const struct fake_area *a = fake_area_at(fake_at.context.ioas, gpa);

	return a && a->first == gpa ? a->last - a->first + 1 : 0;
}

static void place(void)
{
	cfg_write(PCI_BASE_ADDRESS_0, 4, BAR0);
	cfg_write(PCI_BASE_ADDRESS_5, 4, BAR5);
	enable(PCI_COMMAND_MEMORY);
}

Test(vfio_peer, what_the_guest_reaches_without_an_exit_others_reach_too)
{
	place();
	cr_assert(eq(u64, reached(CPU(BAR0)), FAKE_BAR0_SIZE));
	cr_assert(zero(u64, reached(CPU(BAR5))), "not MSI-X's table");
	cr_assert(eq(u64, reached(CPU(BAR5) + 0x1000), 0x1000));
	cr_assert(eq(u64, last.offset, FAKE_MSIX_PBA + 0x1000));
	cr_assert(eq(u64, last.length, 0x1000));
}

Test(vfio_peer, they_move_with_it)
{
	place();
	cfg_write(PCI_BASE_ADDRESS_0, 4, BAR0 + 0x40000);
	cr_assert(zero(u64, reached(CPU(BAR0))));
	cr_assert(eq(u64, reached(CPU(BAR0) + 0x40000), FAKE_BAR0_SIZE));
}

Test(vfio_peer, they_go_before_the_function_decodes_them_no_more)
{
	const char *text, *off;

	place();
	fake_noted();
	enable(0);
	text = fake_noted();
	off = strstr(text, "config 0x4/2=0;");
	cr_assert(ne(ptr, (void *)off, NULL), "%s", text);
	cr_assert(ne(ptr, strstr(text, "unmap "), NULL), "%s", text);
	cr_assert(eq(ptr, strstr(off, "unmap "), NULL), "%s", text);
	cr_assert(zero(u64, reached(CPU(BAR0))));
	enable(PCI_COMMAND_MEMORY);
	cr_assert(eq(u64, reached(CPU(BAR0)), FAKE_BAR0_SIZE));
}

Test(vfio_peer, they_go_with_a_function_that_the_host_takes_back)
{
	place();
	vfio_pci_leave(fake_at.pci, "a test");
	cr_assert(ne(ptr, strstr(said(stderr), "a test"), NULL));
	cr_assert(zero(u64, reached(CPU(BAR0))));
}

/* The kernel resets what shares a bus, and what stands for all of their BARs is dead then. */
Test(vfio_peer, they_are_there_again_after_another_function_was_reset_with_its_bus)
{
	const struct vfio_pci_config c = { .at = "0000:01:00.1" };
	struct vfio_pci *second;
	enum vfio_pci_step step;
	unsigned int before;
	const char *text;

	place();
	cr_assert(
		zero(int, vfio_pci_create(&second, &other, pci_host_bus(fake_at.host), &c, &step)));
	before = nr_maps;
	fake_noted();
	second->can_reset = true;
	pci_func_reset(&second->func);
	until(!second->resetting);
	cr_assert(eq(u32, nr_maps, before));
	second->can_reset = false;
	pci_func_reset(&second->func);
	until(!second->resetting);
	cr_assert(eq(u32, nr_maps, 2 * before), "each of them");
	text = fake_noted();
	cr_assert(ne(ptr, strstr(text, "unmap 0x"), NULL), "%s", text);
	cr_assert(eq(u64, reached(CPU(BAR0)), FAKE_BAR0_SIZE));
	cr_assert(eq(u64, reached(CPU(BAR5) + 0x1000), 0x1000));
	fake_vm_stop(&fake_at.vm);
	loop_drain(fake_at.vm.loop);
	work_drain(fake_at.vm.work);
	vfio_pci_destroy(second);
}

/* The BAR is the guest's all the same. */
static void expect_none(void)
{
	const unsigned int before = fake_iommufd.live;

	place();
	cr_assert(zero(u64, reached(CPU(BAR0))));
	cr_assert(eq(u32, fake_iommufd.live, before), "no file is left open");
	cr_assert(ge(int, fake_at.pci->regions[0].pieces[0].slot, 0));
	cfg_write(PCI_BASE_ADDRESS_0, 4, BAR0 + 0x40000);
	enable(0);
}

Test(vfio_peer, a_host_that_has_no_such_files_is_well)
{
	fake_iommufd.no_dma_buf = true;
	expect_none();
	cr_assert(zero(u32, nr_maps));
}

Test(vfio_peer, one_that_does_not_take_them_is_well)
{
	static const int errs[] = { -ENODEV, -EINVAL, -EOPNOTSUPP };

	for (size_t i = 0; i < ARRAY_SIZE(errs); i++) {
		no_map = errs[i];
		expect_none();
	}
	cr_assert(gt(u32, nr_maps, 0));
	no_map = 0;
	place();
	cr_assert(eq(u64, reached(CPU(BAR0)), FAKE_BAR0_SIZE), "it is tried again");
}

Test(vfio_peer_alone, where_no_other_function_is_nothing_is_asked_for)
{
	place();
	cr_assert(zero(u64, reached(CPU(BAR0))));
	cr_assert(zero(u32, nr_maps));
	cr_assert(zero(u64, last.length));
}

// SPDX-License-Identifier: GPL-2.0-only
/* --msi-window and the host's own: where they are the same, moved, and refused. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "machine/machine.h"
#include "machine/msi_window.h"
#include "machine/status.h"
#include "tests/unit/fake_function.h"
#include "tests/unit/fake_iommufd.h"
#include "tests/unit/fake_sysfs.h"
#include "tests/unit/room.h"
#include "tests/unit/said.h"
#include "vfio/function.h"

static struct machine *m;
static struct options *o;
static struct log quiet;
static struct host_functions h = { .sys = sys };
static struct host_function f = { .at = "0000:01:00.0" };

static void say(u64 first, u64 size)
{
	o->msi_window_said = true;
	m->msi_window = o->msi_window = (struct iommu_range){ first, first + size - 1 };
}

static void make(void)
{
	m = (void *)room_of(sizeof(*m));
	o = (void *)room_of(sizeof(*o));
	m->options = o;
	o->nr_vfio = 1;
	o->vfio[0].said = "01:00.0";
	say(0x8000000, 0x100000);
	f.msi_first = 0x8000000;
	f.msi_last = 0x80fffff;
	for (unsigned int i = 0; i < ARRAY_SIZE(fake_functions); i++)
		fake_function_init(&fake_functions[i]);
	fake_iommufd.reserved[0] = (struct fake_reserved){ 0x8000000, 0x80fffff };
	m->vfio_context.uapi =
		(struct uapi){ .ops = &fake_iommufd_ops, .log = &quiet, .fail_err = -EIO };
	cr_assert(zero(int, vfio_context_open(&m->vfio_context)));
	cr_assert(zero(int, vfio_device_open(&m->vfio[0].dev, &m->vfio_context, "vfio0")));
	cr_assert(zero(int, vfio_device_bind(&m->vfio[0].dev)));
	fake_sysfs_make();
	listen_to(stderr);
}

static void unmake(void)
{
	fake_sysfs_unmake();
	vfio_device_close(&m->vfio[0].dev);
	vfio_context_close(&m->vfio_context);
	cr_assert(zero(u32, fake_iommufd.live + fake_iommufd.left + fake_iommufd.refused));
}

TestSuite(msi_window_host, .init = make, .fini = unmake);

static int agree(void)
{
	int status = msi_window_host(m, 0, &h, &f);

	return status ? status : msi_window_move(m, 0);
}

/* Where the device's doorbells are, for the host's kernel and as it is told on. */
static void expect_window(u64 first, u64 last)
{
	struct vfio_range hole;
	u64 granule = 1;
	u64 low = 0, high = ~0ULL;

	cr_assert(zero(int, vfio_device_attach_all(&m->vfio[0].dev)));
	cr_assert(
		eq(int, vfio_context_holes(&m->vfio_context, &low, &high, &granule, &hole, 1), 1));
	cr_assert(eq(u64, hole.first, first));
	cr_assert(eq(u64, hole.last, last));
	cr_assert(eq(u64, m->vfio[0].msi.first, first));
	cr_assert(eq(u64, m->vfio[0].msi.last, last));
}

Test(msi_window_host, one_that_begins_where_the_hosts_does_and_has_it_is_well)
{
	const unsigned int before = m->vfio_context.uapi.calls;

	cr_assert(zero(int, agree()));
	say(0x8000000, 0x300000);
	cr_assert(zero(int, agree()));
	cr_assert(eq(u32, m->vfio_context.uapi.calls, before), "nothing is asked for");
	cr_assert(eq(str, said(stderr), ""));
	expect_window(0x8000000, 0x80fffff);
}

Test(msi_window_host, without_a_word_it_is_the_hosts)
{
	o->msi_window_said = false;
	f.msi_first = 0xfee00000;
	f.msi_last = 0xfeefffff;
	cr_assert(zero(int, agree()));
	cr_assert(eq(u64, m->msi_window.first, 0xfee00000));
	cr_assert(eq(u64, m->msi_window.last, 0xfeefffff));
}

Test(msi_window_host, a_kernel_that_does_not_move_doorbells_lacks_that)
{
	say(0x9000000, 0x100000);
	cr_assert(eq(int, agree(), STATUS_HOST_LACKS));
	cr_assert(eq(str, said(stderr),
	             "nestor: --msi-window 0x9000000,0x100000: expected 0x8000000,0x100000, where "
	             "this host's kernel has doorbells for --vfio-pci 01:00.0, and does not move "
	             "them: Operation not supported\n"));
	say(0x8000000, 0x80000);
	cr_assert(eq(int, agree(), STATUS_HOST_LACKS), "it has too few");
}

Test(msi_window_host, a_device_without_doorbells_does_not_need_it)
{
	f.msi_first = 1;
	f.msi_last = 0;
	say(0x9000000, 0x100000);
	cr_assert(zero(int, agree()));
	cr_assert(eq(str, said(stderr), ""));
}

Test(msi_window_host, a_kernel_with_the_option_moves_them_for_a_context_or_for_a_device)
{
	say(0x20000000, 0x200000);
	fake_iommufd.msi = FAKE_MSI_OF_CONTEXT;
	cr_assert(zero(int, agree()));
	expect_window(0x20000000, 0x201fffff);
	cr_assert(zero(int, vfio_device_detach(&m->vfio[0].dev)));
	say(0x30000000, 0x100000);
	fake_iommufd.msi = FAKE_MSI_OF_DEVICE;
	cr_assert(zero(int, agree()));
	cr_assert(eq(str, said(stderr), ""));
	expect_window(0x30000000, 0x300fffff);
}

Test(msi_window_host, such_a_kernel_moves_them_by_whole_mib)
{
	fake_iommufd.msi = FAKE_MSI_OF_DEVICE;
	say(0x20010000, 0x100000);
	cr_assert(eq(int, agree(), STATUS_HOST_LACKS));
	cr_assert(ne(ptr, strstr(said(stderr), "does not move them: Invalid argument\n"), NULL));
	say(0x20000000, 0x110000);
	cr_assert(eq(int, agree(), STATUS_HOST_LACKS));
}

Test(msi_window_host, each_call_that_fails_is_told)
{
	fake_iommufd.msi = FAKE_MSI_OF_CONTEXT;
	say(0x20000000, 0x100000);
	for (unsigned int i = 2; i <= 3; i++) {
		m->vfio_context.uapi.fail_at = m->vfio_context.uapi.calls + i;
		cr_assert(eq(int, agree(), STATUS_HOST_LACKS));
		cr_assert(ne(ptr, strstr(said(stderr), ": Input/output error\n"), NULL));
	}
}

Test(msi_window_host, what_the_host_reserves_besides_is_refused_with_its_range)
{
	put_of(f.at, "iommu_group/reserved_regions",
	       "0x0000000008000000 0x00000000080fffff msi\n"
	       "0x0000000009000000 0x00000000090fffff direct-relaxable\n"
	       "0x0000000010000000 0x000000001fffffff reserved\n");
	say(0x8000000, 0x8000000);
	cr_assert(zero(int, msi_window_host(m, 0, &h, &f)));
	cr_assert(eq(str, said(stderr), ""));
	say(0x8000000, 0x8010000);
	cr_assert(eq(int, msi_window_host(m, 0, &h, &f), STATUS_HOST_LACKS));
	cr_assert(eq(str, said(stderr),
	             "nestor: --msi-window 0x8000000,0x8010000: expected addresses beside "
	             "0x10000000-0x1fffffff, which this host reserves (reserved) for --vfio-pci "
	             "01:00.0\n"));
}

Test(msi_window_host, what_is_reserved_is_refused_of_a_device_without_doorbells_too)
{
	f.msi_first = 1;
	f.msi_last = 0;
	put_of(f.at, "iommu_group/reserved_regions",
	       "0x0000000010000000 0x000000001fffffff reserved\n");
	say(0x10000000, 0x100000);
	cr_assert(eq(int, msi_window_host(m, 0, &h, &f), STATUS_HOST_LACKS));
	cr_assert(zero(int, m->vfio[0].moves_msis));
}

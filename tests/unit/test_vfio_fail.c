// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function of the host's behind an IOMMU, from opening /dev/iommu to taking it down with a
 * running mirror, each call of the host's failing in turn, then each of KVM's: all that was made
 * is destroyed, in order.
 */
#include <stdio.h>
#include <sys/eventfd.h>

#include "tests/unit/fake_assigned.h"
#include "tests/unit/leak.h"
#include "tests/unit/space.h"
#include "vmm/assigned.h"
#include "vmm/iommu.h"

#define PAGE 0x1000ULL
#define RAM  FAKE_RAM_BASE
#define RW   (DMA_READ | DMA_WRITE)

static struct log quiet;
static struct iommu_endpoint endpoint;
static struct iova_space everything, domain;
static bool undoing; /* the call that failed was one that takes away */

/* Those that take away, told apart. */
static void look(struct uapi *u)
{
	undoing |= u->calls + 1 == u->fail_at;
}

static int destroy(struct uapi *u, struct iommu_destroy *arg)
{
	look(u);
	return fake_iommufd_ops.destroy(u, arg);
}

static int detach(struct uapi *u, int fd, struct vfio_device_detach_iommufd_pt *arg)
{
	look(u);
	return fake_iommufd_ops.detach(u, fd, arg);
}

static int unmap_pages(struct uapi *u, struct iommu_ioas_unmap *arg)
{
	look(u);
	return fake_iommufd_ops.ioas_unmap(u, arg);
}

static void fault(struct iommu_endpoint *e, const struct dma_access *a)
{
	(void)e, (void)a;
}

static const struct iommu_ops ops = { .fault = fault };

static int map(u64 iova, gpa_t gpa)
{
	const struct iova_mapping m = {
		.iova = iova, .last = iova + PAGE - 1, .gpa = gpa, .perm = RW
	};

	return iova_map(&domain, &m);
}

static void unmap(u64 iova)
{
	bool doorbells;

	iova_unmap(&domain, iova, iova + PAGE - 1, NULL, &doorbells);
}

/* What a guest does with it; that something fails is the guest's to bear. */
static void use(void)
{
	const gpa_t table = MEM_CPU + 0x400000;

	map(8 * PAGE, RAM);
	iommu_attach(&endpoint, &domain, NULL);
	map(0, RAM);
	map(PAGE, RAM + PAGE);
	map(2 * PAGE, RAM + PAGE);
	unmap(PAGE);
	cfg_write(PCI_BASE_ADDRESS_0, 4, MEM_BUS + 0x100000);
	cfg_write(PCI_BASE_ADDRESS_5, 4, MEM_BUS + 0x400000);
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	cfg_read(PCI_STATUS, 2);
	cfg_write(FAKE_CAP_MSIX + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
	fake_write(&fake_at.vm, table + PCI_MSIX_ENTRY_VECTOR_CTRL, 4, 0);
	fake_write(&fake_at.vm, table + 0x1008, 4, 1);
	pci_func_reset(&fake_at.pci->func);
	iommu_attach(&endpoint, &everything, NULL); /* waits for the reset */
	iommu_attach(&endpoint, &domain, NULL);
	map(3 * PAGE, RAM + 3 * PAGE);
	cfg_write(FAKE_CAP_MSI + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE | 2 << 4);
	cfg_write(PCI_BASE_ADDRESS_0, 4, MEM_BUS + 0x100000);
	cfg_write(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
}

/* Up to the end of what a machine makes; 0 or the first error. */
static int make(void)
{
	int err = vfio_context_map(&fake_at.context, &fake_at.vm.mem);

	if (!err)
		err = fake_assigned_create(NULL, &endpoint.dma);
	if (err)
		return err;
	fake_place(fake_at.host);
	use();
	return 0;
}

static int live(unsigned int fail_at)
{
	struct uapi_ops table = fake_iommufd_ops;
	int err;

	table.destroy = destroy;
	table.detach = detach;
	table.ioas_unmap = unmap_pages;
	fake_at.context = (struct vfio_context){
		.uapi = { .ops = &table, .log = &quiet, .fail_at = fail_at, .fail_err = -EIO }
	};
	fake_at.dev = (struct vfio_device){ .context = &fake_at.context, .fd = -1 };
	fake_at.pci = NULL;
	iova_init(&everything);
	everything.identity = true;
	iova_init(&domain);
	iommu_endpoint_init(&endpoint, &ops, &fake_at.vm.mem);
	iommu_attach(&endpoint, &everything, NULL);
	err = vfio_context_open(&fake_at.context);
	if (!err) {
		err = make();
		fake_assigned_take();
		iommu_attach(&endpoint, NULL, NULL);
		iova_clear(&domain); /* with its mirror */
		fake_assigned_destroy();
		vfio_context_close(&fake_at.context);
	} else {
		iommu_attach(&endpoint, NULL, NULL);
	}
	return err;
}

static void begin(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(fake_functions); i++)
		fake_function_init(&fake_functions[i]);
	fake.nr_devices = fake.nr_vcpu_fds = fake.nr_vcpus = 0; /* of the VM before */
	fake_vm(&fake_at.vm, 1);
	cr_assert(zero(int, pci_host_create(&fake_at.host, &fake_at.vm, &fake_pci)));
}

static void end(void)
{
	pci_host_destroy(fake_at.host);
	fake_vm_destroy(&fake_at.vm);
}

/* Nothing is left of it anywhere. */
static void expect_nothing(unsigned int n)
{
	cr_assert(zero(u32, fake_iommufd.live), "call %u", n);
	cr_assert(zero(u32, fake_functions[0].nr_mapped), "call %u", n);
	cr_assert(zero(u32, fake.nr_irqfds), "call %u", n);
	for (size_t i = 0; i < ARRAY_SIZE(fake_at.vm.slots); i++)
		cr_assert(zero(u64, fake_at.vm.slots[i]), "call %u", n);
	if (!undoing)
		cr_assert(zero(u32, fake_iommufd.refused + fake_iommufd.left), "call %u", n);
	fake_iommufd.refused = fake_iommufd.left = 0;
	undoing = false;
}

Test(vfio_fail, whichever_call_of_the_hosts_fails_all_that_was_made_is_destroyed)
{
	unsigned int n = 0, failed = 0, nr_undone = 0, fds = 0;

	do {
		begin();
		failed += live(++n) != 0;
		nr_undone += undoing;
		expect_nothing(n);
		end();
		if (n == 1)
			fds = open_fds();
		cr_assert(eq(u32, open_fds(), fds), "call %u", n);
	} while (fake_at.context.uapi.calls >= n);
	cr_assert(gt(u32, n, 60), "there are some");
	cr_assert(gt(u32, failed, 20), "what it is made of");
	cr_assert(gt(u32, nr_undone, 5));
}

Test(vfio_fail, whichever_call_of_kvms_fails_all_that_was_made_is_destroyed)
{
	unsigned int n = 0, before;

	do {
		begin();
		before = fake.calls;
		fake.fail_at = before + ++n;
		live(0);
		fake.fail_at = 0;
		cr_assert(le(u32, fake.nr_irqfds, 1), "one that KVM would not take back");
		fake.nr_irqfds = 0;
		before = fake.calls - before;
		expect_nothing(n);
		end();
	} while (before >= n);
	cr_assert(gt(u32, n, 20), "there are some");
}

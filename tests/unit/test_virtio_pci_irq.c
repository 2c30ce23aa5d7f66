// SPDX-License-Identifier: GPL-2.0-only
/* The virtio-PCI transport at work: kicks, interrupts, and the window in configuration space. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "devices/pci/private.h"
#include "devices/virtio/pci.h"
#include "tests/unit/fake_pci.h"
#include "tests/unit/fake_virtio.h"

/* BAR 0 as this transport lays it out; test_virtio_pci.c finds it by the capabilities. */
#define COMMON (MEM_CPU + 0x10000) /* behind MSI-X's BAR */
#define ISR    (COMMON + 0x1000)
#define NOTIFY (COMMON + 0x3000)

static struct vm vm;
static struct pci_host *host;
static struct virtio_pci *vp;
static struct fake_dev fake_device;
static struct virtio_dev *dev = &fake_device.dev;

static void make(void)
{
	fake_vm(&vm, 1);
	cr_assert(zero(int, pci_host_create(&host, &vm, &fake_pci)));
	fake_dev_init(&fake_device, &vm.dma, 0);
	cr_assert(zero(int, virtio_pci_create(&vp, pci_host_bus(host), dev)));
	fake_place(host);
	fake_write(&vm, cfg(0, PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	dev->acked = BIT(VIRTIO_F_VERSION_1);
	fake_write(&vm, COMMON + VIRTIO_PCI_COMMON_STATUS, 1, 0xf);
	dev->vq[0].enabled = dev->vq[1].enabled = 1;
}

static void unmake(void)
{
	loop_drain(vm.loop);
	virtio_pci_destroy(vp);
	pci_host_destroy(host);
	fake_vm_destroy(&vm);
}

TestSuite(virtio_pci_irq, .init = make, .fini = unmake, .timeout = 20);

Test(virtio_pci_irq, a_kick_by_exit_notifies_its_queue)
{
	fake_write(&vm, NOTIFY + 4, 2, 1);
	cr_assert(eq(u32, fake_device.notified, 1));
	cr_assert(eq(u32, fake_device.last_queue, 1));
	fake_write(&vm, NOTIFY + 8, 2, 2);
	fake_write(&vm, NOTIFY + 2, 2, 0);
	cr_assert(eq(u32, fake_device.notified, 1));
	cr_assert(zero(u64, fake_read(&vm, NOTIFY, 4)));
}

Test(virtio_pci_irq, without_bus_master_a_queue_waits_until_it_is_set)
{
	fake_write(&vm, cfg(0, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
	fake_write(&vm, NOTIFY + 4, 2, 1);
	cr_assert(zero(u32, fake_device.notified));
	fake_write(&vm, cfg(0, PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	cr_assert(eq(u32, fake_device.notified, 2)); /* both queues are looked at */
	cr_assert(eq(u32, fake_device.last_queue, 1));
}

static void stop_when_notified(struct virtio_dev *d, struct virtq *vq)
{
	fake_device.last_queue = vq->index;
	(void)d;
	loop_stop(vm.loop);
}

Test(virtio_pci_irq, a_kick_by_ioeventfd_notifies_its_queue_every_time)
{
	struct virtio_type type = *dev->type;

	type.notify = stop_when_notified;
	dev->type = &type;
	cr_assert(eq(u32, fake.nr_ioeventfds, 2));
	cr_assert(eq(u64, fake.ioeventfd.addr, NOTIFY + 4));
	cr_assert(zero(int, eventfd_write(fake.ioeventfd.fd, 1)));
	cr_assert(zero(int, loop_run(vm.loop)));
	cr_assert(eq(u32, fake_device.last_queue, 1));
}

Test(virtio_pci_irq, the_ioeventfds_follow_the_bar)
{
	fake_write(&vm, cfg(0, PCI_BASE_ADDRESS_0), 4, MEM_BUS + 0x110000);
	cr_assert(eq(u32, fake.nr_ioeventfds, 2));
	cr_assert(eq(u64, fake.ioeventfd.addr, NOTIFY + 0x100000 + 4));
	fake_write(&vm, cfg(0, PCI_COMMAND), 2, 0);
	cr_assert(zero(u32, fake.nr_ioeventfds));
	cr_assert(eq(u64, fake.ioeventfd.addr, NOTIFY + 0x100000 + 4));
	fake_write(&vm, cfg(0, PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void interrupt(void)
{
	dev->transport->interrupt(dev->transport, &dev->vq[0]);
}

Test(virtio_pci_irq, without_msix_an_interrupt_is_a_line_until_isr_is_read)
{
	interrupt();
	cr_assert(fake.lines[FIRST_INTX]);
	cr_assert(eq(u64, fake_read(&vm, ISR, 1), 1));
	cr_assert(not(fake.lines[FIRST_INTX]));
	cr_assert(zero(u64, fake_read(&vm, ISR, 1)));
	virtio_needs_reset(dev);
	interrupt();
	cr_assert(zero(u64, fake_read(&vm, ISR + 4, 1)), "only ISR itself is read to clear");
	cr_assert(eq(u64, fake_read(&vm, ISR, 1), VIRTIO_PCI_ISR_CONFIG | 1));
}

Test(virtio_pci_irq, a_change_of_configuration_is_counted)
{
	dev->status |= 4; /* DRIVER_OK */
	virtio_config_changed(dev);
	cr_assert(eq(u64, fake_read(&vm, COMMON + VIRTIO_PCI_COMMON_CFGGENERATION, 1), 1));
	cr_assert(eq(u64, fake_read(&vm, ISR, 1), VIRTIO_PCI_ISR_CONFIG));
}

Test(virtio_pci_irq, a_reset_takes_the_line_back)
{
	interrupt();
	fake_write(&vm, COMMON + VIRTIO_PCI_COMMON_STATUS, 1, 0);
	cr_assert(not(fake.lines[FIRST_INTX]));
	cr_assert(zero(u64, fake_read(&vm, ISR, 1)));
}

Test(virtio_pci_irq, with_msix_an_interrupt_is_its_queues_vector)
{
	unsigned int cap = fake_cap(&vm, 0, PCI_CAP_ID_MSIX, 0);
	unsigned int pba = fake_read(&vm, cfg(0, cap + PCI_MSIX_PBA), 4) & PCI_MSIX_PBA_OFFSET;
	gpa_t table = MEM_CPU + fake_read(&vm, cfg(0, PCI_BASE_ADDRESS_2), 4) - MEM_BUS;

	fake_write(&vm, cfg(0, cap + PCI_MSIX_FLAGS), 2, PCI_MSIX_FLAGS_ENABLE);
	fake_write(&vm, COMMON + VIRTIO_PCI_COMMON_MSIX, 2, 2);
	interrupt();
	cr_assert(zero(u64, fake_read(&vm, table + pba, 8)), "it has no vector");
	fake_write(&vm, COMMON + VIRTIO_PCI_COMMON_Q_MSIX, 2, 1);
	interrupt(); /* vectors are masked out of reset, and so pending */
	cr_assert(eq(u64, fake_read(&vm, table + pba, 8), 1 << 1));
	dev->status |= 4; /* DRIVER_OK */
	virtio_config_changed(dev);
	cr_assert(eq(u64, fake_read(&vm, table + pba, 8), 1 << 1 | 1 << 2));
	cr_assert(zero(u64, fake_read(&vm, ISR, 1)));
	cr_assert(zero(u32, fake.line_changes));
}

Test(virtio_pci_irq, a_device_reset_forgets_what_was_pending)
{
	unsigned int cap = fake_cap(&vm, 0, PCI_CAP_ID_MSIX, 0);
	unsigned int pba = fake_read(&vm, cfg(0, cap + PCI_MSIX_PBA), 4) & PCI_MSIX_PBA_OFFSET;
	gpa_t table = MEM_CPU + fake_read(&vm, cfg(0, PCI_BASE_ADDRESS_2), 4) - MEM_BUS;

	fake_write(&vm, cfg(0, cap + PCI_MSIX_FLAGS), 2, PCI_MSIX_FLAGS_ENABLE);
	fake_write(&vm, COMMON + VIRTIO_PCI_COMMON_Q_MSIX, 2, 1);
	interrupt();
	cr_assert(eq(u64, fake_read(&vm, table + pba, 8), 1 << 1));
	fake_write(&vm, COMMON + VIRTIO_PCI_COMMON_STATUS, 1, 0);
	cr_assert(zero(u64, fake_read(&vm, table + pba, 8)));
}

Test(virtio_pci_irq, a_reset_of_the_function_is_one_of_the_device)
{
	struct pci_func *f = pci_host_bus(host)->funcs[0];

	interrupt();
	dev->in_flight = 1;
	pci_func_reset(f);
	cr_assert(eq(u32, fake_device.resets, 1));
	cr_assert(f->resetting(f), "a request is in flight");
	virtio_finished(dev);
	cr_assert(not(f->resetting(f)));
	cr_assert(zero(u32, dev->status));
	cr_assert(dev->held);
	cr_assert(not(fake.lines[FIRST_INTX]));
	cr_assert(zero(u64, fake_read(&vm, cfg(0, PCI_COMMAND), 2)));
}

Test(virtio_pci_irq, a_function_that_uses_msix_lets_its_line_go)
{
	unsigned int cap = fake_cap(&vm, 0, PCI_CAP_ID_MSIX, 0);

	interrupt();
	fake_write(&vm, cfg(0, cap + PCI_MSIX_FLAGS), 2, PCI_MSIX_FLAGS_ENABLE);
	cr_assert(not(fake.lines[FIRST_INTX]));
}

/* The capability of the window (4.1.4.9). */
static unsigned int window(void)
{
	for (unsigned int nth = 0;; nth++) {
		unsigned int at = fake_cap(&vm, 0, PCI_CAP_ID_VNDR, nth);

		cr_assert(ne(u32, at, 0));
		if (fake_read(&vm, cfg(0, at + VIRTIO_PCI_CAP_CFG_TYPE), 1) ==
		    VIRTIO_PCI_CAP_PCI_CFG)
			return at;
	}
}

static gpa_t aim(u8 bar, u32 offset, u32 len)
{
	unsigned int at = window();

	fake_write(&vm, cfg(0, at + VIRTIO_PCI_CAP_BAR), 1, bar);
	fake_write(&vm, cfg(0, at + VIRTIO_PCI_CAP_OFFSET), 4, offset);
	fake_write(&vm, cfg(0, at + VIRTIO_PCI_CAP_LENGTH), 4, len);
	return cfg(0, at + 16);
}

Test(virtio_pci_irq, the_window_reaches_every_structure)
{
	cr_assert(eq(u64, fake_read(&vm, aim(0, VIRTIO_PCI_COMMON_NUMQ, 2), 2), 2));
	fake_write(&vm, aim(0, VIRTIO_PCI_COMMON_Q_SELECT, 2), 2, 1);
	cr_assert(eq(u64, fake_read(&vm, COMMON + VIRTIO_PCI_COMMON_Q_SELECT, 2), 1));
	fake_write(&vm, aim(0, 0x3004, 2), 2, 1);
	cr_assert(eq(u32, fake_device.notified, 1));
	interrupt();
	cr_assert(eq(u64, fake_read(&vm, aim(0, 0x1000, 1), 1), 1));
	cr_assert(not(fake.lines[FIRST_INTX]));
}

struct window_case {
	u8 bar;
	u32 offset, len;
};

ParameterizedTestParameters(virtio_pci_irq, a_window_onto_nothing_does_nothing)
{
	static struct window_case cases[] = {
		{ 1, 0, 4 },          { 0, 0, 0 },      { 0, 0, 3 },
		{ 0, 0, 8 },          { 0, 0x15, 2 },   { 0, 0x4000, 4 },
		{ 0, 0xfffffffc, 4 }, { 0, 0x3ffe, 4 }, { 0, 0x3fff, 0xffffffff },
	};

	return cr_make_param_array(struct window_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct window_case *c, virtio_pci_irq, a_window_onto_nothing_does_nothing)
{
	gpa_t data = aim(c->bar, c->offset, c->len);

	fake_write(&vm, data, 4, 0x0f0f0f0f);
	cr_assert(eq(u64, fake_read(&vm, data, 4), 0x0f0f0f0f), "what was written, no more");
	cr_assert(eq(u64, fake_read(&vm, COMMON + VIRTIO_PCI_COMMON_STATUS, 1), 0xf));
	cr_assert(zero(u32, fake_device.notified));
}

Test(virtio_pci_irq, a_transport_leaves_nothing_open)
{
	static struct fake_dev second;
	unsigned int fds = open_fds();
	struct virtio_pci *other;

	fake_dev_init(&second, &vm.dma, 0);
	cr_assert(zero(int, virtio_pci_create(&other, pci_host_bus(host), &second.dev)));
	cr_assert(eq(u32, open_fds(), fds + 2));
	loop_drain(vm.loop);
	virtio_pci_destroy(other);
	cr_assert(eq(u32, open_fds(), fds));
	cr_assert(eq(u64, fake_read(&vm, cfg(1, 0), 4), 0xffffffff));
}

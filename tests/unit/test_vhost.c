// SPDX-License-Identifier: GPL-2.0-only
/* A device whose rings a back end works: the socket device over PCI, and a back end that only
 * listens. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "devices/virtio/pci.h"
#include "devices/virtio/vsock.h"
#include "tests/unit/fake_pci.h"
#include "tests/unit/fake_vhost.h"

#define COMMON   (MEM_CPU + 0x10000) /* behind MSI-X's BAR */
#define NOTIFY   (COMMON + 0x3000)
#define DOORBELL 0x8000040ULL
#define RAM      FAKE_RAM_BASE
#define START \
	"features mem num0 base0 addr0 err0 call0 kick0 num1 base1 addr1 err1 call1 kick1 run "
#define STOP "stop base?0 base?1 "

static struct vm vm;
static struct pci_host *host;
static struct virtio_pci *vp;
static struct virtio_dev *dev;

static void make(void)
{
	struct vsock_config c;

	fake_vhost_make(&vm);
	c = (struct vsock_config){ FAKE_VHOST_CONFIG(&vm), .cid = 3 };
	cr_assert(zero(int, pci_host_create(&host, &vm, &fake_pci)));
	cr_assert(zero(int, vsock_create(&dev, &c)));
	cr_assert(zero(int, virtio_pci_create(&vp, pci_host_bus(host), dev)));
	fake_place(host);
	fake_write(&vm, cfg(0, PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	cr_assert(eq(str, fake_vhost.calls, "owner features? "));
	fake_vhost.calls[0] = 0;
	fake_vhost.nr = 0;
}

static void unmake(void)
{
	fake_vm_stop(&vm);
	loop_drain(vm.loop);
	work_drain(vm.work);
	virtio_pci_destroy(vp);
	vsock_destroy(dev);
	pci_host_destroy(host);
	fake_vm_destroy(&vm);
}

TestSuite(vhost, .init = make, .fini = unmake, .timeout = 20);

/* A driver's first steps: everything but DRIVER_OK. */
static void prepare(void)
{
	dev->acked = BIT(VIRTIO_F_VERSION_1);
	fake_write(&vm, COMMON + VIRTIO_PCI_COMMON_STATUS, 1, 0xb);
	for (unsigned int i = 0; i < 3; i++) {
		dev->vq[i].size = 64;
		dev->vq[i].desc = RAM + i * 0x3000;
		dev->vq[i].avail = RAM + i * 0x3000 + 0x1000;
		dev->vq[i].used = RAM + i * 0x3000 + 0x2000;
		dev->vq[i].enabled = 1;
	}
}

static void driver_ok(void)
{
	fake_write(&vm, COMMON + VIRTIO_PCI_COMMON_STATUS, 1, 0xf);
}

static void reset(void)
{
	fake_write(&vm, COMMON + VIRTIO_PCI_COMMON_STATUS, 1, 0);
}

/* What was handed to the work thread is done. */
static void settle(void)
{
	work_drain(vm.work);
}

static void start(void)
{
	prepare();
	driver_ok();
	settle();
}

static void expect_calls(const char *calls)
{
	cr_assert(eq(str, fake_vhost.calls, (char *)calls));
	fake_vhost.calls[0] = 0;
}

Test(vhost, it_starts_at_driver_ok_with_the_rings_where_they_are)
{
	const struct vhost_queue *q = fake_vhost.queue;

	prepare();
	settle();
	expect_calls("");
	driver_ok();
	settle();
	expect_calls(START);
	cr_assert(fake_vhost.running);
	cr_assert(eq(u64, fake_vhost.features, BIT(VIRTIO_F_VERSION_1)));
	cr_assert(eq(ptr, (void *)fake_vhost.mem, &vm.mem));
	cr_assert(eq(u32, q[1].num, 64));
	cr_assert(eq(ptr, q[1].rings.desc, vm.mem.host + 0x3000));
	cr_assert(eq(ptr, q[1].rings.avail, vm.mem.host + 0x4000));
	cr_assert(eq(ptr, q[1].rings.used, vm.mem.host + 0x5000));
}

/* A back end that runs all queues is not to meet an earlier driver's rings, or none. */
Test(vhost, a_queue_that_is_not_enabled_has_rings_of_ours_and_no_kicks)
{
	const struct vhost_queue *q = &fake_vhost.queue[0];

	start();
	reset();
	settle();
	fake_vhost.calls[0] = 0;
	prepare();
	dev->vq[0].enabled = 0;
	driver_ok();
	settle();
	expect_calls(START);
	cr_assert(eq(u32, q->num, 1));
	cr_assert(eq(int, q->kick, -1));
	cr_assert(eq(int, q->call, -1));
	cr_assert(ne(ptr, q->rings.desc, vm.mem.host));
	cr_assert(zero(u16, ((u16 *)q->rings.avail)[1]));
	reset();
	settle();
	expect_calls("stop base?1 ");
	start();
	expect_calls(START);
	cr_assert(eq(ptr, q->rings.desc, vm.mem.host));
}

Test(vhost, features_that_nobody_here_knows_are_not_offered)
{
	cr_assert(zero(u64, dev->features & BIT(VIRTIO_F_ACCESS_PLATFORM)));
	cr_assert(zero(u64, dev->features & BIT(VIRTIO_F_RING_RESET)));
	cr_assert(ne(u64, dev->features & BIT(VIRTIO_RING_F_EVENT_IDX), 0));
}

Test(vhost, a_reset_is_complete_when_it_has_stopped)
{
	start();
	expect_calls(START);
	reset();
	cr_assert(eq(u64, fake_read(&vm, COMMON + VIRTIO_PCI_COMMON_STATUS, 1), 0xf));
	settle();
	cr_assert(zero(u64, fake_read(&vm, COMMON + VIRTIO_PCI_COMMON_STATUS, 1)));
	expect_calls(STOP);
	start();
	expect_calls(START);
}

Test(vhost, a_reset_of_what_does_not_run_is_complete_at_once)
{
	prepare();
	reset();
	cr_assert(zero(u64, fake_read(&vm, COMMON + VIRTIO_PCI_COMMON_STATUS, 1)));
	expect_calls("");
}

Test(vhost, a_reset_while_it_starts_stops_it)
{
	prepare();
	driver_ok();
	reset();
	settle();
	cr_assert(zero(u64, fake_read(&vm, COMMON + VIRTIO_PCI_COMMON_STATUS, 1)));
	expect_calls(START STOP);
}

Test(vhost, a_queue_that_is_stopped_stops_all)
{
	start();
	virtio_reset_queue(&dev->vq[1]);
	cr_assert(eq(u32, dev->vq[1].resetting, 1));
	settle();
	cr_assert(zero(u32, dev->vq[1].resetting));
	cr_assert(zero(u32, dev->vq[1].enabled));
	expect_calls(START STOP);
	virtio_reset_queue(&dev->vq[0]);
	cr_assert(zero(u32, dev->vq[0].resetting));
	reset();
	cr_assert(zero(u32, dev->status));
}

/* Rings that are no rings: the back end does not hear of them. */
struct rings {
	const char *name;
	u64 desc, avail, used;
	bool good;
};

ParameterizedTestParameters(vhost, broken_rings_need_a_reset)
{
	static struct rings cases[] = {
		{ "good", RAM, RAM + 0x1000, RAM + 0x2000, true },
		{ "good to the end", RAM + FAKE_RAM_SIZE - 64 * 16, RAM, RAM + 0x2000, true },
		{ "descriptors at 0", 0, RAM + 0x1000, RAM + 0x2000, false },
		{ "descriptors below RAM", RAM - 16, RAM + 0x1000, RAM + 0x2000, false },
		{ "descriptors past RAM", RAM + FAKE_RAM_SIZE - 64 * 16 + 16, RAM, RAM, false },
		{ "descriptors that wrap", ~0ULL - 15, RAM + 0x1000, RAM + 0x2000, false },
		{ "descriptors misaligned", RAM + 8, RAM + 0x1000, RAM + 0x2000, false },
		{ "avail at 0", RAM, 0, RAM + 0x2000, false },
		{ "avail past RAM", RAM, RAM + FAKE_RAM_SIZE - 132, RAM + 0x2000, false },
		{ "avail misaligned", RAM, RAM + 0x1001, RAM + 0x2000, false },
		{ "used at 0", RAM, RAM + 0x1000, 0, false },
		{ "used past RAM", RAM, RAM + 0x1000, RAM + FAKE_RAM_SIZE - 516, false },
		{ "used misaligned", RAM, RAM + 0x1000, RAM + 0x2002, false },
	};

	return cr_make_param_array(struct rings, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct rings *c, vhost, broken_rings_need_a_reset)
{
	prepare();
	dev->vq[1].desc = c->desc;
	dev->vq[1].avail = c->avail;
	dev->vq[1].used = c->used;
	driver_ok();
	settle();
	cr_assert(eq(u32, dev->status, c->good ? 0xf : 0xf | VIRTIO_CONFIG_S_NEEDS_RESET), "%s",
	          c->name);
	expect_calls(c->good ? START : "");
	reset();
	settle();
	cr_assert(zero(u32, dev->status));
	cr_assert(zero(u32, fake_vhost.failures));
	fake_vhost.calls[0] = 0;
	start();
	expect_calls(START);
}

ParameterizedTestParameters(vhost, each_call_may_fail)
{
	static unsigned int nth[18];

	for (unsigned int i = 0; i < ARRAY_SIZE(nth); i++)
		nth[i] = i + 1;
	return cr_make_param_array(unsigned int, nth, ARRAY_SIZE(nth));
}

/* Whatever fails, of 15 to start and 3 to stop: one word about it, a reset that ends, no second
 * start. */
ParameterizedTest(unsigned int *nth, vhost, each_call_may_fail)
{
	fake_vhost.fail_at = *nth;
	fake_vhost.fail_err = -ENOMEM;
	start();
	cr_assert(eq(u32, dev->status, *nth <= 15 ? 0xf | VIRTIO_CONFIG_S_NEEDS_RESET : 0xf));
	reset();
	settle();
	cr_assert(zero(u32, dev->status));
	cr_assert(eq(u32, fake_vhost.failures, 1));
	fake_vhost.calls[0] = 0;
	start();
	cr_assert(eq(u32, dev->status, 0xf | VIRTIO_CONFIG_S_NEEDS_RESET));
	expect_calls("");
}

static eventfd_t take(int fd)
{
	eventfd_t count = 0;

	cr_assert(zero(int, eventfd_read(fd, &count)));
	return count;
}

Test(vhost, a_kick_by_exit_reaches_it)
{
	start();
	loop_flush(vm.loop);
	cr_assert(eq(u64, take(fake_vhost.queue[1].kick), 1),
	          "one that may have come too early is repeated");
	fake_write(&vm, NOTIFY + 4, 2, 1);
	fake_write(&vm, NOTIFY + 4, 2, 1);
	fake_vm_run(&vm, 50);
	cr_assert(ge(u64, take(fake_vhost.queue[1].kick), 1));
}

/* The program at the other end holds the eventfd too. */
Test(vhost, a_kick_that_has_no_room_is_waited_for_by_nobody)
{
	int fd;

	start();
	fd = fake_vhost.queue[1].kick;
	loop_flush(vm.loop);
	take(fd);
	cr_assert(zero(int, eventfd_write(fd, 0xfffffffffffffffeULL)));
	fake_write(&vm, NOTIFY + 4, 2, 1);
	fake_write(&vm, NOTIFY + 4, 2, 1);
	fake_vm_run(&vm, 50);
	cr_assert(eq(u64, take(fd), 0xfffffffffffffffeULL));
	cr_assert(eq(u64, take(fd), 1), "it comes when there is");
	cr_assert(zero(int, eventfd_write(fd, 0xfffffffffffffffeULL)));
	fake_write(&vm, NOTIFY + 4, 2, 1);
}

Test(vhost, what_the_back_end_finds_broken_needs_a_reset)
{
	start();
	cr_assert(zero(int, eventfd_write(fake_vhost.errors[0], 1)));
	fake_vm_run(&vm, 50);
	cr_assert(eq(u32, dev->status, 0xf | VIRTIO_CONFIG_S_NEEDS_RESET));
	cr_assert(zero(u32, fake_vhost.failures));
	expect_calls(START);
	cr_assert(zero(int, eventfd_write(fake_vhost.errors[1], 1)), "one for the next driver");
	reset();
	settle();
	start();
	fake_vm_run(&vm, 50);
	cr_assert(eq(u32, dev->status, 0xf), "which is none of its");
	cr_assert(zero(int, eventfd_write(fake_vhost.errors[1], 1)));
	fake_vm_run(&vm, 50);
	cr_assert(eq(u32, dev->status, 0xf | VIRTIO_CONFIG_S_NEEDS_RESET));
}

static void set_master(bool on)
{
	fake_write(&vm, cfg(0, PCI_COMMAND), 2, PCI_COMMAND_MEMORY | (on ? PCI_COMMAND_MASTER : 0));
}

/* 7.5.1.1.3: it reaches no memory, and goes on where it was. */
Test(vhost, without_bus_master_enable_its_rings_rest)
{
	start();
	expect_calls(START);
	fake_vhost.bases[0] = 5;
	fake_vhost.bases[1] = 0xffff;
	set_master(false);
	settle();
	expect_calls(STOP);
	cr_assert(eq(u32, dev->status, 0xf));
	set_master(true);
	settle();
	expect_calls(START);
	cr_assert(eq(u16, fake_vhost.queue[0].base, 5));
	cr_assert(eq(u16, fake_vhost.queue[1].base, 0xffff));
	reset();
	settle();
	expect_calls(STOP);
	start();
	cr_assert(zero(u16, fake_vhost.queue[0].base), "another driver begins at the beginning");
}

Test(vhost, it_starts_when_it_may)
{
	set_master(false);
	start();
	expect_calls("");
	set_master(true);
	settle();
	expect_calls(START);
	set_master(false);
	settle();
	reset();
	settle();
	cr_assert(zero(u32, dev->status));
	expect_calls(STOP);
}

static void program_vector(unsigned int vector, bool masked)
{
	gpa_t table = MEM_CPU + fake_read(&vm, cfg(0, PCI_BASE_ADDRESS_2), 4) - MEM_BUS;
	gpa_t entry = table + vector * PCI_MSIX_ENTRY_SIZE;

	fake_write(&vm, entry + PCI_MSIX_ENTRY_LOWER_ADDR, 4, (u32)DOORBELL);
	fake_write(&vm, entry + PCI_MSIX_ENTRY_DATA, 4, 7);
	fake_write(&vm, entry + PCI_MSIX_ENTRY_VECTOR_CTRL, 4, masked);
}

static void enable_msix(void)
{
	unsigned int cap = fake_cap(&vm, 0, PCI_CAP_ID_MSIX, 0);

	fake_write(&vm, cfg(0, cap + PCI_MSIX_FLAGS), 2, PCI_MSIX_FLAGS_ENABLE);
}

static void set_vector(u16 queue, u16 vector)
{
	fake_write(&vm, COMMON + VIRTIO_PCI_COMMON_Q_SELECT, 2, queue);
	fake_write(&vm, COMMON + VIRTIO_PCI_COMMON_Q_MSIX, 2, vector);
}

Test(vhost, a_vector_with_a_message_is_raised_by_it_alone)
{
	irq_msis_to_its(vm.irq);
	enable_msix();
	program_vector(1, false);
	prepare();
	set_vector(0, 1);
	driver_ok();
	settle();
	cr_assert(eq(int, fake_vhost.queue[0].call, fake.irqfd.fd));
	cr_assert(eq(u32, fake.nr_irqfds, 1));
}

Test(vhost, a_vector_that_is_masked_is_raised_here_and_stays_pending)
{
	int direct;

	irq_msis_to_its(vm.irq);
	enable_msix();
	program_vector(1, false);
	prepare();
	set_vector(0, 1);
	driver_ok();
	settle();
	direct = fake_vhost.queue[0].call;
	expect_calls(START);
	program_vector(1, true);
	settle();
	expect_calls("call0 ");
	cr_assert(ne(int, fake_vhost.queue[0].call, direct));
	program_vector(1, false);
	settle();
	expect_calls("call0 ");
	cr_assert(eq(int, fake_vhost.queue[0].call, direct));
	set_vector(0, VIRTIO_MSI_NO_VECTOR);
	settle();
	expect_calls("call0 ");
	cr_assert(ne(int, fake_vhost.queue[0].call, direct));
}

static void stop_when_raised(unsigned int spi, bool level)
{
	(void)spi;
	if (level)
		loop_stop(vm.loop);
}

/* Without MSI-X: its call comes to the loop, and is a line's level. */
Test(vhost, a_call_that_comes_here_is_an_interrupt)
{
	fake.line_changed = stop_when_raised;
	start();
	cr_assert(zero(int, eventfd_write(fake_vhost.queue[1].call, 1)));
	cr_assert(zero(int, loop_run(vm.loop)));
	cr_assert(fake.lines[FIRST_INTX]);
	cr_assert(eq(u64, dev->vq[1].interrupts, 1));
}

/* What it had done when its rings came to rest. */
Test(vhost, a_call_without_bus_master_enable_is_pending)
{
	gpa_t table = MEM_CPU + fake_read(&vm, cfg(0, PCI_BASE_ADDRESS_2), 4) - MEM_BUS;

	irq_msis_to_its(vm.irq);
	enable_msix();
	program_vector(1, true);
	prepare();
	set_vector(1, 1);
	driver_ok();
	settle();
	set_master(false);
	program_vector(1, false);
	cr_assert(zero(int, eventfd_write(fake_vhost.queue[1].call, 1)));
	fake_vm_run(&vm, 50);
	cr_assert(eq(u64, fake_read(&vm, table + 0x8000, 8), 2));
	set_master(true);
	cr_assert(zero(u64, fake_read(&vm, table + 0x8000, 8)), "and is sent when it is back");
}

Test(vhost, what_still_runs_at_the_end_is_stopped)
{
	start();
	expect_calls(START);
	loop_drain(vm.loop);
	work_drain(vm.work);
	cr_assert(fake_vhost.running);
}

// SPDX-License-Identifier: GPL-2.0-only
/* The virtio-MMIO transport as a driver meets it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#define VIRTIO_MMIO_NO_LEGACY
#include <linux/virtio_mmio.h>
#include <pthread.h>
#include <unistd.h>

#include "devices/virtio/mmio.h"
#include "tests/unit/fake_kvm.h"
#include "tests/unit/fake_virtio.h"

#define BASE        0x3000000
#define SPI         33
#define QUEUE_RESET 0x0c0

static struct vm vm;
static struct virtio_mmio *mmio;
static struct fake_dev fake_device;
static struct virtio_dev *dev = &fake_device.dev;

static void make(void)
{
	fake_vm(&vm, 1);
	fake_dev_init(&fake_device, &vm.dma, BIT(5) | BIT(VIRTIO_F_RING_RESET));
	memcpy(fake_device.config, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	cr_assert(zero(int, virtio_mmio_create(&mmio, &vm, dev,
	                                       &(struct virtio_mmio_config){ BASE, SPI })));
}

static void unmake(void)
{
	loop_drain(vm.loop);
	virtio_mmio_destroy(mmio);
	fake_vm_destroy(&vm);
}

TestSuite(virtio_mmio, .init = make, .fini = unmake);

static u32 in(unsigned int reg)
{
	return fake_read(&vm, BASE + reg, 4);
}

static void out(unsigned int reg, u32 val)
{
	fake_write(&vm, BASE + reg, 4, val);
}

static void go_live(void)
{
	out(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	out(VIRTIO_MMIO_DRIVER_FEATURES, 1 | 1 << (VIRTIO_F_RING_RESET - 32));
	out(VIRTIO_MMIO_STATUS, 0xf);
	for (u32 i = 0; i < 2; i++) {
		out(VIRTIO_MMIO_QUEUE_SEL, i);
		out(VIRTIO_MMIO_QUEUE_READY, 1);
	}
	cr_assert(eq(u32, in(VIRTIO_MMIO_STATUS), 0xf));
}

struct reset_case {
	unsigned int reg;
	u32 val;
};

ParameterizedTestParameters(virtio_mmio, a_register_starts_at_its_reset_value)
{
	static struct reset_case cases[] = {
		{ VIRTIO_MMIO_MAGIC_VALUE, 0x74726976 },
		{ VIRTIO_MMIO_VERSION, 2 },
		{ VIRTIO_MMIO_DEVICE_ID, 42 },
		{ VIRTIO_MMIO_DEVICE_FEATURES, 1 << 5 },
		{ VIRTIO_MMIO_QUEUE_NUM_MAX, FAKE_QUEUE_SIZE },
		{ VIRTIO_MMIO_QUEUE_READY, 0 },
		{ VIRTIO_MMIO_QUEUE_DESC_HIGH, 0 },
		{ VIRTIO_MMIO_INTERRUPT_STATUS, 0 },
		{ VIRTIO_MMIO_STATUS, 0 },
		{ VIRTIO_MMIO_SHM_LEN_LOW, ~0u },
		{ VIRTIO_MMIO_SHM_LEN_HIGH, ~0u },
		{ VIRTIO_MMIO_SHM_BASE_LOW, ~0u },
		{ VIRTIO_MMIO_SHM_BASE_HIGH, ~0u },
		{ QUEUE_RESET, 0 },
		{ VIRTIO_MMIO_CONFIG_GENERATION, 0 },
	};

	return cr_make_param_array(struct reset_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct reset_case *c, virtio_mmio, a_register_starts_at_its_reset_value)
{
	cr_assert(eq(u32, in(c->reg), c->val), "register %#x", c->reg);
	/* a driver that had been there leaves no trace after a reset */
	go_live();
	out(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	out(VIRTIO_MMIO_QUEUE_DESC_HIGH, 1);
	dev->transport->interrupt(dev->transport, &dev->vq[0]);
	out(VIRTIO_MMIO_STATUS, 0);
	cr_assert(eq(u32, in(c->reg), c->val), "register %#x", c->reg);
	cr_assert(not(fake.lines[SPI]));
}

Test(virtio_mmio, features_are_offered_and_taken_in_halves)
{
	out(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	cr_assert(eq(u32, in(VIRTIO_MMIO_DEVICE_FEATURES), 1 | 1 << (VIRTIO_F_RING_RESET - 32)));
	out(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 2);
	cr_assert(zero(u32, in(VIRTIO_MMIO_DEVICE_FEATURES)));
	out(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	out(VIRTIO_MMIO_DRIVER_FEATURES, 1 << 5);
	out(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	out(VIRTIO_MMIO_DRIVER_FEATURES, 1);
	cr_assert(eq(u64, dev->acked, BIT(5) | BIT(32)));
	out(VIRTIO_MMIO_STATUS, 0xb);
	out(VIRTIO_MMIO_DRIVER_FEATURES, 0);
	cr_assert(eq(u64, dev->acked, BIT(5) | BIT(32)), "settled");
}

Test(virtio_mmio, each_queue_has_its_own_registers)
{
	out(VIRTIO_MMIO_QUEUE_SEL, 1);
	out(VIRTIO_MMIO_QUEUE_NUM, 4);
	out(VIRTIO_MMIO_QUEUE_DESC_LOW, 0x1000);
	out(VIRTIO_MMIO_QUEUE_DESC_HIGH, 2);
	out(VIRTIO_MMIO_QUEUE_AVAIL_LOW, 0x4000);
	out(VIRTIO_MMIO_QUEUE_USED_HIGH, 3);
	cr_assert(eq(u32, dev->vq[1].size, 4));
	cr_assert(eq(u64, dev->vq[1].desc, 0x200001000));
	cr_assert(eq(u64, dev->vq[1].avail, 0x4000));
	cr_assert(eq(u64, dev->vq[1].used, 0x300000000));
	out(VIRTIO_MMIO_QUEUE_NUM, 3);
	cr_assert(eq(u32, dev->vq[1].size, 4), "not a power of two");
	out(VIRTIO_MMIO_QUEUE_READY, 1);
	out(VIRTIO_MMIO_QUEUE_DESC_LOW, 0);
	cr_assert(eq(u64, dev->vq[1].desc, 0x200001000), "it is live");
	cr_assert(zero(u64, dev->vq[0].desc));
}

Test(virtio_mmio, a_queue_that_does_not_exist_is_nothing)
{
	static const unsigned int regs[] = { VIRTIO_MMIO_QUEUE_NUM_MAX, VIRTIO_MMIO_QUEUE_READY,
		                             VIRTIO_MMIO_QUEUE_DESC_LOW, QUEUE_RESET };

	out(VIRTIO_MMIO_QUEUE_SEL, 2);
	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++) {
		out(regs[i], 1);
		cr_assert(zero(u32, in(regs[i])), "register %#x", regs[i]);
	}
}

Test(virtio_mmio, an_interrupt_is_a_level_until_it_is_acknowledged)
{
	go_live();
	dev->transport->interrupt(dev->transport, &dev->vq[1]);
	dev->transport->interrupt(dev->transport, &dev->vq[0]);
	cr_assert(fake.lines[SPI]);
	cr_assert(eq(u32, fake.line_changes, 1));
	virtio_config_changed(dev);
	cr_assert(eq(u32, in(VIRTIO_MMIO_INTERRUPT_STATUS),
	             VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG));
	cr_assert(eq(u32, in(VIRTIO_MMIO_CONFIG_GENERATION), 1));
	out(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
	cr_assert(fake.lines[SPI], "the other event is still there");
	out(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_CONFIG);
	cr_assert(not(fake.lines[SPI]));
	cr_assert(zero(u32, in(VIRTIO_MMIO_INTERRUPT_STATUS)));
}

Test(virtio_mmio, a_broken_ring_is_told_as_a_change_of_configuration)
{
	go_live();
	virtio_needs_reset(dev);
	cr_assert(eq(u32, in(VIRTIO_MMIO_STATUS), 0x4f));
	cr_assert(eq(u32, in(VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_CONFIG));
}

Test(virtio_mmio, a_kick_by_exit_notifies_its_queue)
{
	go_live();
	out(VIRTIO_MMIO_QUEUE_NOTIFY, 1);
	cr_assert(eq(u32, fake_device.notified, 1));
	cr_assert(eq(u32, fake_device.last_queue, 1));
	out(VIRTIO_MMIO_QUEUE_NOTIFY, 2);
	out(VIRTIO_MMIO_QUEUE_NOTIFY, ~0u);
	cr_assert(eq(u32, fake_device.notified, 1));
}

Test(virtio_mmio, a_kick_without_exit_matches_the_queue)
{
	cr_assert(eq(u32, fake.nr_ioeventfds, 2));
	cr_assert(eq(u64, fake.ioeventfd.addr, BASE + VIRTIO_MMIO_QUEUE_NOTIFY));
	cr_assert(eq(u32, fake.ioeventfd.len, 4));
	cr_assert(eq(u64, fake.ioeventfd.datamatch, 1), "the last is queue 1's");
	cr_assert(eq(u32, fake.ioeventfd.flags, KVM_IOEVENTFD_FLAG_DATAMATCH));
}

Test(virtio_mmio, configuration_is_read_in_any_width_and_no_further)
{
	cr_assert(eq(u64, fake_read(&vm, BASE + 0x100, 8), 0x0807060504030201));
	cr_assert(eq(u64, fake_read(&vm, BASE + 0x107, 1), 8));
	cr_assert(zero(u64, fake_read(&vm, BASE + 0x108, 4)));
	cr_assert(zero(u64, fake_read(&vm, BASE + 0x1fc, 4)));
	out(0x100, 0);
	cr_assert(eq(u64, fake_read(&vm, BASE + 0x100, 1), 1));
}

struct stop_case {
	unsigned int reg;
	u32 val;
};

/* Either way the driver has its memory back when nothing of the queue is in flight. */
ParameterizedTestParameters(virtio_mmio, a_queue_stops_when_nothing_of_it_is_in_flight)
{
	static struct stop_case cases[] = { { QUEUE_RESET, 1 }, { VIRTIO_MMIO_QUEUE_READY, 0 } };

	return cr_make_param_array(struct stop_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct stop_case *c, virtio_mmio, a_queue_stops_when_nothing_of_it_is_in_flight)
{
	static struct virtq_chain chain;
	struct driver drv;

	go_live();
	driver_start(&drv, &vm.mem, &dev->vq[0], 4);
	driver_desc(&drv, 0, FAKE_RAM_BASE + RING_END, 16, 0, 0);
	driver_avail(&drv, 0);
	out(VIRTIO_MMIO_QUEUE_SEL, 0);
	cr_assert(virtq_pop(&dev->vq[0], &chain));
	out(c->reg, c->val);
	cr_assert(eq(u32, in(VIRTIO_MMIO_QUEUE_READY), 1));
	cr_assert(eq(u32, in(QUEUE_RESET), 1));
	out(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	cr_assert(zero(u32, fake_device.notified), "nothing more begins");
	virtq_push(&dev->vq[0], &chain, 0);
	virtq_interrupt(&dev->vq[0]);
	cr_assert(zero(u32, driver_used_idx(&drv)), "and nothing is told");
	cr_assert(not(fake.lines[SPI]));
	cr_assert(zero(u32, in(VIRTIO_MMIO_QUEUE_READY) | in(QUEUE_RESET)));
	cr_assert(zero(u64, dev->vq[0].desc));
	cr_assert(eq(u32, dev->vq[1].enabled, 1), "the other queue goes on");
	out(VIRTIO_MMIO_QUEUE_READY, 1);
	cr_assert(eq(u32, in(VIRTIO_MMIO_QUEUE_READY), 1), "it can be used again");
}

Test(virtio_mmio, nothing_is_left_when_it_goes)
{
	unsigned int before = open_fds();

	loop_drain(vm.loop);
	virtio_mmio_destroy(mmio);
	cr_assert(eq(u32, open_fds(), before - 2));
	cr_assert(zero(u32, fake.nr_ioeventfds));
	cr_assert(zero(int, virtio_mmio_create(&mmio, &vm, dev,
	                                       &(struct virtio_mmio_config){ BASE, SPI })));
}

static unsigned int cancelled;

static void note_cancelled(struct dma_space *s, struct dma_token *token)
{
	(void)s;
	cancelled += token == &dev->vq[0].token || token == &dev->vq[1].token;
}

Test(virtio_mmio, when_it_goes_no_queue_waits_for_its_iommu)
{
	static const struct dma_ops ops = { .cancel = note_cancelled };
	struct dma_space space = { .ops = &ops };

	loop_drain(vm.loop);
	dev->dma = &space;
	virtio_mmio_destroy(mmio);
	cr_assert(eq(u32, cancelled, 2));
	dev->dma = &vm.dma;
	cr_assert(zero(int, virtio_mmio_create(&mmio, &vm, dev,
	                                       &(struct virtio_mmio_config){ BASE, SPI })));
}

static void finished(struct loop_op *op, int res)
{
	(void)op, (void)res;
	virtio_finished(dev);
}

/* Linux's driver does not read status back: what it frees then is nobody's any more. */
Test(virtio_mmio, the_write_that_resets_lasts_as_long_as_the_reset, .timeout = 20)
{
	struct __kernel_timespec time = { .tv_nsec = 100 * 1000 * 1000 };
	struct loop_op in_flight = { .done = finished };

	go_live();
	dev->in_flight++;
	loop_timeout(vm.loop, &in_flight, &time);
	fake_vm_run(&vm, 0);
	out(VIRTIO_MMIO_STATUS, 0);
	cr_assert(zero(u32, dev->in_flight));
	cr_assert(zero(u32, in(VIRTIO_MMIO_STATUS)));
	go_live();
	fake_vm_stop(&vm);
}

Test(virtio_mmio, a_machine_that_ends_waits_for_no_reset, .timeout = 20)
{
	go_live();
	dev->in_flight++;
	vm.ending = true;
	pthread_mutex_lock(&vm.lock);
	out(VIRTIO_MMIO_STATUS, 0);
	pthread_mutex_unlock(&vm.lock);
	virtio_finished(dev);
}

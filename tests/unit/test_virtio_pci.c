// SPDX-License-Identifier: GPL-2.0-only
/* The virtio-PCI transport as a driver meets it: capabilities, common configuration, kicks,
 * interrupts. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include <sys/eventfd.h>

#include "devices/virtio/pci.h"
#include "tests/unit/fake_pci.h"
#include "tests/unit/fake_virtio.h"

static struct vm vm;
static struct pci_host *host;
static struct virtio_pci *vp;
static struct fake_dev fake_device;
static struct virtio_dev *dev = &fake_device.dev;
static gpa_t common, isr, config, notify;
static u32 lengths[6];

static u32 in_cfg(unsigned int reg, unsigned int size)
{
	return fake_read(&vm, cfg(0, reg), size);
}

/* Where the structure of a type is, by its capability (4.1.4). */
static gpa_t structure(u8 type)
{
	for (unsigned int nth = 0;; nth++) {
		unsigned int at = fake_cap(&vm, 0, PCI_CAP_ID_VNDR, nth);

		cr_assert(ne(u32, at, 0), "no capability of type %u", type);
		if (in_cfg(at + VIRTIO_PCI_CAP_CFG_TYPE, 1) != type)
			continue;
		lengths[type] = in_cfg(at + VIRTIO_PCI_CAP_LENGTH, 4);
		cr_assert(zero(u32, in_cfg(at + VIRTIO_PCI_CAP_BAR, 1)));
		return MEM_CPU - MEM_BUS + (in_cfg(PCI_BASE_ADDRESS_0, 4) & ~0xf) +
		       in_cfg(at + VIRTIO_PCI_CAP_OFFSET, 4);
	}
}

static void make(void)
{
	fake_vm(&vm, 1);
	cr_assert(zero(int, pci_host_create(&host, &vm, &fake_pci)));
	fake_dev_init(&fake_device, &vm.dma, BIT(5) | BIT(40));
	memcpy(fake_device.config, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	cr_assert(zero(int, virtio_pci_create(&vp, pci_host_bus(host), dev)));
	fake_place(host);
	fake_write(&vm, cfg(0, PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	common = structure(VIRTIO_PCI_CAP_COMMON_CFG);
	isr = structure(VIRTIO_PCI_CAP_ISR_CFG);
	config = structure(VIRTIO_PCI_CAP_DEVICE_CFG);
	notify = structure(VIRTIO_PCI_CAP_NOTIFY_CFG);
}

static void unmake(void)
{
	loop_drain(vm.loop);
	virtio_pci_destroy(vp);
	pci_host_destroy(host);
	fake_vm_destroy(&vm);
}

TestSuite(virtio_pci, .init = make, .fini = unmake);

static u64 in(unsigned int reg, unsigned int size)
{
	return fake_read(&vm, common + reg, size);
}

static void out(unsigned int reg, unsigned int size, u64 val)
{
	fake_write(&vm, common + reg, size, val);
}

static void select_queue(u16 nr)
{
	out(VIRTIO_PCI_COMMON_Q_SELECT, 2, nr);
}

static void go_live(void)
{
	out(VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	out(VIRTIO_PCI_COMMON_GF, 4, 1);
	out(VIRTIO_PCI_COMMON_STATUS, 1, 0xf);
	for (u16 i = 0; i < 2; i++) {
		select_queue(i);
		out(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	}
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_STATUS, 1), 0xf));
}

Test(virtio_pci, it_is_a_modern_device_of_its_type)
{
	cr_assert(eq(u32, in_cfg(PCI_VENDOR_ID, 2), 0x1af4));
	cr_assert(eq(u32, in_cfg(PCI_DEVICE_ID, 2), 0x1040 + 42));
	cr_assert(ge(u32, in_cfg(PCI_REVISION_ID, 1), 1));
	cr_assert(eq(u32, in_cfg(PCI_CLASS_REVISION, 4) >> 8, 0xff0000));
	cr_assert(ne(u32, fake_cap(&vm, 0, PCI_CAP_ID_EXP, 0), 0));
	cr_assert(ne(u32, fake_cap(&vm, 0, PCI_CAP_ID_MSIX, 0), 0));
}

Test(virtio_pci, its_structures_are_large_enough)
{
	cr_assert(ge(u32, lengths[VIRTIO_PCI_CAP_COMMON_CFG], 56));
	cr_assert(ge(u32, lengths[VIRTIO_PCI_CAP_ISR_CFG], 1));
	cr_assert(eq(u32, lengths[VIRTIO_PCI_CAP_DEVICE_CFG], 8));
	cr_assert(eq(u32, lengths[VIRTIO_PCI_CAP_NOTIFY_CFG], 2 * 4));
}

struct reset_case {
	unsigned int reg, size;
	u64 val;
};

ParameterizedTestParameters(virtio_pci, a_register_starts_at_its_reset_value)
{
	static struct reset_case cases[] = {
		{ VIRTIO_PCI_COMMON_DFSELECT, 4, 0 },
		{ VIRTIO_PCI_COMMON_DF, 4, 1 << 5 },
		{ VIRTIO_PCI_COMMON_GFSELECT, 4, 0 },
		{ VIRTIO_PCI_COMMON_GF, 4, 0 },
		{ VIRTIO_PCI_COMMON_MSIX, 2, VIRTIO_MSI_NO_VECTOR },
		{ VIRTIO_PCI_COMMON_NUMQ, 2, 2 },
		{ VIRTIO_PCI_COMMON_STATUS, 1, 0 },
		{ VIRTIO_PCI_COMMON_CFGGENERATION, 1, 0 },
		{ VIRTIO_PCI_COMMON_Q_SELECT, 2, 0 },
		{ VIRTIO_PCI_COMMON_Q_SIZE, 2, FAKE_QUEUE_SIZE },
		{ VIRTIO_PCI_COMMON_Q_MSIX, 2, VIRTIO_MSI_NO_VECTOR },
		{ VIRTIO_PCI_COMMON_Q_ENABLE, 2, 0 },
		{ VIRTIO_PCI_COMMON_Q_NOFF, 2, 0 },
		{ VIRTIO_PCI_COMMON_Q_DESCLO, 4, 0 },
		{ VIRTIO_PCI_COMMON_Q_USEDHI, 4, 0 },
	};

	return cr_make_param_array(struct reset_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct reset_case *c, virtio_pci, a_register_starts_at_its_reset_value)
{
	cr_assert(eq(u64, in(c->reg, c->size), c->val), "register %#x", c->reg);
	/* a driver that had been there leaves no trace after a reset */
	go_live();
	out(VIRTIO_PCI_COMMON_MSIX, 2, 1);
	out(VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
	out(VIRTIO_PCI_COMMON_Q_MSIX, 2, 1);
	out(VIRTIO_PCI_COMMON_STATUS, 1, 0);
	cr_assert(eq(u64, in(c->reg, c->size), c->val), "register %#x", c->reg);
}

Test(virtio_pci, features_are_offered_in_halves)
{
	out(VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_DF, 4), 1 << 8 | 1));
	out(VIRTIO_PCI_COMMON_DFSELECT, 4, 2);
	cr_assert(zero(u64, in(VIRTIO_PCI_COMMON_DF, 4)));
	out(VIRTIO_PCI_COMMON_DF, 4, 0xff);
	cr_assert(zero(u64, in(VIRTIO_PCI_COMMON_DF, 4)));
}

Test(virtio_pci, features_are_taken_in_halves_until_they_are_settled)
{
	out(VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	out(VIRTIO_PCI_COMMON_GF, 4, 1 << 5);
	out(VIRTIO_PCI_COMMON_GFSELECT, 4, 2);
	out(VIRTIO_PCI_COMMON_GF, 4, 0xffffffff);
	out(VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	out(VIRTIO_PCI_COMMON_GF, 4, 1);
	cr_assert(eq(u64, dev->acked, BIT(5) | BIT(32)));
	out(VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_GF, 4), 1 << 5));
	out(VIRTIO_PCI_COMMON_STATUS, 1, 0xb);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_STATUS, 1), 0xb));
	out(VIRTIO_PCI_COMMON_GF, 4, 0);
	cr_assert(eq(u64, dev->acked, BIT(5) | BIT(32)));
}

Test(virtio_pci, each_queue_has_its_own_registers)
{
	select_queue(1);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_Q_NOFF, 2), 1));
	out(VIRTIO_PCI_COMMON_Q_SIZE, 2, 4);
	out(VIRTIO_PCI_COMMON_Q_DESCLO, 4, 0x1000);
	out(VIRTIO_PCI_COMMON_Q_DESCHI, 4, 0x2);
	out(VIRTIO_PCI_COMMON_Q_AVAILLO, 8, 0x300004000);
	out(VIRTIO_PCI_COMMON_Q_USEDLO, 4, 0x5000);
	out(VIRTIO_PCI_COMMON_Q_MSIX, 2, 2);
	cr_assert(eq(u32, dev->vq[1].size, 4));
	cr_assert(eq(u64, dev->vq[1].desc, 0x200001000));
	cr_assert(eq(u64, dev->vq[1].avail, 0x300004000));
	cr_assert(eq(u64, dev->vq[1].used, 0x5000));
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_Q_MSIX, 2), 2));
	select_queue(0);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_Q_SIZE, 2), FAKE_QUEUE_SIZE));
	cr_assert(zero(u64, in(VIRTIO_PCI_COMMON_Q_DESCLO, 4)));
}

Test(virtio_pci, a_queue_that_does_not_exist_is_nothing)
{
	select_queue(2);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_Q_SELECT, 2), 2));
	for (unsigned int reg = VIRTIO_PCI_COMMON_Q_SIZE; reg < 56; reg += 2) {
		out(reg, 2, 1);
		cr_assert(zero(u64, in(reg, 2)), "register %#x", reg);
	}
}

ParameterizedTestParameters(virtio_pci, a_queue_size_that_is_not_possible_is_not_taken)
{
	static u32 sizes[] = { 0, 3, FAKE_QUEUE_SIZE + 1, FAKE_QUEUE_SIZE * 2, 0x8000 };

	return cr_make_param_array(u32, sizes, ARRAY_SIZE(sizes));
}

ParameterizedTest(u32 *size, virtio_pci, a_queue_size_that_is_not_possible_is_not_taken)
{
	out(VIRTIO_PCI_COMMON_Q_SIZE, 2, 8);
	out(VIRTIO_PCI_COMMON_Q_SIZE, 2, *size);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_Q_SIZE, 2), 8), "%u", *size);
}

Test(virtio_pci, an_enabled_queue_stays_as_it_is)
{
	out(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 2);
	cr_assert(zero(u64, in(VIRTIO_PCI_COMMON_Q_ENABLE, 2)));
	out(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	out(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 0);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1));
	out(VIRTIO_PCI_COMMON_Q_SIZE, 2, 4);
	out(VIRTIO_PCI_COMMON_Q_DESCLO, 4, 0x1000);
	out(VIRTIO_PCI_COMMON_Q_USEDHI, 4, 1);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_Q_SIZE, 2), FAKE_QUEUE_SIZE));
	cr_assert(zero(u64, dev->vq[0].desc | dev->vq[0].used));
}

Test(virtio_pci, a_vector_that_does_not_exist_reads_back_as_none)
{
	out(VIRTIO_PCI_COMMON_MSIX, 2, 2);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_MSIX, 2), 2));
	out(VIRTIO_PCI_COMMON_MSIX, 2, 3);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_MSIX, 2), VIRTIO_MSI_NO_VECTOR));
	out(VIRTIO_PCI_COMMON_Q_MSIX, 2, 3);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_Q_MSIX, 2), VIRTIO_MSI_NO_VECTOR));
}

Test(virtio_pci, the_devices_configuration_is_read_in_any_width)
{
	cr_assert(eq(u64, fake_read(&vm, config, 8), 0x0807060504030201));
	cr_assert(eq(u64, fake_read(&vm, config + 6, 2), 0x0807));
	cr_assert(eq(u64, fake_read(&vm, config + 7, 1), 8));
	cr_assert(zero(u64, fake_read(&vm, config + 8, 4)));
	fake_write(&vm, config, 4, 0);
	cr_assert(eq(u64, fake_read(&vm, config, 1), 1));
}

Test(virtio_pci, a_reset_in_flight_reads_as_0_when_it_has_ended)
{
	out(VIRTIO_PCI_COMMON_GF, 4, 1 << 5);
	go_live();
	dev->in_flight = 1;
	out(VIRTIO_PCI_COMMON_STATUS, 1, 0);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_STATUS, 1), 0xf));
	virtio_finished(dev);
	cr_assert(zero(u64, in(VIRTIO_PCI_COMMON_STATUS, 1)));
	cr_assert(zero(u64, in(VIRTIO_PCI_COMMON_GF, 4)));
}

Test(virtio_pci, a_queue_is_reset_where_that_was_negotiated)
{
	go_live();
	select_queue(0);
	out(VIRTIO_PCI_COMMON_Q_RESET, 2, 1);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1), "it was not");
	cr_assert(zero(u64, in(VIRTIO_PCI_COMMON_Q_RESET, 2)));
	dev->acked |= BIT(VIRTIO_F_RING_RESET);
	out(VIRTIO_PCI_COMMON_Q_RESET, 2, 2);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1));
	dev->vq[0].in_flight = 1;
	out(VIRTIO_PCI_COMMON_Q_RESET, 2, 1);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_Q_RESET, 2), 1), "it waits");
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1));
	out(VIRTIO_PCI_COMMON_Q_RESET, 2, 0);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_Q_RESET, 2), 1), "and is not taken back");
	dev->vq[0].in_flight = 0;
	dev->vq[0].resetting = 0;
	out(VIRTIO_PCI_COMMON_Q_RESET, 2, 1);
	cr_assert(zero(u64, in(VIRTIO_PCI_COMMON_Q_RESET, 2) | in(VIRTIO_PCI_COMMON_Q_ENABLE, 2)));
	select_queue(1);
	cr_assert(eq(u64, in(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1));
}

static u64 written_at, written;

static void note_config_write(struct virtio_dev *d, u64 offset, unsigned int size, u64 val)
{
	(void)d, (void)size;
	written_at = offset;
	written = val;
}

Test(virtio_pci, what_a_device_lets_a_driver_configure_reaches_it)
{
	struct virtio_type type = *dev->type;

	type.config_write = note_config_write;
	dev->type = &type;
	fake_write(&vm, config + 4, 2, 0x1234);
	cr_assert(eq(u64, written_at, 4));
	cr_assert(eq(u64, written, 0x1234));
	fake_write(&vm, config + 8, 4, 1);
	cr_assert(eq(u64, written_at, 4), "beyond the end");
}

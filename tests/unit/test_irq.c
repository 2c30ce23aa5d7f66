// SPDX-License-Identifier: GPL-2.0-only
/* Lines, MSIs and MSI routes, as KVM is told of them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/fake_kvm.h"
#include "tests/unit/leak.h"
#include "vmm/irq.h"

#define NR_SPIS 8

static struct log log_off;
static struct kvm kvm = { .ops = &fake_kvm_ops, .log = &log_off };
static struct irq_table *irqs;
static const struct irq_msg msg = { 0x120008040, 0x21, 0x18 };

static void make(void)
{
	cr_assert(zero(int, irq_create(&irqs, &kvm, NR_SPIS)));
	irq_msis_to_its(irqs);
}

static void unmake(void)
{
	irq_destroy(irqs);
	expect_no_leak();
}

TestSuite(irq, .init = make, .fini = unmake);

Test(irq, a_line_is_an_spi)
{
	irq_set_line(irqs, 3, true);
	cr_assert(eq(int, fake.lines[3], true));
	irq_set_line(irqs, 3, false);
	cr_assert(eq(int, fake.lines[3], false));
}

Test(irq, an_edge_is_up_and_down_again)
{
	irq_pulse(irqs, 3);
	cr_assert(eq(u32, fake.line_changes, 2));
	cr_assert(eq(int, fake.lines[3], false));
}

Test(irq, an_edge_that_kvm_has_an_eventfd_for_is_one_write)
{
	u64 count = 0;

	cr_assert(zero(int, irq_edge_open(irqs, 3)));
	cr_assert(eq(u32, fake.irqfd.gsi, 3));
	cr_assert(eq(u32, fake.irqfd.flags, 0));
	irq_pulse(irqs, 3);
	cr_assert(eq(int, read(fake.irqfd.fd, &count, sizeof(count)), 8));
	cr_assert(eq(u64, count, 1));
	irq_pulse(irqs, 4);
	cr_assert(eq(u32, fake.line_changes, 2), "another SPI has none");
}

Test(irq, an_edge_without_an_eventfd_is_of_the_line)
{
	fake.fail_at = fake.calls + 1;
	cr_assert(ne(int, irq_edge_open(irqs, 3), 0));
	irq_pulse(irqs, 3);
	cr_assert(eq(u32, fake.line_changes, 2));
}

Test(irq, an_msi_carries_its_device_id)
{
	cr_assert(zero(int, irq_msi_send(irqs, &msg)));
	cr_assert(eq(u32, fake.msi.address_lo, 0x20008040));
	cr_assert(eq(u32, fake.msi.address_hi, 1));
	cr_assert(eq(u32, fake.msi.data, 0x21));
	cr_assert(eq(u32, fake.msi.devid, 0x18));
	cr_assert(eq(u32, fake.msi.flags, KVM_MSI_VALID_DEVID));
}

Test(irq, an_msi_delivered_is_success_and_a_refused_one_is_not)
{
	fake.msi_ret = 1;
	cr_assert(zero(int, irq_msi_send(irqs, &msg)));
	fake.msi_ret = -EINVAL;
	cr_assert(eq(int, irq_msi_send(irqs, &msg), -EINVAL));
}

Test(irq, a_route_has_a_gsi_and_an_eventfd_that_kvm_knows)
{
	struct irq_route r = { 0 };
	const struct kvm_irq_routing_msi *m;
	u64 count = 0;

	cr_assert(zero(int, irq_route_set(irqs, &r, &msg)));
	m = fake_route(r.gsi);
	cr_assert(ne(ptr, (void *)m, NULL));
	cr_assert(eq(u32, m->address_lo, 0x20008040));
	cr_assert(eq(u32, m->address_hi, 1));
	cr_assert(eq(u32, m->data, 0x21));
	cr_assert(eq(u32, m->devid, 0x18));
	cr_assert(eq(u32, fake.irqfd.gsi, r.gsi));
	cr_assert(eq(u32, fake.irqfd.fd, r.fd));
	irq_route_fire(&r);
	cr_assert(eq(int, read(r.fd, &count, sizeof(count)), 8));
	cr_assert(eq(u64, count, 1));
	irq_route_clear(irqs, &r);
}

Test(irq, the_spis_stay_routed)
{
	struct irq_route r = { 0 };

	irq_route_set(irqs, &r, &msg);
	cr_assert(eq(u32, fake.nr_routes, NR_SPIS + 1));
	for (u32 i = 0; i < NR_SPIS; i++) {
		cr_assert(eq(u32, fake.routes[i].gsi, i));
		cr_assert(eq(u32, fake.routes[i].type, KVM_IRQ_ROUTING_IRQCHIP));
		cr_assert(eq(u32, fake.routes[i].u.irqchip.pin, i));
	}
	irq_route_clear(irqs, &r);
}

Test(irq, the_same_message_again_is_not_told_again)
{
	struct irq_route r = { 0 };
	struct irq_msg other = { msg.addr, 0x22, msg.devid };
	int gsi;

	irq_route_set(irqs, &r, &msg);
	gsi = r.gsi;
	cr_assert(zero(int, irq_route_set(irqs, &r, &msg)));
	cr_assert(eq(u32, fake.route_updates, 1));
	cr_assert(zero(int, irq_route_set(irqs, &r, &other)));
	cr_assert(eq(u32, fake.route_updates, 2));
	cr_assert(eq(u32, fake_route(gsi)->data, 0x22));
	cr_assert(eq(int, r.gsi, gsi));
	irq_route_clear(irqs, &r);
}

Test(irq, a_message_that_kvm_did_not_take_is_told_again)
{
	struct irq_route r = { 0 };
	struct irq_msg other = { msg.addr, 0x22, msg.devid };

	irq_route_set(irqs, &r, &msg);
	fake.fail_at = fake.calls + 1;
	cr_assert(eq(int, irq_route_set(irqs, &r, &other), -EIO));
	fake.fail_at = 0;
	cr_assert(zero(int, irq_route_set(irqs, &r, &other)));
	cr_assert(eq(u32, fake_route(r.gsi)->data, 0x22));
	irq_route_clear(irqs, &r);
}

Test(irq, a_cleared_route_gives_its_gsi_to_the_next)
{
	unsigned int fds = open_fds();
	struct irq_route a = { 0 }, b = { 0 }, c = { 0 };
	int gsi;

	irq_route_set(irqs, &a, &msg);
	irq_route_set(irqs, &b, &msg);
	cr_assert(ne(int, a.gsi, b.gsi));
	gsi = a.gsi;
	irq_route_clear(irqs, &a);
	irq_route_clear(irqs, &a); /* is none any more */
	cr_assert(zero(int, a.gsi));
	cr_assert(eq(u32, fake.irqfd.flags, KVM_IRQFD_FLAG_DEASSIGN));
	irq_route_set(irqs, &c, &msg);
	cr_assert(eq(int, c.gsi, gsi));
	irq_route_clear(irqs, &b);
	irq_route_clear(irqs, &c);
	cr_assert(zero(u32, fake.nr_irqfds));
	cr_assert(eq(u32, open_fds(), fds));
}

Test(irq, a_route_that_fails_leaves_nothing)
{
	unsigned int fds = open_fds();
	struct irq_route r = { 0 };

	for (unsigned int nth = 1; nth <= 2; nth++) {
		fake.calls = 0;
		fake.fail_at = nth;
		cr_assert(eq(int, irq_route_set(irqs, &r, &msg), -EIO));
		cr_assert(zero(int, r.gsi));
		cr_assert(eq(u32, open_fds(), fds));
	}
	fake.fail_at = 0;
	cr_assert(zero(int, irq_route_set(irqs, &r, &msg)));
	cr_assert(eq(u32, fake.nr_routes, NR_SPIS + 1));
	irq_route_clear(irqs, &r);
}

#define NR_TOGETHER 4
static struct irq_route some[NR_TOGETHER];
static struct irq_route *const together[] = { &some[0], &some[1], &some[2], &some[3] };

static int set_together(u32 data)
{
	struct irq_msg msgs[NR_TOGETHER];

	for (unsigned int i = 0; i < NR_TOGETHER; i++)
		msgs[i] = (struct irq_msg){ msg.addr, data + i, msg.devid };
	return irq_routes_set(irqs, together, msgs, NR_TOGETHER);
}

static void clear_together(void)
{
	for (unsigned int i = 0; i < NR_TOGETHER; i++)
		irq_route_clear(irqs, &some[i]);
}

static void expect_together(u32 data)
{
	for (unsigned int i = 0; i < NR_TOGETHER; i++)
		cr_assert(eq(u32, fake_route(some[i].gsi)->data, data + i));
}

Test(irq, routes_that_are_set_together_are_one_table)
{
	cr_assert(zero(int, irq_route_set(irqs, &some[1], &msg)));
	cr_assert(zero(int, set_together(0x40)));
	cr_assert(eq(u32, fake.route_updates, 2));
	cr_assert(eq(u32, fake.nr_irqfds, NR_TOGETHER));
	expect_together(0x40);
	cr_assert(zero(int, set_together(0x40)));
	cr_assert(eq(u32, fake.route_updates, 2), "nothing has changed");
	clear_together();
}

/* The table, or one of the eventfds of the two that are new. */
Test(irq, routes_that_fail_together_are_as_they_were)
{
	const struct irq_msg before[] = { { msg.addr, 0x10, 1 }, { msg.addr, 0x11, 1 } };
	unsigned int fds;

	cr_assert(zero(int, irq_routes_set(irqs, together, before, 2)));
	fds = open_fds();
	for (unsigned int nth = 1; nth <= 3; nth++) {
		fake.calls = 0;
		fake.fail_at = nth;
		cr_assert(eq(int, set_together(0x40), -EIO));
		cr_assert(eq(u32, open_fds(), fds));
		cr_assert(eq(u32, fake_route(some[0].gsi)->data, 0x10));
		cr_assert(eq(u32, fake_route(some[1].gsi)->data, 0x11));
		cr_assert(zero(int, some[2].gsi | some[3].gsi));
	}
	fake.fail_at = 0;
	cr_assert(zero(int, set_together(0x40)));
	expect_together(0x40);
	clear_together();
}

Test(irq, kvm_forgets_what_was_cleared_once_it_is_told)
{
	cr_assert(zero(int, set_together(0x40)));
	clear_together();
	irq_forget_cleared(irqs);
	cr_assert(eq(u32, fake.nr_routes, NR_SPIS));
}

/* An MSI frame: SPIs 4 to 6 by their INTIDs. */
static const struct irq_frame frame = { .doorbell = 0x8000040, .first_spi = 4, .nr_spis = 3 };

Test(irq, without_a_doorbell_messages_go_nowhere)
{
	struct irq_route r = { 0 };
	struct irq_table *none;

	cr_assert(zero(int, irq_create(&none, &kvm, NR_SPIS)));
	cr_assert(eq(int, irq_msi_send(none, &msg), -ENODEV));
	cr_assert(eq(int, irq_route_set(none, &r, &msg), -ENODEV));
	cr_assert(zero(u32, fake.nr_msis | fake.route_updates | fake.nr_irqfds));
	cr_assert(zero(int, r.gsi));
	irq_destroy(none);
}

static unsigned int ups, downs;

static void count_edges(unsigned int spi, bool level)
{
	cr_assert(eq(u32, spi, 6));
	cr_assert(level ? ups == downs : ups == downs + 1);
	*(level ? &ups : &downs) += 1;
}

Test(irq, a_frame_makes_a_pulse_of_a_message)
{
	const struct irq_msg last = { frame.doorbell, 32 + 6, 0x18 };

	fake.line_changed = count_edges;
	irq_msis_to_frame(irqs, &frame);
	cr_assert(zero(int, irq_msi_send(irqs, &last)));
	cr_assert(zero(int, irq_msi_send(irqs, &last)));
	cr_assert(eq(u32, ups, 2));
	cr_assert(eq(u32, downs, 2));
	cr_assert(zero(u32, fake.nr_msis));
}

struct frame_case {
	gpa_t addr;
	u32 data;
	int spi; /* or -errno */
};

ParameterizedTestParameters(irq, a_frame_takes_its_own_interrupts_at_its_doorbell)
{
	static struct frame_case cases[] = {
		{ 0x8000040, 36, 4 },         { 0x8000040, 38, 6 },
		{ 0x8000040, 0xfc24, 4 }, /* bits 31:10 are reserved */
		{ 0x8000040, 35, -EINVAL },   { 0x8000040, 39, -EINVAL },
		{ 0x8000040, 4, -EINVAL },    { 0x8000040, 0, -EINVAL },
		{ 0x8000044, 36, -EINVAL },   { 0x8000000, 36, -EINVAL },
		{ 0x108000040, 36, -EINVAL },
	};

	return cr_make_param_array(struct frame_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct frame_case *c, irq, a_frame_takes_its_own_interrupts_at_its_doorbell)
{
	const struct irq_msg m = { c->addr, c->data, 0 };
	struct irq_route r = { 0 };

	irq_msis_to_frame(irqs, &frame);
	cr_assert(eq(int, irq_msi_send(irqs, &m), c->spi < 0 ? c->spi : 0));
	cr_assert(eq(u32, fake.line_changes, c->spi < 0 ? 0 : 2));
	cr_assert(eq(int, irq_route_set(irqs, &r, &m), c->spi < 0 ? c->spi : 0));
	if (c->spi >= 0) {
		cr_assert(eq(u32, fake.routes[NR_SPIS].gsi, r.gsi));
		cr_assert(eq(u32, fake.routes[NR_SPIS].type, KVM_IRQ_ROUTING_IRQCHIP));
		cr_assert(eq(u32, fake.routes[NR_SPIS].u.irqchip.pin, c->spi));
		cr_assert(zero(u32, fake.irqfd.flags), "an edge");
	}
	irq_route_clear(irqs, &r);
}

Test(irq, a_route_keeps_its_message_where_the_frame_refuses_the_next)
{
	const struct irq_msg good = { frame.doorbell, 36, 0 }, bad = { frame.doorbell, 1, 0 };
	struct irq_route r = { 0 };

	irq_msis_to_frame(irqs, &frame);
	cr_assert(zero(int, irq_route_set(irqs, &r, &good)));
	cr_assert(eq(int, irq_route_set(irqs, &r, &bad), -EINVAL));
	cr_assert(eq(u32, fake.route_updates, 1));
	cr_assert(eq(u32, fake.routes[NR_SPIS].u.irqchip.pin, 4));
	irq_route_clear(irqs, &r);
}

Test(irq, a_level_is_an_irqfd_on_the_spi_with_a_resample)
{
	unsigned int fds = open_fds();
	struct irq_level l;

	cr_assert(zero(int, irq_level_open(irqs, &l, 5)));
	cr_assert(eq(u32, fake.irqfd.gsi, 5));
	cr_assert(eq(u32, fake.irqfd.fd, l.raise));
	cr_assert(eq(u32, fake.irqfd.resamplefd, l.resample));
	cr_assert(eq(u32, fake.irqfd.flags, KVM_IRQFD_FLAG_RESAMPLE));
	irq_level_close(irqs, &l);
	cr_assert(eq(u32, fake.irqfd.flags, KVM_IRQFD_FLAG_DEASSIGN));
	cr_assert(not(fake.lines[5]), "what it raised falls");
	cr_assert(eq(u32, open_fds(), fds));
}

Test(irq, a_level_that_fails_leaves_nothing)
{
	unsigned int fds = open_fds();
	struct irq_level l;

	fake.fail_at = fake.calls + 1;
	cr_assert(eq(int, irq_level_open(irqs, &l, 5), -EIO));
	cr_assert(eq(u32, open_fds(), fds));
	irq_set_line(irqs, 5, false); /* and nobody is asked to look */
}

Test(irq, a_line_that_is_high_is_high_again_after_a_resample)
{
	struct irq_level l;

	irq_level_open(irqs, &l, 5);
	irq_set_line(irqs, 5, true);
	fake.lines[5] = false; /* KVM, at the end of the interrupt */
	irq_level_resampled(irqs, &l);
	cr_assert(fake.lines[5]);
	irq_set_line(irqs, 5, false);
	fake.line_changes = 0;
	irq_level_resampled(irqs, &l);
	cr_assert(zero(u32, fake.line_changes), "another may have raised it since");
	irq_level_close(irqs, &l);
}

static u64 asked(const struct irq_level *l)
{
	struct pollfd p = { .fd = l->resample, .events = POLLIN };
	eventfd_t n = 0;

	if (poll(&p, 1, 0))
		eventfd_read(l->resample, &n);
	return n;
}

Test(irq, who_shares_a_line_that_falls_looks_again)
{
	struct irq_level a, b, other;

	irq_level_open(irqs, &a, 5);
	irq_level_open(irqs, &b, 5);
	irq_level_open(irqs, &other, 6);
	irq_set_line(irqs, 5, true);
	cr_assert(zero(u64, asked(&a)));
	irq_set_line(irqs, 5, false);
	cr_assert(eq(u64, asked(&a), 1));
	cr_assert(eq(u64, asked(&b), 1));
	cr_assert(zero(u64, asked(&other)));
	irq_level_close(irqs, &a);
	cr_assert(eq(u64, asked(&b), 1));
	irq_level_close(irqs, &other);
	irq_level_close(irqs, &b);
}

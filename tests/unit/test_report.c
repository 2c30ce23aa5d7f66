// SPDX-License-Identifier: GPL-2.0-only
/* A guest in figures and registers: each figure where it belongs. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control/commands.h"
#include "control/hex.h"
#include "tests/unit/fake_kvm.h"
#include "tests/unit/schema.h"
#include "vmm/vcpu.h"

static struct vm vm;
static json_t *got;

static json_t *devices(void *machine)
{
	cr_assert(eq(ptr, machine, &vm));
	return json_array();
}

static bool asked_for_state;

static json_t *held_devices(void *machine)
{
	asked_for_state = true;
	return devices(machine);
}

static const struct control_ops ops = { .stat = devices, .debug = held_devices };
static struct control control = { .name = "unit", .vm = &vm, .ops = &ops, .machine = &vm };

static void make(void)
{
	fake_vm(&vm, 2);
}

static void unmake(void)
{
	json_decref(got);
	fake_vm_destroy(&vm);
}

TestSuite(report, .init = make, .fini = unmake, .timeout = 20);

static json_int_t number(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	cr_assert(ne(ptr, value, NULL), "%s", key);
	return json_integer_value(value);
}

static char *text(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	cr_assert(ne(ptr, value, NULL), "%s", key);
	return (char *)json_string_value(value);
}

static json_t *item(const char *list, size_t at)
{
	return json_array_get(json_object_get(got, list), at);
}

struct hex_case {
	u64 val;
	char text[24];
};

ParameterizedTestParameters(report, hex_holds_64_bits)
{
	static struct hex_case cases[] = {
		{ 0, "0x0" },
		{ 0x1f, "0x1f" },
		{ 1ULL << 63, "0x8000000000000000" },
		{ ~0ULL, "0xffffffffffffffff" },
	};

	return cr_make_param_array(struct hex_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct hex_case *c, report, hex_holds_64_bits)
{
	got = json_hex(c->val);
	cr_assert(eq(str, (char *)json_string_value(got), c->text));
}

Test(report, it_is_of_this_guest_and_as_documented)
{
	json_t *schema = schema_load("stat");
	char why[256] = "";

	got = report_stat(&control);
	cr_assert(schema_check(schema, got, why, sizeof(why)), "%s", why);
	json_decref(schema);
	cr_assert(eq(str, text(got, "name"), "unit"));
	cr_assert(eq(i64, number(got, "pid"), getpid()));
	cr_assert(eq(i64, number(json_object_get(got, "memory"), "size"), FAKE_RAM_SIZE));
	cr_assert(eq(sz, json_array_size(json_object_get(got, "vcpus")), 2));
}

Test(report, each_exit_is_counted_under_its_name)
{
	json_t *exits;

	vm.vcpus[1].tid = 77;
	vm.vcpus[1].exits[VCPU_MMIO] = 1;
	vm.vcpus[1].exits[VCPU_SYSTEM_EVENT] = 2;
	vm.vcpus[1].exits[VCPU_OTHER] = 3;
	vm.vcpus[1].exits[VCPU_INTERRUPTED] = 1LL << 40;
	got = report_stat(&control);
	cr_assert(eq(i64, number(item("vcpus", 1), "index"), 1));
	cr_assert(eq(i64, number(item("vcpus", 1), "thread-id"), 77));
	exits = json_object_get(item("vcpus", 1), "exits");
	cr_assert(eq(i64, number(exits, "mmio"), 1));
	cr_assert(eq(i64, number(exits, "system-event"), 2));
	cr_assert(eq(i64, number(exits, "other"), 3));
	cr_assert(eq(i64, number(exits, "interrupted"), 1LL << 40));
	exits = json_object_get(item("vcpus", 0), "exits");
	cr_assert(zero(i64, number(exits, "mmio") + number(exits, "interrupted")));
}

static u64 read_nothing(void *dev, u64 offset, unsigned int size)
{
	(void)dev, (void)offset, (void)size;
	return 0;
}

static void write_nothing(void *dev, u64 offset, unsigned int size, u64 val)
{
	(void)dev, (void)offset, (void)size, (void)val;
}

Test(report, each_region_has_its_reads_and_writes_in_order_of_address)
{
	static const struct mmio_ops high = { "high", read_nothing, write_nothing };
	static const struct mmio_ops low = { "low", read_nothing, write_nothing };

	cr_assert(zero(int, mmio_add(&vm.mmio, &(struct mmio_region){ .base = 0xfff0000000,
	                                                              .size = 16,
	                                                              .ops = &high })));
	cr_assert(zero(int, mmio_add(&vm.mmio, &(struct mmio_region){
						       .base = 0x1000, .size = 8, .ops = &low })));
	fake_read(&vm, 0x1000, 4);
	fake_read(&vm, 0x1004, 1);
	fake_write(&vm, 0x1000, 8, 1);
	got = report_stat(&control);
	cr_assert(eq(str, text(item("mmio", 0), "name"), "low"));
	cr_assert(eq(str, text(item("mmio", 0), "base"), "0x1000"));
	cr_assert(eq(str, text(item("mmio", 0), "size"), "0x8"));
	cr_assert(eq(i64, number(item("mmio", 0), "reads"), 2));
	cr_assert(eq(i64, number(item("mmio", 0), "writes"), 1));
	cr_assert(eq(str, text(item("mmio", 1), "base"), "0xfff0000000"));
	cr_assert(zero(i64, number(item("mmio", 1), "reads")));
}

Test(report, interrupts_are_counted_by_the_way_they_took)
{
	json_t *irqs;

	irq_set_line(vm.irq, 3, true);
	irq_set_line(vm.irq, 3, false);
	got = report_stat(&control);
	irqs = json_object_get(got, "irqs");
	cr_assert(eq(i64, number(irqs, "lines"), 2));
	cr_assert(
		zero(i64, number(irqs, "msis") + number(irqs, "routed") + number(irqs, "routes")));
}

Test(report, registers_are_as_kvm_has_them_and_documented)
{
	json_t *schema = schema_load("debug"), *registers;
	char why[256] = "";

	fake.reg_val = 0xfedcba9876543210;
	got = report_debug(&control);
	cr_assert(schema_check(schema, got, why, sizeof(why)), "%s", why);
	json_decref(schema);
	cr_assert(eq(str, text(item("vcpus", 1), "power"), "stopped"));
	registers = json_object_get(item("vcpus", 1), "registers");
	cr_assert(eq(str, text(registers, "x30"), "0xfedcba9876543210"));
	cr_assert(eq(str, text(registers, "sctlr_el1"), "0xfedcba9876543210"));
	cr_assert(asked_for_state);
}

Test(report, registers_that_kvm_does_not_have_are_left_out)
{
	fake.regs_fail = true;
	got = report_debug(&control);
	cr_assert(zero(sz, json_object_size(json_object_get(item("vcpus", 0), "registers"))));
}

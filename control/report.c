// SPDX-License-Identifier: GPL-2.0-only
/* A running guest in figures (docs/json/stat.json), in registers (docs/json/debug.json), and what
 * its IOMMUs make of an address (docs/json/walk.json). */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "control/commands.h"
#include "control/hex.h"
#include "vmm/arch.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

json_t *json_hex(u64 val)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)val);
	return json_string(text);
}

static json_t *vcpu_stat(struct vcpu *vcpu)
{
	static const char *const names[NR_VCPU_COUNTERS] = {
		[VCPU_MMIO] = "mmio",
		[VCPU_SYSTEM_EVENT] = "system-event",
		[VCPU_OTHER] = "other",
		[VCPU_INTERRUPTED] = "interrupted",
	};
	json_t *exits = json_object();

	for (size_t i = 0; i < NR_VCPU_COUNTERS; i++)
		json_object_set_new(
			exits, names[i],
			json_integer(__atomic_load_n(&vcpu->exits[i], __ATOMIC_RELAXED)));
	return json_pack("{s:i, s:i, s:o}", "index", (int)vcpu->id, "thread-id",
	                 __atomic_load_n(&vcpu->tid, __ATOMIC_RELAXED), "exits", exits);
}

static json_t *vcpus_stat(struct vm *vm)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		json_array_append_new(list, vcpu_stat(&vm->vcpus[i]));
	return list;
}

static json_t *memory_stat(const struct guest_mem *mem)
{
	return json_pack("{s:I, s:I}", "size", (json_int_t)mem->size, "resident",
	                 (json_int_t)mem_resident(mem));
}

static json_t *mmio_stat(const struct mmio_bus *bus)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < bus->nr; i++) {
		const struct mmio_region *r = &bus->regions[i];

		json_array_append_new(
			list, json_pack("{s:s, s:o, s:o, s:I, s:I}", "name", r->ops->name, "base",
		                        json_hex(r->base), "size", json_hex(r->size), "reads",
		                        (json_int_t)r->reads, "writes", (json_int_t)r->writes));
	}
	return list;
}

static json_t *irq_stat(const struct vm *vm)
{
	struct irq_counts n;

	irq_count(vm->irq, &n);
	return json_pack("{s:I, s:I, s:I, s:i}", "lines", (json_int_t)n.lines, "msis",
	                 (json_int_t)n.msis, "routed", (json_int_t)n.routes, "routes",
	                 (int)n.nr_routes);
}

json_t *report_stat(struct control *c)
{
	struct vm *vm = c->vm;

	return json_pack("{s:i, s:s, s:i, s:o, s:o, s:o, s:o, s:{s:I}, s:o}", "schema", 1, "name",
	                 c->name, "pid", (int)getpid(), "vcpus", vcpus_stat(vm), "memory",
	                 memory_stat(&vm->mem), "mmio", mmio_stat(&vm->mmio), "irqs", irq_stat(vm),
	                 "loop", "completed", (json_int_t)loop_completed(vm->loop), "devices",
	                 c->ops->stat(c->machine));
}

struct visitor {
	struct reg_visitor visitor;
	json_t *into;
};

static void add_reg(struct reg_visitor *v, const char *name, u64 val)
{
	json_object_set_new(container_of(v, struct visitor, visitor)->into, name, json_hex(val));
}

static json_t *vcpu_debug(struct vcpu *vcpu)
{
	struct visitor core = { { add_reg }, json_object() };
	struct visitor gic = { { add_reg }, json_object() };

	arch_vcpu_registers(vcpu, &core.visitor);
	arch_vcpu_irqchip_registers(vcpu, &gic.visitor);
	return json_pack("{s:i, s:s, s:o, s:o}", "index", (int)vcpu->id, "power",
	                 arch_vcpu_power(vcpu), "registers", core.into, "interrupts", gic.into);
}

json_t *report_debug(struct control *c)
{
	struct visitor gic = { { add_reg }, json_object() };
	json_t *vcpus = json_array();

	for (unsigned int i = 0; i < c->vm->nr_vcpus; i++)
		json_array_append_new(vcpus, vcpu_debug(&c->vm->vcpus[i]));
	arch_irqchip_registers(c->vm, &gic.visitor);
	return json_pack("{s:i, s:s, s:o, s:o, s:o}", "schema", 1, "name", c->name, "vcpus", vcpus,
	                 "interrupt-controller", gic.into, "devices", c->ops->debug(c->machine));
}

json_t *report_walk(struct control *c, const struct control_walk *w, json_t *steps)
{
	json_t *report = json_pack("{s:i, s:s, s:s, s:I}", "schema", 1, "name", c->name, "iommu",
	                           w->iommu, "sid", (json_int_t)w->sid);

	if (w->ssid != CONTROL_NO_SSID)
		json_object_set_new(report, "ssid", json_integer(w->ssid));
	json_object_set_new(report, "iova", json_hex(w->iova));
	json_object_set_new(report, "steps", steps);
	return report;
}

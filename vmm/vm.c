// SPDX-License-Identifier: GPL-2.0-only
/* A VM made and unmade: KVM, memory, loop and threads, vCPUs, interrupt controller, in that order.
 */
#include "vmm/vm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <unistd.h>

#include "vmm/arch.h"
#include "vmm/pause.h"
#include "vmm/vcpu.h"

static int open_kvm(struct vm *vm)
{
	int fd = vm->kvm.ops->open(&vm->kvm);

	if (fd < 0)
		return fd;
	vm->kvm.sys = fd;
	return 0;
}

static int check_api(struct vm *vm)
{
	int version = vm->kvm.ops->get_api_version(&vm->kvm);

	return version == KVM_API_VERSION ? 0 : version < 0 ? version : -EPROTO;
}

static int create_vm(struct vm *vm, unsigned long type)
{
	int fd = vm->kvm.ops->create_vm(&vm->kvm, type);

	if (fd < 0)
		return fd;
	vm->kvm.vm = fd;
	return arch_vm_created(&vm->kvm);
}

static int add_memory(struct vm *vm)
{
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = vm->mem.base,
		.memory_size = vm->mem.size,
		.userspace_addr = (unsigned long)vm->mem.host,
	};

	return vm->kvm.ops->set_memory(&vm->kvm, &region);
}

static int create_memory(struct vm *vm, const struct vm_config *c)
{
	int err = mem_create(&vm->mem, c->ram_base, c->ram_size);

	if (err)
		return err;
	dma_identity(&vm->dma, &vm->mem);
	err = add_memory(vm);
	if (err)
		mem_destroy(&vm->mem);
	return err;
}

static void close_kvm(struct vm *vm)
{
	if (vm->kvm.vm >= 0)
		close(vm->kvm.vm);
	if (vm->kvm.sys >= 0)
		close(vm->kvm.sys);
}

static int create_irqs(struct vm *vm, const struct vm_config *c)
{
	int err = irq_create(&vm->irq, &vm->kvm, c->nr_spis);

	if (err)
		return err;
	err = arch_irqchip_create(vm, c->nr_spis);
	if (err)
		irq_destroy(vm->irq);
	return err;
}

/* Its pending read ends before its memory goes. */
static void stop_work(struct vm *vm)
{
	loop_drain(vm->loop);
	work_destroy(vm->work);
}

int vm_create(struct vm *vm, const struct vm_config *c, enum vm_step *step)
{
	unsigned long type;
	int err;

	*vm = (struct vm){
		.log = c->log,
		.kvm = { .ops = c->ops, .log = c->log, .sys = -1, .vm = -1 },
		.status = VM_RUNNING,
	};
	pthread_mutex_init(&vm->lock, NULL);
	*step = VM_STEP_OPEN;
	err = open_kvm(vm);
	if (err)
		goto close_kvm;
	*step = VM_STEP_API;
	err = check_api(vm);
	if (err)
		goto close_kvm;
	*step = VM_STEP_IPA;
	err = arch_vm_type(&vm->kvm, c->top, &type);
	if (err)
		goto close_kvm;
	*step = VM_STEP_CREATE;
	err = create_vm(vm, type);
	if (err)
		goto close_kvm;
	*step = VM_STEP_MEMORY;
	err = create_memory(vm, c);
	if (err)
		goto close_kvm;
	*step = VM_STEP_LOOP;
	err = loop_create(&vm->loop, &vm->lock);
	if (err)
		goto destroy_memory;
	err = work_create(&vm->work, vm->loop);
	if (err)
		goto destroy_loop;
	err = pause_create(&vm->pause, vm);
	if (err)
		goto destroy_work;
	*step = VM_STEP_VCPUS;
	err = vcpus_create(vm, c->nr_cpus);
	if (err)
		goto destroy_pause;
	*step = VM_STEP_GIC;
	err = create_irqs(vm, c);
	if (err)
		goto destroy_vcpus;
	return 0;

destroy_vcpus:
	vcpus_destroy(vm);
destroy_pause:
	loop_drain(vm->loop);
	pause_destroy(vm->pause);
destroy_work:
	stop_work(vm);
destroy_loop:
	loop_destroy(vm->loop);
destroy_memory:
	mem_destroy(&vm->mem);
close_kvm:
	close_kvm(vm);
	return err;
}

void vm_destroy(struct vm *vm)
{
	irq_destroy(vm->irq);
	arch_irqchip_destroy(vm);
	vcpus_destroy(vm);
	mmio_destroy(&vm->mmio);
	stop_work(vm);
	pause_destroy(vm->pause);
	loop_destroy(vm->loop);
	close_kvm(vm);
	mem_destroy(&vm->mem);
	pthread_mutex_destroy(&vm->lock);
}

void vm_end_by(struct vm *vm, int status, enum vm_cause cause)
{
	int running = VM_RUNNING;

	if (__atomic_compare_exchange_n(&vm->status, &running, status, false, __ATOMIC_SEQ_CST,
	                                __ATOMIC_SEQ_CST)) {
		vm->cause = cause;
		trace(vm->log, TRACE_VCPU, "the guest ends with status %d", status);
	}
	loop_stop(vm->loop);
}

void vm_end(struct vm *vm, int status)
{
	vm_end_by(vm, status, VM_CAUSE_GUEST);
}

int vm_ioeventfd(struct vm *vm, gpa_t gpa, int fd, bool assign)
{
	struct kvm_ioeventfd ioeventfd = {
		.addr = gpa,
		.fd = fd,
		.flags = assign ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN,
	};

	return vm->kvm.ops->ioeventfd(&vm->kvm, &ioeventfd);
}

int vm_ioeventfd_match(struct vm *vm, gpa_t gpa, u32 val, int fd, bool assign)
{
	struct kvm_ioeventfd ioeventfd = {
		.datamatch = val,
		.addr = gpa,
		.len = sizeof(val),
		.fd = fd,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH | (assign ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN),
	};

	return vm->kvm.ops->ioeventfd(&vm->kvm, &ioeventfd);
}

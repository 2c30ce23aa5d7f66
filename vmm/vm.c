// SPDX-License-Identifier: GPL-2.0-only
/* A VM made and unmade, part by part: KVM, memory, loop and threads, vCPUs, interrupts. */
#include "vmm/vm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <unistd.h>

#include "vmm/arch.h"
#include "vmm/pause.h"
#include "vmm/vcpu.h"

#define AWAIT_POLL 50 /* us */

static int open_kvm(struct vm *vm, const struct vm_config *c)
{
	int fd = vm->kvm.ops->open(&vm->kvm);

	(void)c;
	if (fd < 0)
		return fd;
	vm->kvm.sys = fd;
	return 0;
}

static void close_kvm(struct vm *vm)
{
	close(vm->kvm.sys);
}

static int check_api(struct vm *vm, const struct vm_config *c)
{
	int version = vm->kvm.ops->get_api_version(&vm->kvm);

	(void)c;
	return version == KVM_API_VERSION ? 0 : version < 0 ? version : -EPROTO;
}

static int find_type(struct vm *vm, const struct vm_config *c)
{
	return arch_vm_type(&vm->kvm, c->top, &vm->type);
}

/* Registering its MMU notifier gives up on whatever is pending for the thread (Linux, mm/vma.c,
 * mm_take_all_locks): a signal, but also work that io_uring left for it. Asked again, it is done.
 */
static int create_vm(struct vm *vm, const struct vm_config *c)
{
	int err, fd;

	(void)c;
	do
		fd = vm->kvm.ops->create_vm(&vm->kvm, vm->type);
	while (fd == -EINTR);
	if (fd < 0)
		return fd;
	vm->kvm.vm = fd;
	err = arch_vm_created(&vm->kvm);
	if (err)
		close(fd);
	return err;
}

static void close_vm(struct vm *vm)
{
	if (vm->vfio >= 0)
		close(vm->vfio);
	close(vm->kvm.vm);
}

/* KVM bounds a slot: 2^31 - 1 pages (virt/kvm/kvm_main.c, KVM_MEM_MAX_NR_PAGES). */
#define SLOT_SIZE (4ULL << 40)

static int add_memory(struct vm *vm)
{
	int err = 0;

	for (u64 at = 0; at < vm->mem.size && !err; at += SLOT_SIZE) {
		const u64 left = vm->mem.size - at;
		const struct kvm_userspace_memory_region region = {
			.slot = at / SLOT_SIZE,
			.guest_phys_addr = vm->mem.base + at,
			.memory_size = left < SLOT_SIZE ? left : SLOT_SIZE,
			.userspace_addr = (unsigned long)vm->mem.host + at,
		};

		err = vm->kvm.ops->set_memory(&vm->kvm, &region);
	}
	return err;
}

static int create_memory(struct vm *vm, const struct vm_config *c)
{
	const struct mem_config ram = {
		.base = c->ram_base,
		.size = c->ram_size,
		.shared = c->ram_shared,
		.huge_page = c->ram_huge_page,
		.dir = c->ram_dir,
	};
	int err = mem_create(&vm->mem, &ram);

	if (err)
		return err;
	dma_identity(&vm->dma, &vm->mem);
	err = add_memory(vm);
	if (err)
		mem_destroy(&vm->mem);
	return err;
}

static void destroy_memory(struct vm *vm)
{
	mem_destroy(&vm->mem);
}

static int create_loop(struct vm *vm, const struct vm_config *c)
{
	(void)c;
	return loop_create(&vm->loop, &vm->lock);
}

static void destroy_loop(struct vm *vm)
{
	loop_destroy(vm->loop);
}

static int create_work(struct vm *vm, const struct vm_config *c)
{
	(void)c;
	return work_create(&vm->work, vm->loop);
}

/* Its pending read, as the pause's, ends before its memory goes. */
static void destroy_work(struct vm *vm)
{
	loop_drain(vm->loop);
	work_destroy(vm->work);
}

static int create_pause(struct vm *vm, const struct vm_config *c)
{
	(void)c;
	return pause_create(&vm->pause, vm);
}

static void destroy_pause(struct vm *vm)
{
	loop_drain(vm->loop);
	pause_destroy(vm->pause);
}

static int create_vcpus(struct vm *vm, const struct vm_config *c)
{
	return vcpus_create(vm, c->nr_cpus);
}

static int create_irqs(struct vm *vm, const struct vm_config *c)
{
	vm->nr_spis = c->irqs->nr_spis;
	return irq_create(&vm->irq, &vm->kvm, vm->nr_spis);
}

static void destroy_irqs(struct vm *vm)
{
	irq_destroy(vm->irq);
}

static int create_irqchip(struct vm *vm, const struct vm_config *c)
{
	return arch_irqchip_create(vm, c->irqs);
}

static int find_features(struct vm *vm, const struct vm_config *c)
{
	(void)c;
	return arch_vm_features(vm);
}

static int identify(struct vm *vm, const struct vm_config *c)
{
	(void)c;
	return arch_vm_identify(vm);
}

static int make_ready(struct vm *vm, const struct vm_config *c)
{
	(void)c;
	return arch_vcpus_ready(vm);
}

/* What a VM is made of: each stands on those above it, and goes before them. */
static const struct part {
	enum vm_step step;
	int (*create)(struct vm *vm, const struct vm_config *c);
	void (*destroy)(struct vm *vm); /* NULL: nothing to undo */
} parts[] = {
	{ VM_STEP_OPEN, open_kvm, close_kvm },
	{ VM_STEP_API, check_api, NULL },
	{ VM_STEP_IPA, find_type, NULL },
	{ VM_STEP_CREATE, create_vm, close_vm },
	{ VM_STEP_MEMORY, create_memory, destroy_memory },
	{ VM_STEP_LOOP, create_loop, destroy_loop },
	{ VM_STEP_LOOP, create_work, destroy_work },
	{ VM_STEP_LOOP, create_pause, destroy_pause },
	{ VM_STEP_FEATURES, find_features, NULL },
	{ VM_STEP_VCPUS, create_vcpus, vcpus_destroy },
	{ VM_STEP_IDENTITY, identify, NULL },
	{ VM_STEP_GIC, create_irqs, destroy_irqs },
	{ VM_STEP_GIC, create_irqchip, arch_irqchip_destroy },
	{ VM_STEP_PMU, make_ready, NULL },
};

static void destroy_parts(struct vm *vm, size_t nr)
{
	while (nr--)
		if (parts[nr].destroy)
			parts[nr].destroy(vm);
	pthread_mutex_destroy(&vm->lock);
}

int vm_probe(const struct kvm_ops *ops, struct log *log, enum vm_step *step)
{
	struct vm vm = { .kvm = { .ops = ops, .log = log, .sys = -1, .vm = -1 } };
	int err;

	*step = VM_STEP_OPEN;
	err = open_kvm(&vm, NULL);
	if (err)
		return err;
	*step = VM_STEP_API;
	err = check_api(&vm, NULL);
	close_kvm(&vm);
	return err;
}

int vm_create(struct vm *vm, const struct vm_config *c, enum vm_step *step)
{
	*vm = (struct vm){
		.log = c->log,
		.arch = c->arch,
		.kvm = { .ops = c->ops, .log = c->log, .sys = -1, .vm = -1 },
		.vfio = -1,
		.reboots = c->reboots,
		.status = VM_RUNNING,
	};
	pthread_mutex_init(&vm->lock, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int err = parts[i].create(vm, c);

		if (!err)
			continue;
		*step = parts[i].step;
		destroy_parts(vm, i);
		return err;
	}
	return 0;
}

void vm_destroy(struct vm *vm)
{
	mmio_destroy(&vm->mmio);
	destroy_parts(vm, ARRAY_SIZE(parts));
}

static bool change_status(struct vm *vm, int from, int to)
{
	return __atomic_compare_exchange_n(&vm->status, &from, to, false, __ATOMIC_SEQ_CST,
	                                   __ATOMIC_SEQ_CST);
}

/* A reset is no end where another machine follows it: whoever wants an end then still gets it. */
static bool ends(struct vm *vm, int status)
{
	return change_status(vm, VM_RUNNING, status) ||
	       (vm->reboots && status != STATUS_RESET && change_status(vm, STATUS_RESET, status));
}

void vm_end_by(struct vm *vm, int status, enum vm_cause cause)
{
	if (ends(vm, status)) {
		vm->cause = cause;
		trace(vm->log, TRACE_VCPU, "the guest ends with status %d", status);
	}
	loop_stop(vm->loop);
}

void vm_end(struct vm *vm, int status)
{
	vm_end_by(vm, status, VM_CAUSE_GUEST);
}

static bool is_over(const struct vm *vm)
{
	return __atomic_load_n(&vm->ending, __ATOMIC_ACQUIRE) ||
	       __atomic_load_n(&vm->status, __ATOMIC_ACQUIRE) != VM_RUNNING;
}

void vm_await(struct vm *vm, bool (*done)(const void *arg), const void *arg)
{
	while (!done(arg) && !is_over(vm)) {
		loop_nudge(vm->loop);
		pthread_mutex_unlock(&vm->lock);
		usleep(AWAIT_POLL);
		pthread_mutex_lock(&vm->lock);
	}
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

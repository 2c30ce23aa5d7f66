// SPDX-License-Identifier: GPL-2.0-only
/* vCPU threads: an exit, and where it goes. */
#include "vmm/vcpu.h"

#include <assert.h>
#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/arch.h"
#include "vmm/coalesce.h"
#include "vmm/pause.h"
#include "vmm/vm.h"

#define KICK_SIGNAL SIGUSR1

/* An exit that this file has no answer to, which is no failure of KVM_RUN's. */
#define UNHANDLED 1

/* KVM leaves the value in the guest's byte order; a wider host word needs only its low bytes. */
static int exit_mmio(struct vcpu *vcpu, struct kvm_run *run)
{
	struct vm *vm = vcpu->vm;
	const struct mmio_ops *ops;
	u64 val = 0;

	if (run->mmio.is_write)
		memcpy(&val, run->mmio.data, run->mmio.len);
	pthread_mutex_lock(&vm->lock);
	coalesce_drain(vm);
	ops = mmio_access(&vm->mmio, run->mmio.phys_addr, run->mmio.len, run->mmio.is_write, &val);
	loop_nudge(vm->loop);
	pthread_mutex_unlock(&vm->lock);
	trace(vm->log, TRACE_MMIO, "cpu%u %s%u %#llx %s %#llx", vcpu->id,
	      run->mmio.is_write ? "write" : "read", run->mmio.len * 8,
	      (unsigned long long)run->mmio.phys_addr, ops ? ops->name : "hole",
	      (unsigned long long)val);
	if (!ops)
		return arch_vcpu_abort(vcpu);
	if (!run->mmio.is_write)
		memcpy(run->mmio.data, &val, run->mmio.len);
	return 0;
}

static int exit_system_event(struct vcpu *vcpu, struct kvm_run *run)
{
	static const struct {
		u32 type;
		int status;
	} events[] = {
		{ KVM_SYSTEM_EVENT_SHUTDOWN, STATUS_POWERED_OFF },
		{ KVM_SYSTEM_EVENT_RESET, STATUS_RESET },
		{ KVM_SYSTEM_EVENT_CRASH, STATUS_PANIC },
	};

	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		if (events[i].type != run->system_event.type)
			continue;
		vm_end(vcpu->vm, events[i].status);
		return 0;
	}
	return UNHANDLED;
}

static void tell_mmio(const struct kvm_run *run, char *text, size_t len)
{
	snprintf(text, len, " %s of %u bytes at %#llx", run->mmio.is_write ? "write" : "read",
	         run->mmio.len, (unsigned long long)run->mmio.phys_addr);
}

static void tell_system_event(const struct kvm_run *run, char *text, size_t len)
{
	snprintf(text, len, " type %u", run->system_event.type);
}

static void tell_memory_fault(const struct kvm_run *run, char *text, size_t len)
{
	snprintf(text, len, " flags %#llx, %#llx bytes at %#llx",
	         (unsigned long long)run->memory_fault.flags,
	         (unsigned long long)run->memory_fault.size,
	         (unsigned long long)run->memory_fault.gpa);
}

static void tell_fail_entry(const struct kvm_run *run, char *text, size_t len)
{
	snprintf(text, len, " reason %#llx on the host's CPU %u",
	         (unsigned long long)run->fail_entry.hardware_entry_failure_reason,
	         run->fail_entry.cpu);
}

static void tell_internal_error(const struct kvm_run *run, char *text, size_t len)
{
	const u32 nr = run->internal.ndata;
	size_t at = snprintf(text, len, " suberror %u", run->internal.suberror);

	for (u32 i = 0; i < nr && i < ARRAY_SIZE(run->internal.data) && at < len; i++)
		at += snprintf(text + at, len - at, " %#llx",
		               (unsigned long long)run->internal.data[i]);
}

/* An exit with no handler here is one of the architecture's own, or ends the guest. */
static const struct exit {
	const char *name;
	int (*handle)(struct vcpu *vcpu, struct kvm_run *run);
	void (*tell)(const struct kvm_run *run, char *text, size_t len); /* what else KVM says */
	bool may_say_nothing; /* on arm64 KVM leaves at times what was there */
} exits[] = {
	[KVM_EXIT_UNKNOWN] = { "UNKNOWN", NULL, NULL, false },
	[KVM_EXIT_MMIO] = { "MMIO", exit_mmio, tell_mmio, false },
	[KVM_EXIT_SYSTEM_EVENT] = { "SYSTEM_EVENT", exit_system_event, tell_system_event, false },
	[KVM_EXIT_FAIL_ENTRY] = { "FAIL_ENTRY", NULL, tell_fail_entry, true },
	[KVM_EXIT_INTERNAL_ERROR] = { "INTERNAL_ERROR", NULL, tell_internal_error, true },
	[KVM_EXIT_MEMORY_FAULT] = { "MEMORY_FAULT", NULL, tell_memory_fault, false },
};

static enum vcpu_counter counter_of(u32 reason)
{
	return reason == KVM_EXIT_MMIO           ? VCPU_MMIO
	       : reason == KVM_EXIT_SYSTEM_EVENT ? VCPU_SYSTEM_EVENT
	                                         : VCPU_OTHER;
}

/* Its own thread counts, the loop's reads. */
static void count(struct vcpu *vcpu, enum vcpu_counter counter)
{
	u64 *n = &vcpu->exits[counter];

	__atomic_store_n(n, *n + 1, __ATOMIC_RELAXED);
}

static int handle_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	int err;

	count(vcpu, counter_of(run->exit_reason));
	if (run->exit_reason < ARRAY_SIZE(exits) && exits[run->exit_reason].handle)
		return exits[run->exit_reason].handle(vcpu, run);
	if (arch_vcpu_exit(vcpu, run, &err))
		return err;
	return UNHANDLED;
}

static u64 first_detail(const struct kvm_run *run)
{
	u64 word;

	memcpy(&word, run->padding, sizeof(word));
	return word;
}

/* As "NAME (number) what else KVM says", or "exit (number)". */
static void tell_exit(const struct vcpu *vcpu, char *text, size_t len)
{
	const struct kvm_run *run = vcpu->run;
	const u32 reason = run->exit_reason;
	const struct exit *e = reason < ARRAY_SIZE(exits) ? &exits[reason] : NULL;
	int at = snprintf(text, len, "%s (%u)", e && e->name ? e->name : "exit", reason);

	if (e && e->tell && !(e->may_say_nothing && first_detail(run) == vcpu->before))
		e->tell(run, text + at, len - at);
}

/* KVM cannot continue this vCPU: say so once, with what a developer needs, and end the guest. */
static void give_up(struct vcpu *vcpu, int err)
{
	char exit[448], regs[400];

	tell_exit(vcpu, exit, sizeof(exit));
	arch_vcpu_describe(vcpu, regs, sizeof(regs));
	snprintf(vcpu->failure, sizeof(vcpu->failure), "cpu %u: KVM cannot continue: %s%s%s; %s",
	         vcpu->id, exit, err < 0 ? ": " : "", err < 0 ? strerror(-err) : "",
	         *regs ? regs : "KVM keeps its registers");
	vm_end_by(vcpu->vm, STATUS_KVM_EXIT, VM_CAUSE_KVM);
}

static bool stopping(struct vm *vm)
{
	return __atomic_load_n(&vm->ending, __ATOMIC_ACQUIRE) ||
	       __atomic_load_n(&vm->status, __ATOMIC_ACQUIRE) != VM_RUNNING;
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	struct kvm *k = &vcpu->vm->kvm;

	__atomic_store_n(&vcpu->tid, gettid(), __ATOMIC_RELAXED);
	pause_park(vcpu); /* held from before its start */
	while (!stopping(vcpu->vm)) {
		int err;

		vcpu->before = first_detail(vcpu->run);
		err = k->ops->run(k, vcpu->fd);

		if (err == -EINTR || err == -EAGAIN) {
			count(vcpu, VCPU_INTERRUPTED);
			pause_park(vcpu);
			continue;
		}
		if (!err)
			err = handle_exit(vcpu);
		if (err) {
			give_up(vcpu, err);
			break;
		}
	}
	return NULL;
}

static void kicked(int signal)
{
	(void)signal; /* its arrival is the message: KVM_RUN returns -EINTR */
}

int vcpus_start(struct vm *vm)
{
	struct sigaction action = { .sa_handler = kicked };
	sigset_t kick;

	sigaction(KICK_SIGNAL, &action, NULL);
	sigemptyset(&kick);
	sigaddset(&kick, KICK_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		struct vcpu *vcpu = &vm->vcpus[i];
		char name[16];
		int err = pthread_create(&vcpu->thread, NULL, vcpu_thread, vcpu);

		if (err)
			return -err;
		vcpu->started = true;
		snprintf(name, sizeof(name), "vcpu%u", i);
		pthread_setname_np(vcpu->thread, name);
	}
	return 0;
}

void vcpus_kick(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		struct vcpu *vcpu = &vm->vcpus[i];

		if (!vcpu->started)
			continue;
		/* Set first: a signal that comes before KVM_RUN would otherwise be missed. */
		__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
		pthread_kill(vcpu->thread, KICK_SIGNAL);
	}
}

void vcpus_stop(struct vm *vm)
{
	__atomic_store_n(&vm->ending, true, __ATOMIC_RELEASE);
	pause_end(vm);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		if (vm->vcpus[i].started)
			pthread_join(vm->vcpus[i].thread, NULL);
		vm->vcpus[i].started = false;
	}
}

static int vcpu_create(struct vm *vm, struct vcpu *vcpu, unsigned int id, size_t run_size)
{
	int fd = vm->kvm.ops->create_vcpu(&vm->kvm, id);

	if (fd < 0)
		return fd;
	*vcpu = (struct vcpu){ .vm = vm, .id = id, .fd = fd, .run_size = run_size };
	vcpu->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (vcpu->run == MAP_FAILED) {
		int err = -errno;

		close(fd);
		return err;
	}
	vm->nr_vcpus++;
	return arch_vcpu_init(vcpu);
}

int vcpus_create(struct vm *vm, unsigned int nr)
{
	int size = vm->kvm.ops->get_vcpu_mmap_size(&vm->kvm);
	int err = 0;

	if (size < 0)
		return size;
	vm->vcpus = calloc(nr, sizeof(*vm->vcpus));
	if (!vm->vcpus)
		return -ENOMEM;
	for (unsigned int i = 0; i < nr && !err; i++)
		err = vcpu_create(vm, &vm->vcpus[i], i, size);
	if (err)
		vcpus_destroy(vm);
	return err;
}

void vcpus_destroy(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		munmap(vm->vcpus[i].run, vm->vcpus[i].run_size);
		close(vm->vcpus[i].fd);
	}
	free(vm->vcpus);
	vm->vcpus = NULL;
	vm->coalesced = NULL;
	vm->nr_vcpus = 0;
}

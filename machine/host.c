// SPDX-License-Identifier: GPL-2.0-only
/* What this host cannot give, said in one line that names the option. */
#include "machine/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "machine/disk.h"
#include "machine/hugetlb.h"
#include "machine/layout.h"
#include "machine/machine.h"
#include "machine/options.h"
#include "machine/status.h"
#include "vmm/arch.h"
#include "vmm/arm64/gic.h"
#include "vmm/log.h"

/* Bytes that can be had without swapping (Documentation/filesystems/proc.rst); all, where none
 * says. */
static u64 available(void)
{
	FILE *meminfo = fopen("/proc/meminfo", "re");
	unsigned long kib, found = 0;
	char line[128];

	while (meminfo && !found && fgets(line, sizeof(line), meminfo))
		if (sscanf(line, "MemAvailable: %lu", &kib) == 1)
			found = kib;
	if (meminfo)
		fclose(meminfo);
	return found ? (u64)found << 10 : (u64)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

/* lkvm warns of it; but a guest that is promised too much dies later, and not in one line. Huge
 * pages are another matter: they were set apart, and are counted by themselves. */
int host_check(const struct options *o)
{
	u64 most = available();

	if (o->overcommit || o->hugetlb || o->hugetlbfs || o->mem <= most)
		return 0;
	log_error("--mem %lluM: expected at most the %lluM this host has available, or "
	          "--overcommit",
	          (unsigned long long)o->mem >> 20, (unsigned long long)most >> 20);
	return STATUS_HOST_LACKS;
}

/* Those without which it cannot be: what is behind a device, and an eventfd a queue. */
#define FILES_OF_SELF   64
#define FILES_OF_A_VCPU 4
#define FILES_OF_ANY    8    /* any device */
#define FILES_MORE      4096 /* a vector's route has one, and without is sent all the same */

static u64 files_needed(const struct options *o)
{
	u64 n = FILES_OF_SELF + o->cpus * FILES_OF_A_VCPU + o->nr_claims * FILES_OF_ANY;

	for (unsigned int i = 0; i < o->nr_disks; i++)
		n += disk_queues(o, i);
	for (unsigned int i = 0; i < o->nr_nets; i++)
		n += 3 * o->nets[i].queues;
	return n;
}

/* The soft limit is there for programs that use select(2); this one does not. */
int host_check_files(const struct options *o)
{
	const u64 needed = files_needed(o);
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= needed + FILES_MORE)
		return 0;
	files.rlim_cur = needed + FILES_MORE;
	if (files.rlim_cur > files.rlim_max)
		files.rlim_cur = files.rlim_max;
	if (files.rlim_max >= needed && !setrlimit(RLIMIT_NOFILE, &files))
		return 0;
	log_error("--cpus %u and %u devices: expected a limit of at least %llu open files, not "
	          "%llu (ulimit -Hn)",
	          o->cpus, o->nr_claims, (unsigned long long)needed,
	          (unsigned long long)files.rlim_max);
	return STATUS_HOST_LACKS;
}

void host_reserve_files(const struct options *o)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, (int)files_needed(o));

	if (fd >= 0)
		close(fd);
}

int host_check_kvm(const struct options *o, const struct kvm_ops *ops, struct log *log)
{
	struct vm vm = { .kvm.ops = ops };
	enum vm_step step;
	int err = vm_probe(ops, log, &step);

	return err ? host_failed(o, &vm, step, err) : 0;
}

static int irqchip_failed(const struct options *o, const struct kvm_ops *ops, int err)
{
	const char *name = irqchip_name(o->irqchip);
	char offered[64];

	irqchip_offered(ops, offered, sizeof(offered));
	if (err == -ENODEV)
		log_error("--irqchip %s: expected a host with it; this one has %s", name, offered);
	else
		log_error("--irqchip %s: %s: expected a host with it; this one has %s", name,
		          strerror(-err), offered);
	return STATUS_HOST_LACKS;
}

/* Whether a machine with so much memory and so many segments has addresses enough. */
static bool has_addresses(const struct kvm_ops *ops, u64 mem, unsigned int nr_segments)
{
	const struct options o = { .mem = mem, .nr_segments = nr_segments };
	struct log off = { 0 };
	struct kvm k = { .ops = ops, .log = &off, .sys = -1, .vm = -1 };
	unsigned long type;
	bool has;

	k.sys = ops->open(&k); /* the VM's own was closed when it could not be made */
	has = k.sys >= 0 && !arch_vm_type(&k, board_top(&o), &type);
	if (k.sys >= 0)
		close(k.sys);
	return has;
}

static unsigned int most_segments(const struct options *o, const struct kvm_ops *ops)
{
	unsigned int n = o->nr_segments;

	while (n > 1 && !has_addresses(ops, o->mem, n))
		n--;
	return n;
}

/* Which option asks for guest-physical addresses that the host has not. */
static void addresses_failed(const struct options *o, const struct kvm_ops *ops)
{
	if (!has_addresses(ops, MIN_RAM, 1))
		log_error("/dev/kvm: expected a host with 36 bits of guest-physical addresses");
	else if (has_addresses(ops, o->mem, 1))
		log_error("--segment %u: expected at most %u segments beside --mem %lluM: this one "
		          "ends above the host's guest-physical addresses",
		          o->segments[o->nr_segments - 1], most_segments(o, ops),
		          (unsigned long long)o->mem >> 20);
	else
		log_error("--mem %lluM: expected less: with the PCI windows above, it ends above "
		          "the host's guest-physical addresses",
		          (unsigned long long)o->mem >> 20);
}

/* What failed, in the user's words. */
static void name_step(const struct options *o, enum vm_step step, char *text, size_t len)
{
	switch (step) {
	case VM_STEP_CREATE: snprintf(text, len, "/dev/kvm: cannot create a VM"); break;
	case VM_STEP_MEMORY:
		snprintf(text, len, "--mem %lluM", (unsigned long long)o->mem >> 20);
		break;
	case VM_STEP_LOOP: snprintf(text, len, "io_uring"); break;
	case VM_STEP_FEATURES:
	case VM_STEP_IDENTITY: snprintf(text, len, "--cpu"); break;
	case VM_STEP_VCPUS: snprintf(text, len, "--cpus %u", o->cpus); break;
	case VM_STEP_PMU: snprintf(text, len, "--cpu pmu=auto"); break;
	default: snprintf(text, len, "/dev/kvm");
	}
}

/* It has what it takes, but no more of it now. */
static bool is_shortage(enum vm_step step, int err)
{
	return err == -EMFILE || err == -ENFILE || err == -EAGAIN ||
	       (err == -ENOMEM && step != VM_STEP_MEMORY);
}

int host_failed(const struct options *o, const struct vm *vm, enum vm_step step, int err)
{
	static const char *const expected[] = {
		[VM_STEP_OPEN] = "an arm64 host with KVM, and access to it",
		[VM_STEP_API] = "KVM API version 12",
		[VM_STEP_IPA] = "an arm64 host",
		[VM_STEP_CREATE] = "an arm64 host",
		[VM_STEP_MEMORY] = "what this host can map",
		[VM_STEP_LOOP] = "Linux 5.19 or newer, and it allowed",
		[VM_STEP_FEATURES] = "an arm64 host's KVM",
		[VM_STEP_VCPUS] = "as many as this host's KVM can give",
		[VM_STEP_IDENTITY] = "an arm64 host's KVM",
		[VM_STEP_PMU] = "a PMU that this host's KVM can start, or pmu=off",
	};
	char what[64];

	if (*vm->lacks) {
		log_error("%s", vm->lacks);
		return STATUS_HOST_LACKS;
	}
	if (is_shortage(step, err)) {
		log_error("cannot make the VM: %s", strerror(-err));
		return STATUS_HOST_FAILED;
	}
	if (step == VM_STEP_GIC && err != -ENOTTY)
		return irqchip_failed(o, vm->kvm.ops, err);
	if (step == VM_STEP_MEMORY && (o->hugetlb || o->hugetlbfs))
		return hugetlb_failed(o, err);
	if (step == VM_STEP_IPA && err == -E2BIG) {
		addresses_failed(o, vm->kvm.ops);
		return STATUS_HOST_LACKS;
	}
	if (err == -ENOTTY)
		step = VM_STEP_CREATE; /* another architecture's KVM does not know the request */
	name_step(o, step, what, sizeof(what));
	log_error("%s: %s: expected %s", what, strerror(-err), expected[step]);
	return STATUS_HOST_LACKS;
}

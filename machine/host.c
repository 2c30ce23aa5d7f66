// SPDX-License-Identifier: GPL-2.0-only
/* What this host cannot give, said in one line that names the option. */
#include "machine/host.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "machine/options.h"
#include "machine/status.h"
#include "vmm/arm64/gic.h"
#include "vmm/log.h"

/* lkvm refuses it too: a guest that is promised too much dies later, and not in one line. */
int host_check(const struct options *o)
{
	u64 host = (u64)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);

	if (o->overcommit || o->mem <= host)
		return 0;
	log_error("--mem %lluM: expected at most the %lluM this host has, or --overcommit",
	          (unsigned long long)o->mem >> 20, (unsigned long long)host >> 20);
	return STATUS_HOST_LACKS;
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

int host_failed(const struct options *o, const struct kvm_ops *ops, enum vm_step step, int err)
{
	const unsigned long long mib = o->mem >> 20;
	const char *why = strerror(-err);

	if (err == -ENOTTY)
		step = VM_STEP_CREATE; /* another architecture's KVM does not know the request */
	switch (step) {
	case VM_STEP_OPEN:
		log_error("/dev/kvm: %s: expected an arm64 host with KVM, and access to it", why);
		return STATUS_HOST_LACKS;
	case VM_STEP_API:
		log_error("/dev/kvm: %s: expected KVM API version 12", why);
		return STATUS_HOST_LACKS;
	case VM_STEP_IPA:
		log_error("--mem %lluM: %s: expected what ends within this host's guest-physical "
		          "addresses",
		          mib, why);
		return STATUS_HOST_LACKS;
	case VM_STEP_CREATE:
		log_error("/dev/kvm: cannot create a VM: %s: expected an arm64 host", why);
		return STATUS_HOST_LACKS;
	case VM_STEP_MEMORY:
		log_error("--mem %lluM: %s: expected what this host can map", mib, why);
		return STATUS_HOST_LACKS;
	case VM_STEP_LOOP:
		log_error("io_uring: %s: expected Linux 5.19 or newer, and it allowed", why);
		return STATUS_HOST_LACKS;
	case VM_STEP_VCPUS:
		log_error("--cpus %u: %s: expected as many as this host's KVM can give", o->cpus,
		          why);
		return STATUS_HOST_LACKS;
	case VM_STEP_GIC: return irqchip_failed(o, ops, err);
	}
	return STATUS_HOST_FAILED;
}

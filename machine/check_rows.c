// SPDX-License-Identifier: GPL-2.0-only
/* What nestor check looks at, a row each: what there is, or what is missing and where it comes
 * from. */
#include "machine/check_rows.h"

#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "machine/kernel_config.h"
#include "vfio/iort.h"
#include "vmm/arm64/gic.h"
#include "vmm/kvm.h"
#include "vmm/loop.h"
#include "vmm/vm.h"

__attribute__((format(printf, 3, 4))) static void find(struct finding *f, enum state state,
                                                       const char *fmt, ...)
{
	va_list args;

	f->state = state;
	va_start(args, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
}

static void check_kvm(const struct checker *c, struct finding *f)
{
	enum vm_step step;
	int err = vm_probe(c->host->kvm, c->log, &step);

	if (!err)
		find(f, CHECK_OK, "/dev/kvm");
	else if (err == -ENOENT)
		find(f, CHECK_LACKS,
		     "/dev/kvm: CONFIG_KVM, in a kernel that was started at EL2 (not in a guest "
		     "without nesting)");
	else if (err == -EACCES || err == -EPERM)
		find(f, CHECK_LACKS, "/dev/kvm: permission (the group of its file, or root)");
	else
		find(f, CHECK_LACKS, "/dev/kvm: %s", strerror(-err));
}

static void check_irqchip(const struct checker *c, struct finding *f)
{
	char offered[64];

	irqchip_offered(c->host->kvm, offered, sizeof(offered));
	if (strstr(offered, "gicv3-its"))
		find(f, CHECK_OK, "%s", offered);
	else if (strcmp(offered, "none") != 0)
		find(f, CHECK_OK, "no ITS: --irqchip %s", offered);
	else
		find(f, CHECK_LACKS, "an arm64 host, whose KVM makes a GIC");
}

static void check_loop(const struct checker *c, struct finding *f)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct loop *loop;
	int err = loop_create(&loop, &lock);

	(void)c;
	if (err) {
		find(f, CHECK_LACKS,
		     "io_uring: %s: Linux 5.19 with CONFIG_IO_URING, and it allowed "
		     "(kernel.io_uring_disabled, a container's seccomp)",
		     strerror(-err));
		return;
	}
	loop_destroy(loop);
	find(f, CHECK_OK, "io_uring");
}

static void check_iommufd(const struct checker *c, struct finding *f)
{
	if (!c->iommufd)
		find(f, CHECK_OK, "/dev/iommu");
	else if (c->iommufd == -ENOENT || c->iommufd == -ENODEV)
		find(f, CHECK_LACKS, "/dev/iommu: CONFIG_IOMMUFD, or modprobe iommufd");
	else if (c->iommufd == -EACCES || c->iommufd == -EPERM)
		find(f, CHECK_LACKS, "/dev/iommu: permission (the group of its file, or root)");
	else
		find(f, CHECK_LACKS, "/dev/iommu: %s", strerror(-c->iommufd));
}

static bool has_ipc_lock(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	unsigned long long effective = 0;
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		sscanf(line, "CapEff: %llx", &effective);
	if (status)
		fclose(status);
	return effective >> CAP_IPC_LOCK & 1;
}

/* Guest RAM is pinned, and counted against the limit, unless CAP_IPC_LOCK is had. */
static void check_memory(const struct checker *c, struct finding *f)
{
	struct rlimit lock = { 0 };

	(void)c;
	getrlimit(RLIMIT_MEMLOCK, &lock);
	if (has_ipc_lock() || lock.rlim_cur == RLIM_INFINITY)
		find(f, CHECK_OK, "no limit of pinned memory");
	else
		find(f, CHECK_UNKNOWN, "at most %llu MiB can be pinned: ulimit -l, or CAP_IPC_LOCK",
		     (unsigned long long)lock.rlim_cur >> 20);
}

static bool is_grouped(const struct host_functions *all, const struct host_function *f)
{
	(void)all;
	return !f->is_bridge && f->group >= 0;
}

static unsigned int count(const struct checker *c, bool (*is)(const struct host_functions *all,
                                                              const struct host_function *f))
{
	unsigned int nr = 0;

	for (size_t i = 0; i < c->functions.nr; i++)
		nr += is(&c->functions, &c->functions.list[i]);
	return nr;
}

static void check_groups(const struct checker *c, struct finding *f)
{
	const unsigned int nr = count(c, is_grouped);

	if (nr)
		find(f, CHECK_OK, "%u PCI functions are behind an IOMMU", nr);
	else
		find(f, CHECK_LACKS,
		     "a PCI function behind an IOMMU: the firmware (IORT, iommu-map) names it, "
		     "the kernel drives it (CONFIG_ARM_SMMU_V3)");
}

static void check_ready(const struct checker *c, struct finding *f)
{
	const unsigned int nr = count(c, host_function_ready);

	if (nr)
		find(f, CHECK_OK, "%u PCI functions are ready", nr);
	else
		find(f, CHECK_LACKS,
		     "a function of vfio-pci's: `nestor devices` has the command (CONFIG_VFIO_PCI, "
		     "CONFIG_VFIO_DEVICE_CDEV)");
}

static void check_bind(const struct tried *t, struct finding *f)
{
	const int *result = t->probe.result;
	const char *at = t->function->at;
	int err = result[VFIO_STEP_OPEN] ?: result[VFIO_STEP_BIND];

	if (!err)
		find(f, CHECK_OK, "%s can be bound", at);
	else if (result[VFIO_STEP_OPEN] == -EACCES || result[VFIO_STEP_OPEN] == -EPERM)
		find(f, CHECK_LACKS,
		     "/dev/vfio/devices/%s: permission (the group of its file, or root)",
		     t->function->cdev);
	else if (result[VFIO_STEP_OPEN])
		find(f, CHECK_LACKS, "/dev/vfio/devices/%s: %s", t->function->cdev, strerror(-err));
	else if (err == -EPERM)
		find(f, CHECK_UNKNOWN,
		     "%s: not permitted: something else has its group, or messages are not "
		     "isolated (an ITS does that; or iommufd's allow_unsafe_interrupts)",
		     at);
	else
		find(f, CHECK_UNKNOWN, "%s: %s: something else may have it", at, strerror(-err));
}

static void check_kernel(const struct tried *t, struct finding *f)
{
	if (t->probe.is_smmuv3)
		find(f, CHECK_OK, "hardware information of an SMMUv3");
	else if (t->probe.result[VFIO_STEP_HW_INFO])
		find(f, CHECK_UNKNOWN, "no hardware information: %s",
		     t->probe.result[VFIO_STEP_HW_INFO] == VFIO_NOT_TRIED
		             ? "its function is not bound"
		             : strerror(-t->probe.result[VFIO_STEP_HW_INFO]));
	else
		find(f, CHECK_LACKS, "an SMMUv3, and CONFIG_ARM_SMMU_V3_IOMMUFD");
}

static void check_stages(const struct tried *t, struct finding *f)
{
	const int err = t->probe.result[VFIO_STEP_PARENT];

	if (!err && vfio_probe_two_stages(&t->probe))
		find(f, CHECK_OK, "both stages of translation");
	else if (err == VFIO_NOT_TRIED || !t->probe.is_smmuv3)
		find(f, CHECK_UNKNOWN, "not tried");
	else if (!vfio_probe_two_stages(&t->probe))
		find(f, CHECK_LACKS, "an SMMU with both stages (SMMU_IDR0.S1P and S2P)");
	else
		find(f, CHECK_LACKS, "a stage 2 to nest on: %s", strerror(-err));
}

static void check_viommu(const struct tried *t, struct finding *f)
{
	const int err = t->probe.result[VFIO_STEP_VIOMMU];

	if (!err)
		find(f, CHECK_OK, "a vIOMMU can be had");
	else if (err == VFIO_NOT_TRIED || !t->probe.is_smmuv3)
		find(f, CHECK_UNKNOWN, "not tried");
	else if (err == -EOPNOTSUPP && vfio_probe_two_stages(&t->probe) &&
	         !vfio_probe_has_fwb(&t->probe))
		find(f, CHECK_LACKS,
		     "CANWBS from the firmware (bit 2 of a root complex's memory access flags in the "
		     "IORT; a device tree cannot say it), or an SMMU with SMMU_IDR3.FWB");
	else
		find(f, CHECK_LACKS, "a vIOMMU: %s: the SMMU's erratum, or its nesting",
		     strerror(-err));
}

static void check_queue(const struct tried *t, struct finding *f)
{
	const int *result = t->probe.result;

	if (result[VFIO_STEP_FAULTS] == VFIO_NOT_TRIED)
		find(f, CHECK_UNKNOWN, "not tried");
	else if (!result[VFIO_STEP_FAULTS])
		find(f, CHECK_OK, "a page table with a fault queue%s",
		     vfio_probe_may_stall(&t->probe) ? " (made, not attached)" : "");
	else if (result[VFIO_STEP_FAULTS] == -EOPNOTSUPP || result[VFIO_STEP_FAULTS] == -ENODEV)
		find(f, CHECK_LACKS,
		     "page tables with a fault queue: CONFIG_ARM_SMMU_V3_SVA, or a function with "
		     "one StreamID");
	else
		find(f, CHECK_LACKS, "a page table with a fault queue: %s",
		     strerror(-result[VFIO_STEP_FAULTS]));
}

static void check_stalls(const struct tried *t, struct finding *f)
{
	if (!t->probe.is_smmuv3)
		find(f, CHECK_UNKNOWN, "not tried");
	else if (vfio_probe_stalls(&t->probe))
		find(f, CHECK_OK,
		     "the SMMU can stall; which devices can, the firmware says "
		     "(dma-can-stall)");
	else
		find(f, CHECK_LACKS,
		     "an SMMU that stalls (SMMU_IDR0.STALL_MODEL is 1): faults of its devices end "
		     "where they happen; those of emulated devices can be delivered");
}

/* What is known of the same where no function is ready. */
static void know_nothing(const struct checker *c, struct finding *f)
{
	(void)c;
	find(f, CHECK_UNKNOWN, "no function is ready to try it on");
}

static void know_option(const struct checker *c, struct finding *f, const char *option)
{
	know_nothing(c, f);
	if (kernel_config(c->host->config, option) == CONFIG_OFF)
		find(f, CHECK_LACKS, "%s", option);
}

static void know_kernel(const struct checker *c, struct finding *f)
{
	know_option(c, f, "CONFIG_ARM_SMMU_V3_IOMMUFD");
}

static void know_viommu(const struct checker *c, struct finding *f)
{
	know_nothing(c, f);
	if (iort_canwbs_of(c->host->sys) == CANWBS_MISSING)
		find(f, CHECK_UNKNOWN,
		     "no function is ready to try it on; the IORT does not say CANWBS of every "
		     "root complex, and then it takes an SMMU with SMMU_IDR3.FWB");
}

static void know_queue(const struct checker *c, struct finding *f)
{
	know_option(c, f, "CONFIG_ARM_SMMU_V3_SVA");
}

#define OF_HOST(in, what, fn)                               \
	{                                                   \
		.part = PART_##in, .name = what, .host = fn \
	}
#define OF_IOMMU(in, what, fn, known)                                          \
	{                                                                      \
		.part = PART_##in, .name = what, .iommu = fn, .untried = known \
	}

const struct check checks[] = {
	OF_HOST(RUN, "kvm", check_kvm),
	OF_HOST(RUN, "irqchip", check_irqchip),
	OF_HOST(RUN, "io_uring", check_loop),
	OF_HOST(ASSIGN, "iommufd", check_iommufd),
	OF_HOST(ASSIGN, "iommu", check_groups),
	OF_HOST(ASSIGN, "vfio", check_ready),
	OF_HOST(ASSIGN, "memory", check_memory),
	OF_IOMMU(ASSIGN, "bind", check_bind, know_nothing),
	OF_IOMMU(NEST, "kernel", check_kernel, know_kernel),
	OF_IOMMU(NEST, "stages", check_stages, know_nothing),
	OF_IOMMU(NEST, "viommu", check_viommu, know_viommu),
	OF_IOMMU(FAULTS, "queue", check_queue, know_queue),
	OF_IOMMU(FAULTS, "stalls", check_stalls, know_nothing),
};
const size_t nr_checks = ARRAY_SIZE(checks);

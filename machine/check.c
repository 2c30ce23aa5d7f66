// SPDX-License-Identifier: GPL-2.0-only
/* nestor check: whether this host can run a guest, give it devices, nest, and deliver faults; what
 * is missing by name, with where it comes from (docs/json/check.json). */
#include "machine/check.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "machine/devices.h"
#include "machine/status.h"
#include "vfio/function.h"
#include "vfio/probe.h"
#include "vmm/arm64/gic.h"
#include "vmm/kvm.h"
#include "vmm/log.h"
#include "vmm/loop.h"
#include "vmm/vm.h"

#define MAX_IOMMUS 8 /* that are tried: one function of each */

enum state { CHECK_OK, CHECK_LACKS, CHECK_UNKNOWN };

static const char *const state_names[] = { "ok", "lacks", "unknown" };

/* What is known of the host while it is checked. */
struct checker {
	const struct check_host *host;
	struct log log;
	struct host_functions functions;
	int iommufd; /* 0, or -errno of opening it */
	unsigned int nr;
	struct tried {
		const struct host_function *function;
		struct vfio_probe probe;
	} tried[MAX_IOMMUS];
};

struct finding {
	enum state state;
	char text[256]; /* what there is, or what is missing and where it comes from */
};

__attribute__((format(printf, 3, 4))) static void find(struct finding *f, enum state state,
                                                       const char *fmt, ...)
{
	va_list args;

	f->state = state;
	va_start(args, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
}

static void check_kvm(const struct checker *c, const struct tried *t, struct finding *f)
{
	enum vm_step step;
	int err = vm_probe(c->host->kvm, (struct log *)&c->log, &step);

	(void)t;
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

static void check_its(const struct checker *c, const struct tried *t, struct finding *f)
{
	char offered[64];

	(void)t;
	irqchip_offered(c->host->kvm, offered, sizeof(offered));
	if (strstr(offered, "gicv3-its"))
		find(f, CHECK_OK, "%s", offered);
	else
		find(f, CHECK_LACKS,
		     "an arm64 host with a GICv3, whose KVM makes an ITS; with --irqchip this one "
		     "can have: %s",
		     offered);
}

static void check_loop(const struct checker *c, const struct tried *t, struct finding *f)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct loop *loop;
	int err = loop_create(&loop, &lock);

	(void)c, (void)t;
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

static void check_iommufd(const struct checker *c, const struct tried *t, struct finding *f)
{
	(void)t;
	if (!c->iommufd)
		find(f, CHECK_OK, "/dev/iommu");
	else if (c->iommufd == -ENOENT || c->iommufd == -ENODEV)
		find(f, CHECK_LACKS, "/dev/iommu: CONFIG_IOMMUFD, or modprobe iommufd");
	else if (c->iommufd == -EACCES || c->iommufd == -EPERM)
		find(f, CHECK_LACKS, "/dev/iommu: permission (the group of its file, or root)");
	else
		find(f, CHECK_LACKS, "/dev/iommu: %s", strerror(-c->iommufd));
}

/* Guest RAM is pinned, and counted against the limit, unless CAP_IPC_LOCK is had. */
static void check_memory(const struct checker *c, const struct tried *t, struct finding *f)
{
	struct rlimit lock = { 0 };

	(void)c, (void)t;
	getrlimit(RLIMIT_MEMLOCK, &lock);
	if (!geteuid() || lock.rlim_cur == RLIM_INFINITY)
		find(f, CHECK_OK, "no limit of pinned memory");
	else
		find(f, CHECK_LACKS, "at most %llu MiB can be pinned: ulimit -l, or root",
		     (unsigned long long)lock.rlim_cur >> 20);
}

static void check_groups(const struct checker *c, const struct tried *t, struct finding *f)
{
	unsigned int nr = 0;

	(void)t;
	for (size_t i = 0; i < c->functions.nr; i++)
		nr += !c->functions.list[i].is_bridge && c->functions.list[i].group >= 0;
	if (nr)
		find(f, CHECK_OK, "%u PCI functions are behind an IOMMU", nr);
	else
		find(f, CHECK_LACKS,
		     "a PCI function behind an IOMMU: the firmware (IORT, iommu-map) names it, "
		     "the kernel drives it (CONFIG_ARM_SMMU_V3)");
}

static bool is_ready(const struct checker *c, const struct host_function *f)
{
	return !f->is_bridge && f->group >= 0 && !host_function_taken(&c->functions, f, NULL);
}

static void check_ready(const struct checker *c, const struct tried *t, struct finding *f)
{
	unsigned int nr = 0;

	(void)t;
	for (size_t i = 0; i < c->functions.nr; i++)
		nr += is_ready(c, &c->functions.list[i]);
	if (nr)
		find(f, CHECK_OK, "%u PCI functions are ready", nr);
	else
		find(f, CHECK_LACKS,
		     "a function of vfio-pci's: `nestor devices` has the command (CONFIG_VFIO_PCI, "
		     "CONFIG_VFIO_DEVICE_CDEV)");
}

static void check_bind(const struct checker *c, const struct tried *t, struct finding *f)
{
	const int *result = t->probe.result;
	const char *at = t->function->at;
	int err = result[VFIO_STEP_OPEN] ?: result[VFIO_STEP_BIND];

	(void)c;
	if (!err)
		find(f, CHECK_OK, "%s can be bound", at);
	else if (result[VFIO_STEP_OPEN])
		find(f, CHECK_LACKS, "/dev/vfio/devices/%s: %s", t->function->cdev, strerror(-err));
	else if (err == -EPERM)
		find(f, CHECK_LACKS,
		     "%s: messages are not isolated: an ITS, or iommufd's allow_unsafe_interrupts",
		     at);
	else
		find(f, CHECK_UNKNOWN, "%s: %s: something else may have it", at, strerror(-err));
}

static void check_kernel(const struct checker *c, const struct tried *t, struct finding *f)
{
	(void)c;
	if (t->probe.is_smmuv3)
		find(f, CHECK_OK, "hardware information of an SMMUv3");
	else if (t->probe.result[VFIO_STEP_HW_INFO])
		find(f, CHECK_UNKNOWN, "no hardware information");
	else
		find(f, CHECK_LACKS, "an SMMUv3, and CONFIG_ARM_SMMU_V3_IOMMUFD");
}

static void check_stages(const struct checker *c, const struct tried *t, struct finding *f)
{
	const int err = t->probe.result[VFIO_STEP_PARENT];

	(void)c;
	if (!err && vfio_probe_two_stages(&t->probe))
		find(f, CHECK_OK, "both stages of translation");
	else if (err == VFIO_NOT_TRIED || !t->probe.is_smmuv3)
		find(f, CHECK_UNKNOWN, "not tried");
	else if (!vfio_probe_two_stages(&t->probe))
		find(f, CHECK_LACKS, "an SMMU with both stages (SMMU_IDR0.S1P and S2P)");
	else
		find(f, CHECK_LACKS, "a stage 2 to nest on: %s", strerror(-err));
}

static void check_viommu(const struct checker *c, const struct tried *t, struct finding *f)
{
	const int err = t->probe.result[VFIO_STEP_VIOMMU];

	(void)c;
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

static void check_queue(const struct checker *c, const struct tried *t, struct finding *f)
{
	const int *result = t->probe.result;

	(void)c;
	if (result[VFIO_STEP_QUEUE] == VFIO_NOT_TRIED || result[VFIO_STEP_FAULTS] == VFIO_NOT_TRIED)
		find(f, CHECK_UNKNOWN, "not tried");
	else if (!result[VFIO_STEP_FAULTS])
		find(f, CHECK_OK, "a page table with a fault queue");
	else if (result[VFIO_STEP_FAULTS] == -EOPNOTSUPP || result[VFIO_STEP_FAULTS] == -ENODEV)
		find(f, CHECK_LACKS, "page tables with a fault queue: CONFIG_ARM_SMMU_V3_SVA");
	else
		find(f, CHECK_LACKS, "a page table with a fault queue: %s",
		     strerror(-result[VFIO_STEP_FAULTS]));
}

static void check_stalls(const struct checker *c, const struct tried *t, struct finding *f)
{
	(void)c;
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

/* What each is for. A host that lacks something of the first part runs no guest. */
enum part { PART_RUN, PART_ASSIGN, PART_NEST, PART_FAULTS, NR_PARTS };

static const char *const part_names[] = { "run", "assign", "nest", "faults" };

static const struct check {
	enum part part;
	const char *name;
	bool of_iommu; /* once for each that was tried */
	void (*run)(const struct checker *c, const struct tried *t, struct finding *f);
} checks[] = {
	{ PART_RUN, "kvm", false, check_kvm },
	{ PART_RUN, "its", false, check_its },
	{ PART_RUN, "io_uring", false, check_loop },
	{ PART_ASSIGN, "iommufd", false, check_iommufd },
	{ PART_ASSIGN, "iommu", false, check_groups },
	{ PART_ASSIGN, "vfio", false, check_ready },
	{ PART_ASSIGN, "memory", false, check_memory },
	{ PART_ASSIGN, "bind", true, check_bind },
	{ PART_NEST, "kernel", true, check_kernel },
	{ PART_NEST, "stages", true, check_stages },
	{ PART_NEST, "viommu", true, check_viommu },
	{ PART_FAULTS, "queue", true, check_queue },
	{ PART_FAULTS, "stalls", true, check_stalls },
};

static bool is_tried(const struct checker *c, const char *iommu)
{
	for (unsigned int i = 0; i < c->nr; i++)
		if (!strcmp(c->tried[i].function->iommu, iommu))
			return true;
	return false;
}

/* What only a bound function tells: the first that is ready of each IOMMU. */
static void try_functions(struct checker *c)
{
	struct uapi u = { .ops = c->host->uapi, .log = &c->log };

	u.iommufd = u.ops->open(&u, "/dev/iommu");
	c->iommufd = u.iommufd < 0 ? u.iommufd : 0;
	if (c->iommufd)
		return;
	u.ops->close(&u, u.iommufd);
	for (size_t i = 0; i < c->functions.nr && c->nr < MAX_IOMMUS; i++) {
		const struct host_function *f = &c->functions.list[i];

		if (!is_ready(c, f) || is_tried(c, f->iommu))
			continue;
		c->tried[c->nr].function = f;
		if (!vfio_probe(&c->tried[c->nr].probe, &u, f->cdev))
			c->nr++;
	}
}

/* Where findings go. */
struct report {
	enum state parts[NR_PARTS];
	json_t *list; /* NULL: text */
	FILE *to;
};

static void worsen(enum state *part, enum state by)
{
	if (*part == CHECK_OK || by == CHECK_LACKS)
		*part = by;
}

static void tell(struct report *r, const struct check *check, const char *iommu,
                 const struct finding *f)
{
	json_t *o;

	worsen(&r->parts[check->part], f->state);
	if (!r->list) {
		fprintf(r->to, "%-7s %-9s %-8s %s%s%s\n", part_names[check->part], check->name,
		        state_names[f->state], iommu ?: "", iommu ? ": " : "", f->text);
		return;
	}
	o = json_pack("{s:s, s:s, s:s, s:s, s:s*}", "part", part_names[check->part], "name",
	              check->name, "state", state_names[f->state], "text", f->text, "iommu", iommu);
	json_array_append_new(r->list, o);
}

static void run_check(const struct checker *c, const struct check *check, struct report *r)
{
	struct finding f;

	if (!check->of_iommu) {
		check->run(c, NULL, &f);
		tell(r, check, NULL, &f);
		return;
	}
	for (unsigned int i = 0; i < c->nr; i++) {
		check->run(c, &c->tried[i], &f);
		tell(r, check, c->tried[i].function->iommu, &f);
	}
	if (c->nr)
		return;
	find(&f, CHECK_UNKNOWN, "no function is ready to try it on");
	tell(r, check, NULL, &f);
}

static void end_report(struct report *r)
{
	json_t *root;

	if (!r->list) {
		for (unsigned int i = 0; i < NR_PARTS; i++)
			fprintf(r->to, "%s: %s\n", part_names[i], state_names[r->parts[i]]);
		return;
	}
	root = json_pack("{s:i, s:o}", "schema", 1, "checks", r->list);
	for (unsigned int i = 0; i < NR_PARTS; i++)
		json_object_set_new(root, part_names[i], json_string(state_names[r->parts[i]]));
	json_dumpf(root, r->to, JSON_INDENT(1));
	fputc('\n', r->to);
	json_decref(root);
}

int check_show(const struct check_host *host, bool json, FILE *to)
{
	struct checker c = { .host = host };
	struct report r = { .list = json ? json_array() : NULL, .to = to };

	host_functions_read(&c.functions, host->sys); /* no PCI is no function */
	try_functions(&c);
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		run_check(&c, &checks[i], &r);
	end_report(&r);
	host_functions_free(&c.functions);
	return r.parts[PART_RUN] == CHECK_OK ? 0 : STATUS_HOST_LACKS;
}

int command_check(int argc, char **argv)
{
	static const struct check_host host = { "/sys", &kvm_host, &uapi_host };
	bool json;

	if (!takes_json(argc, argv, "check", &json))
		return STATUS_USAGE;
	return check_show(&host, json, stdout);
}

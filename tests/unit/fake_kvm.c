// SPDX-License-Identifier: GPL-2.0-only
/* The KVM that remembers what it was told. */
#include "tests/unit/fake_kvm.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct fake_kvm fake = {
	.api_version = KVM_API_VERSION, .ipa_bits = 40, .nisv = 1, .fail_err = -EIO
};

/* Every call counts; the chosen one fails. */
#define CALL()                                                                            \
	do {                                                                              \
		(void)k;                                                                  \
		if (__atomic_add_fetch(&fake.calls, 1, __ATOMIC_SEQ_CST) == fake.fail_at) \
			return fake.fail_err;                                             \
	} while (0)

static int fake_open(struct kvm *k)
{
	CALL();
	return memfd_create("kvm", MFD_CLOEXEC);
}

static int get_api_version(struct kvm *k)
{
	CALL();
	return fake.api_version;
}

static int create_vm(struct kvm *k, unsigned long type)
{
	CALL();
	fake.vm_type = type;
	return memfd_create("kvm-vm", MFD_CLOEXEC);
}

static int get_vcpu_mmap_size(struct kvm *k)
{
	CALL();
	return ALIGN_UP(sizeof(struct kvm_run), 4096) + 4096; /* the ring of coalesced writes */
}

static int check_extension(struct kvm *k, unsigned long cap)
{
	CALL();
	if (cap == KVM_CAP_ARM_VM_IPA_SIZE)
		return fake.ipa_bits;
	for (size_t i = 0; i < ARRAY_SIZE(fake.caps); i++)
		if (fake.caps[i] && fake.caps[i] == cap)
			return 1;
	return cap == KVM_CAP_ARM_NISV_TO_USER ? fake.nisv : 0;
}

static int enable_cap(struct kvm *k, const struct kvm_enable_cap *cap)
{
	CALL();
	fake.enabled_cap = cap->cap;
	return 0;
}

static int set_memory(struct kvm *k, const struct kvm_userspace_memory_region *region)
{
	CALL();
	fake.memory = *region;
	if (fake.memory_changed)
		fake.memory_changed(region);
	return 0;
}

static int create_vcpu(struct kvm *k, unsigned long id)
{
	int fd;

	CALL();
	(void)id;
	fd = memfd_create("kvm-vcpu", MFD_CLOEXEC);
	fake.vcpu_fds[fake.nr_vcpu_fds++ % ARRAY_SIZE(fake.vcpu_fds)] = fd;
	if (ftruncate(fd, ALIGN_UP(sizeof(struct kvm_run), 4096) + 4096))
		return -errno;
	return fd;
}

static int create_device(struct kvm *k, struct kvm_create_device *device)
{
	CALL();
	if (fake.lacks & BIT(device->type))
		return -ENODEV;
	if (device->flags & KVM_CREATE_DEVICE_TEST)
		return 0;
	device->fd = memfd_create("kvm-device", MFD_CLOEXEC);
	fake.devices[fake.nr_devices] = device->type;
	fake.device_fds[fake.nr_devices++] = device->fd;
	return 0;
}

static int irq_line(struct kvm *k, const struct kvm_irq_level *level)
{
	CALL();
	fake.lines[(level->irq & 0xffff) - 32] = level->level;
	fake.line_changes++;
	if (fake.line_changed)
		fake.line_changed((level->irq & 0xffff) - 32, level->level);
	return 0;
}

static int signal_msi(struct kvm *k, const struct kvm_msi *msi)
{
	CALL();
	fake.msi = *msi;
	fake.nr_msis++;
	return fake.msi_ret;
}

static int set_gsi_routing(struct kvm *k, const struct kvm_irq_routing *table)
{
	CALL();
	if (table->nr > ARRAY_SIZE(fake.routes))
		return -EINVAL;
	memcpy(fake.routes, table->entries, table->nr * sizeof(table->entries[0]));
	fake.nr_routes = table->nr;
	fake.route_updates++;
	return 0;
}

static int irqfd(struct kvm *k, const struct kvm_irqfd *arg)
{
	CALL();
	fake.irqfd = *arg;
	fake.nr_irqfds += arg->flags & KVM_IRQFD_FLAG_DEASSIGN ? -1 : 1;
	return 0;
}

static int ioeventfd(struct kvm *k, const struct kvm_ioeventfd *arg)
{
	CALL();
	fake.ioeventfd = *arg;
	fake.nr_ioeventfds += arg->flags & KVM_IOEVENTFD_FLAG_DEASSIGN ? -1 : 1;
	return 0;
}

static int register_coalesced_mmio(struct kvm *k, const struct kvm_coalesced_mmio_zone *zone)
{
	CALL();
	fake.zone = *zone;
	fake.nr_zones++;
	return 0;
}

static int unregister_coalesced_mmio(struct kvm *k, const struct kvm_coalesced_mmio_zone *zone)
{
	CALL();
	(void)zone;
	fake.nr_zones--;
	return 0;
}

static int arm_preferred_target(struct kvm *k, struct kvm_vcpu_init *init)
{
	CALL();
	*init = (struct kvm_vcpu_init){ .target = KVM_ARM_TARGET_GENERIC_V8 };
	return 0;
}

static bool is_vcpu(int fd)
{
	for (unsigned int i = 0; i < fake.nr_vcpu_fds; i++)
		if (fake.vcpu_fds[i] == fd)
			return true;
	return false;
}

static bool is_vfio(int fd)
{
	for (unsigned int i = 0; i < fake.nr_devices; i++)
		if (fake.device_fds[i] == fd)
			return fake.devices[i] == KVM_DEV_TYPE_VFIO;
	return false;
}

static int set_device_attr(struct kvm *k, int fd, const struct kvm_device_attr *a)
{
	bool is_u32 = is_vcpu(fd) || is_vfio(fd) || a->group == KVM_DEV_ARM_VGIC_GRP_NR_IRQS ||
	              a->group == KVM_DEV_ARM_VGIC_GRP_MAINT_IRQ;
	u64 val = 0;

	CALL();
	if (a->addr)
		memcpy(&val, (void *)(unsigned long)a->addr, is_u32 ? 4 : 8);
	fake.attrs[fake.nr_attrs++ % ARRAY_SIZE(fake.attrs)] =
		(struct fake_attr){ fd, a->group, a->attr, val };
	return 0;
}

/* Every attribute of a device reads as its own number. */
static int get_device_attr(struct kvm *k, int fd, const struct kvm_device_attr *a)
{
	u32 val = a->attr;

	CALL();
	(void)fd;
	memcpy((void *)(unsigned long)a->addr, &val, sizeof(val));
	return 0;
}

static int get_mp_state(struct kvm *k, int vcpu, struct kvm_mp_state *state)
{
	CALL();
	(void)vcpu;
	state->mp_state = KVM_MP_STATE_STOPPED;
	return 0;
}

static int run(struct kvm *k, int vcpu)
{
	unsigned int nth = __atomic_fetch_add(&fake.runs, 1, __ATOMIC_SEQ_CST);
	struct kvm_run *page;
	int ret;

	CALL();
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	ret = __atomic_load_n(&page->immediate_exit, __ATOMIC_SEQ_CST) ? -EINTR
	                                                               : fake.run(page, nth);
	munmap(page, sizeof(*page));
	return ret;
}

static int arm_vcpu_init(struct kvm *k, int vcpu, const struct kvm_vcpu_init *init)
{
	CALL();
	(void)vcpu;
	fake.inits[fake.nr_vcpus++ % ARRAY_SIZE(fake.inits)] = *init;
	return 0;
}

static int arm_vcpu_finalize(struct kvm *k, int vcpu, const int *feature)
{
	CALL();
	(void)vcpu;
	fake.finalized += *feature == KVM_ARM_VCPU_SVE;
	return 0;
}

static int arm_reg_masks(struct kvm *k, struct reg_mask_range *range)
{
	u64 *masks = (u64 *)(unsigned long)range->addr;

	CALL();
	memset(masks, 0, KVM_ARM_FEATURE_ID_RANGE_SIZE * sizeof(*masks));
	for (size_t i = 0; i < ARRAY_SIZE(fake.ids); i++) {
		u64 reg = fake.ids[i].reg;

		if (reg)
			masks[KVM_ARM_FEATURE_ID_RANGE_IDX(3, reg >> 11 & 7, 0, reg >> 3 & 15,
			                                   reg & 7)] = fake.ids[i].mask;
	}
	return 0;
}

static struct fake_id *find_id(u64 reg)
{
	for (size_t i = 0; i < ARRAY_SIZE(fake.ids); i++)
		if (fake.ids[i].reg == reg)
			return &fake.ids[i];
	return NULL;
}

static int get_one_reg(struct kvm *k, int vcpu, const struct kvm_one_reg *reg)
{
	struct fake_id *id = find_id(reg->id);

	CALL();
	(void)vcpu;
	if (fake.regs_fail)
		return -ENOEXEC;
	if (reg->id == KVM_REG_ARM64_SVE_VLS)
		memcpy((void *)(unsigned long)reg->addr, &fake.sve_lengths,
		       sizeof(fake.sve_lengths));
	else if (id)
		memcpy((void *)(unsigned long)reg->addr, &id->val, sizeof(id->val));
	else
		memcpy((void *)(unsigned long)reg->addr, &fake.reg_val, sizeof(fake.reg_val));
	return 0;
}

static int set_one_reg(struct kvm *k, int vcpu, const struct kvm_one_reg *reg)
{
	struct kvm_one_reg *to = &fake.regs[fake.nr_regs++ % ARRAY_SIZE(fake.regs)];
	struct fake_id *id = find_id(reg->id);

	CALL();
	fake.reg_vcpus[to - fake.regs] = vcpu;
	to->id = reg->id;
	memcpy(&to->addr, (void *)(unsigned long)reg->addr, sizeof(to->addr));
	if (id && (to->addr ^ id->val) & ~id->mask)
		return -EINVAL;
	if (id)
		id->val = to->addr;
	return 0;
}

static int set_vcpu_events(struct kvm *k, int vcpu, const struct kvm_vcpu_events *events)
{
	CALL();
	(void)vcpu;
	fake.aborts += events->exception.ext_dabt_pending;
	return 0;
}

const struct kvm_ops fake_kvm_ops = {
	.open = fake_open,
	.get_api_version = get_api_version,
	.create_vm = create_vm,
	.get_vcpu_mmap_size = get_vcpu_mmap_size,
	.check_extension = check_extension,
	.enable_cap = enable_cap,
	.set_memory = set_memory,
	.create_vcpu = create_vcpu,
	.create_device = create_device,
	.irq_line = irq_line,
	.signal_msi = signal_msi,
	.set_gsi_routing = set_gsi_routing,
	.irqfd = irqfd,
	.ioeventfd = ioeventfd,
	.register_coalesced_mmio = register_coalesced_mmio,
	.unregister_coalesced_mmio = unregister_coalesced_mmio,
	.arm_preferred_target = arm_preferred_target,
	.set_device_attr = set_device_attr,
	.get_device_attr = get_device_attr,
	.get_mp_state = get_mp_state,
	.run = run,
	.arm_vcpu_init = arm_vcpu_init,
	.arm_vcpu_finalize = arm_vcpu_finalize,
	.arm_reg_masks = arm_reg_masks,
	.get_one_reg = get_one_reg,
	.set_one_reg = set_one_reg,
	.set_vcpu_events = set_vcpu_events,
};

const struct kvm_irq_routing_msi *fake_route(u32 gsi)
{
	for (unsigned int i = 0; i < fake.nr_routes; i++)
		if (fake.routes[i].gsi == gsi && fake.routes[i].type == KVM_IRQ_ROUTING_MSI)
			return &fake.routes[i].u.msi;
	return NULL;
}

unsigned int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int nr = 0;

	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * mock file|memory SEED: address spaces of a guest's IOMMU and their mirrors, on a real kernel
 * whose device is a mock (drivers/iommu/iommufd/selftest.c): whatever is mapped, unmapped, attached
 * and replaced, what the mock's page table has is what the space says. And a fault on its way to a
 * fault queue and back. A line a step. mock calls: what mock_calls.h has.
 */
#include <errno.h>
#include <iommufd_test.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "tests/host/mock_calls.h"
#include "vfio/context.h"
#include "vmm/iova.h"
#include "vmm/log.h"
#include "vmm/mem.h"

/* In the mock's aperture, which is [MOCK_APERTURE_START, MOCK_APERTURE_LAST]. */
#define RAM_BASE  0x40000000ULL
#define RAM_SIZE  (8ULL << 20)
#define PAGE      4096ULL
#define IOVA_BASE 0x10000000ULL
#define NR_PAGES  256 /* that mappings are in */
#define RW        (DMA_READ | DMA_WRITE)

struct bench {
	struct log log;
	struct uapi_ops ops;
	struct vfio_context context; /* its uapi.ops is above */
	struct vfio_device device;
	struct guest_mem ram;
	struct iova_space spaces[2], everything;
	u32 mock, nowhere; /* the mock device; an address space with nothing in it */
	u64 state;         /* of the generator (xorshift64*, never 0) */
};

static struct bench *bench_of(struct uapi *u)
{
	return container_of(u, struct bench, context.uapi);
}

static int test_cmd(const struct bench *b, u32 op, u32 id, struct iommu_test_cmd *cmd)
{
	cmd->size = sizeof(*cmd);
	cmd->op = op;
	cmd->id = id;
	return ioctl(b->context.uapi.iommufd, IOMMU_TEST_CMD, cmd) ? -errno : 0;
}

/* In place of a cdev's: VFIO_DEVICE_ATTACH_IOMMUFD_PT, _DETACH_; a mock is always attached. */
static int attach(struct uapi *u, int fd, struct vfio_device_attach_iommufd_pt *arg)
{
	struct iommu_test_cmd cmd = { .mock_domain_replace.pt_id = arg->pt_id };
	int err = test_cmd(bench_of(u), IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE, bench_of(u)->mock, &cmd);

	(void)fd;
	if (!err)
		arg->pt_id = cmd.mock_domain_replace.pt_id;
	return err;
}

static int detach(struct uapi *u, int fd, struct vfio_device_detach_iommufd_pt *arg)
{
	struct vfio_device_attach_iommufd_pt nowhere = { .pt_id = bench_of(u)->nowhere };

	(void)arg;
	return attach(u, fd, &nowhere);
}

static int make(struct bench *b)
{
	struct uapi *u = &b->context.uapi;
	struct iommu_ioas_alloc ioas = { 0 };
	struct iommu_test_cmd cmd = { 0 };
	int err = vfio_context_open(&b->context);

	err = err ? err : vfio_context_map(&b->context, &b->ram);
	err = err ? err : u->ops->ioas_alloc(u, &ioas);
	b->nowhere = ioas.out_ioas_id;
	err = err ? err : test_cmd(b, IOMMU_TEST_OP_MOCK_DOMAIN, b->nowhere, &cmd);
	b->mock = cmd.mock_domain.out_stdev_id;
	b->device = (struct vfio_device){ .context = &b->context,
		                          .fd = -1,
		                          .id = cmd.mock_domain.out_idev_id };
	b->context.nr_devices++;
	return err;
}

/* 0: the page at @iova leads to that of @gpa; -EINVAL: it does not. */
static int leads_to(const struct bench *b, u64 iova, gpa_t gpa)
{
	const u8 *host = guest_ptr(&b->ram, gpa, PAGE);
	struct iommu_test_cmd cmd = { .check_map = {
					      .iova = iova,
					      .length = PAGE,
					      .uptr = (uintptr_t)(host ? host : b->ram.host) } };

	return test_cmd(b, IOMMU_TEST_OP_MD_CHECK_MAP, b->device.hwpt, &cmd);
}

/* Whether a device may do that to the address space it is attached to: through the kernel's own
 * accesses. */
static bool allows(const struct bench *b, u32 ioas, u64 iova, u32 flags)
{
	struct iommu_test_cmd access = { 0 }, rw = { 0 };
	u32 word = 0;
	int err = test_cmd(b, IOMMU_TEST_OP_CREATE_ACCESS, ioas, &access);

	if (err)
		return false;
	rw.access_rw.iova = iova;
	rw.access_rw.length = sizeof(word);
	rw.access_rw.uptr = (uintptr_t)&word;
	rw.access_rw.flags = flags;
	err = test_cmd(b, IOMMU_TEST_OP_ACCESS_RW, access.create_access.out_access_fd, &rw);
	close(access.create_access.out_access_fd);
	return !err;
}

/* Page by page: RAM that is mapped is there, anything else is not. */
static int compare(struct bench *b, struct iova_space *s)
{
	for (u64 iova = IOVA_BASE; iova < IOVA_BASE + NR_PAGES * PAGE; iova += PAGE) {
		const struct iova_mapping *m = iova_find(s, iova);
		const gpa_t gpa = m ? m->gpa + (iova - m->iova) : RAM_BASE;
		const bool is_there = m && m->perm & RW && guest_ptr(&b->ram, gpa, PAGE);

		if (leads_to(b, iova, gpa) != (is_there ? 0 : -EINVAL)) {
			printf("mock: %#llx is %s\n", (unsigned long long)iova,
			       is_there ? "not where it should be" : "mapped");
			return -EPROTO;
		}
	}
	return 0;
}

static u32 below(struct bench *b, u32 limit)
{
	b->state ^= b->state >> 12;
	b->state ^= b->state << 25;
	b->state ^= b->state >> 27;
	return (b->state * 0x2545f4914f6cdd1dULL >> 32) % limit;
}

/* In RAM, across either end of it, and where there is none. */
static gpa_t draw_gpa(struct bench *b)
{
	switch (below(b, 8)) {
	case 0: return RAM_BASE - PAGE * below(b, 8);
	case 1: return RAM_BASE + RAM_SIZE - PAGE * below(b, 8);
	case 2: return 0x8000000 + PAGE * below(b, 4);
	default: return RAM_BASE + PAGE * below(b, RAM_SIZE / PAGE);
	}
}

static int map(struct bench *b, struct iova_space *s)
{
	const u64 iova = IOVA_BASE + PAGE * below(b, NR_PAGES);
	u64 len = PAGE * (1 + below(b, 8));
	struct iova_mapping m = { .iova = iova, .gpa = draw_gpa(b), .perm = below(b, 4) };
	int err;

	if (len > IOVA_BASE + NR_PAGES * PAGE - iova)
		len = PAGE;
	m.last = iova + len - 1;
	err = iova_map(s, &m);
	return err == -EEXIST ? 0 : err;
}

/* All that is within some range, if that splits nothing; now and then all there is. */
static int unmap(struct bench *b, struct iova_space *s)
{
	const u64 first = below(b, 16) ? IOVA_BASE + PAGE * below(b, NR_PAGES) : 0;
	const u64 last = first ? first + PAGE * (1 + below(b, 24)) - 1 : ~0ULL;
	bool doorbells;
	int err = iova_unmap(s, first, last, NULL, &doorbells);

	return err == -ERANGE ? 0 : err;
}

/* Spaces change under the device, and it changes between them. */
static int chance(struct bench *b)
{
	struct iova_space *at = &b->spaces[0];
	int err = vfio_device_follow(&b->device, at);

	for (unsigned int n = 0; n < 2000 && !err; n++) {
		struct iova_space *s = &b->spaces[below(b, 2)];

		err = below(b, 3) ? map(b, s) : unmap(b, s);
		if (!err && !below(b, 50)) {
			at = s;
			err = vfio_device_follow(&b->device, at);
		}
		if (!err && n % 40 == 0)
			err = compare(b, at);
	}
	return err ? err : compare(b, at);
}

/* What was mapped before anybody followed is there when somebody does. */
static int fill(struct bench *b)
{
	struct iova_space *s = &b->spaces[0];
	int err = 0;

	for (unsigned int n = 0; n < 100 && !err; n++)
		err = map(b, s);
	if (s->mirror)
		return -EPROTO;
	err = err ? err : vfio_device_follow(&b->device, s);
	return err ? err : compare(b, s);
}

/* Without a mapping there it faults: RAM is at its own addresses in one table, and elsewhere not.
 */
static int identity(struct bench *b)
{
	int err = vfio_device_follow(&b->device, &b->everything);

	for (u64 at = 0; at < RAM_SIZE && !err; at += PAGE)
		err = leads_to(b, RAM_BASE + at, RAM_BASE + at);
	if (err || leads_to(b, RAM_BASE + RAM_SIZE, RAM_BASE) != -EINVAL ||
	    leads_to(b, RAM_BASE - PAGE, RAM_BASE) != -EINVAL || b->context.nr_tables != 1)
		return err ? err : -EPROTO;
	err = vfio_device_follow(&b->device, NULL);
	err = err ? err : vfio_device_follow(&b->device, &b->everything);
	return b->context.nr_tables == 1 ? err : -EPROTO;
}

/* A mapping may be for reads or for writes alone. */
static int permissions(struct bench *b)
{
	static const u32 perms[] = { DMA_READ, DMA_WRITE, RW };
	struct iova_space s;
	u32 ioas;
	int err;

	iova_init(&s);
	for (u64 i = 0; i < ARRAY_SIZE(perms); i++)
		iova_map(&s, &(struct iova_mapping){ .iova = IOVA_BASE + i * PAGE,
		                                     .last = IOVA_BASE + (i + 1) * PAGE - 1,
		                                     .gpa = RAM_BASE + i * PAGE,
		                                     .perm = perms[i] });
	err = vfio_device_follow(&b->device, &s);
	ioas = b->nowhere + 1; /* one of those that were made since */
	while (!err && ioas < b->nowhere + 64 && !allows(b, ioas, IOVA_BASE + 2 * PAGE, 0))
		ioas++;
	for (u64 i = 0; i < ARRAY_SIZE(perms) && !err; i++)
		if (allows(b, ioas, IOVA_BASE + i * PAGE, 0) != !!(perms[i] & DMA_READ) ||
		    allows(b, ioas, IOVA_BASE + i * PAGE, MOCK_ACCESS_RW_WRITE) !=
		            !!(perms[i] & DMA_WRITE))
			err = -EPROTO;
	err = err ? err : vfio_device_follow(&b->device, NULL);
	iova_clear(&s);
	return err;
}

/* What the host's IOMMU cannot map is not mapped; and one that has such does not become anybody's.
 */
static int refused(struct bench *b)
{
	const struct iova_mapping out = { .iova = MOCK_APERTURE_LAST + 1ULL,
		                          .last = MOCK_APERTURE_LAST + PAGE,
		                          .gpa = RAM_BASE,
		                          .perm = RW };
	struct iova_space *s = &b->spaces[0];
	struct iova_space other;
	int err = vfio_device_follow(&b->device, s);

	if (err || !iova_map(s, &out) || iova_find(s, out.iova))
		return err ? err : -EPROTO;
	iova_init(&other);
	err = iova_map(&other, &out);
	if (!err && !vfio_device_follow(&b->device, &other))
		err = -EPROTO;
	iova_clear(&other);
	return err ? err : compare(b, s);
}

static int fault_and_answer(struct bench *b, int fd, u64 addr)
{
	struct iommu_test_cmd cmd = { .trigger_iopf = { .dev_id = b->device.id,
		                                        .grpid = 7,
		                                        .perm = IOMMU_PGFAULT_PERM_WRITE,
		                                        .addr = addr } };
	struct iommu_hwpt_pgfault fault[4];
	struct iommu_hwpt_page_response answer = { .code = IOMMUFD_PAGE_RESP_SUCCESS };
	int err = test_cmd(b, IOMMU_TEST_OP_TRIGGER_IOPF, 0, &cmd);

	if (err || read(fd, fault, sizeof(fault)) != sizeof(fault[0]))
		return err ? err : -EPROTO;
	if (fault->addr != addr || fault->grpid != 7 || fault->dev_id != b->device.id ||
	    fault->perm != IOMMU_PGFAULT_PERM_WRITE ||
	    !(fault->flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE))
		return -EPROTO;
	answer.cookie = fault->cookie;
	if (write(fd, &answer, sizeof(answer)) != sizeof(answer))
		return -EPROTO;
	return write(fd, &answer, sizeof(answer)) == -1 && errno == EINVAL ? 0 : -EPROTO;
}

static int faults(struct bench *b)
{
	struct uapi *u = &b->context.uapi;
	struct iommu_fault_alloc queue = { 0 };
	struct iommu_hwpt_alloc table = { .flags = IOMMU_HWPT_FAULT_ID_VALID,
		                          .dev_id = b->device.id,
		                          .pt_id = b->context.ioas };
	struct iommu_destroy destroy;
	int err = u->ops->fault_queue_alloc(u, &queue);

	table.fault_id = queue.out_fault_id;
	err = err ? err : u->ops->hwpt_alloc(u, &table);
	err = err ? err : vfio_device_attach(&b->device, table.out_hwpt_id);
	for (u64 n = 0; n < 3 && !err; n++)
		err = fault_and_answer(b, queue.out_fault_fd, RAM_BASE + n * PAGE);
	err = err ? err : vfio_device_detach(&b->device);
	destroy.id = table.out_hwpt_id;
	err = err ? err : u->ops->destroy(u, &destroy);
	u->ops->close(u, queue.out_fault_fd);
	destroy.id = queue.out_fault_id;
	return err ? err : u->ops->destroy(u, &destroy);
}

/* Nothing is left that uses another: it all goes in order. */
static int take_down(struct bench *b)
{
	struct uapi *u = &b->context.uapi;
	struct iommu_destroy destroy = { .id = b->mock };
	int err = vfio_device_follow(&b->device, NULL);

	for (unsigned int i = 0; i < ARRAY_SIZE(b->spaces); i++)
		iova_clear(&b->spaces[i]);
	err = err ? err : u->ops->destroy(u, &destroy);
	destroy.id = b->nowhere;
	err = err ? err : u->ops->destroy(u, &destroy);
	b->device = (struct vfio_device){ .context = &b->context, .fd = -1 };
	b->context.nr_devices--;
	while (!err && b->context.nr_tables) {
		destroy.id = b->context.tables[--b->context.nr_tables];
		err = u->ops->destroy(u, &destroy);
	}
	destroy.id = b->context.ioas;
	err = err ? err : u->ops->destroy(u, &destroy);
	u->ops->close(u, u->iommufd);
	return err;
}

static const struct step {
	const char *name;
	int (*run)(struct bench *b);
} steps[] = {
	{ "made", make },         { "fill", fill },
	{ "identity", identity }, { "chance", chance },
	{ "refused", refused },   { "permissions", permissions },
	{ "faults", faults },     { "taken down", take_down },
};

int main(int argc, char **argv)
{
	struct mem_config ram = { .base = RAM_BASE, .size = RAM_SIZE };
	struct bench b = { .log.topics = 0, .ops = uapi_host };
	int err = argc == 3 ? 0 : -EINVAL;

	if (argc == 2 && !strcmp(argv[1], "calls"))
		return mock_calls();
	ram.shared = !err && !strcmp(argv[1], "file");
	b.state = err ? 0 : strtoull(argv[2], NULL, 0) * 2 + 1;
	err = err ? err : mem_create(&b.ram, &ram);
	b.ops.attach = attach;
	b.ops.detach = detach;
	b.context.uapi = (struct uapi){ .ops = &b.ops, .log = &b.log, .iommufd = -1 };
	iova_init(&b.spaces[0]);
	iova_init(&b.spaces[1]);
	iova_init(&b.everything);
	b.everything.identity = true;
	for (size_t i = 0; !err && i < ARRAY_SIZE(steps); i++) {
		err = steps[i].run(&b);
		printf("mock: %s: %s\n", steps[i].name, err ? strerror(-err) : "ok");
		fflush(stdout);
	}
	return err ? 1 : 0;
}

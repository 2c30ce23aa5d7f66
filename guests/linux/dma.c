// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA endpoint (docs/dma-test.md) driven from user space, through VFIO and iommufd:
 *   dma /dev/vfio/devices/vfioN    each test says "dma: NAME: ok", or what was wrong and exits
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#define IOVA    0x10000000ULL
#define SIZE    (2ULL << 20)
#define RO_IOVA 0x20000000ULL
#define PAGE    4096ULL
#define VECTOR  3

enum { READ = 1, WRITE, FILL, COPY, CAS, CHECK = 8 };
enum { INTERRUPT = 1 << 5, HELD = 1 << 6 };
enum { START = 1, RELEASE = 2 };
enum { IS_HELD = 3, DONE = 0x05, FAULT = 0x15 };

static int device, iommu;
static uint32_t ioas;
static volatile uint8_t *regs;
static uint8_t *memory;

static void check(int ok, const char *what)
{
	if (ok)
		return;
	printf("dma: %s failed\n", what);
	exit(1);
}

static uint32_t get32(unsigned int at)
{
	return *(volatile uint32_t *)(regs + at);
}

static uint64_t get64(unsigned int at)
{
	return *(volatile uint64_t *)(regs + at);
}

static void put32(unsigned int at, uint32_t val)
{
	*(volatile uint32_t *)(regs + at) = val;
}

static void put64(unsigned int at, uint64_t val)
{
	*(volatile uint64_t *)(regs + at) = val;
}

static unsigned int slot(unsigned int n)
{
	return 0x1000 + 0x80 * n;
}

struct operation {
	uint32_t op, flags;
	uint64_t iova, iova2, len, arg;
};

static void start(unsigned int n, struct operation o)
{
	put32(slot(n), o.op);
	put32(slot(n) + 0x04, o.flags);
	put64(slot(n) + 0x08, o.iova);
	put64(slot(n) + 0x10, o.iova2);
	put64(slot(n) + 0x18, o.len);
	put32(slot(n) + 0x24, VECTOR);
	put64(slot(n) + 0x28, o.arg);
	put32(slot(n) + 0x38, START);
}

/* STATUS, once it is neither running nor stalled. */
static uint32_t status(unsigned int n)
{
	uint32_t val;

	do
		val = get32(slot(n) + 0x3c);
	while ((val & 15) == 1 || (val & 15) == 2);
	return val;
}

static uint64_t pattern(uint64_t seed, uint64_t nr)
{
	uint64_t z = seed + (nr + 1) * 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static int has_pattern(uint64_t at, uint64_t len, uint64_t seed)
{
	for (uint64_t i = 0; i < len / 8; i++)
		if (((uint64_t *)(memory + at))[i] != pattern(seed, i))
			return 0;
	return 1;
}

static int map(uint64_t iova, void *at, uint64_t len, uint32_t flags)
{
	struct iommu_ioas_map m = {
		.size = sizeof(m),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | flags,
		.ioas_id = ioas,
		.user_va = (uintptr_t)at,
		.length = len,
		.iova = iova,
	};

	return ioctl(iommu, IOMMU_IOAS_MAP, &m);
}

static int unmap(uint64_t iova, uint64_t len)
{
	struct iommu_ioas_unmap u = {
		.size = sizeof(u), .ioas_id = ioas, .iova = iova, .length = len
	};

	return ioctl(iommu, IOMMU_IOAS_UNMAP, &u);
}

static void open_device(const char *path)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct vfio_region_info bar = { .argsz = sizeof(bar), .index = VFIO_PCI_BAR1_REGION_INDEX };
	struct vfio_region_info config = { .argsz = sizeof(config),
		                           .index = VFIO_PCI_CONFIG_REGION_INDEX };
	const uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	iommu = open("/dev/iommu", O_RDWR);
	device = open(path, O_RDWR);
	check(iommu >= 0 && device >= 0, "open");
	bind.iommufd = iommu;
	check(!ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind), "bind");
	check(!ioctl(iommu, IOMMU_IOAS_ALLOC, &alloc), "ioas");
	ioas = attach.pt_id = alloc.out_ioas_id;
	check(!ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), "attach");
	check(!ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &bar), "BAR 1");
	check(!ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config), "config space");
	check(pwrite(device, &command, 2, config.offset + PCI_COMMAND) == 2, "bus master");
	regs = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, bar.offset);
	check(regs != MAP_FAILED && get32(0) == 0x54414d44, "registers");
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(memory != MAP_FAILED, "memory");
	check(!map(IOVA, memory, SIZE, IOMMU_IOAS_MAP_WRITEABLE), "map");
	check(!map(RO_IOVA, memory, PAGE, 0), "map read-only");
}

static void transfers(void)
{
	start(0, (struct operation){ .op = FILL, .iova = IOVA, .len = SIZE, .arg = 11 });
	check(status(0) == DONE && has_pattern(0, SIZE, 11), "fill");
	for (unsigned int n = 0; n < 16; n++)
		start(n, (struct operation){ .op = FILL,
		                             .iova = IOVA + n * SIZE / 16,
		                             .len = SIZE / 16,
		                             .arg = n });
	for (unsigned int n = 0; n < 16; n++)
		check(status(n) == DONE && has_pattern(n * SIZE / 16, SIZE / 16, n), "slot");
}

static void faults(void)
{
	start(0, (struct operation){ .op = CHECK, .iova = IOVA + 5, .len = SIZE });
	check(status(0) == FAULT && get64(slot(0) + 0x48) == IOVA + SIZE &&
	              get64(slot(0) + 0x40) == SIZE - 5,
	      "fault behind a mapping");
	start(0, (struct operation){ .op = FILL, .iova = RO_IOVA + 7, .len = 1 });
	check(status(0) == FAULT && get64(slot(0) + 0x48) == RO_IOVA + 7, "fault of a write");
	start(0, (struct operation){ .op = CHECK, .iova = RO_IOVA, .len = PAGE });
	check(status(0) == DONE, "read of a read-only page");
}

static void interrupt(void)
{
	const size_t size = sizeof(struct vfio_irq_set) + sizeof(int) * (VECTOR + 1);
	struct vfio_irq_set *set = calloc(1, size);
	struct pollfd p = { .fd = eventfd(0, 0), .events = POLLIN };
	int fds[VECTOR + 1] = { -1, -1, -1, p.fd };

	set->argsz = size;
	set->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	set->index = VFIO_PCI_MSIX_IRQ_INDEX;
	set->count = VECTOR + 1;
	memcpy(set->data, fds, sizeof(fds));
	check(!ioctl(device, VFIO_DEVICE_SET_IRQS, set), "MSI-X");
	start(0, (struct operation){ .op = CHECK, .flags = INTERRUPT, .iova = IOVA, .len = 1 });
	check(poll(&p, 1, 5000) == 1, "interrupt");
	free(set);
}

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	check(!sched_setaffinity(0, sizeof(set), &set), "two CPUs");
}

static int unmapping, unmapped;

static void *unmap_there(void *arg)
{
	(void)arg;
	run_on(1);
	__atomic_store_n(&unmapping, 1, __ATOMIC_RELEASE);
	check(!unmap(IOVA, SIZE), "unmap");
	__atomic_store_n(&unmapped, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Without sleeping: the driver of an IOMMU may spin with interrupts off until the unmap is done. */
static void spin_ms(long ms)
{
	struct timespec from, now;

	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 < ms);
}

static void held(void)
{
	const uint64_t at = SIZE - 3 * PAGE;
	pthread_t thread;

	run_on(0);
	start(7, (struct operation){ .op = FILL, .flags = HELD, .iova = IOVA + at, .len = PAGE });
	check(status(7) == IS_HELD, "hold");
	check(!pthread_create(&thread, NULL, unmap_there, NULL), "thread");
	while (!__atomic_load_n(&unmapping, __ATOMIC_ACQUIRE))
		;
	spin_ms(300);
	check(!__atomic_load_n(&unmapped, __ATOMIC_ACQUIRE), "an unmap that waits");
	put32(slot(7) + 0x38, RELEASE);
	check(status(7) == DONE, "release");
	pthread_join(thread, NULL);
	check(unmapped && has_pattern(at, PAGE, 0), "what was held");
	start(0, (struct operation){ .op = CHECK, .iova = IOVA, .len = 1 });
	check(status(0) == FAULT, "fault after the unmap");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} tests[] = {
		{ "transfers", transfers },
		{ "faults", faults },
		{ "interrupt", interrupt },
		{ "held", held },
	};

	setlinebuf(stdout);
	check(argc == 2, "dma DEVICE");
	open_device(argv[1]);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		tests[i].run();
		printf("dma: %s: ok\n", tests[i].name);
	}
	return 0;
}

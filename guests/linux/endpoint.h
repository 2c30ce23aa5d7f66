/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs for the DMA endpoint (docs/dma-test.md) share: it, through vfio and iommufd. */
#ifndef GUESTS_LINUX_ENDPOINT_H
#define GUESTS_LINUX_ENDPOINT_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#define PAGE      4096ULL
#define VECTOR    3
#define BUFFER    0x2000
#define REGISTERS 0x4000 /* bytes, by a driver of Linux */

enum { READ = 1, WRITE, FILL, COPY, CAS, TRANSLATE, CHECK = 8 };
enum { PASID = 1 << 4, INTERRUPT = 1 << 5, HELD = 1 << 6, TRANSLATED = 1 << 7 };
enum { START = 1, RELEASE = 2 };
enum { IS_HELD = 3, DONE = 0x05, FAULT = 0x15, REFUSED = 0x25 };

static int device, iommu;
static uint32_t devid;
static volatile uint8_t *regs;

static inline void check(int ok, const char *what)
{
	if (ok)
		return;
	printf("%s: %s failed\n", program_invocation_short_name, what);
	exit(1);
}

/* Plain loads and stores: of one that moves its base register too, a host is not told enough. */
static inline uint32_t get32(unsigned int at)
{
	uint32_t val;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(val) : "r"(regs + at) : "memory");
	return val;
}

static inline uint64_t get64(unsigned int at)
{
	uint64_t val;

	__asm__ volatile("ldr %0, [%1]" : "=r"(val) : "r"(regs + at) : "memory");
	return val;
}

static inline void put32(unsigned int at, uint32_t val)
{
	__asm__ volatile("str %w0, [%1]" : : "r"(val), "r"(regs + at) : "memory");
}

static inline void put64(unsigned int at, uint64_t val)
{
	__asm__ volatile("str %0, [%1]" : : "r"(val), "r"(regs + at) : "memory");
}

static inline unsigned int slot(unsigned int n)
{
	return 0x1000 + 0x80 * n;
}

struct operation {
	uint32_t op, flags, pasid;
	uint64_t iova, iova2, len, arg;
};

static inline void prepare(unsigned int n, struct operation o)
{
	put32(slot(n), o.op);
	put32(slot(n) + 0x04, o.flags);
	put64(slot(n) + 0x08, o.iova);
	put64(slot(n) + 0x10, o.iova2);
	put64(slot(n) + 0x18, o.len);
	put32(slot(n) + 0x20, o.pasid);
	put32(slot(n) + 0x24, VECTOR);
	put64(slot(n) + 0x28, o.arg);
}

static inline void go(unsigned int n)
{
	__sync_synchronize();
	put32(slot(n) + 0x38, START);
}

static inline void start(unsigned int n, struct operation o)
{
	prepare(n, o);
	go(n);
}

/* STATUS, once it is neither running nor stalled. */
static inline uint32_t status(unsigned int n)
{
	uint32_t val;

	do
		val = get32(slot(n) + 0x3c);
	while ((val & 15) == 1 || (val & 15) == 2);
	__sync_synchronize();
	return val;
}

/* By its file in sysfs; its name is what @path of a driver's device ends with, behind a dash. */
static inline void reset_function(const char *path)
{
	char file[128];
	int reset;

	snprintf(file, sizeof(file), "/sys/bus/pci/devices/%s/reset", strrchr(path, '-') + 1);
	reset = open(file, O_WRONLY);
	check(reset >= 0 && write(reset, "1", 1) == 1 && !close(reset), "a reset");
}

static inline uint64_t pattern(uint64_t seed, uint64_t nr)
{
	uint64_t z = seed + (nr + 1) * 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* The pattern's words from its word @first on. */
static inline int has_pattern(const void *at, uint64_t len, uint64_t seed, uint64_t first)
{
	const uint64_t *words = at;

	for (uint64_t i = 0; i < len / 8; i++)
		if (words[i] != pattern(seed, first + i))
			return 0;
	return 1;
}

static inline int map(uint32_t ioas, uint64_t iova, void *at, uint64_t len, uint32_t flags)
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

static inline int unmap(uint32_t ioas, uint64_t iova, uint64_t len)
{
	struct iommu_ioas_unmap u = {
		.size = sizeof(u), .ioas_id = ioas, .iova = iova, .length = len
	};

	return ioctl(iommu, IOMMU_IOAS_UNMAP, &u);
}

static inline uint32_t alloc_ioas(void)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	check(!ioctl(iommu, IOMMU_IOAS_ALLOC, &alloc), "ioas");
	return alloc.out_ioas_id;
}

/* Zero, or an error's number. */
static inline int attach(uint32_t pt)
{
	struct vfio_device_attach_iommufd_pt a = { .argsz = sizeof(a), .pt_id = pt };

	return ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a) ? errno : 0;
}

static inline void check_registers(void)
{
	check(regs != MAP_FAILED && get32(0) == 0x54414d44, "registers");
}

static inline void open_endpoint(const char *path)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct vfio_region_info bar = { .argsz = sizeof(bar), .index = VFIO_PCI_BAR1_REGION_INDEX };
	struct vfio_region_info config = { .argsz = sizeof(config),
		                           .index = VFIO_PCI_CONFIG_REGION_INDEX };
	const uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	iommu = open("/dev/iommu", O_RDWR);
	device = open(path, O_RDWR);
	check(iommu >= 0 && device >= 0, "open");
	bind.iommufd = iommu;
	check(!ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind), "bind");
	devid = bind.out_devid;
	check(!ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &bar), "BAR 1");
	check(!ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config), "config space");
	check(pwrite(device, &command, 2, config.offset + PCI_COMMAND) == 2, "bus master");
	regs = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, bar.offset);
	check_registers();
}

static inline void *alloc_memory(uint64_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	check(p != MAP_FAILED, "memory");
	return p;
}

static inline void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	check(!sched_setaffinity(0, sizeof(set), &set), "two CPUs");
}

/* Without sleeping: the driver of an IOMMU may spin with interrupts off until the unmap is done. */
static inline void spin_ms(long ms)
{
	struct timespec from, now;

	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 < ms);
}

/* By the driver that lends it to processes (guests/linux/driver), this one's memory; its PASID. */
static inline uint32_t lend_memory(const char *path, int *fd)
{
	uint32_t pasid;

	*fd = open(path, O_RDWR);
	check(*fd >= 0, "bind");
	check(read(*fd, &pasid, sizeof(pasid)) == sizeof(pasid) && pasid, "PASID");
	return pasid;
}

static inline void map_registers(int fd)
{
	regs = mmap(NULL, REGISTERS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	check_registers();
}

struct test {
	const char *name;
	void (*run)(void);
};

static inline void run_tests(const struct test *tests, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		tests[i].run();
		printf("%s: %s: ok\n", program_invocation_short_name, tests[i].name);
	}
}

#endif

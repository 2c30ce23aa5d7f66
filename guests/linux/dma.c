// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA endpoint (docs/dma-test.md) driven from user space, through VFIO and iommufd:
 *   dma /dev/vfio/devices/vfioN    each test says "dma: NAME: ok", or what was wrong and exits
 */
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include "guests/linux/endpoint.h"

#define IOVA    0x10000000ULL
#define SIZE    (2ULL << 20)
#define RO_IOVA 0x20000000ULL

static uint32_t ioas;
static uint8_t *memory;

static void open_device(const char *path)
{
	open_endpoint(path);
	ioas = alloc_ioas();
	check(!attach(ioas), "attach");
	memory = alloc_memory(SIZE);
	check(!map(ioas, IOVA, memory, SIZE, IOMMU_IOAS_MAP_WRITEABLE), "map");
	check(!map(ioas, RO_IOVA, memory, PAGE, 0), "map read-only");
}

static void transfers(void)
{
	start(0, (struct operation){ .op = FILL, .iova = IOVA, .len = SIZE, .arg = 11 });
	check(status(0) == DONE && has_pattern(memory, SIZE, 11, 0), "fill");
	for (unsigned int n = 0; n < 16; n++)
		start(n, (struct operation){ .op = FILL,
		                             .iova = IOVA + n * SIZE / 16,
		                             .len = SIZE / 16,
		                             .arg = n });
	for (unsigned int n = 0; n < 16; n++)
		check(status(n) == DONE && has_pattern(memory + n * SIZE / 16, SIZE / 16, n, 0),
		      "slot");
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

static int unmapping, unmapped;

static void *unmap_there(void *arg)
{
	(void)arg;
	run_on(1);
	__atomic_store_n(&unmapping, 1, __ATOMIC_RELEASE);
	check(!unmap(ioas, IOVA, SIZE), "unmap");
	__atomic_store_n(&unmapped, 1, __ATOMIC_RELEASE);
	return NULL;
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
	check(unmapped && has_pattern(memory + at, PAGE, 0, 0), "what was held");
	start(0, (struct operation){ .op = CHECK, .iova = IOVA, .len = 1 });
	check(status(0) == FAULT, "fault after the unmap");
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "transfers", transfers },
		{ "faults", faults },
		{ "interrupt", interrupt },
		{ "held", held },
	};

	setlinebuf(stdout);
	check(argc == 2, "dma DEVICE");
	open_device(argv[1]);
	run_tests(tests, sizeof(tests) / sizeof(tests[0]));
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * In the guest: how long a page request of the DMA endpoint takes until it is answered, and how
 * many a second are: asks mailbox /dev/vpri-FUNCTION, by a driver that brings the page; asks priq
 * /sys/bus/pci/devices/FUNCTION, by an SMMUv3's, which denies each. Prints "figure NAME UNIT VALUE"
 * lines. The answer is waited for at a register of the endpoint, an exit each time.
 */
#include "guests/linux/endpoint.h"

#define COUNT 4000
#define SLOTS 15
enum { PAGE_REQUEST = 7, WANTS_WRITE = 2, LAST = 1 << 8, AWAITING = 4 };

static uint8_t *memory;
static int config, pri; /* where the interface is enabled before each; -1: it stays so */
static int fd;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static int by_time(const void *a, const void *b)
{
	const double d = *(const double *)a - *(const double *)b;

	return d < 0 ? -1 : d > 0;
}

static void enable(void)
{
	const uint32_t credits = 32;
	const uint16_t on = PCI_PRI_CTRL_ENABLE;

	if (config < 0)
		return;
	check(pwrite(config, &credits, 4, pri + PCI_PRI_ALLOC_REQ) == 4 &&
	              pwrite(config, &on, 2, pri + PCI_PRI_CTRL) == 2,
	      "page requests");
}

/* Another page each time, in the slots' own parts. */
static void ask(unsigned int n, unsigned int i)
{
	prepare(n, (struct operation){ .op = PAGE_REQUEST,
	                               .flags = WANTS_WRITE | LAST,
	                               .iova = (uintptr_t)memory + i * PAGE,
	                               .arg = n });
	go(n);
}

static int waits(unsigned int n)
{
	return (status(n) & 15) == AWAITING;
}

static void round_trip(const char *name)
{
	static double us[COUNT];
	double exit = now();

	for (unsigned int i = 0; i < 2000; i++)
		get32(0);
	exit = (now() - exit) / 2000;
	for (unsigned int i = 0; i < COUNT; i++) {
		enable();
		us[i] = now();
		ask(0, i);
		while (waits(0))
			sched_yield();
		us[i] = now() - us[i];
	}
	qsort(us, COUNT, sizeof(*us), by_time);
	printf("figure %s_p50 us %.1f\n", name, us[COUNT / 2]);
	printf("figure %s_p99 us %.1f\n", name, us[COUNT * 99 / 100]);
	printf("figure %s_max us %.1f\n", name, us[COUNT - 1]);
	printf("figure %s_p50_exits exits %.1f\n", name, us[COUNT / 2] / exit);
}

static void rate(const char *name)
{
	unsigned int asked = 0, answered = 0, free = (1 << SLOTS) - 1;
	const double from = now();

	while (answered < COUNT)
		for (unsigned int n = 0; n < SLOTS; n++) {
			if (!(free & 1 << n) && !waits(n)) {
				free |= 1 << n;
				answered++;
			}
			if ((free & 1 << n) && asked < COUNT) {
				free &= ~(1 << n);
				ask(n, COUNT + asked++);
			}
		}
	printf("figure %s_rate requests/s %.0f\n", name, COUNT / (now() - from) * 1e6);
}

static void open_mailbox(const char *path)
{
	fd = open(path, O_RDWR);
	check(fd >= 0, "open");
	config = -1;
	map_registers(fd);
}

static int capability(unsigned int id)
{
	uint32_t header = 0;
	int at = PCI_CFG_SPACE_SIZE;

	while (at && pread(config, &header, 4, at) == 4 && PCI_EXT_CAP_ID(header) != id)
		at = PCI_EXT_CAP_NEXT(header);
	check(at, "a page request interface");
	return at;
}

static void open_function(const char *path)
{
	const uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	check(!chdir(path), "chdir");
	config = open("config", O_RDWR);
	check(pwrite(config, &command, 2, PCI_COMMAND) == 2, "bus master");
	pri = capability(PCI_EXT_CAP_ID_PRI);
	fd = open("resource1", O_RDWR);
	map_registers(fd);
}

int main(int argc, char **argv)
{
	setlinebuf(stdout);
	check(argc == 3, "arguments");
	memory = mmap(NULL, 2 * COUNT * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	              -1, 0);
	check(memory != MAP_FAILED, "memory");
	if (!strcmp(argv[1], "mailbox"))
		open_mailbox(argv[2]);
	else
		open_function(argv[2]);
	printf("asks: begins\n");
	round_trip(argv[1]);
	if (config < 0)
		rate(argv[1]);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* The block device on a real file and a real loop. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <sys/mman.h>
#include <unistd.h>

#include "devices/virtio/blk.h"
#include "tests/unit/fake_virtio.h"
#include "tests/unit/leak.h"
#include "vmm/loop.h"

#define BASE    0x80000000ULL
#define HEADER  (BASE + RING_END)
#define STATUS  (BASE + RING_END + 0x100)
#define DATA    (BASE + RING_END + 0x1000)
#define SECTORS 16
#define NONE    0xee /* a status that no device writes */

static u8 *ram;
static struct guest_mem mem = { .base = BASE, .size = 0x2000000 };
static struct dma_space space;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct loop *loop;
static struct log log_off;
static struct virtio_dev *blk;
static struct fake_transport transport;
static struct driver drv;
static int file;

static void stop_at_interrupt(struct virtio_transport *t, struct virtq *vq)
{
	(void)vq;
	container_of(t, struct fake_transport, transport)->interrupts++;
	loop_stop(loop);
}

static void live(u64 features)
{
	blk->acked = features | BIT(VIRTIO_F_VERSION_1);
	blk->status = 0xf;
	driver_start(&drv, &mem, &blk->vq[0], 256);
}

static void create(bool read_only)
{
	struct blk_config c = { .fd = dup(file),
		                .size = SECTORS * 512 + 100,
		                .read_only = read_only,
		                .serial = "nestor-disk-with-a-long-serial" };

	cr_assert(zero(int, blk_create(&blk, loop, &space, &log_off, &c)));
	blk->transport = &transport.transport;
	live(0);
}

static void make(void)
{
	ram = mem.host = mmap(NULL, mem.size, PROT_READ | PROT_WRITE,
	                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	file = memfd_create("disk", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	for (int i = 0; i < SECTORS * 512; i++)
		cr_assert(eq(int, write(file, &(u8){ i / 512 * 16 + i % 16 }, 1), 1));
	dma_identity(&space, &mem);
	fake_transport_init(&transport);
	transport.transport.interrupt = stop_at_interrupt;
	cr_assert(zero(int, loop_create(&loop, &lock)));
	create(false);
}

static void unmake(void)
{
	loop_drain(loop);
	blk_destroy(blk);
	loop_destroy(loop);
	expect_no_leak();
	close(file);
	munmap(ram, mem.size);
}

TestSuite(blk, .init = make, .fini = unmake, .timeout = 20);

static u8 *at(gpa_t gpa)
{
	return ram + (gpa - BASE);
}

/* Header, data, status in three descriptors; the data is the device's to write, or the driver's. */
static void queue(u32 type, u64 sector, u32 len, bool in)
{
	struct virtio_blk_outhdr header = { .type = type, .sector = sector };

	memcpy(at(HEADER), &header, sizeof(header));
	*at(STATUS) = NONE;
	driver_desc(&drv, 0, HEADER, sizeof(header), VRING_DESC_F_NEXT, len ? 1 : 2);
	driver_desc(&drv, 1, DATA, len, VRING_DESC_F_NEXT | (in ? VRING_DESC_F_WRITE : 0), 2);
	driver_desc(&drv, 2, STATUS, 1, VRING_DESC_F_WRITE, 0);
	driver_avail(&drv, 0);
}

/* Kicks and runs until the driver is interrupted; the status. */
static u8 finish(void)
{
	unsigned int before = transport.interrupts;

	virtio_notify(blk, 0);
	if (transport.interrupts == before)
		cr_assert(zero(int, loop_run(loop)));
	cr_assert(eq(u32, blk->in_flight, 0));
	return *at(STATUS);
}

static u32 used_len(void)
{
	return driver_used(&drv, driver_used_idx(&drv) - 1).len;
}

Test(blk, it_says_how_large_it_is)
{
	const struct virtio_blk_config *c = blk->config;

	cr_assert(eq(u64, c->capacity, SECTORS),
	          "what is beyond the last whole sector is not seen");
	cr_assert(eq(u32, c->blk_size, 512));
	cr_assert(eq(u32, c->seg_max, 254));
	cr_assert(eq(u64, blk->features & BIT(VIRTIO_BLK_F_FLUSH), BIT(VIRTIO_BLK_F_FLUSH)));
	cr_assert(zero(u64, blk->features & BIT(VIRTIO_BLK_F_RO)));
}

Test(blk, a_read_is_what_the_file_has)
{
	queue(VIRTIO_BLK_T_IN, 3, 1024, true);
	cr_assert(eq(u32, finish(), VIRTIO_BLK_S_OK));
	cr_assert(eq(u32, used_len(), 1025));
	for (int i = 0; i < 1024; i++)
		cr_assert(eq(u32, at(DATA)[i], (3 + i / 512) * 16 + i % 16));
	cr_assert(zero(u32, at(DATA)[1024]));
}

Test(blk, a_write_is_in_the_file)
{
	u8 got[512];

	memset(at(DATA), 0x77, 512);
	queue(VIRTIO_BLK_T_OUT, SECTORS - 1, 512, false);
	cr_assert(eq(u32, finish(), VIRTIO_BLK_S_OK));
	cr_assert(eq(u32, used_len(), 1));
	cr_assert(eq(int, pread(file, got, 512, (SECTORS - 1) * 512), 512));
	cr_assert(zero(int, memcmp(got, at(DATA), 512)));
	cr_assert(eq(int, lseek(file, 0, SEEK_END), SECTORS * 512));
}

Test(blk, a_flush_succeeds)
{
	queue(VIRTIO_BLK_T_FLUSH, 0, 0, false);
	cr_assert(eq(u32, finish(), VIRTIO_BLK_S_OK));
	cr_assert(eq(u32, used_len(), 1));
}

Test(blk, its_id_is_cut_at_20_characters)
{
	queue(VIRTIO_BLK_T_GET_ID, 0, 30, true);
	cr_assert(eq(u32, finish(), VIRTIO_BLK_S_OK));
	cr_assert(eq(u32, used_len(), 21));
	cr_assert(eq(str, (char *)at(DATA), "nestor-disk-with-a-l"));
}

struct request_case {
	u32 type;
	u64 sector;
	u32 len;
	u8 status;
};

ParameterizedTestParameters(blk, a_request_that_cannot_be_is_answered)
{
	static struct request_case cases[] = {
		{ VIRTIO_BLK_T_IN, SECTORS, 512, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, SECTORS - 1, 1024, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, ~0ULL, 512, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, 1ULL << 55, 512, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, 0, 511, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, 0, 0, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_OUT, SECTORS, 512, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_OUT, 0, 513, VIRTIO_BLK_S_IOERR },
		{ 99, 0, 512, VIRTIO_BLK_S_UNSUPP },
		{ VIRTIO_BLK_T_DISCARD, 0, 512, VIRTIO_BLK_S_UNSUPP },
	};

	return cr_make_param_array(struct request_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct request_case *c, blk, a_request_that_cannot_be_is_answered)
{
	queue(c->type, c->sector, c->len, c->type != VIRTIO_BLK_T_OUT);
	cr_assert(eq(u32, finish(), c->status), "type %u, sector %llu, %u bytes", c->type,
	          (unsigned long long)c->sector, c->len);
	cr_assert(eq(u32, used_len(), 1));
	cr_assert(eq(u32, blk->status, 0xf));
	cr_assert(eq(int, lseek(file, 0, SEEK_END), SECTORS * 512));
}

Test(blk, more_than_4_gib_is_out_of_range)
{
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_OUT };

	/* 4 GiB and a sector, all of it the same RAM */
	cr_assert(zero(int, fcntl(file, F_ADD_SEALS, F_SEAL_GROW)));
	memcpy(at(HEADER), &header, sizeof(header));
	*at(STATUS) = NONE;
	driver_desc(&drv, 0, HEADER, sizeof(header), VRING_DESC_F_NEXT, 1);
	for (u16 i = 1; i <= 256 / 2; i++)
		driver_desc(&drv, i, BASE, 0x2000000, VRING_DESC_F_NEXT, i + 1);
	driver_desc(&drv, 129, DATA, 512, VRING_DESC_F_NEXT, 130);
	driver_desc(&drv, 130, STATUS, 1, VRING_DESC_F_WRITE, 0);
	driver_avail(&drv, 0);
	cr_assert(eq(u32, finish(), VIRTIO_BLK_S_IOERR));
}

Test(blk, a_read_only_disk_is_not_written)
{
	blk_destroy(blk);
	create(true);
	cr_assert(eq(u64, blk->features & BIT(VIRTIO_BLK_F_RO), BIT(VIRTIO_BLK_F_RO)));
	queue(VIRTIO_BLK_T_OUT, 0, 512, false);
	cr_assert(eq(u32, finish(), VIRTIO_BLK_S_IOERR));
	cr_assert(eq(int, pread(file, at(DATA), 1, 17), 1));
	cr_assert(eq(u32, *at(DATA), 1), "the file is as it was");
}

Test(blk, a_read_only_disk_is_read)
{
	blk_destroy(blk);
	create(true);
	queue(VIRTIO_BLK_T_IN, 0, 512, true);
	cr_assert(eq(u32, finish(), VIRTIO_BLK_S_OK));
}

Test(blk, a_file_that_shrank_is_an_error_that_claims_no_data)
{
	cr_assert(zero(int, ftruncate(file, 512)));
	queue(VIRTIO_BLK_T_IN, 4, 512, true);
	cr_assert(eq(u32, finish(), VIRTIO_BLK_S_IOERR));
	cr_assert(eq(u32, used_len(), 1));
}

Test(blk, a_short_transfer_goes_on_to_its_end)
{
	cr_assert(zero(int, ftruncate(file, 512 + 100)));
	queue(VIRTIO_BLK_T_IN, 0, 1024, true);
	cr_assert(eq(u32, finish(), VIRTIO_BLK_S_IOERR));
	cr_assert(eq(u32, at(DATA)[512 + 99], 16 + 99 % 16));
}

struct shape_case {
	u32 header, data, status; /* the length of each; data 0: none */
};

ParameterizedTestParameters(blk, what_is_no_request_breaks_the_queue)
{
	static struct shape_case cases[] = {
		{ 15, 0, 1 },
		{ 8, 512, 1 },
		{ 16, 512, 0 },
		{ 16, 0, 0 },
	};

	return cr_make_param_array(struct shape_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct shape_case *c, blk, what_is_no_request_breaks_the_queue)
{
	driver_desc(&drv, 0, HEADER, c->header, VRING_DESC_F_NEXT, 2);
	driver_desc(&drv, 2, STATUS, c->status, VRING_DESC_F_WRITE, 0);
	if (!c->status)
		driver_desc(&drv, 0, HEADER, c->header, c->data ? VRING_DESC_F_NEXT : 0, 1);
	driver_desc(&drv, 1, DATA, c->data, 0, 0);
	driver_avail(&drv, 0);
	virtio_notify(blk, 0);
	cr_assert(eq(u32, blk->status, 0xf | VIRTIO_CONFIG_S_NEEDS_RESET));
	cr_assert(zero(u32, blk->in_flight));
}

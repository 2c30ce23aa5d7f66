// SPDX-License-Identifier: GPL-2.0-only
/* A PCI function as vfio-pci shows it: info, regions, interrupts, resets; and what it was told. */
#include "tests/unit/fake_function.h"

#include <endian.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#define SHIFT 40 /* of a region's index in an offset (VFIO_PCI_OFFSET_SHIFT) */

struct fake_function fake_functions[4];
static char notes[8192];

#define CALL()                              \
	do {                                \
		if (uapi_fails(u))          \
			return u->fail_err; \
	} while (0)

void fake_note(const char *format, ...)
{
	const size_t at = strlen(notes);
	va_list args;

	va_start(args, format);
	vsnprintf(notes + at, sizeof(notes) - at, format, args);
	va_end(args);
}

char *fake_noted(void)
{
	static char copy[sizeof(notes)];

	memcpy(copy, notes, sizeof(copy));
	*notes = 0;
	return copy;
}

void fake_put16(struct fake_function *f, unsigned int at, u16 val)
{
	val = htole16(val);
	memcpy(&f->config[at], &val, sizeof(val));
}

void fake_put32(struct fake_function *f, unsigned int at, u32 val)
{
	val = htole32(val);
	memcpy(&f->config[at], &val, sizeof(val));
}

u32 fake_get(const struct fake_function *f, unsigned int at, unsigned int size)
{
	u32 val = 0;

	memcpy(&val, &f->config[at], size);
	return le32toh(val);
}

void fake_put_cap(struct fake_function *f, unsigned int at, u8 id, u8 next)
{
	f->config[at] = id;
	f->config[at + 1] = next;
}

void fake_put_ext(struct fake_function *f, unsigned int at, u16 id, unsigned int next)
{
	fake_put32(f, at, id | 1 << 16 | next << 20);
}

static void allow(struct fake_function *f, unsigned int at, unsigned int len)
{
	memset(&f->writable[at], 0xff, len);
}

static void make_header(struct fake_function *f)
{
	static const u32 bars[] = { 0, 1, 0xc, 0, 0, 0 };

	fake_put32(f, PCI_VENDOR_ID, 0x10d38086);
	fake_put32(f, PCI_CLASS_REVISION, 0x02000003);
	f->config[PCI_HEADER_TYPE] = 0x80;
	fake_put16(f, PCI_STATUS, PCI_STATUS_CAP_LIST);
	for (unsigned int i = 0; i < 6; i++)
		fake_put32(f, PCI_BASE_ADDRESS_0 + i * 4, 0xfe000000 * !(bars[i] & 1) | bars[i]);
	f->config[PCI_CAPABILITY_LIST] = FAKE_CAP_PM;
	f->config[PCI_INTERRUPT_PIN] = 2;
	f->config[PCI_INTERRUPT_LINE] = 11;
	allow(f, PCI_COMMAND, 2);
}

static void make_capabilities(struct fake_function *f)
{
	fake_put_cap(f, FAKE_CAP_PM, PCI_CAP_ID_PM, FAKE_CAP_MSI);
	fake_put16(f, FAKE_CAP_PM + PCI_PM_PMC, 3);
	f->writable[FAKE_CAP_PM + PCI_PM_CTRL] = PCI_PM_CTRL_STATE_MASK;
	fake_put_cap(f, FAKE_CAP_MSI, PCI_CAP_ID_MSI, FAKE_CAP_EXP);
	fake_put16(f, FAKE_CAP_MSI + PCI_MSI_FLAGS,
	           PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | 3 << 1);
	fake_put_cap(f, FAKE_CAP_EXP, PCI_CAP_ID_EXP, FAKE_CAP_MSIX);
	fake_put16(f, FAKE_CAP_EXP + PCI_EXP_FLAGS, 2);
	fake_put32(f, FAKE_CAP_EXP + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_FLR);
	fake_put32(f, FAKE_CAP_EXP + PCI_EXP_LNKCAP, 0x12345678);
	fake_put16(f, FAKE_CAP_EXP + PCI_EXP_LNKSTA, 0x1043);
	fake_put32(f, FAKE_CAP_EXP + PCI_EXP_LNKCAP2, 0x1e);
	allow(f, FAKE_CAP_EXP + PCI_EXP_DEVCTL, 2);
	fake_put_cap(f, FAKE_CAP_MSIX, PCI_CAP_ID_MSIX, FAKE_CAP_AF);
	fake_put16(f, FAKE_CAP_MSIX + PCI_MSIX_FLAGS, FAKE_NR_MSIX - 1);
	fake_put32(f, FAKE_CAP_MSIX + PCI_MSIX_TABLE, 5);
	fake_put32(f, FAKE_CAP_MSIX + PCI_MSIX_PBA, FAKE_MSIX_PBA | 5);
	fake_put_cap(f, FAKE_CAP_AF, PCI_CAP_ID_AF, FAKE_CAP_VPD);
	f->config[FAKE_CAP_AF + PCI_AF_LENGTH] = PCI_CAP_AF_SIZEOF;
	f->config[FAKE_CAP_AF + PCI_AF_CAP] = PCI_AF_CAP_FLR | PCI_AF_CAP_TP;
	fake_put_cap(f, FAKE_CAP_VPD, PCI_CAP_ID_VPD, 0);
	allow(f, FAKE_CAP_VPD + PCI_VPD_ADDR, 6);
}

static void make_extended(struct fake_function *f)
{
	fake_put_ext(f, FAKE_EXT_AER, PCI_EXT_CAP_ID_ERR, FAKE_EXT_ATS);
	fake_put_ext(f, FAKE_EXT_ATS, PCI_EXT_CAP_ID_ATS, FAKE_EXT_PRI);
	fake_put16(f, FAKE_EXT_ATS + PCI_ATS_CTRL, 0x1f);
	fake_put_ext(f, FAKE_EXT_PRI, PCI_EXT_CAP_ID_PRI, FAKE_EXT_IOV);
	fake_put32(f, FAKE_EXT_PRI + PCI_PRI_MAX_REQ, 32);
	fake_put_ext(f, FAKE_EXT_IOV, PCI_EXT_CAP_ID_SRIOV, FAKE_EXT_DSN);
	fake_put16(f, FAKE_EXT_IOV + PCI_SRIOV_TOTAL_VF, 8);
	fake_put_ext(f, FAKE_EXT_DSN, PCI_EXT_CAP_ID_DSN, 0);
	fake_put32(f, FAKE_EXT_DSN + 4, 0xabcdef01);
}

#define RW   (VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE)
#define MMAP (RW | VFIO_REGION_INFO_FLAG_MMAP)

void fake_function_init(struct fake_function *f)
{
	*f = (struct fake_function){
		.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET,
		.regions = {
			[0] = { .size = FAKE_BAR0_SIZE, .flags = MMAP },
			[1] = { .size = 0x20, .flags = RW },
			[2] = { .size = FAKE_BAR2_SIZE, .flags = MMAP },
			[4] = { .size = FAKE_BAR4_SIZE, .flags = MMAP | VFIO_REGION_INFO_FLAG_CAPS,
			        .sparse = { { 0, 0x1000 }, { 0x4000, 0x4000 } }, .nr_sparse = 2 },
			[5] = { .size = FAKE_BAR5_SIZE, .flags = MMAP },
			[VFIO_PCI_ROM_REGION_INDEX] = { .size = FAKE_ROM_SIZE,
			                                .flags = VFIO_REGION_INFO_FLAG_READ },
			[VFIO_PCI_CONFIG_REGION_INDEX] = { .size = sizeof(f->config), .flags = RW },
		},
		.irqs = {
			[VFIO_PCI_INTX_IRQ_INDEX] = { 1, VFIO_IRQ_INFO_EVENTFD |
			                                 VFIO_IRQ_INFO_MASKABLE |
			                                 VFIO_IRQ_INFO_AUTOMASKED },
			[VFIO_PCI_MSI_IRQ_INDEX] = { 8, VFIO_IRQ_INFO_EVENTFD |
			                                VFIO_IRQ_INFO_NORESIZE },
			[VFIO_PCI_MSIX_IRQ_INDEX] = { FAKE_NR_MSIX, VFIO_IRQ_INFO_EVENTFD },
			[VFIO_PCI_ERR_IRQ_INDEX] = { 1, VFIO_IRQ_INFO_EVENTFD },
			[VFIO_PCI_REQ_IRQ_INDEX] = { 1, VFIO_IRQ_INFO_EVENTFD },
		},
		.gate = -1,
		.mode = -1,
	};
	make_header(f);
	make_capabilities(f);
	make_extended(f);
}

int fake_get_info(struct uapi *u, int fd, struct vfio_device_info *arg)
{
	CALL();
	arg->flags = fake_function_of(fd)->flags;
	arg->num_regions = VFIO_PCI_NUM_REGIONS;
	arg->num_irqs = VFIO_PCI_NUM_IRQS;
	return 0;
}

/* Its areas, as far as @arg has room for all of them. */
static void put_sparse(const struct fake_region *r, struct vfio_region_info *arg)
{
	struct vfio_region_info_cap_sparse_mmap *cap = (void *)(arg + 1);
	const u32 size = sizeof(*cap) + r->nr_sparse * sizeof(cap->areas[0]);

	if (arg->argsz >= sizeof(*arg) + size) {
		*cap = (struct vfio_region_info_cap_sparse_mmap){
			.header = { .id = VFIO_REGION_INFO_CAP_SPARSE_MMAP, .version = 1 },
			.nr_areas = r->nr_sparse,
		};
		for (unsigned int i = 0; i < r->nr_sparse; i++) {
			cap->areas[i].offset = r->sparse[i].at;
			cap->areas[i].size = r->sparse[i].len;
		}
		arg->cap_offset = sizeof(*arg);
	}
	arg->argsz = sizeof(*arg) + size;
}

int fake_get_region_info(struct uapi *u, int fd, struct vfio_region_info *arg)
{
	const struct fake_region *r = &fake_function_of(fd)->regions[arg->index];

	CALL();
	if (arg->index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	arg->offset = (u64)arg->index << SHIFT;
	arg->size = r->size;
	arg->flags = r->flags;
	arg->cap_offset = 0;
	if (r->flags & VFIO_REGION_INFO_FLAG_CAPS)
		put_sparse(r, arg);
	return 0;
}

int fake_get_irq_info(struct uapi *u, int fd, struct vfio_irq_info *arg)
{
	const struct fake_function *f = fake_function_of(fd);

	CALL();
	if (arg->index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	arg->flags = f->irqs[arg->index].flags;
	arg->count = f->irqs[arg->index].count;
	return 0;
}

static void forget_fds(struct fake_function *f)
{
	f->mode = -1;
	f->nr_fds = 0;
	for (size_t i = 0; i < ARRAY_SIZE(f->fds); i++)
		f->fds[i] = -1;
}

/* vfio_pci_set_msi_trigger, vfio_pci_set_intx_trigger: one kind at a time; vectors are added later
 * only where that can be. */
static int trigger(struct fake_function *f, const struct vfio_irq_set *arg)
{
	const int *fds = (const void *)arg->data;

	if (arg->index >= VFIO_PCI_ERR_IRQ_INDEX) {
		f->events[arg->index - VFIO_PCI_ERR_IRQ_INDEX] = fds[0];
		return 0;
	}
	if (!arg->count && arg->flags & VFIO_IRQ_SET_DATA_NONE) {
		if (f->mode == (int)arg->index)
			forget_fds(f);
		return 0;
	}
	if ((f->mode >= 0 && f->mode != (int)arg->index) ||
	    !(arg->flags & VFIO_IRQ_SET_DATA_EVENTFD))
		return -EINVAL;
	if (f->mode >= 0 && f->irqs[arg->index].flags & VFIO_IRQ_INFO_NORESIZE &&
	    arg->start + arg->count > f->nr_fds)
		return -EINVAL;
	if (f->mode < 0 && f->most_vectors && arg->count > f->most_vectors)
		return f->most_vectors;
	if (f->mode < 0)
		forget_fds(f);
	f->mode = arg->index;
	if (arg->start + arg->count > f->nr_fds)
		f->nr_fds = arg->start + arg->count;
	memcpy(f->fds + arg->start, fds, arg->count * sizeof(*fds));
	return 0;
}

int fake_set_irqs(struct uapi *u, int fd, struct vfio_irq_set *arg)
{
	struct fake_function *f = fake_function_of(fd);
	const u32 data = arg->flags & VFIO_IRQ_SET_DATA_EVENTFD ? 4 * arg->count : 0;

	CALL();
	if (f->gone)
		return -EIO;
	if (arg->argsz != sizeof(*arg) + data || arg->index >= VFIO_PCI_NUM_IRQS ||
	    arg->start >= f->irqs[arg->index].count ||
	    arg->start + arg->count > f->irqs[arg->index].count)
		return -EINVAL;
	if (arg->flags & VFIO_IRQ_SET_ACTION_TRIGGER)
		return trigger(f, arg);
	if (arg->index != VFIO_PCI_INTX_IRQ_INDEX || f->mode != VFIO_PCI_INTX_IRQ_INDEX)
		return -EINVAL;
	f->nr_unmasks += arg->flags & VFIO_IRQ_SET_ACTION_UNMASK ? 1 : 0;
	return 0;
}

static void hold_reset(struct fake_function *f)
{
	eventfd_t n;

	__atomic_store_n(&f->resetting, true, __ATOMIC_SEQ_CST);
	if (f->gate >= 0)
		eventfd_read(f->gate, &n);
	__atomic_store_n(&f->resetting, false, __ATOMIC_SEQ_CST);
}

int fake_reset(struct uapi *u, int fd)
{
	struct fake_function *f = fake_function_of(fd);

	CALL();
	f->nr_resets++;
	hold_reset(f);
	return 0;
}

int fake_hot_reset(struct uapi *u, int fd, struct vfio_pci_hot_reset *arg)
{
	struct fake_function *f = fake_function_of(fd);

	CALL();
	if (arg->flags || arg->count)
		return -EINVAL;
	f->nr_hot_resets++;
	hold_reset(f);
	return 0;
}

/* Config space bytes that are there, or a region's. */
static int check(struct fake_function *f, u32 len, u64 offset)
{
	const unsigned int region = offset >> SHIFT;
	const u64 at = offset & (BIT(SHIFT) - 1);

	if (f->gone)
		return -EIO;
	if (region >= VFIO_PCI_NUM_REGIONS || at >= f->regions[region].size ||
	    len > f->regions[region].size - at)
		return -EINVAL;
	return 0;
}

int fake_read_region(struct uapi *u, int fd, void *buf, u32 len, u64 offset)
{
	struct fake_function *f = fake_function_of(fd);
	const unsigned int region = offset >> SHIFT;
	const u64 at = offset & (BIT(SHIFT) - 1), word = htole64(fake_region_word(region, at));
	int err;

	CALL();
	err = check(f, len, offset);
	if (err)
		return err;
	if (region == VFIO_PCI_CONFIG_REGION_INDEX)
		memcpy(buf, f->config + at, len);
	else
		memcpy(buf, &word, len);
	return 0;
}

static void write_config(struct fake_function *f, const u8 *buf, u32 len, u64 at)
{
	u32 val = 0;

	memcpy(&val, buf, len);
	fake_note("config %#llx/%u=%#x;", (unsigned long long)at, len, le32toh(val));
	for (u32 i = 0; i < len; i++)
		f->config[at + i] = (f->config[at + i] & ~f->writable[at + i]) |
		                    (buf[i] & f->writable[at + i]);
}

int fake_write_region(struct uapi *u, int fd, const void *buf, u32 len, u64 offset)
{
	struct fake_function *f = fake_function_of(fd);
	const u64 at = offset & (BIT(SHIFT) - 1);
	u64 val = 0;
	int err;

	CALL();
	err = check(f, len, offset);
	if (err)
		return err;
	if (offset >> SHIFT == VFIO_PCI_CONFIG_REGION_INDEX) {
		write_config(f, buf, len, at);
		return 0;
	}
	memcpy(&val, buf, len);
	f->wrote.region = offset >> SHIFT;
	f->wrote.offset = at;
	f->wrote.len = len;
	f->wrote.val = le64toh(val);
	return 0;
}

/* They are counted together: an unmap does not say whose it is. */
int fake_map_region(struct uapi *u, int fd, u64 len, u64 offset, void **host)
{
	struct fake_function *f = fake_function_of(fd);

	CALL();
	if (!(f->regions[offset >> SHIFT].flags & VFIO_REGION_INFO_FLAG_MMAP) || offset % 0x1000 ||
	    len % 0x1000)
		return -EINVAL;
	*host = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (*host == MAP_FAILED)
		return -errno;
	fake_functions[0].nr_mapped++;
	return 0;
}

void fake_unmap_region(struct uapi *u, void *host, u64 len)
{
	(void)u;
	munmap(host, len);
	fake_functions[0].nr_mapped--;
}

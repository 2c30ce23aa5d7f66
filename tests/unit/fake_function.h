/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_FUNCTION_H
#define TESTS_UNIT_FAKE_FUNCTION_H

#include <linux/vfio.h>

#include "vfio/uapi.h"

/*
 * PCI functions behind the cdevs of a fake host (fake_iommufd.h), as vfio-pci shows them:
 * vfio0 to vfio3, each as fake_function_init() makes it and a test changes it before it is opened.
 */
#define FAKE_CAP_PM   0x40
#define FAKE_CAP_MSI  0x50 /* 8 vectors, 64-bit, each has a mask */
#define FAKE_CAP_EXP  0x70 /* version 2, with FLR */
#define FAKE_CAP_MSIX 0xb0 /* 3 vectors, table and pending bits in BAR 5 */
#define FAKE_CAP_AF   0xc0
#define FAKE_CAP_VPD  0xd0
#define FAKE_EXT_AER  0x100
#define FAKE_EXT_ATS  0x150
#define FAKE_EXT_PRI  0x160
#define FAKE_EXT_IOV  0x180
#define FAKE_EXT_DSN  0x1c0

#define FAKE_BAR0_SIZE 0x20000 /* 32 bits, mapped as a whole */
#define FAKE_BAR2_SIZE 0x8000  /* 64 bits, prefetchable, mapped as a whole; BAR 1 is of I/O */
#define FAKE_BAR4_SIZE 0x10000 /* 32 bits, of which two areas are mapped */
#define FAKE_BAR5_SIZE 0x4000  /* 32 bits: MSI-X */
#define FAKE_MSIX_PBA  0x2000
#define FAKE_ROM_SIZE  0xc000
#define FAKE_NR_MSIX   3

struct fake_function {
	/* what it is */
	u32 flags; /* VFIO_DEVICE_FLAGS_* */
	u8 config[4096], writable[4096];
	struct fake_region {
		u64 size;
		u32 flags;
		struct {
			u64 at, len;
		} sparse[8];
		unsigned int nr_sparse;
	} regions[VFIO_PCI_NUM_REGIONS];
	struct {
		u32 count, flags;
	} irqs[VFIO_PCI_NUM_IRQS];
	bool gone; /* whatever is read or written of it fails */
	int gate;  /* an eventfd: a reset ends when it is written; -1: at once */
	/* what it was told */
	int mode;    /* VFIO_PCI_*_IRQ_INDEX that is enabled; -1: none */
	int fds[64]; /* of its vectors; -1: none */
	unsigned int nr_fds;
	unsigned int most_vectors; /* that the host has for it; 0: as many as there are */
	int events[2]; /* that errors, and the host's wish to have it back, are told by */
	unsigned int nr_unmasks, nr_resets, nr_hot_resets, nr_mapped;
	bool resetting; /* now */
	struct {
		unsigned int region;
		u64 offset, val;
		u32 len;
	} wrote; /* the last to a region that is not its config space */
};

extern struct fake_function fake_functions[4];
struct fake_function *fake_function_of(int fd);
void fake_function_init(struct fake_function *f);

/* Fields of its config space, little-endian. */
void fake_put16(struct fake_function *f, unsigned int at, u16 val);
void fake_put32(struct fake_function *f, unsigned int at, u32 val);
u32 fake_get(const struct fake_function *f, unsigned int at, unsigned int size);
/* A capability's header: its ID, and the one after it. */
void fake_put_cap(struct fake_function *f, unsigned int at, u8 id, u8 next);
void fake_put_ext(struct fake_function *f, unsigned int at, u16 id, unsigned int next);

/* What happened, in order: writes to config space, resets, and whatever a test notes. */
void fake_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *fake_noted(void); /* since the last time */

/* A read of a BAR or the ROM answers with where it is. */
static inline u64 fake_region_word(unsigned int region, u64 offset)
{
	return (u64)(region + 1) << 24 | offset;
}

/* Rows of fake_iommufd_ops. */
int fake_get_info(struct uapi *u, int fd, struct vfio_device_info *arg);
int fake_get_region_info(struct uapi *u, int fd, struct vfio_region_info *arg);
int fake_get_irq_info(struct uapi *u, int fd, struct vfio_irq_info *arg);
int fake_set_irqs(struct uapi *u, int fd, struct vfio_irq_set *arg);
int fake_reset(struct uapi *u, int fd);
int fake_hot_reset(struct uapi *u, int fd, struct vfio_pci_hot_reset *arg);
int fake_read_region(struct uapi *u, int fd, void *buf, u32 len, u64 offset);
int fake_write_region(struct uapi *u, int fd, const void *buf, u32 len, u64 offset);
int fake_map_region(struct uapi *u, int fd, u64 len, u64 offset, void **host);
void fake_unmap_region(struct uapi *u, void *host, u64 len);

#endif

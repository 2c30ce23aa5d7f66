// SPDX-License-Identifier: GPL-2.0-only
/* The regions of an assigned function: BARs that the guest reaches without an exit where VFIO lets
 * them be mapped, and by calls elsewhere, as the expansion ROM is. */
#include <endian.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <string.h>
#include <unistd.h>

#include "vfio/pci_private.h"
#include "vmm/assigned.h"

#define MAX_ROM (16 << 20)

static u64 bar_read(void *dev, u64 offset, unsigned int size)
{
	const struct vfio_region *r = dev;
	struct uapi *u = vfio_uapi_of(r->pci);
	u64 val = 0;

	if (pci_msix_read(&r->pci->func, r->bar, offset, size, &val))
		return val;
	if (r->pci->lost || u->ops->read(u, r->pci->dev->fd, &val, size, r->offset + offset))
		return GENMASK(size * 8 - 1, 0);
	return le64toh(val);
}

static void bar_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	const struct vfio_region *r = dev;
	struct uapi *u = vfio_uapi_of(r->pci);
	const u64 raw = htole64(val);

	if (!pci_msix_write(&r->pci->func, r->bar, offset, size, val) && !r->pci->lost)
		u->ops->write(u, r->pci->dev->fd, &raw, size, r->offset + offset);
}

static const struct mmio_ops bar_ops = { .name = "vfio", .read = bar_read, .write = bar_write };

static void unplace(struct vfio_region *r)
{
	for (unsigned int i = 0; i < r->nr_pieces; i++) {
		vfio_peer_remove(r, &r->pieces[i]);
		if (r->pieces[i].slot >= 0)
			vm_slot_remove(r->pci->vm, r->pieces[i].slot);
		r->pieces[i].slot = -1;
	}
}

/* What KVM has no slot for is reached by calls. */
static void place(struct vfio_region *r, gpa_t at)
{
	for (unsigned int i = 0; i < r->nr_pieces; i++) {
		struct vfio_piece *piece = &r->pieces[i];

		if (piece->slot < 0)
			piece->slot =
				vm_slot_add(r->pci->vm, at + piece->at, piece->host, piece->len);
		vfio_peer_add(r, piece, at);
	}
}

/*
 * Before a vCPU can reach it the function decodes it: memory that VFIO has taken back is no exit
 * but the end of KVM_RUN.
 */
static void moved(struct pci_func *f, gpa_t from, gpa_t to)
{
	struct vfio_pci *p = vfio_pci_of(f);
	const bool decodes = to && !vfio_config_sync(p);

	(void)from;
	for (unsigned int bar = 0; bar < PCI_NR_BARS; bar++) {
		if (!f->bars[bar].at)
			unplace(&p->regions[bar]);
		else if (decodes)
			place(&p->regions[bar], f->bars[bar].at);
	}
}

/* What GET_REGION_INFO says, with what follows it. */
struct region_info {
	struct vfio_region_info info;
	u8 caps[1024];
};

static int get_info(struct vfio_pci *p, unsigned int index, struct region_info *i)
{
	struct uapi *u = vfio_uapi_of(p);

	memset(i, 0, sizeof(*i));
	i->info.argsz = sizeof(*i);
	i->info.index = index;
	return u->ops->get_region_info(u, p->dev->fd, &i->info);
}

/* A capability in it (vfio.h: struct vfio_info_cap_header), @len bytes at least; NULL. */
static const void *find_cap(const struct region_info *i, u16 id, size_t len)
{
	u32 at = i->info.flags & VFIO_REGION_INFO_FLAG_CAPS ? i->info.cap_offset : 0;

	for (unsigned int left = 16; at && at + len <= sizeof(*i) && left--;) {
		const struct vfio_info_cap_header *h = (const void *)((const u8 *)i + at);

		if (h->id == id)
			return h;
		at = h->next;
	}
	return NULL;
}

static void add_piece(struct vfio_region *r, u64 at, u64 end)
{
	if (at >= end || r->nr_pieces == VFIO_MAX_PIECES)
		return;
	r->pieces[r->nr_pieces++] = (struct vfio_piece){ .at = at, .len = end - at, .slot = -1 };
}

/* Of [@at, @end) whole pages, but for those that the guest is not to reach. */
static void add_around(struct vfio_region *r, u64 at, u64 end, const struct vfio_piece *holes)
{
	const u64 page = sysconf(_SC_PAGESIZE);

	for (unsigned int i = 0; i < 2; i++) { /* in order */
		const u64 from = ALIGN_DOWN(holes[i].at, page);
		const u64 to = ALIGN_UP(holes[i].at + holes[i].len, page);

		if (!holes[i].len || to <= at || from >= end)
			continue;
		add_piece(r, at, from);
		at = to;
	}
	add_piece(r, at, ALIGN_DOWN(end, page));
}

/* MSI-X's table and pending bits, where they are in @bar, the lower one first. */
static void find_holes(const struct vfio_pci *p, unsigned int bar, struct vfio_piece *holes)
{
	const unsigned int cap = p->caps[PCI_CAP_ID_MSIX];
	const u32 table = pci_get32(&p->func, cap + PCI_MSIX_TABLE);
	const u32 pending = pci_get32(&p->func, cap + PCI_MSIX_PBA);
	struct vfio_piece swap;

	memset(holes, 0, 2 * sizeof(*holes));
	if (cap && (table & PCI_MSIX_TABLE_BIR) == bar)
		holes[0] = (struct vfio_piece){ .at = table & PCI_MSIX_TABLE_OFFSET,
			                        .len = p->nr_vectors * PCI_MSIX_ENTRY_SIZE };
	if (cap && (pending & PCI_MSIX_PBA_BIR) == bar)
		holes[1] = (struct vfio_piece){ .at = pending & PCI_MSIX_PBA_OFFSET,
			                        .len = ALIGN_UP(p->nr_vectors, 64) / 8 };
	if (holes[1].at >= holes[0].at)
		return;
	swap = holes[0];
	holes[0] = holes[1];
	holes[1] = swap;
}

static void find_pieces(struct vfio_region *r, const struct region_info *i)
{
	const struct vfio_region_info_cap_sparse_mmap *sparse =
		find_cap(i, VFIO_REGION_INFO_CAP_SPARSE_MMAP, sizeof(*sparse));
	struct vfio_piece holes[2];

	if (!(i->info.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return;
	find_holes(r->pci, r->bar, holes);
	if (!sparse) {
		add_around(r, 0, r->size, holes);
		return;
	}
	for (u32 n = 0;
	     n < sparse->nr_areas && (const u8 *)&sparse->areas[n + 1] <= (const u8 *)(i + 1); n++)
		add_around(r, sparse->areas[n].offset,
		           sparse->areas[n].offset + sparse->areas[n].size, holes);
}

static int map_pieces(struct vfio_region *r)
{
	struct uapi *u = vfio_uapi_of(r->pci);
	int err = 0;

	for (unsigned int i = 0; i < r->nr_pieces && !err; i++) {
		struct vfio_piece *piece = &r->pieces[i];

		err = u->ops->map(u, r->pci->dev->fd, piece->len, r->offset + piece->at,
		                  &piece->host);
		if (err)
			r->nr_pieces = i;
	}
	return err;
}

/* BARs of I/O space are not there: segments have none. */
static int add_bar(struct vfio_pci *p, unsigned int bar)
{
	struct vfio_region *r = &p->regions[bar];
	struct uapi *u = vfio_uapi_of(p);
	struct region_info i;
	u32 reg = 0;
	int err = get_info(p, VFIO_PCI_BAR0_REGION_INDEX + bar, &i);

	if (err || !i.info.size)
		return err;
	err = u->ops->read(u, p->dev->fd, &reg, sizeof(reg),
	                   p->config + PCI_BASE_ADDRESS_0 + bar * 4);
	if (err)
		return err;
	reg = le32toh(reg);
	if (reg & PCI_BASE_ADDRESS_SPACE_IO)
		return 0;
	*r = (struct vfio_region){
		.pci = p, .bar = bar, .offset = i.info.offset, .size = i.info.size
	};
	find_pieces(r, &i);
	err = map_pieces(r);
	if (!err)
		pci_bar_add(&p->func, bar,
		            &(struct pci_bar){ .size = r->size,
		                               .is_64 = reg & PCI_BASE_ADDRESS_MEM_TYPE_64,
		                               .prefetch = reg & PCI_BASE_ADDRESS_MEM_PREFETCH,
		                               .ops = &bar_ops,
		                               .dev = r,
		                               .moved = moved });
	return err;
}

static void add_rom(struct vfio_pci *p)
{
	struct vfio_region *r = &p->regions[PCI_ROM_BAR];
	struct region_info i;
	u64 size;

	if (get_info(p, VFIO_PCI_ROM_REGION_INDEX, &i) || !i.info.size || i.info.size > MAX_ROM)
		return;
	size = i.info.size;
	while (size & (size - 1)) /* up to a power of two, as a BAR's is */
		size += FIELD_LOW(size);
	*r = (struct vfio_region){
		.pci = p, .bar = PCI_ROM_BAR, .offset = i.info.offset, .size = size
	};
	pci_bar_add(&p->func, PCI_ROM_BAR,
	            &(struct pci_bar){ .size = size, .ops = &bar_ops, .dev = r });
}

int vfio_bars_init(struct vfio_pci *p)
{
	int err = 0;

	for (unsigned int bar = 0; bar < PCI_NR_BARS && !err; bar++)
		err = add_bar(p, bar);
	if (!err)
		add_rom(p);
	return err;
}

void vfio_bars_destroy(struct vfio_pci *p)
{
	struct uapi *u = vfio_uapi_of(p);

	for (unsigned int bar = 0; bar < PCI_NR_BARS; bar++) {
		struct vfio_region *r = &p->regions[bar];

		unplace(r);
		for (unsigned int i = 0; i < r->nr_pieces; i++)
			u->ops->unmap(u, r->pieces[i].host, r->pieces[i].len);
		r->nr_pieces = 0;
	}
}

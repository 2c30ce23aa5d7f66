// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space of an assigned function: whose each byte is. VFIO passes, virtualises or
 * hides registers itself (drivers/vfio/pci/vfio_pci_config.c); here is what is left to do: header,
 * messages, what Nestor's own segments decide, and what a guest is not to have.
 */
#include <endian.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "vfio/pci_private.h"

#define LINK_OFFSET PCI_EXP_LNKCAP
#define LINK_SIZE   (PCI_EXP_LNKSTA + 2 - PCI_EXP_LNKCAP)
#define LINK2_SIZE  (PCI_EXP_LNKSTA2 + 2 - PCI_EXP_LNKCAP2)

void vfio_config_keep(struct vfio_pci *p, unsigned int at, unsigned int len)
{
	if (len > PCI_CONFIG_SIZE - at)
		len = PCI_CONFIG_SIZE - at; /* a capability that the function has not all of */
	memset(&p->ours[at], 0xff, len);
	memset(&p->func.writable[at], 0, len);
}

static void hide(struct vfio_pci *p, unsigned int at, unsigned int len)
{
	vfio_config_keep(p, at, len);
	memset(&p->func.config[at], 0, len > PCI_CONFIG_SIZE - at ? PCI_CONFIG_SIZE - at : len);
}

/* What passes through is the function's again at each read. One that is gone answers all ones. */
static void config_read(struct pci_func *f, unsigned int offset, unsigned int size)
{
	struct vfio_pci *p = vfio_pci_of(f);
	struct uapi *u = vfio_uapi_of(p);
	u8 now[4], passed = 0;

	for (unsigned int i = 0; i < size; i++)
		passed |= ~p->ours[offset + i];
	if (!passed)
		return;
	if (u->ops->read(u, p->dev->fd, now, size, p->config + offset))
		memset(now, 0xff, size);
	for (unsigned int i = 0; i < size; i++) {
		const u8 ours = p->ours[offset + i];

		f->config[offset + i] = (f->config[offset + i] & ours) | (now[i] & ~ours);
	}
}

static int write_config(struct vfio_pci *p, unsigned int offset, const void *buf, unsigned int len)
{
	struct uapi *u = vfio_uapi_of(p);

	return u->ops->write(u, p->dev->fd, buf, len, p->config + offset);
}

static int write_command(struct vfio_pci *p, u16 command)
{
	const u16 raw = htole16(command);
	int err = command == p->command ? 0 : write_config(p, PCI_COMMAND, &raw, sizeof(raw));

	if (!err)
		p->command = command;
	return err;
}

int vfio_config_sync(struct vfio_pci *p)
{
	struct pci_func *f = &p->func;
	int err = 0;

	if (f->pm)
		err = write_config(p, f->pm + PCI_PM_CTRL, &f->config[f->pm + PCI_PM_CTRL],
		                   sizeof(u16));
	return err ? err : write_command(p, pci_get16(f, PCI_COMMAND));
}

/* Before its IOMMU lets it reach nothing any more: what it did then would be a fault of the host's.
 */
void vfio_config_stop(struct vfio_pci *p)
{
	write_command(p, 0);
}

/* VFIO has put back what there was before (pci_try_reset_function); the guest has nothing enabled.
 */
void vfio_config_after_reset(struct vfio_pci *p)
{
	p->command = ~pci_get16(&p->func, PCI_COMMAND);
	vfio_config_sync(p);
}

static bool writes(unsigned int reg, unsigned int offset, unsigned int size)
{
	return reg >= offset && reg < offset + size;
}

/* A reset that the guest asks for takes long: it is done elsewhere, and not passed on. */
static bool takes_reset(struct vfio_pci *p, unsigned int offset, unsigned int size)
{
	static const struct {
		u8 id, has, has_bit, reg, bit;
	} resets[] = {
		{ PCI_CAP_ID_EXP, PCI_EXP_DEVCAP + 3, PCI_EXP_DEVCAP_FLR >> 24, PCI_EXP_DEVCTL + 1,
		  PCI_EXP_DEVCTL_BCR_FLR >> 8 },
		{ PCI_CAP_ID_AF, PCI_AF_CAP, PCI_AF_CAP_FLR, PCI_AF_CTRL, PCI_AF_CTRL_FLR },
	};
	struct pci_func *f = &p->func;

	for (size_t i = 0; i < ARRAY_SIZE(resets); i++) {
		const unsigned int cap = p->caps[resets[i].id], reg = cap + resets[i].reg;

		if (!cap || !writes(reg, offset, size) || !(f->config[reg] & resets[i].bit) ||
		    !(f->config[cap + resets[i].has] & resets[i].has_bit))
			continue;
		f->config[reg] &= ~resets[i].bit;
		return true;
	}
	return false;
}

static void config_written(struct pci_func *f, unsigned int offset, unsigned int size)
{
	struct vfio_pci *p = vfio_pci_of(f);
	u8 passed = 0;

	if (p->lost)
		return;
	if (takes_reset(p, offset, size)) {
		pci_func_reset(f);
		return;
	}
	for (unsigned int i = 0; i < size; i++)
		passed |= ~p->ours[offset + i];
	if (passed)
		write_config(p, offset, &f->config[offset], size);
	write_command(p, pci_get16(f, PCI_COMMAND)); /* if it is another */
	vfio_pages_written(p, offset, size);
	vfio_irqs_update(p);
}

/* The header is ours but for the status (7.5.1.1): what is fixed is as the function has it. */
static void header_init(struct vfio_pci *p)
{
	struct pci_func *f = &p->func;

	vfio_config_keep(p, 0, PCI_STD_HEADER_SIZEOF);
	memset(&p->ours[PCI_STATUS], 0, 2);
	memset(&f->writable[PCI_STATUS], 0xff, 2);
	f->config[PCI_HEADER_TYPE] &= PCI_HEADER_TYPE_MASK; /* each is a device of its own here */
	f->config[PCI_BIST] = 0;
	memset(&f->config[PCI_BASE_ADDRESS_0], 0, PCI_NR_BARS * sizeof(u32));
	pci_set32(f, PCI_ROM_ADDRESS, 0);
	p->has_pin = f->config[PCI_INTERRUPT_PIN];
	f->config[PCI_INTERRUPT_PIN] = p->has_pin; /* INTA */
	pci_set16(f, PCI_COMMAND, 0);
	pci_allow16(f, PCI_COMMAND,
	            PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	f->writable[PCI_INTERRUPT_LINE] = 0xff;
	f->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	f->intx_elsewhere = true;
	f->config_read = config_read;
	f->config_written = config_written;
}

static int take_msi(struct vfio_pci *p, unsigned int at)
{
	const u16 control = pci_get16(&p->func, at + PCI_MSI_FLAGS);
	const bool wide = control & PCI_MSI_FLAGS_64BIT;
	const unsigned int mask = wide ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32;

	vfio_config_keep(p, at, mask + (control & PCI_MSI_FLAGS_MASKBIT ? 8 : 0));
	pci_set16(&p->func, at + PCI_MSI_FLAGS,
	          control & ~(PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE));
	return pci_msi_take(&p->func, at);
}

static int take_msix(struct vfio_pci *p, unsigned int at)
{
	const u16 control = pci_get16(&p->func, at + PCI_MSIX_FLAGS);

	vfio_config_keep(p, at, PCI_CAP_MSIX_SIZEOF);
	pci_set16(&p->func, at + PCI_MSIX_FLAGS, control & PCI_MSIX_FLAGS_QSIZE);
	return pci_msix_take(&p->func, at);
}

/* On a root bus there is no link, and an endpoint is integrated in the root complex (7.5.3.2). */
static int take_express(struct vfio_pci *p, unsigned int at)
{
	struct pci_func *f = &p->func;
	const u16 flags = pci_get16(f, at + PCI_EXP_FLAGS);

	f->express = at;
	if (pci_has_link(f) || FIELD_GET(PCI_EXP_FLAGS_TYPE, flags) > PCI_EXP_TYPE_LEG_END)
		return 0;
	vfio_config_keep(p, at + PCI_EXP_FLAGS, 2);
	pci_set16(f, at + PCI_EXP_FLAGS, (flags & ~PCI_EXP_FLAGS_TYPE) | PCI_EXP_TYPE_RC_END << 4);
	hide(p, at + LINK_OFFSET, LINK_SIZE);
	if ((flags & PCI_EXP_FLAGS_VERS) > 1)
		hide(p, at + PCI_EXP_LNKCAP2, LINK2_SIZE);
	return 0;
}

static int take_pm(struct vfio_pci *p, unsigned int at)
{
	p->func.pm = at;
	return 0;
}

/* What is more than bytes to pass on; without a row a capability is what VFIO makes of it. */
static const struct {
	u8 id;
	int (*take)(struct vfio_pci *p, unsigned int at);
} capabilities[] = {
	{ PCI_CAP_ID_PM, take_pm },
	{ PCI_CAP_ID_MSI, take_msi },
	{ PCI_CAP_ID_EXP, take_express },
	{ PCI_CAP_ID_MSIX, take_msix },
};

static int take(struct vfio_pci *p, u8 id, unsigned int at)
{
	if (id >= ARRAY_SIZE(p->caps) || p->caps[id]) /* one of a kind */
		return 0;
	p->caps[id] = at;
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (capabilities[i].id == id)
			return capabilities[i].take(p, at);
	return 0;
}

/* There is room for 48 of them, of 4 bytes (7.5.1.1.11): more are a loop. */
static int take_capabilities(struct vfio_pci *p)
{
	struct pci_func *f = &p->func;
	unsigned int at = f->config[PCI_CAPABILITY_LIST] & ~3u, left = 48;
	int err = 0;

	while (at >= PCI_STD_HEADER_SIZEOF && left-- && !err) {
		vfio_config_keep(p, at, 2);
		err = take(p, f->config[at], at);
		at = f->config[at + 1] & ~3u;
	}
	return err;
}

/* Extended capabilities that a guest is not to have, and how long they are; 0: that says itself. */
static const struct {
	u16 id, len;
} hidden[] = {
	/* what an IOMMU of the guest's would have to answer; ATS may be shown (pci_ats.c) */
	{ PCI_EXT_CAP_ID_ATS, PCI_EXT_CAP_ATS_SIZEOF },
	{ PCI_EXT_CAP_ID_PRI, PCI_EXT_CAP_PRI_SIZEOF },
	{ PCI_EXT_CAP_ID_PASID, PCI_EXT_CAP_PASID_SIZEOF },
	/* functions that are not the guest's */
	{ PCI_EXT_CAP_ID_SRIOV, PCI_EXT_CAP_SRIOV_SIZEOF },
	{ PCI_EXT_CAP_ID_ARI, PCI_EXT_CAP_ARI_SIZEOF },
	/* sizes of BARs, which are those that the host has chosen */
	{ PCI_EXT_CAP_ID_REBAR, 0 },
	{ PCI_EXT_CAP_ID_VF_REBAR, 0 },
};

/* Two words a BAR, of which the first one's control says how many there are; what follows at once
 * is another's. */
static unsigned int rebar_len(const struct pci_func *f, unsigned int at)
{
	const u32 control =
		at + PCI_REBAR_CTRL < PCI_CONFIG_SIZE ? pci_get32(f, at + PCI_REBAR_CTRL) : 0;

	return 4 + 8 * FIELD_GET(PCI_REBAR_CTRL_NBAR_MASK, control);
}

/* 0: it is not hidden. */
static unsigned int hidden_len(const struct pci_func *f, u16 id, unsigned int at)
{
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (hidden[i].id == id)
			return hidden[i].len ? hidden[i].len : rebar_len(f, at);
	return 0;
}

/* The chain leads past it; the first, which nothing leads to, becomes one of no kind (7.6.3). */
static void hide_extended(struct vfio_pci *p, unsigned int at, unsigned int prev, unsigned int len)
{
	struct pci_func *f = &p->func;
	const u32 next = pci_get32(f, at) & 0xfff00000;

	if (at + len > PCI_CONFIG_SIZE)
		len = PCI_CONFIG_SIZE - at;
	hide(p, at, len);
	if (prev)
		pci_set32(f, prev, (pci_get32(f, prev) & 0xfffff) | next);
	else
		pci_set32(f, at, next);
}

static int take_extended(struct vfio_pci *p)
{
	struct pci_func *f = &p->func;
	unsigned int at = PCI_CFG_SPACE_SIZE, prev = 0;
	int err;

	for (unsigned int left = (PCI_CONFIG_SIZE - PCI_CFG_SPACE_SIZE) / 8;
	     at >= PCI_CFG_SPACE_SIZE && left--;) {
		const u32 header = pci_get32(f, at);
		const bool ats = PCI_EXT_CAP_ID(header) == PCI_EXT_CAP_ID_ATS && p->shows_ats;
		const unsigned int len = ats ? 0 : hidden_len(f, PCI_EXT_CAP_ID(header), at);

		if (header == ~0u || !header)
			break;
		vfio_config_keep(p, at, 4);
		if (ats)
			vfio_ats_take(p, at);
		if (len)
			hide_extended(p, at, prev, len);
		else
			prev = at;
		at = PCI_EXT_CAP_NEXT(header);
	}
	err = vfio_pages_init(p, &prev);
	vfio_pasid_init(p, prev);
	return err;
}

int vfio_config_read(struct vfio_pci *p)
{
	struct uapi *u = vfio_uapi_of(p);
	const u64 size = p->config_size < PCI_CONFIG_SIZE ? p->config_size : PCI_CONFIG_SIZE;

	if (size < PCI_CFG_SPACE_SIZE)
		return -EINVAL;
	memset(p->func.config, 0, PCI_CONFIG_SIZE);
	return u->ops->read(u, p->dev->fd, p->func.config, size, p->config);
}

int vfio_config_init(struct vfio_pci *p)
{
	struct pci_func *f = &p->func;
	int err;

	memset(f->writable + PCI_STD_HEADER_SIZEOF, 0xff, PCI_CONFIG_SIZE - PCI_STD_HEADER_SIZEOF);
	if (p->config_size < PCI_CONFIG_SIZE)
		hide(p, p->config_size, PCI_CONFIG_SIZE - p->config_size);
	header_init(p);
	err = pci_get16(f, PCI_STATUS) & PCI_STATUS_CAP_LIST ? take_capabilities(p) : 0;
	if (!err && f->express && p->config_size == PCI_CONFIG_SIZE)
		return take_extended(p);
	return err || !p->pages.bridge ? err : -ENOSPC;
}

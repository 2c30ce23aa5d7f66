// SPDX-License-Identifier: GPL-2.0-only
/* A function's configuration space: header, capabilities, what a read and a write do. */
#include "devices/pci/private.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_WRITABLE (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE)

void pci_set16(struct pci_func *f, unsigned int offset, u16 val)
{
	val = htole16(val);
	memcpy(&f->config[offset], &val, sizeof(val));
}

void pci_set32(struct pci_func *f, unsigned int offset, u32 val)
{
	val = htole32(val);
	memcpy(&f->config[offset], &val, sizeof(val));
}

u16 pci_get16(const struct pci_func *f, unsigned int offset)
{
	return f->config[offset] | f->config[offset + 1] << 8;
}

u32 pci_get32(const struct pci_func *f, unsigned int offset)
{
	return pci_get16(f, offset) | (u32)pci_get16(f, offset + 2) << 16;
}

void pci_allow16(struct pci_func *f, unsigned int offset, u16 mask)
{
	mask = htole16(mask);
	memcpy(&f->writable[offset], &mask, sizeof(mask));
}

void pci_allow32(struct pci_func *f, unsigned int offset, u32 mask)
{
	mask = htole32(mask);
	memcpy(&f->writable[offset], &mask, sizeof(mask));
}

/* The type 0 header (7.5.1.2). */
int pci_config_init(struct pci_func *f, const struct pci_id *id)
{
	if (!f->config_is_owners) {
		f->config_size = PCI_CONFIG_OURS;
		f->config = calloc(4, f->config_size);
	}
	if (!f->config)
		return -ENOMEM;
	f->writable = f->config + f->config_size;
	f->clears = f->writable + f->config_size;
	f->reset_to = f->clears + f->config_size;
	pci_set16(f, PCI_VENDOR_ID, id->vendor);
	pci_set16(f, PCI_DEVICE_ID, id->device);
	pci_set32(f, PCI_CLASS_REVISION, id->class << 8 | id->revision);
	pci_set16(f, PCI_SUBSYSTEM_VENDOR_ID, id->subsystem_vendor);
	pci_set16(f, PCI_SUBSYSTEM_ID, id->subsystem);
	f->config[PCI_INTERRUPT_PIN] = 1; /* INTA */
	pci_allow16(f, PCI_COMMAND, COMMAND_WRITABLE);
	f->writable[PCI_INTERRUPT_LINE] = 0xff;
	f->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	f->cap_last = PCI_CAPABILITY_LIST;
	f->cap_end = 0x40;
	f->ext_cap_end = PCI_CFG_SPACE_SIZE;
	return 0;
}

void pci_config_free(struct pci_func *f)
{
	if (f->config_is_owners)
		return;
	free(f->config);
	f->config = f->writable = f->clears = f->reset_to = NULL;
}

unsigned int pci_cap_add(struct pci_func *f, u8 id, unsigned int len)
{
	unsigned int at = f->cap_end;

	assert(at + len <= 256);
	f->config[f->cap_last] = at;
	f->config[at] = id;
	f->cap_last = at + PCI_CAP_LIST_NEXT;
	f->cap_end = ALIGN_UP(at + len, 4);
	pci_set16(f, PCI_STATUS, pci_get16(f, PCI_STATUS) | PCI_STATUS_CAP_LIST);
	return at;
}

unsigned int pci_ext_cap_add(struct pci_func *f, u16 id, u8 version, unsigned int len)
{
	unsigned int at = f->ext_cap_end;

	assert(at + len <= f->config_size);
	if (f->ext_cap_last)
		pci_set16(f, f->ext_cap_last + 2, pci_get16(f, f->ext_cap_last + 2) | at << 4);
	pci_set32(f, at, id | version << 16);
	f->ext_cap_last = at;
	f->ext_cap_end = ALIGN_UP(at + len, 4);
	return at;
}

unsigned int pci_dvsec_add(struct pci_func *f, u16 vendor, u8 revision, u16 id, unsigned int len)
{
	unsigned int at = pci_ext_cap_add(f, PCI_EXT_CAP_ID_DVSEC, 1, len);

	pci_set32(f, at + PCI_DVSEC_HEADER1, vendor | (u32)revision << 16 | len << 20);
	pci_set16(f, at + PCI_DVSEC_HEADER2, id);
	return at;
}

/* An endpoint's link is its port's; one in the root complex has none (7.5.3, 7.5.3.2). */
void pci_express_add(struct pci_func *f)
{
	unsigned int at = pci_cap_add(f, PCI_CAP_ID_EXP, PCI_EXP_SLTSTA2 + 2);
	bool link = f->bus->port;

	f->express = at;
	pci_set16(f, at + PCI_EXP_FLAGS,
	          (link ? PCI_EXP_TYPE_ENDPOINT : PCI_EXP_TYPE_RC_END) << 4 | 2);
	pci_set32(f, at + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_RBER);
	pci_set16(f, at + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN);
	pci_allow16(f, at + PCI_EXP_DEVCTL,
	            PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE | PCI_EXP_DEVCTL_FERE |
	                    PCI_EXP_DEVCTL_URRE | PCI_EXP_DEVCTL_RELAX_EN |
	                    PCI_EXP_DEVCTL_NOSNOOP_EN);
	/* 7.5.3.15: required of who issues requests; none of ours ever times out */
	pci_set32(f, at + PCI_EXP_DEVCAP2, PCI_EXP_DEVCAP2_COMP_TMOUT_DIS);
	pci_allow16(f, at + PCI_EXP_DEVCTL2, PCI_EXP_DEVCTL2_COMP_TMOUT_DIS);
	if (!link)
		return;
	pci_set32(f, at + PCI_EXP_LNKCAP, PCI_LINK_SPEED | PCI_LINK_WIDTH << 4);
	pci_set16(f, at + PCI_EXP_LNKSTA, PCI_LINK_SPEED | PCI_LINK_WIDTH << 4);
	pci_allow16(f, at + PCI_EXP_LNKCTL, PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES);
	pci_set32(f, at + PCI_EXP_LNKCAP2, PCI_LINK_SPEEDS);
	pci_set16(f, at + PCI_EXP_LNKCTL2, PCI_LINK_SPEED);
	pci_allow16(f, at + PCI_EXP_LNKCTL2, PCI_EXP_LNKCTL2_TLS);
}

void pci_flr_add(struct pci_func *f)
{
	const unsigned int at = f->express;

	f->has_flr = true;
	pci_set32(f, at + PCI_EXP_DEVCAP, pci_get32(f, at + PCI_EXP_DEVCAP) | PCI_EXP_DEVCAP_FLR);
	f->writable[at + PCI_EXP_DEVCTL + 1] |= PCI_EXP_DEVCTL_BCR_FLR >> 8;
}

/* Drives the line by what the device wants and the guest allows (7.5.1.1.3, 7.5.1.1.4). */
static void update_intx(struct pci_func *f, bool wanted)
{
	u16 status = pci_get16(f, PCI_STATUS) & ~PCI_STATUS_INTERRUPT;
	bool level = wanted && !pci_is_asleep(f) &&
	             !(pci_get16(f, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE);

	if (f->intx_elsewhere)
		return;
	pci_set16(f, PCI_STATUS, status | (wanted ? PCI_STATUS_INTERRUPT : 0));
	if (level == f->intx)
		return;
	f->intx = level;
	pci_host_pin(f, level);
}

void pci_set_intx(struct pci_func *f, bool level)
{
	update_intx(f, level);
}

/* A bridge forwards no requests upstream without its own (7.5.1.1.3, type 1). */
bool pci_is_master(const struct pci_func *f)
{
	if (pci_is_asleep(f) || (f->bus->port && !pci_is_master(f->bus->port)))
		return false;
	return pci_get16(f, PCI_COMMAND) & PCI_COMMAND_MASTER;
}

static void update_master(struct pci_func *f)
{
	if (f->master == pci_is_master(f))
		return;
	f->master = !f->master;
	if (f->master_changed)
		f->master_changed(f);
	pci_msi_unmask(f);
	pci_msix_unmask(f);
}

u32 pci_config_read(struct pci_func *f, unsigned int offset, unsigned int size)
{
	u32 val = 0;

	if (offset >= f->config_size)
		return 0;
	if (f->config_read)
		f->config_read(f, offset, size);
	memcpy(&val, &f->config[offset], size);
	return le32toh(val);
}

void pci_func_update(struct pci_func *f)
{
	struct pci_func *behind = f->secondary ? f->secondary->funcs[0] : NULL;

	pci_update_bars(f);
	update_intx(f, pci_get16(f, PCI_STATUS) & PCI_STATUS_INTERRUPT);
	update_master(f);
	if (behind)
		update_master(behind);
}

void pci_func_ready(struct pci_func *f)
{
	memcpy(f->reset_to, f->config, f->config_size);
	memset(f->reset_to + PCI_BASE_ADDRESS_0, 0, PCI_NR_BARS * sizeof(u32));
	memset(f->reset_to + PCI_ROM_ADDRESS, 0, sizeof(u32));
}

void pci_func_reset(struct pci_func *f)
{
	pci_pri_disable(f); /* nothing is asked for meanwhile */
	if (f->reset)
		f->reset(f);
	for (unsigned int i = 0; i < f->config_size; i++) {
		f->config[i] &= ~(f->writable[i] | f->clears[i]);
		f->config[i] |= f->reset_to[i] & f->writable[i];
	}
	pci_msi_reset(f);
	pci_msix_reset(f);
	pci_ats_reset(f);
	pci_func_update(f);
}

static bool wants_flr(const struct pci_func *f)
{
	return f->has_flr && pci_get16(f, f->express + PCI_EXP_DEVCTL) & PCI_EXP_DEVCTL_BCR_FLR;
}

/* A function's own reset is over with the write that asks for it. What is of its link stays, since
 * the port at the other end has not been reset: that is what differs from a port's reset of it. */
static void function_level_reset(struct pci_func *f)
{
	const unsigned int control = f->express + PCI_EXP_LNKCTL;
	const unsigned int control2 = f->express + PCI_EXP_LNKCTL2;
	const u16 kept = pci_get16(f, control), kept2 = pci_get16(f, control2);

	pci_func_reset(f);
	pci_set16(f, control, kept);
	pci_set16(f, control2, kept2);
}

void pci_config_write(struct pci_func *f, unsigned int offset, unsigned int size, u32 val)
{
	const bool asleep = pci_is_asleep(f);

	if (offset >= f->config_size)
		return;
	for (unsigned int i = 0; i < size; i++) {
		u8 *byte = &f->config[offset + i], mask = f->writable[offset + i];
		u8 written = val >> i * 8;

		*byte = (*byte & ~mask) | (written & mask);
		*byte &= ~(written & f->clears[offset + i]);
	}
	if (wants_flr(f)) {
		function_level_reset(f);
		return;
	}
	if (offset < PCI_STD_HEADER_SIZEOF)
		pci_func_update(f);
	pci_pm_written(f, asleep);
	pci_msi_written(f, offset, size);
	pci_msix_control_written(f, offset, size);
	pci_ats_written(f, offset, size);
	if (f->config_written)
		f->config_written(f, offset, size);
}

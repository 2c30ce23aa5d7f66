// SPDX-License-Identifier: GPL-2.0-only
/* The capabilities of ATS, page requests and PASIDs (PCIe 6.0, 10.5, 7.8.9): what the guest allows,
 * and the credits of page requests. */
#include "devices/pci/private.h"

#include <linux/pci_regs.h>

#define ONE_PREFIX FIELD_LOW(PCI_EXP_DEVCAP2_EE_PREFIX_MAX)

/* Queue depth 0 is 32 (10.5.1.2). */
void pci_ats_add(struct pci_func *f)
{
	unsigned int at = pci_ext_cap_add(f, PCI_EXT_CAP_ID_ATS, 1, PCI_EXT_CAP_ATS_SIZEOF);

	f->ats.ats = at;
	pci_set16(f, at + PCI_ATS_CAP, PCI_ATS_CAP_PAGE_ALIGNED);
	pci_allow16(f, at + PCI_ATS_CTRL, PCI_ATS_CTRL_ENABLE | PCI_ATS_CTRL_STU(~0));
}

/* It is Stopped until it is enabled for the first time, and its page requests may have PASIDs. */
void pci_pri_add(struct pci_func *f, u32 capacity)
{
	unsigned int at = pci_ext_cap_add(f, PCI_EXT_CAP_ID_PRI, 1, PCI_EXT_CAP_PRI_SIZEOF);

	f->ats.pri = at;
	pci_set16(f, at + PCI_PRI_STATUS, PCI_PRI_STATUS_STOPPED);
	pci_set32(f, at + PCI_PRI_MAX_REQ, capacity);
	pci_allow16(f, at + PCI_PRI_CTRL, PCI_PRI_CTRL_ENABLE | PCI_PRI_CTRL_RESET);
	pci_allow32(f, at + PCI_PRI_ALLOC_REQ, ~0u);
	f->clears[at + PCI_PRI_STATUS] = PCI_PRI_STATUS_RF | PCI_PRI_STATUS_UPRGI;
}

static void set_status(struct pci_func *f, u16 bits, bool set)
{
	unsigned int at = f->ats.pri + PCI_PRI_STATUS;
	u16 status = pci_get16(f, at) & ~bits;

	pci_set16(f, at, status | (set ? bits : 0));
}

/* A PASID is an end-end TLP prefix, of which one is needed (7.5.3.15). */
void pci_pasid_add(struct pci_func *f, unsigned int bits)
{
	unsigned int at = pci_ext_cap_add(f, PCI_EXT_CAP_ID_PASID, 1, PCI_EXT_CAP_PASID_SIZEOF);
	unsigned int devcap2 = f->express + PCI_EXP_DEVCAP2;

	f->ats.pasid = at;
	pci_set16(f, at + PCI_PASID_CAP,
	          PCI_PASID_CAP_EXEC | FIELD_PREP(PCI_PASID_CAP_WIDTH, bits));
	pci_allow16(f, at + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE | PCI_PASID_CTRL_EXEC);
	pci_set32(f, devcap2, pci_get32(f, devcap2) | PCI_EXP_DEVCAP2_EE_PREFIX | ONE_PREFIX);
	if (f->ats.pri)
		set_status(f, PCI_PRI_STATUS_PASID, true);
}

static u16 ats_control(const struct pci_func *f)
{
	return f->ats.ats ? pci_get16(f, f->ats.ats + PCI_ATS_CTRL) : 0;
}

bool pci_ats_enabled(const struct pci_func *f)
{
	return ats_control(f) & PCI_ATS_CTRL_ENABLE;
}

u64 pci_ats_unit(const struct pci_func *f)
{
	return BIT(PCI_ATS_MIN_STU + PCI_ATS_CTRL_STU(ats_control(f)));
}

bool pci_pasid_allowed(const struct pci_func *f, u32 pasid, bool exec)
{
	unsigned int at = f->ats.pasid;
	u16 control = at ? pci_get16(f, at + PCI_PASID_CTRL) : 0;

	if (!(control & PCI_PASID_CTRL_ENABLE) || (exec && !(control & PCI_PASID_CTRL_EXEC)))
		return false;
	return pasid < BIT(FIELD_GET(PCI_PASID_CAP_WIDTH, pci_get16(f, at + PCI_PASID_CAP)));
}

bool pci_pri_enabled(const struct pci_func *f)
{
	return f->ats.pri && pci_get16(f, f->ats.pri + PCI_PRI_CTRL) & PCI_PRI_CTRL_ENABLE;
}

void pci_pri_disable(struct pci_func *f)
{
	if (pci_pri_enabled(f))
		pci_set16(f, f->ats.pri + PCI_PRI_CTRL, 0);
}

/* What is allocated beyond its capacity makes no difference. */
bool pci_pri_begin(struct pci_func *f)
{
	unsigned int at = f->ats.pri;

	if (!pci_pri_enabled(f) || f->ats.outstanding >= pci_get32(f, at + PCI_PRI_ALLOC_REQ) ||
	    f->ats.outstanding >= pci_get32(f, at + PCI_PRI_MAX_REQ))
		return false;
	f->ats.outstanding++;
	return true;
}

void pci_pri_end(struct pci_func *f, unsigned int nr)
{
	f->ats.outstanding -= nr;
	if (!f->ats.outstanding && !pci_pri_enabled(f))
		set_status(f, PCI_PRI_STATUS_STOPPED, true);
}

/* After a failure no more responses are expected, until it is enabled again (10.5.2.3). */
void pci_pri_unexpected(struct pci_func *f)
{
	if (f->ats.pri && !(pci_get16(f, f->ats.pri + PCI_PRI_STATUS) & PCI_PRI_STATUS_RF))
		set_status(f, PCI_PRI_STATUS_UPRGI, true);
}

void pci_pri_failed(struct pci_func *f)
{
	f->config[f->ats.pri + PCI_PRI_CTRL] &= ~PCI_PRI_CTRL_ENABLE;
	f->ats.requesting = false;
	f->ats.outstanding = 0;
	set_status(f, PCI_PRI_STATUS_RF | PCI_PRI_STATUS_STOPPED, true);
}

/*
 * Only what is disabled can be reset, and that bit reads as 0. Enabled anew, the status is clear
 * (10.5.2.2).
 */
static void control_written(struct pci_func *f)
{
	u8 *control = &f->config[f->ats.pri + PCI_PRI_CTRL];
	bool was_enabled = f->ats.requesting;

	if (*control & PCI_PRI_CTRL_RESET && !pci_pri_enabled(f))
		f->ats.outstanding = 0;
	*control &= ~PCI_PRI_CTRL_RESET;
	f->ats.requesting = pci_pri_enabled(f);
	if (f->ats.requesting && !was_enabled)
		set_status(f, PCI_PRI_STATUS_RF | PCI_PRI_STATUS_UPRGI | PCI_PRI_STATUS_STOPPED,
		           false);
	pci_pri_end(f, 0);
}

static bool touches(unsigned int cap, unsigned int len, unsigned int offset, unsigned int size)
{
	return cap && offset < cap + len && offset + size > cap;
}

void pci_ats_written(struct pci_func *f, unsigned int offset, unsigned int size)
{
	bool pri = touches(f->ats.pri, PCI_EXT_CAP_PRI_SIZEOF, offset, size);

	if (pri)
		control_written(f);
	if (f->ats_changed && (pri || touches(f->ats.ats, PCI_EXT_CAP_ATS_SIZEOF, offset, size)))
		f->ats_changed(f);
}

/* Out of reset it is disabled, and nothing is outstanding. */
void pci_ats_reset(struct pci_func *f)
{
	f->ats.outstanding = 0;
	f->ats.requesting = false;
	if (f->ats.pri)
		set_status(f, PCI_PRI_STATUS_STOPPED, true);
}

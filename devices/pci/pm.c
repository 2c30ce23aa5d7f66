// SPDX-License-Identifier: GPL-2.0-only
/* Power management: D0 and D3hot, of endpoints (PCIe 6.0, 5.3.1, 7.5.2). Root ports have none yet,
 * which departs from 7.5.2: Linux would suspend them, and what is behind them would have to follow
 * (5.3.2). */
#include "devices/pci/private.h"

#include <linux/pci_regs.h>

#define D0     0
#define D3_HOT 3

/* No power is saved, so nothing is lost either: no reset on the way back to D0 (7.5.2.2). */
void pci_pm_add(struct pci_func *f)
{
	f->pm = pci_cap_add(f, PCI_CAP_ID_PM, PCI_PM_SIZEOF);
	pci_set16(f, f->pm + PCI_PM_PMC, 3); /* of the version there is; no D1, no D2, no PME */
	pci_set16(f, f->pm + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
	pci_allow16(f, f->pm + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
}

static unsigned int state(const struct pci_func *f)
{
	return pci_get16(f, f->pm + PCI_PM_CTRL) & PCI_PM_CTRL_STATE_MASK;
}

bool pci_is_asleep(const struct pci_func *f)
{
	return f->pm && state(f) == D3_HOT;
}

/* A state that there is not is not taken (7.5.2.2). */
void pci_pm_written(struct pci_func *f, bool was_asleep)
{
	if (!f->pm)
		return;
	if (state(f) != D0 && state(f) != D3_HOT)
		pci_set16(f, f->pm + PCI_PM_CTRL,
		          PCI_PM_CTRL_NO_SOFT_RESET | (was_asleep ? D3_HOT : D0));
	if (pci_is_asleep(f) != was_asleep)
		pci_func_update(f);
}

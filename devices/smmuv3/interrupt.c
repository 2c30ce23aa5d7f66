// SPDX-License-Identifier: GPL-2.0-only
/* The SMMU's interrupts, wired and as messages (Arm IHI 0070, 3.18), and its global errors (7.5).
 */
#include <endian.h>

#include "devices/smmuv3/private.h"

/* To memory a message is a write; else the interrupt controller understands it or it is aborted. */
static bool send(struct smmu *s, const struct smmu_msi *msi)
{
	const gpa_t addr = smmu_pa(s, msi->addr);
	const struct irq_msg msg = { .addr = addr, .data = msi->data, .devid = s->config.devid };
	u32 *to = guest_ptr(&s->vm->mem, addr, sizeof(*to));

	if (smmu_injected_msi(s))
		return false;
	if (!to)
		return !irq_msi_send(s->vm->irq, &msg);
	/* A CPU that polls the word sees all that came before it. */
	__atomic_store_n(to, htole32(msi->data), __ATOMIC_RELEASE);
	return true;
}

/*
 * A message where the driver gave an address, else an edge on the wire. Both (3.18.2) would cost a
 * driver that polls for its message an interrupt that nobody takes. @aborted: GERROR's bit.
 */
void smmu_interrupt(struct smmu *s, const struct smmu_msi *msi, u32 spi, u32 aborted)
{
	if (!smmu_idr(s, 0, IDR0_MSI) || !(msi->addr & MSI_ADDR))
		irq_pulse(s->vm->irq, spi);
	else if (!send(s, msi))
		smmu_error(s, aborted);
}

/* One that is active already is not logged again; that its own message failed is sent to no one. */
void smmu_error(struct smmu *s, u32 gerror)
{
	if (smmu_error_active(s, gerror))
		return;
	smmu_see_gerror(s, gerror);
	s->gerror ^= gerror;
	if (gerror != GERROR_MSI_GERROR_ABT && s->irq_ctrlack & IRQ_GERROR)
		smmu_interrupt(s, &s->gerror_msi, s->config.gerror_spi, GERROR_MSI_GERROR_ABT);
}

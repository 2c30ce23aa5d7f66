// SPDX-License-Identifier: GPL-2.0-only
/* The memory writes that MSI and MSI-X are (PCIe 6.0, 6.1.4). */
#include "devices/pci/private.h"

#include <endian.h>

/* An address' low two bits are 0, whatever was written there (7.7.2.5). */
bool pci_message(const struct pci_func *f, u64 addr, u32 data, struct irq_msg *msg)
{
	addr &= ~3ULL;
	msg->data = data;
	msg->devid = pci_devid(f);
	return dma_doorbell(f->dma, addr, &msg->addr) == DMA_OK;
}

/*
 * An MSI is a memory write of the function's (6.1.4): to RAM it is one, and to
 * anything else it is the interrupt controller's to understand or to drop.
 */
void pci_message_send(struct pci_func *f, struct irq_route *route, const struct irq_msg *msg)
{
	struct vm *vm = f->bus->host->vm;
	u32 data = htole32(msg->data);

	trace(vm->log, TRACE_PCI, "%s: message: %#x to %#llx", f->name, msg->data,
	      (unsigned long long)msg->addr);
	if (!guest_write(&vm->mem, msg->addr, &data, sizeof(data)))
		return;
	if (!irq_route_set(vm->irq, route, msg))
		irq_route_fire(route);
	else
		irq_msi_send(vm->irq, msg);
}

// SPDX-License-Identifier: GPL-2.0-only
/* The memory writes that MSI and MSI-X are (PCIe 6.0, 6.1.4). */
#include "devices/pci/private.h"

#include <endian.h>

/* An address' low two bits are 0, whatever was written there (7.7.2.5). */
#define ADDRESS (~3ULL)

/* False: it was RAM that it was written to, or nothing. Else *@msg is the interrupt controller's.
 */
static bool is_interrupt(struct pci_func *f, u64 addr, struct irq_msg *msg)
{
	struct vm *vm = f->bus->host->vm;
	const u32 raw = htole32(msg->data);

	if (dma_doorbell(f->dma, addr & ADDRESS, &msg->addr) != DMA_OK)
		return false;
	trace(vm->log, TRACE_PCI, "%s: message: %#x to %#llx", f->name, msg->data,
	      (unsigned long long)msg->addr);
	return guest_write(&vm->mem, msg->addr, &raw, sizeof(raw));
}

/*
 * An MSI is a memory write of the function's (6.1.4): to RAM it is one, and to anything else it is
 * the interrupt controller's to understand or to drop.
 */
void pci_message_send(struct pci_func *f, struct irq_route *route, u64 addr, u32 data)
{
	struct vm *vm = f->bus->host->vm;
	struct irq_msg msg = { .data = data, .devid = pci_devid(f) };

	if (!is_interrupt(f, addr, &msg))
		return;
	if (!irq_route_set(vm->irq, route, &msg))
		irq_route_fire(route);
	else
		irq_msi_send(vm->irq, &msg);
}

void pci_message_write(struct pci_func *f, u64 addr, u32 data)
{
	struct irq_msg msg = { .data = data, .devid = pci_devid(f) };

	if (pci_is_master(f) && is_interrupt(f, addr, &msg))
		irq_msi_send(f->bus->host->vm->irq, &msg);
}

int pci_message_fd(struct pci_func *f, struct irq_route *route, u64 addr, u32 data)
{
	struct vm *vm = f->bus->host->vm;
	struct irq_msg msg = { .data = data, .devid = pci_devid(f) };

	if (dma_doorbell_look(f->dma, addr & ADDRESS, &msg.addr) != DMA_OK ||
	    guest_ptr(&vm->mem, msg.addr, sizeof(msg.data)) || irq_route_set(vm->irq, route, &msg))
		return -1;
	return route->fd;
}

void pci_message_routes(struct pci_func *f, struct irq_route *const *routes, unsigned int nr,
                        u64 addr, const u32 *data)
{
	struct vm *vm = f->bus->host->vm;
	struct irq_msg msgs[IRQ_MAX_TOGETHER];
	gpa_t doorbell;

	if (dma_doorbell_look(f->dma, addr & ADDRESS, &doorbell) != DMA_OK ||
	    guest_ptr(&vm->mem, doorbell, sizeof(*data)))
		return;
	for (unsigned int i = 0; i < nr; i++)
		msgs[i] = (struct irq_msg){ doorbell, data[i], pci_devid(f) };
	irq_routes_set(vm->irq, routes, msgs, nr);
}

/* Where messages arrive has changed: whoever sends them by a route is told. */
static void changed(struct dma_messages *messages)
{
	struct pci_func *f = container_of(messages, struct pci_func, messages);

	pci_msix_unmask(f);
	pci_msi_unmask(f);
}

void pci_messages_follow(struct pci_func *f)
{
	f->messages.changed = changed;
	if (f->dma != &f->bus->host->vm->dma) /* which is everyone's, and never changes */
		f->dma->messages = &f->messages;
}

void pci_messages_leave(struct pci_func *f)
{
	if (!f->msi && !f->msix && f->dma->messages == &f->messages)
		f->dma->messages = NULL;
}

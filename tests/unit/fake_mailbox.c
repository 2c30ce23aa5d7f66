// SPDX-License-Identifier: GPL-2.0-only
/* The driver of a DMA endpoint with a mailbox. */
#include "tests/unit/fake_mailbox.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/pci_regs.h>
#include <string.h>

#define MESSAGE (FAKE_RAM_BASE + 0xfe000)

const u64 ring = FAKE_RAM_BASE + 0x10000;
static unsigned int at_pri, at_mailbox;
static u32 pasid;

static unsigned int find(u16 id)
{
	unsigned int at = 0x100;

	while ((fake_read(&vm, cfg(0, at), 4) & 0xffff) != id)
		at = fake_read(&vm, cfg(0, at), 4) >> 20;
	return at;
}

void fake_mailbox(u64 timeout)
{
	fake_endpoint(fake_space(), (struct dma_test_config){ .ats = true,
	                                                      .pri = true,
	                                                      .pasid_bits = 20,
	                                                      .route = DMA_TEST_MAILBOX,
	                                                      .page_timeout = timeout });
	fake_endpoint_enable();
	at_pri = find(PCI_EXT_CAP_ID_PRI);
	at_mailbox = find(PCI_EXT_CAP_ID_DVSEC);
	enable_pri();
}

void enable(unsigned int log2)
{
	memset(ram(ring), 0, 16 << log2);
	set(RING, 4, ring | log2);
	set(RING + 4, 4, ring >> 32);
	set(ADDR, 4, MESSAGE);
	set(ADDR + 4, 4, 0);
	set(DATA, 4, 0x1234);
	set(CONTROL, 2, 3);
}

void pri(u16 control)
{
	fake_write(&vm, cfg(0, at_pri + PCI_PRI_CTRL), 2, control);
}

u16 pri_status(void)
{
	return fake_read(&vm, cfg(0, at_pri + PCI_PRI_STATUS), 2) & ~PCI_PRI_STATUS_PASID;
}

void enable_pri(void)
{
	fake_write(&vm, cfg(0, find(PCI_EXT_CAP_ID_PASID) + PCI_PASID_CTRL), 2,
	           PCI_PASID_CTRL_ENABLE | PCI_PASID_CTRL_EXEC);
	fake_write(&vm, cfg(0, at_pri + PCI_PRI_ALLOC_REQ), 4, 32);
	pri(0);
	pri(PCI_PRI_CTRL_ENABLE);
}

void with_pasids(u32 val)
{
	pasid = val;
}

u32 reg(unsigned int at, unsigned int size)
{
	return fake_read(&vm, cfg(0, at_mailbox + at), size);
}

void set(unsigned int at, unsigned int size, u32 val)
{
	fake_write(&vm, cfg(0, at_mailbox + at), size, val);
}

u64 entry(unsigned int i, unsigned int word)
{
	u64 val;

	memcpy(&val, ram(ring + i * 16 + word * 8), sizeof(val));
	return val;
}

unsigned int told(void)
{
	u32 *at = (u32 *)ram(MESSAGE);
	const unsigned int nr = *at == 0x1234;

	*at = 0;
	return nr;
}

u32 ask(unsigned int slot, u16 group, u32 flags)
{
	struct slot s = {
		.op = PAGE_REQUEST, .flags = flags, .iova = PAGE + 0x123, .pasid = pasid
	};

	s.arg[0] = group;
	return start(slot, s);
}

void respond(u32 word)
{
	set(RESPONSE, 4, word);
}

struct mailbox_counts count(void)
{
	struct mailbox_counts c;

	dma_test_count(endpoint, &c);
	return c;
}

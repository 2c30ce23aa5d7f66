// SPDX-License-Identifier: GPL-2.0-only
/* A DMA endpoint behind an IOMMU of which everything is known. */
#include "tests/unit/fake_dma_test.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/pci_regs.h>
#include <unistd.h>
#include <zlib.h>

#include "vmm/mem.h"

struct vm vm;
struct fake_space iommu;
struct dma_test *endpoint;
gpa_t epf, regs, memory, msix;
static struct pci_host *host;

static u64 before_hole(const struct fake_space *s, const struct dma_access *a)
{
	u64 into = a->iova - s->hole;

	if (into < s->hole_len)
		return 0;
	return s->hole_len && a->iova < s->hole && s->hole - a->iova < a->len ? s->hole - a->iova
	                                                                      : a->len;
}

static enum dma_status map(struct dma_space *space, struct dma_access *a, struct dma_sg *sg,
                           struct dma_token *token)
{
	struct fake_space *s = container_of(space, struct fake_space, space);
	const u64 len = before_hole(s, a);
	const unsigned int before = sg->nr;
	enum dma_status got = DMA_OK;

	s->last = *a;
	a->done = 0;
	a->reason = DMA_NO_REASON;
	if (++s->accesses == s->stalls) {
		s->token = token;
		return DMA_PENDING;
	}
	while (a->done < len && sg->nr < sg->max && got == DMA_OK) {
		u64 left = len - a->done;
		struct dma_access part = *a;

		part.iova += a->done;
		part.len = s->chunk && s->chunk < left ? s->chunk : left;
		got = dma_map(&s->identity, &part, sg, NULL);
		a->done += part.done;
		a->reason = part.reason;
	}
	for (unsigned int i = before; sg->uses && i < sg->nr; i++)
		sg->uses[i] = dma_use_get(&s->use);
	if (got == DMA_OK && a->done == len && len < a->len) {
		got = DMA_FAULT;
		a->reason = DMA_NOT_MAPPED;
	}
	return got;
}

static void cancel(struct dma_space *space, struct dma_token *token)
{
	struct fake_space *s = container_of(space, struct fake_space, space);

	if (s->token == token)
		s->token = NULL;
}

static enum dma_status doorbell(struct dma_space *space, u64 iova, gpa_t *gpa, bool look)
{
	(void)look;
	container_of(space, struct fake_space, space)->doorbell = *gpa = iova;
	return DMA_OK;
}

static enum dma_status translate(struct dma_space *space, struct dma_access *a,
                                 struct dma_translation *t)
{
	struct fake_space *s = container_of(space, struct fake_space, space);

	s->last = *a;
	*t = s->translation;
	a->reason = s->refuses_translation;
	return a->reason ? DMA_FAULT : DMA_OK;
}

static void forget_pages(struct dma_space *space)
{
	container_of(space, struct fake_space, space)->forgotten++;
}

static bool page_request(struct dma_space *space, const struct dma_page_request *rq)
{
	struct fake_space *s = container_of(space, struct fake_space, space);

	if (s->refuses)
		return false;
	s->requests[s->nr_requests++] = *rq;
	return true;
}

static void invalidated(struct dma_space *space, u32 tag)
{
	container_of(space, struct fake_space, space)->invalidated = tag;
}

static const struct dma_ops ops = {
	.map = map,
	.doorbell = doorbell,
	.cancel = cancel,
	.translate = translate,
	.page_request = page_request,
	.forget_pages = forget_pages,
	.invalidated = invalidated,
};

static gpa_t bar(unsigned int nr)
{
	u32 at = fake_read(&vm, cfg(0, PCI_BASE_ADDRESS_0 + nr * 4), 4);

	return (at & PCI_BASE_ADDRESS_MEM_MASK) - MEM_BUS + MEM_CPU;
}

struct dma_space *fake_space(void)
{
	iommu = (struct fake_space){ .space = { .ops = &ops, .mem = &vm.mem, .translated = true } };
	dma_identity(&iommu.identity, &vm.mem);
	return &iommu.space;
}

void fake_endpoint(struct dma_space *dma, struct dma_test_config c)
{
	fake_vm(&vm, 1);
	c.dma = dma;
	cr_assert(zero(int, pci_host_create(&host, &vm, &fake_pci)));
	cr_assert(zero(int, dma_test_create(&endpoint, pci_host_bus(host), &c)));
	fake_place(host);
	epf = bar(0);
	regs = bar(1);
	msix = bar(2);
	memory = bar(4);
}

void fake_endpoint_end(void)
{
	fake_vm_stop(&vm);
	loop_drain(vm.loop);
	dma_test_destroy(endpoint);
	pci_host_destroy(host);
	cr_assert(zero(u32, iommu.use.users), "what was mapped was unmapped");
	fake_vm_destroy(&vm);
}

void fake_endpoint_command(u16 command)
{
	fake_write(&vm, cfg(0, PCI_COMMAND), 2, command);
}

void fake_endpoint_flr(u16 control)
{
	const unsigned int at = fake_cap(&vm, 0, PCI_CAP_ID_EXP, 0) + PCI_EXP_DEVCTL;

	fake_write(&vm, cfg(0, at), 2, control | PCI_EXP_DEVCTL_BCR_FLR);
}

void fake_endpoint_reset(void)
{
	u32 bars[6];

	for (unsigned int i = 0; i < 6; i++)
		bars[i] = fake_read(&vm, cfg(0, PCI_BASE_ADDRESS_0 + i * 4), 4);
	fake_endpoint_flr(0);
	for (unsigned int i = 0; i < 6; i++)
		fake_write(&vm, cfg(0, PCI_BASE_ADDRESS_0 + i * 4), 4, bars[i]);
	fake_endpoint_enable();
}

void fake_endpoint_enable(void)
{
	unsigned int cap = fake_cap(&vm, 0, PCI_CAP_ID_MSIX, 0);

	fake_endpoint_command(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	for (unsigned int i = 0; i < 32; i++) {
		put(msix + i * 16 + PCI_MSIX_ENTRY_LOWER_ADDR, 4, FAKE_RAM_BASE + 0xff000 + i * 4);
		put(msix + i * 16 + PCI_MSIX_ENTRY_DATA, 4, i + 1);
		put(msix + i * 16 + PCI_MSIX_ENTRY_VECTOR_CTRL, 4, 0);
	}
	fake_write(&vm, cfg(0, cap + PCI_MSIX_FLAGS), 2, PCI_MSIX_FLAGS_ENABLE);
}

u64 get(gpa_t at, unsigned int size)
{
	return fake_read(&vm, at, size);
}

void put(gpa_t at, unsigned int size, u64 val)
{
	fake_write(&vm, at, size, val);
}

u32 start(unsigned int n, struct slot s)
{
	put(SLOT(n) + 0x00, 4, s.op);
	put(SLOT(n) + 0x04, 4, s.flags);
	put(SLOT(n) + 0x08, 8, s.iova);
	put(SLOT(n) + 0x10, 8, s.iova2);
	put(SLOT(n) + 0x18, 8, s.len);
	put(SLOT(n) + 0x20, 4, s.pasid);
	put(SLOT(n) + 0x24, 4, s.vector);
	put(SLOT(n) + 0x28, 8, s.arg[0]);
	put(SLOT(n) + 0x30, 8, s.arg[1]);
	control(n, 1);
	return status(n);
}

void control(unsigned int n, u32 val)
{
	put(SLOT(n) + 0x38, 4, val);
}

u32 status(unsigned int n)
{
	return get(SLOT(n) + 0x3c, 4);
}

u64 done(unsigned int n)
{
	return get(SLOT(n) + 0x40, 8);
}

u64 fault(unsigned int n)
{
	return get(SLOT(n) + 0x48, 8);
}

u32 reason(unsigned int n)
{
	return get(SLOT(n) + 0x64, 4);
}

u64 result(unsigned int n)
{
	return get(SLOT(n) + 0x50, 8);
}

u32 wait_for(unsigned int n)
{
	for (unsigned int i = 0; i < 5000 && STATE(n) == RUNNING; i++)
		fake_vm_run(&vm, 1);
	return status(n);
}

u8 *ram(gpa_t at)
{
	return guest_ptr(&vm.mem, at, 1);
}

u32 crc(gpa_t at, u64 len)
{
	return ~crc32(0, ram(at), len);
}

unsigned int messages(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < 32; i++) {
		u32 *at = (u32 *)ram(FAKE_RAM_BASE + 0xff000 + i * 4);

		n += *at == i + 1;
		*at = 0;
	}
	return n;
}

// SPDX-License-Identifier: GPL-2.0-only
/* The DMA endpoint's BAR 0: the registers of Linux's PCI endpoint test function (pci-epf-test.c of
 * Linux 7.2), which have no header of their own. */
#include "devices/dma_test_private.h"

#include "vmm/vm.h"

/* STATUS */
enum {
	READ_SUCCESS = BIT(0),
	READ_FAIL = BIT(1),
	WRITE_SUCCESS = BIT(2),
	WRITE_FAIL = BIT(3),
	COPY_SUCCESS = BIT(4),
	COPY_FAIL = BIT(5),
	IRQ_RAISED = BIT(6),
	SRC_ADDR_INVALID = BIT(7),
	DST_ADDR_INVALID = BIT(8),
	DOORBELL_ENABLE_FAIL = BIT(11),
	DOORBELL_DISABLE_FAIL = BIT(13),
	BAR_SUBRANGE_SETUP_FAIL = BIT(15),
	BAR_SUBRANGE_CLEAR_FAIL = BIT(17),
};

/* CAPS */
enum {
	CAP_UNALIGNED_ACCESS = BIT(0),
	CAP_MSI = BIT(1),
	CAP_MSIX = BIT(2),
	CAP_INTX = BIT(3),
	CAP_BAR1_RESERVED = BIT(7),
	CAP_BAR2_RESERVED = BIT(8),
};

enum { IRQ_TYPE_INTX, IRQ_TYPE_MSI, IRQ_TYPE_MSIX };

/* A command is one bit. Without an operation it has ended at once, with @fail. */
struct dt_command {
	u32 bit;
	enum dt_opcode opcode;
	u32 success, fail;
	u32 invalid[2]; /* what a fault of IOVA, of IOVA2, is */
};

static const struct dt_command commands[] = {
	{ .bit = BIT(0) }, /* RAISE_INTX_IRQ, _MSI_, _MSIX_: in any case IRQ_TYPE says which */
	{ .bit = BIT(1) },
	{ .bit = BIT(2) },
	{ BIT(3), DT_CHECK, READ_SUCCESS, READ_FAIL, { SRC_ADDR_INVALID } },
	{ BIT(4), DT_FILL, WRITE_SUCCESS, WRITE_FAIL, { DST_ADDR_INVALID } },
	{ BIT(5), DT_COPY, COPY_SUCCESS, COPY_FAIL, { SRC_ADDR_INVALID, DST_ADDR_INVALID } },
	{ .bit = BIT(6), .fail = DOORBELL_ENABLE_FAIL },
	{ .bit = BIT(7), .fail = DOORBELL_DISABLE_FAIL },
	{ .bit = BIT(8), .fail = BAR_SUBRANGE_SETUP_FAIL },
	{ .bit = BIT(9), .fail = BAR_SUBRANGE_CLEAR_FAIL },
};

static void raise_intx(struct pci_func *f)
{
	if (!pci_msi_enabled(f) && !pci_msix_enabled(f))
		pci_set_intx(f, true);
}

/* By IRQ_TYPE, as they are when the command ends; numbers are from 1. */
static void raise_interrupt(struct dma_test *d)
{
	struct dt_epf *e = &d->epf;
	const u32 vector = e->irq_number - 1;

	e->status |= IRQ_RAISED;
	if (e->irq_type == IRQ_TYPE_INTX)
		raise_intx(&d->func);
	else if (e->irq_type == IRQ_TYPE_MSI)
		pci_msi_raise(&d->func, vector);
	else if (e->irq_type == IRQ_TYPE_MSIX && pci_msix_enabled(&d->func))
		pci_msix_raise(&d->func, vector);
}

static const struct dt_command *find(u32 bit)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].bit == bit)
			return &commands[i];
	return NULL;
}

static void start(struct dma_test *d, const struct dt_command *c)
{
	struct dt_epf *e = &d->epf;
	struct dt_job *job = &e->job;

	e->running = c;
	e->expected = e->checksum;
	job->opcode = c->opcode;
	job->iova[0] = c->opcode == DT_FILL ? e->dst : e->src;
	job->iova[1] = c->opcode == DT_COPY ? e->dst : 0;
	job->len = e->size;
	job->arg[0] = d->seed;
	if (c->opcode == DT_FILL)
		d->seed++;
	dt_start(job);
}

/* One after the other: what is written meanwhile waits in the register. */
static void take_command(struct dma_test *d)
{
	struct dt_epf *e = &d->epf;
	const struct dt_command *c = find(e->command);

	if (e->running)
		return;
	e->command = 0;
	e->status = 0;
	if (!c || e->irq_type > IRQ_TYPE_MSIX)
		return;
	if (c->opcode) {
		start(d, c);
		return;
	}
	e->status = c->fail;
	raise_interrupt(d);
}

static void job_ended(struct dt_job *job)
{
	struct dma_test *d = job->d;
	struct dt_epf *e = &d->epf;
	const struct dt_command *c = e->running;
	const enum dt_outcome outcome = FIELD_GET(DT_OUTCOME, job->status);
	const u32 crc = job->result[0];
	bool done = outcome == DT_DONE;

	e->running = NULL;
	if (c->opcode == DT_FILL)
		e->checksum = crc;
	if (c->opcode == DT_CHECK && crc != e->expected)
		done = false;
	e->status = done ? c->success : c->fail;
	if (outcome == DT_FAULT)
		e->status |= c->invalid[!!(job->status & DT_SECOND)];
	raise_interrupt(d);
	if (e->command)
		take_command(d);
}

static void *registers(void *dev)
{
	return &((struct dma_test *)dev)->epf;
}

static void command_written(void *dev, u64 old)
{
	struct dma_test *d = dev;

	(void)old;
	if (d->epf.command)
		take_command(d);
}

static void status_read(void *dev)
{
	pci_set_intx(&((struct dma_test *)dev)->func, false);
}

#define REG(off, member, ...)                                                                 \
	{                                                                                     \
		.name = #member, .offset = off, .field = offsetof(struct dt_epf, member),     \
		.size = sizeof(((struct dt_epf *)0)->member), .where = registers, __VA_ARGS__ \
	}
#define WRITABLE .writable = ~0ULL

static const struct reg regs[] = {
	REG(0x00, magic, WRITABLE),
	REG(0x04, command, WRITABLE, .written = command_written),
	REG(0x08, status, WRITABLE, .was_read = status_read),
	REG(0x0c, src, WRITABLE),
	REG(0x14, dst, WRITABLE),
	REG(0x1c, size, WRITABLE),
	REG(0x20, checksum, WRITABLE),
	REG(0x24, irq_type, WRITABLE),
	REG(0x28, irq_number, WRITABLE),
	REG(0x2c, flags, WRITABLE),
	REG(0x30, caps),
	REG(0x34, db_bar),
	REG(0x38, db_offset),
	REG(0x3c, db_data),
};

static const struct reg_bank bank = { .regs = regs, .nr = ARRAY_SIZE(regs) };

static u64 epf_read(void *dev, u64 offset, unsigned int size)
{
	return reg_read(&bank, dev, offset, size);
}

static void epf_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	reg_write(&bank, dev, offset, size, val);
}

const struct mmio_ops dt_epf_ops = {
	.name = "dma-test",
	.read = epf_read,
	.write = epf_write,
};

/* What is running ends without an interrupt, and nothing follows it. */
void dt_epf_reset(struct dma_test *d)
{
	struct dt_epf *e = &d->epf;

	e->command = 0;
	e->irq_type = ~0u;
	dt_abort(&e->job);
	e->magic = e->status = e->size = e->checksum = 0;
	e->irq_type = e->irq_number = e->flags = 0;
	e->src = e->dst = 0;
	e->job.status = 0;
	pci_set_intx(&d->func, false);
}

void dt_epf_init(struct dma_test *d)
{
	d->epf.caps = CAP_UNALIGNED_ACCESS | CAP_MSI | CAP_MSIX | CAP_INTX | CAP_BAR1_RESERVED |
	              CAP_BAR2_RESERVED;
	d->epf.db_bar = ~0u;
	dt_job_init(d, DT_SLOTS, job_ended);
}

// SPDX-License-Identifier: GPL-2.0-only
/* The SMMU's registers (Arm IHI 0070, 6.2, 6.3): both pages, what may be written when, and what
 * follows from it. */
#include "devices/smmuv3/private.h"
#include "vmm/reg.h"

/* Whose registers are not to be written now: "Guarded by" (6.2). */
enum guard {
	NONE,
	BY_SMMUEN,
	BY_CMDQEN,
	BY_EVENTQEN,
	BY_PRIQEN,
	BY_GERROR_IRQEN,
	BY_EVENTQ_IRQEN,
	BY_PRIQ_IRQEN,
};

#define MSI_ATTR GENMASK(5, 0)
#define GERROR_MSI_ABTS \
	(GERROR_MSI_CMDQ_ABT | GERROR_MSI_EVENTQ_ABT | GERROR_MSI_PRIQ_ABT | GERROR_MSI_GERROR_ABT)
#define GERROR_PRIQ (GERROR_PRIQ_ABT | GERROR_MSI_PRIQ_ABT)
#define GERRORS     (GERROR_CMDQ | GERROR_EVENTQ_ABT | GERROR_PRIQ | GERROR_MSI_ABTS | GERROR_SFM)

static bool guarded(const void *dev, u32 guard)
{
	const struct smmu *s = dev;

	switch ((enum guard)guard) {
	case BY_SMMUEN: return s->cr0ack & CR0_SMMUEN;
	case BY_CMDQEN: return s->cr0ack & CR0_CMDQEN;
	case BY_EVENTQEN: return s->cr0ack & CR0_EVENTQEN;
	case BY_PRIQEN: return s->cr0ack & CR0_PRIQEN;
	case BY_GERROR_IRQEN: return s->irq_ctrlack & IRQ_GERROR;
	case BY_EVENTQ_IRQEN: return s->irq_ctrlack & IRQ_EVENTQ;
	case BY_PRIQ_IRQEN: return s->irq_ctrlack & IRQ_PRIQ;
	case NONE: break;
	}
	return false;
}

/* What the ID registers have not, is reserved: it keeps nothing, and is not acknowledged. */
static u32 cr0_fields(const struct smmu *s)
{
	return CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN |
	       (smmu_idr(s, 0, IDR0_PRI) ? CR0_PRIQEN : 0) |
	       (smmu_idr(s, 0, IDR0_ATS) ? CR0_ATSCHK : 0) |
	       (smmu_idr(s, 0, IDR0_VMW) ? CR0_VMW : 0);
}

/* An Update of CR0 is complete (6.3.9). */
static void cr0_update(struct smmu *s)
{
	const bool ends = s->cr0ack & ~s->cr0 & CR0_SMMUEN;

	if ((s->cr0 ^ s->cr0ack) & CR0_SMMUEN)
		s->messages_moved = true;
	if (ends)
		smmu_stalls_end(s);
	s->cr0ack = s->cr0;
	if (ends)
		smmu_pages_end(s);
	if (!(s->cr0 & CR0_CMDQEN)) {
		smmu_injected_stop(s);
		smmu_atc_failed(s); /* of a CMD_SYNC that will not be */
	}
	if (s->messages_moved)
		smmu_messages_changed(s);
	smmu_commands(s);
}

/* At once, but where somebody else translates; what it waits for in hardware cannot be under way
 * here. */
static void cr0_written(void *dev, u64 old)
{
	struct smmu *s = dev;

	(void)old;
	s->cr0 &= cr0_fields(s);
	if (s->routes_by_table != !!(s->cr0 & CR0_SMMUEN))
		smmu_route_all(s);
	if (!s->installing)
		cr0_update(s);
}

/* 6.3.11: its fields are guarded apart. */
static void cr1_written(void *dev, u64 old)
{
	struct smmu *s = dev;
	u32 keep = s->cr0ack & CR0_SMMUEN ? CR1_TABLES : 0;

	if (s->cr0ack & (CR0_CMDQEN | CR0_EVENTQEN | CR0_PRIQEN))
		keep |= CR1_QUEUES;
	s->cr1 = (s->cr1 & ~keep) | (old & keep);
}

static void cr2_written(void *dev, u64 old)
{
	struct smmu *s = dev;

	(void)old;
	if (!smmu_idr(s, 0, IDR0_HYP))
		s->cr2 &= ~(u32)CR2_E2H;
}

/* 6.3.25: FMT and SPLIT are there with two levels only. */
static void strtab_cfg_written(void *dev, u64 old)
{
	struct smmu *s = dev;

	(void)old;
	if (!smmu_idr(s, 0, IDR0_ST_LEVEL))
		s->strtab_cfg &= STRTAB_LOG2SIZE;
}

static void gbpa_update(struct smmu *s)
{
	s->gbpa &= ~(u32)GBPA_UPDATE;
	smmu_messages_changed(s);
}

/* 6.3.14.1: a write without Update is ignored; with it, it is complete at once, but where streams
 * have to be told. */
static void gbpa_written(void *dev, u64 old)
{
	struct smmu *s = dev;

	if (!(s->gbpa & GBPA_UPDATE)) {
		s->gbpa = old;
		return;
	}
	if ((s->gbpa ^ old) & GBPA_ABORT && !(s->cr0 & CR0_SMMUEN))
		smmu_route_all(s);
	if (!s->installing)
		gbpa_update(s);
}

void smmu_update(struct smmu *s)
{
	if (s->gbpa & GBPA_UPDATE)
		gbpa_update(s);
	cr0_update(s);
}

static void irq_ctrl_written(void *dev, u64 old)
{
	struct smmu *s = dev;

	(void)old;
	if (!smmu_idr(s, 0, IDR0_PRI))
		s->irq_ctrl &= ~(u32)IRQ_PRIQ;
	s->irq_ctrlack = s->irq_ctrl;
}

/* An error that is acknowledged may have stopped the Command queue (7.1). */
static void gerrorn_written(void *dev, u64 old)
{
	struct smmu *s = dev;

	(void)old;
	/* What is reserved in GERROR is here, too (6.3.20). */
	if (!smmu_idr(s, 0, IDR0_MSI))
		s->gerrorn &= ~(u32)GERROR_MSI_ABTS;
	if (!smmu_idr(s, 0, IDR0_PRI))
		s->gerrorn &= ~(u32)GERROR_PRIQ;
	smmu_commands(s);
}

/*
 * "Bits [19:QS + 1] are RAZ" (SMMU_CMDQ_CONS, SMMU_EVENTQ_PROD): of an index that the SMMU moves,
 * only the queue's bits are there.
 */
static u32 cut(u32 reg, unsigned int log2size)
{
	return (reg & ~(u32)QUEUE_INDEX) | smmu_queue_index(reg & QUEUE_INDEX, log2size);
}

static void cmdq_cut(void *dev, u64 old)
{
	struct smmu *s = dev;

	(void)old;
	s->cmdq_cons =
		cut(s->cmdq_cons, smmu_queue_log2size(s->cmdq_base, smmu_idr(s, 1, IDR1_CMDQS)));
}

/* Nothing merges with a record of another queue, either: no event has the ID 0. */
static void eventq_cut(void *dev, u64 old)
{
	struct smmu *s = dev;

	(void)old;
	s->last_event[0] = 0;
	s->eventq_prod = cut(s->eventq_prod,
	                     smmu_queue_log2size(s->eventq_base, smmu_idr(s, 1, IDR1_EVENTQS)));
}

static void priq_cut(void *dev, u64 old)
{
	struct smmu *s = dev;

	(void)old;
	s->priq_prod =
		cut(s->priq_prod, smmu_queue_log2size(s->priq_base, smmu_idr(s, 1, IDR1_PRIQS)));
}

/* There may be room now for the records of what stalled. */
static void eventq_cons_written(void *dev, u64 old)
{
	(void)old;
	smmu_stalls_run(dev);
}

static void cmdq_prod_written(void *dev, u64 old)
{
	(void)old;
	smmu_poll_written(dev);
	smmu_commands(dev);
}

#define REG(at, spec, reg, ...)                                                            \
	{                                                                                  \
		.name = "SMMU_" spec, .offset = (at), .field = offsetof(struct smmu, reg), \
		.size = sizeof(((struct smmu *)0)->reg), ##__VA_ARGS__                     \
	}
#define MSI(at, spec, msi, by)                                                         \
	REG(at, spec "_IRQ_CFG0", msi.addr, .writable = MSI_ADDR, .guard = by),        \
		REG(at + 8, spec "_IRQ_CFG1", msi.data, .writable = ~0u, .guard = by), \
		REG(at + 12, spec "_IRQ_CFG2", msi.attr, .writable = MSI_ATTR, .guard = by)
#define BASE (QUEUE_ADDR | QUEUE_HINT | QUEUE_LOG2SIZE)

static const struct reg page0[] = {
	REG(0x00, "IDR0", id.idr[0]),
	REG(0x04, "IDR1", id.idr[1]),
	REG(0x08, "IDR2", id.idr[2]),
	REG(0x0c, "IDR3", id.idr[3]),
	REG(0x10, "IDR4", id.idr[4]),
	REG(0x14, "IDR5", id.idr[5]),
	REG(0x18, "IIDR", id.iidr),
	REG(0x1c, "AIDR", id.aidr),
	REG(0x20, "CR0", cr0,
	    .writable = CR0_SMMUEN | CR0_PRIQEN | CR0_EVENTQEN | CR0_CMDQEN | CR0_ATSCHK | CR0_VMW,
	    .written = cr0_written),
	REG(0x24, "CR0ACK", cr0ack),
	REG(0x28, "CR1", cr1, .writable = CR1_QUEUES | CR1_TABLES, .written = cr1_written),
	REG(0x2c, "CR2", cr2, .writable = CR2_E2H | CR2_RECINVSID, .guard = BY_SMMUEN,
	    .written = cr2_written),
	REG(0x44, "GBPA", gbpa,
	    .writable = GBPA_UPDATE | GENMASK(20, 16) | GENMASK(13, 8) | GENMASK(4, 0),
	    .written = gbpa_written),
	REG(0x50, "IRQ_CTRL", irq_ctrl, .writable = IRQ_GERROR | IRQ_PRIQ | IRQ_EVENTQ,
	    .written = irq_ctrl_written),
	REG(0x54, "IRQ_CTRLACK", irq_ctrlack),
	REG(0x60, "GERROR", gerror),
	REG(0x64, "GERRORN", gerrorn, .writable = GERRORS, .written = gerrorn_written),
	REG(0x80, "STRTAB_BASE", strtab_base, .writable = STRTAB_ADDR | STRTAB_RA,
	    .guard = BY_SMMUEN),
	REG(0x88, "STRTAB_BASE_CFG", strtab_cfg,
	    .writable = STRTAB_FMT | STRTAB_SPLIT | STRTAB_LOG2SIZE, .guard = BY_SMMUEN,
	    .written = strtab_cfg_written),
	REG(0x90, "CMDQ_BASE", cmdq_base, .writable = BASE, .guard = BY_CMDQEN,
	    .written = cmdq_cut),
	REG(0x98, "CMDQ_PROD", cmdq_prod, .writable = QUEUE_INDEX, .written = cmdq_prod_written),
	REG(0x9c, "CMDQ_CONS", cmdq_cons, .writable = QUEUE_INDEX | CMDQ_CONS_ERR,
	    .guard = BY_CMDQEN, .written = cmdq_cut),
	REG(0xa0, "EVENTQ_BASE", eventq_base, .writable = BASE, .guard = BY_EVENTQEN,
	    .written = eventq_cut),
};

/* Without IDR0.MSI these are reserved (6.3.21, 6.3.30). */
static const struct reg msi_regs[] = {
	MSI(0x68, "GERROR", gerror_msi, BY_GERROR_IRQEN),
	MSI(0xb0, "EVENTQ", eventq_msi, BY_EVENTQ_IRQEN),
};

static const struct reg page1[] = {
	REG(0xa8, "EVENTQ_PROD", eventq_prod, .writable = QUEUE_INDEX | QUEUE_OVERFLOW,
	    .guard = BY_EVENTQEN, .written = eventq_cut),
	REG(0xac, "EVENTQ_CONS", eventq_cons, .writable = QUEUE_INDEX | QUEUE_OVERFLOW,
	    .written = eventq_cons_written),
};

/* 6.3.33. Of what is there for messages, LO is for wires, too (6.3.1, MSI). */
static const struct reg pri_regs[] = {
	REG(0xc0, "PRIQ_BASE", priq_base, .writable = BASE, .guard = BY_PRIQEN,
	    .written = priq_cut),
	REG(0xdc, "PRIQ_IRQ_CFG2", priq_msi.attr, .writable = PRIQ_CFG2_LO, .guard = BY_PRIQ_IRQEN),
};

static const struct reg pri_msi_regs[] = {
	REG(0xd0, "PRIQ_IRQ_CFG0", priq_msi.addr, .writable = MSI_ADDR, .guard = BY_PRIQ_IRQEN),
	REG(0xd8, "PRIQ_IRQ_CFG1", priq_msi.data, .writable = ~0u, .guard = BY_PRIQ_IRQEN),
	REG(0xdc, "PRIQ_IRQ_CFG2", priq_msi.attr, .writable = PRIQ_CFG2_LO | MSI_ATTR,
	    .guard = BY_PRIQ_IRQEN),
};

static const struct reg pri_page1[] = {
	REG(0xc8, "PRIQ_PROD", priq_prod, .writable = QUEUE_INDEX | QUEUE_OVERFLOW,
	    .guard = BY_PRIQEN, .written = priq_cut),
	REG(0xcc, "PRIQ_CONS", priq_cons, .writable = QUEUE_INDEX | QUEUE_OVERFLOW),
};

#define BANK(rows)                                                       \
	{                                                                \
		.regs = rows, .nr = ARRAY_SIZE(rows), .guarded = guarded \
	}
static const struct {
	bool second; /* page */
	u32 needs;   /* bits of IDR0, all of them */
	struct reg_bank bank;
} banks[] = {
	{ false, 0, BANK(page0) },
	{ false, IDR0_MSI, BANK(msi_regs) },
	{ false, IDR0_PRI | IDR0_MSI, BANK(pri_msi_regs) },
	{ false, IDR0_PRI, BANK(pri_regs) },
	{ true, 0, BANK(page1) },
	{ true, IDR0_PRI, BANK(pri_page1) },
};

/* Accesses of less than a word are illegal, and take nothing and give nothing (6.2). */
static const struct reg_bank *bank_of(const struct smmu *s, u64 *offset, unsigned int size)
{
	const bool second = *offset >= 0x10000;

	*offset &= 0xffff;
	for (size_t i = 0; i < ARRAY_SIZE(banks) && size >= sizeof(u32); i++)
		if (banks[i].second == second &&
		    (s->id.idr[0] & banks[i].needs) == banks[i].needs &&
		    reg_find(&banks[i].bank, *offset, size))
			return &banks[i].bank;
	return NULL;
}

static u64 smmu_read(void *dev, u64 offset, unsigned int size)
{
	const struct reg_bank *bank = bank_of(dev, &offset, size);

	return bank ? reg_read(bank, dev, offset, size) : 0;
}

static void smmu_write(void *dev, u64 offset, unsigned int size, u64 val)
{
	struct smmu *s = dev;
	const struct reg_bank *bank = bank_of(s, &offset, size);
	const struct reg *r = bank ? reg_find(bank, offset, size) : NULL;

	if (!r)
		return;
	trace(s->vm->log, TRACE_SMMU, "%s: %s = %#llx", s->config.name, r->name,
	      (unsigned long long)val);
	reg_write(bank, s, offset, size, val);
}

const struct mmio_ops smmu_mmio_ops = {
	.name = "smmuv3",
	.read = smmu_read,
	.write = smmu_write,
};

/* What resets to a value that is known (6.3); the rest is 0, too. Nothing is aborted by default. */
void smmu_regs_reset(struct smmu *s)
{
	s->id = s->config.id;
	s->gbpa = FIELD_PREP(GBPA_SHCFG, 1); /* incoming */
}

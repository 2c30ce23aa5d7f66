// SPDX-License-Identifier: GPL-2.0-only
/* --iommu ID,type=smmuv3: SMMUv3s, their ID registers, and where on the board they are. */
#include <strings.h>

#include "machine/accel.h"
#include "machine/iommu.h"
#include "machine/iommu_kind.h"
#include "machine/layout.h"
#include "machine/machine.h"
#include "vmm/arm64/gic.h"
#include "vmm/log.h"

_Static_assert(MAX_SMMUS == PLATFORM_IOMMUS, "any IOMMU may be one");

/* A key with a dot never gets here: the last row is there for the list of keys. */
static const struct key keys[] = {
	IOMMU_WORD("type", type),
	IOMMU_WORD("buses", buses),
	IOMMU_WORD("interrupts", interrupts),
	IOMMU_WORD("accel", accel),
	IOMMU_WORD("host", host),
	IOMMU_WORD("idrN.FIELD", field),
};

static void init(struct iommu_option *o)
{
	smmu_id_default(&o->registers, 0);
}

static const char *take_field(struct iommu_option *o, const char *name, const char *val)
{
	const char *rest;
	u64 value;

	if (!val || !parse_number(val, &value, &rest) || *rest)
		value = ~0ULL; /* which no field can be */
	return smmu_id_set(&o->registers, name, value);
}

static const char *finish(struct iommu_parsed *p)
{
	const char *expected = accel_take(p);

	if (expected)
		return expected;
	if (!keys_choose(p->words.interrupts, "wired", "msi", &p->option.sends_msis))
		return "interrupts=wired or interrupts=msi";
	return NULL;
}

/*
 * All of the board can be reached (3.4). Unless it is said, 48 bits: what CPUs say of themselves
 * (PARange) does not shrink with the VM, and Linux shares no page tables with a narrower SMMU.
 */
#define OAS_48 5
static bool fit_oas(const struct options *o, struct iommu_option *i)
{
	struct smmu_id least;
	const bool is_said = smmu_id_said(&i->registers, "idr5.oas");
	const u64 said = smmu_id_get(&i->registers, "idr5.oas");
	u64 oas;

	smmu_id_default(&least, 64 - __builtin_clzll(board_top(o) - 1));
	oas = smmu_id_get(&least, "idr5.oas");
	if (!is_said)
		smmu_id_put(&i->registers, "idr5.oas", oas > OAS_48 ? oas : OAS_48);
	if (!is_said || said >= oas)
		return true;
	log_error("--iommu %s,idr5.oas=%llu: expected at least %llu: the board ends at 0x%llx",
	          i->id, (unsigned long long)said, (unsigned long long)oas,
	          (unsigned long long)board_top(o));
	return false;
}

/* Unless it is said, every device there might be has a StreamID. */
static void fit_sids(const struct options *o, struct iommu_option *i)
{
	const u64 least = 32 - __builtin_clz(iommus_last_id(o));

	if (!smmu_id_said(&i->registers, "idr1.sidsize") &&
	    smmu_id_get(&i->registers, "idr1.sidsize") < least)
		smmu_id_put(&i->registers, "idr1.sidsize", least);
}

static bool check(const struct options *o, struct iommu_option *i)
{
	const char *expected;

	fit_sids(o, i);
	if (!fit_oas(o, i))
		return false;
	expected = smmu_id_check(&i->registers);
	if (!expected && i->sends_msis && !smmu_id_get(&i->registers, "idr0.msi"))
		expected = "idr0.msi=1 with interrupts=msi";
	if (expected)
		log_error("--iommu %s: expected %s", i->id, expected);
	else if (i->sends_msis && !irqchip_has_its(o->irqchip))
		log_error("--iommu %s,interrupts=msi: expected --irqchip gicv3-its, not %s", i->id,
		          irqchip_name(o->irqchip));
	else
		return true;
	return false;
}

static void destroy(void *smmu)
{
	smmu_destroy(smmu);
}

/*
 * Requester IDs that no function ever has, as the ITS knows DeviceIDs: of devices 16 and up on
 * segment 0's last bus, where a root port has at most its one device, 0.
 */
static u32 devid(const struct machine *m, unsigned int nth)
{
	const struct platform_pci *pci = &m->platform.pci[0];

	return pci->devid_base + (pci->last_bus << 8 | (16 + nth) << 3);
}

/* The @nth one's part of the platform. */
static struct platform_iommu describe(const struct machine *m, unsigned int nth, bool sends_msis)
{
	const u32 spi = SPI_SMMU0 + 4 * nth;

	return (struct platform_iommu){
		.kind = PLATFORM_IOMMU_SMMUV3,
		.base = SMMU_BASE + nth * SMMU_SIZE,
		.size = SMMU_SIZE,
		.eventq_spi = spi,
		.priq_spi = spi + 1,
		.sync_spi = spi + 2,
		.gerror_spi = spi + 3,
		.sends_msis = sends_msis,
		.devid = devid(m, nth),
	};
}

/* A machine that is only described has no interrupt controller. */
static int open_edges(struct machine *m, const struct smmu_config *c)
{
	const u32 spis[] = { c->eventq_spi, c->priq_spi, c->sync_spi, c->gerror_spi };
	int err = 0;

	for (unsigned int i = 0; m->vm.irq && i < ARRAY_SIZE(spis) && !err; i++)
		err = irq_edge_open(m->vm.irq, spis[i]);
	return err;
}

static int create(struct machine *m, unsigned int i)
{
	const struct iommu_option *o = &m->iommu_options[i];
	struct platform_iommu *p = &m->platform.iommus[i];
	struct smmu_config c = { .name = o->id, .id = o->registers };
	struct smmu *smmu;
	unsigned int nth = 0;
	int err;

	for (unsigned int before = 0; before < i; before++)
		nth += m->options->iommus[before].kind == &iommu_smmuv3;
	*p = describe(m, nth, o->sends_msis);
	p->name = o->id;
	c.base = p->base;
	c.eventq_spi = p->eventq_spi;
	c.priq_spi = p->priq_spi;
	c.sync_spi = p->sync_spi;
	c.gerror_spi = p->gerror_spi;
	c.devid = p->devid;
	p->host = accel_host(m, i);
	err = accel_create(m, i, &c);
	if (err)
		return err;
	p->httu = smmu_id_get(&c.id, "idr0.httu");
	p->noncoherent = !smmu_id_get(&c.id, "idr0.cohacc");
	err = open_edges(m, &c);
	if (!err)
		err = smmu_create(&smmu, &m->vm, &c);
	if (err)
		return err;
	m->iommus[i] = smmu;
	m->platform.nr_iommus++;
	return machine_own(m, destroy, smmu);
}

static int add_endpoint(void *iommu, void **endpoint)
{
	struct smmu_endpoint *e;
	int err = smmu_add_endpoint(iommu, &e);

	*endpoint = e;
	return err;
}

static struct dma_space *endpoint_dma(void *endpoint)
{
	return smmu_endpoint_dma(endpoint);
}

static void identify(void *endpoint, u32 (*id)(const void *ctx), const void *ctx)
{
	smmu_identify(endpoint, id, ctx);
}

static void set_patience(struct machine *m, void *endpoint, u64 ms)
{
	(void)m;
	smmu_set_patience(endpoint, ms);
}

static bool stalls(const struct iommu_option *o)
{
	return smmu_id_get(&o->registers, "idr0.stall_model") != 1;
}

static bool translates(const struct iommu_option *o)
{
	return smmu_id_get(&o->registers, "idr0.ats");
}

static bool takes_pages(const struct iommu_option *o)
{
	return smmu_id_get(&o->registers, "idr0.pri");
}

static unsigned int pasid_bits(const struct iommu_option *o)
{
	return smmu_id_get(&o->registers, "idr1.ssidsize");
}

/* Where the host maps doorbells the guest's tables lead there only if it is told so. Of messages of
 * emulated devices the guest maps the doorbell itself: it is told if the user wants to see that. */
static bool tells_msi_window(const struct options *o, const struct iommu_option *i)
{
	return o->msi_window_said || accel_is_on(o, iommu_index(o, i->id));
}

static unsigned int id_bits(const struct iommu_option *o)
{
	return smmu_id_get(&o->registers, "idr1.sidsize");
}

const struct iommu_kind iommu_smmuv3 = {
	.type = "smmuv3",
	.keys = keys,
	.nr_keys = ARRAY_SIZE(keys),
	.init = init,
	.take_field = take_field,
	.finish = finish,
	.check = check,
	.create = create,
	.add_endpoint = add_endpoint,
	.endpoint_dma = endpoint_dma,
	.identify = identify,
	.set_patience = set_patience,
	.stalls = stalls,
	.translates = translates,
	.takes_pages = takes_pages,
	.pasid_bits = pasid_bits,
	.tells_msi_window = tells_msi_window,
	.id_bits = id_bits,
};

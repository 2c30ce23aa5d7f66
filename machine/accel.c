// SPDX-License-Identifier: GPL-2.0-only
/* --iommu accel=, host=: SMMUv3s whose functions are the host's, and so is who translates: what may
 * be behind them, what they are then. */
#include "machine/accel.h"

#include <errno.h>
#include <string.h>

#include "machine/fault.h"
#include "machine/iommu.h"
#include "machine/iommu_kind.h"
#include "machine/status.h"
#include "vfio/vsmmu.h"
#include "vmm/arch.h"
#include "vmm/log.h"

const char *accel_take(struct iommu_parsed *p)
{
	static const char *const words[] = {
		[ACCEL_AUTO] = "auto",
		[ACCEL_ON] = "on",
		[ACCEL_OFF] = "off",
	};
	unsigned int i = ACCEL_AUTO;

	if (!keys_word(p->words.accel, words, ARRAY_SIZE(words), &i))
		return "accel=auto, accel=on or accel=off";
	if (i == ACCEL_OFF && p->words.host)
		return "host=NAME without accel=off";
	p->option.accel = i;
	p->option.host = p->words.host;
	return NULL;
}

/* The first function of the host's behind it, from the @from-th on; o->nr_vfio: there is none. */
static unsigned int function_behind(const struct options *o, unsigned int iommu, unsigned int from)
{
	while (from < o->nr_vfio && iommu_of(o, &o->vfio[from].place) != (int)iommu)
		from++;
	return from;
}

bool accel_is_on(const struct options *o, int i)
{
	return i >= 0 && o->iommus[i].kind == &iommu_smmuv3 && o->iommus[i].accel != ACCEL_OFF &&
	       function_behind(o, i, 0) < o->nr_vfio;
}

static bool is_assigned(const struct options *o, const struct claim *c)
{
	unsigned int i = 0;

	while (i < o->nr_vfio && c->place != &o->vfio[i].place)
		i++;
	return i < o->nr_vfio;
}

/* What reads memory through tables that only the host's SMMU walks has none. */
static bool check_claim(const struct options *o, const struct claim *c)
{
	const int i = iommu_of(o, c->place);

	if (!accel_is_on(o, i) || is_assigned(o, c))
		return true;
	log_error("--%s %s%siommu=%s: expected another --iommu, or none: this one has --vfio-pci "
	          "%s behind it, so the host's SMMU translates, and it does for no emulated device",
	          c->option, c->value, *c->value ? "," : "", o->iommus[i].id,
	          o->vfio[function_behind(o, i, 0)].said);
	return false;
}

bool accel_check_all_used(const struct options *o)
{
	for (unsigned int i = 0; i < o->nr_iommus; i++) {
		const struct iommu_option *iommu = &o->iommus[i];
		const bool wants = iommu->accel == ACCEL_ON || iommu->host;

		if (!wants || function_behind(o, i, 0) < o->nr_vfio)
			continue;
		log_error("--iommu %s,%s%s: expected a --vfio-pci with iommu=%s", iommu->id,
		          iommu->host ? "host=" : "accel=on", iommu->host ? iommu->host : "",
		          iommu->id);
		return false;
	}
	return true;
}

bool accel_check(const struct options *o)
{
	for (unsigned int i = 0; i < o->nr_claims; i++)
		if (!check_claim(o, &o->claims[i]))
			return false;
	return true;
}

const char *accel_host(struct machine *m, unsigned int i)
{
	const struct options *o = m->options;

	if (!accel_is_on(o, i))
		return NULL;
	return o->iommus[i].host ? o->iommus[i].host : m->vfio[function_behind(o, i, 0)].host;
}

int accel_check_hosts(struct machine *m)
{
	const struct options *o = m->options;

	for (unsigned int i = 0; i < o->nr_vfio; i++) {
		const int n = iommu_of(o, &o->vfio[i].place);
		const char *host = n < 0 ? NULL : accel_host(m, n);

		if (!host || !strcmp(host, m->vfio[i].host))
			continue;
		log_error("--vfio-pci %s,iommu=%s: expected a function behind %s, as --iommu %s "
		          "is%s%s; this one is behind %s",
		          o->vfio[i].said, o->iommus[n].id, host, o->iommus[n].id,
		          o->iommus[n].host ? "" : " for --vfio-pci ",
		          o->iommus[n].host ? "" : o->vfio[function_behind(o, n, 0)].said,
		          m->vfio[i].host);
		return STATUS_USAGE;
	}
	return 0;
}

static int lacks(const struct iommu_option *i, const char *host, const char *what, int err,
                 const char *hint)
{
	log_error("--iommu %s: %s: %s: %s%s", i->id, host, what, strerror(-err), hint);
	return STATUS_HOST_LACKS;
}

static int too_much(const struct iommu_option *i, const char *host, const char *field, u64 most)
{
	log_error("--iommu %s,%s=%llu: expected %llu, which is what %s can give", i->id, field,
	          (unsigned long long)smmu_id_get(&i->registers, field), (unsigned long long)most,
	          host);
	return STATUS_HOST_LACKS;
}

/* One that does not reach all of the board is none for it. */
static int derive(struct machine *m, unsigned int n, const char *host, struct vfio_device *d)
{
	struct iommu_option *i = &m->iommu_options[n];
	struct smmu_id least;
	u32 idr[VSMMU_NR_IDR];
	const char *field, *expected;
	int err = vsmmu_idrs(d, idr);
	u64 most;

	if (err)
		return lacks(i, host, "what it is", err,
		             err == -ENODEV ? ": expected an SMMUv3" : "");
	field = smmu_id_nest(&i->registers, idr, &most);
	if (field)
		return too_much(i, host, field, most);
	expected = smmu_id_contradiction(&i->registers);
	if (expected) {
		log_error("--iommu %s: %s: expected %s, of what it can give", i->id, host,
		          expected);
		return STATUS_HOST_LACKS;
	}
	smmu_id_default(&least, 64 - __builtin_clzll(board_top(m->options) - 1));
	if (smmu_id_get(&i->registers, "idr5.oas") >= smmu_id_get(&least, "idr5.oas"))
		return 0;
	log_error("--iommu %s: %s: expected one with more bits of address: the board ends at "
	          "0x%llx",
	          i->id, host, (unsigned long long)board_top(m->options));
	return STATUS_HOST_LACKS;
}

/* It sets no table's Access flag either (HTTU), of whatever level. */
static void limit_cpus(struct machine *m, const struct smmu_id *id)
{
	const struct arch_tables t = {
		.address_size = smmu_id_get(id, "idr5.oas"),
		.asid16 = smmu_id_get(id, "idr0.asid16"),
		.vax = smmu_id_get(id, "idr5.vax"),
		.bbm = smmu_id_get(id, "idr3.bbml"),
	};

	arch_limit_tables(&m->vm, &t);
}

static int failed(const struct iommu_option *i, const char *host, enum vsmmu_step step, int err)
{
	static const char *const steps[] = {
		[VSMMU_STEP_PARENT] = "a stage 2 to nest on",
		[VSMMU_STEP_VIOMMU] = "a vIOMMU",
		[VSMMU_STEP_EVENTS] = "a queue of its events",
		[VSMMU_STEP_TABLES] = "streams that bypass it, or abort",
	};
	const char *hint = "";

	if (step == VSMMU_STEP_PARENT && err == -ENOMEM)
		hint = ": expected a limit of locked memory (ulimit -l) above the guest's memory";
	else if (step == VSMMU_STEP_PARENT && err == -EOPNOTSUPP)
		hint = ": expected an SMMU of two stages";
	else if (step == VSMMU_STEP_VIOMMU && err == -EOPNOTSUPP)
		hint = ": expected two stages, and CANWBS (of the host's IORT) or S2FWB: `nestor "
		       "check` says more";
	return lacks(i, host, steps[step], err, hint);
}

static void destroy(void *v)
{
	vsmmu_destroy(v);
}

int accel_create(struct machine *m, unsigned int i, struct smmu_config *c)
{
	const struct options *o = m->options;
	const char *host = accel_host(m, i);
	struct vfio_device *d;
	enum vsmmu_step step;
	int err;

	if (!host || !m->vfio_context.ioas) /* one that is only looked at has no host */
		return 0;
	d = &m->vfio[function_behind(o, i, 0)].dev;
	err = derive(m, i, host, d);
	if (err)
		return err;
	c->id = m->iommu_options[i].registers;
	limit_cpus(m, &c->id);
	err = vsmmu_create(&m->vsmmus[i], &m->vm, d, &step);
	if (err)
		return failed(&o->iommus[i], host, step, err);
	c->backend = vsmmu_backend(m->vsmmus[i]);
	return machine_own(m, destroy, m->vsmmus[i]);
}

/* Nobody else knows of one that nothing serves: it goes before its SMMU does. */
static int serve(struct machine *m, unsigned int nr, struct smmu_endpoint *e,
                 struct vsmmu_stream **st)
{
	int err = fault_serve(m, nr, e, *st);

	if (err) {
		vsmmu_stream_destroy(*st);
		*st = NULL;
	}
	return err;
}

int accel_add(struct machine *m, unsigned int nr, struct vsmmu_stream **st)
{
	const struct vfio_option *o = &m->options->vfio[nr];
	struct machine_vfio *v = &m->vfio[nr];
	const int i = iommu_of(m->options, &o->place);
	struct smmu_endpoint *e;
	int err;

	*st = NULL;
	if (i < 0 || !m->vsmmus[i])
		return 0;
	e = machine_behind(m, &o->place);
	err = vsmmu_stream_create(st, m->vsmmus[i], &v->dev, e);
	if (!err)
		return serve(m, nr, e, st);
	log_error("--vfio-pci %s,iommu=%s: %s: %s", o->said, m->options->iommus[i].id, v->host,
	          strerror(-err));
	return STATUS_HOST_LACKS;
}

// SPDX-License-Identifier: GPL-2.0-only
/* --vfio-pci: functions of the host's: looked for before the guest exists, bound to it, and in its
 * slots. */
#include "machine/vfio.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/pci/pci.h"
#include "machine/accel.h"
#include "machine/devices.h"
#include "machine/fault.h"
#include "machine/iommu.h"
#include "machine/machine.h"
#include "machine/msi_window.h"
#include "machine/place.h"
#include "machine/status.h"
#include "vfio/function.h"
#include "vfio/iort.h"
#include "vfio/pci.h"
#include "vfio/vsmmu.h"
#include "vmm/assigned.h"

#define HEX "0123456789abcdefABCDEF"

/* 1 to @max digits and @end: what is behind that, or NULL; of NULL it is NULL. */
static const char *parse_field(const char *text, size_t max, char end, unsigned int *val)
{
	const size_t len = text ? strspn(text, HEX) : 0;

	if (!len || len > max || text[len] != end)
		return NULL;
	*val = strtoul(text, NULL, 16);
	return text + len + 1;
}

/* [DOMAIN:]BUS:DEVICE.FUNCTION, in hexadecimal, as sysfs has it, or lspci; zeros may be left out.
 */
static bool parse_at(const char *val, char *at, size_t len)
{
	unsigned int domain = 0, bus, device, function;

	if (strchr(val, ':') != strrchr(val, ':'))
		val = parse_field(val, 8, ':', &domain);
	val = parse_field(val, 2, ':', &bus);
	val = parse_field(val, 2, '.', &device);
	if (!parse_field(val, 1, 0, &function) || device > 31 || function > 7)
		return false;
	snprintf(at, len, "%04x:%02x:%02x.%x", domain, bus, device, function);
	return true;
}

/* RFC 9562, 4: 8-4-4-4-12 digits, the first of which is the first byte's. */
static bool parse_uuid(const char *text, u8 uuid[VFIO_TOKEN_SIZE])
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t nr = 0;

	for (size_t i = 0; i < sizeof(form); i++) {
		if (form[i] != 'x' ? text[i] != form[i] : !text[i] || !strchr(HEX, text[i]))
			return false;
		if (form[i] != 'x')
			continue;
		const char digit[] = { text[i], 0 };

		uuid[nr / 2] = uuid[nr / 2] << 4 | strtoul(digit, NULL, 16);
		nr++;
	}
	return true;
}

const char *vfio_option_take(struct options *o, char *val)
{
	static const struct key keys[] = {
		PLACE_KEYS(struct vfio_option),
		{ "token", KEY_TEXT, offsetof(struct vfio_option, token_said), 0, 0 },
		FAULT_KEYS(struct vfio_option),
	};
	struct vfio_option *v = &o->vfio[o->nr_vfio];
	const char *expected = NULL;
	char *rest;

	if (o->nr_vfio == MAX_VFIO)
		return "at most 32 functions of the host's";
	rest = keys_rest(val);
	*v = (struct vfio_option){ .said = val, .place.pci = true };
	if (!parse_at(val, v->at, sizeof(v->at)))
		return "[DOMAIN:]BUS:DEVICE.FUNCTION, as in 0000:01:00.0";
	for (unsigned int i = 0; i < o->nr_vfio; i++)
		if (!strcmp(o->vfio[i].at, v->at))
			return "each function once";
	if (rest)
		expected = keys_parse(rest, keys, ARRAY_SIZE(keys), v, o->why, sizeof(o->why));
	if (!expected && v->token_said && !parse_uuid(v->token_said, v->token))
		expected = "token=UUID, as in 00112233-4455-6677-8899-aabbccddeeff";
	if (!expected)
		expected = fault_option_take(&v->fault);
	if (expected)
		return expected;
	v->finds_iommu = !v->place.iommu || !strcmp(v->place.iommu, "auto");
	if (v->finds_iommu)
		v->place.iommu = NULL;
	o->nr_vfio++;
	return place_claim(o, "vfio-pci", v->said, &v->place);
}

#define TRANSLATES "an emulated SMMU translates for no device of the host's"

/* It may have come behind one by its bus. */
bool vfio_check(const struct options *o)
{
	if (!accel_check(o))
		return false;
	for (unsigned int i = 0; i < o->nr_vfio; i++) {
		const struct vfio_option *v = &o->vfio[i];
		const int n = iommu_of(o, &v->place);

		if (n < 0 || iommu_can_assign(o, n))
			continue;
		if (v->place.iommu)
			log_error("--vfio-pci %s,iommu=%s: expected none, an --iommu of "
			          "type=virtio, or one without accel=off: " TRANSLATES,
			          v->said, v->place.iommu);
		else
			log_error(
				"--vfio-pci %s: expected a bus that --iommu %s has not: " TRANSLATES,
				v->said, o->iommus[n].id);
		return false;
	}
	return true;
}

static int refuse_taken(const struct vfio_option *v, const struct host_functions *h,
                        const struct host_function *f)
{
	const struct host_function *taken = host_function_taken(h, f, NULL);
	char *command = devices_free_command(h, f);

	if (taken != f)
		log_error("--vfio-pci %s: expected %s, of the same group, to be vfio-pci's too, "
		          "not %s's: %s",
		          v->said, taken->at, taken->driver, command ?: "");
	else if (*f->driver)
		log_error("--vfio-pci %s: expected it to be vfio-pci's, not %s's: %s", v->said,
		          f->driver, command ?: "");
	else
		log_error("--vfio-pci %s: expected it to be vfio-pci's, and no driver has it: %s",
		          v->said, command ?: "");
	free(command);
	return STATUS_HOST_LACKS;
}

static int refuse(const struct vfio_option *v, const struct host_functions *h,
                  const struct host_function *f)
{
	if (f && !f->is_bridge && !devices_never(f))
		return refuse_taken(v, h, f);
	if (f && !f->is_bridge) {
		log_error("--vfio-pci %s: %s", v->said, devices_never(f));
		return STATUS_HOST_LACKS;
	}
	log_error("--vfio-pci %s: expected a PCI function of this host%s; `nestor devices` lists "
	          "them",
	          v->said, f ? ", not a bridge" : "");
	return STATUS_USAGE;
}

/* What is attached to one of a group is to all, and of a stage 1 the host knows each by its own
 * name (arm_smmu_attach_prepare_vmaster()). */
static int check_group(const struct machine *m, unsigned int i, const struct host_function *f)
{
	const struct vfio_option *v = &m->options->vfio[i];
	const int n = iommu_of(m->options, &v->place);

	if (n < 0 || !accel_is_on(m->options, n) || !f->members)
		return 0;
	log_error("--vfio-pci %s,iommu=%s: expected it to be alone in its IOMMU group, which has "
	          "%s too; or iommu=none",
	          v->said, m->options->iommus[n].id, f->members);
	return STATUS_HOST_LACKS;
}

int vfio_find(struct machine *m, const char *sys)
{
	const struct options *o = m->options;
	struct host_functions h;
	int status = 0, err = host_functions_read(&h, sys);

	if (err) {
		log_error("--vfio-pci %s: %s/bus/pci/devices: %s", o->vfio[0].said, sys,
		          strerror(-err));
		return STATUS_HOST_LACKS;
	}
	for (unsigned int i = 0; i < o->nr_vfio && !status; i++) {
		const struct vfio_option *v = &o->vfio[i];
		const struct host_function *f = host_function_find(&h, v->at, strlen(v->at));

		if (!f || !host_function_ready(&h, f)) {
			status = refuse(v, &h, f);
			continue;
		}
		snprintf(m->vfio[i].cdev, sizeof(m->vfio[i].cdev), "%s", f->cdev);
		m->vfio[i].group = f->group;
		snprintf(m->vfio[i].host, sizeof(m->vfio[i].host), "%s", f->iommu);
		status = check_group(m, i, f);
		if (!status)
			status = msi_window_host(m, i, &h, f);
	}
	host_functions_free(&h);
	m->host_canwbs = iort_canwbs_of(sys) == CANWBS_ALL;
	return status ? status : accel_check_hosts(m);
}

int vfio_open(struct machine *m)
{
	int status = 0, err;

	m->vfio_context = (struct vfio_context){
		.uapi = { .ops = &uapi_host, .log = &m->log, .iommufd = -1 },
	};
	for (unsigned int i = 0; i < m->options->nr_vfio; i++)
		m->vfio[i].dev.fd = -1;
	if (!m->options->nr_vfio)
		return 0;
	status = vfio_find(m, "/sys");
	if (status)
		return status;
	err = vfio_context_open(&m->vfio_context);
	if (!err)
		return 0;
	log_error("--vfio-pci %s: /dev/iommu: %s: expected a host kernel with CONFIG_IOMMUFD, and "
	          "access to it",
	          m->options->vfio[0].said, strerror(-err));
	return STATUS_HOST_LACKS;
}

void vfio_close(struct machine *m)
{
	if (m->vfio_context.ioas) /* 0: it was not opened */
		vfio_context_close(&m->vfio_context);
}

/* What the errors of a step mean to who has to do something about it. */
static const struct hint {
	const char *step;
	int err;
	const char *words;
} hints[] = {
	{ "open", EACCES, ": expected access to its file in /dev/vfio/devices" },
	{ "open", EBUSY, ": another program has it" },
	{ "bind", EPERM,
	  ": the host's interrupts are not isolated: expected an ITS, or the module parameter "
	  "iommufd.allow_unsafe_interrupts=1" },
	{ "bind", EACCES,
	  ": expected the token=UUID that its physical function has, or whoever has its virtual "
	  "ones" },
	{ "bind", EINVAL,
	  ": expected DMA that is coherent, and no token= where none is asked for (a virtual "
	  "function's whose physical one is not vfio-pci's)" },
	{ "bind", EBUSY, ": another program has it, or another function of its group" },
	{ "its configuration space", ENOSPC,
	  ": expected 60 bytes free of extended capabilities, for a mailbox, or another fault=" },
	{ "attach", ENOMEM,
	  ": expected a limit of locked memory (ulimit -l) above the guest's memory" },
	{ "memory", ENOMEM,
	  ": expected a limit of locked memory (ulimit -l) above the guest's memory" },
};

static int failed(const struct vfio_option *v, const char *step, int err)
{
	const char *words = "";

	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (!strcmp(hints[i].step, step) && hints[i].err == -err)
			words = hints[i].words;
	log_error("--vfio-pci %s: %s: %s%s", v->said, step, strerror(-err), words);
	return STATUS_HOST_LACKS;
}

static void close_device(void *ctx)
{
	struct machine_vfio *v = ctx;

	if (v->dev.fd >= 0)
		vm_vfio_remove(v->vm, v->dev.fd);
	vfio_device_close(&v->dev);
}

/* KVM has the file before it is bound: what it is to it is decided then. */
static int bind(struct machine *m, unsigned int i)
{
	const struct vfio_option *o = &m->options->vfio[i];
	struct machine_vfio *v = &m->vfio[i];
	int status, err = vfio_device_open(&v->dev, &m->vfio_context, v->cdev);

	if (err)
		return failed(o, "open", err);
	v->vm = &m->vm;
	machine_own(m, close_device, v);
	err = vm_vfio_add(&m->vm, v->dev.fd);
	if (err)
		return failed(o, "KVM", err);
	v->dev.token = o->token_said ? o->token : NULL;
	err = vfio_device_bind(&v->dev);
	if (err)
		return failed(o, "bind", err);
	status = msi_window_move(m, i);
	/* behind an SMMU of the host's it is attached when that is there */
	if (status || accel_is_on(m->options, iommu_of(m->options, &o->place)))
		return status;
	err = vfio_device_attach_all(&v->dev);
	return err ? failed(o, "attach", err) : 0;
}

int vfio_devices_bind(struct machine *m)
{
	const struct options *o = m->options;
	int status = 0, err;

	if (!o->nr_vfio)
		return 0;
	err = vfio_context_map(&m->vfio_context, &m->vm.mem);
	if (err)
		return failed(&o->vfio[0], "memory", err);
	for (unsigned int i = 0; i < o->nr_vfio && !status; i++)
		status = bind(m, i);
	return status;
}

static void destroy(void *pci)
{
	vfio_pci_destroy(pci);
}

/* Linux sets STE.S2S for what it knows to stall, and with that an EATS is ILLEGAL (IHI 0070, 5.2).
 */
static bool shows_ats(const struct fault_option *f, const struct smmu_id *id,
                      struct vsmmu_stream *st)
{
	return smmu_id_get(id, "idr0.ats") && !f->host_can_stall && !vsmmu_stream_bridge(st);
}

static int create(struct machine *m, unsigned int i)
{
	const struct vfio_option *o = &m->options->vfio[i];
	struct machine_vfio *v = &m->vfio[i];
	static const char *const steps[] = {
		[VFIO_PCI_STEP_INFO] = "what it is",
		[VFIO_PCI_STEP_CONFIG] = "its configuration space",
		[VFIO_PCI_STEP_BUS] = "its bus in the guest",
		[VFIO_PCI_STEP_BARS] = "its BARs",
		[VFIO_PCI_STEP_IRQS] = "its interrupts",
		[VFIO_PCI_STEP_IOMMU] = "its IOMMU in the guest",
	};
	struct vfio_pci_config c = { .at = o->at };
	enum vfio_pci_step step;
	int err = machine_dma(m, &o->place, &c.dma);

	if (!err)
		err = accel_add(m, i, &c.stream);
	if (err)
		return err;
	if (c.stream) {
		const struct smmu_id *id =
			&m->iommu_options[iommu_of(m->options, &o->place)].registers;

		c.ats = shows_ats(&o->fault, id, c.stream);
		c.pasid_bits = smmu_id_get(id, "idr1.ssidsize");
		if (o->fault.route == FAULT_ROUTE_MAILBOX)
			c.faults = vsmmu_stream_bridge(c.stream);
	}
	err = vfio_pci_create(&v->pci, &v->dev, machine_bus(m, &o->place), &c, &step);
	if (v->pci)
		machine_own(m, destroy, v->pci);
	if (err)
		return failed(o, steps[step], err);
	machine_is_pci(m, &o->place, vfio_pci_func(v->pci), false);
	return 0;
}

int vfio_devices_create(struct machine *m)
{
	int err = 0;

	for (unsigned int i = 0; i < m->options->nr_vfio && !err; i++)
		err = create(m, i);
	return err;
}

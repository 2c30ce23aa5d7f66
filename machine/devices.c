// SPDX-License-Identifier: GPL-2.0-only
/* nestor devices: which of the host's PCI functions could be a guest's, and what it takes
 * (docs/json/devices.json). */
#include "machine/devices.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "machine/status.h"
#include "vfio/function.h"
#include "vmm/log.h"

#define CLASS_HOST_BRIDGE 0x0600 /* PCI Code and ID Assignment, 1.7 */

bool takes_json(int argc, char **argv, const char *command, bool *json)
{
	*json = argc > 0 && !strcmp(argv[0], "--json");
	if (argc <= *json)
		return true;
	log_error("%s: %s: expected %s", command, argv[*json],
	          *json ? "nothing more" : "--json or nothing");
	return false;
}

bool flushed(FILE *to)
{
	if (!fflush(to) && !ferror(to))
		return true;
	log_error("cannot write the report: %s", strerror(errno));
	return false;
}

/* A host bridge is a function like others, and nobody gives it away. */
static bool is_listed(const struct host_function *f)
{
	return !f->is_bridge && f->class >> 8 != CLASS_HOST_BRIDGE;
}

static bool has_vfio_pci(const struct host_functions *h)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/bus/pci/drivers/vfio-pci", h->sys);
	return !stat(path, &st);
}

/* Where driver_override says so, only vfio-pci binds (Documentation/ABI/testing/sysfs-bus-pci). */
static void print_free(FILE *to, const struct host_functions *h, const struct host_function *f)
{
	const char *sys = h->sys, *then = "";

	if (!has_vfio_pci(h))
		fprintf(to, "modprobe vfio-pci && ");
	for (const struct host_function *i = NULL; (i = host_function_taken(h, f, i));) {
		fprintf(to, "%secho vfio-pci >%s/bus/pci/devices/%s/driver_override && ", then, sys,
		        i->at);
		if (*i->driver)
			fprintf(to, "echo %s >'%s/bus/pci/drivers/%s/unbind' && ", i->at, sys,
			        i->driver);
		fprintf(to, "echo %s >%s/bus/pci/drivers_probe", i->at, sys);
		then = " && ";
	}
}

/* NULL: ready, or it never will be. */
char *devices_free_command(const struct host_functions *h, const struct host_function *f)
{
	char *text = NULL;
	size_t len;
	FILE *to;

	if (f->group < 0 || !host_function_taken(h, f, NULL))
		return NULL;
	to = open_memstream(&text, &len);
	if (!to)
		return NULL;
	print_free(to, h, f);
	fclose(to);
	return text;
}

/* Why there is no way, as things are. */
const char *devices_never(const struct host_function *f)
{
	if (*f->other)
		return "its group has a device with a driver that is no PCI function's";
	if (f->group < 0)
		return "behind no IOMMU: the firmware (IORT, iommu-map) names none for it, or the "
		       "kernel has no driver for that IOMMU";
	if (!strcmp(f->driver, "vfio-pci") && !*f->cdev)
		return "the kernel has no CONFIG_VFIO_DEVICE_CDEV";
	return NULL;
}

static void show_abilities(const struct host_function *f, FILE *to)
{
	if (!f->caps_known)
		fprintf(to, "  (root sees its abilities)");
	if (f->ats)
		fprintf(to, "  ats");
	if (f->pri)
		fprintf(to, "  pri");
	if (f->pasid)
		fprintf(to, "  pasid=%u", f->pasid_bits);
	if (*f->resets)
		fprintf(to, "  reset: %s", f->resets);
}

static void show_text(const struct host_functions *h, const struct host_function *f, FILE *to)
{
	char *command = devices_never(f) ? NULL : devices_free_command(h, f);

	fprintf(to, "%s  %04x:%04x  class %06x  %s", f->at, f->vendor, f->device, f->class,
	        *f->driver ? f->driver : "no driver");
	if (f->group >= 0)
		fprintf(to, "  group %d", f->group);
	if (*f->iommu)
		fprintf(to, "  %s", f->iommu);
	show_abilities(f, to);
	fprintf(to, "\n");
	if (f->members)
		fprintf(to, "  its group has %s too\n", f->members);
	if (devices_never(f))
		fprintf(to, "  never: %s\n", devices_never(f));
	else if (command)
		fprintf(to, "  %s\n", command);
	else
		fprintf(to, "  ready: /dev/vfio/devices/%s\n", f->cdev);
	free(command);
}

/* Words that spaces split. */
static json_t *words(const char *text)
{
	json_t *list = json_array();
	size_t len;

	for (text += strspn(text, " "); *text; text += len, text += strspn(text, " ")) {
		len = strcspn(text, " ");
		json_array_append_new(list, json_stringn(text, len));
	}
	return list;
}

static json_t *abilities(const struct host_function *f)
{
	json_t *o = json_pack("{s:b, s:b}", "ats", f->ats, "pri", f->pri);

	if (f->pasid)
		json_object_set_new(o, "pasid-bits", json_integer(f->pasid_bits));
	return o;
}

static json_t *to_json(const struct host_functions *h, const struct host_function *f)
{
	char *command = devices_never(f) ? NULL : devices_free_command(h, f);
	json_t *o = json_pack("{s:s, s:o, s:o, s:b, s:o, s:o}", "at", f->at, "id",
	                      json_sprintf("%04x:%04x", f->vendor, f->device), "class",
	                      json_sprintf("%06x", f->class), "ready", host_function_ready(h, f),
	                      "members", words(f->members ?: ""), "resets", words(f->resets));

	if (*f->driver)
		json_object_set_new(o, "driver", json_string(f->driver));
	if (f->group >= 0)
		json_object_set_new(o, "group", json_integer(f->group));
	if (*f->iommu)
		json_object_set_new(o, "iommu", json_string(f->iommu));
	if (f->caps_known)
		json_object_set_new(o, "abilities", abilities(f));
	if (*f->cdev)
		json_object_set_new(o, "cdev", json_sprintf("/dev/vfio/devices/%s", f->cdev));
	if (devices_never(f))
		json_object_set_new(o, "never", json_string(devices_never(f)));
	if (command)
		json_object_set_new(o, "free", json_string(command));
	free(command);
	return o;
}

static void show_json(const struct host_functions *h, FILE *to)
{
	json_t *list = json_array(), *root;

	for (size_t i = 0; i < h->nr; i++)
		if (is_listed(&h->list[i]))
			json_array_append_new(list, to_json(h, &h->list[i]));
	root = json_pack("{s:i, s:o}", "schema", 1, "devices", list);
	json_dumpf(root, to, JSON_INDENT(1));
	fputc('\n', to);
	json_decref(root);
}

int devices_show(const char *sys, bool json, FILE *to)
{
	struct host_functions h;
	int err = host_functions_read(&h, sys);

	if (err && err != -ENOENT) { /* no PCI is no function */
		log_error("%s/bus/pci/devices: %s", sys, strerror(-err));
		return STATUS_HOST_FAILED;
	}
	if (json)
		show_json(&h, to);
	for (size_t i = 0; !json && i < h.nr; i++)
		if (is_listed(&h.list[i]))
			show_text(&h, &h.list[i], to);
	host_functions_free(&h);
	return flushed(to) ? 0 : STATUS_HOST_FAILED;
}

int command_devices(int argc, char **argv)
{
	bool json;

	if (!takes_json(argc, argv, "devices", &json))
		return STATUS_USAGE;
	return devices_show("/sys", json, stdout);
}

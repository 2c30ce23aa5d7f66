// SPDX-License-Identifier: GPL-2.0-only
/* nestor dump, nestor topology: a machine as it would be told to a guest, or is shown to a person,
 * on any host and by anyone. */
#include "machine/describe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "machine/auto.h"
#include "machine/boot.h"
#include "machine/machine.h"
#include "machine/status.h"
#include "topology/topology.h"
#include "vmm/log.h"

/* What the two take beside the options of run; NULL: not said. */
struct wanted {
	const char *acpi_out, *dtb_out, *format;
};

struct own {
	const char *name;
	size_t offset; /* in struct wanted */
	const char *expected;
};

static const struct own *find(const struct own *own, size_t nr, const char *arg, size_t len)
{
	for (size_t i = 0; i < nr; i++)
		if (strlen(own[i].name) == len && !strncmp(own[i].name, arg, len))
			return &own[i];
	return NULL;
}

/* Takes what is @own out of the arguments: how many are left, or -1 where a line was printed. */
static int take(struct wanted *w, const struct own *own, size_t nr, int argc, char **argv)
{
	int left = 0;

	for (int at = 0; at < argc; at++) {
		const size_t len = strcspn(argv[at], "=");
		const struct own *mine = find(own, nr, argv[at], len);
		char *val = argv[at][len] ? argv[at] + len + 1 : NULL;

		if (!mine) {
			argv[left++] = argv[at];
			continue;
		}
		if (!val && at + 1 < argc)
			val = argv[++at];
		if (!val || !*val) {
			log_error("%s: no value: expected %s", mine->name, mine->expected);
			return -1;
		}
		*(const char **)((char *)w + mine->offset) = val;
	}
	return left;
}

/* The rest of the arguments, as run has them; false: a line was printed. What run writes while it
 * boots is what dump is for. */
static bool parse(struct options *o, int argc, char **argv)
{
	if (argc < 0 || !options_parse(o, argc, argv))
		return false;
	if (o->dump_dtb)
		log_error("--dump-dtb %s: expected `nestor dump --dtb-out FILE`", o->dump_dtb);
	else if (o->dump_acpi)
		log_error("--dump-acpi %s: expected `nestor dump --acpi-out DIR`", o->dump_acpi);
	return !o->dump_dtb && !o->dump_acpi;
}

/* Each way of telling by itself: a run has only one. */
static int dump_one(struct machine *m, const struct options *o)
{
	struct boot b;
	int status = boot_open_dump(&b, o);

	if (!status) {
		boot_without_kernel(&b, o, &m->vm.mem, &m->platform);
		status = boot_describe(&b, o, &m->vm.mem, &m->platform);
	}
	boot_close(&b);
	return status;
}

static int dump(struct machine *m, void *ctx)
{
	const struct wanted *w = ctx;
	struct options o = *m->options;
	int status = 0;

	o.dump_acpi = w->acpi_out;
	o.acpi = true;
	o.dump_dtb = NULL;
	if (w->acpi_out)
		status = dump_one(m, &o);
	o.dump_acpi = NULL;
	o.acpi = false;
	o.dump_dtb = w->dtb_out;
	return status || !w->dtb_out ? status : dump_one(m, &o);
}

static int show_topology(struct machine *m, void *ctx)
{
	const struct wanted *w = ctx;
	int err = topology_find(w->format)->print(&m->platform, stdout);

	if (!err && !fflush(stdout) && !ferror(stdout))
		return 0;
	log_error("cannot write the topology: %s", strerror(err ? -err : errno));
	return STATUS_HOST_FAILED;
}

static int describe(struct options *o, int (*show)(struct machine *m, void *ctx), struct wanted *w)
{
	const int status = vfio_place_here(o);

	return status ? status : machine_describe(o, show, w);
}

int command_dump(int argc, char **argv)
{
	static const struct own own[] = {
		{ "--acpi-out", offsetof(struct wanted, acpi_out), "a folder to write to" },
		{ "--dtb-out", offsetof(struct wanted, dtb_out), "a file to write" },
	};
	struct wanted w = { 0 };
	struct options o;

	argc = take(&w, own, ARRAY_SIZE(own), argc, argv);
	if (!parse(&o, argc, argv))
		return STATUS_USAGE;
	if (o.help) {
		printf("usage: nestor dump [--acpi-out DIR] [--dtb-out FILE] [OPTION]...\n\n"
		       "Writes what a guest with these options of `nestor run` is told of its machine: ACPI tables,\n"
		       "DIR/NAME.dat each, and a device tree. It needs neither KVM nor a file that an option names.\n");
		return 0;
	}
	if (!w.acpi_out && !w.dtb_out) {
		log_error("dump: nothing to write: expected --acpi-out DIR or --dtb-out FILE");
		return STATUS_USAGE;
	}
	return describe(&o, dump, &w);
}

int command_topology(int argc, char **argv)
{
	static const struct own own[] = {
		{ "--format", offsetof(struct wanted, format), TOPOLOGY_FORMATS },
	};
	struct wanted w = { .format = "text" };
	struct options o;

	argc = take(&w, own, ARRAY_SIZE(own), argc, argv);
	if (!parse(&o, argc, argv))
		return STATUS_USAGE;
	if (o.help) {
		printf("usage: nestor topology [--format " TOPOLOGY_FORMATS "] [OPTION]...\n\n"
		       "Shows the machine that these options of `nestor run` make: segments, ports and functions, and\n"
		       "the IOMMU that each is behind. It needs neither KVM nor a file that an option names.\n");
		return 0;
	}
	if (!topology_find(w.format)) {
		log_error("--format %s: expected " TOPOLOGY_FORMATS, w.format);
		return STATUS_USAGE;
	}
	return describe(&o, show_topology, &w);
}

// SPDX-License-Identifier: GPL-2.0-only
/* nestor: its commands. */
#include <stdio.h>
#include <string.h>

#include "control/client.h"
#include "machine/auto.h"
#include "machine/check.h"
#include "machine/describe.h"
#include "machine/devices.h"
#include "machine/machine.h"
#include "machine/options.h"
#include "machine/session.h"
#include "machine/status.h"
#include "vmm/clock.h"
#include "vmm/log.h"
#include "vmm/vcpu.h"

static int command_run(int argc, char **argv)
{
	struct session session = { 0 };
	struct options o;
	int status;

	if (!options_parse(&o, argc, argv))
		return STATUS_USAGE;
	if (o.help) {
		options_help();
		return 0;
	}
	if (!o.kernel) {
		log_error("--kernel: not given: expected an arm64 kernel Image");
		return STATUS_USAGE;
	}
	status = vfio_place_here(&o);
	if (status)
		return status;
	o.deadline = clock_now() + o.timeout * NSEC_PER_SEC;
	do
		status = machine_run(&o, &session);
	while (status == STATUS_RESET && o.reboot);
	session_close(&session, status);
	return status;
}

static int command_help(int argc, char **argv);

static bool takes_none(int argc, char **argv)
{
	if (argc)
		log_error("%s: expected nothing more", argv[0]);
	return !argc;
}

static int command_version(int argc, char **argv)
{
	if (!takes_none(argc, argv))
		return STATUS_USAGE;
	printf("nestor " NESTOR_VERSION "\n");
	return 0;
}

/* With no usage a command takes --help itself, among its options. */
static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help, *usage;
} commands[] = {
	{ "run", command_run, "boot a guest (nestor run --help)", NULL },
	{ "dump", command_dump, "write the tables and the tree of a machine: dump --help", NULL },
	{ "topology", command_topology, "show a machine: topology --help", NULL },
	{ "check", command_check, "what this host can do: check --help",
	  "[--json] [--trace TOPIC,...]\n\n"
	  "Says what this host can do, by trying it: run guests, assign devices, nest on its SMMUs, deliver\n"
	  "faults; and what it lacks. A function that vfio-pci has is opened for that, and so reset.\n"
	  "Topics: " LOG_TOPICS ".\n"
	  "Exit codes: 0 it can run guests, 1 Nestor or its host failed, 2 usage, 3 it cannot." },
	{ "devices", command_devices, "what of this host could be a guest's: devices --help",
	  "[--json]\n\n"
	  "Lists this host's PCI functions that could be a guest's: driver, group, IOMMU, ways of reset, and\n"
	  "the command that frees one from its driver. It changes nothing." },
	{ "list", client_list, "the guests that run", "[--json]" },
	{ "stat", client_stat, "a running guest's counters: stat [-n] NAME [--json]",
	  "[[-n] NAME | --all] [--json]" },
	{ "pause", client_pause, "stop its vCPUs", "[[-n] NAME | --all]" },
	{ "resume", client_resume, "and let them go on", "[[-n] NAME | --all]" },
	{ "stop", client_stop, "end it", "[[-n] NAME | --all]" },
	{ "debug", client_debug,
	  "its registers, interrupts and devices [--json]; with --iommu, a walk",
	  "[[-n] NAME] [--json] [--iommu ID --sid S [--ssid P] --iova A]" },
	{ "inject", client_inject, "an error of its SMMU: inject [-n] NAME --iommu ID ERROR",
	  "[[-n] NAME] --iommu ID ERROR" },
	{ "fault", client_fault,
	  "page faults of a function: fault [-n] NAME --device 0:1.0 --addr A [--count N]",
	  "[[-n] NAME] --device [SEGMENT:]BUS:DEVICE.FUNCTION --addr A [--pasid P] [--perm rwx] "
	  "[--count N] [--json]" },
	{ "help", command_help, "this text", NULL },
	{ "version", command_version, "which nestor this is", NULL },
};

static int command_help(int argc, char **argv)
{
	if (!takes_none(argc, argv))
		return STATUS_USAGE;
	printf("usage: nestor COMMAND [OPTION]...\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].help);
	return 0;
}

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static const struct command *find(const char *name)
{
	if (is_help(name))
		name = "help";
	if (!strcmp(name, "--version"))
		name = "version";
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct command *c = argc > 1 ? find(argv[1]) : NULL;

	if (c && c->usage && argc == 3 && is_help(argv[2])) {
		printf("usage: nestor %s %s\n", c->name, c->usage);
		return 0;
	}
	if (c)
		return c->run(argc - 2, argv + 2);
	log_error("%s: expected a command, such as run, list or help",
	          argc > 1 ? argv[1] : "no command");
	return STATUS_USAGE;
}

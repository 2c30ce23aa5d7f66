// SPDX-License-Identifier: GPL-2.0-only
/* The command line of `nestor run`, into a plain struct. */
#include "machine/options.h"

#include <stdio.h>
#include <string.h>

#include "control/socket.h"
#include "machine/cpu.h"
#include "machine/disk.h"
#include "machine/dma_test.h"
#include "machine/vfio.h"
#include "machine/fs.h"
#include "machine/hugetlb.h"
#include "machine/iommu.h"
#include "machine/keys.h"
#include "machine/layout.h"
#include "machine/lkvm.h"
#include "machine/msi_window.h"
#include "machine/net.h"
#include "machine/place.h"
#include "machine/vsock.h"
#include "vmm/arm64/gic.h"
#include "vmm/log.h"

/* A reader returns what was expected, NULL where the value fits. */
static const char *take_kernel(struct options *o, char *val)
{
	o->kernel = val;
	return *val ? NULL : "an arm64 kernel Image";
}

static const char *take_initrd(struct options *o, char *val)
{
	o->initrd = val;
	return *val ? NULL : "an initramfs or initrd";
}

static const char *take_params(struct options *o, char *val)
{
	o->params = val;
	return strlen(val) < 2048 ? NULL : "at most 2047 characters (COMMAND_LINE_SIZE)";
}

static const char *take_cpus(struct options *o, char *val)
{
	const char *rest;
	u64 n;

	if (!parse_number(val, &n, &rest) || *rest || n < 1 || n > MAX_CPUS)
		return "1 to 64 CPUs";
	o->cpus = n;
	return NULL;
}

/* As lkvm's: MiB unless there is a suffix. */
static const char *take_mem(struct options *o, char *val)
{
	static const char expected[] = "16M to 64T of memory, in whole MiB, such as "
				       "512, 512M or 2G";
	static const char suffixes[] = "KMGT";
	const char *rest, *suffix;
	unsigned int shift = 20;
	u64 n;

	if (!parse_number(val, &n, &rest))
		return expected;
	if (*rest) {
		suffix = strchr(suffixes, *rest & ~0x20);
		if (!suffix || rest[1])
			return expected;
		shift = 10 * (suffix - suffixes + 1);
	}
	if (n > MAX_RAM >> shift || n << shift < MIN_RAM || n << shift & ((1 << 20) - 1))
		return expected;
	o->mem = n << shift;
	return NULL;
}

static const char *take_timeout(struct options *o, char *val)
{
	const char *rest;
	u64 n;

	if (!parse_number(val, &n, &rest) || *rest || !n || n > 1000000)
		return "1 to 1000000 seconds";
	o->timeout = n;
	return NULL;
}

static const char *take_trace(struct options *o, char *val)
{
	struct log log = { .topics = o->trace };

	if (!log_enable(&log, val))
		return "topics out of " LOG_TOPICS;
	o->trace = log.topics;
	return NULL;
}

static const char *take_dump_dtb(struct options *o, char *val)
{
	o->dump_dtb = val;
	return *val ? NULL : "a file to write";
}

static const char *take_dump_acpi(struct options *o, char *val)
{
	o->dump_acpi = val;
	return *val ? NULL : "a folder to write to";
}

static const char *take_console(struct options *o, char *val)
{
	char *rest = keys_rest(val);

	if (!strcmp(val, "serial") && !rest) {
		o->virtio_console = false;
		place_release(o, &o->console_place);
		return NULL;
	}
	if (strcmp(val, "virtio"))
		return "serial or virtio";
	o->virtio_console = true;
	return place_only(o, "console", "virtio", rest, &o->console_place);
}

static const char *take_transport(struct options *o, char *val)
{
	o->virtio_mmio = !strcmp(val, "mmio");
	return o->virtio_mmio || !strcmp(val, "pci") ? NULL : "pci or mmio";
}

static const char *take_rng(struct options *o, char *val)
{
	o->rng = true;
	return place_only(o, "rng", "", val, &o->rng_place);
}

static const char *take_irqchip(struct options *o, char *val)
{
	o->irqchip = irqchip_find(val);
	return o->irqchip ? NULL : "gicv3-its, gicv3, gicv2m or gicv2";
}

static const char *take_fdt(struct options *o, char *val)
{
	(void)val;
	o->acpi = false;
	return NULL;
}

static const char *take_acpi(struct options *o, char *val)
{
	(void)val;
	o->acpi = true;
	return NULL;
}

static const char *take_strict_io(struct options *o, char *val)
{
	(void)val;
	o->strict_io = true;
	return NULL;
}

static const char *take_reboot(struct options *o, char *val)
{
	(void)val;
	o->reboot = true;
	return NULL;
}

static const char *take_hugetlbfs(struct options *o, char *val)
{
	o->hugetlbfs = val;
	return *val ? NULL : "a folder where a hugetlbfs is mounted";
}

static const char *take_pmu(struct options *o, char *val)
{
	(void)val;
	o->arch.pmu = WISH_ON;
	return NULL;
}

static const char *take_nested(struct options *o, char *val)
{
	(void)val;
	o->arch.el2 = true;
	return NULL;
}

static const char *take_e2h0(struct options *o, char *val)
{
	(void)val;
	o->arch.e2h0 = true;
	return NULL;
}

static const char *take_overcommit(struct options *o, char *val)
{
	(void)val;
	o->overcommit = true;
	return NULL;
}

static const char *take_name(struct options *o, char *val)
{
	o->name = val;
	return socket_name_ok(val) ? NULL : "1 to 64 of A-Z a-z 0-9 . _ -";
}

static const char *take_log_json(struct options *o, char *val)
{
	o->log_json = val;
	return *val ? NULL : "a file to write";
}

static const char *take_kaslr_seed(struct options *o, char *val)
{
	const char *rest;

	return parse_number(val, &o->kaslr_seed, &rest) && !*rest && o->kaslr_seed
	               ? NULL
	               : "a number of 64 bits other than 0";
}

/* What lkvm has to be told, and Nestor does in any case (docs/lkvm.md). */
static const char *take_usual(struct options *o, char *val)
{
	(void)o, (void)val;
	return NULL;
}

static const char *take_force_pci(struct options *o, char *val)
{
	(void)val;
	o->virtio_mmio = false;
	return NULL;
}

static const char *take_help(struct options *o, char *val)
{
	(void)val;
	o->help = true;
	return NULL;
}

/* A row an option; no argument: a flag; no help: lkvm's, of no use here. */
static const struct option {
	const char *name;
	char letter;
	const char *arg;
	const char *help;
	const char *(*take)(struct options *o, char *val);
} options[] = {
	{ "kernel", 'k', "IMAGE",
	  "arm64 kernel: Image, Image.gz, Image.zst, an EFI zboot file; or a flat image",
	  take_kernel },
	{ "initrd", 'i', "FILE", "initramfs or initrd", take_initrd },
	{ "params", 'p', "TEXT", "kernel command line", take_params },
	{ "cpus", 'c', "N", "vCPUs, 1 to 64 (1)", take_cpus },
	{ "mem", 'm', "SIZE", "memory in MiB, or with a suffix K, M, G, T (256M)", take_mem },
	{ "hugetlb", 0, "SIZE", "memory of huge pages of that size: 64K, 2M, 1G ...",
	  hugetlb_option_take },
	{ "hugetlbfs", 0, "DIR", "memory in a file of the hugetlbfs there", take_hugetlbfs },
	{ "cpu", 0, "KEY=VALUE,...",
	  "what vCPUs have: pmu=, sve=, pauth= auto|on|off, sve=BITS; and what their ID registers\n"
	  "                               say: id_aa64pfr0_el1.sve=0, id_aa64mmfr0_el1=0x1122 ...",
	  cpu_option_take },
	{ "pmu", 0, NULL, "--cpu pmu=on", take_pmu },
	{ "sve-max-vl", 0, "BITS", "--cpu sve=BITS", sve_option_take },
	{ "nested", 0, NULL, "vCPUs start at EL2, for a guest that is a hypervisor", take_nested },
	{ "e2h0", 0, NULL, "with --nested: EL2 without VHE", take_e2h0 },
	{ "disk", 'd', "FILE[,KEY...]",
	  "a virtio-blk disk: a raw file or block device, repeatable; keys: ro, direct,\n"
	  "                               serial=TEXT, queues=N (one for each vCPU, up to 8)",
	  disk_option_take },
	{ "segment", 0, "N", "one more PCI segment; repeatable", segment_option_take },
	{ "root-port", 0, "ID[,segment=N]", "a PCIe root port, for a device's bus=ID; repeatable",
	  port_option_take },
	{ "iommu", 0, "ID,type=virtio|smmuv3[,KEY...]",
	  "an IOMMU, for devices' iommu=ID, or for all that are on\n"
	  "                               buses=SEGMENT[/FIRST[-LAST]][:...]; repeatable; keys of smmuv3: interrupts=wired|msi,\n"
	  "                               idrN.FIELD=VALUE, such as idr0.s2p=0; of virtio: segment=N, transport=pci|mmio,\n"
	  "                               msi=bypass|translate, bypass=on|off (before a driver has it), granule=BYTES,\n"
	  "                               input=FIRST-LAST, domains=FIRST-LAST, reserved=FIRST-LAST[:...],\n"
	  "                               host-msi=FIRST-LAST, mappings=N,\n"
	  "                               experimental=page-request|attach-table|page-request:attach-table",
	  iommu_option_take },
	{ "network", 'n', "tap=NAME|passt|none",
	  "a virtio-net device on a tap interface that exists, or on passt; keys:\n"
	  "                               mac=, queues=N",
	  net_option_take },
	{ "fs", 0, "DIR,tag=TAG[,KEY...]",
	  "a folder that the guest mounts by its tag (virtiofs), repeatable; keys: ro,\n"
	  "                               sandbox=namespace|chroot|none (virtiofsd's)",
	  fs_option_take },
	{ "vsock", 0, "CID", "a virtio-vsock device with that context ID, 3 or more",
	  vsock_option_take },
	{ "console", 0, "serial|virtio[,KEY...]", "the guest's console: the first UART, or hvc0",
	  take_console },
	{ "virtio-transport", 0, "pci|mmio", "what virtio devices are found on (pci)",
	  take_transport },
	{ "rng", 0, "[=KEY,...]", "a virtio-rng device", take_rng },
	{ "dma-test", 0, "[=KEY,...]",
	  "a PCI function that does the DMA its driver asks for, to test IOMMUs; repeatable;\n"
	  "                               keys: ats, pri, stall, pasid=BITS,\n"
	  "                               fault=auto|mailbox|priq|virtio|off, fault-timeout=MS,\n"
	  "                               backend=mock (a nestor built as nestor-mock)",
	  dma_test_option_take },
	{ "vfio-pci", 0, "BDF[,KEY...]",
	  "a PCI function of the host's, [DOMAIN:]BUS:DEV.FN, that vfio-pci has\n"
	  "                               (`nestor devices`); repeatable; keys: token=UUID (a virtual function's),\n"
	  "                               stall=auto|on|off, fault=auto|stall|mailbox|off,\n"
	  "                               fault-timeout=MS",
	  vfio_option_take },
	{ "msi-window", 0, "BASE,SIZE", "IOVAs where doorbells are (0x8000000,0x100000)",
	  msi_window_take },
	{ "irqchip", 0, "NAME", "gicv3-its (this unless another is named), gicv3, gicv2m or gicv2",
	  take_irqchip },
	{ "acpi", 0, NULL, "describe the machine by ACPI tables, and no firmware", take_acpi },
	{ "fdt", 0, NULL, "describe the machine by a device tree (this unless --acpi)", take_fdt },
	{ "timeout", 0, "SECONDS", "end the guest after that long, with exit code 35",
	  take_timeout },
	{ "strict-io", 0, NULL,
	  "exit code 37 instead of 0 where page faults were lost or had no answer",
	  take_strict_io },
	{ "reboot", 0, NULL, "start again when the guest resets, instead of exit code 32",
	  take_reboot },
	{ "overcommit", 0, NULL, "let the guest have more memory than the host", take_overcommit },
	{ "trace", 0, "TOPIC,...", "say on stderr what happens: " LOG_TOPICS, take_trace },
	{ "log-json", 0, "FILE", "write what --trace says, and the guest's life, as lines of JSON",
	  take_log_json },
	{ "name", 0, "NAME",
	  "what `nestor list`, stat, pause, stop ... know the guest by (guest-PID)", take_name },
	{ "dump-dtb", 0, "FILE", "write the guest's device tree to a file", take_dump_dtb },
	{ "dump-acpi", 0, "DIR", "write the guest's ACPI tables to files in a folder",
	  take_dump_acpi },
	{ "kaslr-seed", 0, "N", "the seed of the kernel's address space layout (random)",
	  take_kaslr_seed },
	{ "help", 'h', NULL, "this text", take_help },
	{ "disable-mte", 0, NULL, NULL, take_usual },
	{ "force-pci", 0, NULL, NULL, take_force_pci },
	{ "no-pvtime", 0, NULL, NULL, take_usual },
	{ "nodefaults", 0, NULL, NULL, take_usual },
};

void options_help(void)
{
	printf("usage: nestor run -k IMAGE [OPTION]...\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option *opt = &options[i];
		char left[64], letter[8] = "   ";

		if (!opt->help)
			continue;
		if (opt->letter)
			snprintf(letter, sizeof(letter), "-%c,", opt->letter);
		snprintf(left, sizeof(left), "%s --%s %s", letter, opt->name,
		         opt->arg ? opt->arg : "");
		printf("  %-28s %s\n", left, opt->help);
	}
	printf("\nAny device takes bus=ROOT-PORT or segment=N, and iommu=ID or none, where an --iommu\nhas not its bus.\n"
	       "An option given again replaces what it said before; disks, networks, --cpu and trace topics add up.\n"
	       "Ctrl-a x ends the guest; Ctrl-a a sends Ctrl-a.\n"
	       "Exit codes: 0 powered off, 1 Nestor or its host failed, 2 usage, 3 the host lacks\n"
	       "what was asked for, 32 reset, 33 KVM could not continue, 34 the guest crashed,\n"
	       "35 timeout, 64+N a test guest's own status N, 128+N signal N.\n");
}

static const struct option *find_long(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strlen(options[i].name) == len && !strncmp(options[i].name, name, len))
			return &options[i];
	return NULL;
}

static const struct option *find_short(char letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].letter && options[i].letter == letter)
			return &options[i];
	return NULL;
}

/* --name, --name=VALUE, -k, -kVALUE. *val: what is glued to it, or NULL. NULL: no such option. */
static const struct option *find(char *arg, char **val)
{
	char *equals;

	*val = NULL;
	if (arg[1] != '-') {
		*val = arg[1] && arg[2] ? arg + 2 : NULL;
		return find_short(arg[1]);
	}
	equals = strchr(arg, '=');
	if (!equals)
		return find_long(arg + 2, strlen(arg + 2));
	*val = equals + 1;
	return find_long(arg + 2, equals - arg - 2);
}

static bool unknown(const char *arg)
{
	if (lkvm_refused(arg))
		return false;
	if (*arg == '-')
		log_error("%s: expected an option of `nestor run --help`", arg);
	else
		log_error("%s: expected an option; a kernel is given with -k", arg);
	return false;
}

/* *at is the argument's index, moved on where its value is the next one. */
static bool take(struct options *o, int argc, char **argv, int *at)
{
	char *arg = argv[*at], *val;
	const char *expected;
	char said[256];
	bool optional;
	const struct option *opt = *arg == '-' ? find(arg, &val) : NULL;

	if (!opt)
		return unknown(arg);
	if (!opt->arg && val) {
		log_error("--%s: %s: expected no value", opt->name, val);
		return false;
	}
	/* A value that may be left out is glued on. */
	optional = opt->arg && *opt->arg == '[';
	if (opt->arg && !val && !optional)
		val = ++*at < argc ? argv[*at] : NULL;
	if (opt->arg && !val && !optional) {
		log_error("--%s: no value: expected %s", opt->name, opt->arg);
		return false;
	}
	snprintf(said, sizeof(said), "%s", val ? val : ""); /* a reader may split it */
	expected = opt->take(o, val);
	if (expected)
		log_error("--%s %s: expected %s", opt->name, said, expected);
	return !expected;
}

static bool cpus_fit(const struct options *o)
{
	unsigned int max = irqchip_max_cpus(o->irqchip);

	if (o->cpus <= max)
		return true;
	log_error("--cpus %u: expected at most %u with --irqchip %s", o->cpus, max,
	          irqchip_name(o->irqchip));
	return false;
}

bool options_parse(struct options *o, int argc, char **argv)
{
	*o = (struct options){ .params = "",
		               .cpus = 1,
		               .mem = 256ULL << 20,
		               .irqchip = irqchip_find("gicv3-its"),
		               .nr_segments = 1,
		               .msi_window = { MSI_WINDOW_BASE,
		                               MSI_WINDOW_BASE + MSI_WINDOW_SIZE - 1 } };
	for (int at = 0; at < argc; at++)
		if (!take(o, argc, argv, &at))
			return false;
	return options_check(o);
}

bool options_check(struct options *o)
{
	return cpus_fit(o) && cpu_check(o) && iommus_check(o) && places_check(o) &&
	       iommus_check_buses(o) && iommus_check_stalls(o) && dma_tests_check(o) &&
	       vfio_check(o) && msi_window_check(o);
}

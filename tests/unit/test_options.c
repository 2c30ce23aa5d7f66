// SPDX-License-Identifier: GPL-2.0-only
/* The command line: what each option takes, and what is said of what it does not. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>

#include "machine/options.h"
#include "vmm/arm64/gic.h"
#include "vmm/log.h"

static struct options o;
static char line[2048]; /* the words, which options_parse keeps pointers into */

/* Parses words separated by single spaces; '~' stands for a space in one, and "''" for an empty
 * one. */
static bool parse(const char *words)
{
	char *argv[600], *word;
	int argc = 0;

	snprintf(line, sizeof(line), "%s", words);
	for (word = strtok(line, " "); word; word = strtok(NULL, " ")) {
		for (char *c = word; (c = strchr(c, '~')); c++)
			*c = ' ';
		argv[argc++] = strcmp(word, "''") ? word : word + 2;
	}
	return options_parse(&o, argc, argv);
}

Test(options, what_is_not_said_has_a_default)
{
	cr_assert(parse("-k Image"));
	cr_assert(eq(str, (char *)o.kernel, "Image"));
	cr_assert(zero(ptr, (void *)o.initrd));
	cr_assert(eq(str, (char *)o.params, ""));
	cr_assert(eq(u32, o.cpus, 1));
	cr_assert(eq(u64, o.mem, 256 << 20));
	cr_assert(zero(u32, o.nr_disks | o.timeout | o.trace));
	cr_assert(not(o.reboot));
	cr_assert(zero(ptr, (void *)o.dump_dtb));
}

ParameterizedTestParameters(options, an_option_has_a_long_and_a_short_form)
{
	static char cases[][64] = {
		"-k K -i I -p P~1 -c 3 -m 64",
		"-kK -iI -pP~1 -c3 -m64",
		"--kernel K --initrd I --params P~1 --cpus 3 --mem 64",
		"--mem=64 --cpus=3 --params=P~1 --initrd=I --kernel=K",
	};

	return cr_make_param_array(char[64], cases, ARRAY_SIZE(cases));
}

ParameterizedTest(char (*words)[64], options, an_option_has_a_long_and_a_short_form)
{
	cr_assert(parse(*words), "%s", *words);
	cr_assert(eq(str, (char *)o.kernel, "K"));
	cr_assert(eq(str, (char *)o.initrd, "I"));
	cr_assert(eq(str, (char *)o.params, "P 1"));
	cr_assert(eq(u32, o.cpus, 3));
	cr_assert(eq(u64, o.mem, 64 << 20));
}

Test(options, an_irqchip_is_named_as_lkvm_names_it)
{
	cr_assert(parse("-k K"));
	cr_assert(eq(str, (char *)irqchip_name(o.irqchip), "gicv3-its"));
	cr_assert(parse("-k K --irqchip gicv2m -c 8"));
	cr_assert(eq(str, (char *)irqchip_name(o.irqchip), "gicv2m"));
}

Test(options, a_value_may_look_like_an_option)
{
	cr_assert(parse("-k -k -p --quiet=1"));
	cr_assert(eq(str, (char *)o.kernel, "-k"));
	cr_assert(eq(str, (char *)o.params, "--quiet=1"));
}

Test(options, disks_add_up_in_order)
{
	cr_assert(parse("-k K -d a --disk=b,ro -d c"));
	cr_assert(eq(u32, o.nr_disks, 3));
	cr_assert(eq(str, (char *)o.disks[1].path, "b"));
	cr_assert(o.disks[1].read_only);
	cr_assert(eq(str, (char *)o.disks[2].path, "c"));
	cr_assert(not(o.disks[0].read_only || o.disks[2].read_only));
}

Test(options, a_console_that_is_taken_back_leaves_its_root_port)
{
	cr_assert(parse("-k K --root-port a --console virtio,bus=a --console serial -d x,bus=a"));
	cr_assert(not(o.virtio_console));
}

Test(options, flags_and_the_rest_are_taken)
{
	cr_assert(parse("-k K --timeout 30 --reboot --overcommit --trace irq --trace pci,mmio "
	                "--dump-dtb f.dtb --fdt -n none --console serial --irqchip gicv3-its"));
	cr_assert(eq(u32, o.timeout, 30));
	cr_assert(o.reboot);
	cr_assert(o.overcommit);
	cr_assert(eq(u32, o.trace, BIT(TRACE_IRQ) | BIT(TRACE_PCI) | BIT(TRACE_MMIO)));
	cr_assert(eq(str, (char *)o.dump_dtb, "f.dtb"));
}

Test(options, lkvms_words_for_what_is_usual_here_are_taken)
{
	cr_assert(parse("-k K --virtio-transport mmio --force-pci --nodefaults --no-pvtime "
	                "--disable-mte --pmu --sve-max-vl 256 --kaslr-seed 0x1122334455667788"));
	cr_assert(not(o.virtio_mmio));
	cr_assert(eq(int, o.arch.pmu, WISH_ON));
	cr_assert(eq(u32, o.arch.sve_bits, 256));
	cr_assert(eq(u64, o.kaslr_seed, 0x1122334455667788));
}

Test(options, what_is_said_of_cpus_adds_up)
{
	cr_assert(parse("-k K --cpu pmu=on,sve=256 --cpu sve=off,pauth=off,id_aa64pfr0_el1.gic=0 "
	                "--cpu pmu=auto,id_aa64pfr0_el1=1 --nested --e2h0"));
	cr_assert(eq(int, o.arch.pmu, WISH_AUTO));
	cr_assert(eq(int, o.arch.sve, WISH_OFF));
	cr_assert(zero(u32, o.arch.sve_bits));
	cr_assert(eq(int, o.arch.pauth, WISH_OFF));
	cr_assert(eq(u32, o.arch.nr_ids, 2));
	cr_assert(o.arch.el2 && o.arch.e2h0);
}

Test(options, a_place_goes_with_what_was_said_before)
{
	cr_assert(parse("-k K --root-port rp --vsock 3,bus=rp --vsock 4,bus=rp"));
	cr_assert(eq(u64, o.vsock.cid, 4));
	cr_assert(
		parse("-k K --root-port rp --console virtio,bus=rp --console serial -d x,bus=rp"));
	cr_assert(parse("-k K --root-port rp --rng=bus=rp --rng -d x,bus=rp"));
	cr_assert(parse("-k K --root-port rp --vsock 3,segment=9 --vsock 4"));
	cr_assert(eq(u32, o.nr_claims, 1));
}

Test(options, help_needs_no_kernel)
{
	cr_assert(parse("-h"));
	cr_assert(o.help);
}

struct mem_case {
	char val[24];
	u64 mem; /* 0: refused */
};

ParameterizedTestParameters(options, memory_has_a_unit)
{
	static struct mem_case cases[] = {
		{ "512", 512ULL << 20 },
		{ "512M", 512ULL << 20 },
		{ "2g", 2ULL << 30 },
		{ "1T", 1ULL << 40 },
		{ "16384k", 16 << 20 },
		{ "0x100", 256 << 20 },
		{ "16", 16 << 20 },
		{ "15", 0 },
		{ "17K", 0 },
		{ "16385K", 0 },
		{ "64T", 64ULL << 40 },
		{ "65537G", 0 },
		{ "0512", 512ULL << 20 },
		{ "0", 0 },
		{ "1P", 0 },
		{ "64MB", 0 },
		{ "M", 0 },
		{ "-1", 0 },
		{ "+512", 0 },
		{ "~512", 0 },
		{ "512~", 0 },
		{ "1.5G", 0 },
		{ "99999999999999999999", 0 },
		{ "18446744073709551615T", 0 },
	};

	return cr_make_param_array(struct mem_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct mem_case *c, options, memory_has_a_unit)
{
	char words[64];

	cr_redirect_stderr();
	snprintf(words, sizeof(words), "-k K -m %s", c->val);
	cr_assert(eq(int, parse(words), !!c->mem), "%s", c->val);
	if (c->mem)
		cr_assert(eq(u64, o.mem, c->mem), "%s", c->val);
}

struct bad_case {
	char words[128], said[240];
};

ParameterizedTestParameters(options, what_is_wrong_is_said_in_one_line)
{
	static struct bad_case cases[] = {
		{ "-k ''", "--kernel : expected an arm64 kernel Image" },
		{ "-k K -i ''", "--initrd : expected an initramfs or initrd" },
		{ "-k", "--kernel: no value: expected IMAGE" },
		{ "-k K -c 0", "--cpus 0: expected 1 to 64 CPUs" },
		{ "-k K --dma-test=stall",
		  "--dma-test stall,iommu=none: expected an --iommu of type=smmuv3, with "
		  "idr0.stall_model=0 or 2" },
		{ "-k K --iommu v,type=virtio --dma-test=stall,iommu=v",
		  "--dma-test stall,iommu=v: expected an --iommu of type=smmuv3, with "
		  "idr0.stall_model=0 or 2" },
		{ "-k K --iommu s,type=smmuv3,idr0.stall_model=1 --dma-test=stall,iommu=s",
		  "--dma-test stall,iommu=s: expected an --iommu of type=smmuv3, with "
		  "idr0.stall_model=0 or 2" },
		{ "-k K -c 65", "--cpus 65: expected 1 to 64 CPUs" },
		{ "-k K -c 2x", "--cpus 2x: expected 1 to 64 CPUs" },
		{ "-k K -c -1", "--cpus -1: expected 1 to 64 CPUs" },
		{ "-k K -c", "--cpus: no value: expected N" },
		{ "-k K -m 8",
		  "--mem 8: expected 16M to 64T of memory, in whole MiB, such as 512, 512M or 2G" },
		{ "-k K -d ''", "--disk : expected FILE[,ro][,direct][,serial=TEXT][,queues=N]" },
		{ "-k K -d a,rw",
		  "--disk a,rw: expected a key out of bus=, iommu=, segment=, ro, direct, serial=, queues=" },
		{ "-k K -d a,queues=17", "--disk a,queues=17: expected queues=N, 1 to 16" },
		{ "-k K -d a,serial=", "--disk a,serial=: expected serial=TEXT" },
		{ "-k K -d a,serial=123456789012345678901",
		  "--disk a,serial=123456789012345678901: expected serial=TEXT, at most 20 characters" },
		{ "-k K --virtio-transport isa", "--virtio-transport isa: expected pci or mmio" },
		{ "-k K --rng=1", "--rng 1: expected a key out of bus=, iommu=, segment=" },
		{ "-k K -d ,ro",
		  "--disk ,ro: expected FILE[,ro][,direct][,serial=TEXT][,queues=N]" },
		{ "-k K -n user", "--network user: expected tap=NAME, passt or none" },
		{ "-k K --console vga", "--console vga: expected serial or virtio" },
		{ "-k K --irqchip gic",
		  "--irqchip gic: expected gicv3-its, gicv3, gicv2m or gicv2" },
		{ "-k K --timeout 0", "--timeout 0: expected 1 to 1000000 seconds" },
		{ "-k K --timeout 1000001", "--timeout 1000001: expected 1 to 1000000 seconds" },
		{ "-k K --trace all,x",
		  "--trace all,x: expected topics out of kvm, vcpu, mmio, irq, pci, virtio, iommu, smmu, boot, helper, uapi, fault, all" },
		{ "-k K --dump-dtb=", "--dump-dtb : expected a file to write" },
		{ "-k K --reboot=yes", "--reboot: yes: expected no value" },
		{ "-k K --rebot", "--rebot: expected an option of `nestor run --help`" },
		{ "-k K --cpu=2",
		  "--cpu 2: expected pmu=, sve=, pauth=, or an ID register's REG.FIELD=N or REG=N" },
		{ "-k K --cpu pmu=yes", "--cpu pmu=yes: expected pmu=auto, on or off" },
		{ "-k K --cpu pauth=", "--cpu pauth=: expected pauth=auto, on or off" },
		{ "-k K --cpu sve=100",
		  "--cpu sve=100: expected sve=auto, on, off or a vector length in bits: 128 to 2048, a multiple of 128" },
		{ "-k K --cpu sve=0",
		  "--cpu sve=0: expected sve=auto, on, off or a vector length in bits: 128 to 2048, a multiple of 128" },
		{ "-k K --cpu sve=2176",
		  "--cpu sve=2176: expected sve=auto, on, off or a vector length in bits: 128 to 2048, a multiple of 128" },
		{ "-k K --sve-max-vl on",
		  "--sve-max-vl on: expected a vector length in bits: 128 to 2048, a multiple of 128" },
		{ "-k K --cpu nosuch=1",
		  "--cpu nosuch=1: expected pmu=, sve=, pauth=, or an ID register's REG.FIELD=N or REG=N" },
		{ "-k K --cpu id_nosuch=1",
		  "--cpu id_nosuch=1: expected an ID register such as id_aa64pfr0_el1, or s3_0_c0_c4_0" },
		{ "-k K --cpu id_dfr1_el1.x=1",
		  "--cpu id_dfr1_el1.x=1: expected a field of id_dfr1_el1: mtpmu hpmn0" },
		{ "-k K --cpu pmu=on,id_dfr1_el1.mtpmu=16",
		  "--cpu pmu=on,id_dfr1_el1.mtpmu=16: expected at most 15 in that field" },
		{ "-k K --cpu id_dfr1_el1.mtpmu=x",
		  "--cpu id_dfr1_el1.mtpmu=x: expected REG.FIELD=N or REG=N, N a number such as 2 or 0x12" },
		{ "-k K --cpu pmu=on,", "--cpu pmu=on,: expected pmu=, sve=, pauth=, or an ID "
		                        "register's REG.FIELD=N or REG=N" },
		{ "-k K --e2h0", "--e2h0: expected --nested too" },
		{ "-k K -x", "-x: expected an option of `nestor run --help`" },
		{ "-k K -", "-: expected an option of `nestor run --help`" },
		{ "-k K --", "--: expected an option of `nestor run --help`" },
		{ "-k K Image", "Image: expected an option; a kernel is given with -k" },
		{ "-k K --9p x", "--9p: an option of lkvm that nestor does not have" },
		{ "-k K --firmware=x",
		  "--firmware: an option of lkvm that nestor does not have; the nearest is -k" },
		{ "-k K -f x",
		  "--firmware: an option of lkvm that nestor does not have; the nearest is -k" },
		{ "-k K -Fx", "--flash: an option of lkvm that nestor does not have" },
		{ "-k K --debug-mmio",
		  "--debug-mmio: an option of lkvm that nestor does not have; the nearest is --trace mmio" },
		{ "-k K --debugger", "--debugger: expected an option of `nestor run --help`" },
		{ "-k K --kaslr-seed 0",
		  "--kaslr-seed 0: expected a number of 64 bits other than 0" },
		{ "-k K --kaslr-seed x",
		  "--kaslr-seed x: expected a number of 64 bits other than 0" },
	};

	return cr_make_param_array(struct bad_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct bad_case *c, options, what_is_wrong_is_said_in_one_line)
{
	char want[300];

	cr_redirect_stderr();
	cr_assert(not(parse(c->words)), "%s", c->words);
	fflush(stderr);
	snprintf(want, sizeof(want), "nestor: %s\n", c->said);
	cr_assert_stderr_eq_str(want);
}

Test(options, there_are_at_most_256_disks, .init = cr_redirect_stderr)
{
	char words[2048] = "-k K";

	for (int i = 0; i < MAX_DISKS; i++)
		strcat(words, " -d x");
	strcat(words, " -d y");
	cr_assert(not(parse(words)));
	cr_assert(eq(u32, o.nr_disks, MAX_DISKS));
	fflush(stderr);
	cr_assert_stderr_eq_str("nestor: --disk y: expected at most 256 disks\n");
}

Test(options, a_kernel_command_line_has_an_end, .init = cr_redirect_stderr)
{
	static char params[2049];
	char *argv[] = { "-k", "K", "-p", params };

	memset(params, 'x', 2047);
	cr_assert(options_parse(&o, 4, argv));
	params[2047] = 'x';
	cr_assert(not(options_parse(&o, 4, argv)));
}

Test(options, the_help_names_every_option, .init = cr_redirect_stdout)
{
	char text[8192] = "";
	FILE *out;

	options_help();
	fflush(stdout);
	out = cr_get_redirected_stdout();
	text[fread(text, 1, sizeof(text) - 1, out)] = 0;
	for (const char *name = "kernel\0initrd\0params\0cpus\0mem\0disk\0timeout\0trace\0reboot\0";
	     *name; name += strlen(name) + 1)
		cr_assert(ne(ptr, strstr(text, name), NULL), "%s", name);
}

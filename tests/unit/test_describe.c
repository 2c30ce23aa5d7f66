// SPDX-License-Identifier: GPL-2.0-only
/* A machine that is put together to be looked at: what can go wrong, and that all of it goes
 * again. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

#include "machine/machine.h"
#include "machine/status.h"
#include "tests/unit/leak.h"
#include "tests/unit/said.h"

TestSuite(describe, .init = listen_to_errors, .fini = expect_no_leak);

#define MAX_FDS 256

/* A line with some of everything; it is split in place, so it is made anew each time. */
static const char *const everything[] = {
	"--segment=7",
	"--root-port=p,segment=7",
	"--iommu=s,type=smmuv3,interrupts=msi",
	"--iommu=v,type=virtio,segment=7",
	"--iommu=m,type=virtio,transport=mmio",
	"--disk=none.img,iommu=s",
	"--disk=other.img,bus=p,iommu=v",
	"--network=tap=none,iommu=m",
	"--network=passt",
	"--fs=none,tag=t",
	"--vsock=3",
	"--rng=iommu=v",
	"--console=virtio",
	"--dma-test=ats,pri,iommu=s",
	"--cpus=3",
};

static struct options options;

static void parse(const char *const *args, int nr)
{
	static char texts[40][64];
	char *argv[40];

	for (int i = 0; i < nr; i++)
		argv[i] = strcpy(texts[i], args[i]);
	cr_assert(options_parse(&options, nr, argv), "%s", said(stderr));
}

static unsigned int nr_fds(void)
{
	unsigned int nr = 0;

	for (int fd = 0; fd < MAX_FDS; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

struct shown {
	unsigned int times, nr_functions, nr_endpoints;
	int status; /* that it answers with */
};

static int show(struct machine *m, void *ctx)
{
	struct shown *s = ctx;

	s->times++;
	s->nr_functions = m->platform.nr_functions;
	s->nr_endpoints = m->platform.nr_endpoints;
	return s->status;
}

Test(describe, what_the_host_has_not_is_there_all_the_same)
{
	struct shown s = { 0 };
	const unsigned int before = nr_fds();

	parse(everything, ARRAY_SIZE(everything));
	for (unsigned int i = 1; i <= 3; i++) {
		cr_assert(zero(int, machine_describe(&options, show, &s)));
		cr_assert(eq(u32, s.times, i));
		cr_assert(all(eq(u32, s.nr_functions, 12), eq(u32, s.nr_endpoints, 5)));
		cr_assert(eq(u32, nr_fds(), before));
	}
	cr_assert(eq(str, said(stderr), ""));
}

Test(describe, what_was_shown_has_the_last_word)
{
	struct shown s = { .status = 77 };
	const unsigned int before = nr_fds();

	parse(everything, ARRAY_SIZE(everything));
	cr_assert(eq(int, machine_describe(&options, show, &s), 77));
	cr_assert(eq(u32, s.times, 1));
	cr_assert(eq(u32, nr_fds(), before));
}

Test(describe, an_smmu_that_does_not_know_an_id_is_a_usage_error_and_is_not_shown)
{
	static const char *const args[] = { "--iommu=s,type=smmuv3,idr1.sidsize=6,idr0.st_level=0",
		                            "--root-port=p", "--disk=d,bus=p,iommu=s" };
	struct shown s = { 0 };
	const unsigned int before = nr_fds();

	parse(args, ARRAY_SIZE(args));
	cr_assert(eq(int, machine_describe(&options, show, &s), STATUS_USAGE));
	cr_assert(eq(str, said(stderr),
	             "nestor: --iommu s,idr1.sidsize=6: expected at least 9, for the StreamID "
	             "0x100 of --disk d\n"));
	cr_assert(zero(u32, s.times));
	cr_assert(eq(u32, nr_fds(), before));
}

static void expect_a_line(const char *text)
{
	const char *end = strchr(text, '\n');

	cr_assert(end && end != text && !end[1], "%s", text);
}

/* As many open files as are too few, each number of them: it fails wherever it can. */
Test(describe, a_machine_without_files_enough_fails_in_a_line_and_is_undone)
{
	const unsigned int before = nr_fds();
	struct rlimit limit = { 0 };
	unsigned int failed = 0;
	struct shown s = { 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	parse(everything, ARRAY_SIZE(everything));
	for (limit.rlim_cur = before; !s.times && limit.rlim_cur < MAX_FDS; limit.rlim_cur++) {
		int status;

		cr_assert(zero(int, setrlimit(RLIMIT_NOFILE, &limit)));
		status = machine_describe(&options, show, &s);
		cr_assert(eq(u32, nr_fds(), before), "with %u files", (unsigned int)limit.rlim_cur);
		if (s.times)
			break;
		cr_assert(ne(int, status, 0));
		expect_a_line(said(stderr));
		failed++;
	}
	cr_assert(all(eq(u32, s.times, 1), gt(u32, failed, 3)), "%u failed", failed);
}

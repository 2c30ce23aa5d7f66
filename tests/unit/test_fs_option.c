// SPDX-License-Identifier: GPL-2.0-only
/* --fs: folders and their keys; and virtiofsd, for which a shell stands, as it is started. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/fs.h"
#include "machine/helper.h"
#include "machine/machine.h"
#include "machine/status.h"
#include "tests/unit/leak.h"
#include "tests/unit/said.h"

static struct options o;
static struct machine m = { .options = &o };
static char texts[MAX_FS + 1][160];
static unsigned int nr;
static char folder[] = "/tmp/nestor-unit-XXXXXX";

static void make(void)
{
	listen_to(stderr);
	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	fs_init(&m);
}

static void unmake(void)
{
	char command[64];

	fs_close(&m);
	snprintf(command, sizeof(command), "/bin/rm -rf %s", folder);
	cr_assert(zero(int, system(command)));
	expect_no_leak();
}

TestSuite(fs_option, .init = make, .fini = unmake, .timeout = 20);

static const char *take(const char *val)
{
	return fs_option_take(&o, strcpy(texts[nr++], val));
}

struct fs_case {
	char val[96], expected[120];
};

ParameterizedTestParameters(fs_option, a_folder_has_a_tag_and_keys)
{
#define KEYS "a key out of bus=, iommu=, segment=, tag=, ro, sandbox="
#define BOX  "sandbox=namespace, chroot or none"
	static struct fs_case cases[] = {
		{ "d,tag=t", "" },
		{ "d,ro,tag=t,sandbox=namespace", "" },
		{ "d,tag=t,sandbox=chroot,iommu=none", "" },
		{ "d,sandbox=none,tag=012345678901234567890123456789012345", "" },
		{ "d,tag=0123456789012345678901234567890123456", "tag=TAG of at most 36 bytes" },
		{ "", "DIR,tag=TAG[,ro][,sandbox=WORD]" },
		{ ",tag=t", "DIR,tag=TAG[,ro][,sandbox=WORD]" },
		{ "d", "tag=TAG, which the guest mounts it by" },
		{ "d,ro", "tag=TAG, which the guest mounts it by" },
		{ "d,tag=", "tag=TEXT" },
		{ "d,tag", "tag=TEXT" },
		{ "d,tag=t,", KEYS },
		{ "d,tag=t,rw", KEYS },
		{ "d,tag=t,ro=1", "ro without a value" },
		{ "d,tag=t,sandbox=", "sandbox=TEXT" },
		{ "d,tag=t,sandbox=None", BOX },
		{ "d,tag=t,sandbox=nonesuch", BOX },
		{ "d,tag=t,iommu=smmu",
		  "iommu=none: a device that vhost works is behind no IOMMU" },
	};

	return cr_make_param_array(struct fs_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct fs_case *c, fs_option, a_folder_has_a_tag_and_keys)
{
	const char *expected = take(c->val);

	cr_assert(eq(str, (char *)(expected ? expected : ""), c->expected), "%s", c->val);
}

Test(fs_option, folders_add_up_and_differ_by_their_tags)
{
	char word[32];

	for (int i = 0; i < MAX_FS; i++) {
		snprintf(word, sizeof(word), "same,tag=%d%s", i, i == 5 ? ",ro" : "");
		cr_assert(zero(ptr, (void *)take(word)), "%s", word);
	}
	cr_assert(eq(u32, o.nr_fs, MAX_FS));
	cr_assert(eq(u32, o.nr_claims, MAX_FS));
	cr_assert(eq(str, (char *)o.fs[7].tag, "7"));
	cr_assert(o.fs[5].read_only && !o.fs[6].read_only);
	cr_assert(eq(str, (char *)take("one,tag=more"), "at most 8 folders"));
}

Test(fs_option, a_tag_is_had_once)
{
	cr_assert(zero(ptr, (void *)take("a,tag=t")));
	cr_assert(eq(str, (char *)take("b,tag=t"), "a tag that no other folder has"));
}

struct folder_case {
	char val[32], said[120];
};

ParameterizedTestParameters(fs_option, what_is_no_folder_is_refused)
{
	static struct folder_case cases[] = {
		{ "/proc,tag=t", "" },
		{ "/dev/null,tag=t", "nestor: --fs /dev/null: not a folder: expected a folder\n" },
		{ "/nonexistent,tag=t", "nestor: --fs /nonexistent: No such file or directory: "
		                        "expected a folder\n" },
	};

	return cr_make_param_array(struct folder_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct folder_case *c, fs_option, what_is_no_folder_is_refused)
{
	cr_assert(zero(ptr, (void *)take("/,tag=first")));
	cr_assert(zero(ptr, (void *)take(c->val)));
	cr_assert(eq(int, fs_open(&o), *c->said ? STATUS_USAGE : 0));
	cr_assert(eq(str, said(stderr), c->said));
}

/* A virtiofsd in PATH that writes its arguments into a pipe, and then does as it is told. */
static void install(const char *then)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/args", folder);
	cr_assert(zero(int, mkfifo(path, 0600)));
	snprintf(path, sizeof(path), "%s/virtiofsd", folder);
	file = fopen(path, "w");
	fprintf(file, "#!/bin/sh\necho \"$@\" >%s/args\n%s\n", folder, then);
	fclose(file);
	cr_assert(zero(int, chmod(path, 0700)));
	setenv("PATH", folder, 1);
}

static char *arguments(void)
{
	static char line[256];
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/args", folder);
	file = fopen(path, "r");
	cr_assert(ne(ptr, fgets(line, sizeof(line), file), NULL));
	fclose(file);
	return line;
}

Test(fs_option, virtiofsd_is_told_the_folder_and_what_was_said_of_it)
{
	install("while :; do :; done");
	take("/proc,tag=t,ro,sandbox=chroot");
	cr_assert(zero(int, fs_start(&m)), "%s", said(stderr));
	cr_assert(eq(str, arguments(), "--fd=3 --shared-dir=/proc --sandbox=chroot --readonly\n"));
	cr_assert(zero(int, fs_check(&m)));
}

Test(fs_option, what_was_not_said_is_virtiofsds_choice)
{
	install("while :; do :; done");
	take("/,tag=t");
	cr_assert(zero(int, fs_start(&m)), "%s", said(stderr));
	cr_assert(eq(str, arguments(), "--fd=3 --shared-dir=/\n"));
}

Test(fs_option, virtiofsd_has_a_socket_that_listens_and_we_are_connected)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	install("test -S /dev/fd/3 || exit 9; while :; do :; done");
	take("/,tag=t");
	cr_assert(zero(int, fs_start(&m)), "%s", said(stderr));
	arguments();
	cr_assert(zero(int, getpeername(m.fs[0].fd, (struct sockaddr *)&peer, &len)));
	cr_assert(zero(int, fs_check(&m)));
}

Test(fs_option, a_virtiofsd_that_ended_is_told_with_its_words)
{
	install("echo no such luck >&2; exit 4");
	take("/,tag=t");
	cr_assert(zero(int, fs_start(&m)), "%s", said(stderr));
	arguments();
	cr_assert(eq(int, helper_check(m.fs[0].helper, 10000), STATUS_HOST_LACKS));
	cr_assert(ne(ptr, strstr(said(stderr), "ended with exit code 4: no such luck"), NULL));
	cr_assert(eq(int, fs_check(&m), STATUS_HOST_LACKS));
}

Test(fs_option, a_host_without_virtiofsd_is_told)
{
	static const char *const others[] = { "/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd",
		                              "/usr/lib/kvm/virtiofsd" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (!access(others[i], X_OK))
			cr_skip("this host has one");
	setenv("PATH", folder, 1);
	take("/,tag=t");
	cr_assert(eq(int, fs_start(&m), STATUS_HOST_LACKS));
	cr_assert(eq(str, said(stderr),
	             "nestor: --fs /: virtiofsd: not found: expected it in PATH\n"));
}

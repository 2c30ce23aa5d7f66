// SPDX-License-Identifier: GPL-2.0-only
/* passt, for which a shell stands: its arguments, and the way to it and back. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/virtio/net.h"
#include "machine/helper.h"
#include "machine/net.h"
#include "machine/status.h"
#include "tests/unit/leak.h"
#include "tests/unit/said.h"
#include "vmm/log.h"

static char folder[] = "/tmp/nestor-unit-XXXXXX";
static struct net_backend *b;
static struct helper *h;
static struct log log_off;

static void make(void)
{
	listen_to(stderr);
	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	setenv("PATH", folder, 1);
}

static void unmake(void)
{
	char command[64];

	if (b)
		b->ops->destroy(b);
	helper_stop(h);
	snprintf(command, sizeof(command), "/bin/rm -rf %s", folder);
	cr_assert(zero(int, system(command)));
	expect_no_leak();
}

TestSuite(passt, .init = make, .fini = unmake, .timeout = 20);

static void install(const char *script)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/passt", folder);
	file = fopen(path, "w");
	fprintf(file, "#!/bin/sh\n%s\n", script);
	fclose(file);
	cr_assert(zero(int, chmod(path, 0700)));
}

/* The next frame; its length. */
static ssize_t receive(char *frame, size_t size)
{
	struct pollfd p = { .fd = b->fds[0], .events = POLLIN };
	ssize_t n;

	do {
		cr_assert(eq(int, poll(&p, 1, -1), 1));
		n = b->ops->receive(b, 0, &(struct iovec){ frame, size }, 1);
	} while (n == -EAGAIN);
	return n;
}

Test(passt, frames_go_to_it_and_come_back)
{
	static char frame[60] = "a frame of sixty bytes", got[2048];

	install("exec /bin/cat <&3 >&3");
	cr_assert(zero(int, passt_open(&b, &h, &log_off)), "%s", said(stderr));
	cr_assert(eq(u32, b->nr_pairs, 1));
	cr_assert(not(b->header));
	for (int i = 0; i < 3; i++) {
		frame[59] = i;
		cr_assert(
			zero(int, b->ops->send(b, 0, &(struct iovec){ frame, sizeof(frame) }, 1)));
		cr_assert(eq(int, receive(got, sizeof(got)), sizeof(frame)));
		cr_assert(zero(int, memcmp(got, frame, sizeof(frame))));
	}
}

/* What it was started with comes as a frame: a length, big-endian, and the text. */
Test(passt, it_stays_in_the_foreground_gives_up_root_and_leaves_ipv6_alone_where_there_is_none)
{
	const bool has_ipv6 = !access("/proc/net/if_inet6", F_OK);
	char got[2048], want[65];
	ssize_t n;

	snprintf(want, sizeof(want), "--foreground --mtu 1500 --fd 3%s%s",
	         has_ipv6 ? "" : " --ipv4-only", geteuid() ? "" : " --runas 65534:65534");

	install("printf '\\0\\0\\0\\100%-64s' \"$*\" >&3; exec /bin/cat <&3");
	cr_assert(zero(int, passt_open(&b, &h, &log_off)), "%s", said(stderr));
	n = receive(got, sizeof(got) - 1);
	cr_assert(eq(int, n, 64));
	got[strlen(want)] = 0;
	cr_assert(eq(str, got, want));
	cr_assert(eq(int, got[63], ' '));
}

Test(passt, its_end_is_the_end_of_frames_and_is_told)
{
	char got[64];

	install("echo no way out >&2; exit 1");
	cr_assert(zero(int, passt_open(&b, &h, &log_off)), "%s", said(stderr));
	cr_assert(lt(int, receive(got, sizeof(got)), 0));
	cr_assert(eq(int, helper_check(h, 10000), STATUS_HOST_LACKS));
	cr_assert(eq(str, said(stderr),
	             "nestor: --network passt: passt ended with exit code 1: no way out\n"));
}

Test(passt, a_host_without_it_is_told)
{
	cr_assert(eq(int, passt_open(&b, &h, &log_off), STATUS_HOST_LACKS));
	cr_assert(eq(str, said(stderr),
	             "nestor: --network passt: passt: not found: expected it in PATH\n"));
	cr_assert(zero(ptr, h));
}

// SPDX-License-Identifier: GPL-2.0-only
/* A guest's name and log over all of its reboots: taken, refused, given up. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control/socket.h"
#include "machine/options.h"
#include "machine/session.h"
#include "machine/status.h"
#include "tests/unit/fake_kvm.h"
#include "tests/unit/leak.h"
#include "tests/unit/said.h"

static char folder[] = "/tmp/nestor-unit-XXXXXX";
static char log_path[64];
static struct options o;
static struct session s;
static unsigned int fds; /* open before */

static void make(void)
{
	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	setenv("XDG_RUNTIME_DIR", folder, 1);
	snprintf(log_path, sizeof(log_path), "%s/log", folder);
	listen_to(stderr);
	fds = open_fds();
}

static void unmake(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert(zero(int, system(command)));
	cr_assert(eq(u32, open_fds(), fds));
	expect_no_leak();
}

TestSuite(session, .init = make, .fini = unmake, .timeout = 10);

static void expect_said(const char *line)
{
	cr_assert(eq(str, said(stderr), (char *)line));
}

/* What is in the log, as text. */
static const char *logged(void)
{
	static char text[2048];
	FILE *file = fopen(log_path, "r");
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	text[len] = 0;
	if (file)
		fclose(file);
	return text;
}

static void write_log(const char *text)
{
	FILE *file = fopen(log_path, "w");

	fputs(text, file);
	fclose(file);
}

static bool is_there(const char *name)
{
	int fd = socket_connect(name);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

Test(session, a_named_guest_is_there_until_it_is_closed)
{
	o.name = "unit";
	cr_assert(zero(int, session_open(&s, &o)));
	cr_assert(is_there("unit"));
	session_begin(&s);
	session_close(&s, 0);
	cr_assert(not(is_there("unit")));
	expect_said("");
}

Test(session, a_guest_without_a_name_has_its_process_for_one)
{
	char name[32];

	snprintf(name, sizeof(name), "guest-%d", getpid());
	cr_assert(zero(int, session_open(&s, &o)));
	cr_assert(is_there(name));
	session_close(&s, 0);
}

Test(session, a_reboot_finds_it_open)
{
	struct control *control;

	o.name = "unit";
	o.log_json = log_path;
	cr_assert(zero(int, session_open(&s, &o)));
	control = s.control;
	o.log_json = "/nonexistent/log";
	cr_assert(zero(int, session_open(&s, &o)));
	cr_assert(eq(ptr, s.control, control));
	session_close(&s, 0);
	expect_said("");
}

Test(session, a_name_that_runs_is_refused_and_nothing_stays_open)
{
	struct session other = { 0 };
	unsigned int before;

	o.name = "unit";
	cr_assert(zero(int, session_open(&other, &o)));
	before = open_fds();
	o.log_json = log_path;
	write_log("the other's\n");
	cr_assert(eq(int, session_open(&s, &o), STATUS_USAGE));
	expect_said("nestor: --name unit: in use: expected a name that no running guest has\n");
	cr_assert(eq(u32, open_fds(), before));
	session_close(&s, STATUS_USAGE);
	cr_assert(eq(str, (char *)logged(), "the other's\n"));
	cr_assert(is_there("unit"), "the one that has the name keeps it");
	session_close(&other, 0);
}

Test(session, a_log_that_cannot_be_written_is_refused)
{
	o.name = "unit";
	o.log_json = "/nonexistent/log";
	cr_assert(eq(int, session_open(&s, &o), STATUS_USAGE));
	expect_said("nestor: --log-json /nonexistent/log: No such file or directory: expected a "
	            "file to write\n");
	cr_assert(not(is_there("unit")));
	session_close(&s, STATUS_USAGE);
}

Test(session, a_log_that_nobody_reads_is_not_waited_for)
{
	char want[200];

	o.log_json = log_path;
	cr_assert(zero(int, mkfifo(log_path, 0600)));
	cr_assert(eq(int, session_open(&s, &o), STATUS_USAGE));
	snprintf(want, sizeof(want),
	         "nestor: --log-json %s: No such device or address: expected a file to write\n",
	         log_path);
	expect_said(want);
	session_close(&s, STATUS_USAGE);
}

Test(session, a_named_guest_without_a_folder_for_sockets_does_not_run)
{
	setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	o.name = "unit";
	o.log_json = log_path;
	cr_assert(eq(int, session_open(&s, &o), STATUS_HOST_FAILED));
	expect_said("nestor: --name unit: /nonexistent/nestor/unit.sock: No such file or "
	            "directory\n");
	session_close(&s, STATUS_HOST_FAILED);
}

Test(session, a_guest_without_name_and_folder_goes_on_with_its_log)
{
	char want[160];

	setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	o.log_json = log_path;
	cr_assert(zero(int, session_open(&s, &o)));
	snprintf(want, sizeof(want),
	         "nestor: no control of this guest: /nonexistent/nestor/guest-%d.sock: No such "
	         "file or directory\n",
	         getpid());
	expect_said(want);
	cr_assert(zero(int, session_open(&s, &o)), "said once");
	expect_said("");
	session_begin(&s);
	session_close(&s, 7);
	cr_assert(ne(ptr, strstr(logged(), "x-nestor-EXIT"), NULL), "%s", logged());
}

Test(session, a_log_is_as_it_was_until_the_guest_runs)
{
	o.log_json = log_path;
	write_log("another guest's\n");
	cr_assert(zero(int, session_open(&s, &o)));
	session_close(&s, STATUS_USAGE);
	cr_assert(eq(str, (char *)logged(), "another guest's\n"));
}

Test(session, a_log_begins_once_and_ends_with_the_exit_code)
{
	const char *event;

	o.log_json = log_path;
	write_log("another guest's\n");
	cr_assert(zero(int, session_open(&s, &o)));
	session_begin(&s);
	cr_assert(eq(str, (char *)logged(), ""));
	json_log_event(&s.log, "RESET", NULL);
	session_begin(&s); /* another machine follows */
	cr_assert(ne(ptr, strstr(logged(), "RESET"), NULL), "%s", logged());
	session_close(&s, 35);
	event = strstr(logged(), "x-nestor-EXIT");
	cr_assert(ne(ptr, (void *)event, NULL), "%s", logged());
	cr_assert(ne(ptr, strstr(event, "{\"status\":35}"), NULL), "%s", event);
}

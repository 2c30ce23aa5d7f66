// SPDX-License-Identifier: GPL-2.0-only
/* Clients that leave, flood, do not read or send garbage: the server lives on, and within its
 * bounds. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/fake_qmp.h"

TestSuite(qmp_hostile, .init = qmp_make, .fini = qmp_unmake, .timeout = 20);

Test(qmp_hostile, a_client_may_go_in_the_middle_of_a_command)
{
	int half = friend(), waiting = friend(), other;

	say(half, "{\"execute\":");
	close(half);
	say(waiting, "{\"execute\":\"wait\"}");
	close(waiting);
	settle();
	answer();
	/* both slots are free again */
	for (int i = 0; i < QMP_MAX_CLIENTS; i++)
		cr_assert(ge(int, other = client(), 0), "client %d", i);
	cr_assert(lt(int, client(), 0));
	(void)other;
}

Test(qmp_hostile, a_client_that_only_stops_sending_still_gets_its_answers)
{
	int fd = friend();

	cr_assert(eq(sz, send(fd, "{\"execute\":\"ping\"}", 18, 0), 18));
	shutdown(fd, SHUT_WR);
	settle();
	hear(fd);
	cr_assert(has("pong"), "%s", received);
	cr_assert(eq(str, (char *)hear(fd), "EOF"));
	close(fd);
}

/* Keeps sending until the server takes no more, or hangs up. */
static size_t flood(int fd, const char *text)
{
	size_t len = strlen(text), sent = 0;

	for (;;) {
		ssize_t n = send(fd, text + sent % len, len - sent % len, MSG_NOSIGNAL);

		sent += n > 0 ? n : 0;
		settle();
		if (n <= 0)
			return sent;
	}
}

Test(qmp_hostile, a_command_without_an_end_is_an_error_and_the_end)
{
	static char text[QMP_MAX_INPUT + 2];
	int fd = friend();

	memset(text, ' ', sizeof(text) - 1);
	text[0] = '{';
	flood(fd, text);
	hear(fd);
	cr_assert(has("A command is at most 65536 bytes"), "%s", received);
	cr_assert(eq(str, (char *)hear(fd), "EOF"));
	close(fd);
	friend();
}

Test(qmp_hostile, a_client_that_does_not_read_has_its_commands_wait)
{
	int fd = friend();
	unsigned int before;

	flood(fd, "{\"execute\":\"big\"}");
	before = runs;
	cr_assert(lt(u32, before, 20), "%u commands ran", before);
	settle();
	cr_assert(eq(u32, runs, before));
	while (*hear(fd))
		settle();
	settle();
	cr_assert(gt(u32, runs, before));
	close(fd);
}

Test(qmp_hostile, a_client_that_never_reads_is_dropped)
{
	static char text[100001];
	int fd = friend(), good = friend();
	json_t *data;

	memset(text, 'x', sizeof(text) - 1);
	data = json_pack("{s:s}", "text", text);
	for (unsigned int i = 0; i < QMP_MAX_OUTPUT / sizeof(text) + 10; i++) {
		event("STOP", data);
		while (*hear(good))
			settle();
	}
	json_decref(data);
	cr_assert(eq(sz, send(fd, "x", 1, MSG_NOSIGNAL), -1));
	cr_assert(eq(int, errno, EPIPE));
	say(good, "{\"execute\":\"ping\"}");
	hear(good);
	cr_assert(has("pong"), "%s", received);
	close(fd);
	close(good);
}

Test(qmp_hostile, there_are_only_so_many_clients)
{
	int fds[QMP_MAX_CLIENTS];

	for (int i = 0; i < QMP_MAX_CLIENTS; i++)
		fds[i] = friend();
	cr_assert(lt(int, client(), 0));
	close(fds[3]);
	settle();
	cr_assert(ge(int, friend(), 0));
}

Test(qmp_hostile, garbage_of_any_kind_disturbs_nobody)
{
	int good = friend();

	for (unsigned int seed = 1; seed < 40; seed++) {
		char bytes[512];
		int fd = seed % 2 ? friend() : client();

		srand(seed);
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = rand() % 4 ? "{}[]\",:\\ \n"[rand() % 10] : rand();
		for (int i = 0; i < 8; i++)
			if (send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) < 0)
				break;
		settle();
		close(fd);
		settle();
	}
	cr_assert(zero(u32, runs));
	say(good, "{\"execute\":\"ping\"}");
	hear(good);
	cr_assert(has("pong"), "%s", received);
	close(good);
}

// SPDX-License-Identifier: GPL-2.0-only
/* The socket that a program takes its only connection from. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "machine/listener.h"
#include "tests/unit/leak.h"

Test(listener, its_only_connection_is_ours_and_there_is_no_name_for_another, .timeout = 20)
{
	struct sockaddr_un at = { 0 };
	socklen_t len = sizeof(at);
	int listener, fd, taken;
	struct stat st;
	char byte = 0;

	cr_assert(zero(int, listener_connected(&listener, &fd)));
	taken = accept(listener, NULL, NULL);
	cr_assert(eq(int, write(fd, "x", 1), 1));
	cr_assert(eq(int, read(taken, &byte, 1), 1));
	cr_assert(eq(chr, byte, 'x'));
	cr_assert(zero(int, getsockname(listener, (struct sockaddr *)&at, &len)));
	cr_assert(eq(chr, at.sun_path[0], '/'), "an abstract address is everybody's");
	cr_assert(eq(int, stat(at.sun_path, &st), -1));
	*strrchr(at.sun_path, '/') = 0;
	cr_assert(eq(int, stat(at.sun_path, &st), -1), "%s is left", at.sun_path);
	close(taken);
	close(fd);
	close(listener);
	expect_no_leak();
}

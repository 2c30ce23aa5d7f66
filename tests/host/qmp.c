/* SPDX-License-Identifier: GPL-2.0-only */
/* One command on a guest's control socket: qmp SOCKET COMMAND prints the answer, and ends with 0 if
 * it is no error. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Asks, and skips events; false at an error or the socket's end. */
static int ask(FILE *in, FILE *out, const char *command, char *answer, int len)
{
	fprintf(out, "{\"execute\":\"%s\"}\n", command);
	fflush(out);
	while (fgets(answer, len, in))
		if (!strstr(answer, "\"event\":"))
			return strstr(answer, "\"return\":") != NULL;
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char line[65536];
	FILE *in, *out;
	int fd, ok;

	if (argc != 3)
		return 2;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return 1;
	in = fdopen(fd, "r");
	out = fdopen(fd, "w");
	if (!in || !out || !fgets(line, sizeof(line), in)) /* the greeting */
		return 1;
	ok = ask(in, out, "qmp_capabilities", line, sizeof(line)) &&
	     ask(in, out, argv[2], line, sizeof(line));
	fputs(line, stdout);
	return !ok;
}

// SPDX-License-Identifier: GPL-2.0-only
/* The server of the QMP tests, and its clients. */
#include "tests/unit/fake_qmp.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
struct loop *qmp_loop;
struct qmp_server *server;
static struct qmp_call *later;
unsigned int runs;
char received[8192];

static void ping(struct qmp_call *call, void *ctx)
{
	cr_assert(eq(ptr, ctx, &runs));
	runs++;
	qmp_return(call, json_pack("{s:s}", "pong", "\xc3\xa9"));
}

static void fail(struct qmp_call *call, void *ctx)
{
	(void)ctx;
	qmp_error(call, "GenericError", "no %s today", "luck");
}

static void wait_for_it(struct qmp_call *call, void *ctx)
{
	(void)ctx;
	later = call;
}

static void big(struct qmp_call *call, void *ctx)
{
	static char text[100001];

	(void)ctx;
	runs++;
	memset(text, 'x', sizeof(text) - 1);
	qmp_return(call, json_string(text));
}

static void echo(struct qmp_call *call, void *ctx)
{
	(void)ctx;
	qmp_return(call, json_pack("{s:O, s:O*}", "text", qmp_argument(call, "text"), "number",
	                           qmp_argument(call, "number")));
}

static const struct qmp_parameter echo_parameters[] = {
	{ .name = "text" },
	{ .name = "number", .is_number = true, .optional = true },
	{ .name = NULL },
};

static const struct qmp_command commands[] = {
	{ "ping", ping, NULL },
	{ "fail", fail, NULL },
	{ "wait", wait_for_it, NULL },
	{ "big", big, NULL },
	{ "echo", echo, echo_parameters },
};

static pthread_t thread;

static void *serve(void *arg)
{
	(void)arg;
	loop_run(qmp_loop);
	return NULL;
}

void qmp_start(void)
{
	cr_assert(zero(int, loop_create(&qmp_loop, &lock)));
	qmp_attach(server, qmp_loop);
	cr_assert(zero(int, pthread_create(&thread, NULL, serve, NULL)));
}

void qmp_stop(void)
{
	loop_stop(qmp_loop);
	pthread_join(thread, NULL);
	loop_drain(qmp_loop);
}

void qmp_make(void)
{
	static const struct qmp_left_out left_out[] = { { "grow", "we like it small" }, { 0 } };
	const struct qmp_config c = { commands, ARRAY_SIZE(commands), left_out, &runs, "0.1", -1 };

	cr_assert(zero(int, qmp_create(&server, &c)));
	qmp_start();
}

void qmp_unmake(void)
{
	qmp_stop();
	qmp_detach(server);
	qmp_destroy(server);
	loop_destroy(qmp_loop);
}

static void enter(void)
{
	pthread_mutex_lock(&lock);
}

static void leave(void)
{
	loop_flush(qmp_loop);
	pthread_mutex_unlock(&lock);
}

static sem_t rung;

static void ring(struct loop_op *op, int res)
{
	(void)op, (void)res;
	sem_post(&rung);
}

/* One more operation goes through the loop. True: nothing else did. */
static bool quiet(void)
{
	struct loop_op op = { .done = ring };
	u64 before, after;

	enter();
	before = loop_completed(qmp_loop);
	loop_fdatasync(qmp_loop, &op, -1);
	leave();
	sem_wait(&rung);
	enter();
	after = loop_completed(qmp_loop);
	leave();
	return after == before + 1;
}

/* Waits until the server has done all it can without another byte from the test. */
void settle(void)
{
	for (int rounds = 0; rounds < 2;)
		rounds = quiet() ? rounds + 1 : 0;
}

void event(const char *name, json_t *data)
{
	enter();
	qmp_event(server, name, data);
	leave();
	settle();
}

void answer(void)
{
	enter();
	qmp_return(later, NULL);
	leave();
	settle();
}

int client(void)
{
	bool added;
	int fds[2];

	cr_assert(zero(int, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)));
	enter();
	added = qmp_add(server, fds[0]);
	leave();
	settle();
	if (!added) {
		close(fds[1]);
		return -1;
	}
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	return fds[1];
}

void say(int fd, const char *text)
{
	size_t len = strlen(text);

	cr_assert(eq(sz, send(fd, text, len, MSG_NOSIGNAL), len));
	settle();
}

/* What has come, less the line ends of the last; "" for nothing, "EOF" for the end. */
const char *hear(int fd)
{
	ssize_t n = recv(fd, received, sizeof(received) - 1, 0);

	if (!n)
		return "EOF";
	received[n > 0 ? n : 0] = 0;
	while (n > 0 && strchr("\r\n", received[n - 1]))
		received[--n] = 0;
	return received;
}

bool has(const char *text)
{
	return strstr(received, text);
}

/* A client that has negotiated. */
int friend(void)
{
	int fd = client();

	say(fd, NEGOTIATE "\n");
	hear(fd);
	cr_assert(has("\"return\":{}"), "%s", received);
	return fd;
}

// SPDX-License-Identifier: GPL-2.0-only
/* The QMP server over socket pairs, on a real loop: protocol, order, and clients that misbehave. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/qmp.h"

#define NEGOTIATE "{\"execute\": \"qmp_capabilities\"}"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct loop *loop;
static struct qmp_server *server;
static struct qmp_call *later;
static unsigned int runs;
static char received[8192];

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

static const struct qmp_command commands[] = {
	{ "ping", ping },
	{ "fail", fail },
	{ "wait", wait_for_it },
	{ "big", big },
};

static pthread_t thread;

static void *serve(void *arg)
{
	(void)arg;
	loop_run(loop);
	return NULL;
}

static void start(void)
{
	cr_assert(zero(int, loop_create(&loop, &lock)));
	qmp_attach(server, loop);
	cr_assert(zero(int, pthread_create(&thread, NULL, serve, NULL)));
}

static void stop(void)
{
	loop_stop(loop);
	pthread_join(thread, NULL);
	loop_drain(loop);
}

static void make(void)
{
	const struct qmp_config c = { commands, ARRAY_SIZE(commands), &runs, "0.1", -1 };

	cr_assert(zero(int, qmp_create(&server, &c)));
	start();
}

static void unmake(void)
{
	stop();
	qmp_detach(server);
	qmp_destroy(server);
	loop_destroy(loop);
}

TestSuite(qmp, .init = make, .fini = unmake, .timeout = 20);

static void enter(void)
{
	pthread_mutex_lock(&lock);
}

static void leave(void)
{
	loop_flush(loop);
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
	before = loop_completed(loop);
	loop_fdatasync(loop, &op, -1);
	leave();
	sem_wait(&rung);
	enter();
	after = loop_completed(loop);
	leave();
	return after == before + 1;
}

/* Waits until the server has done all it can without another byte from the test. */
static void settle(void)
{
	for (int rounds = 0; rounds < 2;)
		rounds = quiet() ? rounds + 1 : 0;
}

static void event(const char *name, json_t *data)
{
	enter();
	qmp_event(server, name, data);
	leave();
	settle();
}

static void answer(void)
{
	enter();
	qmp_return(later, NULL);
	leave();
	settle();
}

static int client(void)
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

static void say(int fd, const char *text)
{
	size_t len = strlen(text);

	cr_assert(eq(sz, send(fd, text, len, MSG_NOSIGNAL), len));
	settle();
}

/* What has come, less the line ends of the last; "" for nothing, "EOF" for the end. */
static const char *hear(int fd)
{
	ssize_t n = recv(fd, received, sizeof(received) - 1, 0);

	if (!n)
		return "EOF";
	received[n > 0 ? n : 0] = 0;
	while (n > 0 && strchr("\r\n", received[n - 1]))
		received[--n] = 0;
	return received;
}

static bool has(const char *text)
{
	return strstr(received, text);
}

/* A client that has negotiated. */
static int friend(void)
{
	int fd = client();

	say(fd, NEGOTIATE "\n");
	hear(fd);
	cr_assert(has("\"return\":{}"), "%s", received);
	return fd;
}

Test(qmp, a_client_is_greeted_with_the_version)
{
	int fd = client();

	cr_assert(eq(str, (char *)hear(fd),
	             "{\"QMP\":{\"version\":{\"qemu\":{\"major\":0,\"minor\":1,\"micro\":0},"
	             "\"package\":\"nestor-0.1\"},\"capabilities\":[]}}"));
	close(fd);
}

Test(qmp, nothing_runs_before_negotiation)
{
	int fd = client();

	hear(fd);
	say(fd, "{\"execute\": \"ping\"}");
	hear(fd);
	cr_assert(has("CommandNotFound"), "%s", received);
	cr_assert(zero(u32, runs));
	event("STOP", NULL);
	cr_assert(eq(str, (char *)hear(fd), ""));
	say(fd, NEGOTIATE);
	cr_assert(eq(str, (char *)hear(fd), "{\"return\":{}}"));
	say(fd, NEGOTIATE);
	hear(fd);
	cr_assert(has("CommandNotFound"), "%s", received);
	close(fd);
}

Test(qmp, a_capability_that_is_not_offered_cannot_be_enabled)
{
	int fd = client();

	hear(fd);
	say(fd, "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": [\"oob\"]}}");
	hear(fd);
	cr_assert(has("GenericError"), "%s", received);
	close(fd);
}

struct exchange {
	char say[128], hear[128];
};

#define GENERIC "{\"error\":{\"class\":\"GenericError\",\"desc\":\""

ParameterizedTestParameters(qmp, each_message_has_its_answer)
{
	static struct exchange cases[] = {
		{ "{\"execute\":\"ping\",\"id\":7}",
		  "{\"return\":{\"pong\":\"\\u00E9\"},\"id\":7}" },
		{ "{\"id\":{\"a\":[]},\"execute\":\"fail\"}",
		  GENERIC "no luck today\"},\"id\":{\"a\":[]}}" },
		{ " {\"execute\"\n:\t\"ping\"\r\n, \"arguments\":{}}",
		  "{\"return\":{\"pong\":\"\\u00E9\"}}" },
		{ "{\"execute\":\"nothing\"}",
		  "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"The command nothing has not "
		  "been found\"}}" },
		/* not a command */
		{ "hello\n", GENERIC "JSON parse error\"}}" },
		{ "{\"execute\":]", GENERIC "JSON parse error\"}}" },
		{ "{\"execute\":\"ping\"\xff", GENERIC "JSON parse error\"}}" },
		{ "[1, 2]", GENERIC "QMP input must be a JSON object\"}}" },
		{ "{}", GENERIC "QMP input lacks a string member 'execute'\"}}" },
		{ "{\"execute\":3,\"id\":1}",
		  GENERIC "QMP input lacks a string member 'execute'\"},\"id\":1}" },
		{ "{\"execute\":\"ping\",\"arguments\":[]}",
		  GENERIC "QMP input member 'arguments' must be an object\"}}" },
		{ "{\"execute\":\"ping\",\"arguments\":{\"x\":1}}",
		  GENERIC "Parameter 'x' is unexpected\"}}" },
		{ "{\"execute\":\"ping\",\"exec\":1}",
		  GENERIC "QMP input has an unexpected member\"}}" },
	};

	return cr_make_param_array(struct exchange, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct exchange *e, qmp, each_message_has_its_answer, .timeout = 20)
{
	int fd = friend();

	say(fd, e->say);
	cr_assert(eq(str, (char *)hear(fd), e->hear));
	say(fd, "{\"execute\":\"ping\"}"); /* whatever it was, the next is understood */
	hear(fd);
	cr_assert(has("pong"), "%s", received);
	close(fd);
}

Test(qmp, a_command_may_come_byte_by_byte)
{
	static const char text[] = "{\"execute\":\"ping\",\"id\":\"a}\\\"{\"}";
	int fd = friend();

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		cr_assert(eq(str, (char *)hear(fd), ""));
		say(fd, (char[]){ text[i], 0 });
	}
	hear(fd);
	cr_assert(has("\"id\":\"a}\\\"{\""), "%s", received);
	close(fd);
}

Test(qmp, commands_of_a_client_end_in_order_and_do_not_hold_up_another)
{
	int slow = friend(), quick = friend();

	say(slow, "{\"execute\":\"wait\",\"id\":1}{\"execute\":\"ping\",\"id\":2}");
	say(quick, "{\"execute\":\"ping\",\"id\":3}");
	cr_assert(eq(str, (char *)hear(slow), ""));
	hear(quick);
	cr_assert(has("\"id\":3"), "%s", received);
	answer();
	hear(slow);
	cr_assert(lt(ptr, strstr(received, "\"id\":1"), strstr(received, "\"id\":2")));
	close(slow);
	close(quick);
}

Test(qmp, an_event_goes_to_everyone_with_its_time)
{
	int a = friend(), b = friend();
	json_t *data = json_pack("{s:b}", "guest", true);

	event("SHUTDOWN", data);
	json_decref(data);
	hear(a);
	cr_assert(has("{\"event\":\"SHUTDOWN\",\"timestamp\":{\"seconds\":"), "%s", received);
	cr_assert(has("\"data\":{\"guest\":true}"), "%s", received);
	hear(b);
	cr_assert(has("SHUTDOWN"), "%s", received);
	close(a);
	close(b);
}

Test(qmp, a_client_may_go_in_the_middle_of_a_command)
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

Test(qmp, a_client_that_only_stops_sending_still_gets_its_answers)
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

Test(qmp, a_command_without_an_end_is_an_error_and_the_end)
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

Test(qmp, a_client_that_does_not_read_has_its_commands_wait)
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

Test(qmp, a_client_that_never_reads_is_dropped)
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

Test(qmp, there_are_only_so_many_clients)
{
	int fds[QMP_MAX_CLIENTS];

	for (int i = 0; i < QMP_MAX_CLIENTS; i++)
		fds[i] = friend();
	cr_assert(lt(int, client(), 0));
	close(fds[3]);
	settle();
	cr_assert(ge(int, friend(), 0));
}

Test(qmp, connections_outlive_a_loop)
{
	int fd = friend(), waiting = friend();

	say(waiting, "{\"execute\":\"wait\",\"id\":5}");
	stop();
	qmp_event(server, "RESET", NULL);
	qmp_detach(server);
	loop_destroy(loop);
	hear(fd); /* sent without a loop */
	cr_assert(has("RESET"), "%s", received);
	hear(waiting);
	cr_assert(has("\"error\"") && has("\"id\":5"), "%s", received);
	start();
	say(fd, "{\"execute\":\"ping\"}");
	hear(fd);
	cr_assert(has("pong"), "%s", received);
	close(fd);
	close(waiting);
}

Test(qmp, garbage_of_any_kind_disturbs_nobody)
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

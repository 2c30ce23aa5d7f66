// SPDX-License-Identifier: GPL-2.0-only
/* The QMP server: greeting, negotiation, answers, events. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/fake_qmp.h"

TestSuite(qmp, .init = qmp_make, .fini = qmp_unmake, .timeout = 20);

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
		{ "{\"execute\":\"grow\",\"arguments\":{\"x\":1},\"id\":2}",
		  "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"The command grow is left "
		  "out: we like it small\"},\"id\":2}" },
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
		{ "{\"execute\":\"nothing\",\"arguments\":{\"x\":1}}",
		  GENERIC "Parameter 'x' is unexpected\"}}" },
		/* arguments */
		{ "{\"execute\":\"echo\",\"arguments\":{\"text\":\"a\"}}",
		  "{\"return\":{\"text\":\"a\"}}" },
		{ "{\"execute\":\"echo\",\"arguments\":{\"number\":4294967295,\"text\":\"\"}}",
		  "{\"return\":{\"text\":\"\",\"number\":4294967295}}" },
		{ "{\"execute\":\"echo\"}", GENERIC "Parameter 'text' is missing\"}}" },
		{ "{\"execute\":\"echo\",\"arguments\":{\"text\":1}}",
		  GENERIC "Invalid parameter type for 'text', expected: string\"}}" },
		{ "{\"execute\":\"echo\",\"arguments\":{\"text\":\"\",\"number\":\"1\"}}",
		  GENERIC "Invalid parameter type for 'number', expected: integer\"}}" },
		{ "{\"execute\":\"echo\",\"arguments\":{\"text\":\"\",\"number\":-1}}",
		  GENERIC "Parameter 'number' expects uint32_t\"}}" },
		{ "{\"execute\":\"echo\",\"arguments\":{\"text\":\"\",\"number\":4294967296}}",
		  GENERIC "Parameter 'number' expects uint32_t\"}}" },
		{ "{\"execute\":\"echo\",\"arguments\":{\"text\":\"\",\"texts\":\"\"}}",
		  GENERIC "Parameter 'texts' is unexpected\"}}" },
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

/* Names are cut at 64 bytes. */
Test(qmp, a_character_that_is_cut_leaves_an_error_that_is_one)
{
	static const char *const characters[] = { "\u00e9", "\u20ac", "\U0001f600" };
	int fd = friend();

	for (size_t i = 0; i < ARRAY_SIZE(characters); i++) {
		char name[80], text[160];

		memset(name, 'x', sizeof(name));
		strcpy(name + 63, characters[i]);
		snprintf(text, sizeof(text), "{\"execute\":\"%s\"}", name);
		say(fd, text);
		hear(fd);
		cr_assert(has("\"desc\":\"The command xxx"), "%s", received);
		cr_assert(has("x? has not been found"), "%s", received);
	}
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

Test(qmp, connections_outlive_a_loop)
{
	int fd = friend(), waiting = friend();

	say(waiting, "{\"execute\":\"wait\",\"id\":5}");
	qmp_stop();
	qmp_event(server, "RESET", NULL);
	qmp_detach(server);
	loop_destroy(qmp_loop);
	hear(fd); /* sent without a loop */
	cr_assert(has("RESET"), "%s", received);
	hear(waiting);
	cr_assert(has("\"error\"") && has("\"id\":5"), "%s", received);
	qmp_start();
	say(fd, "{\"execute\":\"ping\"}");
	hear(fd);
	cr_assert(has("pong"), "%s", received);
	close(fd);
	close(waiting);
}

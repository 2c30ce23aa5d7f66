// SPDX-License-Identifier: GPL-2.0-only
/* The commands and events of a guest's control socket, on the fake KVM, as a client sees them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/control.h"
#include "control/json_log.h"
#include "control/peer.h"
#include "control/socket.h"
#include "tests/unit/fake_kvm.h"
#include "tests/unit/fake_machine.h"
#include "tests/unit/schema.h"
#include "vmm/vcpu.h"

static char folder[] = "/tmp/nestor-unit-XXXXXX";
static char log_path[64];
static struct vm vm;
static struct json_log json_log;
static struct control *control;
static struct peer peer;
static json_t *got;
static pthread_t thread;
static int button = -ENODEV;

static int press_power(void *machine)
{
	cr_assert(eq(ptr, machine, &button));
	return button;
}

static const struct control_ops ops = { press_power,          fake_machine_devices,
	                                fake_machine_devices, fake_machine_walk,
	                                fake_machine_inject,  fake_machine_fault };

static int busy(struct kvm_run *run, unsigned int nth)
{
	(void)nth;
	while (!__atomic_load_n(&run->immediate_exit, __ATOMIC_SEQ_CST))
		;
	return -EINTR;
}

static void *serve(void *arg)
{
	(void)arg;
	loop_run(vm.loop);
	return NULL;
}

static void start(void)
{
	fake_vm(&vm, 2);
	fake.run = busy;
	control_attach(control, &vm, &ops, &button);
	cr_assert(zero(int, vcpus_start(&vm)));
	cr_assert(zero(int, pthread_create(&thread, NULL, serve, NULL)));
}

/* The guest has ended, or ends now. */
static void end(bool reboots)
{
	loop_stop(vm.loop);
	pthread_join(thread, NULL);
	vcpus_stop(&vm);
	loop_drain(vm.loop);
	control_detach(control, reboots);
	vm_destroy(&vm);
}

static void make(void)
{
	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	setenv("XDG_RUNTIME_DIR", folder, 1);
	snprintf(log_path, sizeof(log_path), "%s/log", folder);
	cr_assert(zero(int, json_log_open(&json_log, log_path)));
	cr_assert(zero(int, control_create(&control, "unit", &json_log)));
	start();
	cr_assert(zero(int, peer_open(&peer, "unit", 10)));
}

static void unmake(void)
{
	char command[64];

	json_decref(got);
	control_destroy(control);
	peer_close(&peer);
	json_log_close(&json_log);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert(zero(int, system(command)));
}

TestSuite(control, .init = make, .fini = unmake, .timeout = 20);

static int ask(const char *command)
{
	json_decref(got);
	got = NULL;
	return peer_ask(&peer, command, &got);
}

/* @arguments is taken. */
static int ask_with(const char *command, json_t *arguments)
{
	int err;

	json_decref(got);
	got = NULL;
	err = peer_ask_with(&peer, command, arguments, &got);
	json_decref(arguments);
	return err;
}

static const char *text(const char *key)
{
	const char *val = json_string_value(json_object_get(got, key));

	return val ? val : "";
}

/* The next event; an answer is none. */
static const char *event(void)
{
	do {
		json_decref(got);
		got = json_loadf(peer.file, JSON_DISABLE_EOF_CHECK, NULL);
	} while (got && !*text("event"));
	return text("event");
}

static json_t *data(const char *key)
{
	return json_object_get(json_object_get(got, "data"), key);
}

static bool as_documented(const char *name, json_t *value)
{
	json_t *schema = schema_load(name);
	char why[256] = "";
	bool ok = schema_check(schema, value, why, sizeof(why));

	cr_expect(ok, "%s: %s", name, why);
	json_decref(schema);
	return ok;
}

Test(control, queries_are_answered_as_qemu_answers_them)
{
	cr_assert(zero(int, ask("query-name")));
	cr_assert(eq(str, (char *)text("name"), "unit"));
	cr_assert(zero(int, ask("query-version")));
	cr_assert(ne(ptr, json_object_get(got, "qemu"), NULL));
	cr_assert(zero(int, ask("query-cpus-fast")));
	cr_assert(eq(sz, json_array_size(got), 2));
	cr_assert(zero(int, ask("query-commands")));
	cr_assert(gt(sz, json_array_size(got), 10));
	cr_assert(zero(int, ask("query-status")));
	cr_assert(eq(str, (char *)text("status"), "running"));
	end(false);
}

Test(control, stop_and_cont_pause_and_resume_and_say_so)
{
	struct peer other;
	json_t *answer;
	unsigned int runs;

	cr_assert(zero(int, peer_open(&other, "unit", 10)));
	for (int i = 0; i < 2; i++) { /* the second time nothing changes */
		cr_assert(zero(int, peer_ask(&other, "stop", &answer)));
		json_decref(answer);
	}
	cr_assert(eq(str, (char *)event(), "STOP"));
	cr_assert(zero(int, ask("query-status")));
	cr_assert(eq(str, (char *)text("status"), "paused"));
	runs = __atomic_load_n(&fake.runs, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 2; i++) {
		cr_assert(zero(int, peer_ask(&other, "cont", &answer)));
		json_decref(answer);
	}
	while (__atomic_load_n(&fake.runs, __ATOMIC_SEQ_CST) < runs + 2)
		sched_yield(); /* both vCPUs are in the guest again */
	cr_assert(eq(str, (char *)event(), "RESUME"));
	cr_assert(zero(int, ask("query-status")));
	cr_assert(eq(str, (char *)text("status"), "running"));
	peer_close(&other);
	end(false);
	cr_assert(eq(str, (char *)event(), "SHUTDOWN")); /* and nothing between */
}

Test(control, stat_is_as_documented)
{
	cr_assert(zero(int, ask("x-nestor-stat")));
	cr_assert(as_documented("stat", got));
	end(false);
}

Test(control, debug_is_as_documented_and_leaves_the_guest_running)
{
	json_t *vcpu;

	cr_assert(zero(int, ask("x-nestor-debug")));
	cr_assert(as_documented("debug", got));
	vcpu = json_array_get(json_object_get(got, "vcpus"), 1);
	cr_assert(ne(ptr, json_object_get(json_object_get(vcpu, "registers"), "pc"), NULL));
	cr_assert(ne(ptr,
	             json_object_get(json_object_get(got, "interrupt-controller"), "gicd_ctlr"),
	             NULL));
	cr_assert(zero(int, ask("query-status")));
	cr_assert(eq(str, (char *)text("status"), "running"));
	end(false);
}

Test(control, a_walk_is_as_documented)
{
	cr_assert(zero(int,
	               ask_with("x-nestor-walk", json_pack("{s:s, s:i, s:s}", "iommu", "s", "sid",
	                                                   8, "iova", "0xffffffffffffffff"))));
	cr_assert(as_documented("walk", got));
	cr_assert(eq(str, (char *)text("iova"), "0xffffffffffffffff"));
	cr_assert(
		zero(int, ask_with("x-nestor-walk", json_pack("{s:s, s:i, s:i, s:s}", "iommu", "s",
	                                                      "sid", 8, "ssid", 3, "iova", "16"))));
	cr_assert(as_documented("walk", got));
	cr_assert(eq(i64, json_integer_value(json_object_get(got, "ssid")), 3));
	end(false);
}

Test(control, a_walk_that_cannot_be_says_what_was_expected)
{
	static const char *const iovas[] = { "", "x", "-1", "0x", "0x10000000000000000", "1 " };

	for (size_t i = 0; i < ARRAY_SIZE(iovas); i++) {
		cr_assert(eq(int,
		             ask_with("x-nestor-walk", json_pack("{s:s, s:i, s:s}", "iommu", "s",
		                                                 "sid", 8, "iova", iovas[i])),
		             -EREMOTEIO));
		cr_assert(eq(str, (char *)text("desc"),
		             "iova: expected a number such as \"0x1000\""));
	}
	cr_assert(eq(int,
	             ask_with("x-nestor-walk",
	                      json_pack("{s:s, s:i, s:s}", "iommu", "t", "sid", 8, "iova", "0")),
	             -EREMOTEIO));
	cr_assert(eq(str, (char *)text("desc"), "t: expected s"));
	end(false);
}

Test(control, an_error_is_injected_or_it_is_said_which_there_are)
{
	cr_assert(zero(int, ask_with("x-nestor-inject",
	                             json_pack("{s:s, s:s}", "iommu", "s", "error", "sfm"))));
	cr_assert(eq(
		int,
		ask_with("x-nestor-inject", json_pack("{s:s, s:s}", "iommu", "s", "error", "smf")),
		-EREMOTEIO));
	cr_assert(eq(str, (char *)text("desc"), "expected sfm"));
	end(false);
}

static json_t *a_fault(const char *device, const char *addr)
{
	return json_pack("{s:s, s:s}", "device", device, "addr", addr);
}

Test(control, faults_are_raised_and_what_became_of_them_is_told)
{
	cr_assert(zero(int, ask_with("x-nestor-fault", a_fault("0:1.0", "0x1000"))));
	cr_assert(as_documented("fault", got));
	cr_assert(eq(int, ask_with("x-nestor-fault", a_fault("0:1.0", "0y")), -EREMOTEIO));
	cr_assert(eq(str, (char *)text("desc"), "expected a number such as \"0x1000\" as addr"));
	for (unsigned int i = 0; i < 20; i++) { /* none of these waits */
		cr_assert(eq(int, ask_with("x-nestor-fault", a_fault("0:2.0", "0")), -EREMOTEIO));
		cr_assert(eq(str, (char *)text("desc"), "expected 0:1.0"));
	}
	end(false);
}

/* Its machine goes, and who asked is told so before; what comes of it then goes nowhere. */
Test(control, a_fault_that_is_never_answered_ends_with_its_machine)
{
	dprintf(peer.fd, "{\"execute\": \"x-nestor-fault\", \"arguments\": "
	                 "{\"device\": \"0:1.0\", \"addr\": \"1\"}}\n");
	while (!__atomic_load_n(fake_machine_waiting(), __ATOMIC_SEQ_CST))
		sched_yield();
	end(false);
	cr_assert(eq(str, (char *)event(), "SHUTDOWN"));
	fake_machine_ends_fault(*fake_machine_waiting());
}

Test(control, a_button_that_is_not_there_cannot_be_pressed)
{
	cr_assert(eq(int, ask("system_powerdown"), -EREMOTEIO));
	cr_assert(eq(str, (char *)text("class"), "DeviceNotActive"));
	button = 0;
	cr_assert(zero(int, ask("system_powerdown")));
	end(false);
}

Test(control, quit_ends_the_guest_with_0)
{
	cr_assert(zero(int, ask("quit")));
	pthread_join(thread, NULL);
	cr_assert(zero(int, vm.status));
	pthread_create(&thread, NULL, serve, NULL);
	end(false);
	cr_assert(eq(str, (char *)event(), "SHUTDOWN"));
	cr_assert(eq(str, (char *)json_string_value(data("reason")), "host-qmp-quit"));
	cr_assert(eq(int, json_typeof(data("guest")), JSON_FALSE));
	cr_assert(zero(int, (int)json_integer_value(data("x-nestor-status"))));
}

Test(control, a_reset_is_an_event_and_does_not_resume)
{
	cr_assert(zero(int, ask("stop")));
	cr_assert(zero(int, ask("system_reset")));
	pthread_join(thread, NULL);
	cr_assert(eq(int, vm.status, STATUS_RESET));
	pthread_create(&thread, NULL, serve, NULL);
	end(true);
	fake.runs = 0;
	start();
	cr_assert(eq(str, (char *)event(), "RESET"));
	cr_assert(eq(str, (char *)json_string_value(data("reason")), "host-qmp-system-reset"));
	cr_assert(zero(int, ask("x-nestor-debug"))); /* waits until the vCPUs are where they stay */
	cr_assert(zero(u32, fake.runs));
	cr_assert(zero(int, ask("query-status")));
	cr_assert(eq(str, (char *)text("status"), "paused"));
	end(false);
}

#define ENOUGH 50 /* some of them come while it waits; each takes the others on the CPU a turn */

static int entered, asked, signals;

static void on_signal(int nr)
{
	(void)nr;
	__atomic_add_fetch(&signals, 1, __ATOMIC_SEQ_CST);
}

/* One that is asked to leave the guest, and does once its questioner was disturbed often enough. */
static int busy_for_long(struct kvm_run *run, unsigned int nth)
{
	__atomic_add_fetch(&entered, 1, __ATOMIC_SEQ_CST);
	busy(run, nth);
	__atomic_store_n(&asked, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&signals, __ATOMIC_SEQ_CST) < ENOUGH)
		sched_yield();
	return -EINTR;
}

static void *disturb(void *questioner)
{
	while (!__atomic_load_n(&asked, __ATOMIC_SEQ_CST))
		sched_yield();
	while (__atomic_load_n(&signals, __ATOMIC_SEQ_CST) < ENOUGH) {
		pthread_kill(*(pthread_t *)questioner, SIGUSR1);
		sched_yield();
	}
	return NULL;
}

Test(control, a_signal_does_not_end_the_wait_for_an_answer)
{
	const struct sigaction act = { .sa_handler = on_signal };
	pthread_t self = pthread_self(), other;

	cr_assert(zero(int, ask("stop")));
	fake.run = busy_for_long;
	cr_assert(zero(int, ask("cont")));
	while (__atomic_load_n(&entered, __ATOMIC_SEQ_CST) < 2) /* or nobody had to be asked */
		sched_yield();
	sigaction(SIGUSR1, &act, NULL);
	pthread_create(&other, NULL, disturb, &self);
	cr_assert(zero(int, ask("x-nestor-debug")));
	pthread_join(other, NULL);
	end(false);
}

Test(control, a_crash_kernel_is_an_event_and_the_guest_goes_on)
{
	control_crash_loaded(control);
	end(false);
	cr_assert(eq(str, (char *)event(), "GUEST_CRASHLOADED"));
	cr_assert(eq(str, (char *)json_string_value(data("action")), "run"));
	cr_assert(eq(str, (char *)event(), "SHUTDOWN"));
}

struct end_case {
	int status;
	enum vm_cause cause;
	bool guest;
	char reason[32];
};

ParameterizedTestParameters(control, each_end_has_its_reason)
{
	static struct end_case cases[] = {
		{ STATUS_POWERED_OFF, VM_CAUSE_GUEST, true, "guest-shutdown" },
		{ 64 + 7, VM_CAUSE_GUEST, true, "guest-shutdown" },
		{ STATUS_RESET, VM_CAUSE_GUEST, true, "guest-reset" },
		{ STATUS_PANIC, VM_CAUSE_GUEST, true, "guest-panic" },
		{ STATUS_KVM_EXIT, VM_CAUSE_KVM, false, "host-error" },
		{ STATUS_POWERED_OFF, VM_CAUSE_CONSOLE, false, "host-ui" },
		{ 128 + 15, VM_CAUSE_SIGNAL, false, "host-signal" },
		{ 35, VM_CAUSE_TIMEOUT, false, "x-nestor-timeout" },
	};

	return cr_make_param_array(struct end_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct end_case *c, control, each_end_has_its_reason)
{
	vm_end_by(&vm, c->status, c->cause);
	end(false);
	if (c->status == STATUS_PANIC)
		cr_assert(eq(str, (char *)event(), "GUEST_PANICKED"));
	cr_assert(eq(str, (char *)event(), "SHUTDOWN"));
	cr_assert(eq(str, (char *)json_string_value(data("reason")), c->reason));
	cr_assert(eq(int, json_is_true(data("guest")), c->guest));
	cr_assert(eq(int, (int)json_integer_value(data("x-nestor-status")), c->status));
}

Test(control, the_log_has_each_event_and_each_trace_line)
{
	struct log log = { .topics = BIT(TRACE_PCI), .sink = &json_log.sink };
	char line[1024];
	FILE *file;
	int nr = 0;

	trace(&log, TRACE_PCI, "a \"BAR\"\n\xff");
	trace(&log, TRACE_PCI, "another");
	cr_assert(zero(int, ask("stop")));
	control_crash_loaded(control);
	end(false);
	control_exit(control, 3);
	file = fopen(log_path, "r");
	while (fgets(line, sizeof(line), file)) {
		json_t *value = json_loads(line, 0, NULL);

		cr_assert(as_documented("log", value), "%s", line);
		json_decref(value);
		nr++;
	}
	fclose(file);
	cr_assert(eq(int, nr, 7)); /* start, two traces, stop, crash kernel, shutdown, exit */
}

Test(control, its_socket_goes_with_it)
{
	end(false);
	control_destroy(control);
	cr_assert(eq(int, socket_connect("unit"), -ENOENT));
	cr_assert(zero(int, control_create(&control, "unit", NULL)));
}

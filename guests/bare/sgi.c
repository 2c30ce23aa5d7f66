/* SPDX-License-Identifier: GPL-2.0-only */
/* Four vCPUs: PSCI starts and stops them, and SGIs from each reach the others. */
#include "lib/gic.h"

#define NR        4
#define BROADCAST 8 /* SGI n comes from CPU n alone; n + 8 from CPU n to everybody */

/* [CPU that took it][SGI]; each row is written by its own CPU. */
static volatile unsigned int taken[NR_CPUS][16];
static volatile bool ready[NR_CPUS], done;
static volatile unsigned int starts[NR_CPUS];

static void took(u32 intid)
{
	check(intid < 16, "interrupt %u", intid);
	taken[this_cpu()][intid]++;
}

static void listen(void)
{
	gic_init_cpu();
	irqs_on();
	ready[this_cpu()] = true;
}

static bool all_ready(void)
{
	for (unsigned int cpu = 0; cpu < NR; cpu++)
		if (!ready[cpu])
			return false;
	return true;
}

static void send_to_each(void)
{
	for (unsigned int cpu = 0; cpu < NR; cpu++)
		if (cpu != this_cpu())
			gic_send_sgi(this_cpu(), cpu);
	gic_send_sgi_to_others(BROADCAST + this_cpu());
}

static void peer(void)
{
	listen();
	while (!all_ready())
		;
	send_to_each();
	while (!done)
		;
}

/* Exactly one of each kind from each other CPU, and none from itself. */
static bool complete(bool *too_many)
{
	bool all = true;

	for (unsigned int to = 0; to < NR; to++) {
		for (unsigned int sgi = 0; sgi < 16; sgi++) {
			bool sent = sgi % BROADCAST < NR && sgi % BROADCAST != to;

			all = all && taken[to][sgi] >= sent;
			*too_many = *too_many || taken[to][sgi] > sent;
		}
	}
	return all;
}

static void everybody(void)
{
	bool too_many = false;

	gic_init();
	irq_handler = took;
	for (unsigned int cpu = 1; cpu < NR; cpu++)
		check(psci_cpu_on(cpu, peer) == PSCI_OK, "CPU %u does not start", cpu);
	listen();
	check(wait_for(all_ready(), LONG), "a CPU that was started does not run");
	send_to_each();
	check(wait_for(complete(&too_many), LONG), "an SGI did not come");
	wait_for(false, 10);
	complete(&too_many);
	check(!too_many, "an SGI came to the wrong CPU, or twice");
	done = true;
}

static void starts_and_ends(void)
{
	starts[this_cpu()]++;
}

static void stays(void)
{
	starts[this_cpu()]++;
	while (!done)
		;
}

static void cpu_on(void)
{
	check(psci_cpu_on(0, stays) == PSCI_ALREADY_ON, "the CPU that asks can be started");
	check(psci_cpu_on(1, stays) == PSCI_OK, "CPU 1 does not start");
	check(psci_cpu_on(1, stays) == PSCI_ALREADY_ON, "CPU 1 can be started twice");
	check(wait_for(starts[1] == 1, LONG), "CPU 1 does not run");
	check(psci_cpu_on_mpidr(NR) == PSCI_INVALID_PARAMETERS, "there is a CPU too many");
	check(psci_cpu_on_mpidr(1 << 16) == PSCI_INVALID_PARAMETERS, "there is a cluster too many");
	done = true;
}

static void cpu_off(void)
{
	for (unsigned int i = 1; i <= 10; i++) {
		check(wait_for(psci_affinity_info(2) == AFFINITY_OFF, LONG), "CPU 2 is not off");
		check(psci_cpu_on(2, starts_and_ends) == PSCI_OK, "start %u of CPU 2 fails", i);
		check(wait_for(starts[2] == i, LONG), "CPU 2 does not run, start %u", i);
	}
	check(psci_affinity_info(0) == AFFINITY_ON, "the CPU that asks is not on");
	check(psci_affinity_info(3) == AFFINITY_OFF, "a CPU that nobody started is not off");
}

static const struct test tests[] = {
	{ "everybody", everybody },
	{ "cpu-on", cpu_on },
	{ "cpu-off", cpu_off },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

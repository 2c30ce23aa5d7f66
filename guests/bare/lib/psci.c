/* SPDX-License-Identifier: GPL-2.0-only */
/* PSCI 1.0 by HVC (Arm DEN 0022), and where a CPU that was started goes. */
#include "guest.h"

#define CPU_OFF       0x84000002
#define CPU_ON        0xc4000003
#define AFFINITY_INFO 0xc4000004
#define SYSTEM_OFF    0x84000008
#define SYSTEM_RESET  0x84000009

void secondary(void); /* start.S */
void secondary_main(void);

static void (*entries[NR_CPUS])(void);

static int call(u64 function, u64 a, u64 b, u64 c)
{
	register u64 x0 asm("x0") = function;
	register u64 x1 asm("x1") = a;
	register u64 x2 asm("x2") = b;
	register u64 x3 asm("x3") = c;

	/* SMCCC 1.0 lets a call spoil x4 to x17. */
	asm volatile("hvc #0"
	             : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory", "x4", "x5", "x6", "x7",
	               "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17");
	return x0;
}

/* As KVM numbers them: 16 to a cluster. */
u64 mpidr_of(unsigned int cpu)
{
	return cpu % 16 | cpu / 16 << 8;
}

int psci_cpu_on(unsigned int cpu, void (*entry)(void))
{
	entries[cpu] = entry;
	barrier();
	return call(CPU_ON, mpidr_of(cpu), (u64)secondary, cpu);
}

int psci_cpu_on_mpidr(u64 mpidr)
{
	return call(CPU_ON, mpidr, (u64)secondary, 0);
}

int psci_affinity_info(unsigned int cpu)
{
	return call(AFFINITY_INFO, mpidr_of(cpu), 0, 0);
}

void secondary_main(void)
{
	entries[this_cpu()]();
	psci_cpu_off();
}

void psci_cpu_off(void)
{
	call(CPU_OFF, 0, 0, 0);
	fail("CPU_OFF came back");
}

void psci_system_off(void)
{
	call(SYSTEM_OFF, 0, 0, 0);
	fail("SYSTEM_OFF came back");
}

void psci_system_reset(void)
{
	call(SYSTEM_RESET, 0, 0, 0);
	fail("SYSTEM_RESET came back");
}

// SPDX-License-Identifier: GPL-2.0-only
/* Events, for CPUs that wait for them. */
#include "vmm/arch.h"

/*
 * An event goes to all CPUs (DDI 0487, D1.6), whatever runs on them: so a vCPU that waits in the
 * guest takes the host's. One whose WFE was trapped does not wait.
 */
void arch_send_event(void)
{
#ifdef __aarch64__
	asm volatile("sev" ::: "memory");
#endif
}

// SPDX-License-Identifier: GPL-2.0-only
/* Events to CPUs, which are counted. */
#include "tests/unit/fake_kvm.h"
#include "vmm/arch.h"

void arch_send_event(void)
{
	fake.nr_events++;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* What an exception comes to: an interrupt's handler, an abort that a test expects, or the end. */
#include "gic.h"

struct frame {
	u64 x[31], elr, spsr;
};

enum { VECTOR_SYNC = 4, VECTOR_IRQ = 5 }; /* of this exception level, on its own stack pointer */
#define UNEXPECTED 63
#define SPURIOUS   1020 /* IHI 0069, 2.2: INTIDs from here to 1023 are none */

void (*irq_handler)(u32 intid);

static struct {
	bool armed;
	struct abort abort;
} expected[NR_CPUS];

void expect_aborts(void)
{
	expected[this_cpu()].abort = (struct abort){ 0 };
	expected[this_cpu()].armed = true;
	barrier();
}

struct abort expected_aborts(void)
{
	barrier();
	expected[this_cpu()].armed = false;
	return expected[this_cpu()].abort;
}

static bool is_expected(struct frame *f)
{
	struct abort *a = &expected[this_cpu()].abort;
	u64 esr = read_sysreg(esr_el1);

	if (!expected[this_cpu()].armed ||
	    (ESR_EC(esr) != EC_DATA_ABORT && ESR_EC(esr) != EC_INSTRUCTION_ABORT))
		return false;
	a->count++;
	a->esr = esr;
	a->far = read_sysreg(far_el1);
	f->elr = ESR_EC(esr) == EC_DATA_ABORT ? f->elr + 4 : f->x[30];
	return true;
}

static void interrupt(void)
{
	u32 acknowledged = gic_acknowledge(), intid = gic_intid(acknowledged);

	barrier();
	if (intid >= SPURIOUS && intid <= 1023)
		return;
	if (irq_handler)
		irq_handler(intid);
	else
		fail("interrupt %u, and nobody to take it", intid);
	gic_end(acknowledged);
	barrier();
}

void exception(struct frame *f, u64 vector);

void exception(struct frame *f, u64 vector)
{
	if (vector == VECTOR_IRQ) {
		interrupt();
		return;
	}
	if (vector == VECTOR_SYNC && is_expected(f))
		return;
	print("FAIL: unexpected exception %lu on CPU %u: ESR %lx ELR %lx FAR %lx\n", vector,
	      this_cpu(), read_sysreg(esr_el1), f->elr, read_sysreg(far_el1));
	finish(UNEXPECTED);
}

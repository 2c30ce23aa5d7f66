/* SPDX-License-Identifier: GPL-2.0-only */
/* What an exception comes to: an interrupt's handler, an abort that a test expects, or the end. */
#include "gic.h"

struct frame {
	u64 x[31], elr, spsr;
};

/* of this exception level, on its own stack pointer; and of a lower one */
enum { VECTOR_SYNC = 4, VECTOR_IRQ = 5, VECTOR_LOWER_SYNC = 8, VECTOR_LOWER_IRQ = 9 };
#define EL2H_MASKED 0x3c9
#define UNEXPECTED  63
#define SPURIOUS    1020 /* IHI 0069, 2.2: INTIDs from here to 1023 are none */

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

/* At EL2: where it goes on when what run_lower() started comes to an exception. */
static struct {
	u64 resume;
	struct lower left;
} lower;

struct lower run_lower(u64 pc, u64 pstate, u64 x0, u64 x1)
{
	register u64 r0 asm("x0") = x0;
	register u64 r1 asm("x1") = x1;

	asm volatile("adr x9, 1f\n\t"
	             "str x9, [%2]\n\t"
	             "msr elr_el2, %3\n\t"
	             "msr spsr_el2, %4\n\t"
	             "isb\n\t"
	             "eret\n"
	             "1:"
	             : "+r"(r0), "+r"(r1)
	             : "r"(&lower.resume), "r"(pc), "r"(pstate)
	             : "x9", "x30", "memory");
	return lower.left;
}

static bool is_lower(struct frame *f)
{
	if (!lower.resume)
		return false;
	lower.left = (struct lower){
		.esr = read_sysreg(esr_el2),
		.far = read_sysreg(far_el2),
		.hpfar = read_sysreg(hpfar_el2),
		.x0 = f->x[0],
	};
	f->elr = lower.resume;
	f->spsr = EL2H_MASKED;
	lower.resume = 0;
	return true;
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
	if (vector == VECTOR_LOWER_IRQ && is_lower(f)) {
		lower.left.esr = LOWER_INTERRUPTED;
		interrupt();
		return;
	}
	if (vector == VECTOR_SYNC && is_expected(f))
		return;
	if (vector == VECTOR_LOWER_SYNC && is_lower(f))
		return;
	print("FAIL: unexpected exception %lu on CPU %u: ESR %lx ELR %lx FAR %lx\n", vector,
	      this_cpu(), read_sysreg(esr_el1), f->elr, read_sysreg(far_el1));
	finish(UNEXPECTED);
}

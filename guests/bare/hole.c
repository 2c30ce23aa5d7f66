/* SPDX-License-Identifier: GPL-2.0-only */
/* Accesses that nothing answers, or that KVM cannot decode: external aborts,
 * and the guest goes on. */
#include "lib/pci.h"

#define KEPT 0x0123456789abcdefUL

static void check_abort(u64 at, const char *what)
{
	struct abort a = expected_aborts();

	check(a.count == 1, "%s at %lx: %u aborts", what, at, a.count);
	check(ESR_EC(a.esr) == EC_DATA_ABORT, "%s at %lx: ESR %lx", what, at, a.esr);
	check(ESR_FSC(a.esr) == FSC_EXTERNAL, "%s at %lx: ESR %lx", what, at, a.esr);
	check(a.far == at, "%s at %lx: FAR %lx", what, at, a.far);
}

/* A load that aborts leaves its register alone. */
static void load(u64 at, unsigned int size)
{
	u64 val = KEPT;

	expect_aborts();
	if (size == 1)
		asm volatile("ldrb %w0, [%1]" : "+r"(val) : "r"(at));
	else if (size == 2)
		asm volatile("ldrh %w0, [%1]" : "+r"(val) : "r"(at));
	else if (size == 4)
		asm volatile("ldr %w0, [%1]" : "+r"(val) : "r"(at));
	else
		asm volatile("ldr %0, [%1]" : "+r"(val) : "r"(at));
	check_abort(at, "load");
	check(val == KEPT, "load of %u at %lx: %lx in the register", size, at, val);
}

static void store(u64 at, unsigned int size)
{
	expect_aborts();
	write_sized(at, size, KEPT);
	check_abort(at, "store");
}

/* The scenario gives the guest 256 MiB. */
static void holes(void)
{
	static const u64 at[] = {
		0x01004000,             /* past the last UART */
		0x01011008,             /* past pvpanic */
		0x01021000,             /* past the exit device */
		0x01031000,             /* past the GPIO */
		0x03000000, 0x08010000, /* past the ITS */
		0x90000000,             /* past RAM, as Normal memory */
		0xc0000000,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
		for (unsigned int size = 1; size <= 8; size *= 2) {
			load(at[i], size);
			store(at[i], size);
		}
	}
}

/* Into Normal memory that may be executed, as far as the guest knows; lr brings it back. */
static void fetch(void)
{
	static const u64 at[] = { 0x01021000, 0x01000000, 0x90000000 };

	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
		struct abort a;

		expect_aborts();
		asm volatile("blr %0" ::"r"(NORMAL(at[i])) : "x30", "memory");
		a = expected_aborts();
		check(a.count == 1, "fetch at %lx: %u aborts", at[i], a.count);
		check(ESR_EC(a.esr) == EC_INSTRUCTION_ABORT && ESR_FSC(a.esr) == FSC_EXTERNAL,
		      "fetch at %lx: ESR %lx", at[i], a.esr);
	}
}

#define TRY(what, at, ...)                                                 \
	do {                                                               \
		u64 x_ = (at), y_ = 0;                                     \
                                                                           \
		expect_aborts();                                           \
		asm volatile(".arch armv8.1-a\n\t" __VA_ARGS__             \
		             : "+r"(x_), "+r"(y_)::"x9", "x10", "memory"); \
		check_abort(at, what);                                     \
	} while (0)

/* No syndrome tells KVM which registers these move: to a device that is there, and to none. */
static void undecodable(void)
{
	static const u64 at[] = { UART_BASE, EXIT_BASE, 0x03000000 };

	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
		TRY("ldp", at[i], "ldp x9, x10, [%0]");
		TRY("stp", at[i], "stp xzr, xzr, [%0]");
		TRY("post-indexed ldr", at[i], "ldr w9, [%0], #4");
		TRY("post-indexed str", at[i], "str wzr, [%0], #4");
		TRY("ldr q0", at[i], "ldr q0, [%0]");
		TRY("str q0", at[i], "str q0, [%0]");
		TRY("ld1", at[i], "ld1 {v0.16b}, [%0]");
	}
}

/* Normal memory, as far as the guest knows: the device is asked for half a register. */
static void misaligned(void)
{
	for (unsigned int size = 2; size <= 8; size *= 2) {
		load(NORMAL(UART_BASE) + 1, size);
		store(NORMAL(UART_BASE) + 1, size);
		load(NORMAL(EXIT_BASE) + 1, size);
		store(NORMAL(EXIT_BASE) + 1, size);
		load(NORMAL(ECAM_BASE) + 1, size);
		store(NORMAL(ECAM_BASE) + 1, size);
	}
}

/* Functions that are not there read as all ones, and take writes. */
static void config(void)
{
	static const u32 rids[] = { 0x1f << 3, 0x1f << 3 | 7, 1, 1 << 8, 0xffff };

	for (unsigned int i = 0; i < ARRAY_SIZE(rids); i++) {
		for (unsigned int size = 1; size <= 8; size *= 2) {
			u64 at = pci_config(rids[i]) + 8;
			u64 ones = size == 8 ? ~0UL : (1UL << size * 8) - 1;

			check(read_sized(at, size) == ones, "function %x reads %lx", rids[i],
			      read_sized(at, size));
			write_sized(at, size, 0);
		}
	}
}

static const struct test tests[] = {
	{ "holes", holes },           { "fetch", fetch },   { "undecodable", undecodable },
	{ "misaligned", misaligned }, { "config", config },
};

int main(void)
{
	run_test(tests, ARRAY_SIZE(tests));
	return 1;
}

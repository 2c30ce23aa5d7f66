/* SPDX-License-Identifier: GPL-2.0-only */
/* Which test to run, told by the kernel parameters, and how a guest ends. */
#include "guest.h"

u64 fdt; /* where the device tree is; start.S writes it */

int main(void);
void guest_main(void);

void guest_main(void)
{
	finish(main());
}

void finish(u32 status)
{
	write32(EXIT_BASE, status);
	for (;;)
		;
}

void fail(const char *format, ...)
{
	__builtin_va_list args;

	__builtin_va_start(args, format);
	print("FAIL: ");
	print_args(format, args);
	print("\n");
	__builtin_va_end(args);
	finish(1);
}

static bool starts_with(const char *s, const char *with)
{
	while (*with)
		if (*s++ != *with++)
			return false;
	return true;
}

static u32 be32(u64 at)
{
	return __builtin_bswap32(*(const u32 *)at);
}

/* The first property named bootargs (Devicetree Specification 0.4, 5.4): only /chosen has one. */
const char *parameters(void)
{
	enum { BEGIN_NODE = 1, END_NODE, PROP, NOP };
	u64 at = fdt + be32(fdt + 8), strings = fdt + be32(fdt + 12);

	for (;;) {
		u32 token = be32(at);

		at += 4;
		if (token == BEGIN_NODE) {
			while (*(const char *)at++)
				;
			at = (at + 3) & ~3UL;
		} else if (token == PROP) {
			const char *name = (const char *)strings + be32(at + 4);

			if (starts_with(name, "bootargs") && !name[8])
				return (const char *)at + 8;
			at = (at + 8 + be32(at) + 3) & ~3UL;
		} else if (token != END_NODE && token != NOP) {
			return "";
		}
	}
}

u64 parameter_after(const char *key, u64 otherwise)
{
	for (const char *at = parameters(); *at; at++) {
		u64 val = 0;

		if (!starts_with(at, key))
			continue;
		while (*at && *at++ != '=')
			;
		while (*at >= '0' && *at <= '9')
			val = val * 10 + *at++ - '0';
		return val;
	}
	return otherwise;
}

void run_test(const struct test *tests, size_t nr)
{
	const char *wanted = parameters();

	for (size_t i = 0; i < nr; i++) {
		size_t len = 0;

		while (tests[i].name[len])
			len++;
		if (!starts_with(wanted, tests[i].name) || (wanted[len] && wanted[len] != ' '))
			continue;
		tests[i].run();
		print("PASS\n");
		finish(0);
	}
	fail("no test '%s'", wanted);
}

u64 read_sized(u64 at, unsigned int size)
{
	return size == 1 ? read8(at) : size == 2 ? read16(at) : size == 4 ? read32(at) : read64(at);
}

void write_sized(u64 at, unsigned int size, u64 val)
{
	if (size == 1)
		write8(at, val);
	else if (size == 2)
		write16(at, val);
	else if (size == 4)
		write32(at, val);
	else
		write64(at, val);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* What every guest uses: types, MMIO, results, output, exceptions, time. */
#ifndef GUESTS_BARE_LIB_GUEST_H
#define GUESTS_BARE_LIB_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NR_CPUS       8

/* The board (machine/layout.h, vmm/arm64/gic.h). */
#define UART_BASE  0x01000000UL
#define EXIT_BASE  0x01020000UL
#define ECAM_BASE  0x40000000UL
#define RAM_BASE   0x80000000UL
#define RAM_SIZE   (256UL << 20)           /* without -m */
#define NORMAL(pa) (0x4000000000UL + (pa)) /* the same address again, as Normal memory */

/* One plain load or store each: what KVM can decode. */
#define ACCESSORS(bits, suffix, mod)                                                            \
	static inline u##bits read##bits(u64 at)                                                \
	{                                                                                       \
		u##bits val = 0;                                                                \
                                                                                                \
		asm volatile("ldr" suffix " %" mod "0, [%1]" : "+r"(val) : "r"(at) : "memory"); \
		return val;                                                                     \
	}                                                                                       \
	static inline void write##bits(u64 at, u##bits val)                                     \
	{                                                                                       \
		asm volatile("str" suffix " %" mod "0, [%1]" ::"r"(val), "r"(at) : "memory");   \
	}
ACCESSORS(8, "b", "w")
ACCESSORS(16, "h", "w")
ACCESSORS(32, "", "w")
ACCESSORS(64, "", "x")

/* One access of @size bytes, for tables of them. */
u64 read_sized(u64 at, unsigned int size);
void write_sized(u64 at, unsigned int size, u64 val);

#define read_sysreg(name)                                              \
	({                                                             \
		u64 val_;                                              \
		asm volatile("mrs %0, " #name : "=r"(val_)::"memory"); \
		val_;                                                  \
	})
#define write_sysreg(name, val) asm volatile("msr " #name ", %0" ::"r"((u64)(val)) : "memory")
#define barrier()               asm volatile("dsb sy\n\tisb" ::: "memory")

/* test.c: a guest's tests; the first word of the kernel parameters names the one to run. */
struct test {
	const char *name;
	void (*run)(void);
};
void run_test(const struct test *tests, size_t nr);
const char *parameters(void);                        /* all of them; "" where there are none */
u64 parameter_after(const char *key, u64 otherwise); /* "key=123" */
_Noreturn void finish(u32 status);
_Noreturn __attribute__((format(printf, 1, 2))) void fail(const char *format, ...);
#define check(cond, ...)                   \
	do {                               \
		if (!(cond))               \
			fail(__VA_ARGS__); \
	} while (0)

/* print.c: %s %c %u %x %lu %lx to the first UART, by polling. */
__attribute__((format(printf, 1, 2))) void print(const char *format, ...);
void print_args(const char *format, __builtin_va_list args);
void print_char(char c);

/* exception.c: aborts that a test expects on this CPU; each skips its instruction. */
struct abort {
	unsigned int count;
	u64 esr, far; /* of the last */
};
void expect_aborts(void);
struct abort expected_aborts(void); /* what came since; from here on an abort is an error again */
#define ESR_EC(esr)  ((unsigned int)((esr) >> 26 & 0x3f))
#define ESR_FSC(esr) ((unsigned int)((esr)&0x3f))
enum { EC_INSTRUCTION_ABORT = 0x21, EC_DATA_ABORT = 0x25, FSC_EXTERNAL = 0x10 };
/* Those of a lower exception level, and instructions that it calls with. */
enum { EC_SVC = 0x15, EC_HVC = 0x16, EC_LOWER_INSTRUCTION = 0x20, EC_LOWER_DATA = 0x24 };

/* exception.c: from EL2, a lower level runs at @pc until there is an exception that EL2 takes. It
 * keeps all registers but x0, x1, x9 and x30. */
struct lower {
	u64 esr, far, hpfar, x0;
};
#define LOWER_INTERRUPTED (~0UL) /* esr: it was an interrupt that EL2 takes */
struct lower run_lower(u64 pc, u64 pstate, u64 x0, u64 x1);

/* Called with each interrupt that is taken, before its end is told. */
extern void (*irq_handler)(u32 intid);
static inline void irqs_on(void)
{
	asm volatile("msr daifclr, #2" ::: "memory");
}
static inline void irqs_off(void)
{
	asm volatile("msr daifset, #2" ::: "memory");
}

static inline unsigned int this_cpu(void)
{
	return read_sysreg(tpidr_el1);
}

/* Time, by the virtual counter. */
static inline u64 now(void)
{
	asm volatile("isb" ::: "memory");
	return read_sysreg(cntvct_el0);
}
static inline u64 ms(u64 n)
{
	return read_sysreg(cntfrq_el0) * n / 1000;
}
/* Polls; true once @cond is, false if it is not within @limit milliseconds. */
#define wait_for(cond, limit)                 \
	({                                    \
		u64 end_ = now() + ms(limit); \
		bool ok_ = (cond);            \
		while (!ok_ && now() < end_)  \
			ok_ = (cond);         \
		ok_;                          \
	})
#define LONG 10000 /* ms: what takes longer does not come */

/* psci.c */
enum {
	PSCI_OK = 0,
	PSCI_INVALID_PARAMETERS = -2,
	PSCI_ALREADY_ON = -4,
};
enum { AFFINITY_ON, AFFINITY_OFF };
u64 mpidr_of(unsigned int cpu);
int psci_cpu_on(unsigned int cpu, void (*entry)(void));
int psci_cpu_on_mpidr(u64 mpidr);
int psci_affinity_info(unsigned int cpu);
_Noreturn void psci_cpu_off(void);
_Noreturn void psci_system_off(void);
_Noreturn void psci_system_reset(void);

void *memset(void *to, int byte, size_t len);
void *memcpy(void *to, const void *from, size_t len);
int memcmp(const void *a, const void *b, size_t len);

#endif

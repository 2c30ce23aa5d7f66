// SPDX-License-Identifier: GPL-2.0-only
/* Tables of numbers alone (Linux, include/acpi/actbl*.h): FADT, GTDT, MCFG, PPTT, and the console's
 * SPCR and DBG2.
 */
#include "acpi/private.h"

/* struct acpi_table_fadt: what is not there without fixed hardware is zero. */
enum { FADT_POWER_BUTTON = 1 << 4, FADT_SLEEP_BUTTON = 1 << 5, FADT_HW_REDUCED = 1 << 20 };
enum { FADT_PSCI = 1 << 0, FADT_PSCI_HVC = 1 << 1 };

void acpi_fadt(struct out *o, const struct platform *p, gpa_t dsdt)
{
	const size_t begin = table_begin(o, "FACP", 6);

	out_zeros(o, 112 - 36);
	out32(o, FADT_POWER_BUTTON | FADT_SLEEP_BUTTON | FADT_HW_REDUCED); /* no fixed buttons */
	out_zeros(o, 129 - 116);
	out16(o, FADT_PSCI | (p->el2 ? 0 : FADT_PSCI_HVC));
	out8(o, 5);  /* 6.5 */
	out64(o, 0); /* X_FIRMWARE_CTRL */
	out64(o, dsdt);
	out_zeros(o, 268 - 148);
	out_text(o, "Nestor", 8);
	table_end(o, begin);
}

/* struct acpi_table_gtdt: INTIDs of what KVM wires; all are levels, active low, and never stop. */
static void timer(struct out *o, u32 intid)
{
	out32(o, intid);
	out32(o, intid ? 1 << 1 | 1 << 2 : 0);
}

bool acpi_gtdt(struct out *o, const struct platform *p)
{
	const size_t begin = table_begin(o, "GTDT", 3);

	out64(o, ~0ULL); /* no CntControlBase */
	out32(o, 0);
	timer(o, 29);    /* secure EL1 */
	timer(o, 30);    /* EL1 */
	timer(o, 27);    /* virtual */
	timer(o, 26);    /* EL2 */
	out64(o, ~0ULL); /* no CntReadBase */
	out32(o, 0);
	out32(o, 0);
	timer(o, p->el2 ? 28 : 0); /* virtual, of EL2 */
	table_end(o, begin);
	return true;
}

/* struct acpi_table_mcfg. */
bool acpi_mcfg(struct out *o, const struct platform *p)
{
	size_t begin;

	if (!p->nr_pci)
		return false;
	begin = table_begin(o, "MCFG", 1);
	out64(o, 0);
	for (unsigned int i = 0; i < p->nr_pci; i++) {
		out64(o, p->pci[i].ecam);
		out16(o, p->pci[i].segment);
		out8(o, 0);
		out8(o, p->pci[i].last_bus);
		out32(o, 0);
	}
	table_end(o, begin);
	return true;
}

/* struct acpi_pptt_processor: one package of CPUs that are alike. */
enum { PPTT_PACKAGE = 1 << 0, PPTT_ID_VALID = 1 << 1, PPTT_LEAF = 1 << 3, PPTT_IDENTICAL = 1 << 4 };

static void processor(struct out *o, u32 flags, u32 parent, u32 id)
{
	out8(o, 0);
	out8(o, 20);
	out16(o, 0);
	out32(o, flags);
	out32(o, parent);
	out32(o, id);
	out32(o, 0);
}

bool acpi_pptt(struct out *o, const struct platform *p)
{
	const size_t begin = table_begin(o, "PPTT", 3);
	const u32 package = o->used - begin;

	processor(o, PPTT_PACKAGE | PPTT_IDENTICAL, 0, 0);
	for (unsigned int i = 0; i < p->nr_cpus; i++)
		processor(o, PPTT_ID_VALID | PPTT_LEAF, package, i);
	table_end(o, begin);
	return true;
}

/* ACPI_DBG2_16550_WITH_GAS: a 16550 as its Generic Address Structure says. */
#define UART_KIND   0x12
#define UART_CLOCK  1843200
#define UART_NAME   "\\_SB.COM0"
#define BAUD_115200 7
#define GIC_IRQ     (1 << 3)
#define TERMINAL    3 /* ANSI */
#define NO_PCI      0xffff
#define BYTE_ACCESS 1

bool acpi_spcr(struct out *o, const struct platform *p)
{
	size_t begin;

	if (p->no_uart_console)
		return false;
	begin = table_begin(o, "SPCR", 4);
	out32(o, UART_KIND);
	out_gas(o, 8, BYTE_ACCESS, p->uarts[0].base);
	out8(o, GIC_IRQ);
	out8(o, 0);
	out32(o, gsi(p->uarts[0].spi));
	out8(o, BAUD_115200);
	out8(o, 0); /* no parity */
	out8(o, 1); /* stop bit */
	out8(o, 0); /* no flow control */
	out8(o, TERMINAL);
	out8(o, 0);
	out16(o, NO_PCI);
	out16(o, NO_PCI);
	out_zeros(o, 3 + 4 + 1); /* bus, device, function, flags, segment */
	out32(o, UART_CLOCK);
	out32(o, 115200);
	out16(o, sizeof(UART_NAME));
	out16(o, o->used - begin + 2);
	out_text(o, UART_NAME, sizeof(UART_NAME));
	table_end(o, begin);
	return true;
}

bool acpi_dbg2(struct out *o, const struct platform *p)
{
	enum { INFO = 22, GAS = 12, SIZE = 4 };
	const size_t begin = table_begin(o, "DBG2", 0);

	out32(o, 36 + 8);
	out32(o, 1);
	out8(o, 0);
	out16(o, INFO + GAS + SIZE + sizeof(UART_NAME));
	out8(o, 1);
	out16(o, sizeof(UART_NAME));
	out16(o, INFO + GAS + SIZE);
	out32(o, 0);      /* nothing of the OEM's */
	out16(o, 0x8000); /* serial */
	out16(o, UART_KIND);
	out16(o, 0);
	out16(o, INFO);
	out16(o, INFO + GAS);
	out_gas(o, 8, BYTE_ACCESS, p->uarts[0].base);
	out32(o, p->uarts[0].size);
	out_text(o, UART_NAME, sizeof(UART_NAME));
	table_end(o, begin);
	return true;
}

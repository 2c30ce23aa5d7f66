// SPDX-License-Identifier: GPL-2.0-only
/* The DSDT: the devices of the board (ACPI 6.5, 5.2.11.1). PCI's are in dsdt_pci.c. */
#include "acpi/dsdt.h"

static size_t device(struct out *o, const char *name, const char *id, unsigned int uid)
{
	const size_t at = aml_device(o, name);

	aml_name_text(o, "_HID", id);
	aml_name_int(o, "_UID", uid);
	return at;
}

static void memory_and_interrupt(struct out *o, const struct platform_device *d, bool interrupts)
{
	struct resources r;

	crs_begin(&r);
	crs_memory32(&r, d->base, d->size);
	if (interrupts)
		crs_interrupt(&r, gsi(d->spi));
	aml_crs(o, &r);
}

static void cpus(struct out *o, const struct platform *p)
{
	for (unsigned int i = 0; i < p->nr_cpus; i++)
		aml_end(o, device(o, acpi_name("CP%02X", i).text, "ACPI0007", i));
}

/* 16550s; the driver has their clock by default (drivers/tty/serial/8250/8250_pnp.c). */
static void uarts(struct out *o, const struct platform *p)
{
	for (unsigned int i = 0; i < PLATFORM_UARTS; i++) {
		const size_t at = aml_device(o, acpi_name("COM%X", i).text);

		aml_name_eisa(o, "_HID", "PNP0501");
		aml_name_int(o, "_UID", i);
		memory_and_interrupt(o, &p->uarts[i], true);
		aml_end(o, at);
	}
}

/* Linux has no driver for it by ACPI, and so begins in 1970. */
static void rtc(struct out *o, const struct platform *p)
{
	size_t at;

	if (!p->rtc.size)
		return;
	at = device(o, "RTC0", "LNRO0013", 0);
	memory_and_interrupt(o, &p->rtc, true);
	aml_end(o, at);
}

static void pvpanic(struct out *o, const struct platform *p)
{
	size_t at;

	if (!p->pvpanic.size)
		return;
	at = device(o, "PEVT", "QEMU0001", 0);
	memory_and_interrupt(o, &p->pvpanic, false);
	aml_end(o, at);
}

static void virtio_mmio(struct out *o, const struct platform *p)
{
	for (unsigned int i = 0; i < p->nr_virtio_mmio; i++) {
		const size_t at = device(o, acpi_name(NAME_SLOT, i).text, "LNRO0005", i);

		aml_name_int(o, "_CCA", 1);
		memory_and_interrupt(o, &p->virtio_mmio[i], true);
		aml_end(o, at);
	}
}

/* PL061 (Arm DDI 0190, 3.3), from GPIOIS on. */
#define GPIO_IS  0x404
#define GPIO_END 0x420

static void pl061(struct out *o, gpa_t base)
{
	static const char *const names[] = {
		"GIS_", "GIBE", "GIEV", "GIE_", "GRIS", "GMIS", "GIC_"
	};
	size_t at;

	aml_region(o, "GPIO", base + GPIO_IS, GPIO_END - GPIO_IS);
	at = aml_field(o, "GPIO");
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		aml_unit(o, names[i], 32);
	aml_end(o, at);
}

static void store(struct out *o, u64 val, const char *to)
{
	aml_op(o, AML_STORE);
	aml_int(o, val);
	aml_path(o, to);
}

/* The pin's rise is the GPIO's interrupt, level until it is cleared: the driver of the GED is the
 * GPIO's only one. */
static void button_events(struct out *o, const struct platform *p)
{
	const u32 pin = 1u << p->power_pin;
	size_t method, when;

	method = aml_method(o, "_INI", 0, false);
	store(o, 0, "GIS");
	store(o, 0, "GIBE");
	store(o, pin, "GIEV");
	store(o, pin, "GIC");
	store(o, pin, "GIE");
	aml_end(o, method);
	method = aml_method(o, "_EVT", 1, true);
	when = aml_if(o);
	aml_op(o, AML_LEQUAL);
	aml_op(o, AML_ARG0);
	aml_int(o, gsi(p->gpio.spi));
	store(o, pin, "GIC");
	aml_op(o, AML_NOTIFY);
	aml_path(o, "PWRB");
	aml_int(o, 0x80); /* ACPI_NOTIFY_DEVICE_SPECIFIC of a button: it was pressed */
	aml_end(o, when);
	aml_end(o, method);
}

static void power_button(struct out *o, const struct platform *p)
{
	struct resources r;
	size_t at;

	if (!p->gpio.size)
		return;
	at = aml_device(o, "PWRB");
	aml_name_eisa(o, "_HID", "PNP0C0C");
	aml_name_int(o, "_UID", 0);
	aml_end(o, at);
	at = device(o, "GED0", "ACPI0013", 0);
	crs_begin(&r);
	crs_interrupt(&r, gsi(p->gpio.spi));
	aml_crs(o, &r);
	pl061(o, p->gpio.base);
	button_events(o, p);
	aml_end(o, at);
}

bool acpi_dsdt(struct out *o, const struct platform *p)
{
	const size_t begin = table_begin(o, "DSDT", 2), at = aml_scope(o, "\\_SB");

	cpus(o, p);
	uarts(o, p);
	rtc(o, p);
	pvpanic(o, p);
	power_button(o, p);
	virtio_mmio(o, p);
	dsdt_pci(o, p);
	aml_end(o, at);
	table_end(o, begin);
	return true;
}

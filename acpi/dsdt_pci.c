// SPDX-License-Identifier: GPL-2.0-only
/* PCI in the DSDT (PCI Firmware, 4): host bridges, their windows, interrupts and methods. */
#include "acpi/dsdt.h"

#define NR_DEVICES 32 /* of a bus */

static void windows(struct out *o, const struct platform_pci *pci)
{
	struct resources r;

	crs_begin(&r);
	crs_bus(&r, 0, pci->last_bus);
	if (pci->io.size)
		crs_io(&r, pci->io.bus, pci->io.cpu, pci->io.size);
	if (pci->mem32.size)
		crs_memory64(&r, pci->mem32.bus, pci->mem32.cpu, pci->mem32.size, false, false);
	if (pci->mem64.size)
		crs_memory64(&r, pci->mem64.bus, pci->mem64.cpu, pci->mem64.size, true, false);
	aml_crs(o, &r);
}

/* _PRT: each device's pins, swizzled as by any bridge; a source of 0 is a GSI. */
static void interrupts(struct out *o, const struct platform_pci *pci)
{
	size_t all, row;

	aml_name(o, "_PRT");
	all = aml_package(o, NR_DEVICES * 4);
	for (u32 dev = 0; dev < NR_DEVICES; dev++) {
		for (u32 pin = 0; pin < 4; pin++) {
			row = aml_package(o, 4);
			aml_int(o, dev << 16 | 0xffff);
			aml_int(o, pin);
			aml_int(o, 0);
			aml_int(o, gsi(pci->intx_spi[(dev + pin) % 4]));
			aml_end(o, row);
		}
	}
	aml_end(o, all);
}

static void dword_of_arg3(struct out *o, u32 at, const char *name)
{
	aml_op(o, AML_CREATE_DWORD_FIELD);
	aml_op(o, AML_ARG3);
	aml_int(o, at);
	aml_path(o, name);
}

static size_t if_uuid(struct out *o, const char *uuid)
{
	const size_t at = aml_if(o);

	aml_op(o, AML_LEQUAL);
	aml_op(o, AML_ARG0);
	aml_uuid(o, uuid);
	return at;
}

static void combine(struct out *o, u8 op, const char *what, u64 with, const char *to)
{
	aml_op(o, op);
	aml_path(o, what);
	aml_int(o, with);
	aml_path(o, to);
}

static void return_op(struct out *o, u8 op)
{
	aml_op(o, AML_RETURN);
	aml_op(o, op);
}

/* PCI Firmware, 4.5.1: what the OS asks to control it has, but for SHPC's hotplug. */
enum { OSC_BAD_UUID = 1 << 2, OSC_BAD_REVISION = 1 << 3, OSC_MASKED = 1 << 4 };
#define OSC_UUID    "33db4d5b-1ff7-401c-9657-7441c03dd766"
#define OSC_CONTROL 0x3d /* native hotplug, PME, AER, the capability structure, LTR */

static void osc_masked(struct out *o)
{
	size_t at;

	aml_op(o, AML_AND);
	aml_path(o, "CDW3");
	aml_int(o, OSC_CONTROL);
	aml_op(o, AML_LOCAL0);
	at = aml_if(o);
	aml_op(o, AML_LNOT);
	aml_op(o, AML_LEQUAL);
	aml_path(o, "CDW3");
	aml_op(o, AML_LOCAL0);
	combine(o, AML_OR, "CDW1", OSC_MASKED, "CDW1");
	aml_end(o, at);
	aml_op(o, AML_STORE);
	aml_op(o, AML_LOCAL0);
	aml_path(o, "CDW3");
}

static void osc(struct out *o)
{
	const size_t method = aml_method(o, "_OSC", 4, true);
	size_t at, revision;

	dword_of_arg3(o, 0, "CDW1");
	at = if_uuid(o, OSC_UUID);
	dword_of_arg3(o, 8, "CDW3");
	revision = aml_if(o);
	aml_op(o, AML_LNOT);
	aml_op(o, AML_LEQUAL);
	aml_op(o, AML_ARG1);
	aml_int(o, 1);
	combine(o, AML_OR, "CDW1", OSC_BAD_REVISION, "CDW1");
	aml_end(o, revision);
	osc_masked(o);
	aml_end(o, at);
	at = aml_else(o);
	combine(o, AML_OR, "CDW1", OSC_BAD_UUID, "CDW1");
	aml_end(o, at);
	return_op(o, AML_ARG3);
	aml_end(o, method);
}

/* An RMR holds for the requester IDs that it names, so only while nobody numbers buses anew: Linux
 * disregards it otherwise (iort_rmr_has_dev()). */
static bool has_rmr(const struct platform *p, unsigned int segment)
{
	for (unsigned int i = 0; i < p->nr_endpoints; i++) {
		const struct platform_endpoint *e = &p->endpoints[i];

		if (e->is_pci && e->pci == segment && e->reserved &&
		    p->iommus[e->iommu].kind == PLATFORM_IOMMU_SMMUV3)
			return true;
	}
	return false;
}

/* DSM_PCI_PRESERVE_BOOT_CONFIG: function 5 is 1: the OS may place BARs and number buses; 0: it
 * finds them as they are to stay. */
#define DSM_UUID "e5c937d0-3553-4d7a-9117-ea4d19c3434d"

static void dsm(struct out *o, bool preserve)
{
	static const u8 functions[] = { 1 << 5 | 1 };
	static const u8 none[] = { 0 };
	const size_t method = aml_method(o, "_DSM", 4, true);
	size_t uuid, function;

	uuid = if_uuid(o, DSM_UUID);
	function = aml_if(o);
	aml_op(o, AML_LEQUAL);
	aml_op(o, AML_ARG2);
	aml_int(o, 0);
	aml_op(o, AML_RETURN);
	aml_buffer(o, functions, sizeof(functions));
	aml_end(o, function);
	function = aml_if(o);
	aml_op(o, AML_LEQUAL);
	aml_op(o, AML_ARG2);
	aml_int(o, 5);
	return_op(o, preserve ? AML_ZERO : AML_ONE);
	aml_end(o, function);
	aml_end(o, uuid);
	aml_op(o, AML_RETURN);
	aml_buffer(o, none, sizeof(none));
	aml_end(o, method);
}

static void host(struct out *o, const struct platform *p, unsigned int i)
{
	const struct platform_pci *pci = &p->pci[i];
	const size_t at = aml_device(o, acpi_name(NAME_HOST, i).text);

	aml_name_eisa(o, "_HID", "PNP0A08");
	aml_name_eisa(o, "_CID", "PNP0A03");
	aml_name_int(o, "_UID", i);
	aml_name_int(o, "_SEG", pci->segment);
	aml_name_int(o, "_BBN", 0);
	aml_name_int(o, "_CCA", !pci->noncoherent);
	windows(o, pci);
	interrupts(o, pci);
	osc(o);
	dsm(o, has_rmr(p, i));
	dsdt_functions(o, p, i);
	aml_end(o, at);
}

/* As acpi_resource_consumer() looks for it: ECAM is reserved by a motherboard resource. */
static void ecam(struct out *o, const struct platform_pci *pci, unsigned int i)
{
	const size_t at = aml_device(o, acpi_name("EC%02X", i).text);
	struct resources r;

	aml_name_eisa(o, "_HID", "PNP0C02");
	aml_name_int(o, "_UID", i);
	crs_begin(&r);
	crs_memory64(&r, pci->ecam, pci->ecam, (pci->last_bus + 1ULL) << 20, false, true);
	aml_crs(o, &r);
	aml_end(o, at);
}

void dsdt_pci(struct out *o, const struct platform *p)
{
	for (unsigned int i = 0; i < p->nr_pci; i++) {
		ecam(o, &p->pci[i], i);
		host(o, p, i);
	}
}

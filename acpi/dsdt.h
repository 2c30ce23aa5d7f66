/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACPI_DSDT_H
#define ACPI_DSDT_H

#include "acpi/aml.h"
#include "acpi/private.h"

/* Host bridges, and the ranges that their ECAMs are. */
void dsdt_pci(struct out *o, const struct platform *p);

/* Within its host bridge, functions of which there is more to tell. */
void dsdt_functions(struct out *o, const struct platform *p, unsigned int segment);

#endif

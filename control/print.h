/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CONTROL_PRINT_H
#define CONTROL_PRINT_H

#include <jansson.h>

/* On stdout: as it is; and as indented text for a person. */
void print_json(json_t *value);
void print_text(json_t *value);

#endif

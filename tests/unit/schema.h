/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_SCHEMA_H
#define TESTS_UNIT_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

/*
 * JSON Schema as far as docs/json/ uses it: type, const, enum, pattern, minimum,
 * properties, required, additionalProperties, items, oneOf. A keyword that it
 * does not know is an error of the schema. False: @why has the place and reason.
 */
bool schema_check(json_t *schema, json_t *value, char *why, size_t len);

/* The schema in docs/json/@name.json. */
json_t *schema_load(const char *name);

#endif

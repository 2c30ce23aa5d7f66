// SPDX-License-Identifier: GPL-2.0-only
/* json-check SCHEMA FILE: every JSON value in FILE is as docs/json/SCHEMA.json says; else one line,
 * and 1. */
#include <stdio.h>

#include "tests/unit/schema.h"

static bool more(FILE *file)
{
	int c;

	while ((c = getc(file)) == '\n')
		;
	ungetc(c, file);
	return c != EOF;
}

static bool check_next(FILE *file, json_t *schema, int nr)
{
	json_error_t error;
	json_t *value = json_loadf(file, JSON_DISABLE_EOF_CHECK, &error);
	char why[256];
	bool ok = value && schema_check(schema, value, why, sizeof(why));

	if (!ok)
		printf("value %d: %s\n", nr, value ? why : error.text);
	json_decref(value);
	return ok;
}

int main(int argc, char **argv)
{
	json_t *schema = argc == 3 ? schema_load(argv[1]) : NULL;
	FILE *file = schema ? fopen(argv[2], "r") : NULL;
	int nr = 0;

	if (!file)
		printf("no such schema or file\n");
	while (file && more(file) && check_next(file, schema, nr + 1))
		nr++;
	if (file && !nr)
		printf("no value in %s\n", argv[2]);
	nr = file && nr && feof(file);
	json_decref(schema);
	if (file)
		fclose(file);
	return !nr;
}

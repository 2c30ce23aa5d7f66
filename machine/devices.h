/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_DEVICES_H
#define MACHINE_DEVICES_H

#include <stdbool.h>
#include <stdio.h>

/* nestor devices [--json]: the host's PCI functions that could be a guest's. The arguments after
 * the command; the exit code. Whatever failed was said in one line. */
int command_devices(int argc, char **argv);

/* The same of another sysfs. */
int devices_show(const char *sys, bool json, FILE *to);

struct host_function;
struct host_functions;

/* What frees @f for a guest, as a command: freed by the caller. NULL: it is free, or never will be,
 * which the other says: why, or NULL. */
char *devices_free_command(const struct host_functions *h, const struct host_function *f);
const char *devices_never(const struct host_function *f);

/* Whether all that a command wrote was taken; else a line was printed. */
bool flushed(FILE *to);

/* For commands that take nothing but --json: *json; false, and a line was printed. */
bool takes_json(int argc, char **argv, const char *command, bool *json);

#endif
